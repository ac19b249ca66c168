/**
 * Names as restic stores them: Go's strconv.Quote without the outer quotes. It turns any bytes into text and back without loss:
 * what is printable stays, all else is escaped, and a byte that is not UTF-8 becomes `\xNN`. Source: Go, package strconv (quote.go).
 */

import { isUtf8 } from 'node:buffer';
import { jsonString } from './go-json.ts';
import { isPrintable } from './go-printable.ts';
import { decodeRune, encodeRune, INVALID_RUNE, runeWidth } from './go-utf8.ts';

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const NEWLINE = 0x0a;

/** 1 for the bytes that neither Go's quoting nor its JSON escaping changes: printable ASCII without `"`, `\`, `<`, `>` and `&`. */
const PLAIN = Uint8Array.from({ length: 256 }, (_, byte) =>
  byte >= 0x20 && byte < 0x7f && !'"\\<>&'.includes(String.fromCharCode(byte)) ? 1 : 0,
);

const SHORT_QUOTES: Readonly<Record<number, string>> = {
  0x07: '\\a',
  0x08: '\\b',
  0x09: '\\t',
  0x0a: '\\n',
  0x0b: '\\v',
  0x0c: '\\f',
  0x0d: '\\r',
  0x22: '\\"',
  0x5c: '\\\\',
};

/** The byte that follows a backslash → the byte that is meant, for the escapes of one letter. */
const SHORT_UNQUOTES: Readonly<Record<number, number>> = {
  0x61: 0x07,
  0x62: 0x08,
  0x74: 0x09,
  0x6e: 0x0a,
  0x76: 0x0b,
  0x66: 0x0c,
  0x72: 0x0d,
  0x22: QUOTE,
  0x5c: BACKSLASH,
};

const hex = (value: number, digits: number): string => value.toString(16).padStart(digits, '0');

function quoteRune(rune: number): string {
  const short = SHORT_QUOTES[rune];
  if (short !== undefined) return short;
  if (isPrintable(rune)) return String.fromCodePoint(rune);
  if (rune < 0x20 || rune === 0x7f) return `\\x${hex(rune, 2)}`;
  return rune < 0x10000 ? `\\u${hex(rune, 4)}` : `\\U${hex(rune, 8)}`;
}

/** The bytes `name` in Go's quoted form, without the outer quotes. */
export function quoteName(name: Uint8Array): string {
  let out = '';
  for (let pos = 0; pos < name.length; ) {
    const rune = decodeRune(name, pos, name.length);
    out += rune === INVALID_RUNE ? `\\x${hex(name[pos], 2)}` : quoteRune(rune);
    pos += runeWidth(rune);
  }
  return out;
}

/** The JSON string literal, with its quotes, that restic writes for the name `name`. */
export function quotedNameJson(name: Buffer): string {
  for (let i = 0; i < name.length; i++) {
    if (PLAIN[name[i]] === 0) return jsonString(quoteName(name));
  }
  return `"${name.toString('latin1')}"`;
}

/**
 * The bytes that Go's quoted form `quoted` (UTF-8, without the outer quotes) stands for, or undefined if Go's strconv.Unquote
 * refuses it: a bare `"` or newline, an unknown or cut-off escape, an octal escape above 255, an escaped surrogate.
 * The result is `quoted` itself where nothing is escaped.
 */
export function unquoteName(quoted: Buffer): Buffer | undefined {
  if (!quoted.includes(BACKSLASH)) {
    if (quoted.includes(QUOTE) || quoted.includes(NEWLINE)) return undefined;
    if (isUtf8(quoted)) return quoted;
  }
  // The longest growth is a bare invalid byte, which Go reads as U+FFFD: three bytes for one.
  const out = Buffer.allocUnsafe(quoted.length * (isUtf8(quoted) ? 1 : 3));
  let length = 0;
  for (let pos = 0; pos < quoted.length; ) {
    const byte = quoted[pos];
    if (byte === QUOTE || byte === NEWLINE) return undefined;
    if (byte !== BACKSLASH) {
      const rune = decodeRune(quoted, pos, quoted.length);
      length = encodeRune(rune === INVALID_RUNE ? 0xfffd : rune, out, length);
      pos += runeWidth(rune);
      continue;
    }
    const escape = readEscape(quoted, pos + 1);
    if (escape === undefined) return undefined;
    if (escape.isByte) out[length++] = escape.value;
    else length = encodeRune(escape.value, out, length);
    pos = escape.next;
  }
  return out.subarray(0, length);
}

interface Escape {
  readonly value: number;
  /** The value is one raw byte, not a code point to be written as UTF-8. */
  readonly isByte: boolean;
  readonly next: number;
}

/** The escape whose first byte after the backslash is at `pos`. */
function readEscape(quoted: Uint8Array, pos: number): Escape | undefined {
  if (pos >= quoted.length) return undefined;
  const kind = quoted[pos];
  const short = SHORT_UNQUOTES[kind];
  if (short !== undefined) return { value: short, isByte: true, next: pos + 1 };
  if (kind === 0x78 /* x */) return readDigits(quoted, pos + 1, 2, 16, true);
  if (kind === 0x75 /* u */) return readDigits(quoted, pos + 1, 4, 16, false);
  if (kind === 0x55 /* U */) return readDigits(quoted, pos + 1, 8, 16, false);
  return readDigits(quoted, pos, 3, 8, true);
}

function readDigits(quoted: Uint8Array, start: number, count: number, base: number, isByte: boolean): Escape | undefined {
  if (start + count > quoted.length) return undefined;
  let value = 0;
  for (let i = start; i < start + count; i++) {
    const digit = digitValue(quoted[i]);
    if (digit >= base) return undefined;
    value = value * base + digit;
  }
  if (isByte ? value > 0xff : value > 0x10ffff || (value >= 0xd800 && value <= 0xdfff)) return undefined;
  return { value, isByte, next: start + count };
}

/** The value of an ASCII hex digit; 99 for any other byte. */
function digitValue(byte: number): number {
  if (byte >= 0x30 && byte <= 0x39) return byte - 0x30;
  const lower = byte | 0x20;
  return lower >= 0x61 && lower <= 0x66 ? lower - 0x61 + 10 : 99;
}
