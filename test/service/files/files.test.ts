import { chmodSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { once } from 'node:events';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import type { FolderSize, ProtectionRow } from '../../../src/contract/files.ts';
import { personalFolder } from '../../../src/platform/host.ts';
import { failureOf } from '../../support/failure-of.ts';
import { connectFolder, createPlan, ended, type RunningService, startService } from '../../support/service.ts';
import { tree } from '../../support/tree-literal.ts';

test('folders of the person are suggested by the names that they have in their language', async () => {
  const home = tree(join((await startService()).folder, 'home'), {
    '.config': { 'user-dirs.dirs': 'XDG_DOCUMENTS_DIR="$HOME/文档"\nXDG_PICTURES_DIR="$HOME/Bilder"\nXDG_MUSIC_DIR="$HOME/"\n' },
    文档: { a: 'a' },
    Desktop: {},
  });
  const host = { platform: 'linux' as const, env: {}, home };
  expect(personalFolder('documents', host)).toBe(join(home, '文档'));
  expect(personalFolder('pictures', host)).toBe(join(home, 'Bilder'));
  expect(personalFolder('music', host)).toBeUndefined();
  expect(personalFolder('desktop', host)).toBe(join(home, 'Desktop'));
  expect(personalFolder('videos', { ...host, platform: 'darwin' })).toBe(join(home, 'Movies'));
  const { client } = await startService({ home });
  const folders = await client.files.suggested();
  expect(folders.map(({ kind, exists, isSuggested }) => [kind, exists, isSuggested])).toEqual([
    ['home', true, false],
    ['documents', true, true],
    ['pictures', false, false],
    ['desktop', true, true],
    ['downloads', false, false],
    ['videos', false, false],
  ]);
});

test('a folder of the computer is listed page by page, and its sizes come while they are counted', async () => {
  const service = await startService();
  const { client, folder } = service;
  const home = tree(join(folder, 'home'), { 'b.txt': 'bb', '.hidden': 'h', Sub: { x: 'xxx', deep: { y: 'y' } }, a: { z: '' } });
  symlinkSync('/etc', join(home, 'link'));
  const listed = await client.files.folder({ path: home });
  expect(listed.entries.map(({ name, kind, size }) => [name, kind, size])).toEqual([
    ['a', 'folder', 0],
    ['Sub', 'folder', 0],
    ['b.txt', 'file', 2],
    ['link', 'link', 0],
  ]);
  expect(listed).toMatchObject({ parent: folder, next: null, total: 4 });
  expect((await client.files.folder({ path: home, hidden: true })).total).toBe(5);
  const page = await client.files.folder({ path: home, foldersOnly: true, limit: 1 });
  expect((await client.files.folder({ path: home, foldersOnly: true, limit: 1, cursor: page.next! })).entries[0].name).toBe('Sub');
  expect((await client.files.folder({ path: '/' })).parent).toBeNull();
  expect(await failureOf(client.files.folder({ path: join(home, 'none') }))).toBe('folder-unreadable');
  const last = new Map<string, FolderSize>();
  for await (const size of await client.files.sizes({ paths: [home, join(home, 'none')] })) last.set(size.path, size);
  expect(last.get(home)).toEqual({ path: home, files: 5, folders: 3, bytes: 7, unreadable: 0, isDone: true });
  expect(last.get(join(home, 'none'))).toMatchObject({ files: 0, unreadable: 1, isDone: true });
});

test('what is known of a place is told before a repository is made there', async () => {
  const { client, folder } = await startService();
  const there = await client.files.capacity({ path: folder });
  expect(there).toMatchObject({ exists: true, isFolder: true, isWritable: true });
  expect(there.freeBytes).toBeLessThanOrEqual(there.totalBytes!);
  expect(await client.files.capacity({ path: join(folder, 'not/yet') })).toMatchObject({
    exists: false,
    isWritable: true,
    totalBytes: there.totalBytes,
  });
  writeFileSync(join(folder, 'file'), '');
  expect(await client.files.capacity({ path: join(folder, 'file') })).toMatchObject({ exists: true, isFolder: false });
});

async function protection({ client }: RunningService, wish: Parameters<RunningService['client']['files']['protection']['begin']>[0]) {
  const { sheet } = await client.files.protection.begin(wish);
  let page = await client.files.protection.page({ sheet, limit: 1000 });
  while (!page.isComplete) {
    await client.files.protection.page({ sheet, after: page.counted });
    page = await client.files.protection.page({ sheet, limit: 1000 });
  }
  return page;
}

test('what a plan leaves out is named with the reason, and the rest is what a backup takes', async () => {
  const service = await startService();
  const { client, folder } = service;
  const source = tree(join(folder, 'src'), {
    'keep.txt': 'k'.repeat(10),
    'a.tmp': 'no',
    'important.tmp': 'yes',
    'Thumbs.DB': 'no',
    large: 'l'.repeat(5000),
    node_modules: { m: 'm' },
    '.cache': { c: 'c' },
    cached: { 'CACHEDIR.TAG': 'Signature: 8a477f597d28d172789f06886806bc55', junk: 'j' },
    tagged: { '.nobackup': '', secret: 's' },
    inner: { 'more.tmp': 'm', 'b.txt': 'b' },
  });
  const socket = createServer().listen(join(source, 'socket'));
  await once(socket, 'listening');
  onTestFinished(() => void socket.close());
  const destination = await connectFolder({ ...service, folder: source });
  const excludes = {
    presets: ['caches'],
    patterns: ['*.tmp', '!important.tmp', 'node_modules/'],
    patternsIgnoringCase: ['thumbs.db'],
    ifPresent: ['.nobackup'],
    caches: true,
    largerThan: 4000,
  };
  const sources = [
    { kind: 'folder' as const, path: source },
    { kind: 'folder' as const, path: join(folder, 'nowhere') },
  ];
  const page = await protection(service, { sources, excludes, destinations: [destination.id] });
  const short = ({ path, leftOut }: ProtectionRow): string =>
    `${path.slice(folder.length + 1)}: ${leftOut?.reason} ${leftOut?.detail ?? ''}`.trim();
  expect(page.rows.map(short).sort()).toEqual([
    'nowhere: missing',
    'src/.cache: preset caches',
    'src/Thumbs.DB: pattern thumbs.db',
    'src/a.tmp: pattern *.tmp',
    'src/cached: cache CACHEDIR.TAG',
    'src/inner/more.tmp: pattern *.tmp',
    'src/large: too-large',
    'src/node_modules: pattern node_modules/',
    'src/repo: own',
    'src/socket: unsupported',
    'src/tagged: tagged .nobackup',
  ]);
  expect(page.summary).toMatchObject({
    files: 3,
    folders: 2,
    bytes: 14,
    leftOut: { pattern: { entries: 4 }, 'too-large': { entries: 1, bytes: 5000 } },
  });
  const all = await protection(service, { sources: sources.slice(0, 1), excludes, destinations: [destination.id], all: true });
  expect(
    all.rows
      .filter(({ leftOut, kind }) => leftOut === null && kind === 'file')
      .map(({ path }) => path.slice(source.length + 1))
      .sort(),
  ).toEqual(['important.tmp', 'inner/b.txt', 'keep.txt']);
  const plan = await createPlan(service, source, destination, { excludes });
  const run = await ended(service, (await client.runs.start({ plan: plan.id })).id);
  const names: string[] = [];
  const walk = async (path: string): Promise<void> => {
    for (const entry of (await client.browse.folder({ snapshot: run.snapshot!, path })).entries) {
      if (entry.type === 'dir') await walk(entry.path);
      else names.push(entry.path.slice(source.length + 1));
    }
  };
  await walk(source);
  // The tags are stored, so that what is restored is tagged again.
  expect(names.sort()).toEqual(['cached/CACHEDIR.TAG', 'important.tmp', 'inner/b.txt', 'keep.txt', 'tagged/.nobackup']);
});

test('a pattern that means nothing is refused, and a source within another is protected all the same', async () => {
  const service = await startService();
  const { client, folder } = service;
  const source = tree(join(folder, 'src'), { out: { inner: { a: 'a' }, b: 'b' } });
  mkdirSync(join(source, 'x'));
  const folders = (...paths: string[]) => paths.map((path) => ({ kind: 'folder' as const, path }));
  const page = await protection(service, { sources: folders(source, join(source, 'out/inner')), excludes: { patterns: ['out/'] } });
  expect(page.rows.map(({ path, leftOut }) => [path.slice(source.length), leftOut?.reason])).toEqual([['/out', 'pattern']]);
  expect(page.summary).toMatchObject({ files: 1, folders: 3 });
  const { sheet } = await client.files.protection.begin({ sources: folders(source), excludes: { patterns: ['[', '/'] } });
  expect(await failureOf(client.files.protection.page({ sheet }))).toBe('bad-usage');
  chmodSync(source, 0o755);
});
