/** A repository that is damaged in every way is made whole from another one; what is nowhere to be had is named, and all else restores. */
import { readdirSync, readFileSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { fail } from '../../../src/contract/errors.ts';
import { isAllHealed, wasWhole } from '../../../src/engine/heal/request.ts';
import { Repository } from '../../../src/repository/repository.ts';
import { RunControl } from '../../../src/platform/cancellation.ts';
import { disconnectFrom, FaultyStorage } from '../../../src/storage/faulty.ts';
import { MemoryStorage } from '../../../src/storage/memory.ts';
import type { Storage, StoredFile } from '../../../src/storage/storage.ts';
import { CancellingStorage } from '../../support/cancelling-storage.ts';
import { openRepository, resticOn, restore } from '../../support/engine.ts';
import { failureOf } from '../../support/failure-of.ts';
import { expectCleanCheck } from '../../support/judge.ts';
import { scratch, sharedScratch } from '../../support/tree-literal.ts';
import { refuseUnhandledRejections } from '../../support/unhandled.ts';
import { writeToDisk } from '../check-fixture.ts';
import { copy, otherTarget } from '../copy/copying.ts';
import { expectHealed, heal, other, type Pair, pairOf, plannedHeal } from './healing.ts';

refuseUnhandledRejections();

const folder = join(sharedScratch('heal'), 'files');
let pair: Pair;
let dataPack: StoredFile;
let treePack: StoredFile;

beforeAll(async () => {
  pair = await pairOf(folder);
  [dataPack, treePack] = [await packWith(pair.first, 'data'), await packWith(pair.first, 'tree')];
});

/** The largest pack of a kind that some snapshot needs. */
async function packWith(storage: Storage, type: 'data' | 'tree'): Promise<StoredFile> {
  const repository = await openRepository(storage);
  let best: { id: string; blobs: number } | undefined;
  for (const name of await repository.names('index')) {
    const { packs } = JSON.parse((await repository.loadItem('index', name)).toString()) as {
      packs: { id: string; blobs: { type: string }[] }[];
    };
    for (const { id, blobs } of packs) if (blobs[0]!.type === type && blobs.length > (best?.blobs ?? 0)) best = { id, blobs: blobs.length };
  }
  return { kind: 'pack', name: best!.id };
}

const filesOf = (storage: MemoryStorage, kind: StoredFile['kind']): StoredFile[] => storage.files().filter((file) => file.kind === kind);

/** restic and the independent checker say that all is there. */
async function expectHealedForAll(storage: MemoryStorage): Promise<void> {
  await expectHealed(storage, pair);
  await expectCleanCheck(resticOn(await writeToDisk(storage, join(scratch('judged'), 'repository'))));
}

const flip = (bytes: Uint8Array): Uint8Array => bytes.map((byte, at) => (at % 700 === 40 ? byte ^ 1 : byte));

describe('healed from another repository', () => {
  const ways: [string, () => StoredFile, (bytes: Uint8Array) => Uint8Array | undefined][] = [
    ['a pack of data that is gone', () => dataPack, () => undefined],
    ['a pack of data that is cut off', () => dataPack, (bytes) => bytes.slice(0, bytes.length / 3)],
    ['a pack of data with flipped bits', () => dataPack, flip],
    ['a pack of data that is empty', () => dataPack, () => new Uint8Array(0)],
    ['a pack of folders that is gone', () => treePack, () => undefined],
    ['a pack of folders that is cut off', () => treePack, (bytes) => bytes.slice(0, bytes.length / 3)],
    ['a pack of folders with flipped bits', () => treePack, flip],
  ];
  test.each(ways)('%s', async (_, file, change) => {
    const storage = pair.first.clone();
    storage.tamper(file(), change);
    const damaged = storage.dump();
    const planned = await plannedHeal(storage, { others: [other(pair.second)] });
    expect(isAllHealed(planned)).toBe(true);
    expect(storage.dump(), 'a dry run changes nothing').toEqual(damaged);
    const report = await heal(storage, { others: [other(pair.second)] });
    expect(report.healed.length).toBeGreaterThan(0);
    expect(new Set(report.healed.map(({ from }) => from))).toEqual(new Set(['other']));
    expect(report.healed.every(({ paths }) => paths.length > 0)).toBe(true);
    expect(report.from.map(({ name }) => name)).toEqual(['other']);
    expect(isAllHealed(report)).toBe(true);
    await expectHealedForAll(storage);
    expect(wasWhole(await heal(storage, { others: [other(pair.second)] }))).toBe(true);
  });

  test('a pack in whose place lies a valid older one', async () => {
    const storage = pair.first.clone();
    const older = filesOf(storage, 'pack').find(({ name }) => name !== dataPack.name && name !== treePack.name)!;
    const bytes = await storage.load(older);
    storage.tamper(dataPack, () => bytes);
    expect(isAllHealed(await heal(storage, { others: [other(pair.second)] }))).toBe(true);
    await expectHealedForAll(storage);
  });

  test('all packs and all index files at once', async () => {
    const storage = pair.first.clone();
    for (const kind of ['pack', 'index'] as const) for (const file of filesOf(storage, kind)) storage.tamper(file, () => undefined);
    expect(isAllHealed(await heal(storage, { others: [other(pair.second)] }))).toBe(true);
    await expectHealedForAll(storage);
  });

  test('without reading the data what is missing, of the wrong size or a folder is found, and nothing else is read', async () => {
    const storage = pair.first.clone();
    storage.tamper(dataPack, (bytes) => bytes.slice(0, 1000));
    storage.tamper(treePack, flip);
    expect(isAllHealed(await heal(storage, { others: [other(pair.second)], packs: [] }))).toBe(true);
    await expectHealedForAll(storage);
  });

  test('an index file that is gone needs no other repository; one that is damaged neither', async () => {
    for (const change of [() => undefined, flip]) {
      const storage = pair.first.clone();
      for (const file of filesOf(storage, 'index')) storage.tamper(file, change);
      expect(isAllHealed(await heal(storage, {}))).toBe(true);
      await expectHealedForAll(storage);
    }
  });

  test('a snapshot whose file is damaged comes back; the file is kept aside', async () => {
    for (const [storage, from] of [
      [pair.first.clone(), pair.second],
      [pair.second.clone(), pair.first],
    ] as const) {
      const file = filesOf(storage, 'snapshot')[1]!;
      storage.tamper(file, flip);
      const keepIn = scratch('kept');
      expect((await plannedHeal(storage, { others: [other(from)] })).snapshots).toHaveLength(1);
      const report = await heal(storage, { others: [other(from)], keepIn });
      expect(report.snapshots).toEqual([expect.objectContaining({ isHealed: true, from: 'other' })]);
      expect(readdirSync(keepIn)).toEqual([`snapshot-${file.name}`]);
      await expectHealedForAll(storage);
    }
  });

  test('a snapshot whose file is gone comes back when it is said that it should be there', async () => {
    const storage = pair.first.clone();
    const file = filesOf(storage, 'snapshot')[1]!;
    storage.tamper(file, () => undefined);
    storage.tamper(treePack, () => undefined);
    // It may have been forgotten.
    const silent = storage.clone();
    await heal(silent, { others: [other(pair.second)] });
    expect(filesOf(silent, 'snapshot')).toHaveLength(pair.content.size - 1);
    const report = await heal(storage, { others: [other(pair.second)], snapshots: [file.name] });
    expect(report.snapshots).toEqual([expect.objectContaining({ id: file.name, isHealed: true, from: 'other' })]);
    await expectHealedForAll(storage);
  });

  test('each takes what it has: two that are damaged elsewhere make one whole together', async () => {
    const [one, two] = [pair.second.clone(), pair.second.clone()];
    for (const [i, file] of filesOf(pair.second, 'pack').entries()) (i % 2 === 0 ? one : two).tamper(file, () => undefined);
    const storage = pair.first.clone();
    for (const file of filesOf(storage, 'pack')) storage.tamper(file, () => undefined);
    const report = await heal(storage, { others: [other(one, 'one'), other(two, 'two')] });
    expect(report.from.map(({ name }) => name).sort()).toEqual(['one', 'two']);
    expect(isAllHealed(report)).toBe(true);
    await expectHealedForAll(storage);
  });

  test('one that cuts files at other places still has the folders and the small files', async () => {
    const strange = await otherTarget();
    await copy(pair.first, strange);
    const storage = pair.first.clone();
    storage.tamper(dataPack, () => undefined);
    expect(isAllHealed(await heal(storage, { others: [other(strange)] }))).toBe(true);
    await expectHealedForAll(storage);
  });
});

describe('what cannot be healed', () => {
  test('is named when it is damaged everywhere; all else restores', async () => {
    const storage = pair.first.clone();
    const elsewhere = pair.second.clone();
    storage.tamper(dataPack, () => undefined);
    for (const file of filesOf(elsewhere, 'pack')) if (await holdsData(elsewhere, file)) elsewhere.tamper(file, () => undefined);
    for (const run of [plannedHeal, heal]) {
      const report = await run(storage, { others: [other(elsewhere)] });
      expect(isAllHealed(report)).toBe(false);
      expect(report.unhealed.length).toBeGreaterThan(0);
      expect(report.unhealed.every(({ paths }) => paths.length > 0)).toBe(true);
    }
    const { problems } = await restore(await openRepository(storage), scratch('restored'));
    expect(problems.every(({ kind }) => kind === 'damaged')).toBe(true);
    // The next backup, or another repository, brings it back.
    expect(isAllHealed(await heal(storage, { others: [other(pair.second)] }))).toBe(true);
    await expectHealedForAll(storage);
  });

  test('a repository that is away or has another password is told of, and the next one is asked', async () => {
    const storage = pair.first.clone();
    storage.tamper(dataPack, () => undefined);
    const wrong = { name: 'wrong', open: () => Repository.open(pair.second.clone(), 'another password') };
    const away = { name: 'away', open: () => openRepository(new FaultyStorage(pair.second.clone(), { faults: [disconnectFrom(1)] })) };
    const dies = { name: 'dies', open: () => openRepository(new FaultyStorage(pair.second.clone(), { faults: [disconnectFrom(9)] })) };
    const report = await heal(storage, { others: [wrong, away, dies] });
    expect(report.unavailable.map(({ name, error }) => `${name}: ${error.code}`)).toEqual([
      'wrong: wrong-password',
      'away: repository-not-found',
      'dies: storage-gone',
    ]);
    expect(isAllHealed(report)).toBe(false);
    expect(isAllHealed(await heal(storage, { others: [wrong, other(pair.second), away] }))).toBe(true);
    await expectHealedForAll(storage);
  });

  async function holdsData(storage: Storage, file: StoredFile): Promise<boolean> {
    return (await packNames(storage, 'data')).has(file.name);
  }

  async function packNames(storage: Storage, type: string): Promise<Set<string>> {
    const repository = await openRepository(storage);
    const found = new Set<string>();
    for (const name of await repository.names('index')) {
      const text = (await repository.loadItem('index', name)).toString();
      for (const { id, blobs } of (JSON.parse(text) as { packs: { id: string; blobs: { type: string }[] }[] }).packs)
        if (blobs[0]!.type === type) found.add(id);
    }
    return found;
  }
});

describe('healed from the files that were backed up', () => {
  test('what is unchanged comes from there; what was changed since is not used', async () => {
    const files = join(scratch('heal-files'), 'files');
    const own = await pairOf(files);
    const storage = own.first.clone();
    const data = await packWith(storage, 'data');
    storage.tamper(data, () => undefined);
    const before = await plannedHeal(storage, { sources: [files] });
    expect(before.from).toEqual([expect.objectContaining({ kind: 'files' })]);
    // Changed, though as long as it was.
    const changed = before.healed.find(({ from, paths }) => from === 'files on this computer' && paths[0]!.includes('letter'))!;
    const path = changed.paths[0]!;
    const stat = statSync(path);
    const text = readFileSync(path);
    writeFileSync(path, Buffer.concat([Buffer.from('X'), text.subarray(1)]));
    const after = await plannedHeal(storage, { sources: [files] });
    expect(after.unhealed.map(({ blob }) => blob)).toContain(changed.blob);
    // As it was, but for its time.
    writeFileSync(path, text);
    expect((await plannedHeal(storage, { sources: [files] })).unhealed.map(({ blob }) => blob)).toContain(changed.blob);
    utimesSync(path, stat.atimeMs / 1000, stat.mtimeMs / 1000);
    // Not in the folders that may be read.
    expect((await plannedHeal(storage, { sources: [join(files, 'still')] })).from).toEqual([]);
    const report = await heal(storage, { sources: [files] });
    expect(report.from).toEqual([expect.objectContaining({ kind: 'files' })]);
    // Older generations are in no file any more: the other repository has them.
    expect(isAllHealed(await heal(storage, { others: [other(own.second)] }))).toBe(true);
    await expectHealed(storage, own);
  });
});

class AppendOnly extends MemoryStorage {
  async refusesRemoval(): Promise<boolean> {
    return true;
  }

  override async remove(file: StoredFile): Promise<void> {
    if (file.kind !== 'lock') fail('storage-append-only', { location: this.location });
    await super.remove(file);
  }
}

describe('where nothing can be removed', () => {
  test('what is lost is added, and it is told what stays', async () => {
    const storage = pair.first.clone();
    storage.tamper(dataPack, (bytes) => bytes.slice(0, bytes.length / 2));
    storage.tamper(filesOf(storage, 'index')[0]!, (bytes) => bytes.slice(1));
    const before = storage.files();
    const guarded = new AppendOnly(storage.location, storage.dump());
    const report = await heal(guarded, { others: [other(pair.second)] });
    expect(isAllHealed(report)).toBe(true);
    expect(report.notRemoved).toBeGreaterThan(0);
    for (const file of before) expect(guarded.files()).toContainEqual(file);
    for (const id of pair.content.keys()) {
      const { problems } = await restore(await openRepository(guarded), scratch('restored'), { snapshot: id });
      expect(problems).toEqual([]);
    }
  });
});

describe('a healing that is cut off', () => {
  test('after any change leaves nothing worse, and the next one completes it', async () => {
    const base = pair.first.clone();
    base.tamper(dataPack, (bytes) => bytes.slice(0, bytes.length / 2));
    base.tamper(treePack, () => undefined);
    base.tamper(filesOf(base, 'snapshot')[0]!, (bytes) => bytes.slice(1));
    for (const file of filesOf(base, 'index').slice(0, 1)) base.tamper(file, () => undefined);
    const whole = base.clone();
    await heal(whole, { others: [other(pair.second)], threads: 1 });
    expect(whole.mutations).toBeGreaterThan(8);
    for (let at = 0; at < whole.mutations; at += 1) {
      const storage = whole.replay(at);
      for (const file of filesOf(storage, 'lock')) storage.tamper(file, () => undefined);
      expect(isAllHealed(await heal(storage, { others: [other(pair.second)], threads: 1 }))).toBe(true);
      await expectHealed(storage, pair);
    }
  });

  test('when it is cancelled ends as cancelled, and the next one completes it', async () => {
    const base = pair.first.clone();
    base.tamper(dataPack, () => undefined);
    const control = new RunControl();
    const storage = new CancellingStorage(base, control, 4);
    expect(await failureOf(heal(storage, { others: [other(pair.second)], control }))).toBe('cancelled');
    expect(isAllHealed(await heal(storage, { others: [other(pair.second)] }))).toBe(true);
    await expectHealed(storage, pair);
  });

  test('two at once: one heals, the other says that the repository is in use, or both heal', async () => {
    const storage = pair.first.clone();
    storage.tamper(dataPack, () => undefined);
    const results = await Promise.allSettled([1, 2].map(() => heal(storage, { others: [other(pair.second)] })));
    for (const result of results) if (result.status === 'rejected') expect(result.reason).toMatchObject({ code: 'locked' });
    const again = await heal(storage, { others: [other(pair.second)] });
    expect(isAllHealed(again)).toBe(true);
    await expectHealedForAll(storage);
  });
});
