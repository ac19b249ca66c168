/**
 * A hash table in shared memory: fixed-size records found by a 256-bit key and a one-bit tag, used by all threads of a
 * run at once without messages.
 *
 * - A *record* is `words` 32-bit words: 0–7 the key, the lowest bit of word 8 the tag, the rest belongs to the caller.
 * - A *slot* is one 32-bit word that holds a record's number + 1, or 0.
 *
 * Open addressing with linear probing, at most three quarters full, so a 12-word record costs at most
 * 48 · 17/16 + 4 / 0.375 ≈ 62 bytes. All access goes through one mutex (a futex on `Atomics.wait`): its critical sections take
 * some hundred nanoseconds beside the tens of microseconds that a blob takes, and it lets the table grow in place.
 * The hash is tabulation over all 32 bytes of the key with random tables, so a hostile repository, which chooses keys at
 * will, cannot choose ones that collide (Pătraşcu and Thorup, The Power of Simple Tabulation Hashing, 2012).
 */
import { randomFillSync } from 'node:crypto';
import { fail, hasCode } from '../contract/errors.ts';

export interface SharedTableMemory {
  readonly control: SharedArrayBuffer;
  readonly records: SharedArrayBuffer;
  readonly slots: SharedArrayBuffer;
}

const word = { mutex: 0, count: 1, mask: 2, words: 3, growths: 4, tables: 16 } as const;
/** A table of 256 words for each byte of the key. */
const tableWords = 32 * 256;
const controlWords = word.tables + tableWords;
/** Address space that is reserved, not memory that is used; where there is less of it, a table can hold less. */
const reservedBytes = 2 ** 32;
const leastReservedBytes = 2 ** 26;
const firstSlots = 1 << 10;
/** Whoever says how much there will be may be wrong. */
const mostReserved = 1 << 22;

function reserve(bytes: number): SharedArrayBuffer {
  for (let maxByteLength = reservedBytes; ; maxByteLength /= 2) {
    try {
      return new SharedArrayBuffer(bytes, { maxByteLength });
    } catch (error) {
      if (maxByteLength <= leastReservedBytes) fail('index-too-large', { bytes }, error);
    }
  }
}

function grow(memory: SharedArrayBuffer, bytes: number): void {
  try {
    memory.grow(bytes);
  } catch (error) {
    fail('index-too-large', { bytes: memory.byteLength }, error);
  }
}

export class SharedTable {
  readonly memory: SharedTableMemory;
  readonly #control: Int32Array;
  readonly #tables: Int32Array;
  readonly #words: number;
  /**
   * Views of fixed length, which V8 reads several times as fast as ones that follow a growing buffer; made anew after each
   * growth, by whichever thread.
   */
  #records: Uint32Array;
  #slots: Uint32Array;
  #growths: number;
  readonly #key = new Uint32Array(8);
  readonly #keyBytes = new Uint8Array(this.#key.buffer);
  readonly #foundKey = new Uint32Array(8);
  readonly #foundKeyBytes = new Uint8Array(this.#foundKey.buffer);

  private constructor(memory: SharedTableMemory) {
    this.memory = memory;
    this.#control = new Int32Array(memory.control);
    this.#tables = this.#control.subarray(word.tables, word.tables + tableWords);
    this.#words = this.#control[word.words];
    this.#growths = Atomics.load(this.#control, word.growths);
    [this.#records, this.#slots] = this.#views();
  }

  #views(): [Uint32Array, Uint32Array] {
    const { records, slots } = this.memory;
    return [new Uint32Array(records, 0, records.byteLength >>> 2), new Uint32Array(slots, 0, slots.byteLength >>> 2)];
  }

