/**
 * A book: a repository that is kept open for somebody who looks around in it, so that each page does not cost what opening does.
 *
 * It holds no lock, for it may stay open while backups and prunes work. Whatever is read is proved, so that at worst something is not found
 * any more that a prune has moved: whoever asks opens the repository anew then, and asks once more.
 */
import { splitPath } from '../../platform/byte-paths.ts';
import { RunControl } from '../../platform/cancellation.ts';
import { BlobIndex } from '../../repository/blob-index.ts';
import type { Repository } from '../../repository/repository.ts';
import type { Snapshot } from '../../repository/snapshot.ts';
import { type Entry, entriesOf } from '../entry.ts';
import { loadIndex } from '../index/load.ts';
import { nextPiece } from '../pieces.ts';
import { absolutePath, type FoundEntry, resolveSnapshotPath } from '../snapshot-path.ts';
import { WorkerPool } from '../workers/pool.ts';
import type { FolderOrder } from './folder-job.ts';

/** One reads a large folder while another shows a picture. */
const threads = 2;
const bytesPerJob = 4 << 20;

export interface ListedFolder {
  readonly entries: readonly Entry[];
  /** Of the whole folder: everything in it, the folders among it, and the bytes of its files. */
  readonly total: { readonly entries: number; readonly folders: number; readonly bytes: number };
}

export class Book {
  readonly repository: Repository;
  readonly #index = BlobIndex.create();
  readonly #control = new RunControl();
  readonly #loaded = new Set<string>();
  #pool: WorkerPool | undefined;
  /** The index as it was when somebody last asked for it anew. */
  #loading: Promise<WorkerPool> | undefined;

  /** The book closes the repository's storage with itself. */
  constructor(repository: Repository) {
    this.repository = repository;
  }

  /** What was stored since is learned of before anything else is read. */
  refresh(): void {
    this.#loading = undefined;
  }

  /** Throws `snapshot-path-not-found`, and what reading a tree throws. */
  async find(snapshot: Snapshot, path: Buffer): Promise<FoundEntry> {
    return resolveSnapshotPath(await this.#ready(), snapshot, path);
  }

  /** A page of a folder, folders first. Throws as {@link find}; undefined for what is no folder. */
  async folder(
    snapshot: Snapshot,
    path: Buffer,
    page: { readonly order: FolderOrder; readonly descending: boolean; readonly from: number; readonly limit: number },
  ): Promise<ListedFolder | undefined> {
    const pool = await this.#ready();
    const { tree } = await resolveSnapshotPath(pool, snapshot, path);
    if (!tree) return undefined;
    const folder = new Uint8Array(absolutePath(splitPath(path)));
    const { batch, entries, folders, bytes } = await pool.run('folderPage', { tree, path: folder, ...page });
    return { entries: entriesOf(batch), total: { entries, folders, bytes } };
  }

  /** The first bytes of a file, `most` of them or a little more: whole blobs are read. Throws `blob-missing`, `item-tampered`. */
  async read(content: Uint8Array, most: number): Promise<Buffer> {
    const pool = await this.#ready();
    const pieces: Uint8Array[] = [];
    let length = 0;
    for (let at = 0; at < content.length && length < most; ) {
      const { end, bytes } = nextPiece(this.#index, content, at, Math.min(bytesPerJob, most - length));
      const piece = await pool.run('readBlobs', { ids: content.slice(at, end), bytes: Math.min(Math.max(0, bytes), 2 * bytesPerJob) });
      pieces.push(piece);
      length += piece.length;
      at = end;
    }
    return Buffer.concat(pieces);
  }

  /** What is being read fails with `cancelled`. */
  async close(): Promise<void> {
    this.#control.cancel();
    await this.#loading?.catch(() => {});
    await this.#pool?.close();
    this.#control.release();
    await this.repository.storage.close().catch(() => {});
  }

  #ready(): Promise<WorkerPool> {
    this.#loading ??= this.#load();
    return this.#loading;
  }

  async #load(): Promise<WorkerPool> {
    this.#pool ??= new WorkerPool(this.repository, { control: this.#control, index: this.#index, threads });
    const pool = this.#pool;
    try {
      // What damaged index files list counts as missing; whoever needs it is told that it is.
      await loadIndex(this.repository, pool, this.#loaded);
      return pool;
    } catch (error) {
      this.#loading = undefined;
      throw error;
    }
  }
}
