/**
 * A hash table in shared memory: fixed-size records found by a 256-bit key and a one-bit tag, used by all threads of a
 * run at once without messages.
 *
 * - A *record* is `words` 32-bit words: 0–7 the key, the lowest bit of word 8 the tag, the rest belongs to the caller.
 * - A *slot* is one 32-bit word that holds a record's number + 1, or 0.
 *
 * Open addressing with linear probing, at most three quarters full, so a 12-word record costs at most
 * 48 + 4 / 0.375 ≈ 59 bytes. All access goes through one mutex (a futex on `Atomics.wait`): its critical sections take
 * some hundred nanoseconds beside the tens of microseconds that a blob takes, and it lets the table grow in place.
 * The hash is seeded at random, so that a hostile repository cannot choose keys that collide.
 */
import { randomFillSync } from 'node:crypto';

export interface SharedTableMemory {
  readonly control: SharedArrayBuffer;
  readonly records: SharedArrayBuffer;
  readonly slots: SharedArrayBuffer;
}

const word = { mutex: 0, count: 1, mask: 2, words: 3, seed: 4 } as const;
const controlWords = 8;
/** Address space that is reserved, not memory that is used. */
const reservedBytes = 2 ** 32;
const firstSlots = 1 << 10;

export class SharedTable {
  readonly memory: SharedTableMemory;
  readonly #control: Int32Array;
  readonly #words: number;
  readonly #records: Uint32Array;
  readonly #slots: Uint32Array;
  readonly #key = new Uint32Array(8);
  readonly #keyBytes = new Uint8Array(this.#key.buffer);

  private constructor(memory: SharedTableMemory) {
    this.memory = memory;
    this.#control = new Int32Array(memory.control);
    this.#words = this.#control[word.words];
    // Views without a length follow the buffers as they grow, in every thread.
    this.#records = new Uint32Array(memory.records);
    this.#slots = new Uint32Array(memory.slots);
  }

  /** An empty table whose records have `words` words, at least 9. */
  static create(words: number): SharedTable {
    const control = new SharedArrayBuffer(controlWords * 4);
    const view = new Int32Array(control);
    view[word.words] = words;
    view[word.mask] = firstSlots - 1;
    randomFillSync(view, word.seed, 4);
    return new SharedTable({
      control,
      records: new SharedArrayBuffer(firstSlots * words * 2, { maxByteLength: reservedBytes }),
      slots: new SharedArrayBuffer(firstSlots * 4, { maxByteLength: reservedBytes }),
    });
  }

  /** The same table in another thread. */
  static attach(memory: SharedTableMemory): SharedTable {
    return new SharedTable(memory);
  }

