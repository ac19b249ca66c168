/**
 * JSON string literals exactly as Go's encoding/json writes them (Go 1.22 and later, so restic 0.17 and later).
 *
 * Go escapes `"` and `\`, control characters (short forms \b \f \n \r \t, else \u00xx), `<`, `>` and `&`, and U+2028 and U+2029;
 * U+007F and all else stay as they are. A byte that is not UTF-8, or half a surrogate pair, becomes the six characters `\ufffd`,
 * whereas a true U+FFFD is written as itself. Source: Go, encoding/json (appendString with escapeHTML).
 */

import { isUtf8 } from 'node:buffer';
import { decodeRune, INVALID_RUNE, runeWidth } from './go-utf8.ts';

/** All but what is written as it is; a negated class, since control characters in a pattern look like a slip. */
const ESCAPED = /[^ !#-%'-;=?-[\]-\u2027\u202a-\uffff]/g;
const NEEDS_ESCAPE = new RegExp(ESCAPED.source);
const LONE_SURROGATE = /\p{Surrogate}/gu;

const SHORT_ESCAPES: Readonly<Record<string, string>> = {
  '"': '\\"',
  '\\': '\\\\',
  '\b': '\\b',
  '\f': '\\f',
  '\n': '\\n',
  '\r': '\\r',
  '\t': '\\t',
};

const escapeUnit = (unit: string): string => SHORT_ESCAPES[unit] ?? `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`;

const escapeWellFormed = (text: string): string => (NEEDS_ESCAPE.test(text) ? text.replace(ESCAPED, escapeUnit) : text);

/** `text` as a Go JSON string literal with its quotes. */
export function jsonString(text: string): string {
  if (!text.isWellFormed()) return `"${escapeWellFormed(text).replace(LONE_SURROGATE, '\\ufffd')}"`;
  return `"${escapeWellFormed(text)}"`;
}

/** A Go string, which may hold bytes that are not UTF-8, as a Go JSON string literal with its quotes. */
export function jsonBytes(bytes: Buffer): string {
  if (isUtf8(bytes)) return `"${escapeWellFormed(bytes.toString('utf8'))}"`;
  let out = '"';
  let pos = 0;
  while (pos < bytes.length) {
    const start = pos;
    let rune = decodeRune(bytes, pos, bytes.length);
    while (rune !== INVALID_RUNE) {
      pos += runeWidth(rune);
      if (pos >= bytes.length) break;
      rune = decodeRune(bytes, pos, bytes.length);
    }
    out += escapeWellFormed(bytes.toString('utf8', start, pos));
    if (pos < bytes.length) {
      out += '\\ufffd';
      pos++;
    }
  }
  return `${out}"`;
}
