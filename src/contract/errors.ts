/**
 * Every error that a person can meet, with its words.
 *
 * Rules:
 * - An error is thrown with {@link fail}; its `code` is stable, its words are not. Callers branch on `code` alone.
 * - `message` says what happened and what it means for the person's data; `guidance` says the one thing to do next.
 * - `context` holds only plain JSON values (paths, names, numbers, a cause's text), never a secret.
 * - `retryable` is true only when the same call may succeed later without anyone doing anything.
 * - An error crosses processes whole: `toJSON` on one side, {@link errorFromJSON} on the other.
 * - Anything else that is thrown is a defect; {@link toHoldfastError} turns it into `internal` at the edges.
 */
import type { Entry, ErrorContext } from './errors/entry.ts';
import { catalogueErrors } from './errors/catalogue.ts';
import { appErrors } from './errors/app.ts';
import { desktopErrors } from './errors/desktop.ts';
import { generalErrors } from './errors/general.ts';
import { repositoryErrors } from './errors/repository.ts';
import { serverErrors } from './errors/server.ts';
import { snapshotErrors } from './errors/snapshots.ts';
import { storageErrors } from './errors/storage.ts';
import { targetErrors } from './errors/target.ts';
import { serviceErrors } from './errors/service.ts';

export type { ErrorContext };

const catalogue = {
  ...generalErrors,
  ...storageErrors,
  ...serverErrors,
  ...repositoryErrors,
  ...snapshotErrors,
  ...targetErrors,
  ...desktopErrors,
  ...serviceErrors,
  ...catalogueErrors,
  ...appErrors,
} as const satisfies Record<string, Entry>;

export type ErrorCode = keyof typeof catalogue;

/** All codes, for tests that look at every text. */
export const errorCodes = Object.keys(catalogue) as ErrorCode[];

export interface ErrorJSON {
  readonly code: ErrorCode;
  readonly message: string;
  readonly guidance: string;
  readonly context: ErrorContext;
  readonly retryable: boolean;
}

export class HoldfastError extends Error {
  override readonly name = 'HoldfastError';
  readonly code: ErrorCode;
  readonly guidance: string;
  readonly context: ErrorContext;
  readonly retryable: boolean;

  constructor(code: ErrorCode, context: ErrorContext = {}, options: { cause?: unknown; retryable?: boolean } = {}) {
    const entry: Entry = catalogue[code];
    const words = entry.words(context);
    super(words.message, 'cause' in options ? { cause: options.cause } : undefined);
    this.code = code;
    this.guidance = words.guidance;
    this.context = context;
    this.retryable = options.retryable ?? entry.retryable;
  }

  toJSON(): ErrorJSON {
    const { code, message, guidance, context, retryable } = this;
    return { code, message, guidance, context, retryable };
  }
}

/** Codes that tell of a destination as a whole, which cannot be used now; all others may be about one file in it. */
const ofDestination: ReadonlySet<ErrorCode> = new Set<ErrorCode>([
  'storage-gone',
  'server-unknown',
  'server-refused',
  'server-unreachable',
  'proxy-failed',
  'connection-lost',
  'server-busy',
  'server-not-understood',
  'server-moved',
  'certificate-untrusted',
  'certificate-expired',
  'certificate-wrong-name',
  'client-certificate-refused',
  'tls-failed',
  'credentials-missing',
  'credentials-refused',
  'clock-wrong',
  'bucket-missing',
  'region-wrong',
  'program-missing',
  'rclone-failed',
  'host-key-changed',
  'host-key-revoked',
  'host-key-by-authority',
  'private-key-locked',
]);

/** Whether the destination as a whole cannot be used now, so that what it says about a file says nothing about that file. */
export const isDestinationError = (thrown: unknown): boolean => thrown instanceof HoldfastError && ofDestination.has(thrown.code);

/** Further codes of a place that cannot be used, or not to the end of a run, though it answers. */
const ofPlace: ReadonlySet<ErrorCode> = new Set<ErrorCode>([
  'file-not-found',
  'file-exists',
  'file-short',
  'file-protected',
  'storage-failed',
  'storage-full',
  'room-kept',
  'storage-denied',
  'storage-read-only',
  'bucket-name',
  'wrong-password',
  'password-missing',
  'repository-not-found',
  'repository-version',
  'config-invalid',
  'key-invalid',
  'index-invalid',
  'item-tampered',
  'bad-polynomial',
  'locked',
  'lock-unreadable',
  'lock-lost',
  'destination-not-plugged-in',
  'destination-swapped',
  'destination-resting',
]);

/** Whether another destination may do what this one could not: the fault lies neither with what was asked for nor with this computer. */
export const isFaultOfPlace = (thrown: unknown): boolean =>
  isDestinationError(thrown) || (thrown instanceof HoldfastError && ofPlace.has(thrown.code));

/** Throws the error `code`. `cause` is kept for the log; its text goes into the words when `context.cause` is set. */
export function fail(code: ErrorCode, context: ErrorContext = {}, cause?: unknown): never {
  throw new HoldfastError(code, context, cause === undefined ? {} : { cause });
}

/** The error that crossed a process border as JSON; an unknown code becomes `internal`. */
export function errorFromJSON(json: ErrorJSON): HoldfastError {
  if (!Object.hasOwn(catalogue, json.code)) return new HoldfastError('internal', { cause: json.message });
  return new HoldfastError(json.code, json.context, { retryable: json.retryable });
}

/** Any thrown value as a HoldfastError; what is not one already is a defect and becomes `internal`. */
export function toHoldfastError(thrown: unknown): HoldfastError {
  if (thrown instanceof HoldfastError) return thrown;
  return new HoldfastError('internal', { cause: thrown instanceof Error ? thrown.message : String(thrown) }, { cause: thrown });
}

/** Whether this is the error `code`. (The type says so too, so that a "no" leaves other errors possible.) */
export const hasCode = <C extends ErrorCode>(thrown: unknown, code: C): thrown is HoldfastError & { readonly code: C } =>
  thrown instanceof HoldfastError && thrown.code === code;
