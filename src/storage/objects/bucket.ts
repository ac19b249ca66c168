/**
 * What a storage of objects needs of the service that keeps them, so that each service's file holds its protocol and
 * nothing else.
 *
 * Words: a *bucket* is the service's container of objects (Azure says container); an *object* is a key and its bytes; a
 * *task* is what a call is for, in the words of errors.
 */
import type { Range, StoredFile } from '../storage.ts';

export interface Task {
  /** A verb: save, read, look at, list, remove. */
  readonly operation: string;
  /** What it is done to, for example `pack 0a1b…`. */
  readonly file: string;
}

export interface ListedObject {
  readonly key: string;
  /** In bytes. */
  readonly size: number;
}

/**
 * What every bucket promises:
 * - **put** resolves when the object is durable and was seen to have arrived whole: by a checksum that the service compared
 *   or repeated, else by its length. An object that did not is removed again.
 * - What exists is replaced by put, unless `refusesOverwrite`: then it fails with `file-exists`. With `replaces`, it takes the place of
 *   what exists wherever that may be done, in one step, and whatever goes wrong nothing is removed; where the service can tell that
 *   nothing exists, it fails with `file-not-found`.
 * - **get** gives the bytes of the range that exist, perhaps fewer than asked for; undefined for a missing object. A body
 *   longer than `longest` fails with `item-tampered`.
 * - **list** gives every object whose key begins with the prefix, in any order, perhaps twice.
 * - A bucket that does not exist is `bucket-missing` for every call; only `create` makes it.
 * - Nothing is tried again here, but for a wrong region or keys that have expired and could be renewed. Every error is a
 *   HoldfastError and says by `retryable` whether another try makes sense; the service's own wish for how long to wait
 *   first is `retryAfterMs` in its context.
 */
export interface Bucket {
  readonly location: string;
  /** How far the service's clock is ahead of this computer's, in milliseconds; undefined before its first answer. */
  readonly clockSkewMs: number | undefined;
  /** The service itself refuses to replace an object. */
  readonly refusesOverwrite: boolean;
  /** The service says of a removal whether there was an object; else every removal of whatever succeeds. */
  readonly tellsMissing: boolean;
  /** Makes the bucket unless it exists. */
  create(): Promise<void>;
  put(key: string, file: StoredFile, parts: readonly Uint8Array[], replaces?: boolean): Promise<void>;
  /** `range` is not empty. */
  get(key: string, range: Range | undefined, longest: number, task: Task): Promise<Uint8Array | undefined>;
  size(key: string, task: Task): Promise<number | undefined>;
  list(prefix: string, task: Task): AsyncIterable<ListedObject>;
  /** Whether the object existed, as far as the service tells; leaves nothing behind, not even a mark that something was removed. */
  remove(key: string, task: Task): Promise<boolean>;
  close(): Promise<void>;
}
