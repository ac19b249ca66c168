/** What a kind of destination has to offer so that `place.ts` can open it: one function, in a file that is loaded only then. */
import type { Clock } from '../platform/clock.ts';
import type { Credentials } from './credentials.ts';
import type { Paces } from './pace.ts';
import type { Storage } from './storage.ts';

export interface OpenContext {
  readonly credentials: Credentials;
  readonly clock: Clock;
  /** How fast bytes may go. */
  readonly paces?: Paces | undefined;
  /** Told what a person should know about the way in which the place was named. */
  readonly onNote?: ((text: string) => void) | undefined;
}

/**
 * Opens a place of this kind. `address` is what stands behind the colon and may hold a password, which must not be in the
 * storage's `location` nor in any error. Nothing need be there yet, and nothing is asked yet. Throws `bad-usage` for an
 * address that cannot be meant, `input-unreadable` for a file of credentials that cannot be read.
 */
export type OpenKind = (address: string, context: OpenContext) => Storage | Promise<Storage>;
