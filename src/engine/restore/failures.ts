/** Which failures of the target end a restore, and which affect one entry only. */
import { displayPath } from '../../platform/byte-paths.ts';
import { fail } from '../../contract/errors.ts';

/** Throws `target-full` or `target-read-only` when going on would only fail the same way for everything that follows. */
export function throwIfFatal(error: unknown, path: Buffer): void {
  const { code, message } = error as NodeJS.ErrnoException;
  if (code === 'ENOSPC' || code === 'EDQUOT') fail('target-full', { path: displayPath(path) }, error);
  if (code === 'EROFS') fail('target-read-only', { path: displayPath(path) }, error);
  // The disk itself fails or was taken away.
  if (code === 'EIO' || code === 'ENODEV' || code === 'ENXIO') fail('target-gone', { path: displayPath(path), cause: message }, error);
}
