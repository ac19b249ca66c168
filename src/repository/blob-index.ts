/**
 * Where every blob of the repository lies: the index files of restic's format, joined in shared memory.
 *
 * - A *blob* is a piece of file content (data) or a folder's listing (tree), named by the SHA-256 of its plaintext.
 * - A *pack* is a file that holds blobs of one type; here it has a number.
 * - A blob is *claimed* while a worker of this run stores it: the others already count on it. The run fails as a whole
 *   when a claimed blob cannot be stored, so nobody ever refers to one that does not exist.
 * - A pack is *lost* when the index names it but the storage does not hold it at the right size: its blobs count as
 *   unknown, so a backup stores them anew.
 */
import { SharedTable, type SharedTableMemory } from './shared-table.ts';

export type BlobType = 'data' | 'tree';

export interface BlobLocation {
  /** Number of the record in the index. */
  entry: number;
  /** Number of the pack. */
  pack: number;
  /** Where the sealed blob begins in the pack, in bytes. */
  offset: number;
  /** Length of the sealed blob, in bytes. */
  length: number;
  /** Length of the plaintext in bytes when the blob is compressed, else 0. */
  uncompressedLength: number;
}

export interface BlobIndexMemory {
  readonly blobs: SharedTableMemory;
  readonly packs: SharedTableMemory;
  readonly copies: SharedTableMemory;
}

/**
 * Of a blob's record: 8 of its ID, `pack number << 1 | tag` (the tag is 1 for trees), offset in the pack, sealed length, and length of
 * the plaintext as {@link BlobLocation} has it.
 */
export const blobWords = 12;
const packWords = 11;
const copyWords = 9;
const claimed = 0x7fffffff;

export const tagOf = (type: BlobType): number => (type === 'tree' ? 1 : 0);

export class BlobIndex {
  readonly #blobs: SharedTable;
  readonly #packs: SharedTable;
  /** What `add` has seen: of each further copy of a blob, the blob's record, the pack and the offset. */
  readonly #copies: SharedTable;
  /** What another thread attaches to. */
  readonly memory: BlobIndexMemory;
  readonly #record = new Uint32Array(blobWords);
  readonly #recordId = new Uint8Array(this.#record.buffer, 0, 32);

  private constructor(blobs: SharedTable, packs: SharedTable, copies: SharedTable) {
    this.#blobs = blobs;
    this.#packs = packs;
    this.#copies = copies;
    this.memory = { blobs: blobs.memory, packs: packs.memory, copies: copies.memory };
  }

  /** Throws `index-too-large`, as does everything that adds to the index, when the memory does not suffice. */
  static create(): BlobIndex {
    return new BlobIndex(SharedTable.create(blobWords), SharedTable.create(packWords), SharedTable.create(copyWords));
  }

  static attach(memory: BlobIndexMemory): BlobIndex {
    return new BlobIndex(SharedTable.attach(memory.blobs), SharedTable.attach(memory.packs), SharedTable.attach(memory.copies));
  }

  /** Makes room for so many blobs: adding them then costs less. */
  reserve(blobs: number): void {
    this.#blobs.reserve(blobs);
  }

  /** Records of blobs, further copies included. */
  get blobCount(): number {
    return this.#blobs.count;
  }

  get packCount(): number {
    return this.#packs.count;
  }

  /** Memory in use, in bytes. */
  get byteLength(): number {
    return this.#blobs.byteLength + this.#packs.byteLength + this.#copies.byteLength;
  }

  /** Whether the blob is stored or claimed. `id` holds 32 bytes from `at` on. */
  has(id: Uint8Array, at: number, type: BlobType): boolean {
    const blobs = this.#blobs;
    blobs.lock();
    const entry = blobs.find(id, at, tagOf(type));
    const known = entry >= 0 && !this.#isLost(blobs.records[entry * blobWords + 8] >>> 1);
    blobs.unlock();
    return known;
  }

