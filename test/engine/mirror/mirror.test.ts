import { execFileSync } from 'node:child_process';
import {
  appendFileSync,
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  unlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { executeMirror, planMirror } from '../../../src/engine/mirror/mirror.ts';
import type { PlannedEntry } from '../../../src/engine/restore/walk-task.ts';
import { RunControl } from '../../../src/platform/cancellation.ts';
import { systemClock } from '../../../src/platform/clock.ts';
import { canMountDisks, mountDisk } from '../../support/disk.ts';
import { backup, makeRepository, problemLines, runOptions } from '../../support/engine.ts';
import { failureOf } from '../../support/failure-of.ts';
import { factsOf } from '../../support/file-facts.ts';
import { expectSameTree } from '../../support/judge.ts';
import { buildNastyTree } from '../../support/nasty-tree.ts';
import { seededBytes, seededRandom } from '../../support/seeded.ts';
import { beginTarget, killAt } from '../../support/targeting.ts';
import { scratch, symlink, tree } from '../../support/tree-literal.ts';
import { undoWorld } from '../undo/undo-world.ts';
import { mirrorWorld, ownOf, removedFrom, rsyncSays } from './mirror-world.ts';

const random = seededRandom(51);

describe('a mirror', () => {
  test('is equal to the newest snapshot, each time, and writes only what has changed', async () => {
    const { source, target, repository, mirror } = await mirrorWorld();
    const first = await mirror();
    expect(first).toMatchObject({ problems: [], removedTo: undefined });
    await expectSameTree(source, target);
    expect(rsyncSays(source, target)).toBe('');
    const before = factsOf(target);
    tree(source, { 'b.txt': 'changed', new: { 'n.txt': 'n' } });
    rmSync(join(source, 'sub', 'deep'), { recursive: true });
    unlinkSync(join(source, 'link'));
    writeFileSync(join(source, 'link'), 'a file now');
    unlinkSync(join(source, 'sub', 'a too.txt'));
    writeFileSync(join(source, 'sub', 'a too.txt'), 'a');
    chmodSync(join(source, 'sub', 'c.txt'), 0o600);
    utimesSync(join(source, 'empty'), 1, 1);
    await backup(repository, source);
    const { problems, figures, verified, removedTo } = await mirror();
    expect(problems).toEqual([]);
    await expectSameTree(source, target);
    expect(rsyncSays(source, target)).toBe('');
    // Names that were one file and are two are written both.
    const bytes = 'changed'.length + 'n'.length + 'a file now'.length + 2 * 'a'.length;
    expect(figures).toMatchObject({ create: 2, replace: 4, delete: 1, same: 1, bytes });
    // What was changed in any way was read again, and what was not was not.
    expect(verified!.entries).toBe(6);
    const after = factsOf(target);
    expect(after.get('sub/c.txt')!.inode).toBe(before.get('sub/c.txt')!.inode);
    expect(readFileSync(join(removedTo!, 'sub', 'deep', 'd.txt'), 'utf8')).toBe('d');
    expect((await mirror()).figures).toMatchObject({ create: 0, replace: 0, delete: 0, bytes: 0 });
  });

  test('of everything that a tree can hold, made of another such tree', async () => {
    const { dir, target, repository, mirror } = await mirrorWorld();
    const [one, two] = [join(dir, 'one'), join(dir, 'two')];
    await buildNastyTree(one, { small: true, farFuture: true });
    await buildNastyTree(two, { small: true, seed: 2 });
    const [first, second] = [(await backup(repository, one)).snapshot, (await backup(repository, two)).snapshot];
    expect((await mirror({ snapshot: first, path: Buffer.from(one) })).problems).toEqual([]);
    await expectSameTree(one, target);
    const request = { path: Buffer.from(two), snapshot: second, adopt: true };
    expect((await mirror({ ...request, deleteTo: 'remove' })).problems).toEqual([]);
    await expectSameTree(two, target);
    expect(removedFrom(target)).toEqual([]);
  });

  test('of a whole snapshot has full paths, and holds nothing else, not even above the sources', async () => {
    const { dir, source, target, mirror } = await mirrorWorld();
    expect((await mirror({ path: undefined })).problems).toEqual([]);
    await expectSameTree(source, join(target, source));
    tree(join(target, dir), { 'mine.txt': 'mine' });
    tree(target, { 'mine too.txt': 'mine', etc: { x: 'x' } });
    expect((await mirror({ path: undefined, deleteTo: 'remove' })).figures.delete).toBe(3);
    expect(readdirSync(target)).toEqual(['tmp']);
    await expectSameTree(source, join(target, source));
  });

  test('keeps what goes in a folder of the day, each time another one, unless it shall be gone', async () => {
    const { target, mirror } = await mirrorWorld();
    await mirror();
    const days = [];
    for (const text of ['one', 'two']) {
      tree(target, { 'extra.txt': text, extra: { [text]: text, link: symlink('/etc') } });
      days.push((await mirror()).removedTo!);
    }
    expect(days[1]).toBe(`${days[0]}.2`);
    expect(removedFrom(target).length).toBe(6);
    for (const [i, text] of ['one', 'two'].entries()) expect(readFileSync(join(days[i]!, 'extra.txt'), 'utf8')).toBe(text);
    tree(target, { 'extra.txt': 'three' });
    expect((await mirror({ deleteTo: 'remove' })).removedTo).toBeUndefined();
    expect(removedFrom(target).length).toBe(6);
    expect(existsSync(join(target, 'extra.txt'))).toBe(false);
  });

  test('says before what it will do, and does exactly that', async () => {
    const { source, target, known, repository, mirror } = await mirrorWorld();
    const request = { snapshot: 'latest', path: Buffer.from(source), to: target };
    const entries: PlannedEntry[] = [];
    const options = { ...runOptions(), known };
    const first = await planMirror(repository, request, options);
    expect(existsSync(target)).toBe(false);
    expect((await mirror()).figures).toEqual(first.figures);
    tree(target, { 'b.txt': 'other', 'extra.txt': 'extra' });
    const before = factsOf(target);
    const plan = await planMirror(repository, request, options, (entry) => entries.push(entry));
    expect(factsOf(target)).toEqual(before);
    const changes = entries
      .filter(({ action }) => action !== 'same')
      .map(({ action, path }) => `${action} ${Buffer.from(path).toString()}`);
    expect(changes.sort()).toEqual([`delete ${join(target, 'extra.txt')}`, `replace ${join(target, 'b.txt')}`]);
    expect((await mirror()).figures).toEqual(plan.figures);
  });

  test('of which a byte was changed without a trace is put right with --verify', async () => {
    const { source, target, mirror } = await mirrorWorld();
    await mirror();
    execFileSync('cp', ['-p', join(target, 'b.txt'), `${target}.time`]);
    writeFileSync(join(target, 'b.txt'), 'X');
    execFileSync('touch', ['-r', `${target}.time`, join(target, 'b.txt')]);
    expect((await mirror()).figures.replace).toBe(0);
    const { figures, problems, verified } = await mirror({ verify: true });
    expect({ problems, replace: figures.replace }).toEqual({ problems: [], replace: 1 });
    expect(verified!.entries).toBe(6);
    await expectSameTree(source, target);
  });

  test('finds what was written and is not there as it was', async () => {
    const { source, target, known, repository } = await mirrorWorld();
    let isDone = false;
    const onProgress = ({ phase }: { phase: string }): void => {
      if (phase !== 'restoring' || isDone || !existsSync(join(target, 'sub', 'deep', 'd.txt')) || !existsSync(join(target, 'b.txt')))
        return;
      isDone = true;
      appendFileSync(join(target, 'b.txt'), '!');
    };
    const request = { snapshot: 'latest', path: Buffer.from(source), to: target };
    const { problems } = await executeMirror(repository, request, { ...runOptions({ onProgress }), known });
    expect(problemLines(problems)).toEqual([`differs: ${join(target, 'b.txt')}`]);
  });

  test('leaves what lies behind links alone, and follows none', async () => {
    const { dir, source, target, mirror } = await mirrorWorld();
    await mirror();
    const outside = tree(join(dir, 'outside'), { 'c.txt': 'precious', deep: { 'd.txt': 'precious' }, 'x.txt': 'x' });
    const before = factsOf(outside);
    rmSync(join(target, 'sub'), { recursive: true });
    symlinkSync(outside, join(target, 'sub'));
    symlinkSync(outside, join(target, 'more'));
    expect((await mirror()).problems).toEqual([]);
    await expectSameTree(source, target);
    expect(factsOf(outside)).toEqual(before);
    // A link in the place of its own folder leads nobody out, either.
    renameSync(ownOf(target), join(outside, 'own'));
    symlinkSync(join(outside, 'own'), ownOf(target));
    expect(await failureOf(mirror())).toBe('mirror-other');
    expect(await failureOf(mirror({ adopt: true }))).toBe('mirror-other');
  });
});

describe('a folder', () => {
  test('that is not empty and no mirror is refused, unless it is adopted; then nothing of it is lost', async () => {
    const { source, target, mirror } = await mirrorWorld();
    tree(target, { 'a.txt': 'mine', 'mine.txt': 'mine too', sub: 'a file of mine' });
    const before = factsOf(target);
    expect(await failureOf(mirror())).toBe('mirror-not-empty');
    expect(factsOf(target)).toEqual(before);
    const { problems, removedTo } = await mirror({ adopt: true });
    expect(problems).toEqual([]);
    await expectSameTree(source, target);
    expect(['a.txt', 'mine.txt', 'sub'].map((name) => readFileSync(join(removedTo!, name), 'utf8'))).toEqual([
      'mine',
      'mine too',
      'a file of mine',
    ]);
    expect((await mirror()).figures).toMatchObject({ replace: 0, delete: 0 });
  });

  test('that mirrors something else is refused', async () => {
    const { dir, source, target, mirror, known } = await mirrorWorld();
    await mirror();
    const other = await makeRepository(join(dir, 'other'));
    await backup(other, source);
    const before = factsOf(target);
    const request = { snapshot: 'latest', path: Buffer.from(source), to: target };
    expect(await failureOf(executeMirror(other, request, { ...runOptions(), known }))).toBe('mirror-other');
    expect(await failureOf(mirror({ path: Buffer.from(join(source, 'sub')) }))).toBe('mirror-other');
    expect(await failureOf(mirror({ path: undefined }))).toBe('mirror-other');
    writeFileSync(join(ownOf(target), 'mirror.json'), 'nonsense');
    expect(await failureOf(mirror())).toBe('mirror-other');
    rmSync(join(ownOf(target), 'mirror.json'));
    expect(await failureOf(mirror())).toBe('mirror-gone');
    expect(factsOf(target)).toEqual(before);
    expect((await mirror({ adopt: true })).problems).toEqual([]);
    await expectSameTree(source, target);
  });

  test('that is the empty place of a drive with a mirror is not filled, and neither is one that is gone', async () => {
    const { dir, source, target, mirror } = await mirrorWorld();
    await mirror();
    renameSync(target, join(dir, 'unplugged'));
    expect(await failureOf(mirror())).toBe('mirror-gone');
    expect(existsSync(target)).toBe(false);
    mkdirSync(target);
    expect(await failureOf(mirror())).toBe('mirror-gone');
    expect(readdirSync(target)).toEqual([]);
    rmSync(target, { recursive: true });
    renameSync(join(dir, 'unplugged'), target);
    expect((await mirror()).problems).toEqual([]);
    await expectSameTree(source, target);
  });

  test('that vanishes while it is written is an error, and nothing is made in its place', async () => {
    const { source, known, repository, mirror, dir } = await mirrorWorld();
    const drive = join(dir, 'drive');
    const target = join(drive, 'mirror');
    await mirror({ to: target });
    tree(source, {
      'large.bin': seededBytes(random, 3 << 20),
      many: Object.fromEntries(Array.from({ length: 500 }, (_, i) => [`${i}`, `${i}`])),
    });
    await backup(repository, source);
    for (const deleteTo of ['dated', 'remove'] as const) {
      for (const gone of [drive, target]) {
        const clock = { ...systemClock, every: (_: number, act: () => void) => (act(), () => {}) };
        const onProgress = ({ phase }: { phase: string }): void => {
          if (phase === 'restoring' && existsSync(gone)) renameSync(gone, join(dir, 'unplugged'));
        };
        const request = { snapshot: 'latest', path: Buffer.from(source), to: target, deleteTo };
        expect(await failureOf(executeMirror(repository, request, { ...runOptions({ onProgress, clock }), known }))).toBe('mirror-lost');
        expect(existsSync(gone)).toBe(false);
        renameSync(join(dir, 'unplugged'), gone);
      }
    }
    expect((await mirror({ to: target })).problems).toEqual([]);
    await expectSameTree(source, target);
  });

  test.each(['a file', 'a link to nothing'])('that is %s is refused', async (what) => {
    const { target, mirror } = await mirrorWorld();
    if (what === 'a file') writeFileSync(target, 'mine');
    else symlinkSync('nowhere', target);
    expect(await failureOf(mirror({ adopt: true }))).toBe('target-unusable');
  });

  test('of the snapshot that is none, or does not exist, makes no mirror of it', async () => {
    const { source, target, mirror } = await mirrorWorld();
    await mirror();
    const before = factsOf(target);
    expect(await failureOf(mirror({ path: Buffer.from(join(source, 'b.txt')), adopt: true }))).toBe('bad-usage');
    expect(await failureOf(mirror({ path: Buffer.from(join(source, 'nothing')), adopt: true }))).toBe('snapshot-path-not-found');
    expect(factsOf(target)).toEqual(before);
  });
});

describe.skipIf(!canMountDisks)('on a small disk', () => {
  test('that is full, nothing is lost', async () => {
    const { source, repository, mirror } = await mirrorWorld();
    const to = join(mountDisk(8 << 20).folder, 'mirror');
    expect((await mirror({ to })).problems).toEqual([]);
    const before = factsOf(to);
    writeFileSync(join(source, 'large.bin'), seededBytes(random, 12 << 20));
    await backup(repository, source);
    expect(await failureOf(mirror({ to }))).toBe('target-too-small');
    expect(factsOf(to)).toEqual(before);
    writeFileSync(join(source, 'large.bin'), 'small again');
    await backup(repository, source);
    expect((await mirror({ to })).problems).toEqual([]);
    await expectSameTree(source, to);
  });

  test.each(['its root', 'a folder of it'])('that is read-only, the mirror is left as it is: %s', async (where) => {
    const { mirror } = await mirrorWorld();
    const disk = mountDisk(8 << 20);
    const to = where === 'its root' ? disk.folder : join(disk.folder, 'mirror');
    await mirror({ to });
    disk.remount('ro');
    expect(await failureOf(mirror({ to }))).toBe('target-read-only');
    disk.remount('rw');
    expect((await mirror({ to })).problems).toEqual([]);
  });
});

describe('two at once', () => {
  test('one of two runs on the same mirror is refused', async () => {
    const { source, target, mirror } = await mirrorWorld();
    await mirror();
    const results = await Promise.all([failureOf(mirror()), failureOf(mirror())]);
    expect(results.sort()).toEqual(['mirror-busy', 'no failure']);
    await expectSameTree(source, target);
  });
});

test('a mirror that is killed at any moment is completed by the next run', async () => {
  let killed = 0;
  for (const [call, count] of [
    ['rename', 80],
    ['rename', 80],
    ['link', 3],
    ['unlink', 8],
    ['mkdir', 5],
    ['utimensat', 60],
    ['fchmod', 50],
    ['fsync', 2],
    ['syncfs', 1],
    ['fadvise64', 40],
  ] as const) {
    const world = await undoWorld(scratch('killed'));
    const [known, moment] = [join(world.journals, 'known'), 1 + Math.floor(random() * count)];
    const request = { to: world.target, path: world.source, known, adopt: 'yes' };
    const report = await beginTarget('mirror', world.folder, request, { under: killAt(call, moment) }).report;
    if (!report) killed += 1;
    const again = { snapshot: 'latest', path: Buffer.from(world.source), to: world.target, adopt: true };
    const { problems } = await executeMirror(world.repository, again, { ...runOptions(), known });
    expect(problems).toEqual([]);
    await expectSameTree(world.source, world.target);
    // Whatever was there and is in no snapshot is somewhere.
    const contents = new Set([world.target, ownOf(world.target)].flatMap((at) => [...factsOf(at).values()].map(({ content }) => content)));
    for (const [name, { kind, content }] of factsOf(world.before)) if (kind === 'file') expect(contents.has(content), name).toBe(true);
  }
  expect(killed).toBeGreaterThan(6);
});

test('a mirror that was cancelled is completed, also when it had only begun', async () => {
  const { source, target, known, repository, mirror } = await mirrorWorld();
  const control = new RunControl();
  control.cancel();
  const request = { snapshot: 'latest', path: Buffer.from(source), to: target };
  expect(await failureOf(executeMirror(repository, request, { ...runOptions({ control }), known }))).toBe('cancelled');
  expect((await mirror()).problems).toEqual([]);
  await expectSameTree(source, target);
});

test('what the undo of a restore needs stays in a mirror, and is named', async () => {
  const { target, mirror } = await mirrorWorld();
  await mirror();
  const aside = join(target, 'sub', '.holdfast-undo-1a2b3c4d');
  tree(aside, { '0-0': 'precious' });
  expect(problemLines((await mirror()).problems)).toEqual([`failed: ${aside}`]);
  expect(readdirSync(aside)).toEqual(['0-0']);
});

test('where another disk is mounted in the mirror, what is on it stays', async () => {
  const { target, mirror } = await mirrorWorld();
  await mirror();
  const mount = join(target, 'disk');
  mkdirSync(mount);
  execFileSync('mount', ['-t', 'tmpfs', 'none', mount]);
  onTestFinished(() => void execFileSync('umount', ['-l', mount]));
  tree(mount, { 'precious.txt': 'precious' });
  for (const deleteTo of ['dated', 'remove'] as const) {
    expect(problemLines((await mirror({ deleteTo })).problems)).toEqual([`failed: ${mount}`]);
    expect(readFileSync(join(mount, 'precious.txt'), 'utf8')).toBe('precious');
  }
});
