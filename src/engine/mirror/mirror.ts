/**
 * Mirror: keeps a plain folder equal to a snapshot, for people who want their files without a program. What has changed is
 * written and read back, what is not in the snapshot any more goes, or is moved to a folder of the day. The work is a
 * restore's; here is what makes sure that it goes to a mirror and nowhere else.
 */
import { closeSync, lstatSync, mkdirSync } from 'node:fs';
import { fail } from '../../contract/errors.ts';
import { displayPath, isInside, joinPath, splitPath } from '../../platform/byte-paths.ts';
import { setTimes } from '../../platform/posix.ts';
import type { Repository } from '../../repository/repository.ts';
import { localTime } from '../../repository/tree/go-time.ts';
import { realPlace, type RestoreRequest } from '../restore/plan.ts';
import { executeRestore, planRestore, type RestorePlan, type RestoreResult } from '../restore/restore.ts';
import type { PlannedEntry } from '../restore/walk-task.ts';
import type { RunOptions } from '../run.ts';
import { absolutePath } from '../snapshot-path.ts';
import { type FolderIdentity, isKnown, type Marker, type MirrorOf, readMarker, remember, writeMarker } from './marker.ts';
import {
  findOwn,
  freeName,
  identityOf,
  isEmptyTarget,
  isThatFolder,
  lockFile,
  lockOwn,
  removedFolder,
  reservedIn,
  settleOwn,
} from './own-folder.ts';

export const removalPlaces = ['dated', 'remove'] as const;
/** What becomes of what the snapshot does not hold: it is moved to a folder of the day beside the mirror, or is gone. */
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
  /** Holdfast's own folder where it is in the mirror, since nothing can stand beside it. */
  readonly inside: string | undefined;
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
  return planRestore(repository, restoreRequest(request, target, target.own), options, onEntry);
}

/** Mirrors. Throws `mirror-busy`, `mirror-lost`, what {@link planMirror} and executeRestore throw. It can always be run again. */
export async function executeMirror(repository: Repository, request: MirrorRequest, options: MirrorOptions): Promise<MirrorResult> {
  const of = whatOf(repository, request);
  const { path, own: found } = examineTarget(request, of, options.known);
  makeTarget(path);
  const own = settleOwn(path, found);
  const lock = lockOwn(own, path);
  let marker: Marker | undefined;
  try {
    // Another run may have been here in the meantime.
    const target = examineTarget(request, of, options.known);
    marker = noteMirror(target, own, of);
    remember(options.known, path, of);
    const day = freeName(joinPath(removedFolder(own), Buffer.from(dayOf(options))));
    const result = await executeRestore(repository, restoreRequest(request, target, own, day), options);
    if (!isSame(path, own, marker)) return fail('mirror-lost', { path: displayPath(path) });
    writeMarker(own, path, of, { id: marker.id, snapshot: result.snapshot, folder: identityAt(path) });
    const isUsed = lstatSync(day, { throwIfNoEntry: false }) !== undefined;
    const inside = isInside(own, path) ? displayPath(own) : undefined;
    return { ...result, removedTo: isUsed ? displayPath(day) : undefined, inside };
  } catch (error) {
    // A disk that was taken away fails in many ways; an empty place where it was is none of them.
    if (marker && !isSame(path, own, marker)) fail('mirror-lost', { path: displayPath(path) }, error);
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
  /** Its own folder; undefined when that is to be made. */
  readonly own: Buffer | undefined;
  /** Of the mirror that is there; undefined when one is to be begun. */
  readonly marker: Marker | undefined;
  /** It may hold what no snapshot does; so it is until the first run has come to its end. */
  readonly isForeign: boolean;
}

function examineTarget({ to, adopt }: MirrorRequest, of: MirrorOf, known: string): Target {
  const { target: path, isNew } = realPlace(to);
  const shown = displayPath(path);
  if (!isNew && !lstatSync(path).isDirectory()) fail('target-unusable', { path: to, cause: 'it is not a folder' });
  const { folder: own, marker: found, isGone } = findOwn(path, adopt === true);
  const isOurs = found?.repository === of.repository && found.path === of.path;
  // One that was adopted may still hold what no snapshot does.
  if (isOurs) return { path, isNew, own, marker: found, isForeign: found.isForeign === true };
  if (found && !adopt) {
    const reason = found.repository === of.repository ? `the folder ${found.path}` : 'another repository';
    fail('mirror-other', { path: shown, reason });
  }
  if (!adopt && (isGone || isKnown(known, path))) fail('mirror-gone', { path: shown });
  const isEmpty = isNew || (!found && isEmptyTarget(path));
  if (!isEmpty && !adopt) fail('mirror-not-empty', { path: shown });
  return { path, isNew, own, marker: undefined, isForeign: !isEmpty };
}

function makeTarget(path: Buffer): void {
  try {
    mkdirSync(path, { recursive: true, mode: 0o700 });
  } catch (error) {
    fail('target-unusable', { path: displayPath(path), cause: (error as Error).message }, error);
  }
}

/** The marker under which a run works: that of the mirror, or a new one. */
function noteMirror({ path, marker, isForeign }: Target, own: Buffer, of: MirrorOf): Marker {
  if (marker?.folder && isThatFolder(path, marker.folder)) return marker;
  return writeMarker(own, path, of, { ...marker, isForeign, folder: identityAt(path) });
}

function restoreRequest(
  { snapshot, path, to, deleteTo = 'dated', verify }: MirrorRequest,
  { path: target, isNew, isForeign }: Target,
  own: Buffer | undefined,
  day?: Buffer,
): RestoreRequest {
  const dated =
    day && own && deleteTo === 'dated'
      ? { folder: new Uint8Array(day), own: new Uint8Array(own), root: new Uint8Array(target), replaced: isForeign }
      : undefined;
  // Only what comes out of a run that acts has a time to go by.
  const verifySince = verify || !day || !own ? undefined : timeNow(own);
  const mirror = { reserved: isNew ? [] : reservedIn(target, own), dated, verifySince };
  return { snapshot, path, target: to, overwrite: verify ? 'always' : 'if-changed', delete: true, verify: true, mirror };
}

const longAgoNs = 1_000_000_000_000_000_000n;

/** What time it is for the mirror's file system, in nanoseconds since 1970; undefined when it keeps no times of change. */
function timeNow(own: Buffer): bigint | undefined {
  const file = lockFile(own);
  setTimes(file, { atimeNs: longAgoNs, mtimeNs: longAgoNs });
  const { ctimeNs } = lstatSync(file, { bigint: true });
  return ctimeNs === longAgoNs ? undefined : ctimeNs;
}

const dayOf = ({ clock }: MirrorOptions): string => localTime.format(BigInt(Math.round(clock.now())) * 1_000_000n).slice(0, 10);

const identityAt = (target: Buffer): FolderIdentity => identityOf(lstatSync(target, { bigint: true }));

function isSame(target: Buffer, own: Buffer, { id, folder }: Marker): boolean {
  try {
    return readMarker(own, target)?.id === id && (!folder || isThatFolder(target, folder));
  } catch {
    return false;
  }
}
