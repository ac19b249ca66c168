/**
 * The index of a repository, kept in memory from run to run, so that a run loads only the index files that have come since.
 *
 * A run takes it, so that nobody else has it meanwhile, and gives it back when it has ended well: after any other end it may name blobs
 * that were never stored.
 */
import type { BlobIndex } from '../../repository/blob-index.ts';
import type { Repository } from '../../repository/repository.ts';

export interface LoadedIndex {
  readonly index: BlobIndex;
  /** Names of the index files that are in it. */
  readonly loaded: Set<string>;
}

export class ResidentIndex {
  #kept: (LoadedIndex & { readonly repository: string }) | undefined;

  /** Memory that it takes, in bytes. */
  get byteLength(): number {
    return this.#kept?.index.byteLength ?? 0;
  }

  /** Undefined when nothing is kept of this repository, when one of its files is gone (packs may be gone with it), and when that cannot be told. */
  async take({ config, storage }: Repository): Promise<LoadedIndex | undefined> {
    const kept = this.#kept;
    this.#kept = undefined;
    if (kept?.repository !== config.id) return undefined;
    const gone = new Set(kept.loaded);
    try {
      for await (const { name } of storage.list('index')) gone.delete(name);
    } catch {
      // Whoever loads the index anew hears of it.
      return undefined;
    }
    return gone.size === 0 ? kept : undefined;
  }

  /**
   * To read by, beside whoever takes it meanwhile. Undefined when nothing is kept of this repository, when that is not all that its index
   * names now, or when that cannot be told.
   */
  async look({ config, storage }: Repository): Promise<BlobIndex | undefined> {
    const kept = this.#kept;
    if (kept?.repository !== config.id) return undefined;
    let files = 0;
    try {
      for await (const { name } of storage.list('index')) {
        if (!kept.loaded.has(name)) return undefined;
        files += 1;
      }
    } catch {
      return undefined;
    }
    return files === kept.loaded.size ? kept.index : undefined;
  }

  keep({ config }: Repository, { index, loaded }: LoadedIndex): void {
    this.#kept = { index, loaded, repository: config.id };
  }
}
