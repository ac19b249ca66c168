import { expect, test } from 'vitest';
import { MemoryStorage } from '../../src/storage/memory.ts';
import { layoutPath } from '../../src/storage/names.ts';
import { codeOf, describeStorage, fileFor, listAll } from '../support/storage-suite.ts';

describeStorage('memory storage', async () => ({ storage: new MemoryStorage() }));

const texts = ['zero', 'one', 'two'].map((text) => Buffer.from(text));
const [zero, one, two] = texts.map((text) => fileFor(text)) as [
  ReturnType<typeof fileFor>,
  ReturnType<typeof fileFor>,
  ReturnType<typeof fileFor>,
];

async function withHistory(): Promise<MemoryStorage> {
  const storage = new MemoryStorage();
  await storage.save(zero, [texts[0]!]);
  await storage.load(zero, { offset: 1, length: 2 });
  await storage.save(one, [texts[1]!.subarray(0, 1), texts[1]!.subarray(1)]);
  await listAll(storage, 'pack');
  await codeOf(storage.save(one, []));
  await storage.remove(zero);
  await storage.size(one);
  await storage.save(two, [texts[2]!]);
  return storage;
}

test('records what took effect and what was read, in order', async () => {
  const { operations, mutations } = await withHistory();
  expect(operations.map((operation) => operation.kind)).toEqual(['save', 'load', 'save', 'list', 'remove', 'size', 'save']);
  expect(operations[1]).toEqual({ kind: 'load', file: zero, range: { offset: 1, length: 2 } });
  expect(operations[2]).toMatchObject({ file: one, content: new Uint8Array(texts[1]!) });
  expect(operations[3]).toEqual({ kind: 'list', files: 'pack' });
  expect(mutations).toBe(4);
});

test('replays the state after every number of mutations', async () => {
  const storage = await withHistory();
  const states = [0, 1, 2, 3, 4].map((n) => storage.replay(n).files());
  expect(states).toEqual([[], [zero], [zero, one], [one], [one, two]]);
  expect(() => storage.replay(5)).toThrow(RangeError);
  expect(Buffer.from(await storage.replay(4).load(two)).toString()).toBe('two');
});

test('keeps a replay and a clone apart from the original', async () => {
  const storage = await withHistory();
  for (const other of [storage.replay(4), storage.clone()]) {
    expect(other.operations).toEqual([]);
    await other.remove(two);
    expect(other.replay(0).files()).toEqual([one, two]);
    expect(other.replay(1).files()).toEqual([one]);
    await other.save(zero, []);
  }
  expect(storage.files()).toEqual([one, two]);
  expect(storage.mutations).toBe(4);
});

test('shows tampered bytes to readers and keeps them out of its record', async () => {
  const storage = await withHistory();
  storage.tamper(two, (bytes) => {
    bytes[0]! ^= 1;
    return bytes;
  });
  storage.tamper(one, () => undefined);
  expect(Buffer.from(await storage.load(two)).toString()).toBe('uwo');
  expect(await codeOf(storage.load(one))).toBe('file-not-found');
  expect(Buffer.from(await storage.replay(4).load(two)).toString()).toBe('two');
  expect(storage.mutations).toBe(4);
});

test('dumps copies of all files by their path, from which a storage can be made', async () => {
  const storage = await withHistory();
  const dump = storage.dump();
  expect([...dump.keys()]).toEqual([layoutPath(one), layoutPath(two)]);
  dump.get(layoutPath(one))!.fill(0);
  expect(Buffer.from(await storage.load(one)).toString()).toBe('one');
  expect(new MemoryStorage('again', storage.dump()).files()).toEqual([one, two]);
});

test('records and replays a replaced config', async () => {
  const storage = new MemoryStorage();
  const config = { kind: 'config', name: '' } as const;
  await storage.save(config, [Buffer.from('old')]);
  await storage.replaceConfig([Buffer.from('ne'), Buffer.from('w')]);
  expect(storage.operations.map(({ kind }) => kind)).toEqual(['save', 'replace']);
  expect(storage.mutations).toBe(2);
  const texts = [1, 2].map(async (n) => Buffer.from(await storage.replay(n).load(config)).toString());
  expect(await Promise.all(texts)).toEqual(['old', 'new']);
});
