/**
 * Zstandard with contexts that are kept, by direct calls into the library that Node itself is built with and exports.
 *
 * `node:zlib` makes a context for each call and throws it away, which costs 15 µs each way: more than the work on a small
 * file takes (test/bench/README.md). A context here is made once. Its memory belongs to the collector, so that nothing is
 * left when a thread ends however it ends; `ZSTD_initStatic…` are made for that.
 */
import { type CLibrary, type CMemory, openCLibrary } from './c-library.ts';

export interface ZstdContexts {
  /** Writes the frame of `plain` to `out` and returns its length; undefined when it does not fit there. */
  compress(plain: Uint8Array, out: Uint8Array): number | undefined;

  /** How long the content of `frame` is, as the frame says; undefined when it does not, or is none. */
  contentSize(frame: Uint8Array): number | undefined;

  /** Writes the content of `frame` to `out` and returns its length; undefined when it is no frame, is damaged or does not fit. */
  decompress(frame: Uint8Array, out: Uint8Array): number | undefined;
}

/**
 * Contexts for the calling thread, which compress at `level`. Undefined where the runtime keeps its library to itself: then
 * only `node:zlib` can be used.
 */
export function openZstdContexts(level: number): ZstdContexts | undefined {
  try {
    return new Contexts(openCLibrary(), level);
  } catch {
    // native-missing: either koffi or a symbol.
    return undefined;
  }
}

class Contexts implements ZstdContexts {
  readonly #level: number;
  readonly #compressor: CMemory;
  readonly #decompressor: CMemory;
  readonly #compress: ReturnType<CLibrary['func']>;
  readonly #decompress: ReturnType<CLibrary['func']>;
  readonly #contentSize: ReturnType<CLibrary['func']>;

  constructor(library: CLibrary, level: number) {
    this.#level = level;
    const buffer = ['void *', 'size_t', 'void *', 'size_t'] as const;
    this.#compress = library.func('ZSTD_compressCCtx', 'size_t', ['uintptr_t', ...buffer, 'int']);
    this.#decompress = library.func('ZSTD_decompressDCtx', 'size_t', ['uintptr_t', ...buffer]);
    this.#contentSize = library.func('ZSTD_getFrameContentSize', 'uint64_t', ['void *', 'size_t']);
    this.#compressor = library.memory(library.func('ZSTD_estimateCCtxSize', 'size_t', ['int'])(level));
    this.#decompressor = library.memory(library.func('ZSTD_estimateDCtxSize', 'size_t', [])());
    // Both give the address of what they were given, or 0.
    for (const [name, { address, bytes }] of [
      ['ZSTD_initStaticCCtx', this.#compressor],
      ['ZSTD_initStaticDCtx', this.#decompressor],
    ] as const) {
      if (Number(library.func(name, 'uintptr_t', ['uintptr_t', 'size_t'])(address, bytes.length)) !== address)
        throw new Error(`${name} refused ${bytes.length} bytes`);
    }
  }

  compress(plain: Uint8Array, out: Uint8Array): number | undefined {
    return lengthIn(out, this.#compress(this.#compressor.address, out, out.length, plain, plain.length, this.#level));
  }

  contentSize(frame: Uint8Array): number | undefined {
    // ZSTD_CONTENTSIZE_UNKNOWN and …_ERROR are the two largest numbers of 64 bits.
    const size = this.#contentSize(frame, frame.length);
    return Number.isSafeInteger(size) ? size : undefined;
  }

  decompress(frame: Uint8Array, out: Uint8Array): number | undefined {
    return lengthIn(out, this.#decompress(this.#decompressor.address, out, out.length, frame, frame.length));
  }
}

/** Errors are the largest numbers that a size can have (ZSTD_isError). */
const lengthIn = (out: Uint8Array, result: number): number | undefined => (result <= out.length ? result : undefined);
