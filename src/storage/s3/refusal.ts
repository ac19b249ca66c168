/** What a server that speaks S3 says when it refuses a request, and what that means for a person. */
import { STATUS_CODES } from 'node:http';
import { type ErrorCode, type ErrorContext, HoldfastError } from '../../contract/errors.ts';
import { retryAfterMs } from '../http/answer-errors.ts';
import { readBytes } from '../http/body.ts';
import type { HttpAnswer } from '../http/exchange.ts';
import type { Task } from '../objects/bucket.ts';
import { clockError, quoted } from '../objects/refusals.ts';
import { childrenOf, parseXml, textOf } from '../objects/xml.ts';
import { keyVariables } from './keys.ts';
import { serviceAt } from './presets.ts';

export interface Refusal {
  readonly status: number;
  /** S3's name of the error, such as `NoSuchBucket`; '' when the answer has no body, as to HEAD. */
  readonly code: string;
  readonly message: string;
  /** The region that the bucket is in, where the server says so. */
  readonly region: string | undefined;
  /** Milliseconds that the server wants to be left alone. */
  readonly retryAfterMs: number | undefined;
}

/** Errors are shorter than a page. */
const longestError = 64 * 1024;

/** Reads what is left of the answer. `now`: wall time in milliseconds. */
export async function refusalOf(answer: HttpAnswer, now: number): Promise<Refusal> {
  const { status } = answer;
  const waitMs = retryAfterMs(answer.header('retry-after'), now);
  const told = answer.header('x-amz-bucket-region');
  const { bytes } = await readBytes(answer, longestError);
  const refusal = { status, code: '', message: '', region: told, retryAfterMs: waitMs };
  try {
    const root = parseXml(bytes.toString('utf8'));
    // Some wrap it: <ErrorResponse><Error>…
    const error = root.name === 'Error' ? root : childrenOf(root, 'Error')[0];
    if (!error) return refusal;
    const endpoint = textOf(error, 'Endpoint');
    const region = told ?? textOf(error, 'Region') ?? (endpoint === undefined ? undefined : regionOf(endpoint));
    return { ...refusal, code: textOf(error, 'Code') ?? '', message: textOf(error, 'Message') ?? '', region };
  } catch {
    // Something in between has answered.
    return refusal;
  }
}

function regionOf(endpoint: string): string | undefined {
  const { service, region } = serviceAt(endpoint);
  return service.id === 'aws' ? region : undefined;
}

const wrongRegion = new Set([
  'PermanentRedirect',
  'TemporaryRedirect',
  'AuthorizationHeaderMalformed',
  'IllegalLocationConstraintException',
]);

/** The region to ask instead, if that is what this refusal is about. */
export function otherRegion({ status, code, region }: Refusal, asked: string): string | undefined {
  if (region === undefined || region === asked || !/^[a-z0-9-]{2,40}$/.test(region)) return undefined;
  // The answers to HEAD hold no code.
  const isRedirect = wrongRegion.has(code) || (code === '' && (status === 301 || status === 307 || status === 400 || status === 403));
  return isRedirect ? region : undefined;
}

const expired = new Set(['ExpiredToken', 'ExpiredTokenException', 'TokenRefreshRequired', 'InvalidToken']);

export const isExpired = ({ code }: Refusal): boolean => expired.has(code);

/** Nothing has this key. A missing bucket is told apart by its code, except in the answers to HEAD. */
export const isMissing = ({ status, code }: Refusal): boolean => code === 'NoSuchKey' || (status === 404 && code !== 'NoSuchBucket');

/** The object exists, and the request said that it must not. */
export const isTaken = ({ status, code }: Refusal): boolean => code === 'PreconditionFailed' || status === 412;

interface Meaning {
  readonly code: ErrorCode;
  readonly retryable?: boolean;
  readonly context?: ErrorContext;
}

const refusedKeys = (what: string, advice: string): Meaning => ({ code: 'credentials-refused', context: { what, advice } });
const busy: Meaning = { code: 'server-busy' };
const damaged: Meaning = { code: 'storage-failed', retryable: true };
const hopeless: Meaning = { code: 'storage-failed', retryable: false };

