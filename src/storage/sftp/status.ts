/** What an SFTP server says that went wrong, by the numbers of the protocol's version 3 (draft-ietf-secsh-filexfer-02, 7). */
import { type ErrorContext, HoldfastError } from '../../contract/errors.ts';

export const status = {
  eof: 1,
  noSuchFile: 2,
  permissionDenied: 3,
  failure: 4,
  badMessage: 5,
  unsupported: 8,
  writeProtect: 12,
  noSpace: 14,
  quota: 15,
} as const;

/** The answer of a server that did not do what it was asked for. */
export class StatusError extends Error {
  override readonly name = 'StatusError';
  readonly code: number;

  constructor(code: number, message: string) {
    super(message);
    this.code = code;
  }
}

export const isMissing = (error: unknown): boolean => error instanceof StatusError && error.code === status.noSuchFile;

/** Whether a server has said that it knows nothing of what it was asked for. */
export const isUnsupported = (error: unknown): boolean => error instanceof StatusError && error.code === status.unsupported;

/** What a file system has to give: in bytes, by its own words. */
export interface SpaceLeft {
  readonly free: number;
  readonly isReadOnly: boolean;
}

const fullWords = /no space|disk (is )?full|quota|not enough space|ENOSPC|EDQUOT/i;

/**
 * The error for a person. `context` holds `location`, `operation` and `file`. Most servers call everything a failure: `space`, where
 * they told it, says whether it is that; `needed` is in bytes. A HoldfastError is returned as it is.
 */
export function statusError(error: unknown, context: ErrorContext, space?: SpaceLeft, needed = 0): HoldfastError {
  if (error instanceof HoldfastError) return error;
  if (!(error instanceof StatusError)) throw error;
  const cause = error.message
    .split('\n')[0]
    .slice(0, 200)
    .replace(/[\s.]+$/, '');
  const given = { ...context, cause: cause === '' ? undefined : cause };
  const isFull = error.code === status.noSpace || error.code === status.quota || fullWords.test(error.message);
  if (isFull) return new HoldfastError('storage-full', given, { cause: error });
  if (error.code === status.permissionDenied) return new HoldfastError('storage-denied', given, { cause: error });
  if (error.code === status.writeProtect) return new HoldfastError('storage-read-only', given, { cause: error });
  if (error.code === status.failure && space !== undefined) {
    if (space.isReadOnly) return new HoldfastError('storage-read-only', given, { cause: error });
    if (space.free <= needed) return new HoldfastError('storage-full', given, { cause: error });
  }
  const isFinal = error.code === status.badMessage || error.code === status.unsupported;
  return new HoldfastError('storage-failed', given, isFinal ? { cause: error, retryable: false } : { cause: error });
}
