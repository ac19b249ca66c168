/** Damaged repositories and failing destinations: no wrong byte gets into a ZIP, and what is not in it was named. */
import { beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { join } from 'node:path';
import type { HoldfastError } from '../../../src/contract/errors.ts';
import type { Repository } from '../../../src/repository/repository.ts';
import { disconnectFrom, type Effect, FaultyStorage } from '../../../src/storage/faulty.ts';
import { MemoryStorage } from '../../../src/storage/memory.ts';
import { backup, makeRepository, openRepository } from '../../support/engine.ts';
import { exported, type ExportSettings } from '../../support/exporting.ts';
import { expectClearError, makeScene, quick, type Scene } from '../../support/faulty-runs.ts';
import { fileNode, folderNode, Forge } from '../../support/forge.ts';
import { hasty } from '../../support/hostile.ts';
import { seededBytes, seededRandom } from '../../support/seeded.ts';
import { scratch, sharedScratch, tree } from '../../support/tree-literal.ts';
import { expectSoundZip, pythonZip, readStreamed, sha256Of } from '../../support/zip.ts';

const random = seededRandom(3);
const missing = '00'.repeat(32);

describe('a damaged file', () => {
  test('of which the repository lacks data is left out and named; everything else is there', async () => {
    const forge = new Forge(await makeRepository(new MemoryStorage()));
    const [good, large] = [forge.data('good'), forge.data(seededBytes(random, 5 << 20))];
    await forge.snapshot(
      forge.tree([
        fileNode('a', [good], { size: 4 }),
        fileNode('b', [missing], { size: 4 }),
        folderNode('c', missing),
        fileNode('d', [large, missing], { size: 6 << 20 }),
        folderNode('e', forge.tree([fileNode('f', [good], { size: 4 })])),
      ]),
    );
    const { file, zip, problems, result } = await exported(forge.repository, hasty);
    await expectSoundZip(file);
    expect((await pythonZip(file)).map(({ name }) => name)).toEqual(['a', 'c/', 'e/', 'e/f']);
    expect(problems).toEqual(['damaged: /b', 'damaged: /c', 'damaged: /d']);
    expect(result.figures).toMatchObject({ files: 2, folders: 2, bytes: 8 });
    // Known before a byte of it was written.
    expect(readStreamed(zip).map(({ name }) => name)).toEqual(['a', 'c/', 'e/', 'e/f']);
  });

  test('whose data turns out to be wrong is left out and named, also when it is large and its beginning was written', async () => {
    const dir = scratch('damaged');
    const contents = {
      'first.bin': seededBytes(random, 100_000),
      'large.bin': seededBytes(random, 20 << 20),
      'last.bin': seededBytes(random, 90_000),
    };
    const source = tree(join(dir, 'source'), contents);
    const storage = new MemoryStorage();
    await backup(await makeRepository(storage), source, { ...hasty, packSize: 4 << 20 });
    const packs = storage.files().filter(({ kind }) => kind === 'pack');
    const seen = new Set<string>();
    for (const pack of packs) {
      const damaged = storage.clone();
      damaged.tamper(pack, (bytes) => {
        bytes[bytes.length >> 1]! ^= 1;
        return bytes;
      });
      const settings: ExportSettings = { ...hasty, threads: 2, path: Buffer.from(source) };
      const { file, zip, problems, result } = await exported(await openRepository(damaged), settings).catch((error: HoldfastError) => {
        // A tree without which nothing can be found.
        expect(['item-tampered', 'blob-missing']).toContain(error.code);
        return { file: undefined, zip: Buffer.alloc(0), problems: [], result: undefined };
      });
      if (!file) continue;
      await expectSoundZip(file);
      const there = new Map((await pythonZip(file)).map(({ name, sha256 }) => [name, sha256]));
      for (const [name, content] of Object.entries(contents)) {
        const isNamed = problems.includes(`damaged: ${source}/${name}`) || problems.includes(`damaged: ${source}`);
        expect(there.has(name), name).toBe(!isNamed);
        if (there.has(name)) expect(there.get(name)).toBe(sha256Of(content));
        if (isNamed) seen.add(name);
      }
      expect(result!.figures.files).toBe(there.size);
      // Nobody who gets it through a pipe takes the beginning of the large file for all of it.
      for (const { name, content, isSound } of readStreamed(zip))
        expect(isSound, name).toBe(content.equals(contents[name as keyof typeof contents]));
    }
    expect([...seen].sort()).toContain('large.bin');
  });

  test('is read from another copy when there is one', async () => {
    const content = seededBytes(random, 200_000);
    const storage = new MemoryStorage();
    const forge = new Forge(await makeRepository(storage));
    const id = forge.data(content);
    await forge.store();
    forge.data(content);
    await forge.snapshot(forge.tree([fileNode('f', [id], { size: content.length })]));
    for (const pack of storage
      .files()
      .filter(({ kind }) => kind === 'pack')
      .slice(0, 1))
      storage.tamper(pack, (bytes) => {
        bytes[1000]! ^= 1;
        return bytes;
      });
    const { file, problems } = await exported(forge.repository, hasty);
    expect(problems).toEqual([]);
    expect((await pythonZip(file))[0]).toMatchObject({ name: 'f', sha256: sha256Of(content) });
  });
});

describe('a destination that fails at every operation in turn', () => {
  let scene: Scene;
  let calls = 0;
  const place = sharedScratch('faults');

  beforeAll(async () => {
    scene = await makeScene(place);
  });

  beforeEach(async () => {
    const storage = new FaultyStorage(scene.base.clone());
    await tried(storage);
    calls = storage.calls.length;
    expect(calls).toBeGreaterThan(15);
  });

  /** Exports, and expects that every file is in the ZIP with the content of the snapshot, or was named, or the run failed. */
  async function tried(storage: FaultyStorage): Promise<{ error?: HoldfastError; problems: number }> {
    let repository: Repository;
    let run: Awaited<ReturnType<typeof exported>>;
    try {
      repository = await openRepository(storage);
      run = await exported(repository, { ...quick });
    } catch (error) {
      return { error: expectClearError(error), problems: 0 };
    }
    await expectSoundZip(run.file);
    const sound = readStreamed(run.zip).filter(({ isSound }) => isSound);
    const there = new Map(sound.map(({ name, content }) => [`/${name.replace(/\/$/, '')}`, sha256Of(content)]));
    const [wanted] = scene.before.snapshots.values();
    for (const [path, content] of wanted!) {
      if (there.has(path)) {
        if (/^[0-9a-f]{64}$/.test(content)) expect(there.get(path), path).toBe(content);
        continue;
      }
      if (!run.problems.some((line) => path.startsWith(line.replace(/^\w+: /, '')))) throw new Error(`${path} is neither there nor named`);
    }
    return { problems: run.problems.length };
  }

  test.each<[string, Effect]>([
    ['an error', { do: 'fail' }],
    ['an error once it was done', { do: 'fail', when: 'after', code: 'storage-gone' }],
    ['other bytes', { do: 'change-bytes', change: (bytes) => bytes.map((byte, i) => (i === bytes.length >> 1 ? byte ^ 1 : byte)) }],
    ['fewer bytes', { do: 'change-bytes', change: (bytes) => bytes.subarray(0, bytes.length >> 1) }],
  ])('with %s: no wrong byte, and what is missing is named', async (_, effect) => {
    let incomplete = 0;
    for (let nth = 1; nth <= calls; nth++) {
      const { error, problems } = await tried(new FaultyStorage(scene.base.clone(), { faults: [{ at: { nth }, effect }] }));
      if (error || problems > 0) incomplete += 1;
    }
    expect(incomplete).toBeGreaterThan(5);
  });

  test('by disappearing: the run says so, and does not call the files damaged', async () => {
    const codes = new Set<string>();
    for (let nth = 1; nth <= calls; nth++) {
      const { error, problems } = await tried(new FaultyStorage(scene.base.clone(), { faults: [disconnectFrom(nth)] }));
      codes.add(error?.code ?? 'none');
      expect(problems).toBe(0);
    }
    expect([...codes].sort()).toEqual(['none', 'repository-not-found', 'storage-gone']);
  });
});
