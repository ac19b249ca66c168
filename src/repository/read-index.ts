/**
 * Reads the text of an index file without making an object of anything in it: an index may list millions of blobs, and a hostile
 * one may be gigabytes of nonsense that compress to nothing. See restic's design document, "Indexing".
 */
import { HoldfastError } from '../contract/errors.ts';
import type { BlobType } from './blob-index.ts';
import { sealOverhead } from './crypto.ts';
import { idBytes, idDigits, readHexId } from './ids.ts';
import { JsonScanner } from './tree/json-scan.ts';

/** `id` holds the ID's 32 bytes until the next call. */
export interface IndexVisitor {
  pack(id: Buffer): unknown;
  /** A blob of the pack that was visited last. `uncompressedLength` is 0 where the blob is not compressed. */
  blob(id: Buffer, type: BlobType, offset: number, length: number, uncompressedLength: number): void;
}

const word = (text: string): Buffer => Buffer.from(text, 'latin1');
const words = {
  packs: word('packs'),
  id: word('id'),
  blobs: word('blobs'),
  type: word('type'),
  data: word('data'),
  tree: word('tree'),
  offset: word('offset'),
  length: word('length'),
  uncompressedLength: word('uncompressed_length'),
};

const openBrace = 0x7b;
const closeBrace = 0x7d;
const openBracket = 0x5b;
const closeBracket = 0x5d;
const colon = 0x3a;
const comma = 0x2c;
const quote = 0x22;
const uint32Max = 0xffff_ffff;

/**
 * Calls `visitor` in the order of the text. Foreign fields are tolerated, `supersedes` is ignored. Throws `index-invalid`
 * when the text is not an index; what comes before the fault has been visited then.
 */
export const readIndex = (text: Buffer, visitor: IndexVisitor): void => new IndexReader(text, visitor).read();

class IndexReader {
  readonly #scan: JsonScanner;
  readonly #visitor: IndexVisitor;
  readonly #packId = Buffer.alloc(idBytes);
  readonly #blobId = Buffer.alloc(idBytes);

  constructor(text: Buffer, visitor: IndexVisitor) {
    this.#visitor = visitor;
    this.#scan = new JsonScanner(text, (reason, at) => {
      throw new HoldfastError('index-invalid', { cause: `${reason}, at byte ${at}` });
    });
  }

  read(): void {
    const scan = this.#scan;
    let found = false;
    // The oldest format is a bare list of packs.
    if (scan.peek() === openBracket) {
      found = true;
      this.#list(() => this.#pack());
    } else {
      this.#object(() => {
        if (!scan.matches(words.packs)) return false;
        if (found) scan.refuse('it holds two lists of packs');
        found = true;
        this.#value(() => this.#list(() => this.#pack()));
        return true;
      });
    }
    if (!found) scan.refuse('it holds no list of packs', 0);
    if (scan.peek() !== -1) scan.refuse('more text follows its end');
  }

  #pack(): void {
    const scan = this.#scan;
    const start = this.#start();
    let hasId = false;
    let blobsAt = -1;
    let visited = false;
    this.#object(() => {
      const isId = scan.matches(words.id);
      if (!isId && !scan.matches(words.blobs)) return false;
      if (isId ? hasId : blobsAt >= 0) scan.refuse('a pack says something twice', start);
      this.#value(() => {
        if (isId) {
          this.#id(this.#packId);
          hasId = true;
          return;
        }
        blobsAt = scan.pos;
        if (hasId) this.#visitPack();
        else scan.skipValue();
        visited = hasId;
      });
      return true;
    });
    if (!hasId || blobsAt < 0) scan.refuse('a pack without ID or blobs', start);
    if (visited) return;
    // The blobs stand before the ID.
    const end = scan.pos;
    scan.pos = blobsAt;
    this.#visitPack();
    scan.pos = end;
  }

  #visitPack(): void {
    this.#visitor.pack(this.#packId);
    this.#list(() => this.#blob());
  }

  #blob(): void {
    const scan = this.#scan;
    const start = this.#start();
    let hasId = false;
    let type: BlobType | undefined;
    let offset = -1;
    let length = -1;
    let uncompressedLength = 0;
    scan.expect(openBrace);
    if (!scan.take(closeBrace)) {
      do {
        scan.string();
        // One after the other and without closures: this runs for every blob of the repository.
        const field = this.#blobField();
        scan.expect(colon);
        if (field === 0) scan.skipValue();
        else if (scan.takeNull()) continue;
        else if (field === 1) {
          this.#id(this.#blobId);
          hasId = true;
        } else if (field === 2) type = this.#type();
        else if (field === 3) offset = scan.uint(uint32Max);
        else if (field === 4) length = scan.uint(uint32Max);
        else uncompressedLength = scan.uint(uint32Max);
      } while (scan.take(comma));
      scan.expect(closeBrace);
    }
    if (!hasId || type === undefined) return scan.refuse('a blob without ID or type', start);
    if (offset < 0 || length < sealOverhead) return scan.refuse('a blob without a place', start);
    this.#visitor.blob(this.#blobId, type, offset, length, uncompressedLength);
  }

  /** Which field of a blob the string read last names: 0 for a foreign one. */
  #blobField(): number {
    const scan = this.#scan;
    if (scan.matches(words.id)) return 1;
    if (scan.matches(words.type)) return 2;
    if (scan.matches(words.offset)) return 3;
    if (scan.matches(words.length)) return 4;
    return scan.matches(words.uncompressedLength) ? 5 : 0;
  }

  #type(): BlobType {
    const scan = this.#scan;
    scan.string();
    if (scan.matches(words.data)) return 'data';
    return scan.matches(words.tree) ? 'tree' : scan.refuse('a blob of an unknown type', scan.start);
  }

  #id(into: Buffer): void {
    const scan = this.#scan;
    const at = scan.peek() === quote ? scan.pos + 1 : scan.refuse('an ID is expected');
    if (!readHexId(scan.bytes, at, into, 0) || scan.bytes[at + idDigits] !== quote) scan.refuse('an ID is malformed', at);
    scan.pos = at + idDigits + 1;
  }

  /** Where the next value begins. */
  #start(): number {
    this.#scan.peek();
    return this.#scan.pos;
  }

  #list(item: () => void): void {
    const scan = this.#scan;
    scan.expect(openBracket);
    if (scan.take(closeBracket)) return;
    do item();
    while (scan.take(comma));
    scan.expect(closeBracket);
  }

  /** `field` is called when a field's name was read; it reads the colon and the value, or returns false. */
  #object(field: () => boolean): void {
    const scan = this.#scan;
    scan.expect(openBrace);
    if (scan.take(closeBrace)) return;
    do {
      scan.string();
      if (!field()) this.#value(() => scan.skipValue());
    } while (scan.take(comma));
    scan.expect(closeBrace);
  }

  #value(read: () => void): void {
    this.#scan.expect(colon);
    read();
  }
}
