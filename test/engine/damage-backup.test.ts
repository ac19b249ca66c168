/** A backup into a damaged repository goes on, says what is damaged, and stores again what it can. */
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { backup, makeRepository, openRepository, resticOn, restore } from '../support/engine.ts';
import { hasty } from '../support/hostile.ts';
import { expectSameTree } from '../support/judge.ts';
import { scratch, tree } from '../support/tree-literal.ts';

/** Bytes that do not compress. */
const noise = (length: number): Buffer =>
  Buffer.concat(Array.from({ length: length / 32 }, (_, i) => createHash('sha256').update(String(i)).digest()));

/** Packs of files' content; packs of trees are small here. */
const isData = (path: string): boolean => statSync(path).size > 500_000;

interface Place {
  readonly folder: string;
  readonly source: string;
  readonly first: string;
}

async function backedUp(): Promise<Place> {
  const place = scratch('healing');
  const source = tree(join(place, 'source'), {
    a: { 'one.txt': 'one', 'two.txt': 'two', b: { 'three.txt': 'three' } },
    'large.bin': noise(1_000_000),
  });
  const folder = join(place, 'repository');
  const { snapshot } = await backup(await makeRepository(folder), source, hasty);
  return { folder, source, first: snapshot };
}

const files = (folder: string, kind: string): string[] =>
  (readdirSync(join(folder, kind), { recursive: true }) as string[])
    .map((name) => join(folder, kind, name))
    .filter((path) => statSync(path).isFile());

function rewrite(path: string, change: (bytes: Buffer) => Buffer): void {
  const bytes = change(readFileSync(path));
  rmSync(path);
  writeFileSync(path, bytes);
}

async function expectRestores(place: Place, snapshot: string): Promise<void> {
  const target = join(scratch('healing'), 'target');
  const { problems } = await restore(await openRepository(place.folder), target, { ...hasty, snapshot, verify: true });
  expect(problems).toEqual([]);
  await expectSameTree(place.source, join(target, place.source));
}

describe('a pack', () => {
  it.each<[string, (path: string) => void]>([
    ['missing', (path) => rmSync(path)],
    ['cut off', (path) => rewrite(path, (bytes) => bytes.subarray(0, -1))],
    ['empty', (path) => rewrite(path, () => Buffer.alloc(0))],
  ])('that is %s: its blobs are stored again; with them older snapshots are whole again', async (_, damage) => {
    const place = await backedUp();
    for (const choose of [isData, () => true]) {
      const packs = files(place.folder, 'data').filter(choose);
      for (const pack of packs) damage(pack);
      const result = await backup(await openRepository(place.folder), place.source, hasty);
      // What was damaged the first time is so still, beside what was stored since.
      expect(result.damage.length).toBeGreaterThanOrEqual(packs.length);
      expect(new Set(result.damage.map(({ code }) => code))).toEqual(new Set(['pack-lost']));
      expect(result.problems).toEqual([]);
      await expectRestores(place, result.snapshot);
      // The folders above the source have other times by now, so that their old lists cannot be made again.
      if (choose === isData) await expectRestores(place, place.first);
    }
  });

  it('whose tree was found damaged while comparing with the parent: the tree is stored again', async () => {
    const place = await backedUp();
    // Their headers stay whole.
    for (const pack of files(place.folder, 'data').filter((path) => !isData(path)))
      rewrite(pack, (bytes) => Buffer.from(bytes.map((byte, at) => (at < 2000 && at < bytes.length - 600 ? byte ^ 1 : byte))));
    const result = await backup(await openRepository(place.folder), place.source, hasty);
    expect(result.damage.length).toBeGreaterThan(0);
    await expectRestores(place, result.snapshot);
  });
});

describe('an index file', () => {
  it.each<[string, (path: string) => void, number]>([
    ['damaged', (path) => rewrite(path, (bytes) => Buffer.from(bytes.map((byte, at) => (at === bytes.length >> 1 ? byte ^ 1 : byte)))), 1],
    ['empty', (path) => rewrite(path, () => Buffer.alloc(0)), 1],
    ['missing', (path) => rmSync(path), 0],
  ])('that is %s: the run goes on, and takes the packs over that nobody names any more', async (_, damage, reported) => {
    const place = await backedUp();
    const [index] = files(place.folder, 'index');
    damage(index!);
    const result = await backup(await openRepository(place.folder), place.source, hasty);
    expect(result.damage).toHaveLength(reported);
    expect(result.adoptedPacks).toBeGreaterThan(0);
    expect(result.summary.data_blobs).toBe(0);
    await expectRestores(place, result.snapshot);
    await expectRestores(place, place.first);
    rmSync(index!, { force: true });
    expect((await resticOn(place.folder).check({ readData: true })).code).toBe(0);
  });
});

describe('a parent snapshot', () => {
  it('that is damaged is no parent: everything is read again, nothing is stored twice', async () => {
    const place = await backedUp();
    const [snapshot] = files(place.folder, 'snapshots');
    rewrite(snapshot!, (bytes) => Buffer.from(bytes.map((byte, at) => (at === 40 ? byte ^ 1 : byte))));
    const result = await backup(await openRepository(place.folder), place.source, hasty);
    expect(result.plan.parent).toBeUndefined();
    expect(result.summary).toMatchObject({ files_new: 4, data_blobs: 0 });
    await expectRestores(place, result.snapshot);
  });
});
