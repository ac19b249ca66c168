/** Index files and snapshots that authenticate and lie: whatever they say, only what a blob's ID names is ever restored. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { executeCheck } from '../../src/engine/check/check.ts';
import { planCheck } from '../../src/engine/check/plan.ts';
import { BlobIndex } from '../../src/repository/blob-index.ts';
import { sha256 } from '../../src/repository/ids.ts';
import { addIndexFile } from '../../src/repository/index-file.ts';
import type { Repository } from '../../src/repository/repository.ts';
import { MemoryStorage } from '../../src/storage/memory.ts';
import { backup, makeRepository, restore, runOptions } from '../support/engine.ts';
import { fileNode, folderNode, Forge, type ListedBlob, type ListedPack } from '../support/forge.ts';
import { hasty } from '../support/hostile.ts';
import { scratch, tree } from '../support/tree-literal.ts';

const huge = 2 ** 32 - 1;

/** A repository of three files whose index says what `lie` makes of the truth. */
async function lying(
  place: string | MemoryStorage,
  lie: (packs: ListedPack[], find: (content: string) => ListedBlob) => unknown,
): Promise<Repository> {
  const forge = new Forge(await makeRepository(place));
  const files = ['first', 'second', 'third'].map((text) => fileNode(text, [forge.data(text)], { size: text.length }));
  const inner = forge.tree(files);
  const root = forge.tree([folderNode('folder', inner)]);
  await forge.store();
  const blobs = forge.packs.flatMap(({ blobs }) => blobs);
  const find = (content: string): ListedBlob => {
    const id = content === 'inner' ? inner : content === 'root' ? root : sha256(Buffer.from(content)).toString('hex');
    return blobs.find((blob) => blob.id === id)!;
  };
  const content = lie(forge.packs, find);
  if (Array.isArray(content)) for (const each of content) await forge.index(each);
  else await forge.index(content);
  forge.packs = [];
  await forge.snapshot(root);
  return forge.repository;
}

/** Restores; every file that is there must be right. Returns their names, and how many index files were of no use. */
async function restored(repository: Repository): Promise<{ names: string[]; problems: number; damage: number }> {
  const target = join(scratch('index'), 'target');
  const { problems, damage } = await restore(repository, target, { ...hasty, verify: true });
  const folder = join(target, 'folder');
  const names = readdirSync(target).length > 0 ? readdirSync(folder) : [];
  for (const name of names) expect(readFileSync(join(folder, name), 'utf8')).toBe(name);
  return { names: names.sort(), problems: problems.length, damage: damage.length };
}

async function errorsOf(repository: Repository): Promise<number> {
  return (await executeCheck(repository, await planCheck(repository, { readData: 'all' }), runOptions(hasty))).errors;
}

describe.each<[string, () => string | MemoryStorage]>([
  ['in a folder', () => join(scratch('index'), 'repository')],
  ['in memory', () => new MemoryStorage()],
])('an index that lies about one blob, %s', (_, place) => {
  it.each<[string, (blob: ListedBlob, find: (content: string) => ListedBlob) => void]>([
    ['its place is beyond the pack', (blob) => (blob.offset = 1 << 20)],
    ['its place is beyond any pack', (blob) => (blob.offset = huge)],
    ['its length is 4 GiB', (blob) => (blob.length = huge)],
    ['place and length are 4 GiB each', (blob) => Object.assign(blob, { offset: huge, length: huge })],
    ['it is shorter', (blob) => (blob.length = Number(blob.length) - 1)],
    ['it is longer', (blob) => (blob.length = Number(blob.length) + 1)],
    ['it has no content', (blob) => (blob.length = 32)],
    ['it overlaps the one before', (blob) => (blob.offset = Number(blob.offset) - 1)],
    ['it is where another is', (blob, find) => Object.assign(blob, { offset: find('third').offset, length: find('third').length })],
    ['it is compressed', (blob) => (blob.uncompressed_length = 6)],
    ['it unfolds to 4 GiB', (blob) => (blob.uncompressed_length = huge)],
    ['it is a tree', (blob) => (blob.type = 'tree')],
    ['it is another one', (blob) => (blob.id = 'ab'.repeat(32))],
  ])('%s: that file is reported, the others are restored, and a check finds it', async (__, lie) => {
    const repository = await lying(place(), (_packs, find) => void lie(find('second'), find));
    expect(await restored(repository)).toEqual({ names: ['first', 'third'], problems: 1, damage: 0 });
    expect(await errorsOf(repository)).toBeGreaterThan(0);
  });
});

