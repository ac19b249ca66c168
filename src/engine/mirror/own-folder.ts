/**
 * Where Holdfast keeps what belongs to a mirror and is no part of it: its marker, its lock, and what went from it.
 *
 * - It is the folder `.NAME.holdfast-mirror` beside the mirror NAME, so that the mirror holds nothing but the snapshot, and what
 *   goes from it need only be renamed. It comes along when a drive is mounted elsewhere or the mirror gets another name.
 * - Where nothing can stand beside the mirror (it is the root of a drive, or its parent may not be written), it is
 *   `.holdfast-mirror` in it, where earlier versions always had it.
 * - What stands beside a folder says nothing of what is in that folder now. So the marker tells the mirror from another folder
 *   of its name: one that was made in its place, or the place of a drive that is not there.
 */
import {
  type BigIntStats,
  closeSync,
  constants,
  lstatSync,
  mkdirSync,
  openSync,
  readdirSync,
  renameSync,
  rmdirSync,
  statSync,
} from 'node:fs';
import { fail } from '../../contract/errors.ts';
import { baseName, displayPath, joinPath, parentPath } from '../../platform/byte-paths.ts';
import { tryLock } from '../../platform/posix.ts';
import { sha256 } from '../../repository/ids.ts';
import { throwIfFatal } from '../restore/failures.ts';
import { type FolderIdentity, type Marker, readMarker } from './marker.ts';

const insideName = Buffer.from('.holdfast-mirror');
const suffix = Buffer.from('.holdfast-mirror');
const lostAndFound = Buffer.from('lost+found');
/** Bytes; longer ones are no names any more on most file systems. */
const longestName = 255;

const insideOf = (target: Buffer): Buffer => joinPath(target, insideName);

/** For a name that is too long already, its digest. */
function besideOf(target: Buffer): Buffer {
  const name = baseName(target);
  const isLong = 1 + name.length + suffix.length > longestName;
  const base = isLong ? Buffer.from(sha256(name).toString('hex', 0, 16)) : name;
  return joinPath(parentPath(target), Buffer.concat([Buffer.from('.'), base, suffix]));
}

export const lockFile = (own: Buffer): Buffer => joinPath(own, Buffer.from('lock'));
export const removedFolder = (own: Buffer): Buffer => joinPath(own, Buffer.from('removed'));

/** What in the target is no part of the mirror. A file system's own folder stands only at its root. */
export function reservedIn(target: Buffer, own: Buffer | undefined): Buffer[] {
  const isMountPoint = statSync(target).dev !== statSync(parentPath(target)).dev;
  const inside = insideOf(target);
  return [...(own?.equals(inside) ? [inside] : []), ...(isMountPoint ? [joinPath(target, lostAndFound)] : [])];
}

/** Whether nothing is in the folder that a mirror would have to remove. */
export function isEmptyTarget(target: Buffer): boolean {
  const reserved = reservedIn(target, insideOf(target));
  return (readdirSync(target, { encoding: 'buffer' }) as Buffer[]).every((name) =>
    reserved.some((each) => each.equals(joinPath(target, name))),
  );
}

export const identityOf = ({ ino, birthtimeNs, mtimeNs }: BigIntStats): FolderIdentity => ({
  inode: String(ino),
  born: String(birthtimeNs),
  changed: String(mtimeNs),
});

/**
 * Whether it is the folder of which `identity` was noted. Numbers of files are given again to others, or change when a drive is
 * mounted, so that they count only where the system does not tell when a folder was made.
 */
export function isThatFolder(target: Buffer, { inode, born }: FolderIdentity): boolean {
  const now = identityOf(lstatSync(target, { bigint: true }));
  return born === '0' ? now.inode === inode : now.born === born;
}

/** As {@link isThatFolder}; where the system tells nothing that lasts, also one that nobody has touched since the last run. */
const isUntouched = (target: Buffer, identity: FolderIdentity): boolean =>
  isThatFolder(target, identity) || (identity.born === '0' && identityOf(lstatSync(target, { bigint: true })).changed === identity.changed);

/** What is there of a mirror at a place. */
export interface FoundOwn {
  /** Undefined when there is none. */
  readonly folder: Buffer | undefined;
  /** Undefined when it has not been written. */
  readonly marker: Marker | undefined;
  /** A mirror was made here, and what has its name now is not that. */
  readonly isGone: boolean;
}

