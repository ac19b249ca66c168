import { readFileSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { HoldfastError } from '../../../src/contract/errors.ts';
import { executeBackup } from '../../../src/engine/backup/backup.ts';
import { HandOver } from '../../../src/engine/backup/hand-over.ts';
import type { Repository } from '../../../src/repository/repository.ts';
import { LocalStorage } from '../../../src/storage/local.ts';
import type { Storage } from '../../../src/storage/storage.ts';
import { makeRepository, plannedBackup, resticOn, runOptions } from '../../support/engine.ts';
import { contentOf, within } from '../../support/content-of.ts';
import { seededBytes, seededRandom } from '../../support/seeded.ts';
import { scratch, type TreeLiteral, tree } from '../../support/tree-literal.ts';

/** Behind a network as far as the engine sees: it is not read past the storage. */
function far(folder: string): Storage {
  const inner = new LocalStorage(folder);
  return {
    location: folder,
    create: () => inner.create(),
    save: (file, parts) => inner.save(file, parts),
    load: (file, range) => inner.load(file, range),
    size: (file) => inner.size(file),
    list: (kind) => inner.list(kind),
    remove: (file) => inner.remove(file),
    close: () => inner.close(),
  };
}

/** From the nth pack on nothing can be stored, not even an index. */
function failAfter(storage: Storage, packs: number): void {
  const save = storage.save.bind(storage);
  let left = packs;
  storage.save = async (file, parts) => {
    if (file.kind === 'pack') left -= 1;
    if (left < 0 && file.kind !== 'lock') throw new HoldfastError('connection-lost', { location: storage.location });
    return save(file, parts);
  };
}

const bytesRead = (): number => Number(/rchar: (\d+)/.exec(readFileSync('/proc/self/io', 'utf8'))![1]);

const random = seededRandom(3);
const files: TreeLiteral = {
  large: { 'a.bin': seededBytes(random, 9 << 20) },
  small: Object.fromEntries(Array.from({ length: 200 }, (_, i) => [`f${i}`, seededBytes(random, 30_000)])),
  empty: '',
};

interface Attempt {
  readonly error: HoldfastError | undefined;
  readonly snapshot: string | undefined;
  /** Bytes read from the sources, and a little more. */
  readonly read: number;
}

async function attempt(repository: Repository, source: string, handOver: HandOver): Promise<Attempt> {
  const plan = await plannedBackup(repository, source);
  const before = bytesRead();
  const done = await executeBackup(repository, plan, { ...runOptions(), threads: 2, packSize: 4 << 20, handOver }).catch(
    (error: HoldfastError) => error,
  );
  const read = bytesRead() - before;
  return done instanceof HoldfastError ? { error: done, snapshot: undefined, read } : { error: undefined, snapshot: done.snapshot, read };
}

async function twoRepositories(holding = files) {
  const folder = scratch();
  const source = tree(join(folder, 'src'), holding);
  const first = await makeRepository(far(join(folder, 'first')));
  const second = await makeRepository(far(join(folder, 'second')), { polynomial: first.config.chunker_polynomial });
  return { folder, source, first, second };
}

async function expectRestores(folder: string, snapshot: string | undefined, source: string): Promise<void> {
  const restic = resticOn(folder);
  await restic.must(['check', '--read-data']);
  const target = scratch('restored');
  await restic.must(['restore', snapshot!, '--target', target]);
  expect(within(contentOf(target, target), source)).toEqual(contentOf(source));
}

const total = (15 << 20) + 200;

test.runIf(process.platform === 'linux')('what was read when the first destination failed is not read again for the next', async () => {
  const { folder, source, first, second } = await twoRepositories();
  const handOver = new HandOver();
  failAfter(first.storage, 0);
  const one = await attempt(first, source, handOver);
  expect(one.error?.code).toBe('connection-lost');
  const carried = handOver.bytes;
  expect(carried).toBeGreaterThan(1 << 20);
  const two = await attempt(second, source, handOver);
  expect(handOver.bytes).toBe(0);
  // Read beside: code, keys, lists, and of a large file the chunk that was not whole yet.
  expect(two.read).toBeLessThan(total - carried + (2 << 20));
  await expectRestores(join(folder, 'second'), two.snapshot, source);
});

test('a small run whose only packs could not be stored is handed over whole', async () => {
  const { folder, source, first, second } = await twoRepositories({ 'a.bin': seededBytes(random, 3 << 20) });
  const handOver = new HandOver();
  // The first destination fails at its end: with the packs that are not full.
  const save = first.storage.save.bind(first.storage);
  first.storage.save = async (file, parts) => {
    if (file.kind === 'snapshot') throw new HoldfastError('storage-full', { location: 'first' });
    return save(file, parts);
  };
  expect((await attempt(first, source, handOver)).error?.code).toBe('storage-full');
  const two = await attempt(second, source, handOver);
  if (process.platform === 'linux') expect(two.read).toBeLessThan(1 << 20);
  await expectRestores(join(folder, 'second'), two.snapshot, source);
});

test('what has changed since is read again, and a destination that cuts otherwise takes nothing over', async () => {
  const { folder, source, first } = await twoRepositories();
  const handOver = new HandOver();
  failAfter(first.storage, 1);
  expect((await attempt(first, source, handOver)).error?.code).toBe('connection-lost');
  for (const name of ['f1', 'f2', 'f3']) writeFileSync(join(source, 'small', name), `another ${name}`);
  utimesSync(join(source, 'small', 'f4'), 1, 1);
  const other = await makeRepository(far(join(folder, 'other')));
  const two = await attempt(other, source, handOver);
  await expectRestores(join(folder, 'other'), two.snapshot, source);
});

test.each([
  [0, 0],
  [1, 0],
  [2, 1],
])('when one destination fails after %i packs and the next after %i, the third makes a whole snapshot', async (a, b) => {
  const { folder, source, first, second } = await twoRepositories();
  const handOver = new HandOver();
  failAfter(first.storage, a);
  failAfter(second.storage, b);
  expect((await attempt(first, source, handOver)).error?.code).toBe('connection-lost');
  expect((await attempt(second, source, handOver)).error?.code).toBe('connection-lost');
  const third = await makeRepository(join(folder, 'third'), { polynomial: first.config.chunker_polynomial });
  await expectRestores(join(folder, 'third'), (await attempt(third, source, handOver)).snapshot, source);
});
