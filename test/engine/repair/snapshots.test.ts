/** Snapshots that lack something: new ones without it take their place, as restic makes them, and all that is lost is named. */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { planRepairSnapshots } from '../../../src/engine/repair/snapshots-plan.ts';
import { FaultyStorage } from '../../../src/storage/faulty.ts';
import { LocalStorage } from '../../../src/storage/local.ts';
import { MemoryStorage } from '../../../src/storage/memory.ts';
import { ReadOnlyStorage } from '../../../src/storage/read-only.ts';
import { restore } from '../../support/engine.ts';
import { fileNode, folderNode, Forge, linkNode } from '../../support/forge.ts';
import { hasty } from '../../support/hostile.ts';
import { expectNothingGivenUp, type HadContent } from '../../support/had.ts';
import { Restic, type ResticSnapshot } from '../../support/restic.ts';
import { scratch, sharedScratch } from '../../support/tree-literal.ts';
import type { StoredFile } from '../../../src/storage/storage.ts';
import { newRepository, open, password } from '../check-fixture.ts';
import {
  codesOf,
  cut,
  filesOf,
  findingsOf,
  flip,
  had,
  identity,
  type ListedPlace,
  lose,
  makeBase,
  mutationsOf,
  packFile,
  packsWith,
  recover,
  repairIndex,
  repairPacks,
  repairSnapshots,
  resticOnCopy,
  run,
} from './fixture.ts';

const whole = new MemoryStorage();
const source = sharedScratch('repair-source');
let content: Map<string, HadContent>;
let ids: string[];
let dataPacks: { name: string; places: ListedPlace[] }[];
let treePacks: { name: string; places: ListedPlace[] }[];
beforeAll(async () => {
  ids = await makeBase(whole, source);
  content = await had(whole);
  [dataPacks, treePacks] = [await packsWith(whole, 'data'), await packsWith(whole, 'tree')];
});

const plannedSnapshots = async (storage: Parameters<typeof open>[0], request = {}) =>
  planRepairSnapshots(await open(storage), request, run());

type Result = Awaited<ReturnType<typeof repairSnapshots>>;

/** Repairs, and expects what must hold of every repair of snapshots. */
async function repaired(storage: MemoryStorage, request: Parameters<typeof repairSnapshots>[1] = {}): Promise<Result> {
  const before = await had(storage);
  const planned = await plannedSnapshots(storage, request);
  const result = await repairSnapshots(storage, request);
  expect(result.plan).toEqual(planned);
  const after = await had(storage);
  for (const [old, id] of result.stored) {
    // All that the old snapshot gave the new one gives too, and what it gives beyond that is said to be lost.
    const named = result.plan.repairs
      .find(({ snapshot }) => snapshot.id === old)!
      .losses.map(({ path }) => Buffer.from(path).toString('latin1'));
    for (const [path, what] of before.get(old)!) expect(after.get(id)?.get(path), path).toBe(what);
    for (const path of after.get(id)!.keys()) if (!before.get(old)!.has(path)) expect(named, path).toContain(path);
  }
  if (!request.forget) expectNothingGivenUp(before, after);
  const again = await repairSnapshots(storage, request);
  expect(again.stored.size + again.removed.length).toBe(0);
  return result;
}

const lossesOf = ({ plan }: Result): string[] =>
  [
    ...new Set(plan.repairs.flatMap(({ losses }) => losses.map(({ kind, path }) => `${kind} ${Buffer.from(path).toString('latin1')}`))),
  ].sort();

describe('snapshots that lack nothing', () => {
  test('are left alone', async () => {
    const storage = whole.clone();
    const { plan } = await repaired(storage);
    expect(plan).toEqual({ snapshots: 3, repairs: [], emptyListings: 0, damaged: [] });
    expect(mutationsOf(storage)).toEqual([]);
  });

  test('are left alone beside those that do: only what was asked for is repaired', async () => {
    const storage = whole.clone();
    lose(storage, packFile(dataPacks.find(({ places }) => places.length === 1)!.name));
    const all = (await plannedSnapshots(storage)).repairs.map(({ snapshot }) => snapshot.id);
    expect(all.length).toBeGreaterThan(0);
    const { stored } = await repairSnapshots(storage, { snapshots: [all[0]!.slice(0, 10)] });
    expect([...stored.keys()]).toEqual([all[0]]);
    const none = await repairSnapshots(storage, { filter: () => false });
    expect(none.plan.snapshots).toBe(0);
    await expect(repairSnapshots(storage, { snapshots: ['ffff'] })).rejects.toMatchObject({ code: 'snapshot-not-found' });
  });
});

