/**
 * Items: the small encrypted files of a repository (config, index, snapshot, lock). Their plaintext is JSON, raw or as
 * byte 2 and a zstd frame.
 */
import { HoldfastError } from '../contract/errors.ts';
import { type Sealer, sealOverhead } from './crypto.ts';
import { compress, decompress } from './zstd.ts';

/** No index file that any program writes comes near. */
const maxItemBytes = 1 << 30;

/** The stored form of `text`, opened again and compared before it is returned. Throws `encoding-failed`. */
export function sealItem(sealer: Sealer, text: Uint8Array, options: { compressed: boolean }): Buffer {
  const plain = options.compressed ? Buffer.concat([Uint8Array.of(2), compress(text)]) : text;
  const sealed = Buffer.alloc(plain.length + sealOverhead);
  sealer.seal(plain, sealed, 0);
  try {
    if (Buffer.compare(openItem(sealer, sealed), text) !== 0) throw new HoldfastError('item-tampered', { cause: 'its content differs' });
  } catch (error) {
    throw new HoldfastError('encoding-failed', { blob: 'repository file' }, { cause: error });
  }
  return sealed;
}

/** The JSON text of a stored item, a fresh copy. Throws `item-tampered`. */
export function openItem(sealer: Sealer, sealed: Uint8Array): Buffer {
  const plain = Buffer.from(sealer.open(sealed));
  const first = plain[0];
  // 0x7b and 0x5b begin an object and a list.
  if (first === 0x7b || first === 0x5b) return plain;
  if (first !== 2) throw new HoldfastError('item-tampered', { cause: 'its encoding is unknown' });
  return decompress(plain.subarray(1), maxItemBytes);
}
