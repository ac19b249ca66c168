/** A storage that can only be read: every call that would change it fails with `storage-read-only` and reaches nothing. */

import { fail } from '../contract/errors.ts';
import type { FileKind, ListedFile, Range, Storage, StoredFile } from './storage.ts';

export class ReadOnlyStorage implements Storage {
  readonly location: string;
  readonly localPath?: (file: StoredFile) => string;
  readonly #inner: Storage;

  constructor(inner: Storage) {
    this.location = inner.location;
    this.#inner = inner;
    if (inner.localPath) this.localPath = (file) => inner.localPath!(file);
  }

  async create(): Promise<void> {
    fail('storage-read-only', { location: this.location });
  }

  async save(_file: StoredFile, _parts: readonly Uint8Array[]): Promise<void> {
    fail('storage-read-only', { location: this.location });
  }

  async replaceConfig(_parts: readonly Uint8Array[]): Promise<void> {
    fail('storage-read-only', { location: this.location });
  }

  async remove(_file: StoredFile): Promise<void> {
    fail('storage-read-only', { location: this.location });
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

  close(): Promise<void> {
    return this.#inner.close();
  }
}
