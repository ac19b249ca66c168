import { execFileSync } from 'node:child_process';
import {
  appendFileSync,
  chmodSync,
  existsSync,
  linkSync,
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
import { executeMirror, type MirrorRequest, planMirror } from '../../../src/engine/mirror/mirror.ts';
import type { PlannedEntry } from '../../../src/engine/restore/walk-task.ts';
import { RunControl } from '../../../src/platform/cancellation.ts';
import { systemClock } from '../../../src/platform/clock.ts';
import type { Repository } from '../../../src/repository/repository.ts';
import { canMountDisks, mountDisk } from '../../support/disk.ts';
import { backup, makeRepository, problemLines, runOptions } from '../../support/engine.ts';
import { factsOf } from '../../support/file-facts.ts';
import { expectSameTree } from '../../support/judge.ts';
import { buildNastyTree } from '../../support/nasty-tree.ts';
import { seededBytes, seededRandom } from '../../support/seeded.ts';
import { beginTarget, killAt } from '../../support/targeting.ts';
import { scratch, symlink, tree } from '../../support/tree-literal.ts';
import { undoWorld } from '../undo/undo-world.ts';

const random = seededRandom(51);

interface World {
  readonly dir: string;
  readonly source: string;
  readonly target: string;
  readonly known: string;
  readonly folder: string;
  readonly repository: Repository;
  mirror(request?: Partial<MirrorRequest>): ReturnType<typeof executeMirror>;
}

async function setUp(): Promise<World> {
  const dir = scratch('mirror');
  const [source, target, known, folder] = ['source', 'mirror', 'known', 'repository'].map((name) => join(dir, name)) as [
    string,
    string,
    string,
    string,
  ];
  tree(source, { 'a.txt': 'a', 'b.txt': 'b', sub: { 'c.txt': 'c', deep: { 'd.txt': 'd' } }, link: symlink('a.txt'), empty: {} });
  linkSync(join(source, 'a.txt'), join(source, 'sub', 'a too.txt'));
  const repository = await makeRepository(folder);
  await backup(repository, source);
  const mirror = (request: Partial<MirrorRequest> = {}) =>
    executeMirror(repository, { snapshot: 'latest', path: Buffer.from(source), to: target, ...request }, { ...runOptions(), known });
  return { dir, source, target, known, folder, repository, mirror };
}

const own = '.holdfast-mirror';

/** The mirror without what belongs to Holdfast is exactly the source, the folder itself too. */
async function expectMirror(source: string, target: string): Promise<void> {
  const aside = `${target}.own`;
  execFileSync('touch', ['-r', target, `${target}.time`]);
  renameSync(join(target, own), aside);
  execFileSync('touch', ['-r', `${target}.time`, target]);
  try {
    await expectSameTree(source, target);
  } finally {
    renameSync(aside, join(target, own));
    execFileSync('touch', ['-r', `${target}.time`, target]);
    rmSync(`${target}.time`);
  }
}

const removedIn = (target: string): string[] => {
  const removed = join(target, own, 'removed');
  return existsSync(removed) ? [...factsOf(removed)].filter(([, { kind }]) => kind !== 'folder').map(([name]) => name) : [];
};
const failureOf = (run: Promise<unknown>): Promise<string> =>
  run.then(
    () => 'no failure',
    (error: { code: string }) => error.code,
  );

describe('a mirror', () => {
  test('is equal to the newest snapshot, each time, and writes only what has changed', async () => {
    const { source, target, repository, mirror } = await setUp();
    const first = await mirror();
    expect(first).toMatchObject({ problems: [], removedTo: undefined });
    await expectMirror(source, target);
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
    await expectMirror(source, target);
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
    const { dir, target, repository, mirror } = await setUp();
    const [one, two] = [join(dir, 'one'), join(dir, 'two')];
    await buildNastyTree(one, { small: true, farFuture: true });
    await buildNastyTree(two, { small: true, seed: 2 });
    const [first, second] = [(await backup(repository, one)).snapshot, (await backup(repository, two)).snapshot];
    expect((await mirror({ snapshot: first, path: Buffer.from(one) })).problems).toEqual([]);
    await expectMirror(one, target);
    const request = { path: Buffer.from(two), snapshot: second, adopt: true };
    expect((await mirror({ ...request, deleteTo: 'remove' })).problems).toEqual([]);
    await expectMirror(two, target);
    expect(removedIn(target)).toEqual([]);
  });

  test('of a whole snapshot has full paths, and holds nothing else, not even above the sources', async () => {
    const { dir, source, target, mirror } = await setUp();
    expect((await mirror({ path: undefined })).problems).toEqual([]);
    await expectSameTree(source, join(target, source));
    tree(join(target, dir), { 'mine.txt': 'mine' });
    tree(target, { 'mine too.txt': 'mine', etc: { x: 'x' } });
    expect((await mirror({ path: undefined, deleteTo: 'remove' })).figures.delete).toBe(3);
    expect(readdirSync(target).sort()).toEqual([own, 'tmp']);
    await expectSameTree(source, join(target, source));
  });

  test('keeps what goes in a folder of the day, each time another one, unless it shall be gone', async () => {
    const { target, mirror } = await setUp();
    await mirror();
    const days = [];
    for (const text of ['one', 'two']) {
      tree(target, { 'extra.txt': text, extra: { [text]: text, link: symlink('/etc') } });
      days.push((await mirror()).removedTo!);
    }
    expect(days[1]).toBe(`${days[0]}.2`);
    expect(removedIn(target).length).toBe(6);
    for (const [i, text] of ['one', 'two'].entries()) expect(readFileSync(join(days[i]!, 'extra.txt'), 'utf8')).toBe(text);
    tree(target, { 'extra.txt': 'three' });
    expect((await mirror({ deleteTo: 'remove' })).removedTo).toBeUndefined();
    expect(removedIn(target).length).toBe(6);
    expect(existsSync(join(target, 'extra.txt'))).toBe(false);
  });

  test('says before what it will do, and does exactly that', async () => {
    const { source, target, known, repository, mirror } = await setUp();
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
    const { source, target, mirror } = await setUp();
    await mirror();
    execFileSync('cp', ['-p', join(target, 'b.txt'), `${target}.time`]);
    writeFileSync(join(target, 'b.txt'), 'X');
    execFileSync('touch', ['-r', `${target}.time`, join(target, 'b.txt')]);
    expect((await mirror()).figures.replace).toBe(0);
    const { figures, problems, verified } = await mirror({ verify: true });
    expect({ problems, replace: figures.replace }).toEqual({ problems: [], replace: 1 });
    expect(verified!.entries).toBe(6);
    await expectMirror(source, target);
  });

  test('finds what was written and is not there as it was', async () => {
    const { source, target, known, repository } = await setUp();
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
    const { dir, source, target, mirror } = await setUp();
    await mirror();
    const outside = tree(join(dir, 'outside'), { 'c.txt': 'precious', deep: { 'd.txt': 'precious' }, 'x.txt': 'x' });
    const before = factsOf(outside);
    rmSync(join(target, 'sub'), { recursive: true });
    symlinkSync(outside, join(target, 'sub'));
    symlinkSync(outside, join(target, 'more'));
    expect((await mirror()).problems).toEqual([]);
    await expectMirror(source, target);
    expect(factsOf(outside)).toEqual(before);
    // A link in the place of its own folder leads nobody out, either.
    renameSync(join(target, own), join(outside, own));
    symlinkSync(join(outside, own), join(target, own));
    expect(await failureOf(mirror())).toBe('mirror-other');
    expect(await failureOf(mirror({ adopt: true }))).toBe('mirror-other');
  });

  test('of a mirror keeps that one’s own folder apart from its own', async () => {
    const { dir, source, target, repository, mirror } = await setUp();
    await mirror();
    await backup(repository, target);
    const second = join(dir, 'second');
    const { problems } = await mirror({ to: second, path: Buffer.from(target) });
    expect(problemLines(problems)).toEqual([`failed: ${join(second, own)}`]);
    await expectMirror(source, second);
    // Deeper down it is a folder like any other.
    const third = join(dir, 'third');
    expect((await mirror({ to: third, path: Buffer.from(dir) })).problems).toEqual([]);
    expect(readdirSync(join(third, 'mirror'))).toContain(own);
  });
});

describe('a folder', () => {
  test('that is not empty and no mirror is refused, unless it is adopted; then nothing of it is lost', async () => {
    const { source, target, mirror } = await setUp();
    tree(target, { 'a.txt': 'mine', 'mine.txt': 'mine too', sub: 'a file of mine' });
    const before = factsOf(target);
    expect(await failureOf(mirror())).toBe('mirror-not-empty');
    expect(factsOf(target)).toEqual(before);
    const { problems, removedTo } = await mirror({ adopt: true });
    expect(problems).toEqual([]);
    await expectMirror(source, target);
    expect(['a.txt', 'mine.txt', 'sub'].map((name) => readFileSync(join(removedTo!, name), 'utf8'))).toEqual([
      'mine',
      'mine too',
      'a file of mine',
    ]);
    expect((await mirror()).figures).toMatchObject({ replace: 0, delete: 0 });
  });

  test('that mirrors something else is refused', async () => {
    const { dir, source, target, mirror, known } = await setUp();
    await mirror();
    const other = await makeRepository(join(dir, 'other'));
    await backup(other, source);
    const before = factsOf(target);
    const request = { snapshot: 'latest', path: Buffer.from(source), to: target };
    expect(await failureOf(executeMirror(other, request, { ...runOptions(), known }))).toBe('mirror-other');
    expect(await failureOf(mirror({ path: Buffer.from(join(source, 'sub')) }))).toBe('mirror-other');
    expect(await failureOf(mirror({ path: undefined }))).toBe('mirror-other');
    writeFileSync(join(target, own, 'mirror.json'), 'nonsense');
    expect(await failureOf(mirror())).toBe('mirror-other');
    rmSync(join(target, own, 'mirror.json'));
    expect(await failureOf(mirror())).toBe('mirror-gone');
    const content = (facts: typeof before) =>
      [...facts].filter(([name]) => !name.startsWith(own)).map(([name, { content: c }]) => [name, c]);
    expect(content(factsOf(target))).toEqual(content(before));
    expect((await mirror({ adopt: true })).problems).toEqual([]);
    await expectMirror(source, target);
  });

  test('that is the empty place of a drive with a mirror is not filled, and neither is one that is gone', async () => {
    const { dir, source, target, mirror } = await setUp();
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
    await expectMirror(source, target);
  });

  test('that vanishes while it is written is an error, and nothing is made in its place', async () => {
    const { source, target, known, repository, mirror, dir } = await setUp();
    await mirror();
    tree(source, {
      'large.bin': seededBytes(random, 3 << 20),
      many: Object.fromEntries(Array.from({ length: 500 }, (_, i) => [`${i}`, `${i}`])),
    });
    await backup(repository, source);
    for (const remove of ['dated', 'remove'] as const) {
      const control = new RunControl();
      const clock = { ...systemClock, every: (_: number, act: () => void) => (act(), () => {}) };
      const onProgress = ({ phase }: { phase: string }): void => {
        if (phase === 'restoring' && existsSync(target)) renameSync(target, join(dir, 'unplugged'));
      };
      const request = { snapshot: 'latest', path: Buffer.from(source), to: target, deleteTo: remove };
      expect(await failureOf(executeMirror(repository, request, { ...runOptions({ control, onProgress, clock }), known }))).toBe(
        'mirror-lost',
      );
      expect(existsSync(join(target, own))).toBe(false);
      rmSync(target, { recursive: true, force: true });
      renameSync(join(dir, 'unplugged'), target);
    }
    expect((await mirror()).problems).toEqual([]);
    await expectMirror(source, target);
  });

  test.each(['a file', 'a link to nothing'])('that is %s is refused', async (what) => {
    const { target, mirror } = await setUp();
    if (what === 'a file') writeFileSync(target, 'mine');
    else symlinkSync('nowhere', target);
    expect(await failureOf(mirror({ adopt: true }))).toBe('target-unusable');
  });

  test('of the snapshot that is none, or does not exist, makes no mirror of it', async () => {
    const { source, target, mirror } = await setUp();
    await mirror();
    const before = factsOf(target);
    expect(await failureOf(mirror({ path: Buffer.from(join(source, 'b.txt')), adopt: true }))).toBe('bad-usage');
    expect(await failureOf(mirror({ path: Buffer.from(join(source, 'nothing')), adopt: true }))).toBe('snapshot-path-not-found');
    const content = (facts: typeof before) =>
      [...facts].filter(([name]) => !name.startsWith(own)).map(([name, { content: c }]) => [name, c]);
    expect(content(factsOf(target))).toEqual(content(before));
  });
});

describe.skipIf(!canMountDisks)('on a small disk', () => {
  test('the disk’s own folder is neither in the way nor removed, and a full disk costs nothing', async () => {
    const { source, known, repository, mirror } = await setUp();
    const { folder } = mountDisk(8 << 20);
    expect((await mirror({ to: folder })).problems).toEqual([]);
    expect(readdirSync(folder)).toContain('lost+found');
    writeFileSync(join(source, 'large.bin'), seededBytes(random, 12 << 20));
    await backup(repository, source);
    const request = { snapshot: 'latest', path: Buffer.from(source), to: folder };
    expect(await failureOf(executeMirror(repository, request, { ...runOptions(), known }))).toBe('target-too-small');
    writeFileSync(join(source, 'large.bin'), 'small again');
    await backup(repository, source);
    expect((await mirror({ to: folder })).problems).toEqual([]);
    await expectMirrorOnDisk(source, folder);
  });

  test('that is read-only, the mirror is left as it is', async () => {
    const { mirror } = await setUp();
    const disk = mountDisk(8 << 20);
    await mirror({ to: disk.folder });
    disk.remount('ro');
    expect(await failureOf(mirror({ to: disk.folder }))).toBe('target-read-only');
    disk.remount('rw');
    expect((await mirror({ to: disk.folder })).problems).toEqual([]);
  });
});

/** As expectMirror, where nothing can be moved out of. */
async function expectMirrorOnDisk(source: string, folder: string): Promise<void> {
  const copy = `${scratch('copy')}/copy`;
  execFileSync('cp', ['-a', folder, copy]);
  for (const name of [own, 'lost+found']) rmSync(join(copy, name), { recursive: true });
  execFileSync('touch', ['-r', folder, copy]);
  await expectSameTree(source, copy);
}

describe('two at once', () => {
  test('one of two runs on the same mirror is refused', async () => {
    const { source, target, mirror } = await setUp();
    await mirror();
    const results = await Promise.all([failureOf(mirror()), failureOf(mirror())]);
    expect(results.sort()).toEqual(['mirror-busy', 'no failure']);
    await expectMirror(source, target);
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
    await expectMirror(world.source, world.target);
    // Whatever was there and is in no snapshot is somewhere.
    const contents = new Set([...factsOf(world.target).values()].map(({ content }) => content));
    for (const [name, { kind, content }] of factsOf(world.before)) if (kind === 'file') expect(contents.has(content), name).toBe(true);
  }
  expect(killed).toBeGreaterThan(6);
});

test('a mirror that was cancelled is completed, also when it had only begun', async () => {
  const { source, target, known, repository, mirror } = await setUp();
  const control = new RunControl();
  control.cancel();
  const request = { snapshot: 'latest', path: Buffer.from(source), to: target };
  expect(await failureOf(executeMirror(repository, request, { ...runOptions({ control }), known }))).toBe('cancelled');
  expect((await mirror()).problems).toEqual([]);
  await expectMirror(source, target);
});

test('what the undo of a restore needs stays in a mirror, and is named', async () => {
  const { target, mirror } = await setUp();
  await mirror();
  const aside = join(target, 'sub', '.holdfast-undo-1a2b3c4d');
  tree(aside, { '0-0': 'precious' });
  expect(problemLines((await mirror()).problems)).toEqual([`failed: ${aside}`]);
  expect(readdirSync(aside)).toEqual(['0-0']);
});

test('where another disk is mounted in the mirror, what is on it stays', async () => {
  const { target, mirror } = await setUp();
  await mirror();
  const mount = join(target, 'disk');
  mkdirSync(mount);
  execFileSync('mount', ['-t', 'tmpfs', 'none', mount]);
  onTestFinished(() => void execFileSync('umount', [mount]));
  tree(mount, { 'precious.txt': 'precious' });
  for (const deleteTo of ['dated', 'remove'] as const) {
    expect(problemLines((await mirror({ deleteTo })).problems)).toEqual([`failed: ${mount}`]);
    expect(readFileSync(join(mount, 'precious.txt'), 'utf8')).toBe('precious');
  }
});
