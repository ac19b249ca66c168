/**
 * Runs on a storage that fails, and what must hold whatever failed: the run ends, what it says is meant for a person, no
 * finished snapshot is harmed, no wrong byte is restored, and the next run is as if nothing had happened.
 */
import { readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'vitest';
import { HoldfastError } from '../../src/contract/errors.ts';
import { systemClock } from '../../src/platform/clock.ts';
import { Repository } from '../../src/repository/repository.ts';
import { MemoryStorage } from '../../src/storage/memory.ts';
import type { Storage } from '../../src/storage/storage.ts';
import { contentOf, within } from './content-of.ts';
import { backup, identity, openRepository, password, restore } from './engine.ts';
import { hasty } from './hostile.ts';
import { seededBytes, seededRandom } from './seeded.ts';
import { removeTree, tree } from './tree-literal.ts';
import { expectWhole, type SnapshotContent, type WholeRepository } from './whole-repository.ts';
import { noCost } from './no-cost-key.ts';

/** Small packs, so that few files fill several; nobody waits for a lock. */
export const quick = { ...hasty, threads: 2, packSize: 64 << 10 } as const;

export interface Scene {
  /** Folder of the files as they are now. */
  readonly source: string;
  /** A repository with a snapshot of the files as they were before, and a pack that no index names. */
  readonly base: MemoryStorage;
  readonly before: WholeRepository;
  /** The files as they are now. */
  readonly now: SnapshotContent;
  /** Where to restore to; empty. */
  readonly target: string;
}

/** Some files, backed up and then changed, so that another backup reads and writes everything that a backup can. */
export async function makeScene(place: string): Promise<Scene> {
  const noise = (
    (random) => (length: number) =>
      seededBytes(random, length)
  )(seededRandom(7));
  const [source, target] = [join(place, 'source'), join(place, 'target')];
  tree(target, {});
  tree(source, {
    small: Object.fromEntries(Array.from({ length: 8 }, (_, i) => [`${i}.txt`, `content of ${i} `.repeat(20 * i)])),
    large: { 'a.bin': noise(90_000), 'b.bin': noise(70_000), 'c.bin': noise(50_000) },
    several: noise(1_500_000),
    deep: { deeper: { 'file.txt': 'deep' } },
  });
  const base = new MemoryStorage('the destination');
  const repository = await Repository.init(base, password, identity, systemClock, { cost: noCost });
  await backup(repository, source, quick);
  // As a run leaves it that was cut off: a pack without index. The files in it are gone since.
  const extra = tree(join(place, 'extra'), { 'extra.bin': noise(10_000) });
  const other = base.clone();
  const { snapshot } = await backup(await openRepository(other), extra, quick);
  for (const file of other.files()) {
    if (file.kind === 'snapshot' || file.kind === 'index' || base.files().some(({ name }) => name === file.name)) continue;
    base.tamper(file, () => new Uint8Array(other.dump().get(`data/${file.name.slice(0, 2)}/${file.name}`)!));
  }
  expect(snapshot).toBeDefined();
  removeTree(extra);
  tree(source, { small: { '3.txt': 'changed', 'new.txt': 'new' }, large: { 'b.bin': noise(150_000), 'new.bin': noise(60_000) } });
  const before = await expectWhole(base);
  expect(before.snapshots.size).toBe(1);
  expect(before.unindexed.length).toBeGreaterThan(0);
  return { source, target, base, before, now: contentOf(source) };
}

/** What a person may be told when a destination fails: never that it was a defect, nor that they cancelled. */
export function expectClearError(error: unknown): HoldfastError {
  expect(error).toBeInstanceOf(HoldfastError);
  const { code, message } = error as HoldfastError;
  if (code === 'internal' || code === 'cancelled' || code === 'bad-usage') throw error;
  expect(message).not.toMatch(/undefined|\[object|\bNaN\b/);
  return error as HoldfastError;
}

/** Opens the repository and backs up. The error is returned, the snapshot's ID otherwise. */
export async function tryBackup({ source }: Scene, storage: Storage): Promise<{ error?: HoldfastError; snapshot?: string }> {
  try {
    return { snapshot: (await backup(await openRepository(storage), source, quick)).snapshot };
  } catch (error) {
    return { error: expectClearError(error) };
  }
}

/** The snapshots of before are as they were, and `snapshot`, if one was made, holds the files as they are now. */
export async function expectUnharmed({ before, source, now }: Scene, storage: Storage, snapshot?: string): Promise<WholeRepository> {
  const whole = await expectWhole(storage);
  for (const [id, content] of before.snapshots) expect(whole.snapshots.get(id)).toEqual(content);
  if (snapshot !== undefined) expect(within(whole.snapshots.get(snapshot) ?? new Map(), source)).toEqual(now);
  return whole;
}

/** Another backup, now that nothing fails, takes over what is stored and leaves nothing behind. */
export async function expectNextBackup(scene: Scene, storage: Storage): Promise<void> {
  const { unindexed, stored } = await expectWhole(storage);
  const { snapshot, adoptedPacks } = await backup(await openRepository(storage), scene.source, { ...quick, threads: 1 });
  expect(adoptedPacks).toBe(unindexed.length);
  const after = await expectUnharmed(scene, storage, snapshot);
  expect(after.unindexed).toEqual([]);
  expect(after.locks).toBe(0);
  expect(after.stored.copies).toBe(stored.copies);
}

export interface Restored {
  readonly error?: HoldfastError;
  /** Paths of the entries that the run said were not restored, and what it said. */
  readonly problems: ReadonlyMap<string, string>;
}

/** Opens the repository and restores the only snapshot of the scene's base into the scene's target. */
export async function tryRestore({ target }: Scene, storage: Storage): Promise<Restored> {
  try {
    const { problems } = await restore(await openRepository(storage), target, quick);
    const named = problems.map(({ path, kind, detail }) => [Buffer.from(path).toString('latin1'), `${kind}: ${detail}`] as const);
    return { problems: new Map(named) };
  } catch (error) {
    return { error: expectClearError(error), problems: new Map() };
  }
}

/**
 * Every file in the target has exactly the content that the snapshot names. What is missing was named, or the run said that it
 * could not be finished. Nothing half written lies about. Returns how many entries are missing.
 */
export function expectNoWrongByte({ before, target }: Scene, { error, problems }: Restored): number {
  const [wanted] = before.snapshots.values();
  const there = contentOf(target, target);
  for (const [path, content] of there) {
    expect(wanted!.has(path), `${path} is not in the snapshot`).toBe(true);
    expect(content, path).toBe(wanted!.get(path));
  }
  let missing = 0;
  for (const path of wanted!.keys()) {
    if (there.has(path)) continue;
    missing += 1;
    const named = [...problems.keys()].some((place) => `${target}${path}`.startsWith(place));
    if (!error && !named) throw new Error(`${path} was neither restored nor named`);
  }
  return missing;
}

/** Restores again, into the same target, now that nothing fails: everything is there. */
export async function expectNextRestore(scene: Scene, storage: Storage): Promise<void> {
  const { problems } = await restore(await openRepository(storage), scene.target, { ...quick, threads: 1 });
  expect(problems).toEqual([]);
  expect(contentOf(scene.target, scene.target)).toEqual([...scene.before.snapshots.values()][0]);
}

/** Empties a folder. */
export function empty(folder: string): void {
  for (const name of readdirSync(folder)) rmSync(join(folder, name), { recursive: true });
}
