/** Disks that are full, read-only or gone, journals that are damaged, links swapped in, others at work at the same time. */
import { execFileSync } from 'node:child_process';
import {
  appendFileSync,
  chmodSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { executeForgetUndo } from '../../../src/engine/undo/forget.ts';
import { listUndos } from '../../../src/engine/undo/list.ts';
import { executeUndo, planUndo } from '../../../src/engine/undo/undo.ts';
import { RunControl } from '../../../src/platform/cancellation.ts';
import { systemClock } from '../../../src/platform/clock.ts';
import { canMountDisks, mountDisk } from '../../support/disk.ts';
import { backup, makeRepository, openRepository, problemLines, restore, runOptions } from '../../support/engine.ts';
import { failureOf } from '../../support/failure-of.ts';
import { factsOf } from '../../support/file-facts.ts';
import { expectSameTree } from '../../support/judge.ts';
import { seededBytes, seededRandom } from '../../support/seeded.ts';
import { beginTarget, runTarget } from '../../support/targeting.ts';
import { scratch, tree } from '../../support/tree-literal.ts';
import { readTrace, traced } from '../../support/strace.ts';
import { undoWorld } from './undo-world.ts';

const random = seededRandom(41);
const mebi = 1 << 20;
const nobody = 65534;

/** A snapshot of `literal`, and `target` with other things in it, restored over. */
async function setUp(target: string, options: { size?: number; journals?: string } = {}) {
  const dir = scratch('faults');
  const size = options.size ?? 1000;
  const source = tree(join(dir, 'source'), { 'a.bin': seededBytes(random, size), sub: { 'b.txt': 'b' }, made: { 'c.txt': 'c' } });
  tree(target, { 'a.bin': seededBytes(random, size), sub: { 'b.txt': 'mine', 'old.txt': 'old' }, 'gone.txt': 'gone' });
  const before = join(dir, 'before');
  execFileSync('cp', ['-a', target, before]);
  rmSync(join(before, 'lost+found'), { recursive: true, force: true });
  const repository = await makeRepository(join(dir, 'repository'));
  await backup(repository, source);
  const journals = options.journals ?? join(dir, 'journals');
  const settings = { path: Buffer.from(source), delete: true, undo: { folder: journals } };
  return { dir, source, target, before, repository, folder: join(dir, 'repository'), journals, settings };
}

const undoOf = (journals: string, id: string) => executeUndo(journals, id, runOptions());
describe.skipIf(!canMountDisks)('on a small disk', () => {
  test('what is kept needs its space: a restore that does not fit with it is refused, and fits without', async () => {
    const { folder } = mountDisk(24 * mebi);
    const { repository, target, settings } = await setUp(join(folder, 'target'), { size: 13 * mebi });
    await expect(restore(repository, target, settings)).rejects.toMatchObject({
      code: 'target-too-small',
      guidance: expect.stringContaining('--no-undo') as string,
    });
    expect(listUndos(settings.undo.folder)).toEqual([]);
    execFileSync('rm', [join(target, 'a.bin')]);
    expect((await restore(repository, target, settings)).problems).toEqual([]);
  });

  test('a disk that gets full in the middle loses nothing, and the undo brings everything back', async () => {
    const { folder } = mountDisk(24 * mebi);
    const { repository, target, before, settings, journals } = await setUp(join(folder, 'target'), { size: 9 * mebi });
    // Somebody else fills it when the restore has begun.
    let isFull = false;
    const clock = { ...systemClock, every: (_: number, act: () => void) => (act(), () => {}) };
    const onProgress = (): void => {
      if (isFull) return;
      isFull = true;
      writeFileSync(join(folder, 'filler'), Buffer.alloc(4 * mebi));
    };
    await expect(restore(repository, target, { ...settings, clock, onProgress })).rejects.toMatchObject({ code: 'target-full' });
    const [undo] = listUndos(journals);
    expect(undo?.state).toBe('whole');
    const { problems, kept } = await undoOf(journals, undo!.id);
    expect({ problems, kept }).toEqual({ problems: [], kept: [] });
    await expectSameTree(before, target);
  });

  test('when the journal cannot be written, nothing is changed that cannot be brought back', async () => {
    const disk = mountDisk(2 * mebi);
    const world = await undoWorld(scratch('faults'));
    const undo = { folder: join(disk.folder, 'journals') };
    fill(disk.folder, 0);
    await expect(restore(world.repository, world.target, { ...world.request, undo })).rejects.toMatchObject({ code: 'undo-unavailable' });
    await expectSameTree(world.before, world.target);
    // Enough for its beginning.
    for (const spare of [2, 4, 6, 8]) {
      fill(disk.folder, spare);
      const failed = await failureOf(restore(world.repository, world.target, { ...world.request, undo }));
      expect(['undo-unavailable', 'no failure']).toContain(failed);
      rmSync(join(disk.folder, 'filler'), { recursive: true });
      for (const { id } of listUndos(undo.folder)) expect((await undoOf(undo.folder, id)).problems).toEqual([]);
      await expectSameTree(world.before, world.target);
    }
  });

  test('that is read-only, unplugged or another one, nothing is undone, and later it is', async () => {
    const disk = mountDisk(24 * mebi);
    const { repository, target, before, settings, journals, dir } = await setUp(join(disk.folder, 'target'));
    const { undo } = await restore(repository, target, settings);
    disk.remount('ro');
    expect(await failureOf(undoOf(journals, undo!.id))).toBe('undo-interrupted');
    disk.remount('rw');
    // An empty place stands where the disk was.
    renameSync(target, join(disk.folder, 'away'));
    mkdirSync(target);
    for (const run of [planUndo, executeUndo]) expect(await failureOf(run(journals, undo!.id, runOptions()))).toBe('undo-target-gone');
    expect(listUndos(journals)[0]?.state).toBe('away');
    // Or a link to another.
    rmSync(target, { recursive: true });
    symlinkSync(join(disk.folder, 'away'), target);
    expect(await failureOf(undoOf(journals, undo!.id))).toBe('undo-target-gone');
    rmSync(target);
    renameSync(join(disk.folder, 'away'), target);
    expect((await undoOf(journals, undo!.id)).problems).toEqual([]);
    await expectSameTree(before, target);
    expect(existsSync(dir)).toBe(true);
  });

  test('mounted in the target, and a part of the same disk mounted there, what is replaced stays on it', async () => {
    const dir = scratch('faults');
    const disk = mountDisk(24 * mebi);
    const target = join(dir, 'target');
    const source = tree(join(dir, 'source'), { 'a.txt': 'a', disk: { 'b.txt': 'b', sub: { 'c.txt': 'c' } }, bound: { 'd.txt': 'd' } });
    tree(target, { 'a.txt': 'my a', disk: {}, bound: {} });
    const bound = tree(join(dir, 'bound elsewhere'), { 'd.txt': 'my d', 'old.txt': 'old' });
    for (const [from, to, ...how] of [
      [disk.folder, join(target, 'disk'), '--bind'],
      [bound, join(target, 'bound'), '--bind'],
    ]) {
      execFileSync('mount', [...how, from!, to!]);
      onTestFinished(() => void execFileSync('umount', ['-l', to!]));
    }
    rmSync(join(disk.folder, 'lost+found'), { recursive: true });
    tree(join(target, 'disk'), { 'b.txt': 'my b', sub: { 'c.txt': 'my c' }, gone: { 'g.txt': 'g' } });
    execFileSync('cp', ['-a', target, join(dir, 'before')]);
    const repository = await makeRepository(join(dir, 'repository'));
    await backup(repository, source);
    const undo = { folder: join(dir, 'journals') };
    const result = await restore(repository, target, { path: Buffer.from(source), delete: true, undo });
    expect(result.problems).toEqual([]);
    expect(readdirSync(bound).sort()).toEqual([`.holdfast-undo-${result.undo!.id}`, 'd.txt']);
    expect(readdirSync(disk.folder)).toContain(`.holdfast-undo-${result.undo!.id}`);
    const { problems, kept } = await undoOf(undo.folder, result.undo!.id);
    expect({ problems, kept }).toEqual({ problems: [], kept: [] });
    await expectSameTree(join(dir, 'before'), target);
  });

  test('over layers, a folder that cannot be moved is not deleted, and named; all else comes back', async () => {
    const dir = scratch('faults');
    const [lower, upper, work, target] = ['lower', 'upper', 'work', 'target'].map((name) => tree(join(dir, name), {})) as [
      string,
      string,
      string,
      string,
    ];
    tree(lower, { 'a.txt': 'my a', extra: { 'x.txt': 'x' }, 'gone.txt': 'gone' });
    execFileSync('mount', [
      '-t',
      'overlay',
      'overlay',
      '-o',
      `lowerdir=${lower},upperdir=${upper},workdir=${work},redirect_dir=off`,
      target,
    ]);
    onTestFinished(() => void execFileSync('umount', ['-l', target]));
    execFileSync('cp', ['-a', target, join(dir, 'before')]);
    const source = tree(join(dir, 'source'), { 'a.txt': 'a', 'made.txt': 'made' });
    const repository = await makeRepository(join(dir, 'repository'));
    await backup(repository, source);
    const undo = { folder: join(dir, 'journals') };
    const result = await restore(repository, target, { path: Buffer.from(source), delete: true, undo });
    expect(problemLines(result.problems)).toEqual([`failed: ${join(target, 'extra')}`]);
    expect(readFileSync(join(target, 'extra', 'x.txt'), 'utf8')).toBe('x');
    expect((await undoOf(undo.folder, result.undo!.id)).problems).toEqual([]);
    await expectSameTree(join(dir, 'before'), target);
  });
});

function fill(folder: string, spare: number): void {
  const place = join(folder, 'filler');
  mkdirSync(place, { recursive: true });
  for (const size of [64 << 10, 4096, 1]) {
    try {
      for (let n = 0; ; n++) writeFileSync(join(place, `${size} ${n}`), Buffer.alloc(size, 1));
    } catch {
      // Full for this size.
    }
  }
  for (let n = 0; n < spare; n++) rmSync(join(place, `4096 ${n}`), { force: true });
}

describe('a journal', () => {
  test('says before each change what will be done, on the disk', async () => {
    const { folder, target, source, journals, dir } = await setUp(join(scratch('faults'), 'target'));
    const program = join(import.meta.dirname, '../../support/target-process.ts');
    const request = { target, path: source, delete: true, undo: { folder: journals } };
    const log = join(dir, 'trace');
    traced(
      log,
      ['fdatasync', 'rename', 'unlink', 'mkdir', 'link'],
      [process.execPath, program, 'restore', folder, JSON.stringify(request)],
    );
    const calls = readTrace(log);
    const changes = calls.filter(({ name, text }) => name !== 'fdatasync' && text.includes(`"${target}`) && !text.includes('alive'));
    const writes = calls.filter(({ name, text }) => name === 'fdatasync' && text.includes(journals));
    expect(changes.length).toBeGreaterThan(8);
    expect(writes.length).toBeGreaterThan(1);
    // The aside folder's own making comes after the line about it, everything else after the lines of all changes.
    const aside = changes.findIndex(({ text }) => text.includes('mkdir') && text.includes('.holdfast-undo-'));
    expect(aside).toBe(0);
    expect(changes[0]!.start).toBeGreaterThan(writes[0]!.end);
    for (const { start, text } of changes.slice(1)) expect(start, text).toBeGreaterThan(writes.at(-1)!.end);
  });

  test('whose end was cut off, as by a power cut, is good; one that was changed is refused, and harms nothing', async () => {
    const world = await undoWorld(scratch('faults'));
    const { undo } = await restore(world.repository, world.target, world.request);
    const journal = join(world.journals, undo!.id);
    const log = readdirSync(journal)
      .map((name) => join(journal, name))
      .find((name) => name.endsWith('.log') && !name.endsWith('run.log') && statSync(name).size > 2000)!;
    const whole = readFileSync(log);
    for (const harmed of [whole.toString('latin1').replace('"make"', '"take"'), whole.toString('latin1').replace('}', ' ')]) {
      writeFileSync(log, harmed, 'latin1');
      const before = factsOf(world.target);
      for (const run of [planUndo, executeUndo]) expect(await failureOf(run(world.journals, undo!.id, runOptions()))).toBe('undo-damaged');
      expect(listUndos(world.journals)[0]?.state === 'damaged' || listUndos(world.journals)[0]?.state === 'whole').toBe(true);
      expect(factsOf(world.target)).toEqual(before);
    }
    writeFileSync(log, Buffer.concat([whole, Buffer.from('{"do":"make","seq":9999')]));
    const { problems, kept } = await undoOf(world.journals, undo!.id);
    expect({ problems, kept }).toEqual({ problems: [], kept: [] });
    await expectSameTree(world.before, world.target);
  });

  test('without a head, or of nothing, or by another name is none', async () => {
    const folder = scratch('faults');
    for (const name of ['00000000', 'notes', '11111111']) mkdirSync(join(folder, name));
    writeFileSync(join(folder, '11111111', 'head.json'), '{"version":1,"id":"22222222","tops":[]}');
    expect(listUndos(folder)).toEqual([]);
    for (const id of ['00000000', '', 'zzz', '../etc']) expect(await failureOf(undoOf(folder, id))).toBe('undo-not-found');
    expect(listUndos(join(folder, 'nothing'))).toEqual([]);
  });
});

test('where a link was put in the place of a folder, nothing is done behind it, and the rest can follow when it is gone', async () => {
  const { dir, target, before, repository, settings, journals } = await setUp(join(scratch('faults'), 'target'));
  const { undo } = await restore(repository, target, settings);
  const outside = join(dir, 'outside');
  renameSync(join(target, 'sub'), outside);
  symlinkSync(outside, join(target, 'sub'));
  const seen = factsOf(outside);
  const { problems } = await undoOf(journals, undo!.id);
  expect(problemLines(problems)).toContain(`failed: ${join(target, 'sub', 'b.txt')}`);
  expect(factsOf(outside)).toEqual(seen);
  expect(readlinkSync(join(target, 'sub'))).toBe(outside);
  expect(readFileSync(join(target, 'gone.txt'), 'utf8')).toBe('gone');
  rmSync(join(target, 'sub'));
  renameSync(outside, join(target, 'sub'));
  const again = await undoOf(journals, undo!.id);
  expect(again.problems).toEqual([]);
  await expectSameTree(before, target);
});

test('what was kept and is gone is named, and what the restore made in its place stays', async () => {
  const { target, repository, settings, journals } = await setUp(join(scratch('faults'), 'target'));
  const { undo } = await restore(repository, target, settings);
  const aside = join(target, `.holdfast-undo-${undo!.id}`);
  const lost = readdirSync(aside).find((name) => name !== 'CACHEDIR.TAG' && lstatSync(join(aside, name)).size === 1000)!;
  rmSync(join(aside, lost));
  const { problems } = await undoOf(journals, undo!.id);
  expect(problemLines(problems)).toEqual([`failed: ${join(target, 'a.bin')}`]);
  expect(existsSync(join(target, 'a.bin'))).toBe(true);
  // It is said again until it is forgotten.
  expect((await undoOf(journals, undo!.id)).problems.length).toBe(1);
  await executeForgetUndo(journals, { id: undo!.id }, runOptions());
  expect(listUndos(journals)).toEqual([]);
});

describe('two at once', () => {
  test('a second restore into the same place, a part of it or one above is refused while the first runs; elsewhere it is not', async () => {
    const { dir, target, repository, settings, folder, source, journals } = await setUp(join(scratch('faults'), 'target'), {
      size: 5 * mebi,
    });
    const others = [target, join(target, 'sub'), join(target, '..')];
    const elsewhere = tree(join(dir, 'elsewhere'), { 'x.txt': 'x' });
    let seen: string[] | undefined;
    const clock = { ...systemClock, every: (_: number, act: () => void) => (act(), () => {}) };
    const tries: Promise<string>[] = [];
    const control = new RunControl();
    const onProgress = (): void => {
      if (seen) return;
      seen = [];
      control.pause();
      for (const place of [...others, elsewhere]) tries.push(failureOf(restore(repository, place, settings)));
    };
    const first = restore(repository, target, { ...settings, clock, onProgress, control });
    while (tries.length === 0) await systemClock.sleep(5);
    expect(await Promise.all(tries)).toEqual(['target-busy', 'target-busy', 'target-busy', 'no failure']);
    const there = listUndos(journals).find(({ head }) => head.target === target)!;
    expect(there.state).toBe('running');
    expect(await failureOf(undoOf(journals, there.id))).toBe('target-busy');
    expect(await failureOf(executeForgetUndo(journals, { id: there.id }, runOptions()))).toBe('target-busy');
    // Another process is told the same.
    await expect(runTarget('restore', folder, { target, path: source, undo: { folder: journals } })).rejects.toThrow('target-busy');
    control.resume();
    expect((await first).problems).toEqual([]);
  });

  test('of two undos of one restore one is refused', async () => {
    const world = await undoWorld(scratch('faults'));
    const { undo } = await restore(world.repository, world.target, world.request);
    const results = await Promise.all([failureOf(undoOf(world.journals, undo!.id)), failureOf(undoOf(world.journals, undo!.id))]);
    expect(results.sort()).toEqual(['no failure', 'target-busy']);
    await expectSameTree(world.before, world.target);
  });
});

test('an undo that is cancelled is finished by the next one', async () => {
  const world = await undoWorld(scratch('faults'));
  const { undo } = await restore(world.repository, world.target, world.request);
  const control = new RunControl();
  const clock = { ...systemClock, every: (_: number, act: () => void) => (act(), control.cancel(), () => {}) };
  await expect(executeUndo(world.journals, undo!.id, runOptions({ control, clock }))).rejects.toMatchObject({ code: 'cancelled' });
  expect(listUndos(world.journals)[0]?.state).toBe('whole');
  const { problems, kept } = await undoOf(world.journals, undo!.id);
  expect({ problems, kept }).toEqual({ problems: [], kept: [] });
  await expectSameTree(world.before, world.target);
});

test('a restore that is cancelled can be undone', async () => {
  const world = await undoWorld(scratch('faults'));
  const control = new RunControl();
  const onProgress = ({ phase, items }: { phase: string; items: number }): void => {
    if (phase === 'restoring' && items > 3) control.cancel();
  };
  const clock = { ...systemClock, every: (_: number, act: () => void) => systemClock.every(1, act) };
  await restore(world.repository, world.target, { ...world.request, control, onProgress, clock, threads: 1 }).catch(() => undefined);
  for (const { id } of listUndos(world.journals)) expect(await undoOf(world.journals, id)).toMatchObject({ problems: [], kept: [] });
  await expectSameTree(world.before, world.target);
});

test('another user, whose folders are closed even to himself, gets everything back', async () => {
  const work = scratch('nobody');
  const source = tree(join(work, 'source'), { closed: { 'a.txt': 'a', deep: { 'b.txt': 'b' } }, 'file.txt': 'f', made: { 'c.txt': 'c' } });
  chmodSync(join(source, 'made'), 0o500);
  chmodSync(join(source, 'closed'), 0o555);
  const folder = join(work, 'repository');
  const repository = await makeRepository(folder);
  await backup(repository, source);
  const target = tree(join(work, 'target'), {
    closed: { 'a.txt': 'mine', 'extra.txt': 'x', 'extra folder': { deep: { 'y.txt': 'y' } }, deep: { 'b.txt': 'my b' } },
    'file.txt': { 'now a folder': { 'z.txt': 'z' } },
  });
  chmodSync(join(target, 'closed', 'a.txt'), 0o000);
  chmodSync(join(target, 'closed', 'extra folder', 'deep'), 0o000);
  chmodSync(join(target, 'closed', 'extra folder'), 0o500);
  chmodSync(join(target, 'closed', 'deep'), 0o500);
  chmodSync(join(target, 'closed'), 0o511);
  chmodSync(join(target, 'file.txt'), 0o500);
  execFileSync('chown', ['-R', `${nobody}:${nobody}`, work]);
  execFileSync('cp', ['-a', target, join(work, 'before')]);
  const journals = join(work, 'journals');
  const { problems } = await runTarget(
    'restore',
    folder,
    { target, path: source, delete: true, undo: { folder: journals } },
    { user: nobody },
  );
  expect(problems).toEqual([]);
  expect([...factsOf(target).keys()].filter((name) => !name.startsWith('.holdfast'))).toEqual([...factsOf(source).keys()]);
  const { id } = listUndos(journals)[0]!;
  const report = await beginTarget('undo', journals, { id }, { user: nobody }).report;
  expect(report?.problems).toEqual([]);
  await expectSameTree(join(work, 'before'), target);
});

test('the lock and everything of a run that ended goes when it is undone, and a later restore works as if nothing had been', async () => {
  const world = await undoWorld(scratch('faults'));
  const { undo } = await restore(world.repository, world.target, world.request);
  appendFileSync(join(world.journals, undo!.id, 'run.log'), 'cut off');
  await undoOf(world.journals, undo!.id);
  expect(readdirSync(world.journals)).toEqual([]);
  const again = await restore(await openRepository(world.folder), world.target, { ...world.request, verify: true });
  expect(again.problems).toEqual([]);
  truncateSync(join(world.target, 'sub', 'c.txt'), 0);
  const { kept } = await undoOf(world.journals, again.undo!.id);
  expect(kept.map(({ path }) => Buffer.from(path).toString())).toEqual([join(world.target, 'sub', 'c.txt')]);
  expect(readFileSync(join(world.target, 'sub', 'c.txt'), 'utf8')).toBe('');
});
