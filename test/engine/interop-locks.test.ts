/** Two programs at one repository: each respects the other's locks, and deals with those that a killed run has left. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, describe, expect, onTestFinished, test } from 'vitest';
import { systemClock } from '../../src/platform/clock.ts';
import { listLocks, Lock, removeLocks } from '../../src/repository/locks.ts';
import type { Repository } from '../../src/repository/repository.ts';
import { LocalStorage } from '../../src/storage/local.ts';
import type { FileKind, ListedFile } from '../../src/storage/storage.ts';
import { backup, identity, makeRepository, openRepository, password, resticOn, restore, runOptions } from '../support/engine.ts';
import { expectCleanCheck } from '../support/judge.ts';
import { type Restic, resticPath } from '../support/restic.ts';
import { scratch, tree } from '../support/tree-literal.ts';

const child = join(import.meta.dirname, '..', 'support', 'engine-process.ts');

let dir: string;
let folder: string;
let source: string;
let repository: Repository;
let restic: Restic;
beforeEach(async () => {
  dir = scratch();
  folder = join(dir, 'repository');
  source = tree(join(dir, 'source'), { a: 'a' });
  repository = await makeRepository(folder);
  await backup(repository, source);
  restic = resticOn(folder);
});

const lockNames = (): string[] => readdirSync(join(folder, 'locks')).filter((name) => /^[0-9a-f]{64}$/.test(name));

/** A child that is killed with the test at the latest. */
function started(command: string, args: readonly string[]): ChildProcess {
  const process = spawn(command, args, {
    stdio: ['ignore', 'pipe', 'ignore'],
    env: { ...globalThis.process.env, RESTIC_PASSWORD: password },
  });
  onTestFinished(async () => {
    if (process.exitCode !== null || process.signalCode !== null) return;
    const ended = once(process, 'exit');
    process.kill('SIGKILL');
    await ended;
  });
  return process;
}

async function killed(process: ChildProcess): Promise<void> {
  const ended = once(process, 'exit');
  process.kill('SIGKILL');
  await ended;
}

/** What a process does just now, in the letters of proc_pid_stat(5); X when it is gone. */
function stateOf({ pid }: ChildProcess): string {
  try {
    return readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]![0]!;
  } catch {
    return 'X';
  }
}

/** restic at work, stopped while its lock is there. */
async function resticHolding(args: readonly string[]): Promise<ChildProcess> {
  for (;;) {
    const process = started(resticPath(), ['--repo', folder, '--no-cache', ...args]);
    const ended = once(process, 'exit');
    while (lockNames().length === 0 && process.exitCode === null) await systemClock.sleep(1);
    process.kill('SIGSTOP');
    while (!/[TZX]/.test(stateOf(process))) await systemClock.sleep(1);
    if (stateOf(process) === 'T' && lockNames().length === 1) return process;
    // It was through before it could be stopped: once more.
    process.kill('SIGCONT');
    await ended;
  }
}

/** Our own other process, holding a lock. */
async function usHolding(exclusive: boolean): Promise<ChildProcess> {
  const process = started(globalThis.process.execPath, [child, 'hold', folder, ...(exclusive ? ['exclusive'] : [])]);
  await once(process.stdout!, 'data');
  return process;
}

describe.skipIf(process.platform !== 'linux')('while restic', () => {
  test('holds an exclusive lock, we neither back up nor restore, and say who is at work', async () => {
    const checking = await resticHolding(['check', '--read-data']);
    const about = { host: identity.hostname, exclusive: true, program: expect.stringContaining(String(checking.pid)) };
    await expect(backup(repository, source)).rejects.toMatchObject({ code: 'locked', context: about });
    await expect(restore(repository, join(dir, 'restored'))).rejects.toMatchObject({ code: 'locked' });
    expect(lockNames()).toHaveLength(1);
    checking.kill('SIGCONT');
    const [code] = (await once(checking, 'exit')) as [number];
    expect(code).toBe(0);
    await backup(repository, source);
  });

  test('holds a shared lock, we back up beside it, and refuse what needs the repository alone', async () => {
    const listing = await resticHolding(['stats', '--mode', 'raw-data']);
    await backup(repository, source);
    const { holder, clock } = runOptions();
    await expect(Lock.acquire(repository, holder, true, clock)).rejects.toMatchObject({ code: 'locked' });
    listing.kill('SIGCONT');
    expect(await once(listing, 'exit')).toEqual([0, null]);
    expect(lockNames()).toEqual([]);
  });

  test('was killed with its exclusive lock, we clear it away and go on', async () => {
    await killed(await resticHolding(['prune']));
    expect(lockNames()).toHaveLength(1);
    await backup(repository, source);
    expect(lockNames()).toEqual([]);
    await expectCleanCheck(restic);
  });
});

describe('while we', () => {
  test('hold a shared lock, restic reads and backs up beside us, but prunes not', async () => {
    const holding = await usHolding(false);
    await restic.backup([source]);
    expect((await restic.run(['snapshots'])).code).toBe(0);
    const refused = await restic.run(['prune']);
    expect(refused.code).toBe(11);
    expect(refused.stderr).toContain(`locked by PID ${holding.pid} on ${identity.hostname} by ${identity.username}`);
    expect((await restic.run(['unlock'])).code).toBe(0);
    expect(lockNames()).toHaveLength(1);
  });

  test('hold an exclusive lock, restic does nothing at all', async () => {
    await usHolding(true);
    for (const args of [['backup', source], ['prune'], ['check']]) expect((await restic.run(args)).code).toBe(11);
    await expect(backup(repository, source)).rejects.toMatchObject({ code: 'locked' });
  });

  test('were killed, restic takes our lock for stale, and so do we', async () => {
    await killed(await usHolding(true));
    expect(lockNames()).toHaveLength(1);
    expect(await listLocks(repository, systemClock)).toMatchObject([{ record: { exclusive: true }, problem: undefined }]);
    const unlocked = await restic.must(['unlock']);
    expect(unlocked.stdout).toContain('successfully removed 1 locks');
    expect(lockNames()).toEqual([]);

    await killed(await usHolding(true));
    await backup(repository, source);
    expect(lockNames()).toEqual([]);

    await killed(await usHolding(false));
    expect(await removeLocks(repository, 'another host', systemClock)).toEqual([]);
    expect(await removeLocks(repository, identity.hostname, systemClock)).toHaveLength(1);
  });
});

test('packs that another run has stored and indexed since our index was loaded are not taken for left behind', async () => {
  const other = tree(join(dir, 'other'), { b: 'b' });
  /** restic makes a whole backup between our look at the index and our look at the packs. */
  class Overtaken extends LocalStorage {
    override async *list(kind: FileKind): AsyncGenerator<ListedFile> {
      if (kind === 'pack') await restic.backup([other]);
      yield* super.list(kind);
    }
  }
  const { adoptedPacks, damage } = await backup(await openRepository(new Overtaken(folder)), source);
  expect([adoptedPacks, damage]).toEqual([0, []]);
  expect(await restic.snapshots()).toHaveLength(3);
  await expectCleanCheck(restic);
});

test('many of both at once all finish, and the repository is clean', async () => {
  const ours = Array.from({ length: 3 }, (_, n) => backup(repository, source, { hostname: `ours ${n}`, threads: 1 }));
  const theirs = Array.from({ length: 3 }, (_, n) => restic.backup([source], { host: `theirs ${n}` }));
  await Promise.all([...ours, ...theirs]);
  expect(lockNames()).toEqual([]);
  expect(await restic.snapshots()).toHaveLength(7);
  await expectCleanCheck(restic);
});
