/**
 * The kernel from TypeScript: one WebAssembly instance, its memory, and its calls with types. The loops themselves are in
 * `assembly/`.
 *
 * - A region is a range of the instance's memory, named by its address; {@link Kernel.alloc} hands it out until {@link Kernel.freeAll}.
 * - A view is a Uint8Array on that memory. **Memory that grows moves: every view taken before is then dead** (its length
 *   is 0). So take views late, with {@link Kernel.view} or {@link Kernel.bytes}, and never keep one across a call that
 *   may allocate.
 *
 * An instance belongs to one thread and chunks one stream at a time; the compiled module is shared by all.
 */
import { setFlagsFromString } from 'node:v8';
import { kernelWasm } from './kernel-wasm.ts';

/** No chunk but the last of a file is shorter, in bytes. */
export const minChunkLength = 512 * 1024;
/** No chunk is longer, in bytes. */
export const maxChunkLength = 8 * 1024 * 1024;

/** As much of the platform's WebAssembly as is used here: TypeScript has it only in the library for browsers. */
declare const WebAssembly: {
  readonly Module: new (bytes: Uint8Array) => object;
  readonly Instance: new (module: object, imports: object) => { readonly exports: unknown };
};

export interface KernelMemory {
  readonly buffer: ArrayBuffer;
  grow(pages: number): number;
}

interface KernelExports {
  readonly memory: KernelMemory;
  heapBase(): number;
  initChunker(polynomial: bigint): void;
  resetChunk(): void;
  findCut(chunk: number, available: number): number;
  counterBlocks(iv: number, first: number, count: number, out: number): void;
  xorInto(target: number, keystream: number, length: number): void;
  poly1305(message: number, length: number, key: number, tag: number): void;
  findTag(message: number, available: number, key: number): number;
  equal(left: number, right: number, length: number): number;
}

const pageSize = 65536;
/** Regions start at multiples of a cache line, so that no two share one. */
const alignment = 64;

let compiled: object | undefined;

export class Kernel {
  readonly memory: KernelMemory;
  readonly #exports: KernelExports;
  #free: number;
  #view: Uint8Array<ArrayBuffer>;

  private constructor(exports: KernelExports) {
    this.#exports = exports;
    this.memory = exports.memory;
    this.#free = exports.heapBase();
    this.#view = new Uint8Array(this.memory.buffer);
  }

  /**
   * The compiled module, for other threads to be handed: it is compiled once in a process and never freed.
   *
   * V8 replaces the code of its baseline compiler by optimised code, and collects what was replaced while threads come and
   * go. In Node 24 that aborts the process now and then ("Check failed: jit_page.has_value()", from
   * `WasmEngine::FreeDeadCode`): nothing is collected, then, which costs some kilobytes for each kernel.
   */
  static get module(): object {
    if (!compiled) {
      setFlagsFromString('--no-wasm-code-gc');
      compiled = new WebAssembly.Module(Buffer.from(kernelWasm, 'base64'));
    }
    return compiled;
  }

  /** A new instance of `module`, which comes from {@link Kernel.module} of any thread. */
  static create(module: object = Kernel.module): Kernel {
    return new Kernel(new WebAssembly.Instance(module, {}).exports as KernelExports);
  }

  /** The address of a new region of `bytes` bytes, zeroed. It is given back by {@link freeAll} alone. May move memory; throws RangeError at 4 GiB. */
  alloc(bytes: number): number {
    const region = Math.ceil(this.#free / alignment) * alignment;
    const end = region + bytes;
    const missing = end - this.memory.buffer.byteLength;
    if (missing > 0) this.memory.grow(Math.ceil(missing / pageSize));
    this.#free = end;
    return region;
  }

  /** Takes all regions back, for a user who comes after the one that had them: no key and no plaintext of his stays in them. */
  freeAll(): void {
    const base = this.#exports.heapBase();
    this.view().fill(0, base, this.#free);
    this.#free = base;
  }

  /** All memory, as it lies now: an index into it is an address. Dead after the next growth. */
  view(): Uint8Array<ArrayBuffer> {
    if (this.#view.byteLength === 0) this.#view = new Uint8Array(this.memory.buffer);
    return this.#view;
  }

  /** The `length` bytes at `address`. Dead after the next growth. */
  bytes(address: number, length: number): Uint8Array<ArrayBuffer> {
    return new Uint8Array(this.memory.buffer, address, length);
  }

  /** Sets the chunker's polynomial (irreducible, degree 53, see `polynomial.ts`) and starts a chunk. */
  initChunker(polynomial: bigint): void {
    this.#exports.initChunker(polynomial);
  }

  /** Starts the next chunk: after every cut, and after the end of a file. */
  resetChunk(): void {
    this.#exports.resetChunk();
  }

  /**
   * The length of the chunk that begins at address `chunk`, of which `available` bytes are there; 0 when more are needed
   * to tell. With more bytes of the same chunk, even at another address, it goes on where it stopped. At the end of a
   * file, what is left after a 0 is the last chunk.
   */
  findCut(chunk: number, available: number): number {
    return this.#exports.findCut(chunk, available);
  }

  /** Writes `count` 16-byte blocks to `out`: IV+first, IV+first+1, … as 128-bit big-endian numbers. */
  counterBlocks(iv: number, first: number, count: number, out: number): void {
    this.#exports.counterBlocks(iv, first, count, out);
  }

  /** target ^= keystream, over `length` bytes that do not overlap. */
  xorInto(target: number, keystream: number, length: number): void {
    this.#exports.xorInto(target, keystream, length);
  }

  /** Writes to `tag` (16 bytes) the Poly1305 of the message under `key` (r ‖ s, 32 bytes; r is clamped by the callee). */
  poly1305(message: number, length: number, key: number, tag: number): void {
    this.#exports.poly1305(message, length, key, tag);
  }

  /**
   * The length, 1 or more, of the shortest message that begins at `message` and whose tag under `key` is in the 16 bytes behind it,
   * all within `available` bytes; 0 when there is none. Reads up to 16 bytes beyond those.
   */
  findTag(message: number, available: number, key: number): number {
    return this.#exports.findTag(message, available, key);
  }

  /** Whether `length` bytes are the same, in a time that does not depend on them. */
  equal(left: number, right: number, length: number): boolean {
    return this.#exports.equal(left, right, length) !== 0;
  }
}
