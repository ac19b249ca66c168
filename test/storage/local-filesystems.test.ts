import { spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { chmodSync, chownSync, mkdirSync, mkdtempSync, readdirSync, rmSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { LocalStorage } from '../../src/storage/local.ts';
import type { StoredFile } from '../../src/storage/storage.ts';
import { codeOf, fileFor, listAll } from '../support/storage-suite.ts';
import { must } from '../support/volumes.ts';

const child = path.join(import.meta.dirname, '..', 'support', 'storage-process.ts');
const isRoot = process.getuid?.() === 0;

const ran = (program: string, ...args: string[]): boolean => spawnSync(program, args, { stdio: 'ignore' }).status === 0;

/** Whether this machine lets tests mount: root, and not in a container without the right. */
const canMount = ((): boolean => {
  if (!isRoot || process.platform !== 'linux') return false;
  const probe = mkdtempSync(path.join(tmpdir(), 'holdfast-mount-'));
  const mounted = ran('mount', '-t', 'tmpfs', 'tmpfs', probe) && ran('umount', '-l', probe);
  rmSync(probe, { recursive: true });
  return mounted;
})();

let parent: string;
let mountPoint: string;

beforeEach(() => {
  parent = mkdtempSync(path.join(tmpdir(), 'holdfast-disk-'));
  chmodSync(parent, 0o755);
  mountPoint = path.join(parent, 'disk');
  mkdirSync(mountPoint);
});

afterEach(() => {
  while (ran('mountpoint', '-q', mountPoint)) ran('umount', '-l', mountPoint);
  rmSync(parent, { recursive: true });
});

function mountImage(...options: string[]): void {
  const image = path.join(parent, 'image');
  writeFileSync(image, '');
  truncateSync(image, 12_000_000);
  expect(ran('mkfs.ext4', '-q', '-m', '0', '-N', '2000', image)).toBe(true);
  expect(ran('mount', '-o', ['loop', ...options].join(','), image, mountPoint)).toBe(true);
}

const canLoop = canMount && ran('sh', '-c', 'command -v mkfs.ext4 && test -e /dev/loop-control');

const disks: [string, boolean, () => void][] = [
  ['ext4', canLoop, () => mountImage()],
  ['tmpfs', canMount, () => expect(ran('mount', '-t', 'tmpfs', '-o', 'size=8m', 'tmpfs', mountPoint)).toBe(true)],
];

const temporaries = (folder: string): string[] =>
  readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((name) => name.includes('-tmp-'));

describe.each(disks)('a full disk (%s)', (_, possible, mount) => {
  test.skipIf(!possible)(
    'fails a save with storage-full, keeps nothing of it and everything else, and works again when there is room',
    async () => {
      mount();
      const storage = new LocalStorage(path.join(mountPoint, 'repository'));
      await storage.create();
      const saved: StoredFile[] = [];
      // Both ways of finding out: when space is reserved (large files) and when it is written (small ones).
      for (const size of [1_500_000, 100_000, 5000]) {
        let code = '';
        while (code === '') {
          const content = randomBytes(size);
          await storage.save(fileFor(content), [content.subarray(0, 1000), content.subarray(1000)]).then(
            () => saved.push(fileFor(content)),
            (error: { code: string }) => {
              code = error.code;
            },
          );
        }
        expect([size, code]).toEqual([size, 'storage-full']);
        expect(temporaries(storage.location)).toEqual([]);
        expect((await listAll(storage, 'pack')).map(({ name }) => name)).toEqual(saved.map(({ name }) => name).toSorted());
      }
      for (const file of saved) expect(fileFor(await storage.load(file))).toEqual(file);
      await storage.remove(saved[0]!);
      const again = randomBytes(1_000_000);
      await storage.save(fileFor(again), [again]);
    },
  );
});

describe('a read-only disk', () => {
  test.skipIf(!canLoop)('is read as always and fails every change with storage-read-only', async () => {
    mountImage();
    const storage = new LocalStorage(path.join(mountPoint, 'repository'));
    await storage.create();
    const content = Buffer.from('content');
    await storage.save(fileFor(content), [content]);
    expect(ran('mount', '-o', 'remount,ro', mountPoint)).toBe(true);
    const other = fileFor(Buffer.of());
    expect(await codeOf(storage.save(other, []))).toBe('storage-read-only');
    expect(await codeOf(storage.remove(fileFor(content)))).toBe('storage-read-only');
    expect(await codeOf(new LocalStorage(path.join(mountPoint, 'new')).create())).toBe('storage-read-only');
    await storage.create();
    expect(Buffer.from(await storage.load(fileFor(content))).equals(content)).toBe(true);
    expect(await listAll(storage, 'pack')).toHaveLength(1);
  });
});

describe('a disk that is taken away', () => {
  test.skipIf(!canMount)('is gone for every call, and its mount point stays empty', async () => {
    expect(ran('mount', '-t', 'tmpfs', 'tmpfs', mountPoint)).toBe(true);
    const storage = new LocalStorage(mountPoint);
    await storage.create();
    const content = Buffer.from('content');
    await storage.save(fileFor(content, 'config'), [content]);
    await storage.save(fileFor(content), [content]);
    must('umount', mountPoint);
    for (const call of [
      () => storage.save(fileFor(Buffer.of()), []),
      () => storage.save(fileFor(content, 'snapshot'), [content]),
      () => storage.load(fileFor(content)),
      () => storage.size(fileFor(content)),
      () => storage.remove(fileFor(content)),
      () => listAll(storage, 'pack'),
      () => listAll(storage, 'snapshot'),
    ])
      expect(await codeOf(call())).toBe('storage-gone');
    expect(readdirSync(mountPoint)).toEqual([]);
  });

  test.skipIf(!canMount)('in the middle of many saves fails those that are left and writes nothing into the mount point', async () => {
    expect(ran('mount', '-t', 'tmpfs', 'tmpfs', mountPoint)).toBe(true);
    const storage = new LocalStorage(mountPoint);
    await storage.create();
    let done = 0;
    let unmounted = false;
    // Ten savers, each one file after the other, so that at any moment some saves are at each of their steps.
    const saver = async (_: unknown, number: number): Promise<void> => {
      for (let n = 0; n < 40; n++) {
        const content = Buffer.from(`${number} ${n}`);
        await storage.save(fileFor(content), [content]);
        if (++done === 100) unmounted = ran('umount', '-l', mountPoint);
      }
    };
    const results = await Promise.allSettled(Array.from({ length: 10 }, saver));
    expect(unmounted).toBe(true);
    for (const result of results) expect(result).toMatchObject({ status: 'rejected', reason: { code: 'storage-gone' } });
    expect(readdirSync(mountPoint)).toEqual([]);
  });
});

/** Root may do everything, so another user's process tries. */
describe.skipIf(!isRoot || process.platform === 'win32')('a folder without permission', () => {
  const nobody = 65534;
  const content = Buffer.from('content');

  const asNobody = (...args: string[]): string => {
    const { stdout, stderr } = spawnSync(process.execPath, [child, ...args], { uid: nobody, gid: nobody, encoding: 'utf8', cwd: '/' });
    return stdout.trim() || stderr;
  };

  const canRun = isRoot && asNobody('list', tmpdir()) === 'ok';

  test.skipIf(!canRun)("is storage-denied for every call when it is another's", async () => {
    const storage = new LocalStorage(path.join(parent, 'repository'));
    await storage.create();
    await storage.save(fileFor(content), [content]);
    for (const verb of ['save', 'load', 'list', 'remove'])
      expect([verb, asNobody(verb, storage.location, fileFor(content).name)]).toEqual([verb, 'storage-denied']);
  });

  test.skipIf(!canRun)('is storage-denied for changes when it may be read, and nothing is left in it', async () => {
    const storage = new LocalStorage(path.join(parent, 'repository'));
    await storage.create();
    const file = fileFor(content);
    await storage.save(file, [content]);
    chmodSync(storage.localPath(file), 0o444);
    for (const folder of [
      '',
      'data',
      path.join('data', file.name.slice(0, 2)),
      ...readdirSync(path.join(storage.location, 'data')).map((each) => path.join('data', each)),
    ])
      chmodSync(path.join(storage.location, folder), 0o755);
    const other = file.name.slice(0, 2) + '0'.repeat(62);
    expect(asNobody('load', storage.location, file.name)).toBe('ok');
    expect(asNobody('list', storage.location)).toBe('ok');
    expect(asNobody('save', storage.location, other)).toBe('storage-denied');
    expect(asNobody('remove', storage.location, file.name)).toBe('storage-denied');
    expect(temporaries(storage.location)).toEqual([]);
    expect(await listAll(storage, 'pack')).toHaveLength(1);
  });

  test.skipIf(!canRun)('does not become one through a refused removal of a read-only file', async () => {
    const storage = new LocalStorage(path.join(parent, 'repository'));
    await storage.create();
    const file = fileFor(content);
    await storage.save(file, [content]);
    chownSync(storage.localPath(file), nobody, nobody);
    for (const folder of ['', 'data', path.join('data', file.name.slice(0, 2))]) chmodSync(path.join(storage.location, folder), 0o755);
    expect(asNobody('remove', storage.location, file.name)).toBe('storage-denied');
    expect(statSync(storage.localPath(file)).mode & 0o777).toBe(0o400);
  });
});
