/**
 * Mirror: keeps a plain folder equal to a snapshot, for people who want their files without a program. What has changed is
 * written and read back, what is not in the snapshot any more goes, or is moved to a folder of the day. The work is a
 * restore's; here is what makes sure that it goes to a mirror and nowhere else.
 */
import { closeSync, lstatSync, mkdirSync, openSync } from 'node:fs';
import { fail } from '../../contract/errors.ts';
import { displayPath, joinPath, splitPath } from '../../platform/byte-paths.ts';
import { setTimes, tryLock } from '../../platform/posix.ts';
import type { Repository } from '../../repository/repository.ts';
import { localTime } from '../../repository/tree/go-time.ts';
import { throwIfFatal } from '../restore/failures.ts';
import { realPlace, type RestoreRequest } from '../restore/plan.ts';
import { executeRestore, planRestore, type RestorePlan, type RestoreResult } from '../restore/restore.ts';
import type { PlannedEntry } from '../restore/walk-task.ts';
import type { RunOptions } from '../run.ts';
import { absolutePath } from '../snapshot-path.ts';
import {
  isEmptyTarget,
  isKnown,
  lockFile,
  type Marker,
  type MirrorOf,
  ownFolder,
  readMarker,
  remember,
  reservedIn,
  writeMarker,
} from './marker.ts';

export const removalPlaces = ['dated', 'remove'] as const;
/** What becomes of what the snapshot does not hold: it is moved to a folder of the day in the mirror's own, or is gone. */
export type RemovalPlace = (typeof removalPlaces)[number];

export interface MirrorRequest {
  /** An ID, the beginning of one, or `latest`. */
  readonly snapshot: string;
  /** A folder in the snapshot; without it full paths are rebuilt below the target. */
  readonly path?: Buffer | undefined;
  readonly to: string;
  /** Default `dated`. */
  readonly deleteTo?: RemovalPlace | undefined;
  /** Whatever the folder holds, it becomes the mirror. Files that are replaced in this run are kept as removed ones are. */
  readonly adopt?: boolean | undefined;
  /** Compares every byte, also of what looks the same, not only of what was written. */
  readonly verify?: boolean | undefined;
}

export interface MirrorOptions extends RunOptions {
  /** The folder in which this computer remembers its mirrors. */
  readonly known: string;
}

export interface MirrorResult extends RestoreResult {
  /** Where what was removed is; undefined when nothing was moved. */
  readonly removedTo: string | undefined;
}

/**
 * Says what a mirror would do, and changes nothing. Throws `mirror-not-empty`, `mirror-other`, `mirror-gone`, and what
 * planRestore throws.
 */
export function planMirror(
  repository: Repository,
  request: MirrorRequest,
  options: MirrorOptions,
  onEntry?: (entry: PlannedEntry) => void,
): Promise<RestorePlan> {
  const of = whatOf(repository, request);
  const target = examineTarget(request, of, options.known);
  return planRestore(repository, restoreRequest(request, target, undefined, undefined), options, onEntry);
}

/** Mirrors. Throws `mirror-busy`, `mirror-lost`, what {@link planMirror} and executeRestore throw. It can always be run again. */
export async function executeMirror(repository: Repository, request: MirrorRequest, options: MirrorOptions): Promise<MirrorResult> {
  const of = whatOf(repository, request);
  const target = examineTarget(request, of, options.known);
  const marker = target.marker ?? beginMirror(target, of);
  const lock = lockMirror(target.path);
  try {
    remember(options.known, target.path, of);
    const day = dayFolder(target.path, options);
    const result = await executeRestore(repository, restoreRequest(request, target, day, timeNow(target.path)), options);
    if (!isSame(target.path, marker)) return fail('mirror-lost', { path: displayPath(target.path) });
    writeMarker(target.path, of, { id: marker.id, snapshot: result.snapshot });
    const isUsed = lstatSync(day, { throwIfNoEntry: false }) !== undefined;
    return { ...result, removedTo: isUsed ? displayPath(day) : undefined };
  } catch (error) {
    // A disk that was taken away fails in many ways; an empty place where it was is none of them.
    if (!isSame(target.path, marker)) fail('mirror-lost', { path: displayPath(target.path) }, error);
    throw error;
  } finally {
    closeSync(lock);
  }
}

const whatOf = (repository: Repository, { path }: MirrorRequest): MirrorOf => ({
  repository: repository.config.id,
  path: absolutePath(path === undefined ? [] : splitPath(path)).toString('latin1'),
});

