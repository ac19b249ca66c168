/**
 * One blob to its stored form and back: compressed, sealed, and proved readable before anybody relies on it.
 */
import { HoldfastError } from '../contract/errors.ts';
import { type Sealer, sealOverhead } from './crypto.ts';
import { sha256 } from './ids.ts';
import { compressNext, decompressNext } from './zstd.ts';

/** No program writes larger data blobs: restic's chunks end at 8 MiB. */
const maxDataBytes = 64 << 20;
const maxTreeBytes = 1 << 30;

export interface EncoderFault {
  /** The blob, counted from 1, whose stored form gets one flipped bit. Tests prove with it that verification works. */
  readonly corruptBlob: number;
}

export class BlobEncoder {
  readonly #sealer: Sealer;
  readonly #fault: EncoderFault | undefined;
  #encoded = 0;
  /** Of the blob encoded last: plaintext bytes when it was compressed, else 0. */
  uncompressedLength = 0;

  constructor(sealer: Sealer, fault?: EncoderFault) {
    this.#sealer = sealer;
    this.#fault = fault;
  }

  /** Prepares `plain` for storing: the bytes that will be sealed, valid until the next call, and {@link uncompressedLength}. */
  compress(plain: Uint8Array): Uint8Array {
    const frame = compressNext(plain);
    this.uncompressedLength = frame ? plain.length : 0;
    return frame ?? plain;
  }

  /**
   * Seals `content`, as `compress` gave it, into `out` at `at`, then opens, decompresses and hashes what stands there.
   * Returns the sealed length in bytes. Throws `encoding-failed` when the result is not the blob `id`: bad memory and
   * compressor defects have silently corrupted the backups of other programs.
   */
  seal(id: Uint8Array, content: Uint8Array, out: Uint8Array, at: number): number {
    const length = this.#sealer.seal(content, out, at);
    this.#encoded += 1;
    if (this.#encoded === this.#fault?.corruptBlob) out[at + (length >> 1)] ^= 1;
    try {
      openBlob(this.#sealer, out.subarray(at, at + length), id, this.uncompressedLength, maxTreeBytes);
    } catch (error) {
      throw new HoldfastError('encoding-failed', { blob: Buffer.from(id).toString('hex') }, { cause: error });
    }
    return length;
  }
}

/** The plaintext, and what was sealed: the frame that holds it, or the plaintext itself. */
interface OpenBlob {
  readonly plain: Uint8Array;
  readonly content: Uint8Array;
}

function openBlob(sealer: Sealer, sealed: Uint8Array, id: Uint8Array, uncompressedLength: number, limit: number): OpenBlob {
  if (uncompressedLength > limit || sealed.length > limit + sealOverhead)
    throw new HoldfastError('item-tampered', { cause: 'its size is absurd' });
  const content = sealer.open(sealed);
  let plain = content;
  if (uncompressedLength > 0) {
    plain = decompressNext(content, uncompressedLength);
    if (plain.length !== uncompressedLength) throw new HoldfastError('item-tampered', { cause: 'its length differs' });
  }
  if (Buffer.compare(sha256(plain), id) !== 0) throw new HoldfastError('item-tampered', { cause: 'its content differs' });
  return { plain, content };
}

const limitOf = (type: 'data' | 'tree'): number => (type === 'tree' ? maxTreeBytes : maxDataBytes);

/**
 * The plaintext of a stored blob, authenticated, decompressed and hashed. The view is valid until the sealer's next
 * call, or the next decoding in this thread. Throws `item-tampered` when anything differs; never returns other bytes than those that `id` names.
 */
export const decodeBlob = (
  sealer: Sealer,
  sealed: Uint8Array,
  id: Uint8Array,
  uncompressedLength: number,
  type: 'data' | 'tree',
): Uint8Array => openBlob(sealer, sealed, id, uncompressedLength, limitOf(type)).plain;

/**
 * As {@link decodeBlob}, but gives what was sealed: a frame where `uncompressedLength` is not 0. So a blob gets from one key to
 * another without being compressed anew. The view is valid until the sealer's next call.
 */
export const openContent = (
  sealer: Sealer,
  sealed: Uint8Array,
  id: Uint8Array,
  uncompressedLength: number,
  type: 'data' | 'tree',
): Uint8Array => openBlob(sealer, sealed, id, uncompressedLength, limitOf(type)).content;