describe('as restic does it', () => {
  const sorted = (snapshots: readonly (ResticSnapshot & { original?: string })[]): unknown[] =>
    snapshots
      .map(({ original, tree, time, tags, paths, hostname }) => ({ original, tree, time, tags, paths, hostname }))
      .sort((a, b) => `${a.original}${a.tree}`.localeCompare(`${b.original}${b.tree}`));
  const theirs = async (restic: Restic, args: string[]): Promise<unknown[]> => {
    await restic.must(['repair', 'index']);
    await restic.must(['repair', 'snapshots', ...args]);
    return sorted(await restic.snapshots());
  };

  test.each<[string, (storage: MemoryStorage) => void]>([
    ['a pack of several small files', (storage) => lose(storage, packFile(dataPacks[0]!.name))],
    ['one piece of a large file', (storage) => lose(storage, packFile(dataPacks.find(({ places }) => places[0]!.length > 400_000)!.name))],
    ['all data', (storage) => dataPacks.forEach(({ name }) => lose(storage, packFile(name)))],
    ['every other pack of data', (storage) => dataPacks.forEach(({ name }, i) => i % 2 === 0 && lose(storage, packFile(name)))],
  ])('the trees and snapshots are the same when %s is lost, with and without --forget', async (_, damage) => {
    for (const forget of [false, true]) {
      const storage = whole.clone();
      damage(storage);
      const restic = await resticOnCopy(storage, scratch('theirs'));
      const expected = await theirs(restic, forget ? ['--forget'] : []);
      await repairIndex(storage);
      const { stored, removed } = await repaired(storage, { forget });
      expect(stored.size).toBeGreaterThan(0);
      expect(removed.length).toBe(forget ? stored.size : 0);
      const ours = await resticOnCopy(storage, scratch('ours'));
      expect(sorted(await ours.snapshots())).toEqual(expected);
      if (!forget) continue;
      expect(await codesOf(storage)).toEqual([]);
      const judged = await ours.check({ readData: true });
      expect(judged.code, judged.stdout + judged.stderr).toBe(0);
    }
  });

  test('the trees are the same when listings are lost, as far as restic keeps what can be had', async () => {
    // A listing of each pack of trees, by damaging the pack of the newest snapshot's own listings only.
    let compared = 0;
    for (const { name } of treePacks) {
      const storage = whole.clone();
      lose(storage, packFile(name));
      const restic = await resticOnCopy(storage, scratch('theirs'));
      await restic.must(['repair', 'index']);
      const { code } = await restic.run(['repair', 'snapshots']);
      await repairIndex(storage);
      const { plan } = await repaired(storage);
      if (code !== 0) continue;
      const ours = await resticOnCopy(storage, scratch('ours'));
      // restic puts another listing in the place of that of empty folders, of which the ID tells that nothing was in it.
      if (plan.emptyListings > 0) continue;
      const [mine, other] = [await ours.snapshots(), await restic.snapshots()];
      // restic removes a snapshot without a root though nobody asked it to.
      const hopeless = new Set(plan.repairs.filter(({ action }) => action === 'hopeless').map(({ snapshot }) => snapshot.id));
      expect(sorted(mine.filter(({ id }) => !hopeless.has(id)))).toEqual(sorted(other));
      compared += 1;
    }
    expect(compared).toBeGreaterThan(0);
  });
});

describe('the listing of empty folders', () => {
  test('is stored again when it is gone, and then the snapshots lack nothing', async () => {
    const storage = new MemoryStorage();
    const forge = new Forge(await newRepository(storage));
    const empty = forge.tree([]);
    await forge.store();
    const pack = forge.packs.at(-1)!.id;
    const nothing = forge.tree('{"nodes":null}\n');
    await forge.store();
    const other = forge.packs.at(-1)!.id;
    await forge.snapshot(forge.tree([folderNode('a', empty), folderNode('b', nothing), folderNode('c', empty)]));
    await forge.snapshot(empty);
    const before = await had(storage);
    lose(storage, packFile(pack));
    flip(storage, packFile(other), 25);
    const { plan, stored } = await repairSnapshots(storage, { forget: true });
    expect(plan).toMatchObject({ repairs: [], emptyListings: 2 });
    expect(stored.size).toBe(0);
    expect(await had(storage)).toEqual(before);
    await repairIndex(storage);
    expect((await repairSnapshots(storage)).plan.emptyListings).toBe(0);
  });
});

