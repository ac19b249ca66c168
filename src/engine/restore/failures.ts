/** Which failures of the target or the repository end a restore, and which affect one entry only. */
import { displayPath } from '../../platform/byte-paths.ts';
import { type ErrorCode, fail, HoldfastError, isDestinationError } from '../../contract/errors.ts';
import type { WorkerContext } from '../workers/context.ts';

const perhapsGone = new Set<ErrorCode>(['storage-failed', 'storage-denied', 'file-not-found']);

/**
 * Throws `error` again unless it only says that one piece of the repository cannot be used. A disk that is about to die
 * refuses single files; a drive that was unplugged refuses everything.
 */
export function throwIfGone(error: unknown, context: WorkerContext): asserts error is HoldfastError {
  if (!(error instanceof HoldfastError) || error.code === 'cancelled') throw error;
  if ((isDestinationError(error) || perhapsGone.has(error.code)) && !context.answers()) throw error;
}

/** Throws `target-full` or `target-read-only` when going on would only fail the same way for everything that follows. */
export function throwIfFatal(error: unknown, path: Buffer): void {
  const { code, message } = error as NodeJS.ErrnoException;
  if (code === 'ENOSPC' || code === 'EDQUOT') fail('target-full', { path: displayPath(path) }, error);
  if (code === 'EROFS') fail('target-read-only', { path: displayPath(path) }, error);
  // The disk itself fails or was taken away.
  if (code === 'EIO' || code === 'ENODEV' || code === 'ENXIO') fail('target-gone', { path: displayPath(path), cause: message }, error);
}
