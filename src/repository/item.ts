/**
 * Items: the small encrypted files of a repository (config, index, snapshot, lock). Their plaintext is JSON, raw or as
 * byte 2 and a zstd frame.
 */
import { HoldfastError } from '../contract/errors.ts';
import { type Sealer, sealOverhead } from './crypto.ts';
import { compress, decompressNext } from './zstd.ts';

/** A snapshot that names a million sources takes less. */
const maxItemBytes = 64 << 20;
/** An index file of one pack with the longest possible header takes less. */
const maxIndexBytes = 256 << 20;
/** Objects and lists in an item; an honest one has a handful. Each takes some 60 bytes of memory for its 2 bytes of text. */
const maxContainers = 10_000;

/** The stored form of `text`, opened again and compared before it is returned. Throws `encoding-failed`. */
export function sealItem(sealer: Sealer, text: Uint8Array, options: { compressed: boolean }): Buffer {
  const plain = options.compressed ? Buffer.concat([Uint8Array.of(2), compress(text)]) : text;
  const sealed = Buffer.alloc(plain.length + sealOverhead);
  sealer.seal(plain, sealed, 0);
  try {
    if (Buffer.compare(openIndex(sealer, sealed), text) !== 0) throw new HoldfastError('item-tampered', { cause: 'its content differs' });
  } catch (error) {
    throw new HoldfastError('encoding-failed', { blob: 'repository file' }, { cause: error });
  }
  return sealed;
}

/**
 * The JSON text of a stored item that is no index, a fresh copy. Throws `item-tampered`, also for text that would take
 * gigabytes once parsed.
 */
export function openItem(sealer: Sealer, sealed: Uint8Array): Buffer {
  const text = Buffer.from(open(sealer, sealed, maxItemBytes));
  let containers = 0;
  let isString = false;
  for (let at = 0; at < text.length; at++) {
    const byte = text[at];
    if (byte === quote) isString = !isString;
    else if (byte === backslash) at++;
    else if (!isString && (byte === openBrace || byte === openBracket)) containers++;
  }
  if (containers > maxContainers) throw new HoldfastError('item-tampered', { cause: 'its content is absurd' });
  return text;
}

/**
 * The text of a stored index file, to be read without parsing it as a whole: **valid until the next item is opened in this
 * thread.** Throws `item-tampered`.
 */
export const openIndex = (sealer: Sealer, sealed: Uint8Array): Buffer => open(sealer, sealed, maxIndexBytes);

const quote = 0x22;
const backslash = 0x5c;
const openBrace = 0x7b;
const openBracket = 0x5b;

function open(sealer: Sealer, sealed: Uint8Array, limit: number): Buffer {
  if (sealed.length > limit + sealOverhead) throw new HoldfastError('item-tampered', { cause: 'its size is absurd' });
  const plain = sealer.open(sealed);
  const first = plain[0];
  if (first === openBrace || first === openBracket) return asBuffer(plain);
  if (first !== 2) throw new HoldfastError('item-tampered', { cause: 'its encoding is unknown' });
  return asBuffer(decompressNext(plain.subarray(1), limit));
}

const asBuffer = ({ buffer, byteOffset, byteLength }: Uint8Array): Buffer => Buffer.from(buffer, byteOffset, byteLength);
