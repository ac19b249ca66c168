import { describe, expect, test } from 'vitest';
import { errorCodes, HoldfastError } from '../../src/contract/errors.ts';
import { type Fault, FaultyStorage } from '../../src/storage/faulty.ts';
import { LocalStorage } from '../../src/storage/local.ts';
import { MemoryStorage } from '../../src/storage/memory.ts';
import { type Retry, RetryingStorage, type RetryOptions } from '../../src/storage/retrying.ts';
import type { StoredFile } from '../../src/storage/storage.ts';
import { FakeClock } from '../support/fake-clock.ts';
import { codeOf, describeStorage, fileFor, listAll } from '../support/storage-suite.ts';

describeStorage('retrying storage', async () => ({ storage: new RetryingStorage(new MemoryStorage(), { clock: new FakeClock() }) }));

/** A retrying storage around one of which four calls in ten fail, before or after their effect. */
function makeFlaky(): { storage: RetryingStorage; memory: MemoryStorage } {
  // A fixed sequence without a period: a call that needs three calls of the inner storage must not always meet the failing one.
  let state = 12345;
  const random = (): number => (state = (state * 1_103_515_245 + 12_345) % 2 ** 31) / 2 ** 31;
  const memory = new MemoryStorage();
  const faults = new FaultyStorage(memory);
  const flaky = new Proxy(faults, {
    get(target, key) {
      const value: unknown = Reflect.get(target, key);
      if (typeof value !== 'function') return value;
      if (['create', 'save', 'load', 'size', 'list', 'remove'].includes(String(key)))
        faults.script(random() < 0.4 ? [{ at: {}, effect: { do: 'fail', when: random() < 0.5 ? 'after' : 'before' } }] : []);
      return value.bind(target) as unknown;
    },
  });
  const limits = { totalWaitMs: 3_600_000 };
  return { memory, storage: new RetryingStorage(flaky, { clock: { sleep: async () => undefined }, limits }) };
}

describeStorage('reading half of a retrying storage whose calls often fail', async () => {
  const { storage, memory } = makeFlaky();
  return { storage, writer: memory };
});

test('saves and removes every file once although calls often fail', async () => {
  const { storage, memory } = makeFlaky();
  const contents = Array.from({ length: 200 }, (_, n) => Buffer.from(`${n}`));
  for (const each of contents) await storage.save(fileFor(each), [each]);
  expect(memory.mutations).toBe(200);
  expect(await listAll(storage, 'pack')).toHaveLength(200);
  for (const each of contents) await storage.remove(fileFor(each));
  expect(memory.mutations).toBe(400);
  expect(memory.files()).toEqual([]);
});

const content = Buffer.from('content');
const file = fileFor(content);

interface Made {
  readonly memory: MemoryStorage;
  readonly inner: FaultyStorage;
  readonly storage: RetryingStorage;
  readonly waits: number[];
}

function make(faults: readonly Fault[], options: Partial<RetryOptions> = {}): Made {
  const memory = new MemoryStorage();
  const inner = new FaultyStorage(memory, { faults });
  const waits: number[] = [];
  const clock = { sleep: async (ms: number) => void waits.push(ms) };
  return { memory, inner, waits, storage: new RetryingStorage(inner, { clock, random: () => 0, ...options }) };
}

const always = Number.POSITIVE_INFINITY;

