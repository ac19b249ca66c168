/**
 * A strict scanner over JSON text in bytes, for tree blobs: it makes no object that is not asked for, keeps 64-bit numbers exact
 * and gives strings as the bytes that Go's encoding/json would give. It reads each byte a bounded number of times and descends at
 * most {@link MAX_DEPTH} levels, so hostile text costs no more than honest text of the same length.
 */

import { isUtf8 } from 'node:buffer';
import { decodeRune, encodeRune, INVALID_RUNE, runeWidth } from './go-utf8.ts';

/** Deepest nesting of a value that is skipped. */
const MAX_DEPTH = 64;

const UINT64_MAX = 0xffff_ffff_ffff_ffffn;
const REPLACEMENT = 0xfffd;

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const LOWER_U = 0x75;

/** What JSON's one-letter escapes stand for; 0 where there is no such escape. */
const SHORT_ESCAPES = new Uint8Array(256);
for (const [letter, byte] of Object.entries({ '"': 0x22, '\\': 0x5c, '/': 0x2f, b: 8, f: 12, n: 10, r: 13, t: 9 })) {
  SHORT_ESCAPES[letter.charCodeAt(0)] = byte;
}

/** Throws: the text is refused for `reason`, seen at byte `at`. */
type Refuse = (reason: string, at: number) => never;

export class JsonScanner {
  readonly bytes: Buffer;
  /** The next byte to be read. */
  pos = 0;
  /** The string last read by {@link string}, between its quotes. */
  start = 0;
  end = 0;
  /** Whether it has escapes. */
  escaped = false;
  #ascii = true;
  readonly #refuse: Refuse;

  constructor(bytes: Buffer, refuse: Refuse) {
    this.bytes = bytes;
    this.#refuse = refuse;
  }

  /** Throws; says that the text is cut off where it ends too early. */
  refuse(reason: string, at: number = this.pos): never {
    return this.#refuse(at >= this.bytes.length ? 'it is cut off' : reason, at);
  }

  /** Skips white space and returns the next byte without taking it; -1 at the end. */
  peek(): number {
    const { bytes } = this;
    let pos = this.pos;
    while (pos < bytes.length) {
      const byte = bytes[pos];
      if (byte > 0x20 || (byte !== 0x20 && byte !== 0x0a && byte !== 0x0d && byte !== 0x09)) {
        this.pos = pos;
        return byte;
      }
      pos++;
    }
    this.pos = pos;
    return -1;
  }

  /** Takes the next byte after white space if it is `byte`. */
  take(byte: number): boolean {
    if (this.peek() !== byte) return false;
    this.pos++;
    return true;
  }

  /** Takes `byte` after white space, or throws. */
  expect(byte: number): void {
    if (!this.take(byte)) this.refuse(`“${String.fromCharCode(byte)}” is missing`);
  }

  /** Takes `null` if that comes next. */
  takeNull(): boolean {
    if (this.peek() !== 0x6e) return false;
    this.#literal('null');
    return true;
  }

  /** Reads a string; {@link start}, {@link end}, {@link matches} and {@link stringBytes} then tell about it. */
  string(): void {
    this.expect(QUOTE);
    const { bytes } = this;
    let pos = this.pos;
    let escaped = false;
    let union = 0;
    this.start = pos;
    for (; pos < bytes.length; pos++) {
      const byte = bytes[pos];
      if (byte === QUOTE) {
        this.end = pos;
        this.pos = pos + 1;
        this.escaped = escaped;
        this.#ascii = union < 0x80;
        return;
      }
      if (byte === BACKSLASH) {
        escaped = true;
        pos += this.#escapeLength(pos + 1);
      } else if (byte < 0x20) {
        this.refuse('a string holds a bare control character', pos);
      }
      union |= byte;
    }
    this.refuse('it is cut off', bytes.length);
  }

