/**
 * Paths as bytes. File names on Linux are any bytes but `/` and NUL, not necessarily UTF-8, so whatever walks folders keeps them as
 * Buffers and never turns them into strings.
 *
 * - The separator is `/` on every system (Windows and Node accept it there too).
 * - Everything here is lexical: the file system is never asked and `..` is never resolved.
 * - Results may share memory with their arguments; treat paths as immutable.
 */
import { isUtf8 } from 'node:buffer';

const slash = 0x2f;
const dot = 0x2e;

const currentFolder = Buffer.from('.');
const root = Buffer.from('/');

/** The length of `path` without trailing slashes; 1 for the root however many slashes it has. */
function trimmedLength(path: Buffer): number {
  let end = path.length;
  while (end > 1 && path[end - 1] === slash) end--;
  return end;
}

/** `name` within `dir`: one slash between them, none after the root; `name` alone when `dir` is empty. Always a new Buffer. */
export function joinPath(dir: Buffer, name: Buffer): Buffer {
  const dirLength = dir.length;
  const gap = dirLength === 0 || dir[dirLength - 1] === slash ? 0 : 1;
  const joined = Buffer.allocUnsafe(dirLength + gap + name.length);
  joined.set(dir, 0);
  if (gap === 1) joined[dirLength] = slash;
  joined.set(name, dirLength + gap);
  return joined;
}

/** The folder that holds `path`: `/` for the root and what lies in it, `.` for a name alone. Trailing slashes do not count. */
export function parentPath(path: Buffer): Buffer {
  let end = path.lastIndexOf(slash, trimmedLength(path) - 1);
  if (path.length === 0 || end < 0) return currentFolder;
  while (end > 0 && path[end - 1] === slash) end--;
  return end === 0 ? root : path.subarray(0, end);
}

/** The last name of `path`, without trailing slashes; empty for the root and for an empty path. */
export function baseName(path: Buffer): Buffer {
  const end = trimmedLength(path);
  if (end === 0) return path;
  return path.subarray(path.lastIndexOf(slash, end - 1) + 1, end);
}

/** The names of `path` in order, without the empty ones: `/a//b/` gives a and b, the root gives none. */
export function splitPath(path: Buffer): Buffer[] {
  const names: Buffer[] = [];
  const length = path.length;
  for (let start = 0; start < length; ) {
    let end = path.indexOf(slash, start);
    if (end < 0) end = length;
    if (end > start) names.push(path.subarray(start, end));
    start = end + 1;
  }
  return names;
}

/** Order of names in a tree: by unsigned bytes, a prefix first. For `sort`. */
export function compareNames(a: Buffer, b: Buffer): number {
  return a.compare(b);
}

/**
 * Whether `path` is `folder` itself or lies below it. Both must be absolute (or both relative to the same folder) and free of doubled
 * slashes within. A path with a `..` after the folder is never inside, since where it leads is not known.
 */
export function isInside(path: Buffer, folder: Buffer): boolean {
  let folderLength = trimmedLength(folder);
  if (folderLength === 1 && folder[0] === slash) folderLength = 0;
  else if (folderLength === 0) return false;
  const length = path.length;
  if (length < folderLength || path.compare(folder, 0, folderLength, 0, folderLength) !== 0) return false;
  if (length === folderLength) return length > 0;
  if (path[folderLength] !== slash) return false;
  for (let at = folderLength; at >= 0; at = path.indexOf(slash, at + 1)) {
    const twoDots = path[at + 1] === dot && path[at + 2] === dot;
    if (twoDots && (at + 3 === length || path[at + 3] === slash)) return false;
  }
  return true;
}

/**
 * `path` for people and logs: valid UTF-8 as it is, every byte that is not part of valid UTF-8 as `\xNN`. It cannot be turned back.
 * Control characters stay; whoever prints to a terminal makes them harmless.
 */
export function displayPath(path: Buffer): string {
  if (isUtf8(path)) return path.toString('utf8');
  let text = '';
  let valid = 0;
  for (let at = 0; at < path.length; ) {
    const length = sequenceLength(path, at);
    if (length > 0) {
      at += length;
      continue;
    }
    text += `${path.toString('utf8', valid, at)}\\x${(path[at] as number).toString(16).padStart(2, '0')}`;
    valid = ++at;
  }
  return text + path.toString('utf8', valid);
}

/** The length of the valid UTF-8 sequence at `at`, or 0 when none begins there (Unicode, table 3-7: Well-Formed UTF-8 Byte Sequences). */
export function sequenceLength(bytes: Buffer, at: number): number {
  const first = bytes[at] as number;
  if (first < 0x80) return 1;
  if (first < 0xc2 || first > 0xf4) return 0;
  const length = first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;
  // The second byte's range keeps out overlong forms, surrogates and what lies above U+10FFFF.
  const lowest = first === 0xe0 ? 0xa0 : first === 0xf0 ? 0x90 : 0x80;
  const highest = first === 0xed ? 0x9f : first === 0xf4 ? 0x8f : 0xbf;
  const second = bytes[at + 1];
  if (second === undefined || second < lowest || second > highest) return 0;
  for (let i = 2; i < length; i++) {
    const next = bytes[at + i];
    if (next === undefined || next < 0x80 || next > 0xbf) return 0;
  }
  return length;
}