/** Looks for the own folder of the mirror at `target`, which need not be there. `lenient` and errors as readMarker's. */
export function findOwn(target: Buffer, lenient: boolean): FoundOwn {
  const beside = besideOf(target);
  const isThere = lstatSync(target, { throwIfNoEntry: false }) !== undefined;
  const marker = readMarker(beside, target, lenient);
  if (marker && isThere && sameDevice(beside, target) && (!marker.folder || isUntouched(target, marker.folder)))
    return { folder: beside, marker, isGone: false };
  const none = { folder: undefined, marker: undefined, isGone: marker !== undefined };
  if (!isThere) return none;
  const renamed = findRenamed(target, beside);
  if (renamed) return { ...renamed, isGone: false };
  const inside = insideOf(target);
  // Anything else of this name is part of what is there.
  if (!isFolder(inside)) return none;
  return { ...none, folder: inside, marker: readMarker(inside, target, lenient) };
}

/** The own folder of the mirror when it had another name. */
function findRenamed(target: Buffer, beside: Buffer): { folder: Buffer; marker: Marker } | undefined {
  const parent = parentPath(target);
  let names: Buffer[];
  try {
    names = readdirSync(parent, { encoding: 'buffer' }) as Buffer[];
  } catch {
    // A closed folder: then only the name tells.
    return undefined;
  }
  for (const name of names) {
    if (name.length <= suffix.length || !name.subarray(-suffix.length).equals(suffix)) continue;
    const folder = joinPath(parent, name);
    if (folder.equals(beside) || !isFolder(folder) || !sameDevice(folder, target)) continue;
    const marker = markerOrNone(folder, target);
    if (marker?.folder && isThatFolder(target, marker.folder)) return { folder, marker };
  }
  return undefined;
}

/** Of another mirror's folder it does not matter that it cannot be read. */
function markerOrNone(folder: Buffer, target: Buffer): Marker | undefined {
  try {
    return readMarker(folder, target);
  } catch {
    return undefined;
  }
}

const isFolder = (path: Buffer): boolean => lstatSync(path, { throwIfNoEntry: false })?.isDirectory() === true;
const sameDevice = (a: Buffer, b: Buffer): boolean => lstatSync(a).dev === lstatSync(b).dev;

/**
 * Makes the own folder of the mirror at `target`, which is there, or brings it to where it belongs; returns its path. Throws
 * `mirror-busy`, `target-unusable`, `target-full`, `target-read-only`, `target-gone`.
 */
export function settleOwn(target: Buffer, found: Buffer | undefined): Buffer {
  try {
    const own = found ?? insideOf(target);
    // Where it can be made but not moved it stays, so it is not made beside the mirror right away.
    if (!found) mkdirSync(own, { recursive: true, mode: 0o700 });
    return moveBeside(target, own);
  } catch (error) {
    throwIfFatal(error, target);
    return fail('target-unusable', { path: displayPath(target), cause: (error as Error).message }, error);
  }
}

/** Failures that say that nothing can stand there. */
const placeless = new Set(['EXDEV', 'EACCES', 'EPERM', 'EROFS', 'EBUSY', 'ENAMETOOLONG']);

function moveBeside(target: Buffer, own: Buffer): Buffer {
  const beside = besideOf(target);
  if (own.equals(beside) || target.length === 1 || !sameDevice(parentPath(target), target)) return own;
  // Another run has just made it.
  if (isFolder(beside) && readdirSync(own).length === 0) {
    rmdirSync(own);
    return beside;
  }
  closeSync(lockOwn(own, target));
  try {
    if (isFolder(beside)) {
      // It belonged to what once had the name. What it keeps stays.
      closeSync(lockOwn(beside, target));
      mkdirSync(removedFolder(own), { recursive: true, mode: 0o700 });
      renameSync(beside, freeName(joinPath(removedFolder(own), Buffer.from('former'))));
    }
    renameSync(own, beside);
    return beside;
  } catch (error) {
    if (!placeless.has((error as NodeJS.ErrnoException).code ?? '')) throw error;
    return own;
  }
}

// A link would lead elsewhere.
const lockFlags = constants.O_WRONLY | constants.O_CREAT | constants.O_APPEND | (constants.O_NOFOLLOW ?? 0);

/** Holds the mirror until the descriptor is closed. Throws `mirror-busy`. */
export function lockOwn(own: Buffer, target: Buffer): number {
  let fd: number;
  try {
    fd = openSync(lockFile(own), lockFlags, 0o600);
  } catch (error) {
    throwIfFatal(error, target);
    return fail('target-unusable', { path: displayPath(target), cause: (error as Error).message }, error);
  }
  if (tryLock(fd)) return fd;
  closeSync(fd);
  return fail('mirror-busy', { path: displayPath(target) });
}

/** `path`, or the first of `path.2`, `path.3`, … that nothing has. */
export function freeName(path: Buffer): Buffer {
  for (let attempt = 1; ; attempt++) {
    const name = attempt === 1 ? path : Buffer.concat([path, Buffer.from(`.${attempt}`)]);
    if (!lstatSync(name, { throwIfNoEntry: false })) return name;
  }
}
