/** The error of a failed system call, of the same shape as Node's own file system errors, so that callers treat both alike. */
import { constants } from 'node:os';
import { getSystemErrorMessage, getSystemErrorName } from 'node:util';
import { displayPath } from './byte-paths.ts';

/** Names that neither Node's table nor the system's constants have. ENOATTR: macOS, "attribute not found" (sys/errno.h). */
const otherNames: Record<string, Record<number, string> | undefined> = { darwin: { 93: 'ENOATTR' } };

export class PosixError extends Error {
  override readonly name = 'PosixError';
  /** The negative error number, as in Node's errors. */
  readonly errno: number;
  /** The error's name, such as `EACCES`. */
  readonly code: string;
  readonly syscall: string;
  readonly path?: string;

  /** `errno` is the positive number of errno.h. */
  constructor(errno: number, syscall: string, path?: Buffer) {
    const code = errnoName(errno);
    const meaning = (errno > 0 ? getSystemErrorMessage(-errno) : undefined) ?? 'system error';
    const text = `${code}: ${meaning}, ${syscall}`;
    const shown = path === undefined ? undefined : displayPath(path);
    super(shown === undefined ? text : `${text} '${shown}'`);
    this.errno = errno === 0 ? 0 : -errno;
    this.code = code;
    this.syscall = syscall;
    if (shown !== undefined) this.path = shown;
  }
}

/** The name of the error number `errno`; `UNKNOWN` for a number without one. */
function errnoName(errno: number): string {
  const name = errno > 0 ? getSystemErrorName(-errno) : '';
  if (/^E[A-Z0-9]+$/.test(name)) return name;
  const constant = Object.entries(constants.errno).find(([, value]) => value === errno)?.[0];
  return constant ?? otherNames[process.platform]?.[errno] ?? 'UNKNOWN';
}
