/**
 * Reads the listing of a REST server: `[{"name":…,"size":…},…]` (version 2), `["name",…]` (version 1), or `null` for
 * nothing. A repository may hold a million files, so that what is not a name of 64 digits is forgotten at once and what is
 * takes 40 bytes. Nothing is given out before the whole listing has arrived and is well-formed.
 */
import { isFileName } from '../names.ts';

/** Longest element that is no nonsense; bytes. */
const longestElement = 64 * 1024;

const byteOf = (character: string): number => character.charCodeAt(0);
const open = byteOf('[');
const close = byteOf(']');
const openObject = byteOf('{');
const closeObject = byteOf('}');
const quote = byteOf('"');
const backslash = byteOf('\\');
const comma = byteOf(',');
const isSpace = (byte: number): boolean => byte === 0x20 || byte === 0x09 || byte === 0x0a || byte === 0x0d;

export class Listing {
  /** 32 bytes for each file. */
  #ids = Buffer.alloc(32 * 64);
  /** In bytes; -1 when the listing does not say. */
  #sizes = new Float64Array(64);
  #count = 0;
  /** Open addressing by the first four bytes of the names, which are as good as random; 0 is free. */
  #table = new Uint32Array(256);

  /** False when it holds names alone. */
  isSized = true;

  get count(): number {
    return this.#count;
  }

  nameAt(n: number): string {
    return this.#ids.toString('hex', n * 32, n * 32 + 32);
  }

  sizeAt(n: number): number {
    return this.#sizes[n];
  }

  /** Adds a file; one that is there already is left as it is. */
  add(name: string, size: number): void {
    if (this.#count === this.#sizes.length) this.#grow();
    const at = this.#count * 32;
    this.#ids.write(name, at, 'hex');
    const slot = this.#slotOf(at);
    if (this.#table[slot] !== 0) return;
    this.#table[slot] = ++this.#count;
    this.#sizes[this.#count - 1] = size;
  }

  #slotOf(at: number): number {
    const mask = this.#table.length - 1;
    for (let slot = this.#ids.readUInt32LE(at) & mask; ; slot = (slot + 1) & mask) {
      const held = this.#table[slot];
      if (held === 0 || this.#ids.compare(this.#ids, at, at + 32, (held - 1) * 32, held * 32) === 0) return slot;
    }
  }

  #grow(): void {
    const room = this.#sizes.length * 2;
    this.#ids = Buffer.concat([this.#ids], room * 32);
    const sizes = new Float64Array(room);
    sizes.set(this.#sizes);
    this.#sizes = sizes;
    this.#table = new Uint32Array(room * 4);
    for (let n = 0; n < this.#count; n++) this.#table[this.#slotOf(n * 32)] = n + 1;
  }
}

/** Takes a listing piece by piece. */
export class ListingReader {
  readonly #listing = new Listing();
  #place: 'before' | 'word' | 'inside' | 'behind' = 'before';
  /** What came of the element that is being read, in earlier pieces. */
  #kept: Uint8Array[] = [];
  #keptBytes = 0;
  #elements = 0;
  #depth = 0;
  #inString = false;
  #isEscaped = false;

  /** Throws a SyntaxError. */
  push(piece: Uint8Array): void {
    let begin = 0;
    for (let i = 0; i < piece.length; i++) {
      const byte = piece[i];
      if (this.#place === 'inside') {
        if (!this.#endsElement(byte)) continue;
        this.#take(piece.subarray(begin, i), byte === close);
        begin = i + 1;
        if (byte === close) this.#place = 'behind';
      } else if (this.#place === 'before' && byte === open) {
        this.#place = 'inside';
        begin = i + 1;
      } else if (this.#place === 'before' && !isSpace(byte)) {
        this.#place = 'word';
        begin = i;
      } else if (this.#place === 'behind' && !isSpace(byte)) throw new SyntaxError('something follows the listing');
    }
    if (this.#place === 'inside' || this.#place === 'word') this.#keep(piece.subarray(begin));
  }

  /** Throws a SyntaxError unless the listing is whole. */
  end(): Listing {
    const isNothing = this.#place === 'word' && Buffer.concat(this.#kept).toString('utf8').trim() === 'null';
    if (this.#place !== 'behind' && !isNothing)
      throw new SyntaxError(this.#place === 'word' ? 'it is no listing' : 'the listing ended early');
    return this.#listing;
  }

  /** Whether the byte ends an element of the list; follows strings and brackets on the way. */
  #endsElement(byte: number): boolean {
    if (this.#isEscaped) this.#isEscaped = false;
    else if (this.#inString) {
      if (byte === backslash) this.#isEscaped = true;
      else if (byte === quote) this.#inString = false;
    } else if (byte === quote) this.#inString = true;
    else if (byte === openObject || byte === open) this.#depth += 1;
    else if (this.#depth > 0) {
      if (byte === closeObject || byte === close) this.#depth -= 1;
    } else return byte === comma || byte === close;
    return false;
  }

  #keep(part: Uint8Array): void {
    this.#keptBytes += part.length;
    if (this.#keptBytes > longestElement) throw new SyntaxError('an element of the listing is too long');
    if (part.length > 0) this.#kept.push(Buffer.from(part));
  }

  #take(rest: Uint8Array, isLast: boolean): void {
    this.#keep(rest);
    const text = Buffer.concat(this.#kept).toString('utf8').trim();
    this.#kept = [];
    this.#keptBytes = 0;
    if (text === '' && isLast && this.#elements === 0) return;
    this.#elements += 1;
    this.#note(JSON.parse(text) as unknown);
  }

  #note(element: unknown): void {
    if (typeof element === 'string') {
      this.#listing.isSized = false;
      if (isFileName(element)) this.#listing.add(element, -1);
      return;
    }
    const { name, size } = (element ?? {}) as { readonly name?: unknown; readonly size?: unknown };
    if (typeof name !== 'string') throw new SyntaxError('an element of the listing has no name');
    if (!isFileName(name)) return;
    if (!Number.isSafeInteger(size) || (size as number) < 0) throw new SyntaxError('a file in the listing has no size');
    this.#listing.add(name, size as number);
  }
}
