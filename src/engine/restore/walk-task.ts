/** What the coordinator of a restore and its workers tell each other about folders and what is in them. */
import type { NodeType } from '../../repository/tree/node.ts';
import type { Keeping } from './keeping.ts';
import type { PartNames } from './part-file.ts';
import type { ReservedPlaces } from './reserved.ts';
import type { OverwritePolicy } from './policy.ts';
import type { Selection } from './selection.ts';

export interface RestoreProblem {
  readonly path: Uint8Array;
  /**
   * `damaged`: not restored, the repository lacks its data. `failed`: not restored. `metadata`: restored, but not all of it could
   * be set. `differs`: verification found something else than was restored.
   */
  readonly kind: 'damaged' | 'failed' | 'metadata' | 'differs';
  readonly detail: string;
}

/**
 * Bytes of the longest path that this system takes. What is longer is reported before it is tried, so that the dry run ends
 * where the restore does, however deep a hostile tree is.
 */
export const longestPath: number = process.platform === 'darwin' ? 1023 : process.platform === 'win32' ? 32_767 : 4095;

/** A folder to restore. */
export interface FolderTask {
  readonly tree: Uint8Array;
  /** Where it goes, absolute. */
  readonly path: Uint8Array;
  readonly selection: Selection;
  /** The run made the folder, so nothing is in it. */
  readonly isNew: boolean;
  /** The folder is in a source, not above one: only there does `--delete` remove what the snapshot does not hold. */
  readonly inSource: boolean;
  /** It is the target itself. */
  readonly isTarget: boolean;
  /** While above the sources: the way to each, as joined lists of names (as text). */
  readonly sources: readonly Uint8Array[];
}

export interface WalkOptions {
  readonly act: boolean;
  readonly policy: OverwritePolicy;
  readonly delete: boolean;
  /** For the names of files restored beside existing ones. */
  readonly stamp: string;
  /** Everything goes back to where it was: existing folders that only lead to what is restored are not the backup's to change. */
  readonly isOriginal: boolean;
  /** Real path of a repository in a local folder, which is never touched. */
  readonly repository: Uint8Array | undefined;
  readonly parts: PartNames;
  readonly keeping: Keeping;
  readonly reserved: ReservedPlaces;
}

/** One line of a plan. Sizes in bytes, times in nanoseconds since 1970. What is below a deleted folder goes with it. */
export interface PlannedEntry {
  readonly path: Uint8Array;
  /** The other name of what is restored beside the entry at `path`, or was by an earlier run. */
  readonly other: Uint8Array | undefined;
  readonly type: NodeType;
  readonly action: 'create' | 'replace' | 'beside' | 'same' | 'keep' | 'delete';
  readonly size: number;
  readonly mtimeNs: bigint;
  readonly existingSize: number | undefined;
  readonly existingMtimeNs: bigint | undefined;
}

export interface WalkTask {
  readonly folders: readonly FolderTask[];
  readonly options: WalkOptions;
  /** Whether the lines of the plan are wanted, not only their sums. */
  readonly list: boolean;
}

export interface WalkFigures {
  create: number;
  replace: number;
  beside: number;
  same: number;
  keep: number;
  delete: number;
  folders: number;
  /** Bytes of content to write. */
  bytes: number;
}

export const noWalkFigures = (): WalkFigures => ({ create: 0, replace: 0, beside: 0, same: 0, keep: 0, delete: 0, folders: 0, bytes: 0 });

export interface WalkResult {
  readonly folders: readonly FolderTask[];
  /**
   * Files to write, as a joined list: path, node as JSON, content (IDs), {@link fileFacts}, and where what stands at the path
   * is to be kept (empty: nowhere); again and again.
   */
  readonly files: Uint8Array;
  /** Folders that were met, each before what is in it, as a joined list: path, node as JSON, whether it is new; again and again. */
  readonly met: Uint8Array;
  /** What is not restored to its place: a joined list of path, and other path (empty: nowhere). */
  readonly elsewhere: Uint8Array;
  /** Existing folders on file systems that this walk had not met before, as a joined list. */
  readonly mounts: Uint8Array;
  /** Space that replaced and deleted files give back, in bytes. */
  readonly freed: number;
  readonly entries: readonly PlannedEntry[];
  readonly figures: WalkFigures;
  readonly problems: readonly RestoreProblem[];
  /** What was recorded for an undo: aside folders that came into use (a joined list), entries, bytes kept of what they were. */
  readonly recorded: { readonly asides: Uint8Array; readonly entries: number; readonly bytes: number } | undefined;
}

/**
 * Bits of a file's flags: it has several names; its content is there already, so that it only stands for further names; it
 * is the person's own and no further name; see SegmentFile.
 */
export const fileFlags = { hardLinked: 1, isThere: 2, stays: 4, inherits: 8 } as const;

/** What the coordinator must know of a file without parsing its node: {@link fileFlags}, and its size in bytes. */
export function fileFacts(flags: number, size: number): Buffer {
  const facts = Buffer.alloc(9);
  facts[0] = flags;
  facts.writeDoubleLE(size, 1);
  return facts;
}

export const flagsOf = (facts: Buffer): number => facts[0];
export const fileSizeOf = (facts: Buffer): number => facts.readDoubleLE(1);
