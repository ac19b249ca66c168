/** What an error of the operating system means for a repository in a folder. */

import { constants } from 'node:os';
import { type ErrorCode, type ErrorContext, HoldfastError } from '../contract/errors.ts';

const nameOfNumber = new Map(Object.entries(constants.errno).map(([name, number]) => [number, name]));

/**
 * The system's name of an error (`ENOSPC`), or '' if it is none. libuv knows no EDQUOT and no ESTALE and calls them
 * "Unknown system error -122": those are named by their number.
 */
export function systemCode(error: unknown): string {
  if (!(error instanceof Error) || !('code' in error) || typeof error.code !== 'string') return '';
  // Node's own complaints (ERR_INVALID_ARG_TYPE…) are none.
  if (/^E[A-Z0-9]+$/.test(error.code)) return error.code;
  return 'errno' in error ? (nameOfNumber.get(-Number(error.errno)) ?? error.code) : '';
}

const meaning: Readonly<Record<string, ErrorCode>> = {
  ENOSPC: 'storage-full',
  EDQUOT: 'storage-full',
  EACCES: 'storage-denied',
  EPERM: 'storage-denied',
  EROFS: 'storage-read-only',
  ENOTCONN: 'storage-gone',
  EIO: 'storage-gone',
  ENODEV: 'storage-gone',
  ENXIO: 'storage-gone',
  ESTALE: 'storage-gone',
  EHOSTDOWN: 'storage-gone',
  EHOSTUNREACH: 'storage-gone',
};

/** The same call would fail in the same way again. */
const permanent = new Set(['ENOTDIR', 'EISDIR', 'ENAMETOOLONG', 'ELOOP', 'EFBIG', 'EINVAL', 'ENOSYS', 'ENOTSUP', 'EEXIST', 'EXDEV']);

/** On Windows these also mean that a virus scanner or an indexer has the file open just now. */
const sharing = new Set(['EPERM', 'EBUSY', 'EACCES']);
const sharedOperations = new Set(['rename', 'unlink']);

/**
 * The error for a person. `context` holds `location`, `operation` (a verb) and `file`; the system's own text becomes
 * its `cause`. A HoldfastError is returned as it is.
 */
export function storageError(error: unknown, context: ErrorContext, platform: NodeJS.Platform = process.platform): HoldfastError {
  if (error instanceof HoldfastError) return error;
  const system = systemCode(error);
  const withCause: ErrorContext = { ...context, cause: error instanceof Error ? error.message : String(error) };
  const call = error instanceof Error && 'syscall' in error ? String(error.syscall) : '';
  if (platform === 'win32' && sharing.has(system) && sharedOperations.has(call))
    return new HoldfastError('storage-failed', withCause, { cause: error });
  const code = meaning[system] ?? 'storage-failed';
  const known = system !== '';
  return new HoldfastError(code, withCause, known && !permanent.has(system) ? { cause: error } : { cause: error, retryable: false });
}