describe('what is lost is named', () => {
  test('file by file, in each snapshot, with names of all kinds', async () => {
    const storage = whole.clone();
    for (const { name } of dataPacks) lose(storage, packFile(name));
    const result = await repaired(storage, { forget: true });
    expect(result.plan.repairs).toHaveLength(3);
    for (const { snapshot, losses } of result.plan.repairs) {
      const named = losses.map(({ path }) => Buffer.from(path).toString('latin1')).sort();
      const files = [...content.get(snapshot.id)!]
        .filter(([path, what]) => what !== 'folder' && !path.endsWith('/nothing'))
        .map(([path]) => path);
      expect(named).toEqual(files.sort());
      for (const { kind, detail } of losses) {
        expect(kind).toBe('content');
        expect(detail).toMatch(/^(\d+) of its \1 pieces are gone; 0 of \d+ bytes are left$/);
      }
    }
    await repairIndex(storage);
    expect(await codesOf(storage)).toEqual([]);
  });

  test('and what is left of a file is what is said: the pieces that are there, one after the other', async () => {
    const storage = whole.clone();
    const [first] = ids as [string];
    const film = readFileSync(join(source, 'film'));
    const pieces = dataPacks.filter(({ places }) => places[0]!.length > 400_000);
    expect(pieces.length).toBeGreaterThan(1);
    for (const { name } of pieces) {
      lose(storage, packFile(name));
      const { stored, plan } = await repairSnapshots(storage, { snapshots: ['latest'] });
      if (stored.size === 0) {
        storage.tamper(packFile(name), () => new Uint8Array(whole.dump().get(`data/${name.slice(0, 2)}/${name}`)!));
        continue;
      }
      const target = join(scratch('restored'), 'target');
      const { problems } = await restore(await open(storage), target, { ...hasty, snapshot: [...stored.values()][0]! });
      expect(problems).toEqual([]);
      const left = readFileSync(join(target, source, 'film'));
      const at = film.findIndex((byte, i) => left[i] !== byte);
      const gone = film.length - left.length;
      expect(gone).toBeGreaterThan(0);
      expect(
        Buffer.concat([film.subarray(0, at), film.subarray(at + gone)]).equals(left) || film.subarray(0, left.length).equals(left),
      ).toBe(true);
      expect(plan.repairs[0]!.losses.map(({ detail }) => detail).join()).toContain(`${left.length} of ${film.length} bytes are left`);
      expect(first).not.toBe(plan.repairs[0]!.snapshot.id);
      return;
    }
    expect.fail('no piece belonged to the newest snapshot');
  });
});

describe('a snapshot of which not even the root can be read', () => {
  test('stays, unless it is to be forgotten; what lay in it can be recovered first', async () => {
    const storage = new MemoryStorage();
    const forge = new Forge(await newRepository(storage));
    const inner = forge.tree([fileNode('f', [forge.data('f')], { size: 1 })]);
    await forge.store();
    const root = forge.tree([folderNode('folder', inner)]);
    await forge.store();
    const rootPack = forge.packs.at(-1)!.id;
    const id = await forge.snapshot(root);
    lose(storage, packFile(rootPack));
    await repairIndex(storage);
    const { plan, removed } = await repairSnapshots(storage);
    expect(plan.repairs).toMatchObject([{ action: 'hopeless', remove: false, losses: [{ kind: 'folder' }] }]);
    expect(removed).toEqual([]);
    const recovered = await recover(storage);
    expect(recovered.plan.folders.map(({ tree }) => tree)).toEqual([inner]);
    expect((await repairSnapshots(storage, { forget: true })).removed).toEqual([id]);
    expect(await codesOf(storage)).toEqual([]);
  });
});