interface Target {
  /** Without links. */
  readonly path: Buffer;
  readonly isNew: boolean;
  /** Of the mirror that is there; undefined when one is to be begun. */
  readonly marker: Marker | undefined;
  /** It may hold what no snapshot does; so it is until the first run has come to its end. */
  readonly isForeign: boolean;
}

function examineTarget({ to, adopt }: MirrorRequest, of: MirrorOf, known: string): Target {
  const { target: path, isNew } = realPlace(to);
  const shown = displayPath(path);
  if (!isNew && !lstatSync(path).isDirectory()) fail('target-unusable', { path: to, cause: 'it is not a folder' });
  const found = isNew ? undefined : readMarkerOf(path, adopt === true);
  const isOurs = found?.repository === of.repository && found.path === of.path;
  // One that was adopted may still hold what no snapshot does.
  if (isOurs) return { path, isNew, marker: found, isForeign: found.isForeign === true };
  if (found && !adopt) {
    const reason = found.repository === of.repository ? `the folder ${found.path}` : 'another repository';
    fail('mirror-other', { path: shown, reason });
  }
  if (!adopt && isKnown(known, path)) fail('mirror-gone', { path: shown });
  const isEmpty = isNew || (!found && isEmptyTarget(path));
  if (!isEmpty && !adopt) fail('mirror-not-empty', { path: shown });
  return { path, isNew, marker: undefined, isForeign: !isEmpty };
}

/** Whoever adopts a folder does not care what it was. */
function readMarkerOf(path: Buffer, adopt: boolean): Marker | undefined {
  try {
    return readMarker(path);
  } catch (error) {
    if (adopt && lstatSync(ownFolder(path), { throwIfNoEntry: false })?.isDirectory()) return undefined;
    throw error;
  }
}

function beginMirror({ path, isForeign }: Target, of: MirrorOf): Marker {
  try {
    mkdirSync(path, { recursive: true, mode: 0o700 });
  } catch (error) {
    fail('target-unusable', { path: displayPath(path), cause: (error as Error).message }, error);
  }
  return writeMarker(path, of, { isForeign });
}

function restoreRequest(
  { snapshot, path, to, deleteTo = 'dated', verify }: MirrorRequest,
  { path: target, isNew, isForeign }: Target,
  day: Buffer | undefined,
  since: bigint | undefined,
): RestoreRequest {
  const own = ownFolder(target);
  const dated =
    day && deleteTo === 'dated'
      ? { folder: new Uint8Array(day), own: new Uint8Array(own), root: new Uint8Array(target), replaced: isForeign }
      : undefined;
  return {
    snapshot,
    path,
    target: to,
    overwrite: verify ? 'always' : 'if-changed',
    delete: true,
    verify: true,
    mirror: { reserved: isNew && !day ? [own] : reservedIn(target), dated, verifySince: verify ? undefined : since },
  };
}

/** Holds the mirror until the descriptor is closed. Throws `mirror-busy`. */
function lockMirror(target: Buffer): number {
  let fd: number;
  try {
    fd = openSync(lockFile(target), 'a', 0o600);
  } catch (error) {
    throwIfFatal(error, target);
    return fail('target-unusable', { path: displayPath(target), cause: (error as Error).message }, error);
  }
  if (tryLock(fd)) return fd;
  closeSync(fd);
  return fail('mirror-busy', { path: displayPath(target) });
}

const longAgoNs = 1_000_000_000_000_000_000n;

/** What time it is for the target's file system, in nanoseconds since 1970; undefined when it keeps no times of change. */
function timeNow(target: Buffer): bigint | undefined {
  const file = lockFile(target);
  setTimes(file, { atimeNs: longAgoNs, mtimeNs: longAgoNs });
  const { ctimeNs } = lstatSync(file, { bigint: true });
  return ctimeNs === longAgoNs ? undefined : ctimeNs;
}

/** The first folder of today that nothing is in yet. */
function dayFolder(target: Buffer, { clock }: MirrorOptions): Buffer {
  const today = localTime.format(BigInt(Math.round(clock.now())) * 1_000_000n).slice(0, 10);
  const removed = joinPath(ownFolder(target), Buffer.from('removed'));
  for (let attempt = 1; ; attempt++) {
    const day = joinPath(removed, Buffer.from(attempt === 1 ? today : `${today}.${attempt}`));
    if (!lstatSync(day, { throwIfNoEntry: false })) return day;
  }
}

function isSame(target: Buffer, { id }: Marker): boolean {
  try {
    return readMarker(target)?.id === id;
  } catch {
    return false;
  }
}
