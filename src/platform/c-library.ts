/**
 * Calls into the system's C library (koffi), and the memory that is passed to it.
 *
 * Arguments go over as numbers: integers as they are, memory by its address. The memory here is allocated once, never moves and lives
 * as long as its owner, which makes its address safe to keep and a call cost little more than the system call itself.
 */
import { createRequire } from 'node:module';
import { constants } from 'node:os';
import type * as KoffiModule from 'koffi';
import { fail } from '../contract/errors.ts';
import { PosixError } from './posix-error.ts';

type Koffi = typeof KoffiModule;

/** C types used here, by koffi's names. `uintptr_t` stands for every pointer, `void *` for memory passed as a Buffer. */
export type CType =
  | 'void'
  | 'int'
  | 'uint'
  | 'long'
  | 'intptr_t'
  | 'uintptr_t'
  | 'size_t'
  | 'int64_t'
  | 'uint64_t'
  | 'uint16_t'
  | 'void *'
  | '...';

/** A C function with an integer result. A variadic one takes its further arguments as pairs of type and value. */
export type CFunction = (...args: (number | bigint | NodeJS.TypedArray | string)[]) => number;

let koffi: Koffi | undefined;

/**
 * Loads koffi for this thread, once.
 * @throws native-missing when its binary for this system is not there or does not load
 */
function loadKoffi(): Koffi {
  if (!koffi) {
    try {
      koffi = createRequire(import.meta.url)('koffi') as Koffi;
    } catch (thrown) {
      fail('native-missing', { cause: thrown instanceof Error ? thrown.message : String(thrown) }, thrown);
    }
    // The first use of `errno` compiles and links; afterwards nothing runs between a failed call and it that could change the value.
    koffi.errno();
  }
  return koffi;
}

export interface CLibrary {
  /** The function `name`. @throws native-missing when the library has none */
  func(name: string, result: CType, args: CType[]): CFunction;

  /** The error number of the call just made. To be read before anything else is done. */
  errno(): number;

  /** `size` bytes of memory (zeros) that never move. */
  memory(size: number): CMemory;
}

export interface CMemory {
  readonly bytes: Buffer;
  readonly address: number;
}

/** The C library that this process runs with. */
export function openCLibrary(): CLibrary {
  const loaded = loadKoffi();
  const library = loaded.load(null);
  return {
    func(name, result, args) {
      try {
        return library.func(name, result, args);
      } catch (thrown) {
        fail('native-missing', { cause: thrown instanceof Error ? thrown.message : String(thrown) }, thrown);
      }
    },
    errno: loaded.errno as () => number,
    memory(size) {
      // An ArrayBuffer of its own: pooled or small Buffers may share memory or be moved by the collector.
      const bytes = Buffer.from(new ArrayBuffer(size));
      return { bytes, address: Number(loaded.address(bytes)) };
    },
  };
}

/** Reused memory for one byte string at a time, terminated by NUL. */
export class CString {
  readonly #library: CLibrary;
  #memory: CMemory;

  constructor(library: CLibrary, size: number) {
    this.#library = library;
    this.#memory = library.memory(size);
  }

  /**
   * Puts `bytes` there and returns the address, valid until the next call. `syscall` and `path` are for the error.
   * @throws PosixError EINVAL when `bytes` contains NUL, since C would take the part before it for the whole
   */
  put(bytes: Buffer, syscall: string, path: Buffer): number {
    const length = bytes.length;
    if (bytes.includes(0)) throw new PosixError(constants.errno.EINVAL, syscall, path);
    if (length >= this.#memory.bytes.length) this.#memory = this.#library.memory(2 * length + 1);
    const memory = this.#memory;
    memory.bytes.set(bytes);
    memory.bytes[length] = 0;
    return memory.address;
  }
}

/** Reused memory for results of unknown size; it grows as needed. */
export class CBuffer {
  readonly #library: CLibrary;
  #memory: CMemory;

  constructor(library: CLibrary, size: number) {
    this.#library = library;
    this.#memory = library.memory(size);
  }

  get address(): number {
    return this.#memory.address;
  }

  get size(): number {
    return this.#memory.bytes.length;
  }

  grow(size: number): void {
    if (size > this.size) this.#memory = this.#library.memory(size);
  }

  /** A copy of the first `length` bytes. */
  copy(length: number): Buffer {
    return Buffer.from(this.#memory.bytes.subarray(0, length));
  }

  /** Copies of the NUL-terminated strings in the first `length` bytes. */
  copyStrings(length: number): Buffer[] {
    const whole = this.copy(length);
    const strings: Buffer[] = [];
    for (let start = 0; start < length; ) {
      let end = whole.indexOf(0, start);
      if (end < 0) end = length;
      strings.push(whole.subarray(start, end));
      start = end + 1;
    }
    return strings;
  }
}

/** Reused memory for the two `struct timespec` of utimensat, on systems where `time_t` and `long` have 64 bits. */
export class CTimes {
  readonly #cells: BigInt64Array;
  readonly address: number;

  constructor(library: CLibrary) {
    const memory = library.memory(4 * BigInt64Array.BYTES_PER_ELEMENT);
    this.#cells = new BigInt64Array(memory.bytes.buffer);
    this.address = memory.address;
  }

  /** `times` are nanoseconds since 1970, negative before. @throws PosixError EINVAL when the seconds do not fit */
  put(atimeNs: bigint, mtimeNs: bigint, path: Buffer): number {
    const cells = this.#cells;
    if (!putTimespec(cells, 0, atimeNs) || !putTimespec(cells, 2, mtimeNs)) {
      throw new PosixError(constants.errno.EINVAL, 'utimensat', path);
    }
    return this.address;
  }
}

const second = 1_000_000_000n;

/** Seconds rounded towards the past and the nanoseconds, never negative, after them (POSIX: 0 ≤ tv_nsec < 10⁹). */
function putTimespec(cells: BigInt64Array, at: number, ns: bigint): boolean {
  let seconds = ns / second;
  let rest = ns - seconds * second;
  if (rest < 0n) {
    seconds--;
    rest += second;
  }
  cells[at] = seconds;
  cells[at + 1] = rest;
  return cells[at] === seconds;
}