describe('snapshot files that cannot be read', () => {
  test.each<[string, (storage: MemoryStorage, name: string) => void]>([
    ['cut off', (storage, name) => cut(storage, { kind: 'snapshot', name }, 100)],
    ['empty', (storage, name) => cut(storage, { kind: 'snapshot', name }, 0)],
    ['damaged', (storage, name) => flip(storage, { kind: 'snapshot', name }, 40)],
  ])('because they are %s stay until they are named and forgotten', async (_, damage) => {
    const storage = whole.clone();
    damage(storage, ids[1]!);
    for (const request of [{}, { forget: true }, { snapshots: [ids[1]!] }]) {
      const { plan, removed } = await repairSnapshots(storage, request);
      expect(plan.damaged).toMatchObject([{ id: ids[1], remove: false }]);
      expect(removed).toEqual([]);
    }
    const { removed } = await repairSnapshots(storage, { snapshots: [ids[1]!.slice(0, 9)], forget: true });
    expect(removed).toEqual([ids[1]]);
    expect(await codesOf(storage)).toEqual([]);
  });

  test('without a tree are damaged', async () => {
    const storage = whole.clone();
    const forge = new Forge(await open(storage));
    const id = await forge.item('snapshot', { time: '2026-01-02T03:04:05Z', tree: null, paths: ['/x'] });
    expect((await repairSnapshots(storage, { snapshots: [id], forget: true })).removed).toEqual([id]);
    expect(await codesOf(storage)).toEqual([]);
  });
});

describe('listings that a program with a defect wrote', () => {
  async function repairForged(nodes: string | readonly object[], more: (forge: Forge) => void = () => {}) {
    const storage = new MemoryStorage();
    const forge = new Forge(await newRepository(storage));
    more(forge);
    const id = await forge.snapshot(forge.tree([folderNode('folder', forge.tree(nodes))]));
    const result = await repairSnapshots(storage, { forget: true });
    expect(await codesOf(storage)).toEqual([]);
    const after = [...(await had(storage)).values()][0]!;
    return { result, id, after, lines: lossesOf(result), names: [...after.keys()].filter((path) => path.startsWith('/folder/')) };
  }
  const f = (forge: Forge): string => forge.data('f');
  const sound = fileNode('sound', [], {});

  test('entries that make no sense are left out, all others stay', async () => {
    const { lines, names } = await repairForged([
      { name: 'a', type: 'nonsense' },
      fileNode('b', ['no ID']),
      { ...linkNode('c', 'target'), mtime: 'yesterday' },
      fileNode('d/e', []),
      sound,
    ]);
    expect(names).toEqual(['/folder/b', '/folder/sound']);
    expect(lines).toEqual(['entry /folder/a', 'entry /folder/b', 'entry /folder/c', 'entry /folder/d/e']);
  });

  test('names out of order are put in order, and of two of the same name one stays', async () => {
    const { lines, names } = await repairForged([sound, fileNode('b', []), fileNode('a', []), linkNode('b', 'x')]);
    expect(names).toEqual(['/folder/a', '/folder/b', '/folder/sound']);
    expect(lines).toEqual(['entry /folder/b']);
  });

  test('a file without content is empty, a folder without listing too', async () => {
    const { lines, names, after } = await repairForged([
      { ...fileNode('a', []), content: null, size: 7 },
      { ...folderNode('b', 'ab'.repeat(32)), subtree: null },
      sound,
    ]);
    expect(names).toEqual(['/folder/a', '/folder/b', '/folder/sound']);
    expect(after.get('/folder/b')).toBe('folder');
    expect(lines).toEqual(['entry /folder/a', 'entry /folder/b']);
  });

  test('what stands before the place where it is cut off stays', async () => {
    const text = JSON.stringify({ nodes: [fileNode('a', []), fileNode('b', []), sound] });
    const { lines, names } = await repairForged(text.slice(0, -30));
    expect(names).toEqual(['/folder/a', '/folder/b']);
    expect(lines).toEqual(['entry /folder']);
  });

  test('a wrong size is put right, and fields that nobody knows stay', async () => {
    const storage = new MemoryStorage();
    const forge = new Forge(await newRepository(storage));
    const node = fileNode('a', [f(forge)], { size: 70, unknown: { x: [1, 'é'] } });
    const lines = [node, fileNode('b', [f(forge)], { size: 0 })];
    await forge.snapshot(forge.tree(lines));
    const result = await repairSnapshots(storage, { forget: true });
    expect(lossesOf(result)).toEqual(['size /a', 'size /b']);
    const [snapshot] = await (await open(storage)).snapshots();
    const restic = await resticOnCopy(storage, scratch('judged'));
    const { nodes } = JSON.parse((await restic.cat('blob', snapshot!.tree)).toString()) as { nodes: { size: number; unknown?: unknown }[] };
    expect(nodes.map(({ size }) => size)).toEqual([1, 1]);
    expect(nodes[0]!.unknown).toEqual({ x: [1, 'é'] });
    expect((await restic.check({ readData: true })).code).toBe(0);
  });

  test('a chain of ten thousand folders is repaired at its end', async () => {
    const storage = new MemoryStorage();
    const forge = new Forge(await newRepository(storage));
    let tree = forge.tree([fileNode('gone', ['ab'.repeat(32)], { size: 3 })]);
    for (let i = 0; i < 10_000; i++) tree = forge.tree([folderNode('d', tree)]);
    await forge.snapshot(tree);
    const { stored, plan } = await repairSnapshots(storage, { forget: true });
    expect(stored.size).toBe(1);
    expect(plan.repairs[0]!.more).toBe(true);
    expect(await codesOf(storage)).toEqual([]);
  });

  test('a tree of sixty listings that unfold to 2^60 folders ends', async () => {
    const storage = new MemoryStorage();
    const forge = new Forge(await newRepository(storage));
    let tree = forge.tree([fileNode('gone', ['ab'.repeat(32)], { size: 3 })]);
    for (let i = 0; i < 60; i++) tree = forge.tree([folderNode('a', tree), folderNode('b', tree)]);
    await forge.snapshot(tree);
    const { stored, plan } = await repairSnapshots(storage, { forget: true });
    expect(stored.size).toBe(1);
    expect(plan.repairs[0]).toMatchObject({ more: true });
    expect(await codesOf(storage)).toEqual([]);
  });
});

