/**
 * How a mirror is known again: `mirror.json` in its own folder (own-folder.ts) says of what and in which folder it is the mirror.
 * This computer remembers which mirrors it has made, so that the empty place of a drive that is not plugged in is not taken
 * for a new one.
 */
import { randomBytes } from 'node:crypto';
import { lstatSync, mkdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { fail } from '../../contract/errors.ts';
import { displayPath, joinPath } from '../../platform/byte-paths.ts';
import { replaceFile } from '../../platform/replace-file.ts';
import { sha256 } from '../../repository/ids.ts';
import { throwIfFatal } from '../restore/failures.ts';

/** Of what a folder is the mirror. */
export interface MirrorOf {
  /** ID of the repository. */
  readonly repository: string;
  /** In the snapshots, as Latin-1; `/` for all of them. */
  readonly path: string;
}

/** What tells a folder from others that get its name; numbers in decimal, times in nanoseconds since 1970. */
export interface FolderIdentity {
  readonly inode: string;
  /** When it was made; 0 where the file system does not tell. */
  readonly born: string;
  /** When its list of names was last changed. */
  readonly changed: string;
}

export interface Marker extends MirrorOf {
  readonly version: 1;
  readonly id: string;
  /** The snapshot that it was last equal to. */
  readonly snapshot?: string | undefined;
  /** It held other things, of which some may still be there. */
  readonly isForeign?: boolean | undefined;
  /** The mirror. Undefined: it was begun by a version that kept its own folder in it. */
  readonly folder?: FolderIdentity | undefined;
}

const markerFile = (own: Buffer): Buffer => joinPath(own, Buffer.from('mirror.json'));

/**
 * What the own folder `own` of `target` says; undefined when it says nothing, and with `lenient` also when that makes no sense.
 * Throws `mirror-other` when it cannot be read, `target-unusable` when it is not this user's.
 */
export function readMarker(own: Buffer, target: Buffer, lenient = false): Marker | undefined {
  const unreadable = (cause?: unknown): never =>
    fail('mirror-other', { path: displayPath(target), reason: 'what it says of itself cannot be read' }, cause);
  const stat = lstatSync(own, { throwIfNoEntry: false });
  if (!stat) return undefined;
  // A link would lead elsewhere.
  if (!stat.isDirectory()) return unreadable();
  if (isOthers(stat.uid, target))
    fail('target-unusable', { path: displayPath(target), cause: `${displayPath(own)}, which belongs to it, is another user's` });
  let text: string;
  try {
    text = readFileSync(markerFile(own), 'utf8');
  } catch (error) {
    throwIfFatal(error, target);
    return (error as NodeJS.ErrnoException).code === 'ENOENT' || lenient ? undefined : unreadable(error);
  }
  try {
    const marker = JSON.parse(text) as Marker;
    if (marker.version === 1 && typeof marker.repository === 'string' && typeof marker.path === 'string') return marker;
  } catch (error) {
    return lenient ? undefined : unreadable(error);
  }
  return lenient ? undefined : unreadable();
}

/** Where everybody may make folders, nobody else shall lead a mirror's files away. */
function isOthers(owner: number, target: Buffer): boolean {
  const own = process.getuid?.();
  return own !== undefined && owner !== own && owner !== lstatSync(target, { throwIfNoEntry: false })?.uid;
}

/** Writes the marker, durably. Throws `target-unusable`, `target-full`, `target-read-only`, `target-gone`. */
export function writeMarker(own: Buffer, target: Buffer, { repository, path }: MirrorOf, more: Partial<Omit<Marker, 'version'>>): Marker {
  const marker: Marker = { version: 1, id: randomBytes(8).toString('hex'), repository, path, ...more };
  try {
    replaceFile(markerFile(own), JSON.stringify(marker));
  } catch (error) {
    throwIfFatal(error, target);
    fail('target-unusable', { path: displayPath(target), cause: (error as Error).message }, error);
  }
  return marker;
}

/** Whether this computer has made a mirror at `target`. `known` is the folder where it remembers them. */
export const isKnown = (known: string, target: Buffer): boolean =>
  statSync(knownFile(known, target), { throwIfNoEntry: false }) !== undefined;

/** Remembers the mirror. That it cannot only means that its absence will not be noticed. */
export function remember(known: string, target: Buffer, { repository, path }: MirrorOf): void {
  try {
    mkdirSync(known, { recursive: true, mode: 0o700 });
    replaceFile(knownFile(known, target), JSON.stringify({ target: displayPath(target), repository, path }));
  } catch {
    // See above.
  }
}

const knownFile = (known: string, target: Buffer): string => join(known, `${sha256(target).toString('hex', 0, 16)}.json`);
