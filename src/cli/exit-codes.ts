/** What the command line tells its caller; the numbers are restic's, so that scripts made for it understand them. */
import type { ErrorCode } from '../contract/errors.ts';

export const exitCodes = {
  done: 0,
  /** Also wrong usage. */
  failed: 1,
  /** Done, but something is missing from the result, or damage was found on the way. */
  incomplete: 3,
  noRepository: 10,
  locked: 11,
  wrongPassword: 12,
  /** 128 + SIGINT, as shells count. */
  cancelled: 130,
} as const;

export type ExitCode = (typeof exitCodes)[keyof typeof exitCodes];

const ofError: Partial<Record<ErrorCode, ExitCode>> = {
  'repository-not-found': exitCodes.noRepository,
  'bucket-missing': exitCodes.noRepository,
  locked: exitCodes.locked,
  'lock-unreadable': exitCodes.locked,
  'wrong-password': exitCodes.wrongPassword,
  cancelled: exitCodes.cancelled,
};

export const exitCodeOf = (code: ErrorCode): ExitCode => ofError[code] ?? exitCodes.failed;
