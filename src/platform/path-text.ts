/**
 * Paths as text that can be turned back: what crosses between the service and its clients (src/contract/paths.ts). Each byte that is no
 * part of valid UTF-8 becomes one lone surrogate, U+DC00 plus the byte, as Python's "surrogateescape" does (PEP 383).
 */
import { isUtf8 } from 'node:buffer';
import { sequenceLength } from './byte-paths.ts';

const escaped = 0xdc00;

export function pathText(path: Buffer): string {
  if (isUtf8(path)) return path.toString('utf8');
  let text = '';
  let valid = 0;
  for (let at = 0; at < path.length; ) {
    const length = sequenceLength(path, at);
    if (length > 0) {
      at += length;
      continue;
    }
    text += path.toString('utf8', valid, at) + String.fromCharCode(escaped + path[at]!);
    valid = ++at;
  }
  return text + path.toString('utf8', valid);
}

/** Of a text that {@link pathText} has not made, other lone surrogates become U+FFFD, as UTF-8 has none. */
export function pathBytes(text: string): Buffer {
  if (text.isWellFormed()) return Buffer.from(text, 'utf8');
  const parts: Buffer[] = [];
  let from = 0;
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at);
    // The second half of a pair belongs to a character.
    if (code >= 0xd800 && code <= 0xdbff && isLow(text.charCodeAt(at + 1))) at += 1;
    else if (code >= escaped + 0x80 && code <= escaped + 0xff) {
      parts.push(Buffer.from(text.slice(from, at), 'utf8'), Buffer.of(code - escaped));
      from = at + 1;
    }
  }
  return Buffer.concat([...parts, Buffer.from(text.slice(from), 'utf8')]);
}

const isLow = (code: number): boolean => code >= 0xdc00 && code <= 0xdfff;