describe('an index that is none', () => {
  it.each<[string, (packs: ListedPack[], find: (content: string) => ListedBlob) => unknown]>([
    ['a negative place', (_, find) => void (find('second').offset = -1)],
    ['a place that is no whole number', (_, find) => void (find('second').offset = 0.5)],
    ['a place as text', (_, find) => void (find('second').offset = '0')],
    ['a length beyond 32 bits', (_, find) => void (find('second').length = 2 ** 32)],
    ['a length that no sealed blob has', (_, find) => void (find('second').length = 31)],
    ['an unknown type', (_, find) => void (find('second').type = 'both')],
    ['an ID that is a path', (_, find) => void (find('second').id = '../'.repeat(21))],
    ['a pack that is a path', (packs) => void (packs[0]!.id = `../../${'0'.repeat(58)}`)],
    ['packs that are no list', () => ({ packs: {} })],
    ['no packs', () => ({ supersedes: [] })],
    ['two lists of packs', (packs) => `{"packs":[],"packs":${JSON.stringify(packs)}}`],
    ['a pack that is null', () => ({ packs: [null] })],
    ['blobs that are no list', () => ({ packs: [{ id: 'ab'.repeat(32), blobs: {} }] })],
    ['a pack without blobs', () => ({ packs: [{ id: 'ab'.repeat(32) }] })],
    ['text behind its end', (packs) => `${JSON.stringify({ packs })} {}`],
    ['lists in lists without end', () => `{"packs":${'['.repeat(200_000)}${']'.repeat(200_000)}}`],
    ['nonsense in lists without end', () => `{"packs":[],"x":${'['.repeat(200_000)}${']'.repeat(200_000)}}`],
    ['nothing', () => '[]x'],
  ])('%s: it is said, and nothing of it is used', async (_, lie) => {
    const repository = await lying(new MemoryStorage(), lie);
    expect(await restored(repository)).toEqual({ names: [], problems: 1, damage: 1 });
    expect(await errorsOf(repository)).toBeGreaterThan(0);
  });

  it.each<[string, (packs: ListedPack[]) => unknown]>([
    [
      'foreign fields everywhere',
      (packs) => ({ packs: packs.map((pack) => ({ time: 1, ...pack, blobs: pack.blobs.map((blob) => ({ ...blob, x: [{}] })) })), y: null }),
    ],
    ['the oldest format', (packs) => packs],
    [
      'blobs before their pack',
      (packs) => `{"packs":[${packs.map(({ id, blobs }) => `{"blobs":${JSON.stringify(blobs)},"id":"${id}"}`).join(',')}]}`,
    ],
    ['everything twice', (packs) => [{ packs: [...packs, ...packs] }, { packs }]],
    ['white space', (packs) => JSON.stringify({ packs }, undefined, '\t')],
    ['names written as escapes', (packs) => JSON.stringify({ packs }).replaceAll('"offset"', '"\\u006fffset"')],
    ['a length that is null', (packs) => JSON.stringify({ packs }).replaceAll('"type"', '"uncompressed_length":null,"type"')],
  ])('%s is no reason to refuse it', async (name, form) => {
    const content = form as (packs: ListedPack[]) => unknown;
    const repository = await lying(new MemoryStorage(), (packs) =>
      name === 'the oldest format' ? JSON.stringify(content(packs)) : content(packs),
    );
    expect(await restored(repository)).toEqual({ names: ['first', 'second', 'third'], problems: 0, damage: 0 });
  });
});

describe('IDs', () => {
  it('a tree that an index makes its own subtree is refused: its content has another hash', async () => {
    const storage = new MemoryStorage();
    const forge = new Forge(await makeRepository(storage));
    const loop = 'cd'.repeat(32);
    forge.tree([folderNode('again', loop)], { id: loop });
    await forge.snapshot(loop);
    const target = join(scratch('index'), 'target');
    const { problems } = await restore(forge.repository, target, hasty);
    expect(problems).toHaveLength(1);
    expect(readdirSync(target)).toEqual([]);
    expect(await errorsOf(forge.repository)).toBeGreaterThan(0);
  });

  it.each<[string, (id: Buffer, i: number) => void]>([
    ['the first bytes', (id, i) => void id.writeUInt32LE(i, 0)],
    ['the second word', (id, i) => void id.writeUInt32LE(i, 4)],
    ['the fourth word', (id, i) => void id.writeUInt32LE(i, 12)],
    ['the last bytes', (id, i) => void id.writeUInt32BE(i, 28)],
    [
      'the highest bits',
      (id, i) => {
        for (let bit = 0; bit < 17; bit++) id[bit * 2 - (bit > 15 ? 1 : 0)]! |= ((i >> bit) & 1) << 7;
      },
    ],
  ])('that differ only in %s are found without trying all of them', (_, write) => {
    const blobs: string[] = [];
    for (let i = 0; i < 100_000; i++) {
      const id = Buffer.alloc(32, 0x11);
      write(id, i);
      blobs.push(`{"id":"${id.toString('hex')}","type":"data","offset":${i},"length":40}`);
    }
    const index = BlobIndex.create();
    // With a hash that can be played with, this would take hours.
    addIndexFile(Buffer.from(`{"packs":[{"id":"${'ab'.repeat(32)}","blobs":[${blobs.join(',')}]}]}`), index);
    expect(index.blobCount).toBe(100_000);
  });
});

