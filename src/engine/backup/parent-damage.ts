/** What a backup does about trees of the parent snapshot that cannot be read: it says so, and stores anew what it still finds. */
import { type ErrorCode, type ErrorJSON, HoldfastError, isDestinationError } from '../../contract/errors.ts';
import { emptyLocation } from '../../repository/blob-index.ts';
import type { WorkerContext } from '../workers/context.ts';

/** Told to the coordinator. */
export interface ParentUnreadable {
  readonly kind: 'parent-unreadable';
  /** ID of the tree, 64 hex digits. */
  readonly tree: string;
  readonly error: ErrorJSON;
}

export const isParentUnreadable = (note: unknown): note is ParentUnreadable =>
  (note as Partial<ParentUnreadable> | undefined)?.kind === 'parent-unreadable';

/** Errors that tell of damage to the pack, and not of a tree that says nonsense or a storage that does not answer just now. */
const packDamage: ReadonlySet<ErrorCode> = new Set<ErrorCode>(['file-not-found', 'file-short', 'item-tampered']);

/**
 * Throws `error` again unless it is a failure to read the tree, from a destination that answers. The pack of a damaged tree counts as lost from now on: what
 * this run still finds of its trees is stored anew, instead of being taken for stored because the index says so.
 */
export function noteUnreadable(error: unknown, tree: Uint8Array, context: WorkerContext): void {
  if (!(error instanceof HoldfastError) || isDestinationError(error) || error.code === 'cancelled') throw error;
  const location = emptyLocation();
  if (packDamage.has(error.code) && context.index.locate(tree, 0, 'tree', location)) context.index.markLost(location.pack);
  context.note({ kind: 'parent-unreadable', tree: Buffer.from(tree).toString('hex'), error: error.toJSON() } satisfies ParentUnreadable);
}