describe('waiting', () => {
  test('doubles up to the longest wait and gives up before the total is passed', async () => {
    const { storage, inner, waits } = make([{ at: { times: always }, effect: { do: 'fail', code: 'storage-gone' } }], {
      limits: { firstWaitMs: 100, longestWaitMs: 1000, totalWaitMs: 5000 },
    });
    expect(await codeOf(storage.load(file))).toBe('storage-gone');
    expect(waits).toEqual([100, 200, 400, 800, 1000, 1000, 1000]);
    expect(inner.calls).toHaveLength(8);
  });

  test('is shortened at random by up to half', async () => {
    for (const [random, expected] of [
      [0, 500],
      [0.5, 375],
      [0.999, 250],
    ] as const) {
      const { storage, waits, memory } = make([{ at: {}, effect: { do: 'fail' } }], { random: () => random });
      await memory.save(file, [content]);
      await storage.size(file);
      expect(waits).toEqual([expected]);
    }
  });

  test('starts anew for every call', async () => {
    const { storage, waits, memory } = make([
      { at: { nth: 1, times: 2 }, effect: { do: 'fail' } },
      { at: { nth: 4, times: 2 }, effect: { do: 'fail' } },
    ]);
    await memory.save(file, [content]);
    await storage.size(file);
    await storage.size(file);
    expect(waits).toEqual([500, 1000, 500, 1000]);
  });

  test('is told to the listener, with what failed', async () => {
    const told: Retry[] = [];
    const { storage } = make([{ at: { times: 2 }, effect: { do: 'fail' } }], { onRetry: (retry) => told.push(retry) });
    await storage.save(file, [content]);
    expect(told).toMatchObject([
      { operation: 'save', file: `pack ${file.name.slice(0, 12)}`, failures: 1, waitMs: 500, error: { code: 'storage-failed' } },
      { failures: 2, waitMs: 1000 },
    ]);
  });
});

describe('a destination behind a network', () => {
  const limits = { firstWaitMs: 1000, longestWaitMs: 8000, totalWaitMs: 30_000, unansweredWaitMs: 3000 };
  const away = (nth: number, times = always): Fault => ({ at: { nth, times }, effect: { do: 'fail', code: 'server-unreachable' } });

  test('that has never answered is given up soon', async () => {
    const { storage, waits } = make([away(1)], { limits });
    expect(await codeOf(storage.load(file))).toBe('server-unreachable');
    expect(waits).toEqual([1000, 2000]);
  });

  test.each([
    ['with a file', undefined],
    ['with a no', 'file-not-found'],
    ['with a failure of its own', 'storage-failed'],
  ] as const)('that has answered once, %s, is waited for', async (_, code) => {
    const first: Fault[] = code === undefined ? [] : [{ at: { nth: 1 }, effect: { do: 'fail', code } }];
    const { storage, waits, memory } = make([...first, away(code === 'storage-failed' ? 3 : 2)], { limits });
    await memory.save(file, [content]);
    await storage.size(file).catch(() => undefined);
    waits.length = 0;
    expect(await codeOf(storage.load(file))).toBe('server-unreachable');
    expect(waits).toEqual([1000, 2000, 4000, 8000, 8000]);
  });

  test('that was waited for in vain is tried once a call, until it answers', async () => {
    const { storage, inner, waits, memory } = make([away(2, 7)], { limits });
    await memory.save(file, [content]);
    await storage.size(file);
    expect(await codeOf(storage.load(file))).toBe('server-unreachable');
    waits.length = 0;
    expect(await codeOf(storage.size(file))).toBe('server-unreachable');
    expect(waits).toEqual([]);
    expect(inner.calls).toHaveLength(8);
    await storage.size(file);
    inner.script([away(1, 2)]);
    await storage.size(file);
    expect(waits).toEqual([1000, 2000]);
  });

  test('that says for how long it wants to be left alone is left alone for as long, and a little more', async () => {
    for (const [retryAfterMs, random, expected] of [
      [20_000, 0, 20_000],
      [20_000, 0.5, 21_000],
      [10, 0, 500],
    ] as const) {
      const { storage, waits, memory } = make([], { random: () => random });
      await memory.save(file, [content]);
      let busy = true;
      const size = memory.size.bind(memory);
      memory.size = async (each) => {
        if (!busy) return size(each);
        busy = false;
        throw new HoldfastError('server-busy', { retryAfterMs });
      };
      await storage.size(file);
      expect(waits).toEqual([expected]);
    }
  });

  test('that wants to be left alone for longer than anybody waits is not waited for', async () => {
    const { storage, waits, memory } = make([]);
    memory.size = () => Promise.reject(new HoldfastError('server-busy', { retryAfterMs: 3_600_000 }));
    expect(await codeOf(storage.size(file))).toBe('server-busy');
    expect(waits).toEqual([]);
  });
});

