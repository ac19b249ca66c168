/**
 * Fills packs with blobs of one type. A pack is built in one buffer, which is handed over whole, so that storing it
 * copies nothing.
 */
import { HoldfastError } from '../contract/errors.ts';
import type { BlobEncoder } from './blob-codec.ts';
import type { BlobType } from './blob-index.ts';
import { type Sealer, sealOverhead } from './crypto.ts';
import { sha256 } from './ids.ts';
import { maxEntryBytes, maxHeaderBytes, writeEntry } from './pack.ts';

/** A pack ready to be stored. `bytes` fills the beginning of its buffer. */
export interface FinishedPack {
  readonly id: Buffer;
  readonly bytes: Uint8Array<ArrayBuffer>;
  /** Plaintext of the header: what the index needs. */
  readonly header: Buffer;
}

/** Blobs that do not fill a pack yet: sealed, with their header entries. */
export interface UnfinishedPack {
  readonly type: BlobType;
  readonly body: Uint8Array<ArrayBuffer>;
  readonly header: Buffer;
}

/** Gives a buffer of at least `bytes` bytes; it may wait until a stored pack gives its buffer back. */
export type TakeBuffer = (bytes: number) => ArrayBuffer;

/** Room for one average blob above the pack size, so that most packs end a little above it. */
const slackBytes = 1 << 20;

export class Packer {
  readonly #type: BlobType;
  readonly #packSize: number;
  readonly #encoder: BlobEncoder;
  readonly #sealer: Sealer;
  readonly #takeBuffer: TakeBuffer;
  readonly #store: (pack: FinishedPack) => void;
  #buffer: Buffer<ArrayBuffer> | undefined;
  #used = 0;
  #header = Buffer.alloc(1 << 12);
  #headerUsed = 0;

  /** `packSize` in bytes; `store` takes over every pack that is full. */
  constructor(
    type: BlobType,
    packSize: number,
    encoder: BlobEncoder,
    sealer: Sealer,
    takeBuffer: TakeBuffer,
    store: (pack: FinishedPack) => void,
  ) {
    this.#type = type;
    this.#packSize = packSize;
    this.#encoder = encoder;
    this.#sealer = sealer;
    this.#takeBuffer = takeBuffer;
    this.#store = store;
  }

  /** Encodes, verifies and packs a blob; returns its sealed length in bytes. Throws `encoding-failed`. */
  add(id: Uint8Array, plain: Uint8Array): number {
    return this.#addContent(id, this.#encoder.compress(plain));
  }

  /** As {@link add}, for a blob that is compressed already: `frame` holds `plainLength` bytes. */
  addFrame(id: Uint8Array, frame: Uint8Array, plainLength: number): number {
    this.#encoder.uncompressedLength = plainLength;
    return this.#addContent(id, frame);
  }

  /** `content` is what the encoder knows the `uncompressedLength` of. */
  #addContent(id: Uint8Array, content: Uint8Array): number {
    const sealed = content.length + sealOverhead;
    this.#makeRoom(sealed);
    const buffer = this.#buffer!;
    const length = this.#encoder.seal(id, content, buffer, this.#used);
    this.#append(id, length, this.#encoder.uncompressedLength);
    return length;
  }

  /** Packs a blob that is sealed already, as copying and pruning do. */
  addSealed(id: Uint8Array, sealed: Uint8Array, uncompressedLength: number): void {
    this.#makeRoom(sealed.length);
    this.#buffer!.set(sealed, this.#used);
    this.#append(id, sealed.length, uncompressedLength);
  }

  /** What is left, without a header; undefined when there is nothing. The packer is empty afterwards. */
  takeUnfinished(): UnfinishedPack | undefined {
    if (this.#headerUsed === 0) return undefined;
    const body = new Uint8Array(this.#buffer!.buffer, 0, this.#used);
    const header = Buffer.from(this.#header.subarray(0, this.#headerUsed));
    this.#reset();
    return { type: this.#type, body, header };
  }

  /** Hands over what is left as a pack, if there is anything. */
  finish(): void {
    if (this.#headerUsed === 0) return;
    const pack = finishPack(this.#sealer, this.#buffer!, this.#used, Buffer.from(this.#header.subarray(0, this.#headerUsed)));
    this.#reset();
    this.#store(pack);
  }

  #append(id: Uint8Array, length: number, uncompressedLength: number): void {
    this.#used += length;
    if (this.#headerUsed + maxEntryBytes > this.#header.length) {
      const larger = Buffer.alloc(this.#header.length * 2);
      this.#header.copy(larger, 0, 0, this.#headerUsed);
      this.#header = larger;
    }
    this.#headerUsed = writeEntry(this.#header, this.#headerUsed, this.#type, length, uncompressedLength, id);
    if (this.#used >= this.#packSize) this.finish();
  }

  #makeRoom(sealed: number): void {
    const need = sealed + this.#headerUsed + maxEntryBytes + sealOverhead + 4;
    if (this.#buffer && (this.#used + need > this.#buffer.length || this.#headerUsed + maxEntryBytes + sealOverhead > maxHeaderBytes))
      this.finish();
    this.#buffer ??= Buffer.from(this.#takeBuffer(Math.max(this.#packSize + slackBytes, sealed + 256)));
  }

  #reset(): void {
    this.#buffer = undefined;
    this.#used = 0;
    this.#headerUsed = 0;
  }
}

/** Bytes that a pack's sealed header and its length take. */
export const headerBytes = (header: Uint8Array): number => header.length + sealOverhead + 4;

/** Completes a pack whose first `used` bytes are sealed blobs; `buffer` has room for {@link headerBytes} more. */
export function finishPack(sealer: Sealer, buffer: Buffer<ArrayBuffer>, used: number, header: Buffer): FinishedPack {
  const sealed = sealer.seal(header, buffer, used);
  if (Buffer.compare(sealer.open(buffer.subarray(used, used + sealed)), header) !== 0)
    throw new HoldfastError('encoding-failed', { blob: 'pack header' });
  buffer.writeUInt32LE(sealed, used + sealed);
  const bytes = new Uint8Array(buffer.buffer, buffer.byteOffset, used + sealed + 4);
  return { id: sha256(bytes), bytes, header };
}
