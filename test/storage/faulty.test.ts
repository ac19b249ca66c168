import { describe, expect, test } from 'vitest';
import { disconnectFrom, type Effect, FaultyStorage, type Moment } from '../../src/storage/faulty.ts';
import { MemoryStorage } from '../../src/storage/memory.ts';
import { codeOf, describeStorage, fileFor, listAll } from '../support/storage-suite.ts';

describeStorage('faulty storage without faults', async () => ({ storage: new FaultyStorage(new MemoryStorage()) }));

const content = Buffer.from('0123456789');
const file = fileFor(content);
const other = fileFor(Buffer.from('other'));

function faulty(at: Moment, effect: Effect): { memory: MemoryStorage; storage: FaultyStorage } {
  const memory = new MemoryStorage();
  return { memory, storage: new FaultyStorage(memory, { faults: [{ at, effect }] }) };
}

test('fails the call it was told to, whichever it is, and no other', async () => {
  for (let nth = 1; nth <= 7; nth++) {
    const { storage } = faulty({ nth }, { do: 'fail' });
    const codes: string[] = [];
    for (const call of [
      () => storage.create(),
      () => storage.save(file, [content]),
      () => storage.load(file),
      () => storage.size(file),
      () => listAll(storage, 'pack'),
      () => storage.remove(file),
    ])
      codes.push(
        await call().then(
          () => 'ok',
          (error: { code: string }) => error.code,
        ),
      );
    const expected = ['ok', 'ok', 'ok', 'ok', 'ok', 'ok'];
    if (nth <= 6) expected[nth - 1] = 'storage-failed';
    if (nth === 2) expected.splice(2, 4, 'file-not-found', 'file-not-found', 'ok', 'file-not-found');
    expect(codes).toEqual(expected);
    expect(storage.calls.map(({ call }) => call)).toEqual(['create', 'save', 'load', 'size', 'list', 'remove']);
  }
});

test('counts only the calls that match: by sort, kind and name', async () => {
  const { storage } = faulty({ call: 'mutation', kind: 'pack', nth: 2 }, { do: 'fail', code: 'storage-denied' });
  await storage.save(fileFor(content, 'index'), [content]);
  await storage.save(file, [content]);
  await storage.size(file);
  expect(await codeOf(storage.remove(file))).toBe('storage-denied');
  await storage.remove(file);
  storage.script([{ at: { name: other.name }, effect: { do: 'fail' } }]);
  await storage.save(file, [content]);
  expect(await codeOf(storage.save(other, []))).toBe('storage-failed');
});

test('fails before or after the effect', async () => {
  const before = faulty({ call: 'save' }, { do: 'fail' });
  expect(await codeOf(before.storage.save(file, [content]))).toBe('storage-failed');
  expect(before.memory.files()).toEqual([]);
  const after = faulty({ call: 'save' }, { do: 'fail', when: 'after' });
  expect(await codeOf(after.storage.save(file, [content]))).toBe('storage-failed');
  expect(after.memory.files()).toEqual([file]);
  after.storage.script([{ at: { call: 'remove' }, effect: { do: 'fail', when: 'after' } }]);
  expect(await codeOf(after.storage.remove(file))).toBe('storage-failed');
  expect(after.memory.files()).toEqual([]);
});

test('is gone from one call on until it is healed', async () => {
  const storage = new FaultyStorage(new MemoryStorage(), { faults: [disconnectFrom(2)] });
  await storage.save(file, [content]);
  for (const call of [
    () => storage.load(file),
    () => storage.size(file),
    () => listAll(storage, 'pack'),
    () => storage.remove(file),
    () => storage.create(),
  ])
    expect(await codeOf(call())).toBe('storage-gone');
  storage.heal();
  expect(await storage.size(file)).toBe(10);
});

test('is full after so many bytes', async () => {
  const memory = new MemoryStorage();
  const storage = new FaultyStorage(memory, { capacity: 12 });
  await storage.save(file, [content]);
  expect(await codeOf(storage.save(other, [Buffer.from('other')]))).toBe('storage-full');
  await storage.save(fileFor(Buffer.from('ab')), [Buffer.from('ab')]);
  expect(await codeOf(storage.save(fileFor(Buffer.from('c')), [Buffer.from('c')]))).toBe('storage-full');
  expect(memory.files()).toHaveLength(2);
  storage.heal();
  await storage.save(other, [Buffer.from('other')]);
});

