/** Where Holdfast keeps what belongs to a mirror, and that it never takes another folder for it. */
import { execFileSync } from 'node:child_process';
import { chmodSync, chownSync, cpSync, existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { planMirror } from '../../../src/engine/mirror/mirror.ts';
import { canMountDisks, mountDisk } from '../../support/disk.ts';
import { backup, runOptions } from '../../support/engine.ts';
import { failureOf } from '../../support/failure-of.ts';
import { factsOf } from '../../support/file-facts.ts';
import { expectSameTree } from '../../support/judge.ts';
import { beginTarget, killAt, runTarget } from '../../support/targeting.ts';
import { scratch, tree } from '../../support/tree-literal.ts';
import { type MirrorWorld, mirrorWorld, ownOf, removedFrom, rsyncSays } from './mirror-world.ts';
import { must } from '../../support/volumes.ts';

const inside = '.holdfast-mirror';

/** As versions before this one left it: the own folder in the mirror, and a marker that says nothing of the folder. */
function makeOld(target: string): void {
  const own = ownOf(target);
  const { folder: _, ...marker } = JSON.parse(readFileSync(join(own, 'mirror.json'), 'utf8')) as Record<string, unknown>;
  writeFileSync(join(own, 'mirror.json'), JSON.stringify(marker));
  renameSync(own, join(target, inside));
}

describe('a mirror of an earlier version', () => {
  test('is taken over: its own folder leaves it, with all that it keeps', async () => {
    const { source, target, repository, known, mirror } = await mirrorWorld();
    await mirror();
    tree(target, { 'extra.txt': 'extra' });
    await mirror();
    makeOld(target);
    const before = factsOf(target);
    const plan = await planMirror(repository, { snapshot: 'latest', path: Buffer.from(source), to: target }, { ...runOptions(), known });
    expect(plan.figures).toMatchObject({ create: 0, replace: 0, delete: 0 });
    expect(factsOf(target)).toEqual(before);
    expect((await mirror()).figures).toMatchObject({ create: 0, replace: 0, delete: 0 });
    expect(rsyncSays(source, target)).toBe('');
    expect(removedFrom(target).map((name) => name.split('/').at(-1))).toEqual(['extra.txt']);
  });

  test('of something else is refused as it was, and so is one whose marker makes no sense', async () => {
    const { source, target, mirror } = await mirrorWorld();
    await mirror();
    makeOld(target);
    expect(await failureOf(mirror({ path: Buffer.from(join(source, 'sub')) }))).toBe('mirror-other');
    writeFileSync(join(target, inside, 'mirror.json'), 'nonsense');
    expect(await failureOf(mirror())).toBe('mirror-other');
    expect((await mirror({ adopt: true })).problems).toEqual([]);
    expect(rsyncSays(source, target)).toBe('');
  });

  test('leaves what is kept beside it, too', async () => {
    const { target, mirror } = await mirrorWorld();
    await mirror();
    makeOld(target);
    tree(join(target, inside), { removed: { '2026-01-01': { old: 'precious' } } });
    tree(ownOf(target), { removed: { '2026-02-02': { older: 'precious too' } } });
    expect((await mirror()).problems).toEqual([]);
    expect(removedFrom(target)).toEqual(expect.arrayContaining(['2026-01-01/old', 'former/removed/2026-02-02/older']));
  });
});

describe('the own folder', () => {
  test('follows when the mirror gets another name', async () => {
    const { dir, source, target, mirror } = await mirrorWorld();
    await mirror();
    const renamed = join(dir, 'renamed');
    renameSync(target, renamed);
    tree(renamed, { 'extra.txt': 'extra' });
    expect((await mirror({ to: renamed })).figures).toMatchObject({ create: 0, delete: 1 });
    expect(rsyncSays(source, renamed)).toBe('');
    expect(existsSync(ownOf(target))).toBe(false);
    expect(removedFrom(renamed).length).toBe(1);
    // The place that it had is that of a mirror which is gone.
    expect(await failureOf(mirror())).toBe('mirror-gone');
  });

  test('does not make a mirror of another folder that gets its name', async () => {
    const { dir, source, target, mirror } = await mirrorWorld();
    await mirror();
    renameSync(target, join(dir, 'elsewhere'));
    // Numbers of files are given again: the new folder may well have the old one's.
    tree(target, { 'mine.txt': 'mine' });
    for (const known of [true, false]) {
      if (!known) rmSync(join(dir, 'known'), { recursive: true });
      expect(await failureOf(mirror({ deleteTo: 'remove' }))).toBe('mirror-gone');
      expect(readdirSync(target)).toEqual(['mine.txt']);
    }
    const { removedTo } = await mirror({ adopt: true });
    expect(readFileSync(join(removedTo!, 'mine.txt'), 'utf8')).toBe('mine');
    expect(rsyncSays(source, target)).toBe('');
  });

  test('of a mirror that was made again by hand does not vouch for it', async () => {
    const { target, mirror } = await mirrorWorld();
    await mirror();
    rmSync(target, { recursive: true });
    mkdirSync(target);
    expect(await failureOf(mirror())).toBe('mirror-gone');
    tree(target, { 'mine.txt': 'mine' });
    expect(await failureOf(mirror({ deleteTo: 'remove' }))).toBe('mirror-gone');
    expect(readdirSync(target)).toEqual(['mine.txt']);
  });

  test('of each of two mirrors side by side is its own', async () => {
    const { dir, source, target, mirror } = await mirrorWorld();
    const second = join(dir, 'second');
    await Promise.all([mirror(), mirror({ to: second })]);
    for (const one of [target, second]) tree(one, { 'extra.txt': one });
    await Promise.all([mirror(), mirror({ to: second })]);
    for (const one of [target, second]) {
      expect(rsyncSays(source, one)).toBe('');
      const [kept] = removedFrom(one);
      expect(readFileSync(join(ownOf(one), 'removed', kept!), 'utf8')).toBe(one);
    }
  });

  test('comes with a drive that is mounted elsewhere', async () => {
    const { dir, source, mirror } = await mirrorWorld();
    const [here, there] = [join(dir, 'here'), join(dir, 'there')];
    await mirror({ to: join(here, 'mirror') });
    renameSync(here, there);
    expect((await mirror({ to: join(there, 'mirror') })).figures).toMatchObject({ create: 0, replace: 0, delete: 0 });
    expect(rsyncSays(source, join(there, 'mirror'))).toBe('');
    expect(await failureOf(mirror({ to: join(here, 'mirror') }))).toBe('mirror-gone');
    expect(existsSync(here)).toBe(false);
  });

  test('of the longest name that a folder can have has a shorter one', async () => {
    const { dir, source, mirror } = await mirrorWorld();
    const to = join(dir, 'ü'.repeat(127));
    for (let i = 0; i < 2; i++) expect((await mirror({ to })).problems).toEqual([]);
    expect(rsyncSays(source, to)).toBe('');
    expect(readdirSync(dir).filter((name) => name.endsWith(inside)).length).toBe(1);
  });

  test('that is in the snapshot is a folder like any other', async () => {
    const { source, target, repository, mirror } = await mirrorWorld();
    await mirror();
    tree(source, { [inside]: { 'mirror.json': 'mine', removed: { x: 'x' } }, [`.sub${inside}`]: { 'mirror.json': '{}' } });
    await backup(repository, source);
    for (let i = 0; i < 2; i++) expect((await mirror()).problems).toEqual([]);
    await expectSameTree(source, target);
  });

  test('that another user made in the mirror’s parent is not used', async () => {
    const { target, mirror } = await mirrorWorld();
    mkdirSync(ownOf(target));
    chownSync(ownOf(target), 65_534, 65_534);
    expect(await failureOf(mirror())).toBe('target-unusable');
    expect(await failureOf(mirror({ adopt: true }))).toBe('target-unusable');
    expect(existsSync(target)).toBe(false);
  });
});

describe('where nothing can stand beside the mirror', () => {
  /** Mirrors twice, the second time with something to keep. */
  async function expectInside({ source, mirror }: MirrorWorld, to: string): Promise<void> {
    await mirror({ to });
    tree(to, { 'extra.txt': 'extra' });
    const { problems, removedTo, inside: own } = await mirror({ to });
    expect({ problems, own }).toEqual({ problems: [], own: join(to, inside) });
    expect(dirname(dirname(removedTo!))).toBe(own);
    const kept = join(dirname(source), 'taken-out');
    renameOrCopy(own!, kept);
    execFileSync('touch', ['-r', source, to]);
    expect(rsyncSays(source, to)).toBe('');
  }

  function renameOrCopy(from: string, to: string): void {
    cpSync(from, to, { recursive: true });
    rmSync(from, { recursive: true });
  }

  test.skipIf(!canMountDisks)('at the root of a drive, it is in it, and the empty place of the drive is not filled', async () => {
    const world = await mirrorWorld();
    const mount = join(world.dir, 'mount');
    mkdirSync(mount);
    execFileSync('mount', ['-t', 'tmpfs', 'none', mount]);
    let isMounted = true;
    onTestFinished(() => void (isMounted && execFileSync('umount', ['-l', mount])));
    await expectInside(world, mount);
    must('umount', mount);
    isMounted = false;
    expect(await failureOf(world.mirror({ to: mount }))).toBe('mirror-gone');
    expect(readdirSync(mount)).toEqual([]);
    expect(readdirSync(world.dir)).not.toContain('.mount.holdfast-mirror');
  });

  test.skipIf(!canMountDisks)('the file system’s own folder is neither in the way nor removed', async () => {
    const { mirror } = await mirrorWorld();
    const { folder } = mountDisk(8 << 20);
    for (let i = 0; i < 2; i++) expect((await mirror({ to: folder })).problems).toEqual([]);
    expect(readdirSync(folder)).toEqual(expect.arrayContaining(['lost+found', inside]));
  });

  test.skipIf(!canMountDisks)('another drive that is mounted where a mirror was made is not taken for it', async () => {
    const { dir, target, mirror } = await mirrorWorld();
    await mirror();
    execFileSync('mount', ['-t', 'tmpfs', 'none', target]);
    onTestFinished(() => void execFileSync('umount', ['-l', target]));
    expect(await failureOf(mirror())).toBe('mirror-gone');
    tree(target, { 'mine.txt': 'mine' });
    rmSync(join(dir, 'known'), { recursive: true });
    expect(await failureOf(mirror({ deleteTo: 'remove' }))).toBe('mirror-gone');
    expect(readdirSync(target)).toEqual(['mine.txt']);
  });

  test('in a folder of somebody else, it is in it', async () => {
    const { source, folder } = await mirrorWorld();
    const nobody = 65_534;
    const work = scratch('nobody');
    const [parent, copy, known] = [join(work, 'theirs'), join(work, 'repository'), join(work, 'known')];
    const to = join(parent, 'mirror');
    for (const path of [work, parent]) {
      mkdirSync(path, { recursive: true });
      chmodSync(path, 0o755);
    }
    execFileSync('cp', ['-a', folder, copy]);
    mkdirSync(to);
    mkdirSync(known);
    execFileSync('chown', ['-R', `${nobody}:${nobody}`, copy, to, known]);
    const { problems } = await runTarget('mirror', copy, { to, path: source, known }, { user: nobody });
    expect(problems).toEqual([]);
    expect(readdirSync(parent)).toEqual(['mirror']);
    expect(readdirSync(to).sort()).toEqual([inside, ...readdirSync(source)].sort());
  });
});

test('a mirror of an earlier version that is killed while it is taken over loses nothing', async () => {
  let killed = 0;
  for (const nth of [1, 2, 3]) {
    const { source, target, folder, known, mirror } = await mirrorWorld();
    await mirror();
    makeOld(target);
    tree(join(target, inside), { removed: { '2026-01-01': { old: 'precious' } } });
    const request = { to: target, path: source, known };
    if (!(await beginTarget('mirror', folder, request, { under: killAt('rename', nth) }).report)) killed += 1;
    expect((await mirror()).figures).toMatchObject({ create: 0, replace: 0, delete: 0 });
    expect(rsyncSays(source, target)).toBe('');
    expect(removedFrom(target)).toEqual(['2026-01-01/old']);
  }
  expect(killed).toBe(3);
});
