/** Indexes that are missing, damaged, outdated or lie: afterwards the index says what the packs hold. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { executeRepairIndex } from '../../../src/engine/repair/repair-index.ts';
import { FaultyStorage } from '../../../src/storage/faulty.ts';
import { LocalStorage } from '../../../src/storage/local.ts';
import { MemoryStorage } from '../../../src/storage/memory.ts';
import { ReadOnlyStorage } from '../../../src/storage/read-only.ts';
import { Forge, fileNode, folderNode, type ListedBlob } from '../../support/forge.ts';
import { expectNothingGivenUp } from '../../support/had.ts';
import { expectCleanCheck } from '../../support/judge.ts';
import { Restic } from '../../support/restic.ts';
import { scratch, sharedScratch } from '../../support/tree-literal.ts';
import { newRepository, open, password, writeToDisk } from '../check-fixture.ts';
import {
  codesOf,
  cut,
  filesOf,
  findingsOf,
  flip,
  had,
  headerOf,
  indexLines,
  type ListedPack,
  lose,
  makeBase,
  mutationsOf,
  packFile,
  packsWith,
  plannedIndex,
  repairIndex,
  resticOnCopy,
  run,
} from './fixture.ts';

const whole = new MemoryStorage();
const sourceFolder = sharedScratch('repair-source');
beforeAll(async () => void (await makeBase(whole, sourceFolder)));

const actionsOf = ({ plan }: { plan: { changes: readonly { action: string }[] } }): string[] =>
  [...new Set(plan.changes.map(({ action }) => action))].sort();

/** Repairs, and expects that the plan was right and that nothing that could be had is gone. */
async function repaired(
  storage: MemoryStorage,
  request: { readAllPacks?: boolean } = {},
): Promise<Awaited<ReturnType<typeof repairIndex>>> {
  const before = await had(storage);
  const planned = await plannedIndex(storage, request);
  const result = await repairIndex(storage, request);
  expect(result.plan).toEqual(planned);
  expectNothingGivenUp(before, await had(storage));
  return result;
}

describe('an index that is as it should be', () => {
  test('is left alone, also when every pack is read', async () => {
    for (const readAllPacks of [false, true]) {
      const storage = whole.clone();
      const { plan } = await repairIndex(storage, { readAllPacks });
      expect(plan.changes).toEqual([]);
      expect(plan.packsRead).toBe(readAllPacks ? plan.packs : 0);
      expect(mutationsOf(storage)).toEqual([]);
    }
  });
});