describe('as a disk that lies', () => {
  test('leaves the first part of a file under its name, with and without an error', async () => {
    const silent = faulty({ call: 'save' }, { do: 'tear', length: 4 });
    await silent.storage.save(file, [content.subarray(0, 3), content.subarray(3)]);
    expect(Buffer.from(await silent.storage.load(file)).toString()).toBe('0123');
    const loud = faulty({ call: 'save' }, { do: 'tear', length: 4, code: 'storage-gone' });
    expect(await codeOf(loud.storage.save(file, [content]))).toBe('storage-gone');
    expect(await loud.storage.size(file)).toBe(4);
  });

  test('loses a file that it said it had saved', async () => {
    const { storage } = faulty({ call: 'save' }, { do: 'lose' });
    await storage.save(file, [content]);
    expect(await codeOf(storage.load(file))).toBe('file-not-found');
  });

  test.each([
    ['flipped', (bytes: Uint8Array) => bytes.map((byte) => byte ^ 1), '1032547698'],
    ['fewer', (bytes: Uint8Array) => bytes.subarray(0, 2), '01'],
    ['more', (bytes: Uint8Array) => Buffer.concat([bytes, bytes]), '01234567890123456789'],
  ])('reads %s bytes', async (_, change, expected) => {
    const { storage } = faulty({ call: 'load', nth: 2 }, { do: 'change-bytes', change });
    await storage.save(file, [content]);
    expect(Buffer.from(await storage.load(file)).toString()).toBe('0123456789');
    expect(Buffer.from(await storage.load(file)).toString()).toBe(expected);
    expect(Buffer.from(await storage.load(file)).toString()).toBe('0123456789');
  });

  test('lists what is not there, not what is there, and wrong sizes', async () => {
    const extra = { name: other.name, size: 1 };
    const { storage } = faulty({ call: 'list' }, { do: 'change-list', change: ([first]) => [extra, extra, { ...first!, size: 99 }] });
    await storage.save(file, [content]);
    const listed: unknown[] = [];
    for await (const each of storage.list('pack')) listed.push(each);
    expect(listed).toEqual([extra, extra, { name: file.name, size: 99 }]);
    storage.script([{ at: { call: 'size' }, effect: { do: 'change-size', change: (size) => size - 1 } }]);
    expect(await storage.size(file)).toBe(9);
  });

  test.each([0, 1, 2])('breaks a listing of two files off after %i', async (after) => {
    const { storage } = faulty({ call: 'list' }, { do: 'break-list', after });
    await storage.save(file, [content]);
    await storage.save(other, []);
    let listed = 0;
    const listing = async (): Promise<void> => {
      for await (const _ of storage.list('pack')) listed++;
    };
    expect(await codeOf(listing())).toBe('storage-failed');
    expect(listed).toBe(after);
  });
});

test('waits on the clock before anything else happens', async () => {
  const waits: number[] = [];
  const clock = { sleep: async (ms: number) => void waits.push(ms) };
  const storage = new FaultyStorage(new MemoryStorage(), {
    clock,
    faults: [
      { at: { call: 'save' }, effect: { do: 'fail' } },
      { at: { times: 2 }, effect: { do: 'delay', ms: 250 } },
    ],
  });
  expect(await codeOf(storage.save(file, [content]))).toBe('storage-failed');
  await storage.save(file, [content]);
  await storage.save(other, []);
  expect(waits).toEqual([250, 250]);
});

describe('replacing config', () => {
  const config = { kind: 'config', name: '' } as const;
  const made = async (effect: Effect): Promise<{ storage: FaultyStorage; text: () => Promise<string> }> => {
    const { memory, storage } = faulty({ call: 'replace' }, effect);
    await memory.save(config, [content]);
    return { storage, text: async () => Buffer.from(await memory.load(config)).toString() };
  };

  test('fails before or after its effect', async () => {
    for (const [when, left] of [
      ['before', '0123456789'],
      ['after', 'other'],
    ] as const) {
      const { storage, text } = await made({ do: 'fail', when });
      expect(await codeOf(storage.replaceConfig!([Buffer.from('other')]))).toBe('storage-failed');
      expect(await text()).toBe(left);
    }
  });

  test('tears, or says that it did what it did not', async () => {
    const torn = await made({ do: 'tear', length: 3 });
    await torn.storage.replaceConfig!([Buffer.from('other')]);
    expect(await torn.text()).toBe('oth');
    const lost = await made({ do: 'lose' });
    await lost.storage.replaceConfig!([Buffer.from('other')]);
    expect(await lost.text()).toBe('0123456789');
  });

  test('counts as a mutation', async () => {
    const { memory, storage } = faulty({ call: 'mutation', nth: 2 }, { do: 'fail' });
    await storage.save(config, [content]);
    expect(await codeOf(storage.replaceConfig!([content]))).toBe('storage-failed');
    expect(memory.mutations).toBe(1);
  });
});