describe('what may still be there is not given up', () => {
  test('when only the index is damaged: packs that no index names are looked into', async () => {
    for (const damage of [flip, (storage: MemoryStorage, file: StoredFile) => lose(storage, file)]) {
      const storage = whole.clone();
      for (const file of await filesOf(storage, 'index')) damage(storage, file, 30);
      const { plan } = await repairSnapshots(storage, { forget: true });
      expect(plan.repairs).toEqual([]);
      // With something lost as well, just that is missing, and what was found is named in an index before anything refers to it.
      lose(storage, packFile(dataPacks[0]!.name));
      await repairSnapshots(storage, { forget: true });
      await repairIndex(storage);
      expect(await codesOf(storage)).toEqual([]);
    }
  });

  test('when a damaged pack is in no index, or one is other than the index says: the index is to be repaired first', async () => {
    const damages: ((storage: MemoryStorage) => Promise<void> | void)[] = [
      async (storage) => {
        for (const file of await filesOf(storage, 'index')) lose(storage, file);
        flip(storage, packFile(dataPacks[0]!.name), -1);
        lose(storage, packFile(dataPacks[1]!.name));
      },
      (storage) => cut(storage, packFile(dataPacks[0]!.name), dataPacks[0]!.places[1]!.offset + 5),
    ];
    for (const damage of damages) {
      const storage = whole.clone();
      await damage(storage);
      await expect(repairSnapshots(storage, { forget: true })).rejects.toMatchObject({ code: 'index-incomplete' });
      await expect(plannedSnapshots(storage)).rejects.toMatchObject({ code: 'index-incomplete' });
      expect(mutationsOf(storage)).toEqual([]);
      await repairIndex(storage);
      await repaired(storage, { forget: true });
    }
  });

  test('when the storage cannot read a listing just now', async () => {
    const inner = whole.clone();
    lose(inner, packFile(dataPacks[0]!.name));
    await repairIndex(inner);
    const faulty = new FaultyStorage(inner);
    const repository = await open(faulty);
    faulty.script([{ at: { call: 'load', kind: 'pack', nth: 3, times: Number.POSITIVE_INFINITY }, effect: { do: 'fail' } }]);
    await expect(planRepairSnapshots(repository, {}, run())).rejects.toMatchObject({ code: 'storage-failed' });
  });

  test('of a pack that is cut off: blobs before the cut are used', async () => {
    const storage = whole.clone();
    const pack = dataPacks[0]!;
    cut(storage, packFile(pack.name), pack.places.at(-1)!.offset + 5);
    await repairIndex(storage);
    const before = await had(storage);
    const result = await repaired(storage);
    for (const [old, id] of result.stored)
      expect([...(await had(storage)).get(id)!.keys()].length).toBeGreaterThanOrEqual(before.get(old)!.size);
    const lost = new Set(
      result.plan.repairs.flatMap(({ losses }) => losses.map(({ path }) => Buffer.from(path).toString('latin1').split('/').at(-1))),
    );
    // Only what needs the last blob.
    expect(lost.size).toBeLessThanOrEqual(2);
    expect(lost.size).toBeGreaterThan(0);
  });
});