describe('index files that are missing or damaged', () => {
  test('are made anew from the packs when all of them are gone', async () => {
    const storage = whole.clone();
    const [lines, content] = [await indexLines(whole), await had(whole)];
    for (const file of await filesOf(storage, 'index')) lose(storage, file);
    expect([...(await had(storage)).values()].every((each) => each.size === 0)).toBe(true);
    const result = await repaired(storage);
    expect(actionsOf(result)).toEqual(['add']);
    expect(await indexLines(storage)).toEqual(lines);
    expect(await had(storage)).toEqual(content);
    expect(await findingsOf(storage)).toEqual([]);
    await expectCleanCheck(await resticOnCopy(storage, scratch('judged')));
  });

  test.each<[string, (storage: MemoryStorage, name: string) => void]>([
    ['cut off', (storage, name) => cut(storage, { kind: 'index', name }, 200)],
    ['empty', (storage, name) => cut(storage, { kind: 'index', name }, 0)],
    ['damaged at its beginning', (storage, name) => flip(storage, { kind: 'index', name }, 0)],
    ['damaged in its middle', (storage, name) => flip(storage, { kind: 'index', name }, 150)],
    ['damaged at its end', (storage, name) => flip(storage, { kind: 'index', name }, -1)],
    ['rubbish', (storage, name) => storage.tamper({ kind: 'index', name }, () => Buffer.from('no index at all'))],
    [
      'no index but something else that is authentic',
      (storage, name) => {
        const [snapshot] = storage.files().filter(({ kind }) => kind === 'snapshot');
        storage.tamper({ kind: 'index', name }, () => new Uint8Array(storage.dump().get(`snapshots/${snapshot!.name}`)!));
      },
    ],
  ])('are replaced when one is %s', async (_, damage) => {
    const { name } = (await filesOf(whole, 'index')).at(-1)!;
    const storage = whole.clone();
    damage(storage, name);
    const { plan } = await repaired(storage);
    expect(plan.damagedIndexFiles.map((file) => file.name)).toEqual([name]);
    expect((await filesOf(storage, 'index')).map((file) => file.name)).not.toContain(name);
    expect(await indexLines(storage)).toEqual(await indexLines(whole));
    expect(await codesOf(storage)).toEqual([]);
    // A second repair takes a lock and gives it back.
    const { mutations } = storage;
    expect(await repairIndex(storage)).toMatchObject({ stored: 0, removed: 0 });
    expect(storage.mutations - mutations).toBe(2);
  });

  test('are replaced when one has the name of another', async () => {
    const storage = whole.clone();
    const { name } = (await filesOf(storage, 'index'))[0]!;
    const bytes = await storage.load({ kind: 'index', name });
    lose(storage, { kind: 'index', name });
    await storage.save({ kind: 'index', name: 'ab'.repeat(32) }, [bytes]);
    expect(await codesOf(storage)).toEqual(['index-misnamed']);
    await repaired(storage);
    expect(await indexLines(storage)).toEqual(await indexLines(whole));
    expect(await findingsOf(storage)).toEqual([]);
  });

  test('stay when they cannot be read just now and only they know a pack that cannot be read either', async () => {
    const inner = whole.clone();
    const index = (await filesOf(inner, 'index')).at(-1)!;
    const faulty = new FaultyStorage(inner);
    const fail = { do: 'fail' } as const;
    const pack = (await packsWith(inner, 'tree'))[0]!;
    // As if it had not been named by any other index file.
    for (const file of await filesOf(inner, 'index')) if (file.name !== index.name) lose(inner, file);
    faulty.script([
      { at: { call: 'load', kind: 'index', name: index.name, times: Number.POSITIVE_INFINITY }, effect: fail },
      { at: { call: 'load', kind: 'pack', name: pack.name, times: Number.POSITIVE_INFINITY }, effect: fail },
    ]);
    const { plan } = await repairIndex(faulty);
    expect(plan.damagedIndexFiles).toMatchObject([{ name: index.name, stays: true }]);
    expect(plan.changes.find((change) => change.pack === pack.name)).toMatchObject({ action: 'leave' });
    expect(await inner.size(index)).toBeGreaterThan(0);
    // When the storage works again, all of it is there.
    faulty.heal();
    await repairIndex(faulty);
    expect(await indexLines(inner)).toEqual(await indexLines(whole));
    expect(await codesOf(inner)).toEqual([]);
  });
});

