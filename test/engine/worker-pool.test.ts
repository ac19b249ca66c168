import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from 'vitest';
import { HoldfastError } from '../../src/contract/errors.ts';
import { PackStore } from '../../src/engine/pack-store.ts';
import { type JobName, type PoolOptions, WorkerPool } from '../../src/engine/workers/pool.ts';
import { RunControl } from '../../src/platform/cancellation.ts';
import { nextTurn } from '../../src/platform/clock.ts';
import { BlobIndex } from '../../src/repository/blob-index.ts';
import { sha256 } from '../../src/repository/ids.ts';
import { leastCost } from '../../src/repository/keys.ts';
import { readEntries } from '../../src/repository/pack.ts';
import type { FinishedPack } from '../../src/repository/packer.ts';
import { Repository } from '../../src/repository/repository.ts';
import { FaultyStorage } from '../../src/storage/faulty.ts';
import { LocalStorage } from '../../src/storage/local.ts';
import { MemoryStorage } from '../../src/storage/memory.ts';
import type { Storage } from '../../src/storage/storage.ts';
import { FakeClock } from '../support/fake-clock.ts';
import type { testJobs } from './worker-with-test-jobs.ts';

vi.mock('../../src/engine/workers/location.ts', () => ({ workerLocation: new URL('./worker-with-test-jobs.ts', import.meta.url) }));

type TestJobs = typeof testJobs;

const folder = mkdtempSync(join(tmpdir(), 'holdfast-pool-'));
const memory = new MemoryStorage();
const storage = new FaultyStorage(memory);
let repository: Repository;
let pool: WorkerPool;
let control: RunControl;
let index: BlobIndex;
let packs: FinishedPack[];

beforeAll(async () => {
  repository = await Repository.init(storage, 'pw', { username: 'u', hostname: 'h' }, new FakeClock(), { cost: leastCost });
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));
afterEach(async () => {
  storage.heal();
  await pool.close();
  control.release();
});

function start(options: Partial<PoolOptions> = {}, on: Repository = repository): void {
  control = new RunControl();
  index = BlobIndex.create();
  packs = [];
  const storePack = async (pack: FinishedPack): Promise<void> => {
    // Of the bytes only a copy may stay: the buffer goes back to the worker.
    packs.push({ ...pack, bytes: pack.bytes.slice() });
  };
  pool = new WorkerPool(on, { control, index, packSize: 100_000, threads: 2, storePack, ...options });
}

const run = <N extends keyof TestJobs>(job: N, args: Parameters<TestJobs[N]>[0]): Promise<ReturnType<TestJobs[N]>> =>
  pool.run(job as unknown as JobName, args as never) as Promise<ReturnType<TestJobs[N]>>;
const outcome = (work: Promise<unknown>): Promise<unknown> =>
  work.then(
    () => 'done',
    (error: HoldfastError) => error.code,
  );

/** Lets everything happen until `condition` holds. */
async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await nextTurn();
}

