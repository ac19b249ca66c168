/**
 * Index files: JSON lists of packs with their blobs. See restic's design document, "Indexing".
 */
import { type BlobIndex, type BlobType, blobWords, tagOf } from './blob-index.ts';
import { idBytes } from './ids.ts';
import { type EntryVisitor, readEntries } from './pack.ts';
import { type IndexVisitor, readIndex } from './read-index.ts';

/**
 * Half of what restic puts into one: writing and reading an index file takes several times its size in memory, in every
 * thread that does it.
 */
export const maxBlobsPerIndexFile = 25_000;

/**
 * Adds what an index file says to `index`. Foreign fields are tolerated, `supersedes` is ignored. Throws `index-invalid`
 * before anything is added when the text is not an index.
 */
export function addIndexFile(text: Buffer, index: BlobIndex): void {
  // Notes of a longer one, which only a hostile program writes, would take as much memory again.
  if (text.length > longestNoted) {
    readIndex(text, { pack: () => {}, blob: () => {} });
    let pack = -1;
    readIndex(text, {
      pack: (id) => {
        pack = index.pack(id);
      },
      blob: (id, type, offset, length, uncompressedLength) => index.add(pack, id, 0, type, offset, length, uncompressedLength),
    });
    return;
  }
  const noted = new NotedIndex();
  readIndex(text, noted);
  noted.addTo(index);
}

const longestNoted = 32 << 20;

/** What an index file says, until it has been read to its end. */
class NotedIndex implements IndexVisitor {
  readonly #packs: Buffer[] = [];
  /** Records as the index has them, with packs as numbered here. */
  #records = new Uint32Array(maxBlobsPerIndexFile * blobWords);
  #bytes = new Uint8Array(this.#records.buffer);
  #used = 0;

  pack(id: Buffer): void {
    this.#packs.push(Buffer.from(id));
  }

  blob(id: Buffer, type: BlobType, offset: number, length: number, uncompressedLength: number): void {
    const at = this.#used;
    if (at === this.#records.length) this.#grow();
    const records = this.#records;
    this.#bytes.set(id, at * 4);
    records[at + 8] = (((this.#packs.length - 1) << 1) | tagOf(type)) >>> 0;
    records[at + 9] = offset;
    records[at + 10] = length;
    records[at + 11] = uncompressedLength;
    this.#used += blobWords;
  }

  addTo(index: BlobIndex): void {
    const numbers = this.#packs.map((id) => index.pack(id));
    const records = this.#records;
    for (let at = 8; at < this.#used; at += blobWords) records[at] = ((numbers[records[at] >>> 1] << 1) | (records[at] & 1)) >>> 0;
    index.addRecords(records, this.#used / blobWords);
  }

  #grow(): void {
    const larger = new Uint32Array(this.#records.length * 2);
    larger.set(this.#records);
    this.#records = larger;
    this.#bytes = new Uint8Array(larger.buffer);
  }
}

/** A pack's ID and punctuation take less; and so does a blob's entry with the largest possible numbers. */
const packBytes = 100;
const blobBytes = 200;
/** Room for the usual full file. Pages of it that are not written to take no memory. */
const usualBytes = 5 << 20;
const opening = '{"packs":[';
const closing = ']}';

/** The pieces of a blob's entry, and the digits of hexadecimal numbers. */
const ascii = (text: string): Buffer => Buffer.from(text, 'latin1');
const comma = ascii(',');
const blobId = ascii('{"id":"');
const blobType = { data: ascii('","type":"data","offset":'), tree: ascii('","type":"tree","offset":') };
const blobLength = ascii(',"length":');
const blobPlain = ascii(',"uncompressed_length":');
const blobEnd = ascii('}');
const digits = ascii('0123456789abcdef');

/**
 * Collects packs and gives index files of at most {@link maxBlobsPerIndexFile} blobs; a pack is never divided. The text is
 * written into one buffer as it comes: as strings it would take several times its size.
 */
export class IndexFileBuilder {
  #bytes = Buffer.alloc(0);
  /** Length of the entries so far, which begin behind the opening. */
  #used = 0;
  #blobs = 0;

  get isEmpty(): boolean {
    return this.#used === 0;
  }

  get isFull(): boolean {
    return this.#blobs >= maxBlobsPerIndexFile;
  }

  /** Adds a stored pack by the plaintext of its header. */
  add(packId: string, header: Buffer): void {
    this.addPlaces(packId, (visit) => void readEntries(header, visit));
  }

  /** Adds a stored pack whose blobs `tell` hands over, wherever in it they lie. */
  addPlaces(packId: string, tell: (visit: EntryVisitor) => void): void {
    this.#makeRoom(packBytes);
    this.#write(`${this.isEmpty ? opening : ','}{"id":"${packId}","blobs":[`);
    let isFirst = true;
    // Byte by byte: a run writes millions of these, and strings of them would be most of its garbage.
    tell((type, offset, length, plain, bytes, at) => {
      this.#makeRoom(blobBytes);
      if (!isFirst) this.#append(comma);
      this.#append(blobId);
      for (let i = at; i < at + idBytes; i++) {
        this.#bytes[this.#used++] = digits[bytes[i] >>> 4];
        this.#bytes[this.#used++] = digits[bytes[i] & 15];
      }
      this.#append(blobType[type]);
      this.#number(offset);
      this.#append(blobLength);
      this.#number(length);
      if (plain > 0) {
        this.#append(blobPlain);
        this.#number(plain);
      }
      this.#append(blobEnd);
      isFirst = false;
      this.#blobs += 1;
    });
    this.#write(']}');
  }

  /** Adds what `other` has collected. */
  join(other: IndexFileBuilder): void {
    if (other.isEmpty) return;
    const entries = other.#bytes.subarray(opening.length, other.#used);
    this.#makeRoom(packBytes + entries.length);
    this.#write(this.isEmpty ? opening : ',');
    this.#used += entries.copy(this.#bytes, this.#used);
    this.#blobs += other.#blobs;
  }

  /** As {@link text}; the builder is empty afterwards, keeping its memory. */
  take(): Buffer {
    const text = this.text();
    this.clear();
    return text;
  }

  /** Makes the builder empty. */
  clear(): void {
    this.#used = 0;
    this.#blobs = 0;
  }

  /** The file's text. A view that is valid until something is added. */
  text(): Buffer {
    this.#makeRoom(packBytes);
    const end = this.#used + this.#bytes.write(this.isEmpty ? opening + closing : closing, this.#used, 'latin1');
    return this.#bytes.subarray(0, end);
  }

  #append(text: Buffer): void {
    for (let i = 0; i < text.length; i++) this.#bytes[this.#used++] = text[i];
  }

  /** Appends a whole number that is not negative. */
  #number(value: number): void {
    let end = this.#used + 1;
    for (let rest = value; rest >= 10; rest = Math.floor(rest / 10)) end += 1;
    for (let at = end - 1, rest = value; at >= this.#used; at--, rest = Math.floor(rest / 10)) this.#bytes[at] = digits[rest % 10];
    this.#used = end;
  }

  #write(text: string): void {
    this.#used += this.#bytes.write(text, this.#used, 'latin1');
  }

  #makeRoom(bytes: number): void {
    if (this.#used + bytes <= this.#bytes.length) return;
    const larger = Buffer.from(new ArrayBuffer(Math.max(usualBytes, this.#used * 2, this.#used + bytes)));
    this.#bytes.copy(larger, 0, 0, this.#used);
    this.#bytes = larger;
  }
}
