/**
 * A repository whose files are objects in a bucket, with keys as restic lays them out below a prefix.
 *
 * Where the service refuses to replace an object, nothing that exists is ever replaced. Where it does not, config is looked
 * for before it is saved; every other name is the SHA-256 of its content, so that two programs that save the same name save
 * the same bytes. What this storage itself has saved it looks for, too, before it saves the same name again.
 *
 * Removals tell a missing file: by the service's answer, or by a look before where it gives none (left out for what this
 * storage has saved itself). There, of two programs that remove the same file both may be told that they did.
 *
 * Calls of this process that write or remove the same file take turns.
 */
import { fail, HoldfastError, hasCode } from '../../contract/errors.ts';
import { Listing } from '../rest/listing.ts';
import { checkRange } from '../names.ts';
import { configFile, describeFile, type FileKind, type ListedFile, type Range, type Storage, type StoredFile } from '../storage.ts';
import { inTurn } from '../turns.ts';
import type { Bucket, Task } from './bucket.ts';
import { Keys } from './keys.ts';

/** No program writes a config, key, snapshot, index or lock that comes near, nor a pack beyond the second. */
const longestSmallFile = 256 << 20;
const longestPack = 1 << 30;

/** How many of the files that it saved a storage remembers: those that are removed or saved again soon, such as locks. */
const remembered = 10_000;

/** No file has this name: nobody knows what has this hash. */
const nameOfNothing = '0'.repeat(64);

export class ObjectStorage implements Storage {
  readonly location: string;
  readonly #bucket: Bucket;
  readonly #keys: Keys;
  /** Keys that this storage has saved and not removed, oldest first. */
  readonly #own = new Set<string>();
  #closed = false;

  /** `prefix` as checkPrefix gives it. Closing the storage closes the bucket. */
  constructor(bucket: Bucket, prefix: string) {
    this.location = bucket.location;
    this.#bucket = bucket;
    this.#keys = new Keys(prefix);
  }

  /** How far the service's clock is ahead of this computer's, in milliseconds; undefined before its first answer. */
  get clockSkewMs(): number | undefined {
    return this.#bucket.clockSkewMs;
  }

  /** Makes the bucket; the layout's folders are only parts of keys. */
  async create(): Promise<void> {
    this.#checkOpen();
    await this.#bucket.create();
  }

  async save(file: StoredFile, parts: readonly Uint8Array[]): Promise<void> {
    this.#checkOpen();
    const key = this.#keys.of(file);
    await inTurn(`${this.location} ${key}`, async () => {
      const mustLook = !this.#bucket.refusesOverwrite && (file.kind === 'config' || this.#own.has(key));
      if (mustLook && (await this.#bucket.size(key, task('save', file))) !== undefined) this.#exists(file);
      await this.#bucket.put(key, file, parts);
      this.#remember(key);
    });
  }

  /** An object is replaced as it is made, in one step. */
  async replaceConfig(parts: readonly Uint8Array[]): Promise<void> {
    this.#checkOpen();
    const key = this.#keys.of(configFile);
    await inTurn(`${this.location} ${key}`, async () => {
      if ((await this.#bucket.size(key, task('replace', configFile))) === undefined) this.#missing(configFile);
      await this.#bucket.put(key, configFile, parts, true);
    });
  }

  async load(file: StoredFile, range?: Range): Promise<Uint8Array> {
    this.#checkOpen();
    if (range !== undefined) checkRange(range);
    const key = this.#keys.of(file);
    if (range?.length === 0) {
      await this.size(file);
      return new Uint8Array(0);
    }
    const longest = range?.length ?? (file.kind === 'pack' ? longestPack : longestSmallFile);
    const bytes = (await this.#bucket.get(key, range, longest, task('read', file))) ?? this.#missing(file);
    if (range !== undefined && bytes.byteLength < range.length)
      fail('file-short', { file: describeFile(file), location: this.location, expected: range.length, received: bytes.byteLength });
    return bytes;
  }

  async size(file: StoredFile): Promise<number> {
    this.#checkOpen();
    return (await this.#bucket.size(this.#keys.of(file), task('look at', file))) ?? this.#missing(file);
  }

  async *list(kind: FileKind): AsyncGenerator<ListedFile> {
    this.#checkOpen();
    // Pages overlap when others save meanwhile, and some servers repeat themselves.
    const given = new Listing();
    for await (const { key, size } of this.#bucket.list(this.#keys.below(kind), { operation: 'list', file: `its ${kind} files` })) {
      const file = this.#keys.fileAt(key);
      if (file?.kind !== kind) continue;
      const { count } = given;
      // What is called config has no name of 64 digits, and is one.
      if (kind !== 'config') given.add(file.name, size);
      if (kind === 'config' || given.count > count) yield { name: file.name, size };
    }
  }

  async remove(file: StoredFile): Promise<void> {
    this.#checkOpen();
    const key = this.#keys.of(file);
    const purpose = task('remove', file);
    await inTurn(`${this.location} ${key}`, async () => {
      const mustLook = !this.#bucket.tellsMissing && !this.#own.has(key);
      if (mustLook && (await this.#bucket.size(key, purpose)) === undefined) this.#missing(file);
      const existed = await this.#removeOrRefuse(file, key, purpose);
      this.#own.delete(key);
      if (!existed) this.#missing(file);
    });
  }

  /** Whether these credentials may not remove anything. */
  async refusesRemoval(): Promise<boolean> {
    this.#checkOpen();
    const nothing: StoredFile = { kind: 'pack', name: nameOfNothing };
    try {
      await this.#bucket.remove(this.#keys.of(nothing), task('remove', nothing));
      return false;
    } catch (error) {
      if (hasCode(error, 'storage-denied')) return true;
      throw error;
    }
  }

  async close(): Promise<void> {
    this.#closed = true;
    await this.#bucket.close();
  }

  /** Locks must be removable for anything to work; whoever may remove only those adds, and no more. */
  async #removeOrRefuse(file: StoredFile, key: string, purpose: Task): Promise<boolean> {
    try {
      return await this.#bucket.remove(key, purpose);
    } catch (error) {
      if (file.kind === 'lock' || !hasCode(error, 'storage-denied')) throw error;
      throw new HoldfastError('storage-append-only', { location: this.location, cause: error.context.cause }, { cause: error });
    }
  }

  #remember(key: string): void {
    this.#own.add(key);
    if (this.#own.size <= remembered) return;
    for (const oldest of this.#own) {
      this.#own.delete(oldest);
      return;
    }
  }

  #exists(file: StoredFile): never {
    return fail('file-exists', { file: describeFile(file), location: this.location });
  }

  #missing(file: StoredFile): never {
    return fail('file-not-found', { file: describeFile(file), location: this.location });
  }

  #checkOpen(): void {
    if (this.#closed) fail('internal', { cause: `${this.location} was used after it had been closed` });
  }
}

const task = (operation: string, file: StoredFile): Task => ({ operation, file: describeFile(file) });