describe('a second repository', () => {
  test('is what jobs on it read from, with its own key and index, while the others go on with the first', async () => {
    const otherStorage = new FaultyStorage(new MemoryStorage('other'));
    const other = await Repository.init(otherStorage, 'pw', { username: 'u', hostname: 'h' }, new FakeClock(), { cost: leastCost });
    const texts = ['one', 'two', 'three'];
    // Its blobs are made by a pool of their own.
    start({}, other);
    await run('storeTexts', texts);
    const unfinished = (await pool.runOnEach('flush', undefined)).flat();
    const store = new PackStore(other, index, { ensure: async () => {} }, new FakeClock());
    await store.storeUnfinished(unfinished);
    await pool.close();
    const otherIndex = index;

    start({ source: { repository: other, index: otherIndex } });
    const onSource = pool.source.run as unknown as (job: string, args: unknown) => Promise<unknown>;
    const asked = Array.from({ length: 40 }, (_, i) => i);
    const results = await Promise.all(asked.map((i) => (i % 2 === 0 ? onSource('loadTexts', texts) : outcome(run('loadTexts', ['one'])))));
    expect(results).toEqual(asked.map((i) => (i % 2 === 0 ? texts : 'blob-missing')));
    expect(pool.source.size).toBe(pool.size);

    otherStorage.script([{ at: { call: 'load', times: Number.POSITIVE_INFINITY }, effect: { do: 'fail', code: 'storage-gone' } }]);
    expect(await outcome(onSource('loadTexts', texts))).toBe('storage-gone');
    expect(await run('echo', 'the first is not affected')).toBe('the first is not affected');
    const file = { kind: 'key', name: repository.keyId } as const;
    expect(await run('readFiles', [{ file }])).toEqual([new Uint8Array(await repository.storage.load(file))]);
  });

  test('that does not answer is not waited for when the run is cancelled', async () => {
    const otherStorage = new FaultyStorage(new MemoryStorage('other'));
    const other = await Repository.init(otherStorage, 'pw', { username: 'u', hostname: 'h' }, new FakeClock(), { cost: leastCost });
    start({ source: { repository: other, index: BlobIndex.create() } });
    const { promise: asked, resolve: isAsked } = Promise.withResolvers<void>();
    const { promise: never } = Promise.withResolvers<Uint8Array>();
    otherStorage.load = () => {
      isAsked();
      return never;
    };
    const onSource = pool.source.run as unknown as (job: string, args: unknown) => Promise<unknown>;
    const reading = outcome(onSource('readFiles', [{ file: { kind: 'key', name: other.keyId } }]));
    await asked;
    control.cancel();
    expect(await reading).toBe('cancelled');
  });
});

describe('jobs', () => {
  test('give each caller its own result, however many wait for two workers', async () => {
    start();
    const results = await Promise.all(Array.from({ length: 200 }, (_, i) => run('echo', i)));
    expect(results).toEqual(Array.from({ length: 200 }, (_, i) => i));
  });

  test('for every worker come once to each, after the one that it is busy with', async () => {
    start();
    const busy = Array.from({ length: 6 }, (_, i) => run('echo', i));
    const each = pool.runOnEach('echo' as unknown as JobName, 'each' as never);
    expect(await each).toEqual(['each', 'each']);
    expect(await Promise.all(busy)).toEqual([0, 1, 2, 3, 4, 5]);
  });

  test('fail with the code, the words and the stack that they had in the worker', async () => {
    start();
    await expect(run('failWithCode', '/missing')).rejects.toMatchObject({
      code: 'source-missing',
      context: { path: '/missing' },
      message: expect.stringContaining('/missing') as string,
      stack: expect.stringContaining('failWithCode') as string,
    });
    await expect(run('failWithCode', '/missing')).rejects.toBeInstanceOf(HoldfastError);
    await expect(run('failPlainly', undefined as never)).rejects.toMatchObject({
      code: 'internal',
      message: expect.stringContaining('a defect') as string,
      stack: expect.stringContaining('worker-with-test-jobs') as string,
    });
    expect(await run('echo', 'and the worker lives on')).toBe('and the worker lives on');
  });

  test('whose arguments or results cannot be sent fail, and disturb nobody', async () => {
    start();
    const unsendable = Array.from({ length: 5 }, () => outcome(run('echo', () => 'a function')));
    expect(await Promise.all(unsendable)).toEqual(Array(5).fill('internal'));
    expect(await outcome(run('returnUnsendable', undefined as never))).toBe('internal');
    expect(await outcome(run('no such job' as 'echo', 1))).toBe('internal');
    expect(await Promise.all([run('echo', 1), run('echo', 2), run('echo', 3)])).toEqual([1, 2, 3]);
  });

  test('tell notes in their order', async () => {
    const notes: unknown[] = [];
    start({ onNote: (note) => notes.push(note) });
    await run('notes', ['one', 'two', 'three']);
    expect(notes).toEqual(['one', 'two', 'three']);
  });

  test('after the pool was closed end at once', async () => {
    start();
    await pool.close();
    expect(await outcome(run('echo', 1))).toBe('cancelled');
  });
});