  /** How many bytes the escape after a backslash takes; its first one is at `pos`. */
  #escapeLength(pos: number): number {
    const { bytes } = this;
    if (bytes[pos] === LOWER_U) {
      for (let i = 1; i <= 4; i++) {
        if (!(hexValue(bytes[pos + i]) < 16)) this.refuse('a string holds a malformed escape', pos + i);
      }
      return 5;
    }
    if (pos >= bytes.length || SHORT_ESCAPES[bytes[pos]] === 0) this.refuse('a string holds an unknown escape', pos);
    return 1;
  }

  /** Whether the string last read is the ASCII text `word`. */
  matches(word: Uint8Array): boolean {
    if (this.escaped) return this.stringBytes().equals(word);
    const { bytes, start } = this;
    if (this.end - start !== word.length) return false;
    for (let i = 0; i < word.length; i++) {
      if (bytes[start + i] !== word[i]) return false;
    }
    return true;
  }

  /**
   * The string last read as UTF-8: a view of the text where nothing is escaped, else a copy. Bytes that are not UTF-8 and halves of
   * surrogate pairs become U+FFFD, as in Go.
   */
  stringBytes(): Buffer {
    const view = this.bytes.subarray(this.start, this.end);
    if (this.#ascii) return this.escaped ? this.#unescape(view, view.length) : view;
    const isValid = isUtf8(view);
    if (isValid && !this.escaped) return view;
    return this.#unescape(view, isValid ? view.length : view.length * 3);
  }

  #unescape(text: Buffer, atMost: number): Buffer {
    const out = Buffer.allocUnsafe(atMost);
    let length = 0;
    for (let pos = 0; pos < text.length; ) {
      const byte = text[pos];
      if (byte !== BACKSLASH) {
        const rune = decodeRune(text, pos, text.length);
        length = encodeRune(rune === INVALID_RUNE ? REPLACEMENT : rune, out, length);
        pos += runeWidth(rune);
      } else if (text[pos + 1] !== LOWER_U) {
        out[length++] = SHORT_ESCAPES[text[pos + 1]];
        pos += 2;
      } else {
        const rune = unicodeEscape(text, pos);
        length = encodeRune(rune >= 0xd800 && rune <= 0xdfff ? REPLACEMENT : rune, out, length);
        pos += rune > 0xffff ? 12 : 6;
      }
    }
    return out.subarray(0, length);
  }

  /** A whole number from 0 to `max`, which must be safe. */
  uint(max: number): number {
    const start = this.#digits();
    const { bytes, pos } = this;
    let value = 0;
    for (let i = start; i < pos; i++) value = value * 10 + (bytes[i] - 0x30);
    if (value > max) this.#refuse('a number is out of range', start);
    return value;
  }

  /** A whole number from 0 to 2^64 - 1. */
  uint64(): bigint {
    const start = this.#digits();
    const { bytes, pos } = this;
    if (pos - start <= 15) {
      let value = 0;
      for (let i = start; i < pos; i++) value = value * 10 + (bytes[i] - 0x30);
      return BigInt(value);
    }
    const value = pos - start <= 20 ? BigInt(bytes.toString('latin1', start, pos)) : UINT64_MAX + 1n;
    if (value > UINT64_MAX) this.#refuse('a number is out of range', start);
    return value;
  }

  /** Takes the digits of a whole number and returns where they start. */
  #digits(): number {
    this.peek();
    const { bytes } = this;
    const start = this.pos;
    let pos = start;
    while (bytes[pos] >= 0x30 && bytes[pos] <= 0x39) pos++;
    if (pos === start) this.refuse('a whole number is expected');
    if (bytes[start] === 0x30 && pos > start + 1) this.#refuse('a number starts with 0', start);
    if (bytes[pos] === 0x2e || bytes[pos] === 0x65 || bytes[pos] === 0x45) this.#refuse('a number is not whole', start);
    this.pos = pos;
    return start;
  }

  /** Skips any value, checking that it is JSON. */
  skipValue(depth = 0): void {
    const first = this.peek();
    if (depth > MAX_DEPTH) this.#refuse('it is nested too deeply', this.pos);
    if (first === QUOTE) return this.string();
    if (first === 0x7b) return this.#skipObject(depth);
    if (first === 0x5b) return this.#skipArray(depth);
    if (first === 0x74) return this.#literal('true');
    if (first === 0x66) return this.#literal('false');
    if (first === 0x6e) return this.#literal('null');
    this.#skipNumber();
  }

  #skipObject(depth: number): void {
    this.expect(0x7b);
    if (this.take(0x7d)) return;
    do {
      this.string();
      this.expect(0x3a);
      this.skipValue(depth + 1);
    } while (this.take(0x2c));
    this.expect(0x7d);
  }

  #skipArray(depth: number): void {
    this.expect(0x5b);
    if (this.take(0x5d)) return;
    do this.skipValue(depth + 1);
    while (this.take(0x2c));
    this.expect(0x5d);
  }

  #literal(word: string): void {
    for (let i = 0; i < word.length; i++) {
      if (this.bytes[this.pos + i] !== word.charCodeAt(i)) this.refuse('a value is malformed', this.pos + i);
    }
    this.pos += word.length;
  }

  #skipNumber(): void {
    const { bytes } = this;
    if (bytes[this.pos] === 0x2d) this.pos++;
    const whole = this.#skipDigits();
    if (bytes[whole] === 0x30 && this.pos > whole + 1) this.#refuse('a number starts with 0', whole);
    if (bytes[this.pos] === 0x2e) {
      this.pos++;
      this.#skipDigits();
    }
    if (bytes[this.pos] === 0x65 || bytes[this.pos] === 0x45) {
      this.pos++;
      if (bytes[this.pos] === 0x2b || bytes[this.pos] === 0x2d) this.pos++;
      this.#skipDigits();
    }
  }

  #skipDigits(): number {
    const start = this.pos;
    while (this.bytes[this.pos] >= 0x30 && this.bytes[this.pos] <= 0x39) this.pos++;
    if (this.pos === start) this.refuse('a value is malformed');
    return start;
  }
}

/** The code point of the `\uXXXX` at `pos`, or of the two that form a surrogate pair. */
function unicodeEscape(text: Uint8Array, pos: number): number {
  const unit = hex4(text, pos + 2);
  if (unit < 0xd800 || unit > 0xdbff || text[pos + 6] !== BACKSLASH || text[pos + 7] !== LOWER_U) return unit;
  const low = hex4(text, pos + 8);
  return low >= 0xdc00 && low <= 0xdfff ? 0x10000 + ((unit - 0xd800) << 10) + (low - 0xdc00) : unit;
}

const hex4 = (text: Uint8Array, pos: number): number =>
  (hexValue(text[pos]) << 12) | (hexValue(text[pos + 1]) << 8) | (hexValue(text[pos + 2]) << 4) | hexValue(text[pos + 3]);

/** The value of an ASCII hex digit; 99 or more for any other byte. */
function hexValue(byte: number): number {
  if (byte >= 0x30 && byte <= 0x39) return byte - 0x30;
  const lower = byte | 0x20;
  return lower >= 0x61 && lower <= 0x66 ? lower - 0x61 + 10 : 99;
}