describe('the ways that follow one another', () => {
  test('repair packs, repair snapshots, and nothing is left to complain about, for restic neither', async () => {
    const storage = whole.clone();
    flip(storage, packFile(dataPacks[0]!.name), dataPacks[0]!.places[1]!.offset + 25);
    flip(storage, packFile(treePacks[0]!.name), treePacks[0]!.places[3]!.offset + 25);
    const { plan: packs } = await repairPacks(storage, scratch('kept'));
    expect(packs.lost).toHaveLength(2);
    const result = await repaired(storage, { forget: true });
    expect(result.stored.size).toBeGreaterThan(0);
    expect(await findingsOf(storage)).toEqual([]);
    const restic = await resticOnCopy(storage, scratch('judged'));
    expect((await restic.check({ readData: true })).code).toBe(0);
    for (const { id } of await restic.snapshots()) await restic.restore(id, join(scratch('restored'), 'target'));
  });

  test('a new snapshot says whom it stands for, and is otherwise as the old one', async () => {
    const storage = whole.clone();
    for (const { name } of dataPacks) lose(storage, packFile(name));
    const old = await (await open(storage)).snapshots();
    const { stored } = await repaired(storage);
    const all = await (await open(storage)).snapshots();
    for (const { id, ...fields } of old) {
      const made = all.find((each) => each.id === stored.get(id))!;
      expect({ ...made, id: undefined, tree: undefined }).toEqual({
        ...fields,
        id: undefined,
        tree: undefined,
        original: id,
        tags: [...(fields.tags ?? []), 'repaired'],
      });
      expect(made.hostname).toBe(identity.hostname);
    }
    // A second repair finds them, also when the damaged ones are to go now.
    const { plan, stored: none, removed } = await repairSnapshots(storage, { forget: true });
    expect(plan.repairs.map(({ action }) => action)).toEqual(['replaced', 'replaced', 'replaced']);
    expect(none.size).toBe(0);
    expect([...removed].sort()).toEqual(old.map(({ id }) => id).sort());
    await repairIndex(storage);
    expect(await codesOf(storage)).toEqual([]);
  });
});

test('where nothing can be written it says so, while the plan can be made', async () => {
  const storage = whole.clone();
  lose(storage, packFile(dataPacks[0]!.name));
  const readOnly = new ReadOnlyStorage(storage);
  await expect(repairSnapshots(readOnly)).rejects.toMatchObject({ code: 'storage-read-only' });
  expect((await plannedSnapshots(readOnly)).repairs.length).toBeGreaterThan(0);
});

test('what restic wrote is repaired as restic repairs it', async () => {
  const folder = scratch('by-restic');
  const files = scratch('files');
  mkdirSync(join(files, 'a/b'), { recursive: true });
  for (let i = 0; i < 6; i++)
    writeFileSync(join(files, 'a/b', `${i} <&> é \u2028.bin`), Buffer.alloc(700_000 + i, `content ${i} ${Math.sqrt(i + 2)}`));
  const restic = new Restic(join(folder, 'repo'), password);
  await restic.init();
  // Every pack its own file.
  for (let i = 0; i < 3; i++) await restic.backup([join(files, 'a/b', `${i} <&> é \u2028.bin`)]);
  await restic.backup([files]);
  const memory = new MemoryStorage();
  const local = new LocalStorage(join(folder, 'repo'));
  for (const kind of ['config', 'key', 'snapshot', 'index', 'pack'] as const) {
    if (kind === 'config') await memory.save({ kind, name: '' }, [await local.load({ kind, name: '' })]);
    else for (const file of await filesOf(local, kind)) await memory.save(file, [await local.load(file)]);
  }
  const victim = (await packsWith(memory, 'data'))[0]!;
  lose(memory, packFile(victim.name));
  const theirs = await resticOnCopy(memory, scratch('theirs'));
  await theirs.must(['repair', 'index']);
  await theirs.must(['repair', 'snapshots', '--forget']);
  await repairIndex(memory);
  await repairSnapshots(memory, { forget: true });
  const ours = await resticOnCopy(memory, scratch('ours'));
  const treesOf = async (each: Restic): Promise<string[]> =>
    (await each.snapshots()).map(({ original, tree }) => `${original} ${tree}`).sort();
  expect(await treesOf(ours)).toEqual(await treesOf(theirs));
});