describe('closing', () => {
  // A thread that is ended within a call into native code aborts the process, and this test with it.
  test('in the middle of jobs ends them at their next checkpoint, though the run goes on elsewhere', async () => {
    for (let round = 0; round < 15; round++) {
      start();
      const jobs = [0, 1, 2].map(() => outcome(run('storeRandom', { count: 1e9, bytes: 50 + round })));
      await until(() => pool.total('stored') > round * 5000);
      await pool.close();
      expect(await Promise.all(jobs)).toEqual(['cancelled', 'cancelled', 'cancelled']);
      expect(control.isCancelled).toBe(false);
    }
  });

  test('while workers are starting, or paused, ends them too', async () => {
    for (let round = 0; round < 5; round++) {
      start();
      await pool.close();
    }
    start();
    const job = outcome(run('storeRandom', { count: 1e9, bytes: 50 }));
    await until(() => pool.total('stored') > 0);
    control.pause();
    await pool.close();
    expect(await job).toBe('cancelled');
    expect(control.isPaused).toBe(true);
  });
});

describe('a worker that dies', () => {
  test.each(['crash', 'crashLater'] as const)('fails the run and everybody who waits for it (%s)', async (how) => {
    start();
    const waiting = [
      run('untilCancelled', undefined),
      run(how, undefined as never),
      ...Array.from({ length: 5 }, () => run('untilCancelled', undefined)),
    ];
    const outcomes = await Promise.all(waiting.map(outcome));
    expect(outcomes.filter((code) => code !== 'internal' && code !== 'done')).toEqual([]);
    expect(outcomes.slice(2)).toEqual(Array(5).fill('internal'));
    expect(control.isCancelled).toBe(true);
    expect(pool.failure).toMatchObject({ code: 'internal' });
    expect(await outcome(run('echo', 1))).toBe('internal');
    expect(await outcome(pool.runOnEach('flush', undefined))).toBe('internal');
    await expect(pool.allStored()).rejects.toMatchObject({ code: 'internal' });
    await pool.settled();
  });

  test('after the run has failed for another reason hangs nobody either', async () => {
    start({ storePack: () => Promise.reject(new HoldfastError('storage-full', { location: 'here' })) });
    const jobs = [run('crashWhenCancelled', undefined), run('storeRandom', { count: 50, bytes: 50_000 })];
    expect(await Promise.all(jobs.map(outcome))).toEqual(['storage-full', 'storage-full']);
    await pool.settled();
  });
});

describe('cancelling', () => {
  test('ends jobs that work, that wait for a read, and that wait for a buffer', async () => {
    let release!: () => void;
    const stuckCall = new Promise<void>((resolve) => (release = resolve));
    const stuck: Storage = Object.assign(Object.create(storage) as Storage, { load: () => stuckCall.then(() => new Uint8Array()) });
    const onStuck = Object.assign(Object.create(repository) as Repository, { storage: stuck });
    start({ threads: 3, storePack: (pack) => (packs.push(pack), packs.length > 2 ? stuckCall : Promise.resolve()) }, onStuck);
    const jobs = [
      run('untilCancelled', undefined),
      run('readFiles', [{ file: { kind: 'config', name: '' } }]),
      run('storeRandom', { count: 1000, bytes: 60_000 }),
    ];
    // The third worker has handed over all the buffers that it may have when no more packs come.
    await until(() => packs.length >= 5);
    control.cancel();
    expect(await Promise.all(jobs.map(outcome))).toEqual(['cancelled', 'cancelled', 'cancelled']);
    release();
  });

  test('lets what was packed be given up, for the next run to find', async () => {
    start();
    await run('storeTexts', ['a', 'b']);
    control.cancel();
    expect(await outcome(run('echo', 1))).toBe('cancelled');
    const unfinished = (await pool.runOnEach('flush', undefined)).flat();
    expect(unfinished.length).toBe(1);
    expect(readEntries(Buffer.from(unfinished[0]!.header), () => {})).toBe(unfinished[0]!.body.length);
  });
});

