import { expect, test } from 'vitest';
import { HoldfastError } from '../../src/contract/errors.ts';
import { MemoryStorage } from '../../src/storage/memory.ts';
import type { StoredFile } from '../../src/storage/storage.ts';
import { VigilantStorage } from '../../src/storage/vigilant.ts';
import { FakeClock } from '../support/fake-clock.ts';

const pack: StoredFile = { kind: 'pack', name: 'ab'.repeat(32) };
const codeOf = (work: Promise<unknown>): Promise<string> =>
  work.then(
    () => 'done',
    (error: HoldfastError) => error.code,
  );

/** A place whose saves hang until they are let go; `answer` is what it says to a small question. */
function prepare(answer: () => Promise<number>) {
  const clock = new FakeClock();
  const inner = new MemoryStorage();
  const saves: (() => void)[] = [];
  inner.save = () => new Promise((resolve) => saves.push(resolve));
  let asked = 0;
  const size = (): Promise<number> => {
    asked += 1;
    return answer();
  };
  return { clock, inner, saves, asked: () => asked, storage: new VigilantStorage(inner, { clock, asked: { size } }) };
}

test('a call that takes long is waited for as long as the place answers', async () => {
  const { clock, saves, asked, storage } = prepare(async () => 1);
  const saved = codeOf(storage.save(pack, []));
  await clock.advance(10 * 60_000);
  expect(asked()).toBe(75);
  saves[0]();
  expect(await saved).toBe('done');
  expect(clock.pending, 'nobody looks while nothing is at work').toBe(0);
});

test('a place that says nothing any more is given up within half a minute, by all who wait and all who come', async () => {
  const { clock, storage } = prepare(() => new Promise(() => {}));
  const [first, second] = [codeOf(storage.save(pack, [])), codeOf(storage.save(pack, []))];
  await clock.advance(23_000);
  expect(await Promise.all([first, second])).toEqual(['storage-gone', 'storage-gone']);
  expect(await codeOf(storage.remove(pack))).toBe('storage-gone');
  expect(clock.pending).toBe(0);
});

test('a place that says that it cannot be used is given up at once', async () => {
  const { clock, storage } = prepare(async () => Promise.reject(new HoldfastError('server-refused', { location: 'x' })));
  const saved = codeOf(storage.save(pack, []));
  await clock.advance(8_000);
  expect(await saved).toBe('server-refused');
});

test('a no about the file that was asked for is an answer', async () => {
  const { clock, saves, storage } = prepare(async () => Promise.reject(new HoldfastError('file-not-found', { location: 'x' })));
  const saved = codeOf(storage.save(pack, []));
  await clock.advance(60_000);
  saves[0]();
  expect(await saved).toBe('done');
});

test('a listing is given, and given up like every call', async () => {
  const { clock, inner, storage } = prepare(() => new Promise(() => {}));
  inner.list = async function* () {
    yield { name: pack.name, size: 1 };
    await new Promise(() => {});
  };
  const seen: string[] = [];
  const listed = codeOf(
    (async () => {
      for await (const { name } of storage.list('pack')) seen.push(name);
    })(),
  );
  await clock.advance(23_000);
  expect(await listed).toBe('storage-gone');
  expect(seen).toEqual([pack.name]);
});
