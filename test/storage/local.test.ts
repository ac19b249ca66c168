import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  renameSync,
  rmSync,
  statSync,
  truncateSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { LocalStorage } from '../../src/storage/local.ts';
import { layoutFolders } from '../../src/storage/names.ts';
import { fileKinds, type StoredFile } from '../../src/storage/storage.ts';
import { codeOf, describeStorage, fileFor, listAll } from '../support/storage-suite.ts';

/** Memory where the system offers it as a folder: each test makes and removes 261 folders. Real disks have their own tests. */
const scratch = existsSync('/dev/shm') ? '/dev/shm' : tmpdir();

describeStorage('local storage', async () => {
  const folder = mkdtempSync(path.join(scratch, 'holdfast-local-'));
  return {
    storage: new LocalStorage(path.join(folder, 'new', 'repository')),
    reopen: async () => new LocalStorage(path.join(folder, 'new', 'repository')),
    cleanUp: () => rm(folder, { recursive: true }),
  };
});

const content = Buffer.from('some content');
const file = fileFor(content);
const day = 86_400_000;

let parent: string;
let folder: string;
let storage: LocalStorage;

beforeEach(async () => {
  parent = mkdtempSync(path.join(scratch, 'holdfast-local-'));
  folder = path.join(parent, 'repository');
  storage = new LocalStorage(folder);
  await storage.create();
});

afterEach(() => rmSync(parent, { recursive: true }));

/** All entries below the folder but the layout's own folders. */
const entries = (): string[] =>
  readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((entry) => !layoutFolders.includes(entry.replaceAll('\\', '/')));

describe.skipIf(process.platform === 'win32')('permissions', () => {
  test('let nobody but the owner into the folders, and not even the owner write a file', async () => {
    for (const each of ['', ...layoutFolders]) expect(statSync(path.join(folder, each)).mode & 0o777).toBe(0o700);
    for (const kind of fileKinds) {
      await storage.save(fileFor(content, kind), [content]);
      expect(statSync(storage.localPath(fileFor(content, kind))).mode & 0o777).toBe(0o400);
    }
  });

  test('of folders that exist are left as they are', async () => {
    chmodSync(folder, 0o750);
    chmodSync(path.join(folder, 'data'), 0o770);
    await storage.create();
    expect(statSync(folder).mode & 0o777).toBe(0o750);
    expect(statSync(path.join(folder, 'data')).mode & 0o777).toBe(0o770);
  });
});

describe('the layout', () => {
  test('is completed where folders are missing', async () => {
    rmSync(path.join(folder, 'data', '7f'), { recursive: true });
    rmSync(path.join(folder, 'locks'), { recursive: true });
    await storage.create();
    for (const each of layoutFolders) expect(statSync(path.join(folder, each)).isDirectory()).toBe(true);
  });

  test('is not made where a file is in the way', async () => {
    for (const each of ['locks', path.join('data', '7f')]) {
      rmSync(path.join(folder, each), { recursive: true });
      writeFileSync(path.join(folder, each), '');
      expect(await codeOf(storage.create())).toBe('storage-failed');
      rmSync(path.join(folder, each));
    }
    writeFileSync(path.join(parent, 'file'), '');
    await expect(new LocalStorage(path.join(parent, 'file')).create()).rejects.toMatchObject({ code: 'storage-failed', retryable: false });
    await expect(new LocalStorage(path.join(parent, 'file', 'below')).create()).rejects.toMatchObject({
      code: 'storage-failed',
      retryable: false,
    });
  });

  test('gets a missing folder below data when a pack is saved, and no other', async () => {
    for (const each of layoutFolders.filter((name) => name.startsWith('data/'))) rmSync(path.join(folder, each), { recursive: true });
    const contents = Array.from({ length: 40 }, (_, n) => Buffer.from(`${n % 20}${n}`));
    await Promise.all(contents.map((each) => storage.save(fileFor(each), [each])));
    expect(await listAll(storage, 'pack')).toHaveLength(40);
    for (const kind of ['index', 'snapshot', 'lock', 'key'] as const) {
      const name = path.basename(path.dirname(storage.localPath(fileFor(content, kind))));
      rmSync(path.join(folder, name), { recursive: true });
      expect(await codeOf(storage.save(fileFor(content, kind), [content]))).toBe('storage-gone');
      expect(existsSync(path.join(folder, name))).toBe(false);
    }
  });

  test('may hold links to folders and files elsewhere', async () => {
    const shard = path.join(folder, 'data', file.name.slice(0, 2));
    rmSync(shard, { recursive: true });
    mkdirSync(path.join(parent, 'elsewhere'));
    symlinkSync(path.join(parent, 'elsewhere'), shard);
    await storage.save(file, [content]);
    expect(readdirSync(path.join(parent, 'elsewhere'))).toEqual([file.name]);
    expect(await listAll(storage, 'pack')).toEqual([{ name: file.name, size: content.length }]);
    symlinkSync(folder, path.join(parent, 'link'));
    expect(await listAll(new LocalStorage(path.join(parent, 'link')), 'pack')).toHaveLength(1);
  });

  test('is found by a relative path even after the working directory changed', async () => {
    const before = process.cwd();
    process.chdir(parent);
    const relative = new LocalStorage('repository');
    process.chdir(before);
    await relative.save(file, [content]);
    expect(await storage.size(file)).toBe(content.length);
    expect(relative.location).toBe(storage.location);
  });
});

