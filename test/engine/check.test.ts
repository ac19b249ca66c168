import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { Restic } from '../support/restic.ts';
import { RunControl } from '../../src/platform/cancellation.ts';
import { LocalStorage } from '../../src/storage/local.ts';
import { MemoryStorage } from '../../src/storage/memory.ts';
import type { StoredFile } from '../../src/storage/storage.ts';
import { scratch, sharedScratch } from '../support/tree-literal.ts';
import {
  allFiles,
  backup,
  check,
  newRepository,
  noise,
  open,
  repositoryWithGenerations,
  told,
  writeGeneration,
  writeToDisk,
} from './check-fixture.ts';

const source = sharedScratch('check-source');
const sound = new MemoryStorage();
let snapshots: string[] = [];
beforeAll(async () => {
  ({ snapshots } = await repositoryWithGenerations(sound, source, 2));
});

const files = async (kind: StoredFile['kind']): Promise<StoredFile[]> => (await allFiles(sound)).filter((file) => file.kind === kind);

describe('a sound repository', () => {
  test('has no findings, whatever is read', async () => {
    const repository = await open(sound.clone());
    for (const readData of ['none', 'all', 'snapshot'] as const) {
      const result = await check(repository, { readData });
      expect(result.findings).toEqual([]);
      expect(result.errors).toBe(0);
      expect(result.snapshots).toBe(2);
    }
  });

  test('is checked under an exclusive lock, which is gone afterwards', async () => {
    const storage = sound.clone();
    await check(await open(storage), {}, { lock: 'exclusive' });
    const locks = storage.operations.filter((operation) => operation.kind === 'save' && operation.file.kind === 'lock');
    expect(locks).toHaveLength(1);
    expect((await allFiles(storage)).filter(({ kind }) => kind === 'lock')).toEqual([]);
  });

  test('is not written to without a lock', async () => {
    const storage = sound.clone();
    await check(await open(storage), { readData: 'all' });
    expect(storage.mutations).toBe(0);
  });

  test('tells how much it reads', async () => {
    const repository = await open(sound.clone());
    const all = await check(repository, { readData: 'all' });
    expect(all.packsRead).toBe((await files('pack')).length);
    const one = await check(repository, { readData: 'snapshot', snapshots: [snapshots[0].slice(0, 10)] });
    expect(one.snapshots).toBe(1);
    expect(one.bytesRead).toBeGreaterThan(100_000);
    expect(one.bytesRead).toBeLessThan(all.bytesRead);
  });

  test('reads every pack once when all parts of n/m are read', async () => {
    const repository = await open(sound.clone());
    let packs = 0;
    for (let part = 1; part <= 3; part++) packs += (await check(repository, { readData: { kind: 'part', part, of: 3 } })).packsRead;
    expect(packs).toBe((await files('pack')).length);
  });

  test('written by restic has no findings either', async () => {
    const folder = scratch('check-restic');
    const restic = new Restic(folder, 'pw');
    await restic.init();
    await restic.backup([source]);
    const storage = new LocalStorage(folder);
    const result = await check(await open(storage), { readData: 'all' });
    expect(result.findings).toEqual([]);
    expect(result.packsRead).toBeGreaterThan(0);
    await storage.close();
  });

  test('on disk has no findings', async () => {
    const storage = new LocalStorage(await writeToDisk(sound, scratch('check-disk')));
    const repository = await open(storage);
    expect((await check(repository, { readData: 'all' })).findings).toEqual([]);
    expect((await check(repository, { readData: 'snapshot', snapshots: ['latest'] })).findings).toEqual([]);
    await storage.close();
  });
});

