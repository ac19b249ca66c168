/**
 * Folders that are not watched, and are looked at now and then instead: those above the limit of the system and those of which watching
 * failed, until it is possible after all; and for good those whose file system does not tell of changes.
 */
import type { DirtyFolders } from './dirty-folders.ts';
import type { Folder, FolderWatches, WhyPolled } from './folder-watches.ts';
import type { Polling } from './polling.ts';

const doubtOf = { limit: 'limit', failed: 'watch-failed', 'file-system': 'polled' } as const;

export class Unwatched {
  readonly #dirty: DirtyFolders;
  readonly #folders = new Map<Folder, WhyPolled>();
  #wasLimited = false;

  constructor(dirty: DirtyFolders) {
    this.#dirty = dirty;
  }

  add(folder: Folder, why: WhyPolled): void {
    if (why === 'limit' && !this.#wasLimited) {
      this.#wasLimited = true;
      this.#dirty.doubt('limit');
    }
    this.#folders.set(folder, why);
    this.#noteDoubts();
  }

  /** Those for which `isGone` holds, or that are closed. */
  forget(isGone: (folder: Folder) => boolean, polling: Polling): void {
    for (const folder of this.#folders.keys()) {
      if (!folder.isClosed && !isGone(folder)) continue;
      this.#folders.delete(folder);
      polling.delete(folder);
    }
    this.#noteDoubts();
  }

  of(why: WhyPolled): Folder[] {
    return [...this.#folders].flatMap(([folder, each]) => (each === why && !folder.isClosed ? folder : []));
  }

  /** Watches may have become free. What is watched again was not for a while: all of it is dirty. */
  async tryAgain(watches: FolderWatches, polling: Polling): Promise<void> {
    const folders = [...this.of('limit'), ...this.of('failed')];
    for (const folder of folders) {
      this.#folders.delete(folder);
      polling.delete(folder);
      folder.isNew = true;
    }
    watches.add(folders);
    await watches.settled();
    this.#wasLimited = this.of('limit').length > 0;
    this.#noteDoubts();
  }

  #noteDoubts(): void {
    const there = new Set(this.#folders.values());
    for (const why of ['limit', 'failed', 'file-system'] as const) this.#dirty.lastingDoubt(doubtOf[why], there.has(why));
  }
}
