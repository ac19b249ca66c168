/**
 * Index files: JSON lists of packs with their blobs. See restic's design document, "Indexing".
 */
import type { BlobIndex } from './blob-index.ts';
import { readEntries } from './pack.ts';
import { readIndex } from './read-index.ts';

/** restic rotates its index files at the same number. */
export const maxBlobsPerIndexFile = 50_000;

/**
 * Adds what an index file says to `index`. Foreign fields are tolerated, `supersedes` is ignored. Throws `index-invalid`
 * before anything is added when the text is not an index.
 */
export function addIndexFile(text: Buffer, index: BlobIndex): void {
  readIndex(text, { pack: () => {}, blob: () => {} });
  let pack = -1;
  readIndex(text, {
    pack: (id) => {
      pack = index.pack(id);
    },
    blob: (id, type, offset, length, uncompressedLength) => index.add(pack, id, 0, type, offset, length, uncompressedLength),
  });
}

/** Collects packs and gives index files of at most {@link maxBlobsPerIndexFile} blobs; a pack is never divided. */
export class IndexFileBuilder {
  #parts: string[] = [];
  #blobs = 0;

  get isEmpty(): boolean {
    return this.#parts.length === 0;
  }

  get isFull(): boolean {
    return this.#blobs >= maxBlobsPerIndexFile;
  }

  /** Adds a stored pack by the plaintext of its header. */
  add(packId: string, header: Buffer): void {
    const blobs: string[] = [];
    readEntries(header, (type, offset, length, plain, bytes, at) => {
      const id = bytes.toString('hex', at, at + 32);
      const uncompressed = plain > 0 ? `,"uncompressed_length":${plain}` : '';
      blobs.push(`{"id":"${id}","type":"${type}","offset":${offset},"length":${length}${uncompressed}}`);
    });
    this.#blobs += blobs.length;
    this.#parts.push(`{"id":"${packId}","blobs":[${blobs.join(',')}]}`);
  }

  /** Adds what `other` has collected. */
  join(other: IndexFileBuilder): void {
    this.#parts.push(...other.#parts);
    this.#blobs += other.#blobs;
  }

  /** The file's text; the builder is empty afterwards. */
  take(): Buffer {
    const text = this.text();
    this.#parts = [];
    this.#blobs = 0;
    return text;
  }

  /** The file's text; nothing is changed. */
  text(): Buffer {
    return Buffer.from(`{"packs":[${this.#parts.join(',')}]}`);
  }
}