describe('storing', () => {
  test('gives every buffer back: hundreds of packs with a handful of buffers', async () => {
    let storing = 0;
    let most = 0;
    let stored = 0;
    start({
      storePack: async () => {
        most = Math.max(most, ++storing);
        await nextTurn();
        storing -= 1;
        stored += 1;
      },
    });
    const counts = await Promise.all(Array.from({ length: 4 }, () => run('storeRandom', { count: 250, bytes: 60_000 })));
    expect(counts).toEqual([250, 250, 250, 250]);
    await pool.allStored();
    expect(stored).toBe(500);
    // Four buffers a worker, of which one is being filled.
    expect(most).toBeLessThanOrEqual(8);
    expect(pool.total('stored')).toBe(1000 * 60_000);
    expect(pool.total('packed')).toBe(1000 * 60_032);
  });

  test('stores a blob once, whichever workers find it', async () => {
    start();
    const texts = Array.from({ length: 300 }, (_, i) => `text ${i}`);
    const won = await Promise.all([0, 1, 2, 3].map((by) => run('storeTexts', by % 2 ? texts.toReversed() : texts)));
    expect(won.flat().filter(Boolean).length).toBe(300);
    expect(index.blobCount).toBe(300);
  });

  test('that fails ends the run: with the storage’s own reason, for those who work and those who wait', async () => {
    start({ storePack: () => Promise.reject(new HoldfastError('storage-full', { location: 'here' })) });
    const jobs = Array.from({ length: 4 }, () => run('storeRandom', { count: 100, bytes: 60_000 }));
    expect(await Promise.all(jobs.map(outcome))).toEqual(Array(4).fill('storage-full'));
    await expect(pool.allStored()).rejects.toMatchObject({ code: 'storage-full' });
    expect(control.isCancelled).toBe(true);
  });

  test('begins with as few threads as are wanted, and grows when there is more to do, but not when it is over', async () => {
    start({ threads: 3, firstThreads: 1 });
    expect(pool.size).toBe(1);
    await run('storeRandom', { count: 2, bytes: 5000 });
    pool.grow();
    pool.grow();
    expect(pool.size).toBe(3);
    const jobs = Array.from({ length: 9 }, () => run('storeRandom', { count: 2, bytes: 5000 }));
    expect(await Promise.all(jobs.map(outcome))).toEqual(Array(9).fill('done'));
    await pool.close();
    control = new RunControl();
    start({ threads: 2, firstThreads: 1 });
    await pool.close();
    pool.grow();
    expect(pool.size).toBe(1);
  });

  test('is a defect in a run that stores nothing', async () => {
    start();
    await pool.close();
    control = new RunControl();
    pool = new WorkerPool(repository, { control, index, packSize: 1000, threads: 1 });
    expect(await outcome(run('storeRandom', { count: 10, bytes: 5000 }))).toBe('internal');
  });

  test('a blob that is damaged while it is encoded fails its job before any pack is handed over', async () => {
    start({ threads: 1, corruptBlob: 3 });
    expect(await outcome(run('storeTexts', ['a', 'b', 'c', 'd']))).toBe('encoding-failed');
    expect(packs).toEqual([]);
  });

  test('closing waits for packs on their way, so that nobody writes after the lock is gone', async () => {
    let finish!: () => void;
    let ended = false;
    start({ storePack: () => new Promise<void>((resolve) => (finish = resolve)) });
    await run('storeRandom', { count: 2, bytes: 60_000 });
    await until(() => finish !== undefined);
    const closed = pool.close().then(() => (ended = true));
    for (let i = 0; i < 20; i++) await nextTurn();
    expect(ended).toBe(false);
    finish();
    await closed;
  });
});