test('tries again only what may pass', async () => {
  for (const code of errorCodes) {
    const { storage, inner } = make([{ at: {}, effect: { do: 'fail', code } }]);
    const { retryable } = new HoldfastError(code);
    await storage.create().catch(() => undefined);
    expect([code, inner.calls.length]).toEqual([code, retryable ? 2 : 1]);
  }
});

test('passes a thrown defect on at once', async () => {
  const memory = new MemoryStorage();
  memory.size = () => Promise.reject(new TypeError('defect'));
  await expect(new RetryingStorage(memory, { clock: new FakeClock() }).size(file)).rejects.toThrow(TypeError);
});

describe('a save that failed', () => {
  const big = Buffer.alloc(100_000, 7);
  const failedAfter: Fault = { at: { call: 'save' }, effect: { do: 'fail', when: 'after' } };

  test.each([
    ['small file', fileFor(content), content],
    ['config', fileFor(content, 'config'), content],
    ['large pack', fileFor(big), big],
  ] as const)('and had succeeded nevertheless counts as saved: %s', async (_, each, bytes) => {
    const { storage, memory } = make([failedAfter]);
    await storage.save(each, [bytes]);
    expect(memory.mutations).toBe(1);
  });

  test('does not count as saved when another content has its name', async () => {
    for (const [each, bytes, stored] of [
      [fileFor(content, 'config'), content, Buffer.from('another')],
      [fileFor(content), content, Buffer.from('another')],
      [fileFor(content), content, Buffer.from('longer one')],
      [fileFor(big), big, big.subarray(1)],
    ] as const) {
      const { storage, memory } = make([{ at: {}, effect: { do: 'fail' } }]);
      await memory.save(each, [stored]);
      expect(await codeOf(storage.save(each, [bytes]))).toBe('file-exists');
      expect(Buffer.from(await memory.load(each)).equals(stored)).toBe(true);
    }
  });

  test('keeps trying while the check of what it left fails', async () => {
    const { storage, inner } = make([
      failedAfter,
      { at: { call: 'size' }, effect: { do: 'fail' } },
      { at: { call: 'load' }, effect: { do: 'fail' } },
    ]);
    await storage.save(file, [content]);
    expect(inner.calls.map(({ call }) => call)).toEqual(['save', 'save', 'size', 'save', 'size', 'load', 'save', 'size', 'load']);
  });

  test('and left a torn file is reported, not taken for good', async () => {
    const { storage } = make([{ at: { call: 'save' }, effect: { do: 'tear', length: 3, code: 'storage-failed' } }]);
    expect(await codeOf(storage.save(file, [content]))).toBe('file-exists');
  });
});

test('reports an existing file at the first try, even one of the same content', async () => {
  const { storage, memory, inner } = make([]);
  await memory.save(file, [content]);
  expect(await codeOf(storage.save(file, [content]))).toBe('file-exists');
  expect(inner.calls).toHaveLength(1);
});

test('counts a removal that failed after its effect as done', async () => {
  const { storage, memory } = make([{ at: { call: 'remove' }, effect: { do: 'fail', when: 'after' } }]);
  await memory.save(file, [content]);
  await storage.remove(file);
  expect(memory.files()).toEqual([]);
  expect(await codeOf(storage.remove(file))).toBe('file-not-found');
});

describe('a short read', () => {
  const range = { offset: 0, length: 7 };

  test('is tried again when the file is long enough', async () => {
    const { storage, memory, waits } = make([{ at: { call: 'load', times: 2 }, effect: { do: 'fail', code: 'file-short' } }]);
    await memory.save(file, [content]);
    expect(Buffer.from(await storage.load(file, range)).equals(content)).toBe(true);
    expect(waits).toHaveLength(2);
  });

  test('of a truncated file fails at once', async () => {
    const { storage, memory, waits } = make([]);
    await memory.save(file, [content.subarray(1)]);
    await expect(storage.load(file, range)).rejects.toMatchObject({
      code: 'file-short',
      retryable: false,
      context: { expected: 7, received: 6 },
    });
    expect(waits).toEqual([]);
  });
});

