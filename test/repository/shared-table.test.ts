import { createHash, randomFillSync } from 'node:crypto';
import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import fc from 'fast-check';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { SharedTable } from '../../src/repository/shared-table.ts';
import type { InserterReport, InserterTask } from './shared-table-worker.ts';

const keyOf = (i: number): Buffer => createHash('sha256').update(String(i)).digest();

function insert(table: SharedTable, key: Uint8Array, tag = 0): number {
  table.lock();
  try {
    return table.findOrInsert(key, 0, tag);
  } finally {
    table.unlock();
  }
}

function find(table: SharedTable, key: Uint8Array, tag = 0): number {
  table.lock();
  try {
    return table.find(key, 0, tag);
  } finally {
    table.unlock();
  }
}

test('behaves as a map from key and tag to record, through every growth', () => {
  // Few different bytes, so that the same keys come again.
  const key = fc.array(fc.constantFrom(0, 1, 255), { minLength: 4, maxLength: 4 }).map((bytes) => Buffer.alloc(32, Buffer.from(bytes)));
  const step = fc.tuple(fc.constantFrom('insert', 'find', 'append', 'reserve'), key, fc.constantFrom(0, 1));
  fc.assert(
    fc.property(fc.array(step, { maxLength: 200 }), fc.integer({ min: 0, max: 3000 }), (steps, before) => {
      const table = SharedTable.create(10);
      for (let i = 0; i < before; i++) insert(table, keyOf(i));
      const model = new Map<string, number>();
      let count = before;
      for (const [action, bytes, tag] of steps) {
        const name = `${bytes.toString('hex')} ${tag}`;
        const known = model.get(name);
        if (action === 'reserve') table.reserve(bytes[0] * 20);
        else if (action === 'find') expect(find(table, bytes, tag)).toBe(known ?? -1);
        else if (action === 'append') {
          // A further copy takes a number, and `find` does not see it.
          table.lock();
          expect(table.append(bytes, 0, tag)).toBe(count++);
          table.unlock();
        } else {
          const number = insert(table, bytes, tag);
          expect(table.inserted).toBe(known === undefined);
          expect(number).toBe(known ?? count);
          if (known === undefined) model.set(name, count++);
        }
        expect(table.count).toBe(count);
      }
      for (let i = 0; i < before; i++) expect(find(table, keyOf(i))).toBe(i);
    }),
    { numRuns: 60 },
  );
});

test('room for more than there can be is no room, and no failure', () => {
  const table = SharedTable.create(12);
  const first = insert(table, keyOf(1));
  table.reserve(Number.MAX_SAFE_INTEGER);
  expect(find(table, keyOf(1))).toBe(first);
  expect(insert(table, keyOf(2))).toBe(first + 1);
});

test('records keep what the caller writes into them, and new ones begin with zeros', () => {
  const table = SharedTable.create(12);
  for (let i = 0; i < 5000; i++) {
    const number = insert(table, keyOf(i), i & 1);
    expect([...table.records.subarray(number * 12 + 9, number * 12 + 12)]).toEqual([0, 0, 0]);
    table.records.set([i, i * 2, i * 3], number * 12 + 9);
  }
  for (let i = 0; i < 5000; i++) {
    const at = find(table, keyOf(i), i & 1) * 12;
    expect([...table.records.subarray(at + 9, at + 12)]).toEqual([i, i * 2, i * 3]);
  }
  expect(find(table, keyOf(1), 0)).toBe(-1);
});

test('what the caller keeps beside the tag in word 8 does not hide the record', () => {
  const table = SharedTable.create(12);
  for (let i = 0; i < 3000; i++) table.records[insert(table, keyOf(i), 1) * 12 + 8] = ((i << 1) | 1) >>> 0;
  for (let i = 0; i < 3000; i++) expect(find(table, keyOf(i), 1)).toBe(i);
});

test('of many threads that insert the same keys at once each key has exactly one winner, and none is lost', async () => {
  const table = SharedTable.create(12);
  const gate = new SharedArrayBuffer(4);
  const count = 30_000;
  // Forwards, backwards, and in strides: all run into each other.
  const orders = [
    [0, 1],
    [count - 1, count - 1],
    [7, 7],
    [count / 2, 1],
  ] as const;
  const reports = await Promise.all(
    orders.map(async ([start, step]) => {
      const workerData: InserterTask = { memory: table.memory, gate, threads: orders.length, count, start, step };
      const worker = new Worker(new URL('./shared-table-worker.ts', import.meta.url), { workerData });
      const ended = once(worker, 'exit');
      const [report] = (await once(worker, 'message')) as [InserterReport];
      await ended;
      return report;
    }),
  );
  const won = reports.flatMap((report) => report.won);
  expect(won.length).toBe(count);
  expect(new Set(won).size).toBe(count);
  expect(reports.map((report) => report.wrong)).toEqual([0, 0, 0, 0]);
  expect(table.count).toBe(count);
  for (let i = 0; i < count; i++) expect(table.records[find(table, keyOf(i), i & 1) * 12 + 9]).toBe(i);
});

