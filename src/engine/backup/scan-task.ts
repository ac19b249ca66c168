/**
 * What coordinator and worker tell each other while a backup walks.
 *
 * - A *task* is some entries of one folder.
 * - An *open frame* is a folder on the way from the task's folder to the entry that was being worked on when the task was
 *   given up half way: its entries are done in part.
 */
import type { VisitOptions } from './changed-folders.ts';
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

export const isGone = (error: unknown): boolean => goneCodes.has((error as NodeJS.ErrnoException).code);

/** The problem that an error of the system is for the entry. */
export function problemOf(path: Uint8Array, error: unknown): Problem {
  const { message } = error as NodeJS.ErrnoException;
  return { path: new Uint8Array(path), kind: isGone(error) ? 'vanished' : 'unreadable', detail: message };
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

/** Entries of the parent snapshot, files with their bytes. */
export interface EntryCount {
  files: number;
  dirs: number;
  bytes: number;
}

/**
 * What is looked at in a folder: `all` of it and below it; what is `listed` in it, while folders in it are trusted unless they changed;
 * or only what leads to changes, when it is `passed` through.
 */
export type Look = 'all' | 'listed' | 'passed';

/** What all tasks of a run have in common. */
export interface ScanOptions {
  readonly rules: ExcludeRules;
  /** Undefined: everything is looked at, and nothing is known of what changed. */
  readonly visits: VisitOptions | undefined;
  /** Folders that are left out wherever they are met: the repository itself. */
  readonly leftOut: readonly { readonly device: bigint; readonly inode: bigint }[];
  /** Undefined: nobody wants to know what was read. */
  readonly files?: ScanFiles | undefined;
}

/** What a worker is told of files, and how much it may note of them; see hand-over.ts. */
export interface ScanFiles {
  readonly known: SharedArrayBuffer;
  /** Bytes. */
  readonly most: number;
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
  readonly look: Look;
  /** What a scan that does not look at all counts of what the parent holds here: all of the folder, only these names, or nothing any more. */
  readonly counts: 'folder' | 'names' | 'nothing';
}

/** A folder that is not complete yet. */
export interface OpenFrame {
  readonly path: Uint8Array;
  readonly parentTree: Uint8Array | undefined;
  readonly source: Uint8Array;
  readonly device: bigint;
  readonly look: Look;
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
  readonly findings: ScanFindings;
}

/** What a scan learns for the journal, and for the next run that goes by it. */
export interface ScanFindings {
  /** Folders whose entries were looked at. */
  visited: number;
  /** Of the parent snapshot: what it holds in the folders that were looked at, each entry once. Only of scans that do not look at all. */
  readonly before: EntryCount;
  /** Joined list of trees of the parent snapshot whose folders are gone, with all that they hold. As {@link before}. */
  gone: Uint8Array;
  /** Joined list of folders that hold files with other names. Those change without an event where they are. */
  linked: Uint8Array;
  /** A file of several names is new here: its other names may be where nobody looks. */
  hasNewLinks: boolean;
  /** Joined list of folders in which something changed that the journal does not know. Only of scans that compare. */
  missed: Uint8Array;
}
