/**
 * What coordinator and worker tell each other while a backup walks.
 *
 * - A *task* is some entries of one folder.
 * - An *open frame* is a folder on the way from the task's folder to the entry that was being worked on when the task was
 *   given up half way: its entries are done in part.
 */
import type { ExcludeRules } from './exclude.ts';

export interface Problem {
  readonly path: Uint8Array;
  /** `vanished` and `unreadable`: not in the snapshot; `changed`: in it as it was read; `unsupported`: a kind nobody can back up. */
  readonly kind: 'unreadable' | 'vanished' | 'changed' | 'unsupported';
  /** The system's words. */
  readonly detail: string;
}

/**
 * What the system says when an entry is not there, or is not any more what `lstat` said: a link, a folder or a socket took its
 * place.
 */
const goneCodes: ReadonlySet<string | undefined> = new Set(['ENOENT', 'ENOTDIR', 'ELOOP', 'EISDIR', 'ENXIO']);

/** The problem that an error of the system is for the entry. */
export function problemOf(path: Uint8Array, error: unknown): Problem {
  const { code, message } = error as NodeJS.ErrnoException;
  return { path: new Uint8Array(path), kind: goneCodes.has(code) ? 'vanished' : 'unreadable', detail: message };
}

export interface ScanFigures {
  filesNew: number;
  filesChanged: number;
  filesUnmodified: number;
  dirsNew: number;
  dirsChanged: number;
  dirsUnmodified: number;
  totalBytes: number;
  data: { blobs: number; bytes: number; packed: number };
  trees: { blobs: number; bytes: number; packed: number };
}

export const noFigures = (): ScanFigures => ({
  filesNew: 0,
  filesChanged: 0,
  filesUnmodified: 0,
  dirsNew: 0,
  dirsChanged: 0,
  dirsUnmodified: 0,
  totalBytes: 0,
  data: { blobs: 0, bytes: 0, packed: 0 },
  trees: { blobs: 0, bytes: 0, packed: 0 },
});

/** What all tasks of a run have in common. */
export interface ScanOptions {
  readonly rules: ExcludeRules;
  /** Folders that are left out wherever they are met: the repository itself. */
  readonly leftOut: readonly { readonly device: bigint; readonly inode: bigint }[];
}

export interface ScanTask {
  readonly path: Uint8Array;
  /** Tree of the same folder in the parent snapshot. */
  readonly parentTree: Uint8Array | undefined;
  /** Joined list, ascending. */
  readonly names: Uint8Array;
  /** The source that the folder belongs to; undefined when the names are themselves sources. */
  readonly source: Uint8Array | undefined;
  /** Device of the source, for staying on one file system. */
  readonly device: bigint | undefined;
}

/** A folder that is not complete yet. */
export interface OpenFrame {
  readonly path: Uint8Array;
  readonly parentTree: Uint8Array | undefined;
  readonly source: Uint8Array;
  readonly device: bigint;
  /** The folder's own name and node (as JSON without subtree), for the tree of the folder above. */
  readonly name: Uint8Array;
  readonly node: string;
  /** The node (as JSON) of this name in the parent snapshot. */
  readonly before: Uint8Array | undefined;
  /** Joined list: name, node, name, node… of the entries that are done. */
  readonly done: Uint8Array;
  /** Joined list of names. */
  readonly remaining: Uint8Array;
}

export interface ScanResult {
  readonly done: Uint8Array;
  readonly remaining: Uint8Array;
  /** The first name that remains in the deepest folder wants a task for itself. */
  readonly alone: boolean;
  /** From the task's folder downwards. */
  readonly open: readonly OpenFrame[];
  readonly figures: ScanFigures;
  readonly problems: readonly Problem[];
}
