/** What becomes of what a restore finds in the way, in a folder that was there before. */
import type { BigIntStats } from 'node:fs';
import type { Node } from '../../repository/tree/node.ts';
import type { UndoTask } from '../undo/log.ts';
import type { DatedTask } from '../mirror/dated.ts';

/** Of a whole restore. Undefined: what is replaced or deleted is gone. */
export type Keeping =
  | { readonly kind: 'undo'; readonly undo: UndoTask }
  | { readonly kind: 'dated'; readonly dated: DatedTask }
  | undefined;

/** Whether files that are replaced by others stay somewhere, so that they give no space back. */
export const keepsReplaced = (keeping: Keeping): boolean =>
  keeping?.kind === 'undo' || (keeping?.kind === 'dated' && keeping.dated.replaced);

/** Of one folder. */
export interface FolderKeeper {
  /** What is said to it must be on the disk before any of it is done. */
  readonly defers: boolean;

  /**
   * A file, link, device or folder is going to be made at `place`, where `existing` stands. Returns where that is to be moved
   * before; undefined when it may go.
   */
  makes(place: Buffer, existing: BigIntStats | undefined, node: Node): Buffer | undefined;

  /** What stands at `place` is going to be taken away. Returns as `makes` does. */
  takes(place: Buffer, existing: BigIntStats): Buffer | undefined;

  /** Properties of what stands at `place` are going to be set; `after` is the time of change that a file gets. */
  facts(place: Buffer, existing: BigIntStats, after?: bigint): void;
}

/** For folders that the restore makes, and where nothing is to be kept. */
export const keepsNothing: FolderKeeper = { defers: false, makes: () => undefined, takes: () => undefined, facts: () => {} };