  /** True when the caller is the first to want this blob stored and now has to store it. */
  claim(id: Uint8Array, at: number, type: BlobType): boolean {
    const blobs = this.#blobs;
    const tag = tagOf(type);
    blobs.lock();
    try {
      const entry = blobs.findOrInsert(id, at, tag);
      const word = entry * blobWords + 8;
      const mine = blobs.inserted || this.#isLost(blobs.records[word] >>> 1);
      if (mine) blobs.records[word] = ((claimed << 1) | tag) >>> 0;
      return mine;
    } finally {
      blobs.unlock();
    }
  }

  /** Fills `into` and returns true when the blob is stored in a pack that exists. */
  locate(id: Uint8Array, at: number, type: BlobType, into: BlobLocation): boolean {
    const blobs = this.#blobs;
    blobs.lock();
    const entry = blobs.find(id, at, tagOf(type));
    const found = entry >= 0 && this.#read(entry, into);
    blobs.unlock();
    return found;
  }

  /** Where record `entry` lies; false when it is only claimed or its pack is lost. */
  at(entry: number, into: BlobLocation): boolean {
    return this.#read(entry, into);
  }

  /** The ID of record `entry`, a fresh copy. */
  idAt(entry: number): Buffer {
    return Buffer.from(this.#blobs.keyOf(entry));
  }

  /** The ID of record `entry`; a view that is valid until the next call in this thread. */
  idViewAt(entry: number): Uint8Array {
    return this.#blobs.keyOf(entry);
  }

  /** The record that lookups give for the blob of record `entry`: itself, unless it is a further copy. */
  primaryOf(entry: number): number {
    return this.#copies.count === 0 ? entry : this.entryOf(this.#blobs.keyOf(entry), 0, this.typeAt(entry));
  }

  typeAt(entry: number): BlobType {
    return (this.#blobs.records[entry * blobWords + 8] & 1) === 1 ? 'tree' : 'data';
  }

  /**
   * Records of further copies, by the record that lookups give. Looks at every record, so it is for once a blob is damaged;
   * what is added afterwards is not in it.
   */
  copies(): Map<number, number[]> {
    const copies = new Map<number, number[]>();
    if (this.#copies.count === 0) return copies;
    for (let record = 0; record < this.blobCount; record++) {
      const first = this.primaryOf(record);
      if (first === record) continue;
      const others = copies.get(first);
      if (others) others.push(record);
      else copies.set(first, [record]);
    }
    return copies;
  }

  /** The number of the record that `find` gives for this blob, or -1. */
  entryOf(id: Uint8Array, at: number, type: BlobType): number {
    const blobs = this.#blobs;
    blobs.lock();
    const entry = blobs.find(id, at, tagOf(type));
    blobs.unlock();
    return entry;
  }

  /** The number of the pack with this ID, made when it is new. */
  pack(id: Uint8Array): number {
    const packs = this.#packs;
    packs.lock();
    try {
      return packs.findOrInsert(id, 0, 0);
    } finally {
      packs.unlock();
    }
  }

  /** The number of the pack with this ID, or -1. */
  packNumber(id: Uint8Array): number {
    const packs = this.#packs;
    packs.lock();
    const pack = packs.find(id, 0, 0);
    packs.unlock();
    return pack;
  }

  packId(pack: number): Buffer {
    return Buffer.from(this.#packs.keyOf(pack));
  }

  /** The pack's file size as the index computes it, in bytes. */
  packSize(pack: number): number {
    const at = pack * packWords;
    return this.#packs.records[at + 9] + 36;
  }

  /** How many blobs the index lists in this pack. */
  packBlobs(pack: number): number {
    return this.#packs.records[pack * packWords + 10];
  }

  /** From now on the pack's blobs count as unknown. */
  markLost(pack: number): void {
    this.#packs.records[pack * packWords + 8] |= 2;
  }

  isLost(pack: number): boolean {
    return this.#isLost(pack);
  }

  /**
   * Records where a stored blob lies: `id` holds 32 bytes from `at` on, `offset` and the lengths are in bytes. A claimed
   * blob becomes a stored one; the same place said twice is noted once; another place of a known blob becomes a
   * further copy, which only walks over all records see.
   */
  add(pack: number, id: Uint8Array, at: number, type: BlobType, offset: number, length: number, uncompressedLength: number): void {
    const record = this.#record;
    this.#recordId.set(id.subarray(at, at + 32));
    record[8] = ((pack << 1) | tagOf(type)) >>> 0;
    record[9] = offset;
    record[10] = length;
    record[11] = uncompressedLength;
    this.addRecords(record, 1);
  }

  /** As {@link add} for the first `count` records of `noted`, in one go. */
  addRecords(noted: Uint32Array, count: number): void {
    const blobs = this.#blobs;
    blobs.lock();
    try {
      for (let at = 0; at < count * blobWords; at += blobWords) this.#addRecord(noted, at);
    } finally {
      blobs.unlock();
    }
  }

  /** While the blobs are locked. */
  #addRecord(noted: Uint32Array, at: number): void {
    const blobs = this.#blobs;
    const tag = noted[at + 8] & 1;
    const pack = noted[at + 8] >>> 1;
    let entry = blobs.findOrInsertWords(noted, at, tag);
    if (!blobs.inserted) {
      const word = entry * blobWords + 8;
      const where = blobs.records[word] >>> 1;
      if (where === pack && blobs.records[word + 1] === noted[at + 9]) return;
      if (where !== claimed && !this.#isLost(where)) {
        if (!this.#isNewCopy(entry, pack, noted[at + 9])) return;
        entry = blobs.appendWords(noted, at, tag);
      }
    }
    const { records } = blobs;
    const word = entry * blobWords + 8;
    for (let i = 0; i < 4; i++) records[word + i] = noted[at + 8 + i];
    const packs = this.#packs.records;
    packs[pack * packWords + 9] += noted[at + 10] + (noted[at + 11] > 0 ? 41 : 37);
    packs[pack * packWords + 10] += 1;
  }

  /** Whether a further copy of the blob of record `entry` is said to lie there for the first time. */
  #isNewCopy(entry: number, pack: number, offset: number): boolean {
    const place = new Uint8Array(Uint32Array.of(entry, pack, offset, 0, 0, 0, 0, 0).buffer);
    const copies = this.#copies;
    copies.lock();
    try {
      copies.findOrInsert(place, 0, 0);
      return copies.inserted;
    } finally {
      copies.unlock();
    }
  }

  /**
   * To be called on one thread after packs were marked as lost: a blob that also lies in a pack which is there is found
   * there from now on.
   */
  preferWhole(): void {
    const { records } = this.#blobs;
    for (let copy = 0; copy < this.blobCount; copy++) {
      const there = copy * blobWords + 8;
      if (records[there] >>> 1 === claimed || this.#isLost(records[there] >>> 1)) continue;
      const entry = this.primaryOf(copy);
      const here = entry * blobWords + 8;
      if (entry === copy || !this.#isLost(records[here] >>> 1)) continue;
      // Both records stay, so that walks over all of them see every place once.
      const lost = records.slice(here, here + 4);
      records.copyWithin(here, there, there + 4);
      records.set(lost, there);
    }
  }

  #isLost(pack: number): boolean {
    return pack !== claimed && (this.#packs.records[pack * packWords + 8] & 2) !== 0;
  }

  #read(entry: number, into: BlobLocation): boolean {
    const { records } = this.#blobs;
    const word = entry * blobWords + 8;
    const pack = records[word] >>> 1;
    if (pack === claimed || this.#isLost(pack)) return false;
    into.entry = entry;
    into.pack = pack;
    into.offset = records[word + 1];
    into.length = records[word + 2];
    into.uncompressedLength = records[word + 3];
    return true;
  }
}

export const emptyLocation = (): BlobLocation => ({ entry: -1, pack: -1, offset: 0, length: 0, uncompressedLength: 0 });
