/** Copies between repositories that cut files at different places: contents are cut anew. */
import { appendFileSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { sha256 } from '../../../src/repository/ids.ts';
import { MemoryStorage } from '../../../src/storage/memory.ts';
import type { Storage } from '../../../src/storage/storage.ts';
import { writeToDisk } from '../check-fixture.ts';
import { backup, makeRepository, openRepository, resticOn } from '../../support/engine.ts';
import { fileNode, folderNode, Forge } from '../../support/forge.ts';
import { expectCleanCheck, expectNothingNew, expectSnapshotRestores } from '../../support/judge.ts';
import { buildNastyTree } from '../../support/nasty-tree.ts';
import { seededBytes, seededRandom } from '../../support/seeded.ts';
import { scratch, sharedScratch, tree } from '../../support/tree-literal.ts';
import { refuseUnhandledRejections } from '../../support/unhandled.ts';
import { expectWhole } from '../../support/whole-repository.ts';
import { copy, expectCopies, otherTarget, plannedCopy, targetFor } from './copying.ts';

refuseUnhandledRejections();

const random = seededRandom(3);
const noise = (length: number): Buffer => seededBytes(random, length);
const mebi = 1 << 20;
const packSize = mebi;

/** Bytes that compress to a fraction, and that no polynomial cuts alike twice. */
function textOf(length: number): Buffer {
  let text = '';
  while (text.length < length) text += `${Math.floor(random() * 1e9)} is not what ${text.length} was before; `;
  return Buffer.from(text.slice(0, length));
}

const place = sharedScratch('copy-cut');
const folder = join(place, 'files');
let source: MemoryStorage;
let ids: string[];

beforeAll(async () => {
  source = new MemoryStorage('the source');
  const repository = await makeRepository(source);
  const film = noise(3 * mebi);
  tree(folder, {
    films: { 'a.film': film, 'the same again': film, 'b.film': noise(2 * mebi) },
    // At the borders of what a polynomial leaves in one piece.
    'just one piece': noise(512 << 10),
    'one byte more': noise((512 << 10) + 1),
    zeros: Buffer.alloc(2 * mebi),
    // What compresses goes through memory that storing uses too.
    'text.txt': textOf(3 * mebi),
    small: { 'a.txt': 'small', empty: '' },
    deep: { deeper: { 'c.film': noise(mebi) } },
  });
  ids = [];
  ids.push((await backup(repository, folder, { packSize, threads: 2 })).snapshot);
  appendFileSync(join(folder, 'films', 'b.film'), noise(700_000));
  writeFileSync(join(folder, 'small', 'new.txt'), 'new');
  ids.push((await backup(repository, folder, { packSize, threads: 2 })).snapshot);
});

const settings = { packSize, threads: 2 } as const;

const bytesLoaded = ({ operations }: MemoryStorage): number =>
  operations.reduce(
    (sum, operation) => sum + (operation.kind === 'load' && operation.file.kind === 'pack' ? (operation.range?.length ?? 0) : 0),
    0,
  );

describe('a copy to a repository that cuts elsewhere', () => {
  test('holds the same files, cut as the target cuts them: a backup there finds nothing new', async () => {
    const target = await otherTarget();
    const { plan, copied } = await copy(source, target, settings);
    expect(plan.cutsAnew).toBe(true);
    expect(copied).toHaveLength(2);
    expect(await expectCopies(source, target)).toEqual(ids);
    const { summary } = await backup(await openRepository(target), folder, { ...settings, strategy: 'full' });
    expect(summary.data_blobs).toBe(0);
    // Not even a tree: nodes are as they were but for their pieces, down to the last byte.
    expect(summary.data_added).toBeLessThan(20_000);
    const whole = await expectWhole(target);
    expect([whole.unindexed, whole.stored.copies]).toEqual([[], 0]);
  });

  test('is what restic would have made of the files: it finds nothing new, the repository clean, and restores them', async () => {
    const target = await otherTarget();
    await copy(source, target, settings);
    const restic = resticOn(await writeToDisk(target, scratch('copy-cut-judged')));
    await expectCleanCheck(restic);
    await expectSnapshotRestores(restic, 'latest', folder);
    await expectNothingNew(restic, [folder]);
  });

  test('does nothing the second time, and knows it without reading any content', async () => {
    const target = await otherTarget();
    const first = await copy(source, target, settings);
    const from = source.clone();
    const again = await copy(from, target, settings);
    expect(again.plan.snapshots.map(({ action, copy: there }) => [action, there])).toEqual(
      first.copied.map((one) => ['present', one.copy]),
    );
    expect(again.copied).toEqual([]);
    expect(bytesLoaded(from)).toBeLessThan(50_000);
  });

  test('cuts only what is new since the last copy', async () => {
    const target = await otherTarget();
    await copy(source, target, { ...settings, snapshots: [ids[0]] });
    const from = source.clone();
    const { plan, copied } = await copy(from, target, settings);
    expect(copied.map(({ snapshot }) => snapshot.id)).toEqual([ids[1]]);
    // The film that has grown, not the others.
    expect(plan.bytes).toBeGreaterThan(2 * mebi);
    expect(plan.bytes).toBeLessThan(3 * mebi);
    expect(bytesLoaded(from)).toBeLessThan(3 * mebi);
    expect(await expectCopies(source, target)).toEqual(ids);
  });

  test('does not take a snapshot that was rewritten for the one that it was made of', async () => {
    const from = source.clone();
    const repository = await openRepository(from);
    const { id, ...fields } = await repository.snapshot(ids[1]);
    const rewrites: string[] = [];
    for (const patterns of [['small'], ['zeros'], ['c.film'], ['a.txt']]) {
      const { snapshot } = await backup(repository, folder, {
        ...settings,
        exclude: { patterns: patterns.map((one) => Buffer.from(one)) },
      });
      const { tree: without } = await repository.snapshot(snapshot);
      await from.remove({ kind: 'snapshot', name: snapshot });
      // As a rewriting program leaves it: nothing but the tree is different.
      rewrites.push(await repository.saveSnapshot({ ...fields, tree: without, original: id }));
    }
    const target = await otherTarget();
    await copy(from, target, { ...settings, snapshots: [ids[1]] });
    const { copied } = await copy(from, target, settings);
    expect(new Set(copied.map(({ snapshot }) => snapshot.id))).toEqual(new Set([ids[0], ...rewrites]));
    const [whole, wanted] = [await expectWhole(target), await expectWhole(from)];
    for (const { snapshot, copy: made } of copied) expect(whole.snapshots.get(made)).toEqual(wanted.snapshots.get(snapshot.id));
    expect((await copy(from, target, settings)).copied).toEqual([]);
  });

  test('keeps the pieces when that is wanted, and later copies know it', async () => {
    const target = await otherTarget();
    const { plan } = await copy(source, target, { ...settings, keepChunks: true });
    expect([plan.cutsAnew, plan.keepsChunks]).toEqual([false, true]);
    expect(await expectCopies(source, target)).toEqual(ids);
    const trees = async (storage: Storage): Promise<string[]> => (await (await openRepository(storage)).snapshots()).map((one) => one.tree);
    expect(await trees(target)).toEqual(await trees(source));
    for (const keepChunks of [true, false]) expect((await copy(source, target, { ...settings, keepChunks })).copied).toEqual([]);
    // What a backup there cuts shares nothing with it: that is why contents are cut anew otherwise.
    const { summary } = await backup(await openRepository(target), folder, { ...settings, strategy: 'full' });
    expect(summary.data_added).toBeGreaterThan(4 * mebi);
  });

  test('comes back as what it was when it is copied to a repository that cuts like the first', async () => {
    const [there, back] = [await otherTarget(), await targetFor(source, 'back')];
    await copy(source, there, settings);
    await copy(there, back, settings);
    const trees = async (storage: Storage): Promise<string[]> => (await (await openRepository(storage)).snapshots()).map((one) => one.tree);
    expect(await trees(back)).toEqual(await trees(source));
    expect((await copy(source, back, settings)).copied).toEqual([]);
  });

  test('plans without changing anything', async () => {
    const target = await otherTarget();
    const before = target.dump();
    const planned = await plannedCopy(source, target, settings);
    expect(target.dump()).toEqual(before);
    expect(planned).toEqual((await copy(source, target, settings)).plan);
  });

  test('goes on after it was cut off at any write', async () => {
    const target = await otherTarget();
    const start = target.mutations;
    await copy(source, target, settings);
    let fewer = 0;
    const whole = [...target.operations].filter(({ kind }) => kind === 'save').length;
    for (let mutations = start + 1; mutations < target.mutations; mutations += 3) {
      const cut = target.replay(mutations);
      // Locks of a run that is gone.
      for (const file of cut.files()) if (file.kind === 'lock') cut.tamper(file, () => undefined);
      await expectWhole(cut);
      await copy(source, cut, settings);
      expect(await expectCopies(source, cut)).toEqual(ids);
      const after = await expectWhole(cut);
      expect([after.unindexed, after.stored.copies]).toEqual([[], 0]);
      if (cut.operations.filter(({ kind }) => kind === 'save').length < whole) fewer += 1;
    }
    expect(fewer).toBeGreaterThan(2);
  });
});

test('names of any bytes, attributes, links and times stay as they are', async () => {
  const place = scratch('copy-cut-nasty');
  const files = join(place, 'files');
  await buildNastyTree(files, { small: true });
  const odd = Buffer.concat([Buffer.from(join(files, 'large ')), Buffer.from([0xff, 0x0a, 0x22, 0x5c, 0x80])]);
  writeFileSync(odd, noise(2 * mebi));
  utimesSync(files, new Date(0), new Date(0));
  const from = await makeRepository(join(place, 'from'));
  const { snapshot } = await backup(from, files, settings);
  const target = await makeRepository(join(place, 'to'));
  expect((await plannedCopy(from, target, settings)).cutsAnew).toBe(true);
  await copy(from, target, settings);
  expect(await expectCopies(from.storage, target.storage)).toEqual([snapshot]);
  const restic = resticOn(join(place, 'to'));
  await expectCleanCheck(restic);
  await expectSnapshotRestores(restic, 'latest', files);
  expect((await copy(from, target, settings)).copied).toEqual([]);
});

describe('a hostile source', () => {
  test('with files in pieces that no polynomial cuts gets them joined; what is unknown of a node is kept', async () => {
    const from = new MemoryStorage('hostile');
    const forge = new Forge(await makeRepository(from));
    const [a, b] = [forge.data('a'), forge.data('b')];
    const node = fileNode('joined', [a, b, a], { size: 3, from_the_future: { content: ['x'] } });
    await forge.snapshot(forge.tree([fileNode('alone', [b], { size: 1 }), folderNode('folder', forge.tree([node]))]));
    const target = await otherTarget();
    expect((await copy(from, target, settings)).copied).toHaveLength(1);
    expect(await expectCopies(from, target)).toHaveLength(1);
    const disk = resticOn(await writeToDisk(target, scratch('copy-cut-joined')));
    const [{ tree: root }] = await disk.snapshots();
    const nodes = async (id: string): Promise<Record<string, unknown>[]> =>
      (JSON.parse((await disk.cat('blob', id)).toString()) as { nodes: Record<string, unknown>[] }).nodes;
    const [joined] = await nodes((await nodes(root)).find(({ name }) => name === 'folder')!.subtree as string);
    expect(joined).toEqual({ ...node, content: [sha256(Buffer.from('aba')).toString('hex')] });
    expect((await copy(from, target, settings)).copied).toEqual([]);
  });

  test('whose folders repeat each other again and again, or lie deeper than any path, takes no longer than there are folders', async () => {
    const from = new MemoryStorage('hostile');
    const forge = new Forge(await makeRepository(from));
    const leaf = forge.tree([fileNode('leaf', [forge.data('leaf'), forge.data('of two pieces')])]);
    let last = leaf;
    for (let level = 0; level < 60; level++) last = forge.tree([folderNode('a', last), folderNode('b', last)]);
    await forge.snapshot(last);
    last = leaf;
    for (let level = 0; level < 3000; level++) last = forge.tree([folderNode('d', last)]);
    await forge.snapshot(last, { time: '2026-01-03T03:04:05Z' });
    const target = await otherTarget();
    expect((await copy(from, target, settings)).copied).toHaveLength(2);
    expect((await copy(from, target, settings)).copied).toEqual([]);
  });
});

describe('a damaged piece of content', () => {
  test('is named for every file that it harms, wherever the files are', async () => {
    const from = new MemoryStorage('many');
    const forge = new Forge(await makeRepository(from));
    const lies = Array.from({ length: 5 }, (_, i) => forge.data(`lie ${i}`, { id: sha256(Buffer.from(`truth ${i}`)).toString('hex') }));
    const good = forge.data('good');
    const folders = lies.map((lie, i) =>
      folderNode(`folder ${i}`, forge.tree([fileNode('file', [good, lie]), fileNode('good', [good, good], { size: 8 })])),
    );
    await forge.snapshot(forge.tree(folders));
    const { copied, damaged, damage } = await copy(from, await otherTarget(), settings);
    expect([copied.length, damaged.length]).toEqual([0, 1]);
    expect(damage.flatMap(({ paths }) => [...paths]).sort()).toEqual(lies.map((_, i) => `/folder ${i}/file`));
  });

  test('keeps the snapshots that need it from being copied, and names the file; the others are copied', async () => {
    expect((await expectWhole(source)).packs).toBeGreaterThan(3);
    let outcomes = 0;
    for (const file of source.files().filter(({ kind }) => kind === 'pack')) {
      const from = source.clone();
      from.tamper(file, (bytes) => bytes.map((byte, at) => (at % 100_000 === 50 ? byte ^ 1 : byte)));
      const target = await otherTarget();
      const { copied, damaged, damage } = await copy(from, target, settings);
      expect(copied.length + damaged.length).toBe(2);
      await expectCopies(source, target);
      if (damaged.length > 0) expect(damage.some(({ severity }) => severity === 'error')).toBe(true);
      if (damaged.length === 1 || damage.some(({ paths }) => paths.length > 0)) outcomes += 1;
    }
    expect(outcomes).toBeGreaterThan(2);
  });
});
