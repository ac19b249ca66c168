/** An undo in which each call into the system fails in turn: run again, it ends with the exact former state. */
import { execFileSync, spawnSync } from 'node:child_process';
import { copyFileSync, linkSync, mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { expect, onTestFinished, test, vi } from 'vitest';
import { executeUndo } from '../../../src/engine/undo/undo.ts';
import { listUndos } from '../../../src/engine/undo/list.ts';
import { systemClock } from '../../../src/platform/clock.ts';
import { canMountDisks } from '../../support/disk.ts';
import { backup, makeRepository, restore, runOptions } from '../../support/engine.ts';
import { type FileFault, withFault } from '../../support/failing-files.ts';
import { expectClearError } from '../../support/faulty-runs.ts';
import { factsOf } from '../../support/file-facts.ts';
import { expectSameTree } from '../../support/judge.ts';
import { hastyClock } from '../../support/hasty-clock.ts';
import { file, removeTree, scratch, symlink, tree } from '../../support/tree-literal.ts';
import { must } from '../../support/volumes.ts';

vi.mock('../../../src/platform/posix.ts', async (original) => {
  const { failingPosix } = await import('../../support/failing-files.ts');
  return failingPosix(await original<object>());
});

const run = (program: string, ...args: string[]): void => void execFileSync(program, args, { stdio: 'ignore' });

/** A disk's image with a target over which was restored, and the journal of that. */
async function restoredDisk(change: (target: string) => void = () => {}) {
  const dir = scratch('every-fault');
  const [image, mount, before] = [join(dir, 'image'), join(dir, 'mount'), join(dir, 'before')];
  onTestFinished(() => void spawnSync('umount', ['-l', mount]));
  run('truncate', '-s', '2M', image);
  run('mkfs.ext4', '-q', '-O', '^has_journal', '-m', '0', image);
  mkdirSync(mount);
  run('mount', '-o', 'loop', image, mount);
  const target = join(mount, 'target');
  const source = tree(join(dir, 'source'), {
    'replaced.txt': 'as in the snapshot',
    'made.txt': 'made',
    'set.txt': 'set',
    linked: 'two names',
    'was a folder': 'now a file',
    made: { below: { 'n.txt': 'n' } },
    sub: { 'stays.txt': 'stays' },
    'was a file': { 'x.txt': 'x' },
  });
  linkSync(join(source, 'linked'), join(source, 'linked too'));
  tree(target, {
    'replaced.txt': 'mine',
    'set.txt': file('set', { mode: 0o600 }),
    linked: 'mine too',
    'was a folder': { 'deep.txt': 'deep' },
    'was a file': 'a file',
    'gone.txt': 'gone',
    sub: { 'stays.txt': 'stays', 'gone too.txt': 'gone' },
    'gone folder': { 'inside.txt': 'inside', link: symlink('inside.txt') },
  });
  run('setfattr', '-n', 'user.note', '-v', 'mine', join(target, 'set.txt'));
  run('touch', '-r', join(source, 'set.txt'), join(target, 'set.txt'));
  run('cp', '-a', target, before);
  const repository = await makeRepository(join(dir, 'repository'));
  await backup(repository, source);
  const journals = join(mount, 'journals');
  const settings = { path: Buffer.from(source), delete: true, threads: 1, undo: { folder: journals } };
  const { undo, problems } = await restore(repository, target, settings);
  expect(problems).toEqual([]);
  change(target);
  // A mount may stay in use elsewhere after it is gone here: what is copied must be on the image by then.
  run('sync', '-f', mount);
  must('umount', mount);
  let uses = 0;
  const now = systemClock.now();
  return {
    clock: { ...hastyClock, now: () => now },
    target,
    before,
    journals,
    id: undo!.id,
    /** The disk as the restore has left it. */
    async with<T>(act: () => Promise<T>): Promise<T> {
      // A name of its own each time: an image that is still in use would be mounted as it is in memory.
      const used = join(dir, `used ${++uses}`);
      copyFileSync(image, used);
      run('mount', '-o', 'loop', used, mount);
      try {
        return await act();
      } finally {
        must('umount', mount);
        rmSync(used);
      }
    },
  };
}

/** Folders in which something of somebody's stays get the time at which the rest went. */
const lasting = (folder: string) =>
  [...factsOf(folder)].map(([name, { kind, content, mode, mtimeNs, links }]) => ({
    name,
    kind,
    content,
    mode,
    links,
    mtimeNs: /^(made|was a file)/.test(name) && kind === 'folder' ? undefined : mtimeNs,
  }));

/** Each kind of failure at each call; in turn, when there is not much time. */
const faults: readonly Omit<FileFault, 'at'>[] = [
  { code: 'EIO', afterwards: false },
  { code: 'EACCES', afterwards: false },
  { code: 'EIO', afterwards: true },
];
const atEach = process.env['HOLDFAST_LONG'] === '1' ? faults.length : 1;

/** Each fault, then an undo without any: it ends as one to which nothing happened. Returns how many calls failed. */
async function expectFinished(disk: Awaited<ReturnType<typeof restoredDisk>>): Promise<number> {
  const undo = async () => {
    const { problems, kept } = await executeUndo(disk.journals, disk.id, runOptions({ clock: disk.clock }));
    // What stayed where it is in a folder that got another name is named with that folder.
    return { problems, kept: kept.flatMap(({ other }) => (other ? [Buffer.from(other).toString()] : [])).sort() };
  };
  const wanted = await disk.with(async () => ({ ...(await undo()), there: lasting(disk.target) }));
  expect(wanted.problems).toEqual([]);
  for (let at = 1; ; at++) {
    for (let i = 0; i < atEach; i++) {
      const fault = { at, ...faults[(at + i) % faults.length]! };
      const isPast = await disk.with(async () => {
        let ended: Awaited<ReturnType<typeof undo>> | undefined;
        const tryOnce = (each: FileFault) =>
          withFault(each, async () => {
            ended = await undo().catch((error: unknown) => void expectClearError(error));
          });
        const { failed } = await tryOnce(fault);
        // What was written by half must not harm a journal that goes on after it, and on.
        if (failed === 'writeSync' && fault.afterwards && !ended) await tryOnce({ ...fault, at: at + 20 });
        const what = `${failed} at ${at}, ${fault.code}${fault.afterwards ? ' afterwards' : ''}`;
        // What is still open is told.
        if (listUndos(disk.journals).length > 0) {
          expect(ended?.problems, what).not.toEqual([]);
          ended = await undo();
        }
        if (ended) expect(ended, what).toEqual({ problems: [], kept: wanted.kept });
        expect(lasting(disk.target), what).toEqual(wanted.there);
        return failed === undefined;
      });
      if (isPast) return at - 1;
    }
  }
}

test.skipIf(!canMountDisks)('an undo in which any call fails is finished by the next, exactly', async () => {
  const disk = await restoredDisk();
  expect(await expectFinished(disk)).toBeGreaterThan(100);
  await disk.with(async () => {
    await executeUndo(disk.journals, disk.id, runOptions());
    await expectSameTree(disk.before, disk.target);
  });
});

test.skipIf(!canMountDisks)('an undo in which any call fails keeps what was changed since, once', async () => {
  const disk = await restoredDisk((target) => {
    tree(target, { 'replaced.txt': 'changed since', made: { below: { 'since.txt': 'since' } }, 'was a file': { 'x.txt': 'since' } });
    removeTree(join(target, 'sub'));
  });
  expect(await expectFinished(disk)).toBeGreaterThan(100);
});
