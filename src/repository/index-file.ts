/**
 * Index files: JSON lists of packs with their blobs. See restic's design document, "Indexing".
 */
import { HoldfastError } from '../contract/errors.ts';
import type { BlobIndex, BlobType } from './blob-index.ts';
import { isId } from './ids.ts';
import { sealOverhead } from './crypto.ts';
import { readEntries } from './pack.ts';

/** restic rotates its index files at the same number. */
export const maxBlobsPerIndexFile = 50_000;

interface StoredBlob {
  id: string;
  type: BlobType;
  offset: number;
  length: number;
  uncompressed_length?: number;
}

interface StoredPack {
  id: string;
  blobs: StoredBlob[];
}

const isLength = (value: unknown): value is number => typeof value === 'number' && Number.isInteger(value) && value >= 0 && value < 2 ** 32;

const invalid = (cause: string): never => {
  throw new HoldfastError('index-invalid', { cause });
};

/**
 * Adds what an index file says to `index`. Foreign fields are tolerated, `supersedes` is ignored. Throws `index-invalid`
 * before anything is added when the text is not an index.
 */
export function addIndexFile(text: Buffer, index: BlobIndex): void {
  let parsed: unknown;
  try {
    parsed = JSON.parse(text.toString('utf8'));
  } catch (error) {
    invalid(error instanceof Error ? error.message : String(error));
  }
  const packs = checkIndex(parsed);
  const id = Buffer.alloc(32);
  for (const pack of packs) {
    id.write(pack.id, 'hex');
    const number = index.pack(id);
    for (const blob of pack.blobs) {
      id.write(blob.id, 'hex');
      index.add(number, id, 0, blob.type, blob.offset, blob.length, blob.uncompressed_length ?? 0);
    }
  }
}

function checkIndex(parsed: unknown): StoredPack[] {
  // The oldest format is a bare list of packs.
  const packs: unknown = Array.isArray(parsed) ? parsed : (parsed as { packs?: unknown } | null)?.packs;
  if (!Array.isArray(packs)) return invalid('no list of packs');
  for (const pack of packs as Partial<StoredPack>[]) {
    if (!isId(pack?.id) || !Array.isArray(pack.blobs)) return invalid('a pack without ID or blobs');
    for (const blob of pack.blobs as Partial<StoredBlob>[]) {
      if (!isId(blob?.id) || (blob.type !== 'data' && blob.type !== 'tree')) return invalid(`a blob of pack ${pack.id} without ID or type`);
      if (!isLength(blob.offset) || !isLength(blob.length) || blob.length < sealOverhead) return invalid(`blob ${blob.id} has no place`);
      if (blob.uncompressed_length !== undefined && !isLength(blob.uncompressed_length)) return invalid(`blob ${blob.id} has no length`);
    }
  }
  return packs as StoredPack[];
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

  /** The file's text; the builder is empty afterwards. */
  take(): Buffer {
    const text = `{"packs":[${this.#parts.join(',')}]}`;
    this.#parts = [];
    this.#blobs = 0;
    return Buffer.from(text);
  }
}
