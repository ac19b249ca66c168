/**
 * File names as text for matching. A name is bytes: where they are valid UTF-8 they become the characters they mean, and every other
 * byte becomes a lone low surrogate U+DC80–U+DCFF, which valid UTF-8 cannot produce (Python's "surrogateescape", PEP 383). So different
 * names stay different, and one character of text is one Unicode character of the name, or one stray byte.
 */
import { isAscii, isUtf8 } from 'node:buffer';

/** The text of a name or of a pattern's bytes. */
export function nameText(bytes: Buffer): string {
  const text = bytes.toString();
  // Invalid bytes leave U+FFFD behind; where there is none, which is nearly always, nothing more needs to be looked at.
  return text.includes('\ufffd') && !isUtf8(bytes) ? escapedText(bytes) : text;
}

/** The bytes of a text made by {@link nameText}. */
export function nameBytes(text: string): Buffer {
  if (!/[\ud800-\udfff]/.test(text)) return Buffer.from(text);
  const pieces: Buffer[] = [];
  for (const character of text) {
    const code = character.codePointAt(0)!;
    pieces.push(code >= 0xdc80 && code <= 0xdcff ? Buffer.of(code & 0xff) : Buffer.from(character));
  }
  return Buffer.concat(pieces);
}

function escapedText(bytes: Buffer): string {
  let text = '';
  for (let at = 0; at < bytes.length; ) {
    const length = characterLength(bytes, at);
    text += length === 0 ? String.fromCharCode(0xdc00 | bytes[at]!) : bytes.toString('utf8', at, at + length);
    at += length || 1;
  }
  return text;
}

/** The length of the UTF-8 character that begins at `at`; 0 when none does. */
function characterLength(bytes: Buffer, at: number): number {
  const lead = bytes[at]!;
  const length = lead < 0x80 ? 1 : lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : 2;
  if (at + length > bytes.length) return 0;
  const piece = bytes.subarray(at, at + length);
  // A piece that is valid but not one character long in the lead's terms can only be ASCII after a stray lead: isUtf8 refuses it.
  return (length === 1 ? isAscii(piece) : isUtf8(piece)) ? length : 0;
}
