/**
 * A storage behind a network, of which this computer keeps what every run reads: index files, snapshots, the packs that hold folder
 * listings, and the key file that opened it last.
 *
 * - Which files there are, is asked of the storage: an index file or a snapshot comes from here only when this storage has
 *   listed or saved it. (A pack is found through the index; one that somebody else removes meanwhile may still be given.) And
 *   each content is proved by its name, the hash of it. So a cache that is old, damaged or deleted only costs time.
 * - A pack of listings is fetched whole when the first of them is wanted: its neighbours are wanted next.
 * - When this computer cannot keep something (its disk is full), that is told once, and the run goes on without.
 */
import { hash } from 'node:crypto';
import type { Clock } from '../../platform/clock.ts';
import type { FileKind, ListedFile, Range, Storage, StoredFile } from '../storage.ts';
import { CacheFolder } from './folder.ts';

export interface CacheOptions {
  /** Of the caches of all repositories; it is made when it is not there. */
  readonly folder: string;
  /** What all of them may take together; default 4 GiB. */
  readonly limitBytes?: number | undefined;
  readonly clock: Pick<Clock, 'now'>;
  /** Told once when nothing can be kept any more; `cause` is the system's. */
  readonly onProblem?: ((folder: string, cause: string) => void) | undefined;
}

const usualLimit = 4 * 1024 ** 3;

const isKept = (file: StoredFile): boolean => file.kind === 'index' || file.kind === 'snapshot' || file.holds === 'trees';

export class CachedStorage implements Storage {
  readonly location: string;
  readonly removeLeftovers?: (before: number) => Promise<number>;
  readonly replaceConfig?: (parts: readonly Uint8Array[]) => Promise<void>;
  readonly refusesRemoval?: () => Promise<boolean>;
  readonly #inner: Storage;
  readonly #options: CacheOptions;
  readonly #folder: CacheFolder;
  /** Files on their way from the storage, by name. */
  readonly #coming = new Map<string, Promise<Uint8Array>>();
  /** Index files and snapshots that are there. */
  readonly #known = new Set<string>();
  #isOff = false;
  #hasSaved = false;

  constructor(inner: Storage, options: CacheOptions) {
    this.location = inner.location;
    this.#inner = inner;
    this.#options = options;
    this.#folder = new CacheFolder(options.folder, inner.location, options.clock);
    if (inner.removeLeftovers) this.removeLeftovers = (before) => inner.removeLeftovers!(before);
    if (inner.replaceConfig) this.replaceConfig = (parts) => inner.replaceConfig!(parts);
    if (inner.refusesRemoval) this.refusesRemoval = () => inner.refusesRemoval!();
  }

  get clockSkewMs(): number | undefined {
    return this.#inner.clockSkewMs;
  }

  create(): Promise<void> {
    return this.#inner.create();
  }

  async save(file: StoredFile, parts: readonly Uint8Array[]): Promise<void> {
    await this.#inner.save(file, parts);
    if (!isKept(file)) return;
    this.#known.add(file.name);
    await this.#keep(file, parts);
  }

  async load(file: StoredFile, range?: Range): Promise<Uint8Array> {
    if (!isKept(file)) return this.#inner.load(file, range);
    const isThere = file.kind === 'pack' || this.#known.has(file.name);
    const kept = isThere ? await this.#unlessOff(() => this.#folder.load(file, range)) : undefined;
    if (kept) return kept;
    // A copy, whatever the storage gave: slice of a Buffer is a view.
    if (!range) return new Uint8Array(await this.#fetch(file));
    if (this.#isOff) return this.#inner.load(file, range);
    const whole = await this.#fetch(file);
    const { offset, length } = range;
    // A file that is shorter than it should be is the storage's to report.
    return offset + length <= whole.length ? new Uint8Array(whole.subarray(offset, offset + length)) : this.#inner.load(file, range);
  }

  /** The key file that {@link keepKey} has kept last; undefined for none, or one that is not whole. */
  recallKey(): Promise<{ readonly name: string; readonly bytes: Uint8Array } | undefined> {
    return this.#unlessOff(async () => {
      for (const name of await this.#folder.names('key')) {
        const bytes = await this.#folder.load({ kind: 'key', name });
        if (bytes) return { name, bytes };
      }
      return undefined;
    });
  }

  /** Keeps a key file, the only one that is kept. Nobody who holds only this computer opens the repository with it: the password is missing. */
  async keepKey({ name, bytes }: { readonly name: string; readonly bytes: Uint8Array }): Promise<void> {
    if (hash('sha256', bytes) !== name) return;
    await this.#unlessOff(async () => {
      await this.#folder.save({ kind: 'key', name }, [bytes]);
      await this.#folder.keepOnly('key', new Set([name]));
    });
  }

  size(file: StoredFile): Promise<number> {
    return this.#inner.size(file);
  }

  async *list(kind: FileKind): AsyncGenerator<ListedFile> {
    if (kind !== 'index' && kind !== 'snapshot' && kind !== 'pack') {
      yield* this.#inner.list(kind);
      return;
    }
    const names = new Set<string>();
    for await (const file of this.#inner.list(kind)) {
      names.add(file.name);
      if (kind !== 'pack') this.#known.add(file.name);
      yield file;
    }
    await this.#unlessOff(() => this.#folder.keepOnly(kind, names));
  }

  async remove(file: StoredFile): Promise<void> {
    await this.#inner.remove(file);
    this.#known.delete(file.name);
    // What a pack holds is not told here.
    if (file.kind === 'pack' || isKept(file)) await this.#unlessOff(() => this.#folder.remove(file));
  }

  async close(): Promise<void> {
    if (this.#hasSaved) await this.#unlessOff(() => this.#folder.shrink(this.#options.limitBytes ?? usualLimit));
    await this.#inner.close();
  }

  /** The whole file from the storage, once however many ask; the caller must not change it. */
  #fetch(file: StoredFile): Promise<Uint8Array> {
    const coming = this.#coming.get(file.name);
    if (coming) return coming;
    const fetched = (async () => {
      const whole = await this.#inner.load(file);
      // What is not what its name says is for its reader to find out, and not to be kept.
      if (hash('sha256', whole) === file.name) await this.#keep(file, [whole]);
      return whole;
    })().finally(() => this.#coming.delete(file.name));
    this.#coming.set(file.name, fetched);
    return fetched;
  }

  async #keep(file: StoredFile, parts: readonly Uint8Array[]): Promise<void> {
    await this.#unlessOff(() => this.#folder.save(file, parts));
    this.#hasSaved = true;
  }

  async #unlessOff<T>(act: () => Promise<T>): Promise<T | undefined> {
    if (this.#isOff) return undefined;
    try {
      return await act();
    } catch (error) {
      if (!this.#isOff) this.#options.onProblem?.(this.#options.folder, (error as Error).message);
      this.#isOff = true;
      return undefined;
    }
  }
}
