/** A destination that lies: wrong bytes, files that were stored only in part or not at all, listings that are not true. */
import { beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { executeCheck } from '../../src/engine/check/check.ts';
import { planCheck } from '../../src/engine/check/plan.ts';
import { type Effect, FaultyStorage, type Moment } from '../../src/storage/faulty.ts';
import type { MemoryStorage } from '../../src/storage/memory.ts';
import { fileKinds, type ListedFile } from '../../src/storage/storage.ts';
import { backup, openRepository, runOptions } from '../support/engine.ts';
import {
  empty,
  expectClearError,
  expectNextBackup,
  expectNextRestore,
  expectNoWrongByte,
  expectUnharmed,
  makeScene,
  quick,
  type Scene,
  tryBackup,
  tryRestore,
} from '../support/faulty-runs.ts';
import { sharedScratch } from '../support/tree-literal.ts';
import { refuseUnhandledRejections } from '../support/unhandled.ts';

refuseUnhandledRejections();

let scene: Scene;
const place = sharedScratch('faults');
let backupCalls: FaultyStorage['calls'];
let restoreCalls: FaultyStorage['calls'];

beforeAll(async () => {
  scene = await makeScene(place);
  const storage = new FaultyStorage(scene.base.clone());
  await tryBackup(scene, storage);
  backupCalls = storage.calls;
  const other = new FaultyStorage(scene.base.clone());
  await tryRestore(scene, other);
  restoreCalls = other.calls;
});

beforeEach(() => empty(scene.target));

/** Calls `act` with a moment for each call of this sort that `calls` holds, and says at which one it failed. */
async function atEach(calls: FaultyStorage['calls'], call: 'load' | 'save' | 'list', act: (at: Moment) => Promise<void>): Promise<void> {
  for (const kind of fileKinds) {
    const count = calls.filter((each) => each.call === call && each.kind === kind).length;
    for (let nth = 1; nth <= count; nth++) {
      try {
        await act({ call, kind, nth });
      } catch (error) {
        throw new Error(`with the fault at ${call} ${nth} of ${count} of ${kind}: ${(error as Error).message}`, { cause: error });
      }
    }
  }
}

type Change = (bytes: Uint8Array) => Uint8Array;

const flipped =
  (at: (length: number) => number): Change =>
  (bytes) => {
    const changed = Uint8Array.from(bytes);
    if (changed.length > 0) changed[at(changed.length)]! ^= 0x10;
    return changed;
  };

/** In each row the changes take turns from read to read. */
const wrongReads: [string, Change[]][] = [
  ['a flipped bit', [flipped((length) => length >> 1), flipped(() => 0), flipped((length) => length - 1)]],
  ['other bytes altogether', [(bytes) => new Uint8Array(bytes.length).fill(0xa5)]],
  [
    'more or fewer bytes',
    [(bytes) => bytes.slice(0, bytes.length >> 1), () => new Uint8Array(0), (bytes) => Buffer.concat([bytes, Buffer.alloc(1000)])],
  ],
];

const turn = (changes: readonly Change[], { nth = 1 }: Moment): Effect => ({ do: 'change-bytes', change: changes[nth % changes.length]! });

describe.each(wrongReads)('a read that gives %s', (_, changes) => {
  test('never becomes a wrong restored byte: what is affected is named, all else is restored', async () => {
    let [affected, slightly] = [0, 0];
    await atEach(restoreCalls, 'load', async (at) => {
      empty(scene.target);
      const inner = scene.base.clone();
      const restored = await tryRestore(scene, new FaultyStorage(inner, { faults: [{ at, effect: turn(changes, at) }] }));
      const missing = expectNoWrongByte(scene, restored);
      if (missing > 0 || restored.error) affected += 1;
      // A folder's list takes with it all that is below, the content of files only these.
      if (missing === 1 || missing === 2) slightly += 1;
      if (missing > 0) await expectNextRestore(scene, inner);
    });
    expect(affected).toBeGreaterThan(2);
    expect(slightly).toBeGreaterThan(2);
  });

  test('never becomes a wrong snapshot', async () => {
    await atEach(backupCalls, 'load', async (at) => {
      const inner = scene.base.clone();
      const { snapshot } = await tryBackup(scene, new FaultyStorage(inner, { faults: [{ at, effect: turn(changes, at) }] }));
      await expectUnharmed(scene, inner, snapshot);
      await expectNextBackup(scene, inner);
    });
  });
});

/** The scene with this snapshot, made of the files as they are now, as the only one of its base. */
const sceneOf = (snapshot: string): Scene => ({ ...scene, before: { ...scene.before, snapshots: new Map([[snapshot, rooted()]]) } });

/** After a fault at a write that the run could not notice: a check does, and what is restored has no wrong byte. */
async function expectFound(inner: MemoryStorage, { kind }: Moment, snapshot: string): Promise<void> {
  const repository = await openRepository(inner);
  const check = await executeCheck(repository, await planCheck(repository, { readData: 'all' }), runOptions({ ...quick, threads: 1 }));
  // A lock harms nobody once the run is over; a snapshot that was never stored leaves no trace.
  const isStored = inner.files().some((file) => file.name === snapshot);
  if (kind === 'pack' || (kind === 'snapshot' && isStored)) expect(check.errors, 'errors found by check').toBeGreaterThan(0);
  if (kind !== 'pack' && kind !== 'index') return;
  empty(scene.target);
  const missing = expectNoWrongByte(sceneOf(snapshot), await tryRestore(scene, only(inner, snapshot)));
  if (missing > 0) expect(check.errors, 'errors found by check').toBeGreaterThan(0);
}

/** What a snapshot of now holds, with the folders above the source. */
function rooted(): Map<string, string> {
  const content = new Map(scene.now);
  for (let at = scene.source.lastIndexOf('/'), path = scene.source; path !== ''; path = path.slice(0, at), at = path.lastIndexOf('/'))
    content.set(path, 'folder');
  return content;
}

/** The storage with this snapshot alone. */
function only(inner: MemoryStorage, id: string): MemoryStorage {
  const storage = inner.clone();
  for (const file of storage.files()) if (file.kind === 'snapshot' && file.name !== id) storage.tamper(file, () => undefined);
  return storage;
}

const badWrites: [string, Effect][] = [
  ['stores only the beginning and reports success', { do: 'tear', length: 100 }],
  ['stores nothing and reports success', { do: 'lose' }],
  ['stores only the beginning under the final name and fails', { do: 'tear', length: 50, code: 'storage-failed' }],
];

describe.each(badWrites)('a write that %s', (_, effect) => {
  test('is found by a check, never restores a wrong byte, and the next backup stores anew what it lost', async () => {
    await atEach(backupCalls, 'save', async (at) => {
      const inner = scene.base.clone();
      const { error, snapshot: first } = await tryBackup(scene, new FaultyStorage(inner, { faults: [{ at, effect }] }));
      if (!error) await expectFound(inner, at, first!);
      // What is torn stays there until somebody repairs it, but nothing is missing from the next snapshot.
      const { snapshot } = await backup(await openRepository(inner), scene.source, { ...quick, threads: 1 });
      empty(scene.target);
      const restored = await tryRestore(scene, only(inner, snapshot));
      expect(restored.error).toBeUndefined();
      expect(expectNoWrongByte(sceneOf(snapshot), restored)).toBe(0);
    });
  });
});

const foreign: ListedFile = { name: 'f'.repeat(64), size: 1234 };
const lies: [string, (files: ListedFile[]) => ListedFile[]][] = [
  ['leaves all files out', () => []],
  ['leaves one file out', (files) => files.slice(1)],
  ['names a file that is not there', (files) => [...files, foreign]],
  ['names every file twice', (files) => [...files, ...files]],
  ['gives wrong sizes', (files) => files.map(({ name, size }) => ({ name, size: size + 1 }))],
  ['says that all files are empty', (files) => files.map(({ name }) => ({ name, size: 0 }))],
];

describe.each(lies)('a listing that %s', (_, change) => {
  const effect: Effect = { do: 'change-list', change };

  test('harms no snapshot, old or new', async () => {
    await atEach(backupCalls, 'list', async (at) => {
      const inner = scene.base.clone();
      const { snapshot } = await tryBackup(scene, new FaultyStorage(inner, { faults: [{ at, effect }] }));
      await expectUnharmed(scene, inner, snapshot);
      const next = await backup(await openRepository(inner), scene.source, { ...quick, threads: 1 });
      expect((await expectUnharmed(scene, inner, next.snapshot)).unindexed).toEqual([]);
    });
  });

  test('never becomes a wrong restored byte', async () => {
    await atEach(restoreCalls, 'list', async (at) => {
      empty(scene.target);
      const inner = scene.base.clone();
      const missing = expectNoWrongByte(scene, await tryRestore(scene, new FaultyStorage(inner, { faults: [{ at, effect }] })));
      if (missing > 0) await expectNextRestore(scene, inner);
    });
  });
});

test('a listing that breaks off ends the run with clear words, or it does without', async () => {
  await atEach(backupCalls, 'list', async (at) => {
    const inner = scene.base.clone();
    const { snapshot } = await tryBackup(scene, new FaultyStorage(inner, { faults: [{ at, effect: { do: 'break-list', after: 1 } }] }));
    await expectUnharmed(scene, inner, snapshot);
    await expectNextBackup(scene, inner);
  });
});

describe('an encoder that flips one output bit', () => {
  test.each([1, 2, 3, 7])('at blob %d makes the run fail before anything of it is stored', async (corruptBlob) => {
    const inner = scene.base.clone();
    const saved = (): number => inner.operations.filter(({ kind }) => kind === 'save').length;
    const error: unknown = await backup(await openRepository(inner), scene.source, { ...quick, threads: 1, corruptBlob }).catch(
      (thrown: unknown) => thrown,
    );
    expect(expectClearError(error).code).toBe('encoding-failed');
    expect(saved()).toBeGreaterThan(0);
    // Every blob of every stored pack is what its ID says, and no snapshot was made.
    const whole = await expectUnharmed(scene, inner);
    expect([...whole.snapshots.keys()]).toEqual([...scene.before.snapshots.keys()]);
    await expectNextBackup(scene, inner);
  });
});
