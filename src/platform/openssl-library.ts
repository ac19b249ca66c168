/**
 * AES and Poly1305 by direct calls into the OpenSSL that Node itself is built with and exports.
 *
 * `node:crypto` takes some microseconds for each cipher and gives every result new memory, whose pages the system has to
 * clear first: for long data that takes ten times as long as encrypting it, for short data five times (test/bench/README.md).
 * Here everything is written to memory that the caller keeps. Nothing outlives a call.
 */
import { type CFunction, openCLibrary } from './c-library.ts';

export interface SystemCiphers {
  /** AES-256 in counter mode: `source`, as long as `target`, XOR the keystream that begins at `iv`. They must not overlap. */
  aes256Ctr(key: Uint8Array, iv: Uint8Array, source: Uint8Array, target: Uint8Array): void;

  /** AES-128 of one block of 16 bytes. */
  aes128(key: Uint8Array, block: Uint8Array, target: Uint8Array): void;

  /** Poly1305 of `message` under the one-time key r ‖ s (32 bytes); r is clamped. Writes 16 bytes to `tag`. */
  poly1305(key: Uint8Array, message: Uint8Array, tag: Uint8Array): void;
}

/** Undefined where the runtime keeps its library to itself, or has another one (BoringSSL lacks EVP_MAC). */
export function openSystemCiphers(): SystemCiphers | undefined {
  try {
    return new OpenSsl();
  } catch {
    // native-missing: either koffi or a symbol.
    return undefined;
  }
}

/** Lengths are C integers there. */
const most = 1 << 30;
const block = 16;

class OpenSsl implements SystemCiphers {
  readonly #newCipher: CFunction;
  readonly #freeCipher: CFunction;
  readonly #initCipher: CFunction;
  readonly #update: CFunction;
  readonly #aes256: number;
  readonly #aes128: number;
  readonly #newMac: CFunction;
  readonly #freeMac: CFunction;
  readonly #initMac: CFunction;
  readonly #updateMac: CFunction;
  readonly #finishMac: CFunction;
  readonly #poly1305: number;
  /** Where a call writes how long its result is. */
  readonly #length = new Int32Array(2);
  readonly #size = new BigUint64Array(1);
  readonly #block = new Uint8Array(2 * block);

  constructor() {
    const library = openCLibrary();
    const pointer = 'uintptr_t';
    const memory = 'void *';
    const algorithm = (name: string): number => expectPointer(library.func(name, pointer, [])());
    this.#newCipher = library.func('EVP_CIPHER_CTX_new', pointer, []);
    this.#freeCipher = library.func('EVP_CIPHER_CTX_free', 'void', [pointer]);
    this.#initCipher = library.func('EVP_EncryptInit_ex', 'int', [pointer, pointer, pointer, memory, memory]);
    this.#update = library.func('EVP_EncryptUpdate', 'int', [pointer, memory, memory, memory, 'int']);
    this.#aes256 = algorithm('EVP_aes_256_ctr');
    this.#aes128 = algorithm('EVP_aes_128_ecb');
    this.#newMac = library.func('EVP_MAC_CTX_new', pointer, [pointer]);
    this.#freeMac = library.func('EVP_MAC_CTX_free', 'void', [pointer]);
    this.#initMac = library.func('EVP_MAC_init', 'int', [pointer, memory, 'size_t', pointer]);
    this.#updateMac = library.func('EVP_MAC_update', 'int', [pointer, memory, 'size_t']);
    this.#finishMac = library.func('EVP_MAC_final', 'int', [pointer, memory, memory, 'size_t']);
    // A reference to the library's own object, which is never freed.
    this.#poly1305 = expectPointer(library.func('EVP_MAC_fetch', pointer, [pointer, memory, pointer])(0, Buffer.from('POLY1305\0'), 0));
  }

  aes256Ctr(key: Uint8Array, iv: Uint8Array, source: Uint8Array, target: Uint8Array): void {
    this.#encrypt(this.#aes256, key, iv, source, target);
  }

  aes128(key: Uint8Array, plain: Uint8Array, target: Uint8Array): void {
    this.#encrypt(this.#aes128, key, this.#block, plain, target);
  }

  poly1305(key: Uint8Array, message: Uint8Array, tag: Uint8Array): void {
    const context = expectPointer(this.#newMac(this.#poly1305));
    try {
      expectDone(this.#initMac(context, key, 2 * block, 0));
      if (message.length > 0) expectDone(this.#updateMac(context, message, message.length));
      expectDone(this.#finishMac(context, tag, this.#size, block));
    } finally {
      this.#freeMac(context);
    }
  }

  #encrypt(algorithm: number, key: Uint8Array, iv: Uint8Array, source: Uint8Array, target: Uint8Array): void {
    const context = expectPointer(this.#newCipher());
    try {
      expectDone(this.#initCipher(context, algorithm, 0, key, iv));
      for (let at = 0; at < source.length; at += most) {
        const length = Math.min(most, source.length - at);
        const whole = length === source.length;
        const [from, to] = whole ? [source, target] : [source.subarray(at, at + length), target.subarray(at, at + length)];
        expectDone(this.#update(context, to, this.#length, from, length));
        if (this.#length[0] !== length) throw new Error(`OpenSSL encrypted ${this.#length[0]} of ${length} bytes`);
      }
    } finally {
      this.#freeCipher(context);
    }
  }
}

function expectPointer(pointer: number): number {
  if (Number(pointer) === 0) throw new Error('OpenSSL gave no memory');
  return pointer;
}

function expectDone(result: number): void {
  if (result !== 1) throw new Error(`OpenSSL failed with ${result}`);
}
