/**
 * Names under which entries grow until they are whole: `.holdfast-HOST-PROCESS-RUN-NUMBER.part`, beside the place where
 * they belong, so that a rename completes them.
 *
 * Every run has its own names, so that two restores into the same folder never write into one file. A name tells whose it
 * is: what a run that was cut off has left is removed by the next one that comes by, what belongs to a living one is not.
 */
import { randomBytes } from 'node:crypto';
import { constants, linkSync, lstatSync, renameSync, unlinkSync } from 'node:fs';
import { hostname } from 'node:os';
import { displayPath, joinPath, parentPath } from '../../platform/byte-paths.ts';
import { isProcessAlive } from '../../platform/processes.ts';
import { sha256 } from '../../repository/ids.ts';
import { refuseTaken } from './removal.ts';

const host = sha256(Buffer.from(hostname())).toString('hex', 0, 4);

/** Runs of this process that have not ended. Filled on the thread that starts them. */
const living = new Set<string>();

/** What a worker must know of the runs of this process. */
export interface PartNames {
  /** The run's own part of the names. */
  readonly run: string;
  /** All runs of this process, this one among them. */
  readonly living: readonly string[];
}

/** Begins a run; `end` says that its files may be removed by others. */
export function beginParts(): { readonly names: PartNames; end(): void } {
  const run = `${host}-${process.pid.toString(36)}-${randomBytes(4).toString('hex')}`;
  living.add(run);
  return { names: { run, living: [...living] }, end: () => void living.delete(run) };
}

/** Where what belongs at `path` grows. `prefix` is the run's, or begins with it and a dash; with `number` it must be unique. */
export const partPath = (path: Buffer, prefix: string, number: number): Buffer =>
  joinPath(parentPath(path), Buffer.from(`.holdfast-${prefix}-${number.toString(36)}.part`));

const pattern = /^\.holdfast-(([0-9a-f]{8})-([0-9a-z]{1,7})-[0-9a-f]{8})-[0-9a-z-]+\.part$/;

/** Whether `name` is one of these names, whoever made it. */
export const isPart = (name: string): boolean => name.startsWith('.holdfast-') && pattern.test(name);

/** Whether nobody writes to the file of this name any more. Of other computers' files nobody can tell here: false. */
export function isLeftOver(name: string, { living: own }: PartNames): boolean {
  const [, run, madeBy, pid] = pattern.exec(name) ?? [];
  if (run === undefined || madeBy !== host) return false;
  const number = Number.parseInt(pid, 36);
  return number === process.pid ? !own.includes(run) : !isProcessAlive(number);
}

/** What is at the place already, be it a link or a name of somebody else's file, is never opened for writing. */
export const createNew = constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | (constants.O_NOFOLLOW ?? 0);

/**
 * Throws what the system does when something stands there that a file cannot replace; then nothing is left of it. With `keep`,
 * what stands at `path` gets that name first (of the same file system), unless nothing does.
 */
export function putInPlace(growing: Buffer, path: Buffer, keep?: Buffer): void {
  try {
    if (keep) keepFormer(path, keep);
    renameSync(growing, path);
  } catch (error) {
    unlinkQuietly(growing);
    throw error;
  }
}

/** Failures that say that the file cannot have a second name, though it may have another one. */
const linkless = new Set(['EPERM', 'EMLINK', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS', 'EACCES']);

/** A second name, if that can be, so that at every moment something stands at `path`. */
function keepFormer(path: Buffer, keep: Buffer): void {
  const former = lstatSync(path, { bigint: true, throwIfNoEntry: false });
  if (!former) return;
  if (former.isDirectory()) throw Object.assign(new Error(`EISDIR: a folder stands at ${displayPath(path)}`), { code: 'EISDIR' });
  refuseTaken(keep);
  // Some systems would give a second name to what a link leads to.
  if (!former.isSymbolicLink()) {
    try {
      linkSync(path, keep);
      return;
    } catch (error) {
      if (!linkless.has((error as NodeJS.ErrnoException).code ?? '')) throw error;
    }
  }
  renameSync(path, keep);
}

/** Takes away what a failed file left. That this fails too is no news beside the first failure, which is reported. */
export function unlinkQuietly(path: Buffer): void {
  try {
    unlinkSync(path);
  } catch {
    // See above.
  }
}