describe('damage', () => {
  const damages: Record<string, (bytes: Uint8Array) => Uint8Array> = {
    'a bit flipped in the first byte': (bytes) => flip(bytes, 0),
    'a bit flipped in the middle': (bytes) => flip(bytes, bytes.length >> 1),
    'a bit flipped in the last byte': (bytes) => flip(bytes, bytes.length - 1),
    'the last byte missing': (bytes) => bytes.slice(0, -1),
    'nothing left of it': () => new Uint8Array(0),
    'a byte too much': (bytes) => Buffer.concat([bytes, Buffer.of(7)]),
  };
  const flip = (bytes: Uint8Array, at: number): Uint8Array => {
    bytes[at] ^= 16;
    return bytes;
  };

  for (const [name, change] of Object.entries(damages)) {
    test(`is found in every file: ${name}`, async () => {
      for (const file of await allFiles(sound)) {
        const storage = sound.clone();
        storage.tamper(file, change);
        const found = await open(storage).then(
          async (repository) => (await check(repository, { readData: 'all' })).errors > 0,
          // The config, and the only key.
          () => true,
        );
        expect(found, `${file.kind} ${file.name}`).toBe(true);
      }
    });
  }

  test('of a data blob names the blob, its pack and the files', async () => {
    const storage = sound.clone();
    const repository = await open(storage);
    const packs = await files('pack');
    let named = 0;
    for (const pack of packs) {
      const copy = storage.clone();
      copy.tamper(pack, (bytes) => flip(bytes, 40));
      const { findings } = await check(await open(copy), { readData: 'all' });
      const damaged = findings.find(({ code }) => code === 'blob-damaged' || code === 'tree-damaged');
      expect(damaged?.pack).toBe(pack.name);
      expect(findings.some(({ code, pack: of }) => code === 'pack-damaged' && of === pack.name)).toBe(true);
      if (damaged?.code === 'blob-damaged') {
        named += 1;
        expect(damaged.paths.length).toBeGreaterThan(0);
        expect(damaged.paths.every((path) => path.startsWith(source) && path.includes('/file '))).toBe(true);
      }
    }
    expect(named).toBeGreaterThan(2);
    expect((await check(repository)).errors).toBe(0);
  });

  test('of data that no given snapshot needs is not its business', async () => {
    const storage = sound.clone();
    const repository = await open(storage);
    const [older, newer] = snapshots;
    let differing = 0;
    for (const pack of await files('pack')) {
      const copy = storage.clone();
      copy.tamper(pack, () => undefined);
      const broken = await open(copy);
      const results = [];
      for (const id of [older, newer]) results.push((await check(broken, { snapshots: [id], readData: 'snapshot' })).errors > 0);
      if (results[0] !== results[1]) differing += 1;
      expect(results[0] || results[1]).toBe(true);
    }
    expect(differing).toBeGreaterThan(0);
    expect((await check(repository)).errors).toBe(0);
  });

  test('by missing files is found without reading data', async () => {
    for (const file of [...(await files('pack')), ...(await files('index'))]) {
      const storage = sound.clone();
      storage.tamper(file, () => undefined);
      const result = await check(await open(storage));
      expect(result.errors, `${file.kind} ${file.name}`).toBeGreaterThan(0);
      const codes = result.findings.map(({ code }) => code);
      expect(codes).toContain(file.kind === 'pack' ? 'pack-missing' : 'blob-missing');
      expect(result.findings.some(({ paths }) => paths.length > 0)).toBe(true);
    }
  });

  test('by swapped files is found', async () => {
    for (const kind of ['pack', 'index', 'snapshot'] as const) {
      const [a, b] = await files(kind);
      const storage = sound.clone();
      const [bytesA, bytesB] = [await storage.load(a), await storage.load(b)];
      storage.tamper(a, () => bytesB);
      storage.tamper(b, () => bytesA);
      const result = await check(await open(storage), { readData: 'all' });
      expect(result.errors + result.warnings, kind).toBeGreaterThan(0);
    }
  });

  test('is found in a random part when that part holds it', async () => {
    const storage = sound.clone();
    for (const pack of await files('pack')) storage.tamper(pack, (bytes) => flip(bytes, bytes.length - 5));
    const repository = await open(storage);
    expect((await check(repository)).errors).toBe(0);
    let state = 0.1;
    const random = (): number => (state = (state * 7.13) % 1);
    const tenth = await check(repository, { readData: { kind: 'percent', percent: 10 } }, { random });
    expect(tenth.packsRead).toBe(Math.max(1, Math.round((await files('pack')).length / 10)));
    expect(tenth.errors).toBeGreaterThan(0);
    const small = await check(repository, { readData: { kind: 'bytes', bytes: 1 } }, { random });
    expect(small.packsRead).toBe(1);
  });
});

