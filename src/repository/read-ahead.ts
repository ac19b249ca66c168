/**
 * Lists all snapshots and reads their stored form while the key is still being derived, which takes about half a second of one
 * processor and leaves the storage idle. Files are named by their content, so what was read early is as good as what is
 * read late. Whether the repository is locked is looked at in the same time.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { nextTurn } from '../platform/clock.ts';
import { localFolderOf } from '../storage/local-folder.ts';
import { layoutPath } from '../storage/names.ts';
import type { Storage, StoredFile } from '../storage/storage.ts';

/** Most snapshots take about a kilobyte; what is longer, or beyond this number, is read when it is needed. */
const longestBytes = 64 << 10;
const mostFiles = 20_000;
const filesPerTurn = 100;

/** What is looked at early beside the snapshots. */
export interface ReadAhead {
  /** The first question which snapshots there are is answered as it was then, which spares a round trip. */
  readonly listing?: boolean | undefined;
  /** Whether the repository is locked is looked at, too: for verbs that take a shared lock at once. */
  readonly locks?: boolean | undefined;
}

export class SnapshotReadAhead {
  readonly #files = new Map<string, Uint8Array>();
  /** All names, once they are listed. */
  #names: string[] | undefined;
  #hadNoLocks = false;
  #ended = false;
  readonly #reading: Promise<unknown>;

  constructor(storage: Storage, { listing = false, locks = false }: ReadAhead = {}) {
    // What fails here is tried again, and reported, when it is needed.
    const looking = locks ? this.#lookForLocks(storage).catch(() => {}) : undefined;
    this.#reading = Promise.all([looking, this.#read(storage, listing).catch(() => {})]);
  }

  /** The stored snapshot of this name, if it was read by now; gives it only once. */
  take(name: string): Uint8Array | undefined {
    const bytes = this.#files.get(name);
    this.#files.delete(name);
    return bytes;
  }

  /** The names of all snapshots a moment ago, if they were listed by now; gives them only once. */
  takeNames(): string[] | undefined {
    const names = this.#names;
    this.#names = undefined;
    return names;
  }

  /** Whether no lock was there a moment ago, as far as that is known by now; tells it only once. */
  takeNoLocks(): boolean {
    const hadNoLocks = this.#hadNoLocks;
    this.#hadNoLocks = false;
    return hadNoLocks;
  }

  /** Reads no more. Resolves when nothing is on its way from the storage any more. */
  async end(): Promise<void> {
    this.#ended = true;
    await this.#reading;
  }

  async #lookForLocks(storage: Storage): Promise<void> {
    for await (const _ of storage.list('lock')) return;
    this.#hadNoLocks = true;
  }

  async #read(storage: Storage, keepsNames: boolean): Promise<void> {
    const all: string[] = [];
    const names: string[] = [];
    for await (const { name, size } of storage.list('snapshot')) {
      all.push(name);
      if (size <= longestBytes && names.length < mostFiles) names.push(name);
    }
    if (keepsNames) this.#names = all;
    const folder = localFolderOf(storage);
    // One after the other, and from a folder without the detours of asynchronous calls: two processors are often halves of one,
    // and whatever is done beside the derivation slows it down.
    for (const [i, name] of names.entries()) {
      const file: StoredFile = { kind: 'snapshot', name };
      if (folder === undefined) {
        const bytes = await storage.load(file);
        if (!this.#ended) this.#files.set(name, bytes);
      } else this.#files.set(name, readFileSync(join(folder, layoutPath(file))));
      if (i % filesPerTurn === filesPerTurn - 1) await nextTurn();
      if (this.#ended) return;
    }
  }
}
