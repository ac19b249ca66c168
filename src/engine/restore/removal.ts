/** Takes away what is not in the snapshot: never through a link, never from another file system, never the repository itself. */
import { type BigIntStats, chmodSync, lstatSync, readdirSync, renameSync, rmdirSync, unlinkSync } from 'node:fs';
import { isInside, joinPath } from '../../platform/byte-paths.ts';

const isRoot = process.getuid?.() === 0;

/** What would go with an entry. */
interface Doomed {
  /** Space that it frees, in bytes; files with further names free none. */
  readonly bytes: number;
  /** Why it must stay, in words; undefined when it may go. */
  readonly objection: string | undefined;
}

/** Looks at an entry and at everything below it, without changing anything. `repository` is the real path of a local repository. */
export function examine(path: Buffer, stat: BigIntStats, device: bigint, repository: Buffer | undefined): Doomed {
  if (repository && isInside(repository, path)) return { bytes: 0, objection: 'the repository itself is there' };
  let bytes = 0;
  let objection: string | undefined;
  const look = (place: Buffer, entry: BigIntStats): void => {
    if (entry.dev !== device) objection = 'another file system is mounted there';
    else if (entry.isFile() && entry.nlink === 1n) bytes += Number(entry.size);
    else if (entry.isDirectory()) forEachEntry(place, look);
  };
  look(path, stat);
  return { bytes, objection };
}

function forEachEntry(folder: Buffer, act: (place: Buffer, stat: BigIntStats) => void): void {
  let names: Buffer[];
  try {
    names = readdirSync(folder, { encoding: 'buffer' }) as Buffer[];
  } catch {
    // A folder that its owner has closed is opened when it is really removed.
    return;
  }
  for (const name of names) {
    const place = joinPath(folder, name);
    const stat = lstatSync(place, { bigint: true, throwIfNoEntry: false });
    if (stat) act(place, stat);
  }
}

/** Removes an entry and what is below it. {@link examine} must have had no objection. */
export function removeEntry(path: Buffer, stat: BigIntStats): void {
  if (!stat.isDirectory()) {
    unlinkSync(path);
    return;
  }
  if (!isRoot && (Number(stat.mode) & 0o700) !== 0o700) chmodSync(path, 0o700);
  for (const name of readdirSync(path, { encoding: 'buffer' }) as Buffer[]) {
    const place = joinPath(path, name);
    const entry = lstatSync(place, { bigint: true, throwIfNoEntry: false });
    if (entry) removeEntry(place, entry);
  }
  rmdirSync(path);
}

/** Takes an entry with everything below it away: to `keep`, where nothing may stand, or for good. */
export function takeAway(path: Buffer, stat: BigIntStats, keep: Buffer | undefined): void {
  if (keep) moveAside(path, stat, keep);
  else removeEntry(path, stat);
}

/** Moves an entry within its file system, to where nothing stands. */
export function moveAside(path: Buffer, stat: BigIntStats, keep: Buffer): void {
  refuseTaken(keep);
  const mode = Number(stat.mode) & 0o7777;
  // To give a folder another parent, it is itself written to.
  const isClosed = !isRoot && stat.isDirectory() && (mode & 0o200) === 0;
  if (isClosed) chmodSync(path, mode | 0o700);
  let at = path;
  try {
    renameSync(path, keep);
    at = keep;
  } finally {
    if (isClosed) chmodSync(at, mode);
  }
}

/** Throws when something has this name, which a rename would replace. */
export function refuseTaken(path: Buffer): void {
  if (lstatSync(path, { throwIfNoEntry: false }))
    throw Object.assign(new Error(`EEXIST: something stands at ${path.toString()}`), { code: 'EEXIST' });
}

export const isEmptyFolder = (path: Buffer): boolean => readdirSync(path).length === 0;