describe('listing', () => {
  test('ignores whatever is no file of the repository', async () => {
    await storage.save(file, [content]);
    const shard = path.join(folder, 'data', file.name.slice(0, 2));
    const foreign = `${file.name.slice(0, 2)}${'0'.repeat(62)}`;
    const otherShard = `${file.name.startsWith('00') ? '01' : '00'}${'0'.repeat(62)}`;
    writeFileSync(path.join(shard, `${file.name}-tmp-123`), 'x');
    writeFileSync(path.join(shard, '.DS_Store'), 'x');
    writeFileSync(path.join(shard, foreign.toUpperCase().replace('0', 'F')), 'x');
    writeFileSync(path.join(shard, otherShard), 'x');
    mkdirSync(path.join(shard, foreign));
    symlinkSync('nowhere', path.join(shard, foreign.replace(/0$/, '1')));
    writeFileSync(path.join(folder, 'data', 'a'.repeat(64)), 'x');
    writeFileSync(path.join(folder, 'data', 'file'), 'x');
    mkdirSync(path.join(folder, 'data', 'GG'));
    rmSync(path.join(folder, 'data', '0e'), { recursive: true, force: true });
    if (!file.name.startsWith('0e')) writeFileSync(path.join(folder, 'data', '0e'), 'x');
    writeFileSync(path.join(folder, 'index', 'notes.txt'), 'x');
    expect(await listAll(storage, 'pack')).toEqual([{ name: file.name, size: content.length }]);
    expect(await listAll(storage, 'index')).toEqual([]);
  });

  test('gives nothing for a folder that a repository lacks', async () => {
    await storage.save(fileFor(content, 'config'), [content]);
    for (const each of ['data', 'index', 'locks', 'snapshots', 'keys']) rmSync(path.join(folder, each), { recursive: true });
    for (const kind of fileKinds) expect(await listAll(storage, kind)).toHaveLength(kind === 'config' ? 1 : 0);
    expect(await codeOf(storage.load(file))).toBe('file-not-found');
  });
});

describe('a repository that vanishes', () => {
  const everyCall: [string, () => Promise<unknown>][] = [
    ['save', () => storage.save(fileFor(Buffer.of()), [])],
    ['save of a config', () => storage.save(fileFor(content, 'config'), [content])],
    ['load', () => storage.load(file)],
    ['size', () => storage.size(file)],
    ['list of packs', () => listAll(storage, 'pack')],
    ['list of snapshots', () => listAll(storage, 'snapshot')],
    ['list of configs', () => listAll(storage, 'config')],
    ['load of the config', () => storage.load(fileFor(content, 'config'))],
    ['remove', () => storage.remove(file)],
  ];

  test.each(everyCall)('with its folder is gone for %s, which brings nothing back', async (_, call) => {
    await storage.save(file, [content]);
    renameSync(folder, path.join(parent, 'away'));
    expect(await codeOf(call())).toBe('storage-gone');
    expect(readdirSync(parent)).toEqual(['away']);
    renameSync(path.join(parent, 'away'), folder);
    expect(await storage.size(file)).toBe(content.length);
  });

  test.each(everyCall)('and leaves the empty folder of a mount point is gone for %s, which writes nothing there', async (_, call) => {
    await storage.save(file, [content]);
    renameSync(folder, path.join(parent, 'away'));
    mkdirSync(folder);
    expect(await codeOf(call())).toBe('storage-gone');
    expect(readdirSync(folder)).toEqual([]);
  });

  test('is gone for a new storage as well, once its folder is not there', async () => {
    const other = new LocalStorage(path.join(parent, 'never'));
    for (const call of [
      () => other.load(file),
      () => other.size(file),
      () => other.save(file, []),
      () => other.remove(file),
      () => listAll(other, 'pack'),
      () => other.load({ kind: 'config', name: '' }),
    ])
      expect(await codeOf(call())).toBe('storage-gone');
  });

  test('while packs are listed breaks the listing', async () => {
    for (let n = 0; n < 400; n++) writeFileSync(storage.localPath(fileFor(Buffer.from(`${n}`))), '');
    const fresh = new LocalStorage(folder);
    const listing = async (): Promise<void> => {
      for await (const _ of fresh.list('pack')) {
        if (existsSync(folder)) renameSync(folder, path.join(parent, 'away'));
        mkdirSync(folder, { recursive: true });
      }
    };
    expect(await codeOf(listing())).toBe('storage-gone');
  });
});