const meanings: Readonly<Record<string, Meaning>> = {
  NoSuchBucket: { code: 'bucket-missing' },
  InvalidAccessKeyId: refusedKeys(
    'the ID of the access key',
    'Check AWS_ACCESS_KEY_ID, and that the key belongs to this service and still exists.',
  ),
  SignatureDoesNotMatch: refusedKeys('the access key', 'Check AWS_SECRET_ACCESS_KEY, and that it belongs to the ID in AWS_ACCESS_KEY_ID.'),
  ExpiredToken: refusedKeys('the expired keys', 'Get new ones, and set AWS_SESSION_TOKEN with them.'),
  ExpiredTokenException: refusedKeys('the expired keys', 'Get new ones, and set AWS_SESSION_TOKEN with them.'),
  TokenRefreshRequired: refusedKeys('the expired keys', 'Get new ones, and set AWS_SESSION_TOKEN with them.'),
  InvalidToken: refusedKeys('the session token', 'Check AWS_SESSION_TOKEN; keys that do not expire need none.'),
  AccountProblem: { code: 'storage-denied' },
  AllAccessDisabled: { code: 'storage-denied' },
  AccessDenied: { code: 'storage-denied' },
  InvalidPayer: { code: 'storage-denied' },
  MethodNotAllowed: { code: 'storage-denied' },
  ObjectLocked: { code: 'file-protected' },
  QuotaExceeded: { code: 'storage-full' },
  InsufficientCapacity: { code: 'storage-full' },
  InsufficientStorage: { code: 'storage-full' },
  XMinioStorageFull: { code: 'storage-full' },
  XMinioAdminBucketQuotaExceeded: { code: 'storage-full' },
  BucketAlreadyExists: { code: 'bucket-taken' },
  InvalidBucketName: { code: 'bucket-name' },
  SlowDown: busy,
  SlowDownRead: busy,
  SlowDownWrite: busy,
  TooManyRequests: busy,
  Throttling: busy,
  RequestLimitExceeded: busy,
  ServiceUnavailable: busy,
  BadDigest: damaged,
  InvalidDigest: damaged,
  XAmzContentSHA256Mismatch: damaged,
  IncompleteBody: damaged,
  RequestTimeout: damaged,
  InternalError: damaged,
  OperationAborted: damaged,
  ConditionalRequestConflict: damaged,
  InvalidObjectState: hopeless,
};

const ofStatus: Readonly<Record<number, Meaning>> = {
  401: refusedKeys('the access key', 'Check AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY.'),
  403: { code: 'storage-denied' },
  405: { code: 'storage-denied' },
  408: damaged,
  409: damaged,
  429: busy,
  503: busy,
  507: { code: 'storage-full' },
};

/** Amazon says AccessDenied of what is locked, and Backblaze of what would pass a limit; only the message tells. */
const protectedWords = /object lock|worm protected|retention|legal hold/i;
const fullWords = /cap exceeded|quota|storage limit/i;

export interface Asked extends Task {
  readonly location: string;
  readonly server: string;
  readonly bucket: string;
  readonly region: string;
  readonly clockSkewMs: number | undefined;
}

/** The error for a person. Of the server's own words only its code and its message are shown: the rest repeats the request. */
export function refusalError(refusal: Refusal, asked: Asked): HoldfastError {
  const { status, code, message } = refusal;
  const skewed = clockError(code === 'RequestTimeTooSkewed' || code === 'RequestExpired', status, asked);
  if (skewed) return skewed;
  const { location, server, operation, file, bucket } = asked;
  const name = code === '' ? (STATUS_CODES[status] ?? '') : code;
  const cause = `the server answered ${status}${name === '' ? '' : ` ${name}`}${message === '' ? '' : `: ${quoted(message)}`}`;
  const context: ErrorContext = { location, server, operation, file, bucket, variables: keyVariables, cause };
  if (wrongRegion.has(code) || (status >= 300 && status < 400))
    return new HoldfastError('region-wrong', { ...context, asked: asked.region, region: refusal.region });
  const meaning = byWords(code, message) ?? meanings[code] ?? ofStatus[status] ?? (status >= 500 && status !== 501 ? damaged : hopeless);
  const wait = refusal.retryAfterMs === undefined ? {} : { retryAfterMs: refusal.retryAfterMs };
  return new HoldfastError(
    meaning.code,
    { ...context, ...meaning.context, ...wait },
    meaning.retryable === undefined ? {} : { retryable: meaning.retryable },
  );
}

function byWords(code: string, message: string): Meaning | undefined {
  if (code !== 'AccessDenied' && code !== 'InvalidRequest') return undefined;
  if (protectedWords.test(message)) return { code: 'file-protected' };
  return fullWords.test(message) ? { code: 'storage-full' } : undefined;
}
