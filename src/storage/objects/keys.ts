/** The keys of objects: the repository's layout below a prefix. */
import { fail } from '../../contract/errors.ts';
import { fileAt, folderOf, layoutPath } from '../names.ts';
import type { FileKind, StoredFile } from '../storage.ts';

/** No service takes longer keys than 1,024 bytes; the layout's own part is at most 80. */
const longestPrefix = 900;

/**
 * A prefix as restic cleans it: without empty parts and `.`, and without `/` at the ends; '' is the whole bucket.
 * Throws `bad-usage`, with this guidance, for one that climbs (`..`), is too long, or holds control characters.
 */
export function checkPrefix(path: string, guidance: string): string {
  const parts = path.split('/').filter((part) => part !== '' && part !== '.');
  const prefix = parts.join('/');
  const problem = parts.includes('..')
    ? 'The path in a bucket cannot contain “..”.'
    : Buffer.byteLength(prefix) > longestPrefix
      ? `The path in a bucket can have ${longestPrefix} bytes at most.`
      : /[\p{Cc}\ufffd]/u.test(prefix) || !prefix.isWellFormed()
        ? 'The path in a bucket holds characters that no address can hold.'
        : undefined;
  return problem === undefined ? prefix : fail('bad-usage', { problem, guidance });
}

/** The keys of a repository's files below a prefix. */
export class Keys {
  readonly #base: string;

  /** `prefix` as {@link checkPrefix} gives it. */
  constructor(prefix: string) {
    this.#base = prefix === '' ? '' : `${prefix}/`;
  }

  /** Throws `internal` for a name that no file can have. */
  of(file: StoredFile): string {
    return this.#base + layoutPath(file);
  }

  /** What the keys of all files of a kind begin with; that of config is its whole key. */
  below(kind: FileKind): string {
    return this.#base + (kind === 'config' ? 'config' : `${folderOf[kind]}/`);
  }

  /**
   * The file at a key, or undefined for a foreign one. The name is a string of its own, not a part of the key: a million
   * of them would keep all listings in memory.
   */
  fileAt(key: string): StoredFile | undefined {
    if (!key.startsWith(this.#base)) return undefined;
    const file = fileAt(key.slice(this.#base.length));
    return file && { kind: file.kind, name: Buffer.from(file.name, 'latin1').toString('latin1') };
  }
}

/** Percent-encodes all that RFC 3986 does not call unreserved, as the signatures of S3 and Google want it; `/` stays. */
export const encodeKey = (key: string): string => key.split('/').map(encodePart).join('/');

export const encodePart = (text: string): string =>
  encodeURIComponent(text).replaceAll(/[!'()*]/g, (char) => `%${char.charCodeAt(0).toString(16).toUpperCase()}`);