  #refresh(): void {
    const growths = Atomics.load(this.#control, word.growths);
    if (growths === this.#growths) return;
    [this.#records, this.#slots] = this.#views();
    this.#growths = growths;
  }

  /** Between `lock` and `unlock`. */
  #grow(memory: SharedArrayBuffer, bytes: number): void {
    grow(memory, bytes);
    Atomics.add(this.#control, word.growths, 1);
    this.#refresh();
  }

  /** An empty table whose records have `words` words, at least 9. Throws `index-too-large`. */
  static create(words: number): SharedTable {
    const control = new SharedArrayBuffer(controlWords * 4);
    const view = new Int32Array(control);
    view[word.words] = words;
    view[word.mask] = firstSlots - 1;
    randomFillSync(view, word.tables, tableWords);
    return new SharedTable({
      control,
      records: reserve(firstSlots * words * 2),
      slots: reserve(firstSlots * 4),
    });
  }

  /** The same table in another thread. */
  static attach(memory: SharedTableMemory): SharedTable {
    return new SharedTable(memory);
  }

  /** Makes room for so many records, as far as there is memory: adding them then costs no growing. */
  reserve(records: number): void {
    const wanted = Math.min(records, mostReserved);
    this.lock();
    try {
      const bytes = wanted * this.#words * 4;
      // Pages that nobody writes to take no memory.
      if (bytes > this.memory.records.byteLength) this.#grow(this.memory.records, Math.min(bytes, this.memory.records.maxByteLength));
      while (wanted * 4 > (this.#control[word.mask] + 1) * 3) this.#growSlots();
    } catch (error) {
      // It is only wished for.
      if (!hasCode(error, 'index-too-large')) throw error;
    } finally {
      this.unlock();
    }
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
    this.#refresh();
    return this.#records;
  }

  /** The key of record `number`; a view that is valid until the next call in this thread. */
  keyOf(number: number): Uint8Array {
    const { records } = this;
    const at = number * this.#words;
    for (let i = 0; i < 8; i++) this.#foundKey[i] = records[at + i];
    return this.#foundKeyBytes;
  }

  lock(): void {
    this.#takeMutex();
    this.#refresh();
  }

  #takeMutex(): void {
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
   * {@link inserted} is true. Call between `lock` and `unlock`. Throws `index-too-large` and leaves the table as it was.
   */
  findOrInsert(key: Uint8Array, offset: number, tag: number): number {
    this.#readKey(key, offset);
    return this.findOrInsertWords(this.#key, 0, tag);
  }

  /** The same for a key that is the 8 words from `at` on. */
  findOrInsertWords(words: Uint32Array, at: number, tag: number): number {
    let slot = this.#locateWords(words, at, tag);
    if (this.#slots[slot] !== 0) {
      this.inserted = false;
      return this.#slots[slot] - 1;
    }
    if ((this.count + 1) * 4 > (this.#control[word.mask] + 1) * 3) {
      this.#growSlots();
      slot = this.#locateWords(words, at, tag);
    }
    const number = this.appendWords(words, at, tag);
    this.#slots[slot] = number + 1;
    this.inserted = true;
    return number;
  }

  inserted = false;

  /** A new record that `find` does not see. Call between `lock` and `unlock`. Throws `index-too-large`. */
  append(key: Uint8Array, offset: number, tag: number): number {
    this.#readKey(key, offset);
    return this.appendWords(this.#key, 0, tag);
  }

  /** The same for a key that is the 8 words from `from` on. */
  appendWords(words: Uint32Array, from: number, tag: number): number {
    const number = this.count;
    const end = (number + 1) * this.#words * 4;
    const { records } = this.memory;
    // Growing happens in place, so small steps cost little.
    const larger = Math.ceil((records.byteLength * 17) / 16 / 4096) * 4096;
    if (end > records.byteLength) this.#grow(records, Math.max(end, Math.min(larger, records.maxByteLength)));
    const at = number * this.#words;
    const all = this.#records;
    for (let i = 0; i < 8; i++) all[at + i] = words[from + i];
    all[at + 8] = tag;
    Atomics.store(this.#control, word.count, number + 1);
    return number;
  }

  #readKey(key: Uint8Array, offset: number): void {
    const bytes = this.#keyBytes;
    for (let i = 0; i < 32; i++) bytes[i] = key[offset + i];
  }

  #hash(k: Uint32Array, at: number, tag: number): number {
    const tables = this.#tables;
    let h = tag;
    for (let i = 0; i < 8; i++) {
      const key = k[at + i];
      const table = i << 10;
      h ^= tables[table | (key & 0xff)] ^ tables[table | 0x100 | ((key >>> 8) & 0xff)];
      h ^= tables[table | 0x200 | ((key >>> 16) & 0xff)] ^ tables[table | 0x300 | (key >>> 24)];
    }
    return h;
  }

  /** The slot that holds the key, or the free one where it belongs. */
  #locate(key: Uint8Array, offset: number, tag: number): number {
    this.#readKey(key, offset);
    return this.#locateWords(this.#key, 0, tag);
  }

  #locateWords(k: Uint32Array, from: number, tag: number): number {
    const mask = this.#control[word.mask];
    const records = this.#records;
    const slots = this.#slots;
    let slot = this.#hash(k, from, tag) & mask;
    for (;;) {
      const number = slots[slot] - 1;
      if (number < 0) return slot;
      const at = number * this.#words;
      if (
        records[at] === k[from] &&
        records[at + 1] === k[from + 1] &&
        records[at + 2] === k[from + 2] &&
        records[at + 3] === k[from + 3] &&
        records[at + 4] === k[from + 4] &&
        records[at + 5] === k[from + 5] &&
        records[at + 6] === k[from + 6] &&
        records[at + 7] === k[from + 7] &&
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
    this.#grow(this.memory.slots, old * 2 * 4);
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

/** Uses a table as a set of keys of 32 bytes: whether this one is new. Throws `index-too-large`. */
export function addKey(table: SharedTable, key: Uint8Array): boolean {
  table.lock();
  try {
    table.findOrInsert(key, 0, 0);
    return table.inserted;
  } finally {
    table.unlock();
  }
}
