/**
 * Text that a terminal shows as it is: names come from strangers, and a control character in one could move the cursor,
 * change the window's title or make a line look like another. One name always stays on one line.
 */
import { displayPath } from '../platform/byte-paths.ts';

/** C0, DEL, C1; line and paragraph separators; what reverses the direction of text. */
const unsafe = /[\u0000-\u001f\u007f-\u009f\u2028\u2029\u200e\u200f\u202a-\u202e\u2066-\u2069\ufeff]|[\ud800-\udfff]/gu;

const short: Readonly<Record<string, string>> = { '\n': '\\n', '\r': '\\r', '\t': '\\t' };

function escape(character: string): string {
  const code = character.codePointAt(0)!;
  return short[character] ?? (code < 0x100 ? `\\x${code.toString(16).padStart(2, '0')}` : `\\u{${code.toString(16)}}`);
}

/** `text` with every character that a terminal acts on written as `\n`, `\x1b` or `\u{202e}`. */
export const printable = (text: string): string => text.replace(unsafe, escape);

/** A path for people: as {@link printable}, and bytes that are not UTF-8 as `\xNN`. */
export const printablePath = (path: Uint8Array): string =>
  printable(displayPath(Buffer.from(path.buffer, path.byteOffset, path.byteLength)));