describe('a listing that breaks off', () => {
  async function withFiles(faults: readonly Fault[]): Promise<Made & { readonly files: StoredFile[] }> {
    const made = make(faults, { limits: { firstWaitMs: 100, longestWaitMs: 100, totalWaitMs: 200 } });
    const files = Array.from({ length: 6 }, (_, n) => fileFor(Buffer.from(`${n}`)));
    for (const each of files) await made.memory.save(each, []);
    return { ...made, files };
  }
  const breakAt = (nth: number, after: number): Fault => ({ at: { call: 'list', nth }, effect: { do: 'break-list', after } });

  test('goes on and gives every file once', async () => {
    const { storage, files } = await withFiles([breakAt(1, 0), breakAt(2, 2), breakAt(3, 1), breakAt(4, 4), breakAt(5, 6)]);
    const names: string[] = [];
    for await (const { name } of storage.list('pack')) names.push(name);
    expect(names.toSorted()).toEqual(files.map(({ name }) => name).toSorted());
  });

  test('fails when it stops getting further', async () => {
    const { storage, waits } = await withFiles([1, 2, 3, 4, 5].map((nth) => breakAt(nth, 3)));
    expect(await codeOf(listAll(storage, 'pack'))).toBe('storage-failed');
    expect(waits).toEqual([100, 100]);
  });

  test('is not started again by an error of the one who reads it', async () => {
    const { storage, inner } = await withFiles([]);
    const read = async (): Promise<void> => {
      for await (const _ of storage.list('pack')) throw new HoldfastError('storage-failed');
    };
    expect(await codeOf(read())).toBe('storage-failed');
    expect(inner.calls).toHaveLength(1);
  });
});

describe('aborting', () => {
  test('ends a wait with cancelled and leaves no timer', async () => {
    const clock = new FakeClock();
    const abort = new AbortController();
    const { storage, inner } = make([{ at: { times: always }, effect: { do: 'fail' } }], {
      clock,
      signal: abort.signal,
      onRetry: () => queueMicrotask(() => abort.abort()),
    });
    expect(await codeOf(storage.save(file, [content]))).toBe('cancelled');
    expect(inner.calls).toHaveLength(1);
    expect(clock.pending).toBe(0);
  });

  test('lets first tries through, so that locks can be removed, and tries nothing twice', async () => {
    const abort = new AbortController();
    const { storage, memory, inner } = make([], { signal: abort.signal });
    await memory.save(file, [content]);
    abort.abort();
    await storage.remove(file);
    inner.script([{ at: { nth: 2 }, effect: { do: 'fail' } }]);
    expect(await codeOf(storage.remove(file))).toBe('file-not-found');
    expect(await codeOf(storage.load(file))).toBe('storage-failed');
    expect(inner.calls).toHaveLength(3);
  });
});

test('passes on whether removals are refused, where the storage within can tell, and tries that again too', async () => {
  expect(make([]).storage.refusesRemoval).toBeUndefined();
  const answers = [new HoldfastError('connection-lost', {}), true, false];
  const inner = Object.assign(new MemoryStorage(), {
    refusesRemoval: async (): Promise<boolean> => {
      const answer = answers.shift()!;
      if (typeof answer === 'boolean') return answer;
      throw answer;
    },
  });
  const storage = new RetryingStorage(inner, { clock: { sleep: async () => undefined } });
  expect(await storage.refusesRemoval?.()).toBe(true);
  expect(await storage.refusesRemoval?.()).toBe(false);
});

test('names local files where the storage within does', () => {
  const clock = new FakeClock();
  expect(new RetryingStorage(new MemoryStorage(), { clock }).localPath).toBeUndefined();
  const local = new LocalStorage('somewhere');
  expect(new RetryingStorage(local, { clock }).localPath?.(file)).toBe(local.localPath(file));
});
