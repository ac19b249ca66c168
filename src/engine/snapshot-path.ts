/**
 * A place inside a snapshot, as people name it: `SNAPSHOT` or `SNAPSHOT:PATH`. The path is looked up name by name from the
 * snapshot's root; links are not followed, and `.` and `..` are names that no snapshot holds.
 */
import { fail } from '../contract/errors.ts';
import { displayPath, joinPath, splitPath } from '../platform/byte-paths.ts';
import { joinList } from '../platform/byte-list.ts';
import { bytesOfId } from '../repository/ids.ts';
import type { Snapshot } from '../repository/snapshot.ts';
import type { Entry } from './entry.ts';
import { entriesOf } from './entry.ts';
import type { WorkerPool } from './workers/pool.ts';

export interface SnapshotPlace {
  /** An ID, the beginning of one, or `latest`. */
  readonly snapshot: string;
  /** Undefined when the whole snapshot is meant. */
  readonly path: Buffer | undefined;
}

const colon = 0x3a;

/** Splits at the first colon: neither an ID nor `latest` holds one. An empty path, or the root's, means the whole snapshot. */
export function parseSnapshotPlace(text: Buffer): SnapshotPlace {
  const at = text.indexOf(colon);
  if (at < 0) return { snapshot: text.toString(), path: undefined };
  const path = text.subarray(at + 1);
  return { snapshot: text.toString('utf8', 0, at), path: splitPath(path).length === 0 ? undefined : path };
}

/** What stands at a path. */
export interface FoundEntry {
  /** Undefined for the snapshot's root, which has no entry of its own. */
  readonly entry: Entry | undefined;
  /** Of a folder: the ID of its tree, 32 bytes. */
  readonly tree: Uint8Array | undefined;
  /** Of a file: the IDs of its blobs one after the other, 32 bytes each. */
  readonly content: Uint8Array | undefined;
  /** The entry's node as JSON. */
  readonly raw: Uint8Array | undefined;
  /** ID of the tree that holds the entry, 32 bytes; the root's own for the root. */
  readonly holder: Uint8Array;
}

/**
 * Looks a path up. Throws `snapshot-path-not-found`, and what reading a tree throws: `blob-missing`, `item-tampered`,
 * `tree-invalid`. `path` is absolute within the snapshot; a slash at its start may be left out.
 */
export async function resolveSnapshotPath(pool: WorkerPool, snapshot: Snapshot, path: Buffer | undefined): Promise<FoundEntry> {
  const names = path === undefined ? [] : splitPath(path);
  const root = new Uint8Array(bytesOfId(snapshot.tree));
  if (names.length === 0) return { entry: undefined, tree: root, content: undefined, raw: undefined, holder: root };
  const found = await pool.run('findEntry', { tree: root, names: joinList(names) });
  if (!found) return fail('snapshot-path-not-found', { snapshot: snapshot.id, path: displayPath(absolutePath(names)) });
  return { entry: entriesOf(found.batch)[0], tree: found.tree, content: found.content, raw: found.raw, holder: found.holder };
}

/** The names as an absolute path. */
export const absolutePath = (names: readonly Buffer[]): Buffer => names.reduce(joinPath, Buffer.from('/'));
