/**
 * The arguments as the person typed them. Node decodes them as UTF-8 and replaces what is not, so that such a file could
 * not be named; where the system still tells the bytes they become text of name-text.ts, which keeps every byte.
 */
import { readFileSync } from 'node:fs';
import { nameText } from '../engine/backup/name-text.ts';

/** `argv` as of process.argv; returns what follows the program's name. */
export function rawArguments(argv: readonly string[]): string[] {
  const decoded = argv.slice(2);
  if (process.platform !== 'linux' || !decoded.some((argument) => argument.includes('\ufffd'))) return decoded;
  try {
    const pieces = splitAtNul(readFileSync('/proc/self/cmdline'));
    // Node's own options stand before the program's.
    const own = decoded.length === 0 ? [] : pieces.slice(-decoded.length);
    return own.length === decoded.length ? own.map(nameText) : decoded;
  } catch {
    return decoded;
  }
}

function splitAtNul(bytes: Buffer): Buffer[] {
  const pieces: Buffer[] = [];
  for (let at = 0; at < bytes.length; ) {
    const end = bytes.indexOf(0, at);
    pieces.push(bytes.subarray(at, end < 0 ? bytes.length : end));
    if (end < 0) break;
    at = end + 1;
  }
  return pieces;
}