describe('snapshots', () => {
  it.each<[string, Record<string, unknown>]>([
    ['a tree that is missing', { tree: 'ef'.repeat(32) }],
    ['paths that are no list', { paths: 'all' }],
    ['paths that are no texts', { paths: [1, null, {}] }],
    ['paths that lead upwards', { paths: ['../..', '/..', ''] }],
    ['no paths', { paths: undefined }],
    ['a summary of nonsense', { summary: { total_bytes_processed: 'all', files_new: -5, dirs_new: {}, backup_start: 7 } }],
    ['a summary that is a text', { summary: 'x' }],
    ['figures beyond all', { summary: { total_bytes_processed: 1e300, total_files_processed: 1e300 } }],
    ['fields of strange types', { hostname: 5, username: [], uid: 'x', gid: -1, tags: 'x', excludes: {}, parent: '..', original: 9 }],
  ])('with %s end in no defect', async (_, fields) => {
    const forge = new Forge(await makeRepository(new MemoryStorage()));
    await forge.snapshot(forge.tree([fileNode('f', [forge.data('f')], { size: 1 })]), fields);
    const target = join(scratch('index'), 'target');
    const { problems } = await restore(forge.repository, target, { ...hasty, delete: true });
    expect(problems.length).toBe('tree' in fields ? 1 : 0);
    expect(readdirSync(target)).toEqual('tree' in fields ? [] : ['f']);
    const errors = await errorsOf(forge.repository);
    if ('tree' in fields) expect(errors).toBeGreaterThan(0);
    // Another backup of the same host must not fall over it, be it as parent or not.
    const source = tree(join(scratch('index'), 'source'), { a: 'a' });
    const result = await backup(forge.repository, source, { ...hasty, hostname: 'forge' });
    expect(result.problems).toEqual([]);
  });

  it.each<[string, Record<string, unknown> | string]>([
    ['no time', { time: undefined }],
    ['a time that is none', { time: 'yesterday' }],
    ['a tree that is no ID', { tree: '../../etc/passwd' }],
    ['no JSON', 'not JSON'],
    ['a list', '[]'],
    ['null', 'null'],
    ['a number', '7'],
  ])('with %s are damaged, and the newest of the others is taken with a word about it', async (_, fields) => {
    const forge = new Forge(await makeRepository(new MemoryStorage()));
    await forge.snapshot(forge.tree([fileNode('f', [forge.data('f')], { size: 1 })]));
    if (typeof fields === 'string') await forge.item('snapshot', fields);
    else await forge.snapshot(forge.tree([]), fields);
    const target = join(scratch('index'), 'target');
    const { problems, damage } = await restore(forge.repository, target, hasty);
    expect(problems).toEqual([]);
    expect(damage).toHaveLength(1);
    expect(readdirSync(target)).toEqual(['f']);
    expect(await errorsOf(forge.repository)).toBeGreaterThan(0);
  });

  it('the only one of which is damaged are not said to be missing', async () => {
    const forge = new Forge(await makeRepository(new MemoryStorage()));
    await forge.item('snapshot', '{}');
    await expect(restore(forge.repository, scratch('index'), hasty)).rejects.toMatchObject({ code: 'snapshot-invalid' });
  });
});

describe('locks', () => {
  const now = new Date(hasty.clock.now()).toISOString();
  it.each<[string, unknown, string | undefined]>([
    ['of this moment, exclusive', { time: now, exclusive: true, hostname: 'other', username: 'x', pid: 1 }, 'locked'],
    ['of this moment, shared', { time: now, exclusive: false, hostname: 'other', username: 'x', pid: 1 }, undefined],
    ['without a time', { exclusive: true, pid: 1 }, 'lock-unreadable'],
    ['of the year 9999', { time: '9999-12-31T23:59:59Z', exclusive: true, hostname: 'other', pid: 1 }, 'locked'],
    ['of long ago', { time: '1970-01-01T00:00:00Z', exclusive: true, hostname: 'other', pid: 1 }, undefined],
    ['of strange types', { time: now, exclusive: true, hostname: {}, username: [], pid: '-1; rm -rf /' }, 'lock-unreadable'],
    ['that are null', 'null', 'lock-unreadable'],
    ['that are a list', '[]', 'lock-unreadable'],
    ['that are rubbish', '{{{', 'lock-unreadable'],
  ])('%s', async (_, content, code) => {
    const forge = new Forge(await makeRepository(new MemoryStorage()));
    await forge.snapshot(forge.tree([]));
    await forge.item('lock', content);
    const done = restore(forge.repository, scratch('index'), hasty).then(
      () => undefined,
      (error: { code: string }) => error.code,
    );
    expect(await done).toBe(code);
  });
});
