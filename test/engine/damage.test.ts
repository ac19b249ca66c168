/**
 * What bit rot, lost and mixed up files do: a check finds all of it, a restore brings everything else back, names each file that
 * it could not, and never writes a wrong byte.
 */
import { createHash } from 'node:crypto';
import { cpSync, existsSync, readdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { executeCheck } from '../../src/engine/check/check.ts';
import { planCheck } from '../../src/engine/check/plan.ts';
import { HoldfastError } from '../../src/contract/errors.ts';
import type { Repository } from '../../src/repository/repository.ts';
import { backup, makeRepository, openRepository, restore, runOptions } from '../support/engine.ts';
import { fileNode, folderNode, Forge } from '../support/forge.ts';
import { hasty } from '../support/hostile.ts';
import { scratch, sharedScratch, tree, type TreeLiteral } from '../support/tree-literal.ts';

const base = sharedScratch('damage');
const source = join(base, 'source');
const whole = join(base, 'repository');

/** Bytes that do not compress and are the same in every run. */
function noise(name: string, length: number): Buffer {
  const out = Buffer.alloc(length);
  for (let at = 0, i = 0; at < length; at += 32, i++) createHash('sha256').update(`${name} ${i}`).digest().copy(out, at);
  return out;
}

beforeAll(async () => {
  const literal: TreeLiteral = { 'large.bin': noise('large', 3_000_000) };
  for (let folder = 0; folder < 5; folder++) {
    const files: TreeLiteral = { deeper: { 'inner.bin': noise(`inner ${folder}`, 50_000) } };
    for (let i = 0; i < 8; i++) files[`file ${i}.bin`] = noise(`${folder} ${i}`, 120_000);
    literal[`folder ${folder}`] = files;
  }
  tree(source, literal);
  await backup(await makeRepository(whole), source, { clock: hasty.clock, packSize: 1 << 20 });
});

/** A copy of the repository to be damaged, with the paths of its files relative to it. */
function copy(): { folder: string; files: string[] } {
  const folder = join(scratch('damaged'), 'repository');
  cpSync(whole, folder, { recursive: true });
  return { folder, files: stored(folder) };
}

const stored = (folder: string): string[] =>
  (readdirSync(folder, { recursive: true }) as string[]).filter((name) => statSync(join(folder, name)).isFile()).sort();

const filesBelow = (folder: string): string[] =>
  (readdirSync(folder, { recursive: true }) as string[]).filter((name) => statSync(join(folder, name)).isFile()).sort();

/** One file of each kind; of the packs one of data and one of trees, which are the smallest here. */
function oneOfEach(folder: string, files: readonly string[]): string[] {
  const packs = files
    .filter((name) => name.startsWith('data/'))
    .sort((a, b) => statSync(join(folder, a)).size - statSync(join(folder, b)).size);
  const others = ['config', 'keys/', 'index/', 'snapshots/'].map((kind) => files.find((name) => name.startsWith(kind))!);
  return [...others, packs[0]!, packs.at(-1)!];
}

/** Writes what `change` makes of a file that is marked read-only. */
function rewrite(path: string, change: (bytes: Buffer) => Buffer): void {
  const bytes = change(readFileSync(path));
  rmSync(path);
  writeFileSync(path, bytes);
}

const flip = (bytes: Buffer, at: number): Buffer => {
  bytes[at] ^= 0x10;
  return bytes;
};

const opened = new Map<string, Repository>();

/** Opens anew only when what is needed for it may have been damaged: each time costs a key derivation. */
async function open(folder: string, name = ''): Promise<Repository> {
  if (name === 'config' || name.startsWith('keys/')) return openRepository(folder);
  const repository = opened.get(folder) ?? (await openRepository(folder));
  opened.set(folder, repository);
  return repository;
}

/** Errors and warnings of a full check; what keeps the repository from being opened counts as found. */
async function checkFinds(folder: string, damaged?: string): Promise<number> {
  try {
    const repository = await open(folder, damaged);
    const { errors, warnings } = await executeCheck(repository, await planCheck(repository, { readData: 'all' }), runOptions(hasty));
    return errors + warnings;
  } catch (error) {
    expect(error).toBeInstanceOf(HoldfastError);
    expect((error as HoldfastError).code).not.toBe('internal');
    return 1;
  }
}

/**
 * Restores, and expects that every file is either there, byte for byte, or named (or a folder above it), and that nothing is named
 * that is there. Returns how many are not there; all of them when the repository does not even open.
 */
async function restoreTells(folder: string, damaged?: string): Promise<number> {
  const target = join(scratch('damaged'), 'target');
  let named: string[];
  try {
    const { problems, damage } = await restore(await open(folder, damaged), target, { ...hasty, verify: true });
    named = problems.map(({ path }) =>
      Buffer.from(path)
        .toString()
        .slice(target.length + source.length + 1),
    );
    if (damage.length === 0) expect(problems.every(({ kind }) => kind === 'damaged')).toBe(true);
  } catch (error) {
    expect(error).toBeInstanceOf(HoldfastError);
    expect((error as HoldfastError).code).not.toBe('internal');
    expect(existsSync(target) ? filesBelow(target) : []).toEqual([]);
    return filesBelow(source).length;
  }
  const place = join(target, source);
  const restored = existsSync(place) ? filesBelow(place) : [];
  const missing = filesBelow(source).filter((name) => !restored.includes(name));
  for (const name of restored) expect(readFileSync(join(place, name)).equals(readFileSync(join(source, name))), name).toBe(true);
  const isNamed = (name: string): boolean =>
    named.some((path) => path === '' || path === name || name.startsWith(`${path}/`) || `/${name}`.startsWith(path));
  expect(
    missing.filter((name) => !isNamed(name)),
    'missing, but not named',
  ).toEqual([]);
  expect(
    named.filter((name) => restored.includes(name)),
    'named, but there',
  ).toEqual([]);
  return missing.length;
}

describe('one bit', () => {
  it('in the whole repository nothing is wrong', async () => {
    expect(await checkFinds(whole)).toBe(0);
    expect(await restoreTells(whole)).toBe(0);
    expect(stored(whole).filter((name) => name.startsWith('data/')).length).toBeGreaterThan(5);
  });

  it.each([
    ['at the start', () => 0],
    ['in the middle', (size: number) => size >> 1],
    ['at the end', (size: number) => size - 1],
  ])('%s of any file: a check finds it, a restore brings back all that does not need it', async (_, position) => {
    const { folder, files } = copy();
    for (const name of files) {
      const path = join(folder, name);
      const before = readFileSync(path);
      rewrite(path, (bytes) => flip(bytes, position(bytes.length)));
      expect(await checkFinds(folder, name), name).toBeGreaterThan(0);
      const missing = await restoreTells(folder, name);
      // A pack's header is not needed to restore, and what a key file says beside the key is of no use for it.
      if (name.startsWith('data/') && position(before.length) < before.length - 1) expect(missing, name).toBeGreaterThan(0);
      if (name.startsWith('data/')) expect(missing, name).toBeLessThan(filesBelow(source).length + 1);
      rewrite(path, () => before);
    }
    expect(await checkFinds(folder)).toBe(0);
  });
});

describe('files that are cut off, emptied, lost or exchanged', () => {
  it.each<[string, (path: string) => void]>([
    ['cut off in the middle', (path) => rewrite(path, (bytes) => bytes.subarray(0, bytes.length >> 1))],
    ['one byte short', (path) => rewrite(path, (bytes) => bytes.subarray(0, -1))],
    ['one byte longer', (path) => rewrite(path, (bytes) => Buffer.concat([bytes, Buffer.of(0)]))],
    ['empty', (path) => rewrite(path, () => Buffer.alloc(0))],
    ['lost', (path) => rmSync(path)],
  ])('a file that is %s', async (how, damage) => {
    const { folder, files } = copy();
    for (const name of oneOfEach(folder, files)) {
      const path = join(folder, name);
      const before = readFileSync(path);
      damage(path);
      // A snapshot that is gone altogether leaves no trace: nothing else names it.
      if (how !== 'lost' || !name.startsWith('snapshots/')) expect(await checkFinds(folder, name), name).toBeGreaterThan(0);
      const missing = await restoreTells(folder, name);
      if (how === 'lost' && !name.startsWith('keys/')) expect(missing, name).toBeGreaterThan(0);
      rmSync(path, { force: true });
      writeFileSync(path, before);
    }
  });

  it('packs that were exchanged', async () => {
    const { folder, files } = copy();
    const packs = files.filter((name) => name.startsWith('data/')).map((name) => join(folder, name));
    for (let i = 0; i + 1 < packs.length; i += 2) {
      const spare = join(folder, 'spare');
      renameSync(packs[i]!, spare);
      renameSync(packs[i + 1]!, packs[i]!);
      renameSync(spare, packs[i + 1]!);
    }
    expect(await checkFinds(folder)).toBeGreaterThan(0);
    expect(await restoreTells(folder)).toBeGreaterThan(0);
  });

  it('a file with the content of one of another kind', async () => {
    const { folder, files } = copy();
    const names = oneOfEach(folder, files);
    const places = names.map((name) => join(folder, name));
    const contents = places.map((path) => readFileSync(path));
    for (const step of [1, 3]) {
      for (let i = 0; i < places.length; i++) {
        rewrite(places[i]!, () => contents[(i + step) % places.length]!);
        await restoreTells(folder, names[i]);
        expect(await checkFinds(folder, names[i]), names[i]!).toBeGreaterThan(0);
        rewrite(places[i]!, () => contents[i]!);
      }
    }
  });

  it('a lock that cannot be read is said to be one, and taking it away is the way out', async () => {
    const { folder } = copy();
    writeFileSync(join(folder, 'locks', 'ab'.repeat(32)), 'rubbish');
    await expect(restore(await openRepository(folder), scratch('damaged'), hasty)).rejects.toMatchObject({ code: 'lock-unreadable' });
    rewrite(join(folder, 'locks', 'ab'.repeat(32)), () => Buffer.alloc(0));
    expect(await restoreTells(folder)).toBe(0);
  });
});

describe('a blob of which another pack holds a copy', () => {
  async function twice(): Promise<{ folder: string; packs: string[] }> {
    const folder = join(scratch('damaged'), 'repository');
    const forge = new Forge(await makeRepository(folder));
    const contents = ['first', 'second'];
    let root = '';
    for (let round = 0; round < 2; round++) {
      const ids = contents.map((text) => forge.data(text));
      const inner = forge.tree([fileNode('f', ids, { size: 11 })]);
      root = forge.tree([folderNode('d', inner), fileNode('g', [ids[0]!], { size: 5 })]);
      await forge.store();
    }
    await forge.index();
    await forge.snapshot(root);
    return { folder, packs: stored(folder).filter((name) => name.startsWith('data/')) };
  }

  it.each<[string, (path: string) => void]>([
    ['damaged', (path) => rewrite(path, (bytes) => Buffer.from(bytes.map((byte) => byte ^ 1)))],
    ['lost', (path) => rmSync(path)],
    ['cut off', (path) => rewrite(path, (bytes) => bytes.subarray(0, 10))],
  ])('is restored from it, whichever pack is %s', async (_, damage) => {
    const { folder, packs } = await twice();
    expect(packs).toHaveLength(4);
    for (const pack of packs) {
      const path = join(folder, pack);
      const before = readFileSync(path);
      damage(path);
      const target = join(scratch('damaged'), 'target');
      const { problems } = await restore(await openRepository(folder), target, { ...hasty, verify: true });
      expect(problems).toEqual([]);
      expect(readFileSync(join(target, 'd', 'f'), 'utf8')).toBe('firstsecond');
      expect(readFileSync(join(target, 'g'), 'utf8')).toBe('first');
      rmSync(path, { force: true });
      writeFileSync(path, before);
    }
  });
});
