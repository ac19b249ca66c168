/**
 * Folders that say themselves that they need no backup, by a *tag*: a file of a given name in them, perhaps with given first bytes
 * (`--exclude-if-present NAME[:HEADER]`, `--exclude-caches`).
 *
 * As in restic 0.18 the tagged folder itself and the tag file are stored, so that a restored folder is tagged again; everything else in
 * it is left out. With several tags in one folder each is left out on behalf of the others.
 */
import { closeSync, constants, lstatSync, openSync, readSync } from 'node:fs';
import { fail } from '../../contract/errors.ts';
import { joinPath } from '../../platform/byte-paths.ts';
import { nameBytes, nameText } from './name-text.ts';

/** Plain data. Both texts as of name-text.ts. */
export interface ExcludeTag {
  readonly name: string;
  /** What the file must begin with; empty: anything, and the file need not even be readable. */
  readonly header: string;
}

/** The Cache Directory Tagging Specification, https://bford.info/cachedir/ */
export const cacheTag: ExcludeTag = { name: 'CACHEDIR.TAG', header: 'Signature: 8a477f597d28d172789f06886806bc55' };

/**
 * Reads `NAME[:HEADER]`.
 * @throws `bad-usage` when there is no name, or it is a path
 */
export function parseTag(spec: string): ExcludeTag {
  const colon = spec.indexOf(':');
  const name = colon < 0 ? spec : spec.slice(0, colon);
  if (name === '' || name === '.' || name === '..' || /[/\0]/.test(name)) {
    fail('bad-usage', {
      problem: `--exclude-if-present: “${spec}” does not begin with the name of a file.`,
      guidance: 'Write NAME, or NAME:HEADER, for example .nobackup.',
    });
  }
  return { name: nameText(Buffer.from(name)), header: colon < 0 ? '' : nameText(Buffer.from(spec.slice(colon + 1))) };
}

/** Why a tag file does not count: it cannot be looked at or read, or it begins with something else. */
export type TagProblem = { readonly path: Buffer; readonly problem: 'unreadable' | 'wrong header'; readonly cause?: unknown };

export interface TagFinder {
  /**
   * Looks for tags in a folder.
   * @param folder its absolute path
   * @returns a test for the folder's entries that are left out; nothing when there is no tag
   */
  find(folder: Buffer): ((name: Buffer) => boolean) | undefined;
}

/**
 * Costs one `lstat` for each folder and tag.
 * @param report called for a tag file that does not count; its folder is stored like any other
 */
export function createTagFinder(tags: readonly ExcludeTag[], report: (problem: TagProblem) => void): TagFinder {
  const wanted = tags.map(({ name, header }) => ({ name: nameBytes(name), header: nameBytes(header) }));
  return {
    find(folder) {
      let found: Buffer[] | undefined;
      for (const { name, header } of wanted) if (isTag(joinPath(folder, name), header, report)) (found ??= []).push(name);
      return found && ((name) => found.some((tag) => !tag.equals(name)));
    },
  };
}

function isTag(path: Buffer, header: Buffer, report: (problem: TagProblem) => void): boolean {
  try {
    if (lstatSync(path, { throwIfNoEntry: false }) === undefined) return false;
    if (header.length === 0) return true;
    if (firstBytes(path, header.length).equals(header)) return true;
  } catch (cause) {
    report({ path, problem: 'unreadable', cause });
    return false;
  }
  report({ path, problem: 'wrong header' });
  return false;
}

/** So that a FIFO of that name does not hold up the backup; Windows has neither. */
const openFlags = constants.O_RDONLY | (constants.O_NONBLOCK ?? 0);

function firstBytes(path: Buffer, length: number): Buffer {
  const fd = openSync(path, openFlags);
  try {
    const bytes = Buffer.alloc(length);
    let filled = 0;
    while (filled < length) {
      const count = readSync(fd, bytes, filled, length - filled, null);
      if (count === 0) break;
      filled += count;
    }
    return bytes.subarray(0, filled);
  } finally {
    closeSync(fd);
  }
}