describe('reading', () => {
  const file = { kind: 'index', name: 'a'.repeat(64) } as const;

  test('waits for a slow storage, and each worker gets its own bytes', async () => {
    const content = Buffer.from('0123456789'.repeat(1000));
    await memory.save(file, [content]);
    const slow: Storage = Object.assign(Object.create(storage) as Storage, {
      load: async (...args: Parameters<Storage['load']>) => {
        for (let i = 0; i < 5; i++) await nextTurn();
        return memory.load(...args);
      },
    });
    start({}, Object.assign(Object.create(repository) as Repository, { storage: slow }));
    const ranges = Array.from({ length: 40 }, (_, i) => ({ offset: i * 7, length: i * 3 }));
    const read = await Promise.all([0, 1, 2].map(() => run('readFiles', [{ file }, ...ranges.map((range) => ({ file, range }))])));
    for (const [whole, ...parts] of read) {
      expect(content.equals(whole!)).toBe(true);
      parts.forEach((part, i) => expect(content.subarray(i * 7, i * 7 + i * 3).equals(part)).toBe(true));
    }
    await memory.remove(file);
  });

  test('fails as the storage fails, local or not', async () => {
    const local = new LocalStorage(join(folder, 'local'));
    const onDisk = await Repository.init(local, 'pw', { username: 'u', hostname: 'h' }, new FakeClock(), { cost: leastCost });
    const name = sha256(Buffer.from('short')).toString('hex');
    const pack = { kind: 'pack', name } as const;
    await local.save(pack, [Buffer.from('short')]);
    await memory.save(pack, [Buffer.from('short')]);
    for (const on of [onDisk, repository]) {
      start({}, on);
      expect(await outcome(run('readFiles', [{ file, range: { offset: 0, length: 5 } }]))).toBe('file-not-found');
      expect(await outcome(run('readFiles', [{ file: pack, range: { offset: 1, length: 5 } }]))).toBe('file-short');
      const [bytes] = await run('readFiles', [{ file: pack, range: { offset: 1, length: 3 } }]);
      expect(Buffer.from(bytes!).toString()).toBe('hor');
      await pool.close();
    }
    await memory.remove(pack);
  });

  test('gives what was stored, from as many packs as files may be open and more', async () => {
    start({ packSize: 200 });
    const texts = Array.from(
      { length: 60 },
      (_, i) =>
        `${i} `.repeat(40) +
        sha256(Buffer.from(String(i)))
          .toString('hex')
          .repeat(8),
    );
    await run('storeTexts', texts);
    await pool.allStored();
    expect(packs.length).toBeGreaterThan(10);
    for (const { id, bytes, header } of packs) {
      await memory.save({ kind: 'pack', name: id.toString('hex') }, [bytes]);
      readEntries(header, (type, offset, length, plain, list, at) => index.add(index.pack(id), list, at, type, offset, length, plain));
    }
    const stored = texts.filter((text) =>
      index.locate(sha256(Buffer.from(text)), 0, 'data', { entry: 0, pack: 0, offset: 0, length: 0, uncompressedLength: 0 }),
    );
    expect(stored.length).toBeGreaterThan(50);
    expect(await run('loadTexts', stored.toReversed())).toEqual(stored.toReversed());
    expect(await outcome(run('loadTexts', ['never stored']))).toBe('blob-missing');
  });
});

test('what a busy worker works on can be told', async () => {
  start();
  const work = outcome(run('untilCancelled', undefined));
  await until(() => pool.currentPath.toString() === '/spinning');
  control.cancel();
  expect(await work).toBe('cancelled');
});
