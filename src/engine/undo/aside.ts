/**
 * The aside folder `.holdfast-undo-ID` in an area, into which an in-place restore moves what it replaces or deletes. It lies
 * on the same file system, so that moving is renaming.
 *
 * In it is the file `alive`, by whose times the file system itself tells when the run began (its time of modification) and
 * when it was last seen at work (its time of change, which no program can set). What was changed in the area between these
 * was changed by the run, what was changed after it by somebody else. It is removed when the run has ended and its time is
 * in the journal.
 */
import { randomBytes } from 'node:crypto';
import { closeSync, linkSync, lstatSync, mkdirSync, openSync, renameSync, unlinkSync, writeFileSync } from 'node:fs';
import { joinPath } from '../../platform/byte-paths.ts';
import type { Clock } from '../../platform/clock.ts';
import { setTimes } from '../../platform/posix.ts';
import { createNew } from '../restore/part-file.ts';

const prefix = '.holdfast-undo-';
const pattern = /^\.holdfast-undo-[0-9a-f]{8}$/;

/** Whether this (as Latin-1) is the name of an aside folder, whichever restore made it. */
export const isAsideName = (name: string): boolean => name.startsWith(prefix) && pattern.test(name);

export const asidePath = (area: Buffer, id: string): Buffer => joinPath(area, Buffer.from(prefix + id));

const alive = Buffer.from('alive');
const tag = Buffer.from('CACHEDIR.TAG');
/** Backup programs that know https://bford.info/cachedir leave out what is kept here: it is backed up as what it was. */
const tagText = 'Signature: 8a477f597d28d172789f06886806bc55\n# Kept by Holdfast so that a restore can be undone.\n';

/** Whether what has this name in an aside folder was put there by Holdfast for itself. */
export const isOwnFile = (name: Buffer): boolean => name.equals(tag) || name.subarray(0, alive.length).equals(alive);

/**
 * Makes the aside folder of an area unless it is there, and begins its time. The area's own times stay as they were. Returns
 * whether the file system keeps no times of change. Throws what the system does.
 */
export function makeAside(area: Buffer, aside: Buffer): { readonly coarse: boolean } {
  const before = lstatSync(area, { bigint: true });
  try {
    mkdirSync(aside, 0o700);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST' || !isAside(aside)) throw error;
  }
  const coarse = beginTime(aside);
  writeFileSync(joinPath(aside, tag), tagText);
  restoreTimes(area, before.atimeNs, before.mtimeNs);
  return { coarse };
}

/** Whether a folder is there that was not swapped for a link. */
export function isAside(aside: Buffer): boolean {
  return lstatSync(aside, { throwIfNoEntry: false })?.isDirectory() === true;
}

/**
 * Begins a run's time, unless another worker of the run has. Returns whether the file system keeps no times of
 * change of its own: there, this file's is that of modification.
 */
export function beginTime(aside: Buffer): boolean {
  const file = joinPath(aside, alive);
  if (!lstatSync(file, { throwIfNoEntry: false })) {
    // Complete before it has its name, since others may be looking.
    const growing = joinPath(aside, Buffer.from(`alive-${randomBytes(4).toString('hex')}`));
    closeSync(openSync(growing, createNew, 0o600));
    setBegin(growing, lstatSync(growing, { bigint: true }).ctimeNs);
    placeOnce(growing, file);
  }
  const { ctimeNs, mtimeNs } = lstatSync(file, { bigint: true });
  return ctimeNs === mtimeNs;
}

/** A little earlier, so that it is told from a time of change. */
const earlierNs = 2000n;
const setBegin = (file: Buffer, ns: bigint): void => setTimes(file, { atimeNs: ns - earlierNs, mtimeNs: ns - earlierNs });

/** Begins the time of an undo: everything that was changed before the call was changed earlier, by the file system's clock. */
export function beginLater(aside: Buffer, clock: Clock): void {
  endTime(aside);
  beginTime(aside);
  setBegin(joinPath(aside, alive), nextTick(aside, clock));
}

/** Many file systems count time in steps of some milliseconds; a run ends or begins between two of them. */
const longestTickMs = 50;

/** The first time that the file system gives after the time of the last beat. */
function nextTick(aside: Buffer, clock: Clock): bigint {
  const last = timeOf(aside)!.to;
  const began = clock.monotonic();
  for (;;) {
    beat(aside);
    const { to } = timeOf(aside)!;
    if (to > last || clock.monotonic() - began > longestTickMs) return to;
  }
}

/** When the run was at work. Everything that is changed after the call is changed later, by the file system's clock. */
export function finishTime(aside: Buffer, clock: Clock): { readonly from: bigint; readonly to: bigint } | undefined {
  beat(aside);
  const time = timeOf(aside);
  if (time) nextTick(aside, clock);
  return time;
}

function placeOnce(growing: Buffer, file: Buffer): void {
  try {
    linkSync(growing, file);
  } catch (error) {
    // A file system without hard links: whoever comes second begins the time again, a moment later.
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') return renameSync(growing, file);
  }
  return unlinkSync(growing);
}

/** Says that the run is still at work. That it cannot is the run's own trouble, which shows elsewhere. */
export function beat(aside: Buffer): void {
  const file = joinPath(aside, alive);
  try {
    const { mtimeNs } = lstatSync(file, { bigint: true });
    setTimes(file, { atimeNs: mtimeNs, mtimeNs });
  } catch {
    // See above.
  }
}

/** When the latest run began and was last seen, in nanoseconds since 1970; undefined when it has ended. */
export function timeOf(aside: Buffer): { readonly from: bigint; readonly to: bigint } | undefined {
  const stat = lstatSync(joinPath(aside, alive), { bigint: true, throwIfNoEntry: false });
  return stat && { from: stat.mtimeNs + earlierNs, to: stat.ctimeNs };
}

export function endTime(aside: Buffer): void {
  try {
    unlinkSync(joinPath(aside, alive));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
  }
}

/** Somebody else's folder keeps the times that it gets; nobody is harmed. */
export function restoreTimes(path: Buffer, atimeNs: bigint, mtimeNs: bigint): void {
  try {
    setTimes(path, { atimeNs, mtimeNs });
  } catch {
    // See above.
  }
}
