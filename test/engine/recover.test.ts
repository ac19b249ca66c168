/** Folders that no snapshot leads to any more are found, and a snapshot of them is made, as restic makes it. */
import { mkdtempSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { planRecover } from '../../src/engine/recover.ts';
import { executeForget, planForget } from '../../src/engine/forget.ts';
import { MemoryStorage } from '../../src/storage/memory.ts';
import { ReadOnlyStorage } from '../../src/storage/read-only.ts';
import type { Storage } from '../../src/storage/storage.ts';
import { contentOf } from '../support/content-of.ts';
import { restore } from '../support/engine.ts';
import { fileNode, folderNode, Forge } from '../support/forge.ts';
import { hasty } from '../support/hostile.ts';
import type { HadContent } from '../support/had.ts';
import { expectCleanCheck } from '../support/judge.ts';
import { scratch, sharedScratch } from '../support/tree-literal.ts';
import { newRepository, open } from './check-fixture.ts';
import {
  codesOf,
  filesOf,
  findingsOf,
  flip,
  had,
  lose,
  makeBase,
  mutationsOf,
  packFile,
  packsWith,
  recover,
  repairIndex,
  repairSnapshots,
  resticOnCopy,
  run,
} from './repair/fixture.ts';

const whole = new MemoryStorage();
const source = sharedScratch('recover-source');
let content: Map<string, HadContent>;
let ids: string[];
beforeAll(async () => {
  ids = await makeBase(whole, source);
  content = await had(whole);
});

const planned = async (storage: Storage) => planRecover(await open(storage), run());

async function forget(storage: Storage, snapshots: readonly string[]): Promise<void> {
  const repository = await open(storage);
  await executeForget(repository, await planForget(repository, { snapshots, force: true }), run());
}

/** What the recovered snapshot holds in the folder of a tree. */
async function inFolder(storage: Storage, snapshot: string, name: string): Promise<Map<string, string>> {
  const found = new Map<string, string>();
  for (const [path, what] of (await had(storage)).get(snapshot)!)
    if (path.startsWith(`/${name}/`)) found.set(path.slice(name.length + 1), what);
  return found;
}

const withoutRoot = (each: HadContent): Map<string, string> => new Map([...each].filter(([path]) => path !== '/'));

describe('recover', () => {
  test('makes nothing when every folder belongs to a snapshot', async () => {
    const storage = whole.clone();
    const { plan, snapshot } = await recover(storage);
    expect([plan.folders, plan.orphans, snapshot]).toEqual([[], 0, undefined]);
    expect(mutationsOf(storage)).toEqual([]);
  });

  test('finds what was forgotten, whole, under the names that restic gives', async () => {
    const storage = whole.clone();
    const trees = new Map((await (await open(storage)).snapshots()).map(({ id, tree }) => [id, tree]));
    await forget(storage, ids.slice(0, 2));
    const restic = await resticOnCopy(storage, scratch('theirs'));
    const plan = await planned(storage);
    const result = await recover(storage);
    expect(result.plan).toEqual(plan);
    expect(plan.folders.map(({ tree }) => tree)).toEqual([trees.get(ids[0]!), trees.get(ids[1]!)].sort());
    for (const id of ids.slice(0, 2))
      expect(await inFolder(storage, result.snapshot!, trees.get(id)!.slice(0, 8))).toEqual(withoutRoot(content.get(id)!));
    expect(await findingsOf(storage)).toEqual([]);

    await restic.must(['recover']);
    type Made = { tree: string; tags: string[]; paths: string[] };
    const theirs = (await restic.snapshots()).find(({ tags }) => tags?.includes('recovered')) as Made;
    const ours = await (await open(storage)).snapshot(result.snapshot!);
    expect([ours.tags, ours.paths]).toEqual([theirs.tags, theirs.paths]);
    const onDisk = await resticOnCopy(storage, scratch('ours'));
    await expectCleanCheck(onDisk);
    const namesIn = async (tool: typeof restic, tree: string): Promise<string[]> =>
      (JSON.parse((await tool.cat('blob', tree)).toString()) as { nodes: { name: string; type: string; subtree: string }[] }).nodes.map(
        ({ name, type, subtree }) => `${type} ${name} ${subtree}`,
      );
    expect(await namesIn(onDisk, ours.tree)).toEqual(await namesIn(restic, theirs.tree));
  });

  test('restores byte for byte what was forgotten', async () => {
    const storage = whole.clone();
    const repository = await open(storage);
    const newest = await repository.snapshot(ids[2]!);
    await forget(storage, [ids[2]!]);
    const { snapshot } = await recover(storage);
    const target = mkdtempSync(join(scratch('restored'), 'target-'));
    const { problems } = await restore(await open(storage), target, {
      ...hasty,
      snapshot: snapshot!,
      path: Buffer.from(`/${newest.tree.slice(0, 8)}`),
    });
    expect(problems).toEqual([]);
    expect(contentOf(join(target, source), join(target, source))).toEqual(contentOf(source, source));
  });

  test('brings everything back when nothing but packs is left', async () => {
    const storage = whole.clone();
    for (const file of [...(await filesOf(storage, 'index')), ...(await filesOf(storage, 'snapshot'))]) lose(storage, file);
    const { plan, snapshot } = await recover(storage);
    expect(plan.folders).toHaveLength(3);
    const found = await Promise.all(plan.folders.map(({ name }) => inFolder(storage, snapshot!, name)));
    for (const each of content.values()) expect(found).toContainEqual(withoutRoot(each));
    expect(await findingsOf(storage)).toEqual([]);
  });

  test('is refused while a damaged pack is in no index, since the index can be made to tell more', async () => {
    const storage = whole.clone();
    for (const file of await filesOf(storage, 'index')) lose(storage, file);
    flip(storage, packFile((await packsWith(storage, 'tree'))[0]!.name), -2);
    await expect(planned(storage)).rejects.toMatchObject({ code: 'index-incomplete' });
    await expect(recover(storage)).rejects.toMatchObject({ code: 'index-incomplete' });
    await repairIndex(storage);
    expect((await planned(storage)).folders).toEqual([]);
  });

  test('twice finds nothing more, and after its own snapshot was forgotten the same again', async () => {
    const storage = whole.clone();
    await forget(storage, ids);
    const first = await recover(storage);
    expect(first.plan.folders).toHaveLength(3);
    expect((await recover(storage)).snapshot).toBeUndefined();
    await forget(storage, [first.snapshot!]);
    const second = await recover(storage);
    // The root of the first one is not taken for a folder.
    expect(second.plan.folders).toEqual(first.plan.folders);
    expect(await codesOf(storage)).toEqual([]);
  });

  test('takes over what belonged to a snapshot that is damaged, and says so', async () => {
    const storage = whole.clone();
    flip(storage, { kind: 'snapshot', name: ids[0]! }, 33);
    const { plan, snapshot } = await recover(storage);
    expect(plan.damagedSnapshots).toEqual([ids[0]]);
    expect(plan.folders).toHaveLength(1);
    expect(await inFolder(storage, snapshot!, plan.folders[0]!.name)).toEqual(withoutRoot(content.get(ids[0]!)!));
    expect(await codesOf(storage)).toEqual(['snapshot-damaged']);
  });

  test('names what it cannot read, and recovers what lies below it', async () => {
    const storage = new MemoryStorage();
    const forge = new Forge(await newRepository(storage));
    const [low, other] = ['low', 'other'].map((text) => forge.tree([fileNode(text, [forge.data(text)], { size: text.length })]));
    await forge.store();
    const top = forge.tree([folderNode('below', low!)]);
    await forge.store();
    const pack = forge.packs.at(-1)!.id;
    await forge.snapshot(other!);
    flip(storage, packFile(pack), 30);
    const { plan, snapshot } = await recover(storage);
    expect(plan.folders.map(({ tree }) => tree)).toEqual([low]);
    expect(plan.unreadable).toEqual([top]);
    expect([...(await inFolder(storage, snapshot!, low!.slice(0, 8))).keys()]).toEqual(['/low']);
  });

  test('says when something in what it recovers is not there; a repair of the new snapshot makes it do without', async () => {
    const storage = whole.clone();
    const pack = (await packsWith(storage, 'data'))[0]!;
    lose(storage, packFile(pack.name));
    await repairIndex(storage);
    await forget(storage, ids);
    const { plan, snapshot } = await recover(storage);
    expect(plan.missing).toBeGreaterThan(0);
    expect(await codesOf(storage)).toEqual(['blob-missing']);
    await repairSnapshots(storage, { snapshots: [snapshot!], forget: true });
    expect(await codesOf(storage)).toEqual([]);
  });

  test('gives folders whose IDs begin alike longer names', async () => {
    const storage = new MemoryStorage();
    const forge = new Forge(await newRepository(storage));
    const byStart = new Map<string, string>();
    // Two trees of which the first 8 digits are the same cannot be made on purpose; so many that some share 4 can, and the rule is the same.
    for (let i = 0; i < 300; i++) {
      const id = forge.tree([fileNode(`${i}`, [])]);
      byStart.set(id.slice(0, 4), id);
    }
    await forge.index();
    const { plan, snapshot } = await recover(storage);
    expect(new Set(plan.folders.map(({ name }) => name)).size).toBe(300);
    expect(plan.folders.every(({ name, tree }) => tree.startsWith(name) && name.length >= 8)).toBe(true);
    expect(plan.folders[0]).toMatchObject({ entries: 1 });
    expect((await had(storage)).get(snapshot!)!.size).toBe(601);
  });

  test('makes a plan where nothing can be written, and says so when it is to be carried out', async () => {
    const storage = whole.clone();
    await forget(storage, [ids[0]!]);
    const readOnly = new ReadOnlyStorage(storage);
    expect((await planned(readOnly)).folders).toHaveLength(1);
    await expect(recover(readOnly)).rejects.toMatchObject({ code: 'storage-read-only' });
  });
});
