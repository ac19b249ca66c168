/** A folder's storage that leaves room on its disk for everything else: a save that would take it fails with `room-kept`. */
import { statfs } from 'node:fs/promises';
import { fail } from '../contract/errors.ts';
import type { FileKind, ListedFile, Range, Storage, StoredFile } from './storage.ts';

/** A tenth of the disk, but no more than this; bytes. */
const mostKept = 10 * 1024 ** 3;

export class KeepingRoomStorage implements Storage {
  readonly location: string;
  readonly localPath?: (file: StoredFile) => string;
  readonly removeLeftovers?: (before: number) => Promise<number>;
  readonly #inner: Storage;
  readonly #space: (folder: string) => Promise<{ free: number; size: number }>;

  /** `space` in bytes; default: what the system says. */
  constructor(inner: Storage, space = spaceAt) {
    this.location = inner.location;
    this.#inner = inner;
    this.#space = space;
    if (inner.localPath) this.localPath = (file) => inner.localPath!(file);
    if (inner.removeLeftovers) this.removeLeftovers = (before) => inner.removeLeftovers!(before);
  }

  create(): Promise<void> {
    return this.#inner.create();
  }

  async save(file: StoredFile, parts: readonly Uint8Array[]): Promise<void> {
    // What else is stored is small, and locks are what tidying needs.
    if (file.kind === 'pack') {
      const { free, size } = await this.#space(this.location);
      const kept = Math.min(mostKept, size / 10);
      const wanted = parts.reduce((sum, part) => sum + part.byteLength, 0);
      if (free - wanted < kept) fail('room-kept', { location: this.location });
    }
    return this.#inner.save(file, parts);
  }

  load(file: StoredFile, range?: Range): Promise<Uint8Array> {
    return this.#inner.load(file, range);
  }

  size(file: StoredFile): Promise<number> {
    return this.#inner.size(file);
  }

  list(kind: FileKind): AsyncIterable<ListedFile> {
    return this.#inner.list(kind);
  }

  remove(file: StoredFile): Promise<void> {
    return this.#inner.remove(file);
  }

  close(): Promise<void> {
    return this.#inner.close();
  }
}

async function spaceAt(folder: string): Promise<{ free: number; size: number }> {
  const { bavail, blocks, bsize } = await statfs(folder);
  return { free: bavail * bsize, size: blocks * bsize };
}
