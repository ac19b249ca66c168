/** Damaged packs: what is intact moves to new packs, what is lost is named, and the damaged file is kept aside. */
import { mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { HoldfastError } from '../../../src/contract/errors.ts';
import { executeRepairPacks } from '../../../src/engine/repair/repair-packs.ts';
import { FaultyStorage } from '../../../src/storage/faulty.ts';
import { LocalStorage } from '../../../src/storage/local.ts';
import { MemoryStorage } from '../../../src/storage/memory.ts';
import { ReadOnlyStorage } from '../../../src/storage/read-only.ts';
import { expectNothingGivenUp, type HadContent } from '../../support/had.ts';
import { expectCleanCheck } from '../../support/judge.ts';
import { scratch, sharedScratch } from '../../support/tree-literal.ts';
import { backup, open, smallPack, writeToDisk } from '../check-fixture.ts';
import {
  codesOf,
  cut,
  filesOf,
  findingsOf,
  flip,
  had,
  indexLines,
  type ListedPlace,
  lose,
  makeBase,
  mutationsOf,
  packFile,
  packsWith,
  plannedPacks,
  repairIndex,
  repairPacks,
  resticOnCopy,
  run,
} from './fixture.ts';

const whole = new MemoryStorage();
const source = sharedScratch('repair-source');
let content: Map<string, HadContent>;
let dataPack: { name: string; places: ListedPlace[] };
let treePack: { name: string; places: ListedPlace[] };
beforeAll(async () => {
  await makeBase(whole, source);
  content = await had(whole);
  // Packs of several blobs, each of which snapshots need.
  [dataPack, treePack] = [(await packsWith(whole, 'data'))[0]!, (await packsWith(whole, 'tree'))[0]!];
});

/** Repairs, and expects that nothing that could be had is gone, the plan was right, and a second run finds nothing. */
async function repaired(storage: MemoryStorage, packs: readonly string[] | 'all' = 'all') {
  const before = await had(storage);
  const files = new Map(storage.dump());
  const planned = await plannedPacks(storage, packs);
  const keepIn = scratch('kept');
  const result = await repairPacks(storage, keepIn, packs);
  expect(result.plan).toEqual(planned);
  expectNothingGivenUp(before, await had(storage));
  expect(readdirSync(keepIn).sort()).toEqual(planned.repairs.map(({ pack }) => `pack-${pack}`).sort());
  for (const { pack } of planned.repairs) {
    expect(new Uint8Array(readFileSync(join(keepIn, `pack-${pack}`)))).toEqual(
      new Uint8Array(files.get(`data/${pack.slice(0, 2)}/${pack}`)!),
    );
    expect((await filesOf(storage, 'pack')).map(({ name }) => name)).not.toContain(pack);
  }
  expect((await plannedPacks(storage)).repairs).toEqual([]);
  return { ...result, keepIn };
}

/** Nothing is wrong but that the blobs named are gone, and restic finds the same. */
async function expectOnlyLost(storage: MemoryStorage, lost: readonly { blob: string; type: string }[]): Promise<void> {
  const findings = (await findingsOf(storage)).filter(({ severity }) => severity !== 'note');
  expect(findings.map(({ code, blob }) => `${code} ${blob}`).sort()).toEqual(lost.map(({ blob }) => `blob-missing ${blob}`).sort());
  const restic = await resticOnCopy(storage, scratch('judged'));
  if (lost.length === 0) {
    await expectCleanCheck(restic);
    return;
  }
  const { code, stdout, stderr } = await restic.check({ readData: true });
  expect(code).toBe(1);
  for (const { blob, type } of lost) expect(`${stdout}${stderr}`, type).toContain(blob.slice(0, 8));
  expect(`${stdout}${stderr}`).not.toMatch(/error for (?!tree)|pack [0-9a-f]{8}|not referenced|ciphertext/);
}

describe('a pack with a flipped bit', () => {
  test('in one of its data blobs loses that blob alone, and the files are named', async () => {
    for (const at of [0, 1, dataPack.places.length - 1]) {
      const place = dataPack.places[at]!;
      for (const within of [0, 20, place.length - 1]) {
        const storage = whole.clone();
        flip(storage, packFile(dataPack.name), place.offset + within);
        const { plan } = await repaired(storage);
        expect(plan.repairs).toMatchObject([
          { pack: dataPack.name, intact: dataPack.places.length - 1, copied: dataPack.places.length - 1, lost: 1, unreadable: false },
        ]);
        expect(plan.lost.map(({ blob }) => blob)).toEqual([place.id]);
        expect(plan.lost[0]!.paths.length).toBeGreaterThan(0);
        for (const path of plan.lost[0]!.paths) expect(path.startsWith(source)).toBe(true);
        await expectOnlyLost(storage, plan.lost);
      }
    }
  });

  test('in a folder listing loses that listing alone', async () => {
    const storage = whole.clone();
    flip(storage, packFile(treePack.name), treePack.places[2]!.offset + 40);
    const { plan } = await repaired(storage, [treePack.name.slice(0, 12)]);
    expect(plan.lost).toMatchObject([{ type: 'tree', blob: treePack.places[2]!.id }]);
    expect((await findingsOf(storage)).filter(({ severity }) => severity === 'error')).toHaveLength(1);
  });

  test('anywhere in its header loses nothing', async () => {
    const last = dataPack.places.at(-1)!;
    const headerAt = last.offset + last.length;
    const { length } = await whole.load(packFile(dataPack.name));
    for (const indexed of [true, false]) {
      for (const at of [headerAt, headerAt + 16, headerAt + 18, headerAt + 16 + 41 + 12, length - 12, length - 4, length - 2]) {
        const storage = whole.clone();
        flip(storage, packFile(dataPack.name), at);
        // Without an index it is the pack alone that tells.
        if (!indexed) {
          const [bytes] = [await storage.load(packFile(dataPack.name))];
          lose(storage, packFile(dataPack.name));
          await repairIndex(storage);
          await storage.save(packFile(dataPack.name), [bytes]);
        }
        const { plan } = await repaired(storage);
        expect(plan.repairs, `at ${at}`).toMatchObject([{ intact: dataPack.places.length, copied: dataPack.places.length, lost: 0 }]);
        expect(await had(storage)).toEqual(content);
        expect(await findingsOf(storage)).toEqual([]);
      }
    }
  });
});

describe('a pack of another length', () => {
  const places = (): ListedPlace[] => dataPack.places;

  test.each<[string, (bytes: Uint8Array) => Uint8Array, number]>([
    ['one byte longer', (bytes) => Buffer.concat([bytes, Buffer.of(7)]), 0],
    ['one byte shorter', (bytes) => bytes.slice(0, -1), 0],
    ['without its header', (bytes) => bytes.slice(0, places().at(-1)!.offset + places().at(-1)!.length), 0],
    ['with bytes before its beginning', (bytes) => Buffer.concat([Buffer.alloc(100), bytes]), 0],
    ['with bytes between two blobs', (bytes) => insert(bytes, places()[2]!.offset, 33), 0],
    ['with bytes within a blob', (bytes) => insert(bytes, places()[2]!.offset + 50, 33), 1],
    [
      'without some bytes of a blob',
      (bytes) => Buffer.concat([bytes.subarray(0, places()[1]!.offset + 9), bytes.subarray(places()[1]!.offset + 25)]),
      1,
    ],
    [
      'with two blobs half overwritten',
      (bytes) => bytes.map((byte, at) => (at > places()[1]!.offset + 90 && at < places()[2]!.offset + 90 ? 0 : byte)),
      2,
    ],
  ])('%s loses only what is not in it', async (_, change, lost) => {
    const storage = whole.clone();
    storage.tamper(packFile(dataPack.name), (bytes) => new Uint8Array(change(bytes)));
    const { plan } = await repaired(storage);
    expect(plan.repairs).toMatchObject([{ pack: dataPack.name, intact: places().length - lost, lost }]);
    await expectOnlyLost(storage, plan.lost);
    if (lost === 0) expect(await had(storage)).toEqual(content);
  });

  test('cut off anywhere keeps what lies before the cut, also when no index names it', async () => {
    for (const indexed of [true, false]) {
      for (const pack of [dataPack, treePack]) {
        for (const kept of [0, 1, pack.places.length - 1]) {
          const storage = whole.clone();
          if (!indexed) {
            lose(storage, packFile(pack.name));
            await repairIndex(storage);
            await storage.save(packFile(pack.name), [await whole.load(packFile(pack.name))]);
          }
          cut(storage, packFile(pack.name), pack.places[kept]!.offset + 33);
          const { plan } = await repaired(storage);
          expect(plan.repairs).toMatchObject([{ intact: kept, copied: kept, lost: indexed ? pack.places.length - kept : 0 }]);
          const lines = (await indexLines(storage)).map((line) => line.split(' ')[2]);
          for (const { id } of pack.places.slice(0, kept)) expect(lines).toContain(id);
        }
      }
    }
  });

  const insert = (bytes: Uint8Array, at: number, length: number): Uint8Array =>
    Buffer.concat([bytes.subarray(0, at), Buffer.alloc(length, 9), bytes.subarray(at)]);
});

describe('copies in other packs', () => {
  /** Every blob is stored a second time, in packs of another size. */
  async function twice(): Promise<MemoryStorage> {
    const storage = whole.clone();
    const bare = new MemoryStorage();
    for (const file of storage.files())
      if (file.kind === 'config' || file.kind === 'key') await bare.save(file, [await storage.load(file)]);
    await backup(await open(bare), source, smallPack * 3);
    for (const file of bare.files()) if (file.kind === 'pack' || file.kind === 'index') await storage.save(file, [await bare.load(file)]);
    return storage;
  }

  test('are used: what they hold is neither lost nor stored again', async () => {
    const storage = await twice();
    const [target] = (await packsWith(storage, 'data')) as [typeof dataPack];
    storage.tamper(packFile(target.name), (bytes) => bytes.map((byte) => byte ^ 1));
    const { plan } = await repaired(storage);
    expect(plan.repairs).toMatchObject([{ pack: target.name, intact: 0, copied: 0 }]);
    expect(plan.lost.length).toBeLessThan(target.places.length);
    const again = (await indexLines(storage)).map((line) => line.split(' ')[2]);
    for (const { id } of target.places) expect(again.includes(id)).toBe(!plan.lost.some(({ blob }) => blob === id));
  });

  test('count only when they are whole', async () => {
    const storage = await twice();
    const packs = await packsWith(storage, 'data');
    const target = packs[0]!;
    const { id } = target.places[0]!;
    const other = packs.find((pack) => pack !== target && pack.places.some((place) => place.id === id))!;
    expect(other).toBeDefined();
    const copy = other.places.find((place) => place.id === id)!;
    // The one is damaged elsewhere, the other just here.
    flip(storage, packFile(target.name), target.places[1]!.offset + 30);
    flip(storage, packFile(other.name), copy.offset + 30);
    const { plan } = await repairPacks(storage, scratch('kept'), [target.name]);
    expect(plan.repairs).toMatchObject([{ pack: target.name }]);
    expect((await indexLines(storage)).filter((line) => line.includes(id))).toHaveLength(2);
    const rest = await repairPacks(storage, scratch('kept'));
    expect(rest.plan.lost).toEqual([]);
    expect(await had(storage)).toEqual(content);
    expect(await codesOf(storage)).toEqual([]);
  });

  test('in packs that are damaged as well are salvaged from them', async () => {
    const storage = await twice();
    let n = 0;
    // Of every pack another blob is spoiled: of hardly any blob both copies.
    for (const { name, places } of [...(await packsWith(storage, 'data')), ...(await packsWith(storage, 'tree'))])
      flip(storage, packFile(name), places[n++ % places.length]!.offset + 20);
    const before = await had(storage);
    const { plan } = await repaired(storage);
    expect(plan.repairs).toHaveLength(n);
    const after = await had(storage);
    expectNothingGivenUp(before, after);
    const lines = (await indexLines(storage)).map((line) => line.split(' ')[2]);
    expect(new Set(lines).size, 'nothing is stored twice').toBe(lines.length);
    await expectOnlyLost(
      storage,
      plan.lost.filter(({ paths }) => paths.length > 0),
    );
  });
});

describe('packs that need no repair', () => {
  test('are left alone: whole ones, and those that only the index describes wrongly', async () => {
    const storage = whole.clone();
    const { plan } = await repaired(storage, [dataPack.name]);
    expect(plan).toMatchObject({ examined: 1, repairs: [], whole: [dataPack.name] });
    expect(mutationsOf(storage)).toEqual([]);
    const repository = await open(storage);
    const index = (await filesOf(storage, 'index'))[0]!;
    const text = (await repository.loadItem('index', index.name)).toString();
    const [first] = (JSON.parse(text) as { packs: { id: string; blobs: { id: string }[] }[] }).packs;
    await repository.saveItem('index', Buffer.from(text.replace(first!.blobs[0]!.id, 'ab'.repeat(32))));
    lose(storage, { kind: 'index', name: index.name });
    const again = await repairPacks(storage, scratch('kept'));
    expect(again.plan).toMatchObject({ repairs: [], misdescribed: [first!.id] });
  });

  test('that are named by what is no pack, or by several, are refused', async () => {
    const storage = whole.clone();
    for (const name of ['', 'zz', '../', 'ab'.repeat(31)])
      await expect(repairPacks(storage, scratch('kept'), [name]), name).rejects.toMatchObject({ code: 'pack-not-found' });
    await expect(repairPacks(storage, scratch('kept'), [])).rejects.toMatchObject({ code: 'bad-usage' });
    const { plan } = await repairPacks(storage, scratch('kept'), ['ab'.repeat(32), dataPack.name]);
    expect(plan).toMatchObject({ missing: ['ab'.repeat(32)], whole: [dataPack.name], repairs: [] });
    expect(mutationsOf(storage)).toEqual([]);
  });
});

describe('packs that were exchanged', () => {
  test('give everything back under their right names', async () => {
    const storage = whole.clone();
    const [a, b] = (await packsWith(storage, 'data')) as [typeof dataPack, typeof dataPack];
    const [first, second] = [await storage.load(packFile(a.name)), await storage.load(packFile(b.name))];
    storage.tamper(packFile(a.name), () => second);
    storage.tamper(packFile(b.name), () => first);
    const { plan } = await repaired(storage);
    expect(plan.lost).toEqual([]);
    expect(await had(storage)).toEqual(content);
    expect(await findingsOf(storage)).toEqual([]);
  });
});

describe('the copy that is kept aside', () => {
  const damaged = (): MemoryStorage => {
    const storage = whole.clone();
    flip(storage, packFile(dataPack.name), 20);
    return storage;
  };

  test('is there before anything changes: when it cannot be written, nothing does', async () => {
    for (const spoil of [
      (folder: string) => writeFileSync(join(folder, 'kept'), 'a file'),
      (folder: string) => {
        mkdirSync(join(folder, 'kept'));
        writeFileSync(join(folder, 'kept', `pack-${dataPack.name}`), 'something else');
      },
      (folder: string) => mkdirSync(join(folder, 'kept', `pack-${dataPack.name}`), { recursive: true }),
    ]) {
      const storage = damaged();
      const folder = scratch('kept');
      spoil(folder);
      await expect(repairPacks(storage, join(folder, 'kept'))).rejects.toMatchObject({ code: 'pack-not-kept' });
      expect(mutationsOf(storage)).toEqual([]);
    }
  });

  test('of an earlier run is enough, a half one of it is written anew, and no link is followed', async () => {
    const storage = damaged();
    const folder = scratch('kept');
    const victim = join(scratch('victim'), 'file');
    writeFileSync(victim, 'mine');
    symlinkSync(victim, join(folder, `.pack-${dataPack.name}.part`));
    writeFileSync(join(folder, `pack-${dataPack.name}`), await storage.load(packFile(dataPack.name)));
    const { kept } = await repairPacks(storage, folder);
    expect(kept).toEqual([join(folder, `pack-${dataPack.name}`)]);
    expect(readFileSync(victim, 'utf8')).toBe('mine');
    expect(readdirSync(folder)).toEqual([`pack-${dataPack.name}`]);
  });
});

describe('a storage that cannot read', () => {
  test('all of a pack just now has it left alone; when it can again, all is there', async () => {
    const inner = whole.clone();
    const faulty = new FaultyStorage(inner);
    const repository = await open(faulty);
    faulty.script([{ at: { call: 'load', kind: 'pack', name: dataPack.name, times: Number.POSITIVE_INFINITY }, effect: { do: 'fail' } }]);
    const { plan } = await executeRepairPacks(repository, { packs: 'all' }, { ...run(), keepIn: scratch('kept') });
    expect(plan.unread.map(({ pack }) => pack)).toEqual([dataPack.name]);
    expect(mutationsOf(inner)).toEqual([]);
  });

  test('a part of a pack saves the rest, and keeps the file where it is', async () => {
    const inner = whole.clone();
    const bad = dataPack.places[1]!;
    const storage = unreadableAt(inner, dataPack.name, bad.offset + 10);
    const keepIn = scratch('kept');
    const { plan } = await executeRepairPacks(await open(storage), { packs: [dataPack.name] }, { ...run(), keepIn });
    expect(plan.repairs).toMatchObject([{ intact: dataPack.places.length - 1, lost: 1, unreadable: true }]);
    expect(readdirSync(keepIn)).toEqual([]);
    expect(await inner.size(packFile(dataPack.name))).toBeGreaterThan(0);
    // The disk has recovered.
    await repairIndex(inner);
    expect(await had(inner)).toEqual(content);
  });

  test('anything but a lock into it says so', async () => {
    const storage = whole.clone();
    flip(storage, packFile(dataPack.name), 20);
    const readOnly = new ReadOnlyStorage(storage);
    await expect(repairPacks(readOnly, scratch('kept'))).rejects.toMatchObject({ code: 'storage-read-only' });
    expect((await plannedPacks(readOnly)).repairs).toHaveLength(1);
  });
});

/** A storage in which one byte of a pack cannot be read, as on a disk with a bad sector. */
function unreadableAt(inner: MemoryStorage, pack: string, at: number): MemoryStorage {
  const load = inner.load.bind(inner);
  const storage = Object.create(inner) as MemoryStorage;
  storage.load = async (file, range) => {
    const covers = file.name === pack && (range === undefined || (range.offset <= at && range.offset + range.length > at));
    if (!covers) return load(file, range);
    throw new HoldfastError('storage-failed', { location: 'disk', operation: 'read', file: 'pack', cause: 'EIO' });
  };
  for (const name of ['save', 'size', 'list', 'remove', 'close', 'create'] as const)
    Object.assign(storage, { [name]: (inner[name] as (...args: unknown[]) => unknown).bind(inner) });
  return storage;
}

describe('in a folder', () => {
  test('restic has nothing to say against what is left, and restores what is not lost', async () => {
    const folder = await writeToDisk(whole, scratch('repair-disk'));
    const path = join(folder, 'data', treePack.name.slice(0, 2), treePack.name);
    const bytes = readFileSync(path);
    // The header is gone, and a piece in the middle of the last listing.
    writeFileSync(path, bytes.subarray(0, treePack.places.at(-1)!.offset + 30));
    const storage = new LocalStorage(folder);
    const { plan } = await repairPacks(storage, scratch('kept'));
    expect(plan.lost.map(({ blob }) => blob)).toEqual([treePack.places.at(-1)!.id]);
    const judged = await findingsOf(storage);
    expect(judged.filter(({ severity }) => severity === 'error').map(({ blob }) => blob)).toEqual([treePack.places.at(-1)!.id]);
  });
});