  /** Records so far; they are numbered from 0 in the order of their making and never move. */
  get count(): number {
    return Atomics.load(this.#control, word.count);
  }

  /** Bytes of memory in use. */
  get byteLength(): number {
    return this.#records.byteLength + this.#slots.byteLength;
  }

  /** All records, `words` words each. Read only what cannot change meanwhile, or between `lock` and `unlock`. */
  get records(): Uint32Array {
    return this.#records;
  }

  lock(): void {
    const control = this.#control;
    if (Atomics.compareExchange(control, word.mutex, 0, 1) === 0) return;
    for (let spin = 0; spin < 64; spin++) if (Atomics.compareExchange(control, word.mutex, 0, 1) === 0) return;
    // 2 says that somebody sleeps, so that unlocking wakes one.
    while (Atomics.exchange(control, word.mutex, 2) !== 0) Atomics.wait(control, word.mutex, 2);
  }

  unlock(): void {
    if (Atomics.exchange(this.#control, word.mutex, 0) === 2) Atomics.notify(this.#control, word.mutex, 1);
  }

  /** The number of the record with this key and tag, or -1. Call between `lock` and `unlock`. */
  find(key: Uint8Array, offset: number, tag: number): number {
    const slot = this.#locate(key, offset, tag);
    return this.#slots[slot] - 1;
  }

  /**
   * The number of the record with this key and tag; when there was none, a new one with zeros behind key and tag, and
   * {@link inserted} is true. Call between `lock` and `unlock`.
   */
  findOrInsert(key: Uint8Array, offset: number, tag: number): number {
    let slot = this.#locate(key, offset, tag);
    if (this.#slots[slot] !== 0) {
      this.inserted = false;
      return this.#slots[slot] - 1;
    }
    if ((this.count + 1) * 4 > (this.#control[word.mask] + 1) * 3) {
      this.#growSlots();
      slot = this.#locate(key, offset, tag);
    }
    const number = this.append(key, offset, tag);
    this.#slots[slot] = number + 1;
    this.inserted = true;
    return number;
  }

  inserted = false;

  /** A new record that `find` does not see. Call between `lock` and `unlock`. */
  append(key: Uint8Array, offset: number, tag: number): number {
    const number = this.count;
    const end = (number + 1) * this.#words * 4;
    const { records } = this.memory;
    if (end > records.byteLength) records.grow(Math.min(reservedBytes, Math.max(end, Math.ceil((records.byteLength * 5) / 4 / 4096) * 4096)));
    this.#readKey(key, offset);
    const at = number * this.#words;
    this.#records.set(this.#key, at);
    this.#records[at + 8] = tag;
    Atomics.store(this.#control, word.count, number + 1);
    return number;
  }

  #readKey(key: Uint8Array, offset: number): void {
    const bytes = this.#keyBytes;
    for (let i = 0; i < 32; i++) bytes[i] = key[offset + i];
  }

  #hash(k: Uint32Array, at: number, tag: number): number {
    const seed = this.#control;
    let h = Math.imul(k[at] ^ seed[word.seed], 0x9e3779b1) ^ Math.imul(k[at + 2] ^ seed[word.seed + 1], 0x85ebca6b);
    h ^= Math.imul(k[at + 5] ^ seed[word.seed + 2], 0xc2b2ae35) ^ Math.imul(k[at + 7] ^ seed[word.seed + 3], 0x27d4eb2f);
    h ^= tag;
    h = Math.imul(h ^ (h >>> 15), 0x2c1b3c6d);
    return h ^ (h >>> 13);
  }

  /** The slot that holds the key, or the free one where it belongs. */
  #locate(key: Uint8Array, offset: number, tag: number): number {
    this.#readKey(key, offset);
    const mask = this.#control[word.mask];
    const k = this.#key;
    const records = this.#records;
    const slots = this.#slots;
    let slot = this.#hash(k, 0, tag) & mask;
    for (;;) {
      const number = slots[slot] - 1;
      if (number < 0) return slot;
      const at = number * this.#words;
      if (
        records[at] === k[0] &&
        records[at + 1] === k[1] &&
        records[at + 2] === k[2] &&
        records[at + 3] === k[3] &&
        records[at + 4] === k[4] &&
        records[at + 5] === k[5] &&
        records[at + 6] === k[6] &&
        records[at + 7] === k[7] &&
        (records[at + 8] & 1) === tag
      )
        return slot;
      slot = (slot + 1) & mask;
    }
  }

  #growSlots(): void {
    const old = this.#control[word.mask] + 1;
    // Duplicates stand in the records but not in the slots: only what the slots name moves.
    const numbers = this.#slots.slice(0, old);
    this.memory.slots.grow(old * 2 * 4);
    this.#slots.fill(0);
    const mask = old * 2 - 1;
    this.#control[word.mask] = mask;
    for (let i = 0; i < old; i++) {
      if (numbers[i] === 0) continue;
      const at = (numbers[i] - 1) * this.#words;
      let slot = this.#hash(this.#records, at, this.#records[at + 8] & 1) & mask;
      while (this.#slots[slot] !== 0) slot = (slot + 1) & mask;
      this.#slots[slot] = numbers[i];
    }
  }
}
