/**
 * The judge on trial, with restic and `cp -a` alone as the tools under test: it accepts a true round trip of the nasty
 * tree and condemns every kind of damage.
 */
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  chmodSync,
  existsSync,
  linkSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { expectCleanCheck, expectNothingNew, expectSameTree, expectSnapshotRestores, expectSparse } from '../support/judge.ts';
import { buildNastyTree } from '../support/nasty-tree.ts';
import { Restic } from '../support/restic.ts';
import { scratch, sharedScratch, tree } from '../support/tree-literal.ts';

const SECOND = 1_000_000_000n;

describe('the judge of trees', () => {
  const folder = sharedScratch('judge');
  const source = join(folder, 'source');

  beforeAll(async () => {
    await buildNastyTree(source, { small: true, socket: true, farFuture: true });
  });

  /** A true copy of the tree, made by a program that is neither restic nor rsync. */
  function copy(): string {
    const target = join(scratch('copy'), 'copy');
    execFileSync('cp', ['-a', '--sparse=always', source, target]);
    rmSync(join(target, 'special/socket'));
    setTime(join(target, 'special'), modified(join(source, 'special')));
    return target;
  }

  /** Runs `damage` on a true copy and returns what the judge says about it. */
  async function complaint(damage: (copied: string) => void): Promise<string> {
    const copied = copy();
    damage(copied);
    return expectSameTree(source, copied).then(
      () => 'accepted',
      (error: unknown) => String(error),
    );
  }

  test('accepts a true copy, with the socket left out', async () => {
    await expect(expectSameTree(source, copy())).resolves.toBeUndefined();
  });

  test('condemns an empty restore', async () => {
    await expect(expectSameTree(source, scratch('empty'))).rejects.toThrow(/missing/);
  });

  test('condemns a restore that has only the folders', async () => {
    const said = await complaint((copied) => execFileSync('find', [copied, '!', '-type', 'd', '-delete']));
    expect(said).toMatch(/content\/one byte': missing/);
  });

  test('condemns an extra file', async () => {
    expect(await complaint((copied) => keepingTime(copied, () => writeFileSync(join(copied, 'extra'), '')))).toMatch(
      /extra': not in the source/,
    );
  });

  test('condemns a socket that was restored', async () => {
    const said = await complaint((copied) => {
      const script = 'import os, socket, sys; os.chdir(sys.argv[1]); socket.socket(socket.AF_UNIX).bind("fake")';
      keepingTime(join(copied, 'special'), () => execFileSync('/usr/bin/python3', ['-c', script, join(copied, 'special')]));
    });
    expect(said).toMatch(/special\/fake': not in the source/);
  });

  test.each([
    ['a file', 'times/file ns'],
    ['a file of 1969', 'times/file one ns before 1970'],
    ['a file of 2106', 'times/file 2106'],
    ['a folder', 'times/folder ns'],
    ['the restored folder itself', '.'],
    ['a symbolic link', 'times/symlink ns'],
    ['a FIFO', 'special/fifo'],
    ['a device', 'special/null'],
  ])('condemns one changed nanosecond on %s', async (_, path) => {
    const said = await complaint((copied) => setTime(join(copied, path), modified(join(copied, path)) + 1n));
    expect(said).toMatch(/rsync: /);
    expect(said).toMatch(/mtime is/);
  });

  test('condemns a year that lost its upper 32 bits', async () => {
    const said = await complaint((copied) =>
      setTime(join(copied, 'times/file 2106'), modified(join(copied, 'times/file 2106')) - (SECOND << 32n)),
    );
    expect(said).toMatch(/times\/file 2106': mtime is/);
  });

  test.each([
    ['a missing attribute', ['setfattr', '-h', '-x', 'user.binary'], 'xattrs/several'],
    ['a missing empty attribute', ['setfattr', '-h', '-x', 'user.empty'], 'xattrs/several'],
    ['a changed attribute', ['setfattr', '-h', '-n', 'user.zero', '-v', '0x01'], 'xattrs/several'],
    ['an extra attribute', ['setfattr', '-h', '-n', 'user.extra', '-v', ''], 'content/empty'],
    ['a missing attribute of a folder', ['setfattr', '-h', '-x', 'user.folder'], 'xattrs/folder'],
    ['a missing trusted attribute', ['setfattr', '-h', '-x', 'trusted.holdfast'], 'xattrs/several'],
    ['a missing trusted attribute of a symbolic link', ['setfattr', '-h', '-x', 'trusted.symlink'], 'xattrs/symlink'],
    ['a missing capability', ['setfattr', '-h', '-x', 'security.capability'], 'xattrs/capability'],
    ['a missing access list', ['setfacl', '-b'], 'acls/file'],
    ['a missing default access list', ['setfacl', '-k'], 'acls/folder'],
    ['a missing entry of an access list', ['setfacl', '-x', 'g:54322'], 'acls/file'],
    ['another owner', ['chown', '-h', '1:54322'], 'owners/symlink'],
    ['another group', ['chgrp', '0'], 'owners/54321-54322'],
    ['a lost setuid bit', ['chmod', 'u-s'], 'modes/4755'],
    ['a lost sticky bit', ['chmod', '-t'], 'modes/folder 1777'],
    ['another permission', ['chmod', '0640'], 'modes/0600'],
  ])('condemns %s', async (_, command, path) => {
    const said = await complaint((copied) => execFileSync(command[0]!, [...command.slice(1), join(copied, path)]));
    expect(said).toContain(`rsync: `);
    expect(said).toContain(`./${path}'`);
  });

  test('condemns a changed byte where size and time are the same', async () => {
    const said = await complaint((copied) => {
      const path = join(copied, 'content/random');
      keepingTime(path, () => {
        const bytes = readFileSync(path);
        bytes[2_000_000]! ^= 1;
        writeFileSync(path, bytes);
      });
    });
    expect(said).toMatch(/rsync: >fc\S* content\/random/);
  });

  test('condemns a file cut short', async () => {
    expect(await complaint((copied) => truncateSync(join(copied, 'content/size 4097'), 4096))).toMatch(/size is 4096, not 4097/);
  });

  test('condemns a hard link that became a file of its own', async () => {
    const said = await complaint((copied) => {
      const path = join(copied, 'links/b/third');
      keepingTime(join(copied, 'links/b'), () =>
        execFileSync('sh', ['-c', 'cp -p --preserve=all "$1" "$1.new" && mv "$1.new" "$1"', 'sh', path]),
      );
    });
    expect(said).toMatch(/links\/b\/third': hard link of is None/);
  });

  test('condemns equal files that became hard links', async () => {
    const said = await complaint((copied) => {
      const links = join(copied, 'links');
      keepingTime(links, () => {
        const time = modified(join(links, 'equal content 2'));
        rmSync(join(links, 'equal content 2'));
        linkSync(join(links, 'equal content 1'), join(links, 'equal content 2'));
        setTime(join(links, 'equal content 1'), time);
      });
    });
    expect(said).toMatch(/equal content 2': hard link of is/);
  });

  test('condemns another link target and another device number', async () => {
    const said = await complaint((copied) => {
      const script = 'cd "$1" && rm dangling && ln -s no/such/filf dangling && cd ../special && rm null && mknod null c 1 5';
      execFileSync('sh', ['-c', script, 'sh', join(copied, 'symlinks')]);
    });
    expect(said).toMatch(/dangling': target is b'no\/such\/filf'/);
    expect(said).toMatch(/special\/null': device is 1:5, not 1:3/);
  });

  test('tells two names that are not UTF-8 apart', async () => {
    const said = await complaint((copied) =>
      execFileSync('bash', ['-c', "cd \"$1\" && mv $'caf\\xe9' $'caf\\xe8'", 'bash', join(copied, 'names')]),
    );
    expect(said).toMatch(/names\/caf\\xe9': missing/);
    expect(said).toMatch(/names\/caf\\xe8': not in the source/);
  });

  test('takes a filled hole for no difference, but tells it when asked about holes', async () => {
    const target = join(scratch('filled'), 'copy');
    const holes = tree(scratch('holes'), { 'all hole': '' });
    truncateSync(join(holes, 'all hole'), 8 << 20);
    execFileSync('cp', ['-a', '--sparse=never', holes, target]);
    await expect(expectSameTree(holes, target)).resolves.toBeUndefined();
    await expect(expectSparse(holes, target)).rejects.toThrow(/all hole.*8388608 of 8388608 bytes are allocated/);
    await expectSparse(holes, holes);
  });
});

describe('the judge of repositories', () => {
  const folder = sharedScratch('judge');
  const source = join(folder, 'source');
  const restic = new Restic(join(folder, 'repository'), 'correct horse');

  beforeAll(async () => {
    const { leftOut } = await buildNastyTree(source, { socket: true });
    // As root on an ordinary file system every kind of entry takes part; less would prove less than it seems.
    expect(leftOut).toEqual([]);
    await restic.init();
    await restic.backup([source]);
  });

  test('accepts what restic stored: clean, restorable, nothing new', async () => {
    await expect(expectCleanCheck(restic)).resolves.toBeUndefined();
    await expect(expectSnapshotRestores(restic, 'latest', source)).resolves.toBeUndefined();
    await expect(expectNothingNew(restic, [source])).resolves.toMatchObject({ data_blobs: 0 });
  });

  test('condemns a snapshot whose files have changed since, and names each difference', async () => {
    const { files, repository } = await smallRepository();
    writeFileSync(join(files, 'docs/a.txt'), 'hellO');
    chmodSync(join(files, 'docs/b.bin'), 0o611);
    // The source folder itself is no folder above the source.
    setTime(files, modified(files) + 1n);
    await expect(expectSnapshotRestores(repository, 'latest', files)).rejects.toThrow(/a\.txt/);
    const said = await expectNothingNew(repository, [files]).then(String, String);
    expect(said).toMatch(/1 new data blobs/);
    expect(said).toMatch(/docs\/a\.txt: content is/);
    expect(said).toMatch(/docs\/b\.bin: mode is 420 in the repository, 393 for restic/);
    expect(said).toMatch(/files: mtime is/);
  });

  test('accepts that folders above the source have changed', async () => {
    const { files, repository } = await smallRepository();
    setTime(join(files, '..'), 7n * SECOND);
    const summary = await expectNothingNew(repository, [files]);
    expect(summary.tree_blobs).toBeGreaterThan(0);
  });

  test('accepts a changed folder only where it is allowed', async () => {
    const { files, repository } = await smallRepository();
    const first = (await repository.snapshots())[0]!.id;
    writeFileSync(join(files, 'docs/empty'), '');
    await expect(expectNothingNew(repository, [files], { against: first })).rejects.toThrow(/docs\/empty: only in the new snapshot/);
    await expectNothingNew(repository, [files], { against: first, allowedTreePaths: [join(files, 'docs'), files] });
  });

  test('condemns another chunker polynomial', async () => {
    const files = tree(join(scratch('files'), 'files'), {
      random: createHash('shake256', { outputLength: 6 << 20 })
        .update('seed')
        .digest(),
    });
    const { repository } = await smallRepository();
    await repository.backup([files]);
    const other = new Restic(join(scratch('other'), 'repository'), 'battery staple');
    await other.init();
    await other.copyFrom(repository);
    // The copy itself is sound: only the places where files are cut would differ.
    await expectCleanCheck(other);
    await expectNothingNew(repository, [files]);
    await expect(expectNothingNew(other, [files])).rejects.toThrow(/new data blobs.*random: content is/s);
  });

  test('accepts a copy into a repository of the same polynomial', async () => {
    const { files, repository } = await smallRepository();
    const other = new Restic(join(scratch('other'), 'repository'), 'battery staple');
    await other.init({ copyChunkerParamsFrom: repository });
    await other.copyFrom(repository);
    await expect(expectNothingNew(other, [files])).resolves.toMatchObject({ data_blobs: 0 });
  });

  test.each(['first', 'middle', 'last'])('condemns a pack with one flipped bit in its %s byte', async (place) => {
    const { repository } = await smallRepository();
    const [pack] = storedFiles(join(repository.repository, 'data'));
    const { size } = statSync(pack!);
    flipBit(pack!, { first: 0, middle: size >> 1, last: size - 1 }[place]!);
    await expect(expectCleanCheck(repository)).rejects.toThrow(/exited with 1/);
  });

  test('condemns a missing pack, and a pack that no index knows', async () => {
    const missing = (await smallRepository()).repository;
    rmSync(storedFiles(join(missing.repository, 'data'))[0]!);
    await expect(expectCleanCheck(missing)).rejects.toThrow(/exited with 1/);

    const stray = (await smallRepository()).repository;
    const other = (await smallRepository()).repository;
    const [pack] = storedFiles(join(other.repository, 'data'));
    const place = pack!.replace(other.repository, stray.repository);
    mkdirSync(join(place, '..'), { recursive: true });
    writeFileSync(place, readFileSync(pack!));
    await expect(expectCleanCheck(stray)).rejects.toThrow(/1 additional files were found/);
    await expectCleanCheck(stray, { unindexedPacks: true });
  });

  test('does not take a wrong password for a clean repository', async () => {
    const { repository } = await smallRepository();
    const stranger = new Restic(repository.repository, 'guess');
    await expect(expectCleanCheck(stranger)).rejects.toThrow(/exited with 12/);
    await expect(expectCleanCheck(new Restic(join(scratch('none'), 'absent'), 'x'))).rejects.toThrow(/exited with 10/);
  });
});

/** An empty repository to copy: making one takes restic seconds, as it calibrates the key and writes many folders. */
const empty = new Restic(join(sharedScratch('empty'), 'repository'), 'secret');

async function smallRepository(): Promise<{ files: string; repository: Restic }> {
  const dir = scratch('small');
  const files = tree(join(dir, 'files'), { docs: { 'a.txt': 'hello', 'b.bin': Buffer.alloc(100_000, 7) }, more: {} });
  if (!existsSync(empty.repository)) await empty.init();
  execFileSync('cp', ['-a', empty.repository, join(dir, 'repository')]);
  const repository = new Restic(join(dir, 'repository'), 'secret');
  await repository.backup([files]);
  return { files, repository };
}

function storedFiles(dir: string): string[] {
  return readdirSync(dir, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name));
}

function flipBit(path: string, offset: number): void {
  const bytes = readFileSync(path);
  bytes[offset]! ^= 0x10;
  chmodSync(path, 0o600);
  writeFileSync(path, bytes);
}

/** The modification time in nanoseconds since 1970, as Python sees it. */
function modified(path: string): bigint {
  return BigInt(
    execFileSync('/usr/bin/python3', ['-c', 'import os, sys; print(os.lstat(sys.argv[1]).st_mtime_ns)', path]).toString().trim(),
  );
}

function setTime(path: string, instant: bigint): void {
  const script = 'import os, sys; os.utime(sys.argv[1], ns=(int(sys.argv[2]),) * 2, follow_symlinks=False)';
  execFileSync('/usr/bin/python3', ['-c', script, path, String(instant)]);
}

function keepingTime(path: string, change: () => void): void {
  const instant = modified(path);
  change();
  setTime(path, instant);
}
