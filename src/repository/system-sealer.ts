/** Seals and opens items with the ciphers of the runtime's own OpenSSL. */
import { randomFillSync } from 'node:crypto';
import { fail } from '../contract/errors.ts';
import type { SystemCiphers } from '../platform/openssl-library.ts';
import { block, type MasterKey, sealOverhead } from './master-key.ts';

/** Random IVs are drawn so many at a time. */
const poolSize = 256;

/** See {@link Sealer}. */
export class SystemSealer {
  readonly #ciphers: SystemCiphers;
  readonly #encrypt: Uint8Array;
  readonly #macK: Uint8Array;
  /** r ‖ s: the second half belongs to the item at hand. */
  readonly #macKey = new Uint8Array(2 * block);
  readonly #s = this.#macKey.subarray(block);
  readonly #tag = new Uint8Array(block);
  readonly #ivs = new Uint8Array(poolSize * block);
  #nextIv = poolSize;
  #plain: Uint8Array;

  constructor(key: MasterKey, ciphers: SystemCiphers, maxPlain: number) {
    this.#ciphers = ciphers;
    this.#encrypt = Uint8Array.from(key.encrypt);
    this.#macK = Uint8Array.from(key.macK);
    this.#macKey.set(key.macR);
    this.#plain = new Uint8Array(maxPlain);
  }

  seal(plain: Uint8Array, out: Uint8Array, outOffset: number): number {
    const item = out.subarray(outOffset, outOffset + plain.length + sealOverhead);
    // The IV goes where the plaintext may begin.
    const source = plain.buffer === out.buffer ? new Uint8Array(plain) : plain;
    const iv = this.#takeIv();
    item.set(iv);
    const ciphertext = item.subarray(block, -block);
    this.#ciphers.aes256Ctr(this.#encrypt, iv, source, ciphertext);
    this.#authenticate(iv, ciphertext, item.subarray(-block));
    return item.length;
  }

  open(sealed: Uint8Array): Uint8Array {
    const iv = sealed.subarray(0, block);
    const ciphertext = sealed.subarray(block, -block);
    this.#authenticate(iv, ciphertext, this.#tag);
    const { length } = ciphertext;
    if (!isSame(this.#tag, sealed, sealed.length - block)) return fail('item-tampered', { length: sealed.length });
    if (length > this.#plain.length) this.#plain = new Uint8Array(Math.ceil(length * 1.25));
    const plain = this.#plain.subarray(0, length);
    this.#ciphers.aes256Ctr(this.#encrypt, iv, sealed.buffer === plain.buffer ? new Uint8Array(ciphertext) : ciphertext, plain);
    return plain;
  }

  #authenticate(iv: Uint8Array, ciphertext: Uint8Array, tag: Uint8Array): void {
    this.#ciphers.aes128(this.#macK, iv, this.#s);
    this.#ciphers.poly1305(this.#macKey, ciphertext, tag);
  }

  /** An IV never used before. */
  #takeIv(): Uint8Array {
    for (;;) {
      if (this.#nextIv === poolSize) {
        randomFillSync(this.#ivs);
        this.#nextIv = 0;
      }
      const at = this.#nextIv++ * block;
      const iv = this.#ivs.subarray(at, at + block);
      if (iv.some((byte) => byte !== 0)) return iv;
    }
  }
}

/** Whether the tag stands in `item` at `at`, in a time that does not depend on where they differ. */
function isSame(tag: Uint8Array, item: Uint8Array, at: number): boolean {
  let difference = 0;
  for (let i = 0; i < block; i++) difference |= tag[i] ^ item[at + i];
  return difference === 0;
}