/** The longest run of slots in use: as many steps a search may take, which is what an attacker wants to raise. */
function longestRun(keys: readonly Uint8Array[]): number {
  const table = SharedTable.create(12);
  for (const key of keys) insert(table, key);
  expect(table.count).toBe(keys.length);
  let run = 0;
  let longest = 0;
  for (const slot of new Uint32Array(table.memory.slots)) {
    run = slot === 0 ? 0 : run + 1;
    longest = Math.max(longest, run);
  }
  return longest;
}

test('keys chosen by an enemy cost no more than others', () => {
  const count = 20_000;
  const base = keyOf(0);
  const differingIn = (places: readonly number[]): Buffer[] =>
    Array.from({ length: count }, (_, i) => {
      const key = Buffer.from(base);
      places.forEach((place, k) => (key[place] = (i >>> (8 * k)) & 0xff));
      return key;
    });
  const topBits = Array.from({ length: count }, (_, i) => {
    const key = Buffer.from(base);
    for (let bit = 0; bit < 15; bit++) key[bit * 2 + 1] = (key[bit * 2 + 1]! & 0x7f) | (((i >> bit) & 1) << 7);
    return key;
  });
  const usual = longestRun(Array.from({ length: count }, (_, i) => keyOf(i)));
  const hostile = [
    [0, 1],
    [4, 5],
    [30, 31],
    [12, 29],
    [3, 7],
  ].map(differingIn);
  // Colliding keys would stand in one run of all 20,000.
  for (const keys of [...hostile, topBits]) expect(longestRun(keys)).toBeLessThan(usual * 10);
});

describe('at a million records', () => {
  test('a blob takes at most 64 bytes, at any number of records on the way', () => {
    const table = SharedTable.create(12);
    const ids = Buffer.alloc(32 * 1_000_000);
    for (let at = 0; at < ids.length; at += 1 << 24) randomFillSync(ids, at, Math.min(1 << 24, ids.length - at));
    let worst = 0;
    for (let i = 0; i < 1_000_000; i++) {
      table.lock();
      table.findOrInsert(ids, i * 32, 0);
      table.unlock();
      if (i > 10_000 && i % 997 === 0) worst = Math.max(worst, table.byteLength / (i + 1));
    }
    expect(table.count).toBe(1_000_000);
    expect(table.byteLength / 1_000_000).toBeLessThanOrEqual(64);
    expect(worst).toBeLessThanOrEqual(64);
    for (let i = 0; i < 1_000_000; i += 1009) expect(find(table, ids.subarray(i * 32, i * 32 + 32))).toBe(i);
  });
});

describe('where there is little address space', () => {
  afterEach(() => {
    vi.unstubAllGlobals();
  });
  const Real = SharedArrayBuffer;

  /** Reservations above `most` bytes fail as the system makes them fail. */
  function reserveAtMost(most: number): number[] {
    const asked: number[] = [];
    class Small extends Real {
      constructor(bytes: number, options?: { maxByteLength: number }) {
        if (options) asked.push(options.maxByteLength);
        if ((options?.maxByteLength ?? bytes) > most) throw new RangeError('Array buffer allocation failed');
        super(bytes, options);
      }
    }
    vi.stubGlobal('SharedArrayBuffer', Small);
    return asked;
  }

  test('a table reserves less and works all the same', () => {
    const asked = reserveAtMost(2 ** 30);
    const table = SharedTable.create(12);
    expect(asked).toEqual([2 ** 32, 2 ** 31, 2 ** 30, 2 ** 32, 2 ** 31, 2 ** 30]);
    for (let i = 0; i < 5000; i++) insert(table, keyOf(i));
    expect(find(table, keyOf(4999))).toBe(4999);
  });

  test('a computer that gives no memory at all is named as the reason', () => {
    reserveAtMost(2 ** 20);
    expect(() => SharedTable.create(12)).toThrowError(expect.objectContaining({ code: 'index-too-large' }));
  });

  test('a table that cannot grow says so, keeps what it holds, and stays unlocked', () => {
    class Tight extends Real {
      constructor(bytes: number, options?: { maxByteLength: number }) {
        super(bytes, options && { maxByteLength: Math.min(options.maxByteLength, 1 << 18) });
      }
    }
    vi.stubGlobal('SharedArrayBuffer', Tight);
    const table = SharedTable.create(12);
    const most = Math.floor((1 << 18) / 48);
    for (let i = 0; i < most; i++) insert(table, keyOf(i));
    for (const i of [most, most + 1])
      expect(() => insert(table, keyOf(i))).toThrowError(expect.objectContaining({ code: 'index-too-large' }));
    expect(table.count).toBe(most);
    for (let i = 0; i < most; i++) expect(find(table, keyOf(i))).toBe(i);
    expect(insert(table, keyOf(3))).toBe(3);
  });
});
