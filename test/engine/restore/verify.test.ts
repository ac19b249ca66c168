import { execFileSync } from 'node:child_process';
import {
  appendFileSync,
  closeSync,
  existsSync,
  mkdirSync,
  openSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  truncateSync,
  unlinkSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import type { Repository } from '../../../src/repository/repository.ts';
import { backup, makeRepository, problemLines, restore } from '../../support/engine.ts';
import { beginRestoring } from '../../support/restoring.ts';
import { scratch, sharedScratch, symlink, tree } from '../../support/tree-literal.ts';

const dir = sharedScratch('verify');
const source = join(dir, 'source');
const path = Buffer.from(source);
const large = Buffer.from(Array.from({ length: 300_000 }, (_, i) => `line ${i * 7919}`).join('\n'));
let repository: Repository;

beforeAll(async () => {
  tree(source, {
    'large.bin': large,
    'small.txt': 'small',
    'empty.txt': '',
    link: symlink('small.txt'),
    sub: { 'a.txt': 'aaaa', 'b.txt': 'bbbb' },
  });
  repository = await makeRepository(join(dir, 'repository'));
  await backup(repository, source);
});

/** Calls `act` once, when everything is restored and nothing is verified yet. */
const between = (ready: () => boolean, act: () => void) => {
  let done = false;
  return {
    onProgress: ({ phase }: { phase: string }) => {
      if (done || phase !== 'restoring' || !ready()) return;
      done = true;
      act();
    },
  };
};

function flip(file: string, at: number): void {
  const fd = openSync(file, 'r+');
  writeSync(fd, Buffer.of(readFileSync(file)[at]! ^ 1), 0, 1, at);
  closeSync(fd);
}

const isWhole = (target: string): boolean =>
  existsSync(join(target, 'large.bin')) && existsSync(join(target, 'sub', 'b.txt')) && existsSync(join(target, 'link'));

/** Restores into a new folder, and does some harm there before it is verified. */
async function harmed(harm: (target: string) => void) {
  const target = scratch('verify');
  const moment = between(
    () => isWhole(target),
    () => harm(target),
  );
  return { target, problems: (await restore(repository, target, { path, verify: true, ...moment })).problems };
}

describe('--verify', () => {
  test('compares every entry, and finds nothing when nothing is wrong', async () => {
    const target = scratch('verify');
    const { problems, verified } = await restore(repository, target, { path, verify: true });
    expect(problems).toEqual([]);
    expect(verified).toEqual({ entries: 6, bytes: large.length + 5 + 8 });
  });

  test.each<[string, string, (target: string) => void]>([
    ['a changed bit in the middle', 'large.bin', (target) => flip(join(target, 'large.bin'), large.length >> 1)],
    ['a changed last byte', 'large.bin', (target) => flip(join(target, 'large.bin'), large.length - 1)],
    ['a lost end', 'large.bin', (target) => truncateSync(join(target, 'large.bin'), large.length - 1)],
    ['a byte too many', 'small.txt', (target) => appendFileSync(join(target, 'small.txt'), '!')],
    ['content where none belongs', 'empty.txt', (target) => appendFileSync(join(target, 'empty.txt'), '!')],
    ['a link that leads elsewhere', 'link', (target) => (unlinkSync(join(target, 'link')), symlinkSync('sub', join(target, 'link')))],
    [
      'a folder instead of a file',
      'sub/a.txt',
      (target) => (unlinkSync(join(target, 'sub', 'a.txt')), mkdirSync(join(target, 'sub', 'a.txt'))),
    ],
    ['a missing file', 'sub/b.txt', (target) => unlinkSync(join(target, 'sub', 'b.txt'))],
  ])('finds %s', async (_, name, harm) => {
    const { target, problems } = await harmed(harm);
    expect(problemLines(problems)).toEqual([`differs: ${join(target, name)}`]);
  });

  test('reports every file of a folder that is gone', async () => {
    const { target, problems } = await harmed((place) => rmSync(join(place, 'sub'), { recursive: true }));
    expect(problemLines(problems)).toContain(`differs: ${join(target, 'sub', 'a.txt')}`);
    expect(problemLines(problems)).toContain(`differs: ${join(target, 'sub', 'b.txt')}`);
  });

  test('compares what was restored beside another file, not what was kept', async () => {
    const target = tree(scratch('verify'), { 'small.txt': 'mine, and not the same' });
    const settings = { path, verify: true, overwrite: 'keep-both' } as const;
    expect((await restore(repository, target, settings)).problems).toEqual([]);
    const beside = execFileSync('find', [target, '-name', 'small (restored*'], { encoding: 'utf8' }).trim();
    expect(readFileSync(beside, 'utf8')).toBe('small');
    const { problems } = await restore(repository, target, {
      ...settings,
      ...between(
        () => true,
        () => appendFileSync(beside, '!'),
      ),
    });
    expect(problemLines(problems)).toEqual([`differs: ${beside}`]);
    expect(
      (await restore(repository, tree(scratch('verify'), { 'small.txt': 'mine' }), { path, verify: true, overwrite: 'never' })).problems,
    ).toEqual([]);
  });

  test('finds a byte that is wrong on the disk only, while memory still holds the right one', async () => {
    const work = scratch('disk');
    const [image, target] = [join(work, 'image'), join(work, 'mounted')];
    mkdirSync(target);
    execFileSync('truncate', ['-s', '64M', image]);
    execFileSync('mkfs.ext4', ['-q', '-F', image]);
    execFileSync('mount', ['-o', 'loop', image, target]);
    onTestFinished(() => void execFileSync('umount', ['-l', target]));
    let inMemory: Buffer | undefined;
    const harm = (): void => {
      execFileSync('sync', ['-f', target]);
      const at = readFileSync(image).indexOf(large.subarray(1 << 20, (1 << 20) + 64));
      expect(at).toBeGreaterThan(0);
      const fd = openSync(image, 'r+');
      writeSync(fd, 'X', at);
      closeSync(fd);
      inMemory = readFileSync(join(target, 'large.bin'));
    };
    const { problems } = await restore(repository, target, {
      path,
      verify: true,
      ...between(() => isWhole(target) && statSync(join(target, 'large.bin')).size === large.length, harm),
    });
    expect(inMemory!.equals(large)).toBe(true);
    expect(problemLines(problems)).toEqual([`differs: ${join(target, 'large.bin')}`]);
  });

  test('has everything on the disk, forgets what memory holds of each file, and only then reads it', async () => {
    const work = scratch('traced');
    const target = join(work, 'target');
    const log = join(work, 'trace');
    const under = ['strace', '-f', '-y', '-s', '0', '-e', 'trace=syncfs,fadvise64,read,pread64', '-o', log];
    const { problems, verified } = (await beginRestoring(join(dir, 'repository'), { target, path: source, verify: true }, { under })
      .report)!;
    expect(problems).toEqual([]);
    expect(verified!.entries).toBe(6);
    const lines = readFileSync(log, 'utf8').split('\n');
    const synced = lines.findIndex((line) => line.includes('syncfs(') && line.includes(target));
    expect(synced).toBeGreaterThan(-1);
    for (const name of ['large.bin', 'small.txt', 'sub/a.txt', 'sub/b.txt']) {
      const dropped = lines.findIndex(
        (line) => line.includes('fadvise64(') && line.includes(`${join(target, name)}>`) && line.includes('DONTNEED'),
      );
      const read = lines.findIndex((line) => /p?read(64)?\(/.test(line) && line.includes(`${join(target, name)}>`));
      expect(dropped, name).toBeGreaterThan(synced);
      expect(read, name).toBeGreaterThan(dropped);
    }
  });
});