describe('packs that are not what the index says', () => {
  test('a missing one is dropped, and what restic makes of it is the same', async () => {
    const { name, places } = (await packsWith(whole, 'data'))[0]!;
    const storage = whole.clone();
    lose(storage, packFile(name));
    const restic = await resticOnCopy(storage, scratch('theirs'));
    const { plan } = await repaired(storage);
    expect(plan.changes).toEqual([{ pack: name, action: 'drop', blobs: 0, dropped: places.length, cause: 'it is missing' }]);
    expect(await codesOf(storage)).toEqual(['blob-missing']);
    await restic.must(['repair', 'index']);
    expect(await indexLines(storage)).toEqual(await indexLines(new LocalStorage(restic.repository)));
  });

  test('one that no index names is added', async () => {
    for (const type of ['data', 'tree'] as const) {
      const { name } = (await packsWith(whole, type))[0]!;
      const storage = whole.clone();
      const bytes = await storage.load(packFile(name));
      lose(storage, packFile(name));
      await repairIndex(storage);
      await storage.save(packFile(name), [bytes]);
      const { plan } = await repaired(storage);
      expect(plan.changes).toMatchObject([{ pack: name, action: 'add', dropped: 0, cause: undefined }]);
      expect(await indexLines(storage)).toEqual(await indexLines(whole));
      expect(await codesOf(storage)).toEqual([]);
    }
  });

  test('one that is cut off keeps what lies before the cut, where restic drops all of it', async () => {
    const { name, places } = (await packsWith(whole, 'tree'))[0]!;
    for (const kept of [0, 1, 5, places.length]) {
      const storage = whole.clone();
      // Within the blob that is the first to be lost.
      const at =
        kept === places.length ? places.at(-1)!.offset + places.at(-1)!.length + 20 : places[kept]!.offset + (places[kept]!.length >> 1);
      cut(storage, packFile(name), at);
      const restic = await resticOnCopy(storage, scratch('theirs'));
      const { plan } = await repaired(storage);
      expect(plan.changes).toMatchObject([
        {
          pack: name,
          action: kept === 0 ? 'drop' : kept === places.length ? 'keep' : 'correct',
          blobs: kept,
          dropped: places.length - kept,
        },
      ]);
      const lines = (await indexLines(storage)).filter((line) => line.startsWith(name));
      expect(lines).toHaveLength(kept);
      await restic.must(['repair', 'index']);
      expect((await indexLines(new LocalStorage(restic.repository))).filter((line) => line.startsWith(name))).toEqual([]);
    }
  });

  test('one whose header is damaged keeps all, wherever the header is damaged, and also when no index names it', async () => {
    const { name, places } = (await packsWith(whole, 'tree'))[0]!;
    const headerAt = places.at(-1)!.offset + places.at(-1)!.length;
    const { length } = await whole.load(packFile(name));
    for (const indexed of [true, false]) {
      // Its IV, a type, a length, an ID, its tag, its own length.
      const all = [headerAt + 3, headerAt + 16, headerAt + 17, headerAt + 16 + 41 + 20, length - 10, length - 4];
      for (const at of indexed ? all.slice(0, 2) : all) {
        const storage = whole.clone();
        flip(storage, packFile(name), at);
        if (!indexed) for (const file of await filesOf(storage, 'index')) lose(storage, file);
        const { plan } = await repaired(storage, { readAllPacks: true });
        const change = plan.changes.find(({ pack }) => pack === name);
        expect(change, `at ${at}`).toMatchObject({ action: indexed ? 'keep' : 'add', blobs: places.length, dropped: 0 });
        expect(change!.cause).toBeDefined();
        expect(await indexLines(storage)).toEqual(await indexLines(whole));
        expect(await had(storage)).toEqual(await had(whole));
        // The pack itself is still damaged, and nothing else is.
        expect(await codesOf(storage)).toEqual(['pack-damaged', 'pack-header']);
      }
    }
  });

  test('one that is cut off and that no index names gives what lies before the cut', async () => {
    for (const type of ['tree', 'data'] as const) {
      const { name, places } = (await packsWith(whole, type))[0]!;
      const storage = whole.clone();
      for (const file of await filesOf(storage, 'index')) lose(storage, file);
      const last = places.at(-1)!;
      cut(storage, packFile(name), last.offset + last.length - 1);
      const { plan } = await repaired(storage);
      expect(plan.changes.find(({ pack }) => pack === name)).toMatchObject({ action: 'add', blobs: places.length - 1 });
      const lines = (await indexLines(whole)).filter((line) => !line.includes(` ${last.offset} ${last.length} `) || !line.startsWith(name));
      expect(await indexLines(storage)).toEqual(lines);
    }
  });

  test('one that is empty is dropped, and left alone when no index names it', async () => {
    const { name } = (await packsWith(whole, 'data'))[0]!;
    const storage = whole.clone();
    cut(storage, packFile(name), 0);
    await storage.save(packFile('cd'.repeat(32)), []);
    const { plan } = await repaired(storage);
    expect(plan.changes.map(({ pack, action }) => [pack, action])).toEqual(
      [
        [name, 'drop'],
        ['cd'.repeat(32), 'leave'],
      ].sort(),
    );
    expect(await codesOf(storage)).toEqual(['blob-missing']);
  });

  test('packs that were exchanged are found under their new names', async () => {
    const storage = whole.clone();
    const [a, b] = (await packsWith(storage, 'data')) as [ListedPack, ListedPack];
    const [first, second] = [await storage.load(packFile(a.name)), await storage.load(packFile(b.name))];
    storage.tamper(packFile(a.name), () => second);
    storage.tamper(packFile(b.name), () => first);
    const lacking = [...(await had(storage)).values()].map(({ size }) => size);
    await repaired(storage, { readAllPacks: true });
    expect(await had(storage)).toEqual(await had(whole));
    expect(lacking).not.toEqual([...(await had(whole)).values()].map(({ size }) => size));
    expect(await codesOf(storage)).toEqual(['pack-damaged']);
  });

  test('packs that cannot be read just now keep what the index says of them', async () => {
    const inner = whole.clone();
    const pack = (await packsWith(inner, 'data'))[0]!;
    const faulty = new FaultyStorage(inner, {
      faults: [{ at: { call: 'load', kind: 'pack', name: pack.name, times: Number.POSITIVE_INFINITY }, effect: { do: 'fail' } }],
    });
    const { plan } = await repairIndex(faulty, { readAllPacks: true });
    expect(plan.changes).toMatchObject([{ pack: pack.name, action: 'leave', dropped: 0 }]);
    expect(mutationsOf(inner)).toEqual([]);
  });
});

