/** What Google's Cloud Storage says when it refuses a request, and what that means for a person. */
import { STATUS_CODES } from 'node:http';
import { type ErrorCode, type ErrorContext, HoldfastError } from '../../contract/errors.ts';
import { retryAfterMs } from '../http/answer-errors.ts';
import { readBytes } from '../http/body.ts';
import type { HttpAnswer } from '../http/exchange.ts';
import type { Task } from '../objects/bucket.ts';
import { quoted } from '../objects/refusals.ts';
import { gcsVariables } from './access.ts';

export interface Refusal {
  readonly status: number;
  /** Google's name of the error, such as `notFound`; '' where the answer is plain text, as to downloads. */
  readonly reason: string;
  readonly message: string;
  /** Milliseconds that the service wants to be left alone. */
  readonly retryAfterMs: number | undefined;
}

const longestError = 64 * 1024;

/** Reads what is left of the answer. `now`: wall time in milliseconds. */
export async function refusalOf(answer: HttpAnswer, now: number): Promise<Refusal> {
  const { status } = answer;
  const waitMs = retryAfterMs(answer.header('retry-after'), now);
  const { bytes } = await readBytes(answer, longestError);
  const text = bytes.toString('utf8');
  const plain = { status, reason: '', message: /json|html/.test(answer.header('content-type') ?? '') ? '' : text, retryAfterMs: waitMs };
  try {
    const { error } = JSON.parse(text) as { error?: { message?: unknown; errors?: readonly { reason?: unknown }[] } };
    const reason = error?.errors?.[0]?.reason;
    if (typeof error?.message !== 'string') return plain;
    return { ...plain, reason: typeof reason === 'string' ? reason : '', message: error.message };
  } catch {
    return plain;
  }
}

/** The object exists, and the request said that it must not. */
export const isTaken = ({ status }: Refusal): boolean => status === 412;

interface Meaning {
  readonly code: ErrorCode;
  readonly retryable?: boolean;
  readonly context?: ErrorContext;
}

const busy: Meaning = { code: 'server-busy' };
const passing: Meaning = { code: 'storage-failed', retryable: true };
const hopeless: Meaning = { code: 'storage-failed', retryable: false };
const refusedToken: Meaning = {
  code: 'credentials-refused',
  context: { what: 'the access token', advice: `Check ${gcsVariables}: tokens are good for an hour at most.` },
};

const meanings: Readonly<Record<string, Meaning>> = {
  authError: refusedToken,
  rateLimitExceeded: busy,
  userRateLimitExceeded: busy,
  retentionPolicyNotMet: { code: 'file-protected' },
  objectUnderActiveHold: { code: 'file-protected' },
  quotaExceeded: { code: 'storage-full' },
  backendError: passing,
  internalError: passing,
};

const ofStatus: Readonly<Record<number, Meaning>> = {
  401: refusedToken,
  403: { code: 'storage-denied' },
  408: passing,
  429: busy,
  503: busy,
  507: { code: 'storage-full' },
};

/** What was changed on its way may arrive as it is the next time. */
const damagedWords = /hash .*does ?n.t match|doesn't match calculated/i;
const protectedWords = /retention policy|active hold/i;

export interface Asked extends Task {
  readonly location: string;
  readonly server: string;
  readonly bucket: string;
}

/** The error for a person. */
export function refusalError({ status, reason, message, retryAfterMs: waitMs }: Refusal, asked: Asked): HoldfastError {
  const { location, server, operation, file, bucket } = asked;
  const name = reason === '' ? (STATUS_CODES[status] ?? '') : reason;
  const cause = `the server answered ${status}${name === '' ? '' : ` ${name}`}${message === '' ? '' : `: ${quoted(message)}`}`;
  const context: ErrorContext = { location, server, operation, file, bucket, cause };
  if (status >= 300 && status < 400) return new HoldfastError('server-not-understood', { location, server, cause });
  const byWords = damagedWords.test(message)
    ? passing
    : status === 403 && protectedWords.test(message)
      ? meanings['retentionPolicyNotMet']
      : undefined;
  const meaning = byWords ?? meanings[reason] ?? ofStatus[status] ?? (status >= 500 && status !== 501 ? passing : hopeless);
  return new HoldfastError(
    meaning.code,
    { ...context, ...meaning.context, ...(waitMs === undefined ? {} : { retryAfterMs: waitMs }) },
    meaning.retryable === undefined ? {} : { retryable: meaning.retryable },
  );
}
