/**
 * How a mirror is known again: the folder `.holdfast-mirror` in it holds `mirror.json`, which says of what it is the mirror,
 * and is no part of what is compared. This computer remembers which mirrors it has made, so that the empty place of a drive
 * that is not plugged in is not taken for a new one.
 */
import { randomBytes } from 'node:crypto';
import {
  closeSync,
  fsyncSync,
  lstatSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { fail } from '../../contract/errors.ts';
import { displayPath, joinPath, parentPath } from '../../platform/byte-paths.ts';
import { sha256 } from '../../repository/ids.ts';
import { throwIfFatal } from '../restore/failures.ts';

/** Of what a folder is the mirror. */
export interface MirrorOf {
  /** ID of the repository. */
  readonly repository: string;
  /** In the snapshots, as Latin-1; `/` for all of them. */
  readonly path: string;
}

export interface Marker extends MirrorOf {
  readonly version: 1;
  readonly id: string;
  /** The snapshot that it was last equal to. */
  readonly snapshot?: string | undefined;
  /** It held other things, of which some may still be there. */
  readonly isForeign?: boolean | undefined;
}

const ownName = Buffer.from('.holdfast-mirror');
const lostAndFound = Buffer.from('lost+found');

export const ownFolder = (target: Buffer): Buffer => joinPath(target, ownName);
const markerFile = (target: Buffer): Buffer => joinPath(ownFolder(target), Buffer.from('mirror.json'));
export const lockFile = (target: Buffer): Buffer => joinPath(ownFolder(target), Buffer.from('lock'));

/** What in the target is no part of the mirror. A file system's own folder stands only at its root. */
export function reservedIn(target: Buffer): Buffer[] {
  const isMountPoint = statSync(target).dev !== statSync(parentPath(target)).dev;
  return [ownFolder(target), ...(isMountPoint ? [joinPath(target, lostAndFound)] : [])];
}

/** What the target's marker says; undefined when it has none. Throws `mirror-other` when it cannot be read. */
export function readMarker(target: Buffer): Marker | undefined {
  const unreadable = (cause: unknown): never =>
    fail('mirror-other', { path: displayPath(target), reason: 'what it says of itself cannot be read' }, cause);
  let text: string;
  try {
    const stat = lstatSync(ownFolder(target), { throwIfNoEntry: false });
    if (!stat) return undefined;
    // A link would lead out of the target.
    if (!stat.isDirectory()) return unreadable(undefined);
    text = readFileSync(markerFile(target), 'utf8');
  } catch (error) {
    throwIfFatal(error, target);
    const { code } = error as NodeJS.ErrnoException;
    return code === 'ENOENT' || code === 'ENOTDIR' ? undefined : unreadable(error);
  }
  try {
    const marker = JSON.parse(text) as Marker;
    return marker.version === 1 && typeof marker.repository === 'string' && typeof marker.path === 'string'
      ? marker
      : unreadable(undefined);
  } catch (error) {
    return unreadable(error);
  }
}

/** Whether nothing is in the folder that a mirror would have to remove. */
export function isEmptyTarget(target: Buffer): boolean {
  const reserved = reservedIn(target);
  return (readdirSync(target, { encoding: 'buffer' }) as Buffer[]).every((name) =>
    reserved.some((each) => each.equals(joinPath(target, name))),
  );
}

/** Writes the marker, durably. Throws `target-unusable`, `target-full`, `target-read-only`, `target-gone`. */
export function writeMarker(target: Buffer, of: MirrorOf, more: Partial<Omit<Marker, 'version'>> = {}): Marker {
  const { repository, path } = of;
  const marker: Marker = { version: 1, id: randomBytes(8).toString('hex'), repository, path, ...more };
  try {
    mkdirSync(ownFolder(target), { recursive: true, mode: 0o700 });
    writeWhole(markerFile(target), JSON.stringify(marker));
  } catch (error) {
    throwIfFatal(error, target);
    fail('target-unusable', { path: displayPath(target), cause: (error as Error).message }, error);
  }
  return marker;
}

function writeWhole(file: Buffer | string, text: string): void {
  const growing = Buffer.concat([Buffer.from(file), Buffer.from('.tmp')]);
  const fd = openSync(growing, 'w', 0o600);
  try {
    writeFileSync(fd, text);
    fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
  renameSync(growing, file);
}

/** Whether this computer has made a mirror at `target`. `known` is the folder where it remembers them. */
export const isKnown = (known: string, target: Buffer): boolean =>
  statSync(knownFile(known, target), { throwIfNoEntry: false }) !== undefined;

/** Remembers the mirror. That it cannot only means that its absence will not be noticed. */
export function remember(known: string, target: Buffer, { repository, path }: MirrorOf): void {
  try {
    mkdirSync(known, { recursive: true, mode: 0o700 });
    writeWhole(knownFile(known, target), JSON.stringify({ target: displayPath(target), repository, path }));
  } catch {
    // See above.
  }
}

const knownFile = (known: string, target: Buffer): string => join(known, `${sha256(target).toString('hex', 0, 16)}.json`);