describe('an empty folder where no repository was seen', () => {
  test('lists nothing and holds no file', async () => {
    const other = new LocalStorage(path.join(parent, 'empty'));
    mkdirSync(other.location);
    for (const kind of fileKinds) expect(await listAll(other, kind)).toEqual([]);
    expect(await codeOf(other.load({ kind: 'config', name: '' }))).toBe('file-not-found');
    for (const kind of fileKinds) expect(await codeOf(other.save(fileFor(content, kind), [content]))).toBe('storage-gone');
    expect(readdirSync(other.location)).toEqual([]);
  });
});

test.each(fileKinds.filter((kind) => kind !== 'pack'))('a file of absurd size is damage (%s), and takes no memory', async (kind) => {
  const absurd = fileFor(content, kind);
  writeFileSync(storage.localPath(absurd), '');
  truncateSync(storage.localPath(absurd), 2 ** 40);
  expect(await codeOf(storage.load(absurd))).toBe('item-tampered');
  expect(await storage.load(absurd, { offset: 2 ** 39, length: 10 })).toEqual(Buffer.alloc(10));
});

describe('saving', () => {
  test('leaves no temporary file, whether it succeeds or not', async () => {
    await storage.save(file, [content]);
    await codeOf(storage.save(file, [content]));
    await Promise.allSettled(Array.from({ length: 10 }, () => storage.save(fileFor(content, 'config'), [content])));
    expect(entries().toSorted()).toEqual(['config', path.join('data', file.name.slice(0, 2), file.name)].toSorted());
  });

  test('does not replace a folder that has the name', async () => {
    mkdirSync(storage.localPath(file));
    expect(await codeOf(storage.save(file, [content]))).toBe('file-exists');
    expect(statSync(storage.localPath(file)).isDirectory()).toBe(true);
  });

  test('lets one of many storages of this process succeed', async () => {
    for (const kind of fileKinds) {
      const results = await Promise.allSettled(
        Array.from({ length: 10 }, (_, n) => new LocalStorage(folder).save(fileFor(content, kind), [Buffer.from(`${n}`)])),
      );
      expect(results.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
      const winner = results.findIndex(({ status }) => status === 'fulfilled');
      expect(Buffer.from(await storage.load(fileFor(content, kind))).toString()).toBe(`${winner}`);
    }
  });

  test('gives the reason of a failure that is none of the storage', async () => {
    const broken = { byteLength: 3, length: 3 } as unknown as Uint8Array;
    await expect(storage.save(file, [broken])).rejects.toMatchObject({ code: 'storage-failed', retryable: false });
    expect(entries()).toEqual([]);
  });
});

test('loads a folder that has the name of a file with an error', async () => {
  mkdirSync(storage.localPath(file));
  await expect(storage.load(file)).rejects.toMatchObject({ code: 'storage-failed', retryable: false });
});

describe('what killed saves left', () => {
  const old = new Date(1_600_000_000_000);
  const before = old.getTime() + day;

  function leftover(name: string, time: Date): void {
    writeFileSync(path.join(folder, name), 'half');
    utimesSync(path.join(folder, name), time, time);
  }

  test('is removed when it is old enough, wherever it lies, also what restic left', async () => {
    await storage.save(file, [content]);
    await storage.save(fileFor(content, 'config'), [content]);
    const hex = 'ab'.repeat(32);
    const stale = [
      'config-tmp-0123456789abcdef',
      `data/ab/${hex}-tmp-99`,
      `index/${hex}-tmp-0`,
      `keys/${hex}-tmp-a1`,
      `locks/${hex}-tmp-1`,
      `snapshots/${hex}-tmp-1`,
    ];
    const others = ['notes-tmp-1', `index/${hex}-tmp-`, `index/${hex}-tmp-1.txt`, `index/x${hex}-tmp-1`, `data/${hex}`];
    for (const name of [...stale, ...others]) leftover(name, old);
    leftover(`index/${hex}-tmp-2`, new Date(before + 1));
    mkdirSync(path.join(folder, `locks/${hex}-tmp-3`));
    utimesSync(path.join(folder, `locks/${hex}-tmp-3`), old, old);
    const kept = entries().filter((entry) => !stale.includes(entry.replaceAll('\\', '/')));
    expect(await storage.removeLeftovers(before)).toBe(stale.length);
    expect(entries().toSorted()).toEqual(kept.toSorted());
    expect(await storage.removeLeftovers(before)).toBe(0);
    expect(await storage.size(file)).toBe(content.length);
  });

  test('does not stand in the way of a new save', async () => {
    leftover(`data/${file.name.slice(0, 2)}/${file.name}-tmp-1`, old);
    expect(await listAll(storage, 'pack')).toEqual([]);
    await storage.save(file, [content]);
    expect(await listAll(storage, 'pack')).toHaveLength(1);
  });
});

test('knows where a file lies without asking the disk', () => {
  const files: StoredFile[] = fileKinds.map((kind) => fileFor(content, kind));
  const { name } = file;
  expect(files.map((each) => path.relative(folder, storage.localPath(each)).replaceAll('\\', '/'))).toEqual([
    'config',
    `keys/${name}`,
    `snapshots/${name}`,
    `index/${name}`,
    `locks/${name}`,
    `data/${name.slice(0, 2)}/${name}`,
  ]);
});
