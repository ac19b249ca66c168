/** The folders and files that a person names for a backup: as arguments, and in files that list them. */
import { readFileSync } from 'node:fs';
import { fail } from '../contract/errors.ts';
import { nameBytes } from '../engine/backup/name-text.ts';

export interface SourceOptions {
  readonly filesFrom?: readonly string[];
  readonly filesFromRaw?: readonly string[];
}

const lineFeed = 0x0a;
const carriageReturn = 0x0d;
const nul = 0x00;

/** All sources, as bytes. Throws `input-unreadable`. */
export function namedSources(args: readonly string[], { filesFrom, filesFromRaw }: SourceOptions): Buffer[] {
  return [
    ...args.map(nameBytes),
    ...(filesFrom ?? []).flatMap((file) => split(readInput(file, 'a list of what to back up'), lineFeed)),
    ...(filesFromRaw ?? []).flatMap((file) => split(readInput(file, 'a list of what to back up'), nul)),
  ];
}

/** The content of a file, or of standard input for `-`. Throws `input-unreadable`. */
export function readInput(file: string, purpose: string): Buffer {
  try {
    return readFileSync(file === '-' ? 0 : file);
  } catch (error) {
    return fail('input-unreadable', { path: file === '-' ? 'Standard input' : file, purpose, cause: (error as Error).message }, error);
  }
}

/** The pieces between separators, without empty ones; of lines also without the carriage return that Windows adds. */
function split(bytes: Buffer, separator: number): Buffer[] {
  const pieces: Buffer[] = [];
  for (let at = 0; at < bytes.length; ) {
    const found = bytes.indexOf(separator, at);
    const end = found < 0 ? bytes.length : found;
    const cut = separator === lineFeed && end > at && bytes[end - 1] === carriageReturn ? end - 1 : end;
    if (cut > at) pieces.push(bytes.subarray(at, cut));
    at = end + 1;
  }
  return pieces;
}