describe('what is untidy', () => {
  test('is only noted: packs that no index names', async () => {
    const storage = sound.clone();
    await storage.save({ kind: 'pack', name: 'ab'.repeat(32) }, [Buffer.from('left over')]);
    const result = await check(await open(storage), { readData: 'all' });
    expect(result.errors).toBe(0);
    expect(result.findings.map(({ severity, code }) => `${severity} ${code}`)).toEqual(['note pack-unindexed']);
  });

  test('is not even noted: the same index files twice', async () => {
    const storage = sound.clone();
    const repository = await open(storage);
    const folder = scratch('check-copies');
    writeGeneration(folder, 0, 6);
    await backup(repository, folder);
    for (const name of await repository.names('index')) await repository.saveItem('index', await repository.loadItem('index', name));
    expect((await check(await open(storage), { readData: 'all' })).findings).toEqual([]);
  });

  test('is only noted: blobs stored more than once, each pack of them counted as it is', async () => {
    const storage = await repositoryWithCopies();
    const repository = await open(storage);
    for (const name of await repository.names('index')) await repository.saveItem('index', await repository.loadItem('index', name));
    const result = await check(await open(storage), { readData: 'all' });
    expect(told(result)).toEqual([]);
    expect(result.findings.map(({ code }) => code)).toEqual(['blob-copies']);
  });
});

test('a lost pack is only a warning once a backup has stored its blobs anew', async () => {
  for (const pack of await files('pack')) {
    const storage = sound.clone();
    storage.tamper(pack, () => undefined);
    const repository = await open(storage);
    expect((await check(repository)).errors).toBeGreaterThan(0);
    await backup(repository, source);
    expect(told(await check(repository, { snapshots: ['latest'], readData: 'snapshot' }))).toEqual([]);
  }
});

test('ends when it is cancelled, and its lock is gone', async () => {
  const storage = sound.clone();
  const control = new RunControl();
  control.cancel();
  await expect(check(await open(storage), { readData: 'all' }, { control, lock: 'exclusive' })).rejects.toMatchObject({
    code: 'cancelled',
  });
  expect((await allFiles(storage)).filter(({ kind }) => kind === 'lock')).toEqual([]);
});

test('a destination that is gone is not taken for damage', async () => {
  const folder = scratch('check-gone');
  const storage = new LocalStorage(await writeToDisk(sound, folder));
  const repository = await open(storage);
  const { rmSync } = await import('node:fs');
  await expect(
    check(
      repository,
      { readData: 'all' },
      {
        onProgress: () => rmSync(folder, { recursive: true, force: true }),
      },
    ),
  ).rejects.toMatchObject({ code: 'storage-gone' });
});

/** Two runs side by side store the same data: every blob is there twice. */
async function repositoryWithCopies(): Promise<MemoryStorage> {
  const storage = new MemoryStorage();
  await newRepository(storage);
  const folder = scratch('check-twice');
  mkdirSync(join(folder, 'in'));
  for (let i = 0; i < 8; i++) writeFileSync(join(folder, 'in', `file ${i}`), noise(i + 1, 20_000));
  const other = storage.clone();
  await backup(await open(storage), folder);
  await backup(await open(other), folder);
  for (const file of await allFiles(other)) {
    const bytes = await other.load(file);
    if (file.kind === 'pack' || file.kind === 'index' || file.kind === 'snapshot') await storage.save(file, [bytes]).catch(() => {});
  }
  return storage;
}
