/**
 * Names in a ZIP: they must be UTF-8, and whoever unpacks it, on whatever system, must not be led out of the target.
 *
 * A name stays as it is unless
 * - a byte of it is not UTF-8,
 * - it holds a backslash, which ZIP does not know (APPNOTE 4.4.17) and Windows takes for a separator,
 * - it consists of dots and blanks alone (`...`, `.. `), which Windows may take for `..`, or
 * - it is the first in its path and begins like a drive (`C:`).
 *
 * Then each such byte (in the last two cases the dots, and the colon) becomes `%` and its two hexadecimal digits, as does every
 * `%` of that name, so that it can be turned back. Only when the result is taken or longer than any system allows, it is
 * shortened or numbered, and cannot.
 */
import { isUtf8 } from 'node:buffer';
import { sequenceLength } from '../../platform/byte-paths.ts';

const backslash = 0x5c;
const percent = 0x25;
const dot = 0x2e;
const blank = 0x20;
const colon = 0x3a;

/** Bytes that file systems allow for a name. */
const longestName = 255;
/** A name that is shortened is shorter than that by at most a character and a `%X`. */
const slack = 6;

const isLetter = (byte: number): boolean => (byte | 0x20) >= 0x61 && (byte | 0x20) <= 0x7a;

const looksLikeDrive = (name: Buffer): boolean => name.length >= 2 && name[1] === colon && isLetter(name[0]);

const isDots = (name: Buffer): boolean => name[0] <= dot && name.includes(dot) && name.every((byte) => byte === dot || byte === blank);

/** Whether the name stays as it is; `isFirst`: its path begins with it. */
const isPlain = (name: Buffer, isFirst: boolean): boolean =>
  isUtf8(name) && !name.includes(backslash) && !isDots(name) && !(isFirst && looksLikeDrive(name));

/** `name` with every byte written as `%XX` that must not stand in a ZIP. */
function escaped(name: Buffer, isFirst: boolean): string {
  const dots = isDots(name);
  const drive = isFirst && looksLikeDrive(name);
  let text = '';
  for (let at = 0; at < name.length; ) {
    const length = sequenceLength(name, at);
    const byte = name[at];
    const replaced = length === 0 || byte === backslash || byte === percent || (dots && byte === dot) || (drive && at === 1);
    text += replaced ? `%${byte.toString(16).toUpperCase().padStart(2, '0')}` : name.toString('utf8', at, at + length);
    at += length || 1;
  }
  return text;
}

/** The beginning of `text`, at most `bytes` bytes long, without half a character or half a `%XX`. */
function shortened(text: string, bytes: number): string {
  const whole = Buffer.from(text);
  if (whole.length <= bytes) return text;
  let end = bytes;
  while (end > 0 && (whole[end] & 0xc0) === 0x80) end -= 1;
  return whole.toString('utf8', 0, end).replace(/%[0-9A-F]?$/, '');
}

/** The names of one folder in the ZIP; different names stay different. */
export class ZipNames {
  readonly #isFirst: boolean;
  readonly #all: () => Iterable<Buffer>;
  /** Names that one with a replaced byte could clash with. */
  #taken: Set<string> | undefined;

  /** `all`: every name in the folder, asked for once at most, when a name cannot stay as it is. */
  constructor(isFirst: boolean, all: () => Iterable<Buffer>) {
    this.#isFirst = isFirst;
    this.#all = all;
  }

  /** The name in the ZIP: `name` itself when it can stay. Each name may be asked for once. */
  of(name: Buffer): Buffer {
    if (isPlain(name, this.#isFirst)) return name;
    const taken = (this.#taken ??= this.#clashing());
    const text = escaped(name, this.#isFirst);
    for (let attempt = 1; ; attempt++) {
      const suffix = attempt === 1 ? '' : ` (${attempt})`;
      const candidate = shortened(text, longestName - suffix.length) + suffix;
      if (taken.has(candidate)) continue;
      taken.add(candidate);
      return Buffer.from(candidate);
    }
  }

  /** What is made here holds a `%`, unless it is long and was cut off before it. */
  #clashing(): Set<string> {
    const taken = new Set<string>();
    for (const name of this.#all())
      if ((name.includes(percent) || name.length >= longestName - slack) && isPlain(name, this.#isFirst)) taken.add(name.toString());
    return taken;
  }
}
