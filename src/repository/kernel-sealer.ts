/**
 * Seals and opens items with `node:crypto` and the kernel, which every runtime has.
 *
 * A repository consists of many small items, and what they cost is mostly `createCipheriv` (10 µs, against 1 µs for the
 * work on 4 kB). So two AES-ECB objects are kept for life and the counter mode is built from them: counters and XOR come
 * from the kernel. Only long items are worth a fresh counter-mode cipher.
 */
import { type Cipheriv, createCipheriv, randomFillSync } from 'node:crypto';
import { fail } from '../contract/errors.ts';
import type { Kernel } from './kernel/kernel.ts';
import { block, type MasterKey, sealOverhead } from './master-key.ts';

/** Up to this many bytes go through the kept cipher; above, a counter-mode cipher of its own is faster (measured). */
const shortItem = 64 * 1024;
/** A long item goes in pieces that stay in the processor's cache. */
const piece = 256 * 1024;
/** Random IVs are drawn, and their MAC keys computed, this many at a time. */
const poolSize = 256;

/** See {@link Sealer}. */
export class KernelSealer {
  readonly #kernel: Kernel;
  readonly #encryptKey: Buffer;
  readonly #aes256: Cipheriv;
  readonly #aes128: Cipheriv;
  /** Regions of the kernel's memory. */
  readonly #macKey: number;
  readonly #tag: number;
  readonly #counters: number;
  readonly #keystream: number;
  readonly #ivs: number;
  readonly #ivMacs: number;
  readonly #zeros: number;
  #item: number;
  #itemSize: number;
  #nextIv = poolSize;

  /** `maxPlain`: the longest usual plaintext in bytes, for which memory is set aside. Longer ones work and enlarge it. */
  constructor(key: MasterKey, kernel: Kernel, maxPlain: number) {
    this.#kernel = kernel;
    this.#encryptKey = Buffer.from(key.encrypt);
    this.#aes256 = createCipheriv('aes-256-ecb', key.encrypt, null).setAutoPadding(false);
    this.#aes128 = createCipheriv('aes-128-ecb', key.macK, null).setAutoPadding(false);
    this.#macKey = kernel.alloc(2 * block);
    this.#tag = kernel.alloc(block);
    this.#counters = kernel.alloc(shortItem);
    this.#keystream = kernel.alloc(shortItem);
    this.#ivs = kernel.alloc(poolSize * block);
    this.#ivMacs = kernel.alloc(poolSize * block);
    this.#zeros = kernel.alloc(block);
    this.#itemSize = maxPlain + sealOverhead;
    this.#item = kernel.alloc(this.#itemSize);
    kernel.view().set(key.macR, this.#macKey);
  }

  seal(plain: Uint8Array, out: Uint8Array, outOffset: number): number {
    const length = plain.length + sealOverhead;
    if (length > this.#itemSize) {
      const [plainAgain, outAgain] = [this.#movable(plain), this.#movable(out)];
      this.#grow(length);
      return this.seal(plainAgain(), outAgain(), outOffset);
    }
    const kernel = this.#kernel;
    const iv = this.#takeIv();
    const item = this.#item;
    const content = item + block;
    kernel.view().copyWithin(item, iv, iv + block);
    this.#applyKeystream(item, plain, content);
    kernel.poly1305(content, plain.length, this.#macKey, content + plain.length);
    out.set(kernel.view().subarray(item, item + length), outOffset);
    return length;
  }

  open(sealed: Uint8Array): Uint8Array {
    if (sealed.length > this.#itemSize) {
      const sealedAgain = this.#movable(sealed);
      this.#grow(sealed.length);
      return this.open(sealedAgain());
    }
    const kernel = this.#kernel;
    const item = this.#item;
    const content = item + block;
    const length = sealed.length - sealOverhead;
    kernel.view().set(sealed, item);
    kernel.view().set(encryptBlocks(this.#aes128, kernel.bytes(item, block)), this.#macKey + block);
    kernel.poly1305(content, length, this.#macKey, this.#tag);
    if (!kernel.equal(this.#tag, content + length, block)) return fail('item-tampered', { length: sealed.length });
    const plain = kernel.bytes(content, length);
    this.#applyKeystream(item, plain, content);
    return plain;
  }

  /** Encrypts or decrypts: `source`, XOR the keystream that begins at the IV at address `iv`, goes to address `target`. */
  #applyKeystream(iv: number, source: Uint8Array, target: number): void {
    const kernel = this.#kernel;
    const { length } = source;
    if (length > shortItem) {
      const cipher = createCipheriv('aes-256-ctr', this.#encryptKey, kernel.bytes(iv, block));
      for (let at = 0; at < length; at += piece) kernel.view().set(cipher.update(source.subarray(at, at + piece)), target + at);
      return;
    }
    kernel.view().set(source, target);
    if (length === 0) return;
    const blocks = Math.ceil(length / block);
    kernel.counterBlocks(iv, 0, blocks, this.#counters);
    kernel.view().set(encryptBlocks(this.#aes256, kernel.bytes(this.#counters, blocks * block)), this.#keystream);
    kernel.xorInto(target, this.#keystream, length);
  }

  /** The address of an IV never used before; the second half of its MAC key is then in place. */
  #takeIv(): number {
    const kernel = this.#kernel;
    for (;;) {
      if (this.#nextIv === poolSize) this.#fillPool();
      const offset = this.#nextIv++ * block;
      if (kernel.equal(this.#ivs + offset, this.#zeros, block)) continue;
      kernel.view().copyWithin(this.#macKey + block, this.#ivMacs + offset, this.#ivMacs + offset + block);
      return this.#ivs + offset;
    }
  }

  #fillPool(): void {
    const ivs = this.#kernel.bytes(this.#ivs, poolSize * block);
    randomFillSync(ivs);
    this.#kernel.view().set(encryptBlocks(this.#aes128, ivs), this.#ivMacs);
    this.#nextIv = 0;
  }

  /** Makes room for an item of `length` bytes. Moves the kernel's memory. */
  #grow(length: number): void {
    this.#itemSize = Math.ceil(length * 1.25);
    this.#item = this.#kernel.alloc(this.#itemSize);
  }

  /** What gives `array` again after the kernel's memory has moved, in case it is a view on it. */
  #movable(array: Uint8Array): () => Uint8Array {
    const { buffer, byteOffset, byteLength } = array;
    const moves = buffer === this.#kernel.memory.buffer;
    return () => (moves ? this.#kernel.bytes(byteOffset, byteLength) : array);
  }
}

/** `blocks`, each encrypted for itself. A kept cipher without padding holds nothing back. */
function encryptBlocks(cipher: Cipheriv, blocks: Uint8Array): Buffer {
  const encrypted = cipher.update(blocks);
  if (encrypted.length !== blocks.length) throw new Error(`The cipher gave ${encrypted.length} bytes for ${blocks.length}`);
  return encrypted;
}
