/** Repositories in memory for the tests of check, forget and prune: several snapshots, many small packs. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { executeBackup } from '../../src/engine/backup/backup.ts';
import { compileExcludes } from '../../src/engine/backup/exclude.ts';
import { planBackup } from '../../src/engine/backup/plan.ts';
import { type CheckOptions, type CheckResult, executeCheck } from '../../src/engine/check/check.ts';
import { type CheckRequest, planCheck } from '../../src/engine/check/plan.ts';
import type { RunOptions } from '../../src/engine/run.ts';
import { RunControl } from '../../src/platform/cancellation.ts';
import { Repository } from '../../src/repository/repository.ts';
import { layoutPath } from '../../src/storage/names.ts';
import { fileKinds, type Storage, type StoredFile } from '../../src/storage/storage.ts';
import { hastyClock } from '../support/hasty-clock.ts';
import { noCost } from '../support/no-cost-key.ts';

export const password = 'pw';
/** Small enough that a few files fill several packs. */
export const smallPack = 48 << 10;

const holder = { hostname: 'anna', username: 'anna', pid: process.pid, uid: 0, gid: 0 };

export const runOptions = (control = new RunControl()): RunOptions => ({ control, clock: hastyClock, holder, threads: 2 });

/** `polynomial`: for files that are to be cut at the same places in every run. */
export const newRepository = (storage: Storage, polynomial?: string): Promise<Repository> =>
  Repository.init(storage, password, holder, hastyClock, { polynomial, cost: noCost });

export const open = (storage: Storage): Promise<Repository> => Repository.open(storage, password);

/** Bytes that do not compress, the same for the same seed. */
export function noise(seed: number, length: number): Buffer {
  const bytes = Buffer.alloc(length);
  let state = seed * 2_654_435_761;
  for (let i = 0; i < length; i++) {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    bytes[i] = state >>> 24;
  }
  return bytes;
}

/** Backs `folder` up and returns the snapshot's ID. */
export async function backup(repository: Repository, folder: string, packSize = smallPack): Promise<string> {
  const who = { hostname: 'anna', username: 'anna', uid: 0, gid: 0 };
  const plan = await planBackup(repository, { sources: [folder], rules: compileExcludes({}), ...who });
  return (await executeBackup(repository, plan, { ...runOptions(), packSize })).snapshot;
}

export async function check(repository: Repository, request: CheckRequest = {}, options: Partial<CheckOptions> = {}): Promise<CheckResult> {
  return executeCheck(repository, await planCheck(repository, request), { ...runOptions(), lock: 'none', ...options });
}

/** Writes the source's files of generation `n`: some stay from one generation to the next, some change, some go. */
export function writeGeneration(folder: string, n: number, files = 18, length = 9000): void {
  const put = (name: string, seed: number): void => {
    const path = join(folder, name);
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, noise(seed, length + seed));
  };
  for (let i = 0; i < files; i++) {
    // A third for ever, a third for two generations, a third for one.
    const seed = i % 3 === 0 ? i : i % 3 === 1 ? i + 100 * (n >> 1) : i + 1000 * n;
    put(`folder ${i % 4}/file ${i}`, seed + 1);
  }
}

/** A repository in `storage` with the snapshots of some generations, oldest first. */
export async function repositoryWithGenerations(
  storage: Storage,
  folder: string,
  generations = 4,
  files?: number,
): Promise<{ repository: Repository; snapshots: string[] }> {
  const repository = await newRepository(storage);
  const snapshots: string[] = [];
  for (let n = 0; n < generations; n++) {
    writeGeneration(folder, n, files);
    snapshots.push(await backup(repository, folder));
  }
  return { repository, snapshots };
}

export async function allFiles(storage: Storage): Promise<StoredFile[]> {
  const files: StoredFile[] = [{ kind: 'config', name: '' }];
  for (const kind of fileKinds) if (kind !== 'config') for await (const { name } of storage.list(kind)) files.push({ kind, name });
  return files;
}

/** Writes a repository to disk for restic to judge. */
export async function writeToDisk(storage: Storage, folder: string): Promise<string> {
  for (const name of ['keys', 'snapshots', 'index', 'locks', 'data']) mkdirSync(join(folder, name), { recursive: true });
  for (const file of await allFiles(storage)) {
    const path = join(folder, layoutPath(file));
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, await storage.load(file));
  }
  return folder;
}

/** What an error is to be shown as in a failed test. */
export const told = (result: CheckResult): string[] =>
  result.findings.filter(({ severity }) => severity !== 'note').map(({ code, message }) => `${code}: ${message}`);