describe('an index that lies', () => {
  /** Three files in a folder, whose index says what `lie` makes of the truth. */
  async function lying(lie: (find: (content: string) => ListedBlob) => void): Promise<{ storage: MemoryStorage; truth: MemoryStorage }> {
    const storage = new MemoryStorage();
    const forge = new Forge(await newRepository(storage));
    const ids = new Map<string, string>();
    const files = ['first', 'second', 'third'].map((text) => {
      ids.set(text, forge.data(text.repeat(50), text === 'third' ? { compressed: true } : {}));
      return fileNode(text, [ids.get(text)!], { size: text.length * 50 });
    });
    const root = forge.tree([folderNode('folder', forge.tree(files))]);
    await forge.store();
    const packs = structuredClone(forge.packs);
    const truth = storage.clone();
    const honest = new Forge(await open(truth));
    honest.packs = structuredClone(packs);
    await honest.snapshot(root);
    lie((text) => forge.packs.flatMap(({ blobs }) => blobs).find(({ id }) => id === ids.get(text))!);
    await forge.snapshot(root);
    return { storage, truth };
  }

  test.each<[string, (find: (content: string) => ListedBlob) => void]>([
    ['a place beyond the pack', (find) => void (find('second').offset = 1 << 20)],
    ['a place beyond any pack', (find) => void (find('second').offset = 2 ** 32 - 1)],
    ['a length of 4 GiB', (find) => void (find('second').length = 2 ** 32 - 1)],
    ['a length that is one less', (find) => void (find('second').length = Number(find('second').length) - 1)],
    ['a length that is one more', (find) => void (find('second').length = Number(find('second').length) + 1)],
    ['an overlap', (find) => void (find('second').offset = Number(find('second').offset) - 1)],
    [
      'the place of another blob',
      (find) => void Object.assign(find('second'), { offset: find('third').offset, length: find('third').length }),
    ],
    ['that it is compressed', (find) => void (find('second').uncompressed_length = 300)],
    ['that it is not compressed', (find) => void delete find('third').uncompressed_length],
    ['that it unfolds to 4 GiB', (find) => void (find('third').uncompressed_length = 2 ** 32 - 1)],
    ['that it is a tree', (find) => void (find('second').type = 'tree')],
    ['that it is another blob', (find) => void (find('second').id = 'ab'.repeat(32))],
  ])('about %s is put right by the packs', async (_, lie) => {
    const { storage, truth } = await lying(lie);
    const entries = async (each: MemoryStorage): Promise<number> => [...(await had(each)).values()][0]!.size;
    expect(await entries(storage)).toBe((await entries(truth)) - 1);
    await repaired(storage, { readAllPacks: true });
    expect(await indexLines(storage)).toEqual(await indexLines(truth));
    expect(await findingsOf(storage)).toEqual([]);
  });

  test('and knows more than there is, forgets what is not there', async () => {
    const storage = whole.clone();
    const forge = new Forge(await open(storage));
    forge.packs = [{ id: 'ef'.repeat(32), blobs: [{ id: '12'.repeat(32), type: 'data', offset: 0, length: 100 }] }];
    await forge.index();
    const { plan } = await repaired(storage);
    expect(plan.changes).toMatchObject([{ pack: 'ef'.repeat(32), action: 'drop', dropped: 1 }]);
    expect(await indexLines(storage)).toEqual(await indexLines(whole));
  });
});

