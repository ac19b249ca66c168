/** Files that change, move and vanish under the hands of a running backup: each is reported, and the snapshot is made. */
import { execFileSync, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import {
  appendFileSync,
  chmodSync,
  existsSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { beforeEach, describe, expect, onTestFinished, test } from 'vitest';
import { systemClock } from '../../src/platform/clock.ts';
import { LocalStorage } from '../../src/storage/local.ts';
import type { StoredFile } from '../../src/storage/storage.ts';
import { executeBackup } from '../../src/engine/backup/backup.ts';
import { backup, makeRepository, openRepository, plannedBackup, problemLines, resticOn, restore, runOptions } from '../support/engine.ts';
import type { BackupReport } from '../support/engine-process.ts';
import { expectCleanCheck, expectSameTree } from '../support/judge.ts';
import { canTrace } from '../support/strace.ts';
import { scratch, tree } from '../support/tree-literal.ts';

const child = join(import.meta.dirname, '..', 'support', 'engine-process.ts');

let dir: string;
let source: string;
let folder: string;
const at = (...names: string[]): string => join(source, ...names);
beforeEach(async () => {
  dir = scratch();
  source = join(dir, 'source');
  folder = join(dir, 'repository');
});

/** Whatever happened: the repository is sound, and once the files are left alone the next run holds exactly what is there. */
async function expectNextRunRight(): Promise<void> {
  await expectCleanCheck(resticOn(folder));
  const repository = await openRepository(folder);
  const { problems } = await backup(repository, source);
  expect(problemLines(problems)).toEqual([]);
  const target = join(dir, 'restored');
  await restore(repository, target, { path: Buffer.from(source) });
  await expectSameTree(source, target);
}

/** Does something to the files when the first pack is to be stored: one worker is in the middle of the first large file then. */
class Meddling extends LocalStorage {
  meddle: (() => void) | undefined;

  override async save(file: StoredFile, parts: readonly Uint8Array[]): Promise<void> {
    const meddle = file.kind === 'pack' ? this.meddle : undefined;
    if (meddle) this.meddle = undefined;
    meddle?.();
    await super.save(file, parts);
  }
}

describe('while a large file is read', () => {
  // More than one worker holds back in packs of 4 MiB, less than what becomes a task of its own.
  const size = 30 << 20;
  let content: Buffer;
  beforeEach(() => {
    content = randomBytes(size);
    tree(source, { '0 large': content, beside: { a: 'a' } });
  });

  async function backupMeddling(meddle: () => void): ReturnType<typeof backup> {
    await makeRepository(folder);
    const storage = new Meddling(folder);
    storage.meddle = meddle;
    const result = await backup(await openRepository(storage), source, { threads: 1, packSize: 4 << 20 });
    expect(storage.meddle).toBeUndefined();
    return result;
  }

  test('it grows: what was read is stored to its new end, and reported as changed', async () => {
    const { problems, summary } = await backupMeddling(() => appendFileSync(at('0 large'), randomBytes(1 << 20)));
    expect(problemLines(problems)).toEqual([`changed: ${at('0 large')}`]);
    expect(summary.total_bytes_processed).toBe(size + (1 << 20) + 1);
    await expectNextRunRight();
  });

  test('it shrinks: what was read is stored, and reported as changed', async () => {
    const { problems, summary } = await backupMeddling(() => truncateSync(at('0 large'), 5));
    expect(problemLines(problems)).toEqual([`changed: ${at('0 large')}`]);
    expect(summary.total_files_processed).toBe(2);
    expect(summary.total_bytes_processed).toBeLessThan(size);
    await expectNextRunRight();
  });

  test('its beginning is overwritten: it is reported as changed, and the next run reads it again', async () => {
    const { problems } = await backupMeddling(() => {
      const file = openSync(at('0 large'), 'r+');
      writeSync(file, randomBytes(1000), 0, 1000, 0);
    });
    expect(problemLines(problems)).toEqual([`changed: ${at('0 large')}`]);
    await expectNextRunRight();
  });

  test('it is replaced: the old content is stored whole, and the next run stores the new one', async () => {
    const { snapshot, problems } = await backupMeddling(() => {
      writeFileSync(at('new'), 'another file');
      renameSync(at('new'), at('0 large'));
    });
    expect(problemLines(problems)).toEqual([]);
    const target = join(dir, 'first');
    await restore(await openRepository(folder), target, { snapshot, path: Buffer.from(source) });
    expect(readFileSync(join(target, '0 large')).equals(content)).toBe(true);
    await expectNextRunRight();
  });

  test('it is removed: it is reported as vanished, like files and folders that were listed before it', async () => {
    tree(source, { 'gone file': 'x', 'gone folder': { inside: 'y' }, stays: 'z' });
    const { problems, summary } = await backupMeddling(() => {
      for (const name of ['0 large', 'gone file', 'gone folder']) rmSync(at(name), { recursive: true });
    });
    expect(problemLines(problems)).toEqual(['0 large', 'gone file', 'gone folder'].map((name) => `vanished: ${at(name)}`));
    expect(summary.total_files_processed).toBeLessThanOrEqual(3);
    await expectNextRunRight();
  });

  test('its folder is removed: every file that had been listed is reported, and what is beside it is stored', async () => {
    const inner = tree(at('0 inner'), { '0 large': content, b: 'b', c: { d: 'd' } });
    rmSync(at('0 large'));
    const { problems, summary } = await backupMeddling(() => rmSync(inner, { recursive: true }));
    expect(problemLines(problems)).toEqual(['0 large', 'b', 'c'].map((name) => `vanished: ${join(inner, name)}`));
    expect(summary.total_files_processed).toBeGreaterThanOrEqual(1);
    await expectNextRunRight();
  });
});

describe('between the plan and the run', () => {
  test('a source vanishes, with the folder that holds it: it is reported, and the others are stored', async () => {
    tree(source, { one: { docs: { a: 'a' } }, two: { b: 'b' } });
    const repository = await makeRepository(folder);
    const plan = await plannedBackup(repository, [at('one', 'docs'), at('two'), at('two', 'b')]);
    rmSync(at('one'), { recursive: true });
    const { problems, summary } = await executeBackup(repository, plan, runOptions());
    expect(problemLines(problems)).toEqual([`vanished: ${at('one', 'docs')}`]);
    expect(summary.total_files_processed).toBe(1);
    await expectCleanCheck(resticOn(folder));
  });

  test('all sources vanish: no snapshot is made', async () => {
    tree(source, { one: { docs: { a: 'a' } } });
    const repository = await makeRepository(folder);
    const plan = await plannedBackup(repository, at('one', 'docs'));
    rmSync(at('one'), { recursive: true });
    await expect(executeBackup(repository, plan, runOptions())).rejects.toMatchObject({ code: 'source-missing' });
    expect(readdirSync(join(folder, 'snapshots'))).toEqual([]);
    expect(readdirSync(join(folder, 'locks'))).toEqual([]);
  });
});

describe.skipIf(!canTrace())('between the look at an entry and its reading', () => {
  /**
   * Runs a backup that the system stops right after `lstat` of the entry, and calls `meddle` then. The stop is a signal that strace
   * sends with the system call, so that no luck is needed.
   */
  async function backupStoppedAt(path: string, meddle: () => void): Promise<BackupReport> {
    await makeRepository(folder);
    const log = join(dir, 'trace');
    const inject = ['-f', '-o', log, '-P', path, '-e', 'trace=statx', '-e', 'inject=statx:signal=SIGSTOP:when=1'];
    const traced = spawn('strace', [...inject, process.execPath, child, 'backup', folder, source], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    onTestFinished(() => void traced.kill('SIGKILL'));
    let output = '';
    traced.stdout.setEncoding('utf8').on('data', (text: string) => (output += text));
    const closed = once(traced, 'close');
    // The thread that looked is stopped for good when strace says so; the signal to go on is for its whole process.
    const stopped = (): string | undefined => {
      const text = existsSync(log) ? readFileSync(log, 'utf8') : '';
      const [, thread] = /^(\d+) +--- SIGSTOP /m.exec(text) ?? [];
      // strace pads short numbers with spaces.
      return thread !== undefined && new RegExp(`^${thread} +--- stopped by SIGSTOP ---`, 'm').test(text) ? thread : undefined;
    };
    while (stopped() === undefined && traced.exitCode === null) await systemClock.sleep(1);
    meddle();
    const stoppedProcess = Number(/^Tgid:\s*(\d+)/m.exec(readFileSync(`/proc/${stopped()}/status`, 'utf8'))![1]);
    // A traced thread that enters the stop just now may miss the signal: it is repeated until the process ends.
    const stopRepeating = systemClock.every(50, () => {
      // It may end between any look and the signal.
      try {
        process.kill(stoppedProcess, 'SIGCONT');
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
      }
    });
    expect(await closed.finally(stopRepeating)).toEqual([0, null]);
    return JSON.parse(output) as BackupReport;
  }
  const lines = ({ problems }: BackupReport): string[] => problems.map(({ kind, path }) => `${kind}: ${path}`);

  beforeEach(() => void tree(source, { victim: 'what was there', folder: { inside: 'x' }, stays: 'y' }));

  test.each<[name: string, replace: (path: string) => void]>([
    ['a FIFO, which nobody ever writes to', (path) => void execFileSync('mkfifo', [path])],
    ['a folder', (path) => void mkdirSync(path)],
    ['a link, which must not be followed', (path) => void symlinkSync('stays', path)],
    ['nothing', () => {}],
  ])('%s takes the place of a file: it is reported as vanished', async (_, replace) => {
    const report = await backupStoppedAt(at('victim'), () => {
      rmSync(at('victim'));
      replace(at('victim'));
    });
    expect(lines(report)).toEqual([`vanished: ${at('victim')}`]);
    expect(report.summary).toMatchObject({ total_files_processed: 2 });
    await expectNextRunRight();
  });

  test.skipIf(process.getuid?.() !== 0)('a device without end takes the place of a file: it is reported as vanished', async () => {
    const report = await backupStoppedAt(at('victim'), () => {
      rmSync(at('victim'));
      execFileSync('mknod', [at('victim'), 'c', '1', '5']);
    });
    expect(lines(report)).toEqual([`vanished: ${at('victim')}`]);
    await expectNextRunRight();
  });

  test.each<[name: string, change: (path: string) => void]>([
    ['grows beyond what one chunk holds', (path) => appendFileSync(path, randomBytes(3 << 20))],
    ['becomes empty', (path) => truncateSync(path)],
    [
      'is replaced by another',
      (path) => {
        writeFileSync(`${path}.new`, 'something else, and longer');
        renameSync(`${path}.new`, path);
      },
    ],
  ])('a file that %s is stored as it is when read, and reported as changed', async (_, change) => {
    const report = await backupStoppedAt(at('victim'), () => change(at('victim')));
    expect(lines(report)).toEqual([`changed: ${at('victim')}`]);
    const target = join(dir, 'first');
    await restore(await openRepository(folder), target, { path: Buffer.from(source) });
    expect(readFileSync(join(target, 'victim')).equals(readFileSync(at('victim')))).toBe(true);
    await expectNextRunRight();
  });

  test('a folder is removed, or becomes a file: it is reported as vanished', async () => {
    const report = await backupStoppedAt(at('folder'), () => {
      rmSync(at('folder'), { recursive: true });
      writeFileSync(at('folder'), 'now a file');
    });
    expect(lines(report)).toEqual([`vanished: ${at('folder')}`]);
    expect(report.summary).toMatchObject({ total_files_processed: 2 });
    await expectNextRunRight();
  });
});

describe.skipIf(process.platform === 'win32' || process.getuid?.() !== 0)('for a user who may not read everything', () => {
  const nobody = 65534;
  const backupAsNobody = (...sources: string[]): BackupReport => {
    execFileSync('chown', ['-R', `${nobody}:${nobody}`, folder]);
    const output = execFileSync(process.execPath, [child, 'backup', folder, ...sources], {
      uid: nobody,
      gid: nobody,
      encoding: 'utf8',
      cwd: '/',
    });
    return JSON.parse(output) as BackupReport;
  };

  test('each file and folder that is closed is reported, and everything else is stored', async () => {
    chmodSync(dir, 0o755);
    tree(source, {
      open: 'o',
      closed: 'c',
      'closed folder': { inside: 'i' },
      'no way in': { inside: 'i' },
      deeper: { closed: 'c', open: 'o' },
    });
    for (const path of [at('closed'), at('deeper', 'closed')]) chmodSync(path, 0o600);
    chmodSync(at('closed folder'), 0o700);
    chmodSync(at('no way in'), 0o744);
    await makeRepository(folder);
    const { problems, summary } = backupAsNobody(source);
    const reported = problems.map(({ kind, path }) => `${kind}: ${path}`).sort();
    expect(reported).toEqual(
      [at('closed'), at('closed folder'), at('deeper', 'closed'), at('no way in', 'inside')].map((path) => `unreadable: ${path}`),
    );
    expect(problems.map(({ detail }) => detail)).toEqual(problems.map(() => expect.stringContaining('EACCES')));
    expect(summary).toMatchObject({ total_files_processed: 2 });
    await expectNextRunRight();
  });

  test('a source behind a closed folder is reported as unreadable, not as missing', async () => {
    chmodSync(dir, 0o755);
    tree(source, { closed: { docs: { a: 'a' } }, open: { b: 'b' } });
    chmodSync(at('closed'), 0o700);
    await makeRepository(folder);
    const { problems, summary } = backupAsNobody(at('closed', 'docs'), at('open'));
    expect(problems).toMatchObject([{ kind: 'unreadable', path: at('closed', 'docs') }]);
    expect(summary).toMatchObject({ total_files_processed: 1 });
  });

  test('a folder above the source whose attributes are closed is no reason to fail', async () => {
    chmodSync(dir, 0o755);
    const home = dirname(tree(at('home', 'docs'), { a: 'a' }));
    execFileSync('setfattr', ['-n', 'user.note', '-v', 'private', home]);
    chmodSync(home, 0o711);
    await makeRepository(folder);
    const { problems, summary } = backupAsNobody(join(home, 'docs'));
    expect(problems).toEqual([]);
    expect(summary).toMatchObject({ total_files_processed: 1 });
    await expectCleanCheck(resticOn(folder));
  });
});
