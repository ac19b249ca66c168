/** What Azure's Blob Storage says when it refuses a request, and what that means for a person. */
import { STATUS_CODES } from 'node:http';
import { type ErrorCode, type ErrorContext, HoldfastError } from '../../contract/errors.ts';
import { retryAfterMs } from '../http/answer-errors.ts';
import { readBytes } from '../http/body.ts';
import type { HttpAnswer } from '../http/exchange.ts';
import type { Task } from '../objects/bucket.ts';
import { clockError, quoted } from '../objects/refusals.ts';
import { parseXml, textOf } from '../objects/xml.ts';
import type { AzureCredential } from './sign.ts';

export interface Refusal {
  readonly status: number;
  /** Azure's name of the error, such as `ContainerNotFound`; '' when something in between has answered. Answers to HEAD have it, too. */
  readonly code: string;
  readonly message: string;
  /** Milliseconds that the service wants to be left alone. */
  readonly retryAfterMs: number | undefined;
}

const longestError = 64 * 1024;

/** The details of a refusal that help a person, and hold nothing but times. */
const aboutTime =
  /^(?:Signature not valid in the specified (?:key )?time frame|Signed expiry time|(?:The )?(?:Request )?date header)[^\n]*$/i;

/** What is wrong with the time of a signed request. */
const requestTime = /^(?:The )?(?:Request )?date header|x-ms-date/i;

/** Reads what is left of the answer. `now`: wall time in milliseconds. */
export async function refusalOf(answer: HttpAnswer, now: number): Promise<Refusal> {
  const { status } = answer;
  const waitMs = retryAfterMs(answer.header('retry-after'), now);
  const code = answer.header('x-ms-error-code') ?? '';
  const { bytes } = await readBytes(answer, longestError);
  try {
    const root = parseXml(bytes.toString('utf8'));
    if (root.name !== 'Error') return { status, code, message: '', retryAfterMs: waitMs };
    const detail = textOf(root, 'AuthenticationErrorDetail') ?? '';
    // Other details repeat the signature or what was signed; what follows the first line of the message, the request and its time.
    const message = aboutTime.test(detail) ? detail : (textOf(root, 'Message') ?? '').split('\n')[0];
    return { status, code: code || (textOf(root, 'Code') ?? ''), message, retryAfterMs: waitMs };
  } catch {
    return { status, code, message: '', retryAfterMs: waitMs };
  }
}

/** Nothing has this name. (A 404 that names no reason comes from something else that answers at this address.) */
export const isMissing = ({ code }: Refusal): boolean => code === 'BlobNotFound';

/** The blob exists, and the request said that it must not. */
export const isTaken = ({ code }: Refusal): boolean => code === 'BlobAlreadyExists' || code === 'ConditionNotMet';

interface Meaning {
  readonly code: ErrorCode;
  readonly retryable?: boolean;
  readonly context?: ErrorContext;
}

const busy: Meaning = { code: 'server-busy' };
const passing: Meaning = { code: 'storage-failed', retryable: true };
const hopeless: Meaning = { code: 'storage-failed', retryable: false };
const denied: Meaning = { code: 'storage-denied' };

const meanings: Readonly<Record<string, Meaning>> = {
  ContainerNotFound: { code: 'bucket-missing' },
  ContainerBeingDeleted: passing,
  ContainerDisabled: denied,
  InvalidResourceName: { code: 'bucket-name' },
  AuthorizationFailure: denied,
  AuthorizationPermissionMismatch: denied,
  AuthorizationServiceMismatch: denied,
  AuthorizationResourceTypeMismatch: denied,
  AuthorizationProtocolMismatch: denied,
  AuthorizationSourceIPMismatch: denied,
  InsufficientAccountPermissions: denied,
  AccountIsDisabled: denied,
  PublicAccessNotPermitted: denied,
  ContainerImmutableDueToPolicy: { code: 'file-protected' },
  BlobImmutableDueToPolicy: { code: 'file-protected' },
  BlobImmutableDueToLegalHold: { code: 'file-protected' },
  AccountLimitExceeded: { code: 'storage-full' },
  ServerBusy: busy,
  OperationTimedOut: passing,
  InternalError: passing,
  Md5Mismatch: passing,
  Crc64Mismatch: passing,
};

const ofStatus: Readonly<Record<number, Meaning>> = {
  403: denied,
  408: passing,
  409: hopeless,
  429: busy,
  503: busy,
  507: { code: 'storage-full' },
};

export interface Asked extends Task {
  readonly location: string;
  readonly server: string;
  readonly container: string;
  /** What was shown to the service. */
  readonly by: AzureCredential['kind'];
  readonly clockSkewMs: number | undefined;
}

/** The error for a person. Of the service's own words only its code and the first line of its message are shown. */
export function refusalError({ status, code, message, retryAfterMs: waitMs }: Refusal, asked: Asked): HoldfastError {
  const skewed = clockError(requestTime.test(message) && status === 403, status, asked);
  if (skewed) return skewed;
  const { location, server, operation, file, container } = asked;
  const name = code === '' ? (STATUS_CODES[status] ?? '') : code;
  const cause = `the server answered ${status}${name === '' ? '' : ` ${name}`}${message === '' ? '' : `: ${quoted(message)}`}`;
  const context: ErrorContext = { location, server, operation, file, bucket: container, noun: 'container', cause };
  // Azure always names its reason; a proxy or a login page does not.
  if (code === '' && status < 500 && !Object.hasOwn(ofStatus, status))
    return new HoldfastError('server-not-understood', { location, server, cause });
  const own = isAboutSignature(status, code, message) ? refusedCredentials(asked) : meanings[code];
  const meaning = own ?? ofStatus[status] ?? (status >= 500 && status !== 501 ? passing : hopeless);
  return new HoldfastError(
    meaning.code,
    { ...context, ...meaning.context, ...(waitMs === undefined ? {} : { retryAfterMs: waitMs }) },
    meaning.retryable === undefined ? {} : { retryable: meaning.retryable },
  );
}

/** AuthorizationFailure is what the emulator says of a wrong key, and Azure of a closed network. */
const isAboutSignature = (status: number, code: string, message: string): boolean =>
  status === 401 ||
  code === 'AuthenticationFailed' ||
  code === 'InvalidAuthenticationInfo' ||
  (code === 'AuthorizationFailure' && /failed to authenticate/i.test(message));

const shown: Readonly<Record<Asked['by'], ErrorContext>> = {
  key: { what: "the account's key", advice: 'Check AZURE_ACCOUNT_KEY, and that it belongs to the account in AZURE_ACCOUNT_NAME.' },
  sas: { what: 'the shared access signature', advice: 'Check AZURE_ACCOUNT_SAS, and whether it has expired or was revoked.' },
  machine: {
    what: 'the identity of this machine',
    advice:
      'Check that AZURE_ACCOUNT_NAME is an account of the same directory, and give the identity the role “Storage Blob Data Contributor”.',
  },
};

const refusedCredentials = ({ by }: Asked): Meaning => ({ code: 'credentials-refused', context: shown[by] });