describe('packs as early programs wrote them', () => {
  test('of data and trees together are added, and so are blobs that lie in several packs', async () => {
    const storage = new MemoryStorage();
    const forge = new Forge(await newRepository(storage));
    const data = ['a', 'b'].map((text) => forge.data(text));
    const root = forge.tree([fileNode('f', data, { size: 2 })]);
    await forge.store();
    const packs = forge.packs.splice(0);
    await mixed(
      storage,
      forge,
      packs.map(({ id }) => id),
    );
    // No index names any of the three packs.
    await forge.snapshot(root);
    const { plan } = await repaired(storage);
    expect(plan.changes.map(({ action }) => action)).toEqual(['add', 'add', 'add']);
    expect((await findingsOf(storage)).map(({ code }) => code).sort()).toEqual(['blob-copies', 'pack-mixed']);
    expect([...(await had(storage)).values()].map(({ size }) => size)).toEqual([2]);
  });
});

/** Stores a pack that holds what the two packs named hold. */
async function mixed(storage: MemoryStorage, forge: Forge, packs: readonly string[]): Promise<void> {
  const bodies: Buffer[] = [];
  const entries: Buffer[] = [];
  for (const name of packs) {
    const places = await headerOf(storage, name);
    const bytes = await storage.load(packFile(name));
    for (const { type, id, offset, length } of places) {
      bodies.push(Buffer.from(bytes.subarray(offset, offset + length)));
      const entry = Buffer.alloc(37);
      entry[0] = type === 'tree' ? 1 : 0;
      entry.writeUInt32LE(length, 1);
      entry.write(id, 5, 'hex');
      entries.push(entry);
    }
  }
  const header = forge.seal(Buffer.concat(entries));
  const end = Buffer.alloc(4);
  end.writeUInt32LE(header.length);
  await forge.file('pack', Buffer.concat([...bodies, header, end]));
}

describe('in a folder', () => {
  test('files of other kinds are left alone, and leftovers of other programs do no harm', async () => {
    const folder = await writeToDisk(whole, scratch('foreign'));
    mkdirSync(join(folder, 'data/zz'), { recursive: true });
    const foreign = ['index/readme.txt', 'index/12.tmp', 'data/00-not-a-pack', 'data/zz/x', 'snapshots/.DS_Store', 'notes'];
    for (const name of foreign) writeFileSync(join(folder, name), 'foreign');
    for (const file of await filesOf(new LocalStorage(folder), 'index')) await new LocalStorage(folder).remove(file);
    await repairIndex(new LocalStorage(folder));
    await expectCleanCheck(new Restic(folder, password), { unindexedPacks: true });
    for (const name of foreign) expect(() => writeFileSync(join(folder, name), 'x', { flag: 'wx' })).toThrow('EEXIST');
    expect(await codesOf(new LocalStorage(folder))).toEqual([]);
  });
});

describe('where nothing can be written', () => {
  test('it says so and changes nothing, while the plan can be made', async () => {
    const storage = whole.clone();
    for (const file of await filesOf(storage, 'index')) lose(storage, file);
    const readOnly = new ReadOnlyStorage(storage);
    await expect(repairIndex(readOnly)).rejects.toMatchObject({ code: 'storage-read-only' });
    expect((await plannedIndex(readOnly)).changes.length).toBeGreaterThan(5);
    expect(mutationsOf(storage)).toEqual([]);
  });

  test('a destination that was unplugged is not taken for an empty one', async () => {
    const storage = whole.clone();
    const faulty = new FaultyStorage(storage);
    const repository = await open(faulty);
    faulty.script([
      { at: { call: 'list', kind: 'pack' }, effect: { do: 'change-list', change: () => [] } },
      { at: { call: 'size', times: Number.POSITIVE_INFINITY }, effect: { do: 'fail', code: 'file-not-found' } },
    ]);
    await expect(executeRepairIndex(repository, {}, run())).rejects.toMatchObject({ code: 'storage-gone' });
    expect(mutationsOf(storage)).toEqual([]);
  });
});
