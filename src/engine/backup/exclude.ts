/**
 * What a backup leaves out, by name: patterns, pattern files and presets become *rules* (plain data that crosses to workers), and a
 * worker makes of them an *excluder* for each source folder.
 *
 * Patterns are git's (see patterns.ts), with these rules on top:
 * - They are looked at in the order presets, pattern files, patterns, patterns that ignore case; the last that matches decides, so that
 *   `!name` on the command line brings back what a preset excludes. As in git nothing inside an excluded folder can be brought back.
 * - A pattern with a slash at its start or in the middle is anchored at the source folder. If it begins with the source folder's own
 *   absolute path (`/home/u/cache` for the source `/home/u`; after the first name wildcards are allowed) it means that absolute path
 *   instead. On Windows write `C:/Users/u/cache`, with slashes, for a backslash is an escape.
 * - The source folder itself is never excluded.
 * - Comments (`#`), and blanks at the end that do not count, exist only in files. `$HOME` means nothing (restic expands it in files).
 * - A pattern that can never match is refused: what a person wanted to leave out would silently be stored.
 */
import { splitPath } from '../../platform/byte-paths.ts';
import { fail } from '../../contract/errors.ts';
import { matcher, type Level } from './exclude-matcher.ts';
import { excludePreset } from './exclude-presets.ts';
import { cacheTag, parseTag, type ExcludeTag } from './exclude-tags.ts';
import { nameText } from './name-text.ts';
import { parsePattern, type Pattern } from './patterns.ts';

export interface ExcludeOptions {
  /** `--exclude`: one pattern each. */
  readonly patterns?: readonly (string | Buffer)[] | undefined;
  /** `--iexclude`: patterns that ignore case. */
  readonly patternsIgnoringCase?: readonly (string | Buffer)[] | undefined;
  /** `--exclude-file` and `--iexclude-file`: the files' contents; `name` is for errors. */
  readonly files?: readonly { readonly name: string; readonly content: Buffer; readonly ignoreCase?: boolean | undefined }[] | undefined;
  /** Names of presets (exclude-presets.ts). */
  readonly presets?: readonly string[] | undefined;
  /** `--exclude-if-present NAME[:HEADER]` */
  readonly ifPresent?: readonly string[] | undefined;
  /** `--exclude-caches` */
  readonly caches?: boolean | undefined;
  /** `--exclude-larger-than`, in bytes (parseSizeLimit in exclude-facts.ts). */
  readonly largerThan?: number | undefined;
  readonly oneFileSystem?: boolean | undefined;
}

/** Plain data, for structured clone and JSON. */
export interface ExcludeRules {
  /** In order; `text` as of name-text.ts. */
  readonly patterns: readonly { readonly text: string; readonly ignoreCase: boolean }[];
  /** For exclude-tags.ts. */
  readonly tags: readonly ExcludeTag[];
  /** Bytes; for exclude-facts.ts. */
  readonly largerThan: number | null;
  /** For exclude-facts.ts. */
  readonly oneFileSystem: boolean;
}

/** The exclusions in one folder. Holds nothing of the file system; may be kept and shared. */
export interface FolderExcluder {
  /** Whether the entry `name` of this folder is left out. `isDirectory` is false for a link to a folder. */
  excludes(name: Buffer, isDirectory: boolean): boolean;

  /**
   * The exclusions in the folder `name` of this one, which is not excluded itself. `isSource`: it is also a source folder, so that
   * anchored patterns may be meant from there.
   */
  enter(name: Buffer, isSource?: boolean): FolderExcluder;

  /** Folders with the same key have the same exclusions, themselves and all that is in them. */
  readonly key: string;
}

export interface Excluder {
  /** The exclusions in the source folder itself: begin here and {@link FolderExcluder.enter} each folder that is walked. */
  readonly root: FolderExcluder;

  /**
   * Whether `path`, relative to the source folder, is left out, itself or with a folder on its way. For single questions: walking is
   * faster through {@link root}.
   */
  excludes(path: Buffer, isDirectory: boolean): boolean;
}

/**
 * Reads all options once, before anything runs.
 * @throws `bad-usage` naming the option or the file and line that is wrong
 */
export function compileExcludes(options: ExcludeOptions): ExcludeRules {
  const patterns: { text: string; ignoreCase: boolean }[] = [];
  const add = (text: string, ignoreCase: boolean, origin: string): void => {
    const pattern = parsePattern(text, ignoreCase);
    if (typeof pattern === 'string') {
      fail('bad-usage', {
        problem: `${origin}: the exclude pattern “${text}” can never match (${pattern}).`,
        guidance: 'Correct the pattern; put a backslash before a character that is meant literally.',
      });
    }
    patterns.push({ text, ignoreCase });
  };
  for (const name of options.presets ?? []) {
    const preset = excludePreset(name);
    for (const pattern of preset.patterns) add(pattern, false, name);
    for (const pattern of preset.patternsIgnoringCase) add(pattern, true, name);
  }
  for (const { name, content, ignoreCase } of options.files ?? []) {
    for (const { text, line } of patternLines(content)) add(text, ignoreCase === true, `${name}, line ${line}`);
  }
  for (const pattern of options.patterns ?? []) add(textOf(pattern), false, '--exclude');
  for (const pattern of options.patternsIgnoringCase ?? []) add(textOf(pattern), true, '--iexclude');
  const { largerThan } = options;
  if (largerThan !== undefined && !(largerThan >= 0)) {
    fail('bad-usage', {
      problem: `--exclude-larger-than: ${largerThan} is no size.`,
      guidance: 'Give a size in bytes, or with K, M, G or T.',
    });
  }
  return {
    patterns,
    tags: [...(options.ifPresent ?? []).map(parseTag), ...(options.caches === true ? [cacheTag] : [])],
    largerThan: largerThan ?? null,
    oneFileSystem: options.oneFileSystem === true,
  };
}

/**
 * @param rules of {@link compileExcludes}
 * @param sourceRoot the absolute path of the source folder
 */
export function createExcluder(rules: ExcludeRules, sourceRoot: Buffer): Excluder {
  const patterns = rules.patterns
    .map(({ text, ignoreCase }) => parsePattern(text, ignoreCase))
    .filter((p): p is Pattern => typeof p !== 'string');
  if (patterns.length === 0) return { root: excludesNothing, excludes: () => false };
  const root = new PatternFolder(matcher(patterns, rootNames(sourceRoot)));
  return {
    root,
    excludes(path, isDirectory) {
      const names = splitPath(path);
      const last = names.pop();
      if (last === undefined) return false;
      let folder: FolderExcluder = root;
      for (const name of names) {
        if (folder.excludes(name, true)) return true;
        folder = folder.enter(name);
      }
      return folder.excludes(last, isDirectory);
    },
  };
}

const excludesNothing: FolderExcluder = { excludes: () => false, enter: () => excludesNothing, key: '' };

class PatternFolder implements FolderExcluder {
  readonly #level: Level;
  /** Nearly all folders share a level, so they share this as well: the one that was entered last. */
  #lastEntered: PatternFolder | undefined;

  constructor(level: Level) {
    this.#level = level;
  }

  excludes(name: Buffer, isDirectory: boolean): boolean {
    return this.#level.excludes(nameText(name), isDirectory);
  }

  get key(): string {
    return this.#level.key;
  }

  enter(name: Buffer, isSource = false): PatternFolder {
    const level = this.#level.enter(nameText(name), isSource);
    if (level === this.#level) return this;
    const known = this.#lastEntered;
    if (known !== undefined && known.#level === level) return known;
    return (this.#lastEntered = new PatternFolder(level));
  }
}

const textOf = (pattern: string | Buffer): string => nameText(typeof pattern === 'string' ? Buffer.from(pattern) : pattern);

/** The names on the way to `path`; a drive (`C:`) counts as one, and there a backslash separates as well. */
function rootNames(path: Buffer): string[] {
  const text = nameText(path);
  return text.split(/^[A-Za-z]:[\\/]/.test(text) ? /[\\/]/ : '/').filter((name) => name !== '');
}

/** The patterns in a file, with the numbers of their lines: without empty lines, comments, line ends and blanks at the end, as git reads it. */
export function patternLines(content: Buffer): { text: string; line: number }[] {
  const hasMark = content.length >= 3 && content[0] === 0xef && content[1] === 0xbb && content[2] === 0xbf;
  const found: { text: string; line: number }[] = [];
  for (const [i, raw] of nameText(hasMark ? content.subarray(3) : content)
    .split('\n')
    .entries()) {
    if (raw.startsWith('#')) continue;
    const text = withoutBlanksAtEnd(raw.endsWith('\r') ? raw.slice(0, -1) : raw);
    if (text !== '') found.push({ text, line: i + 1 });
  }
  return found;
}

/** A blank stays when a backslash stands before it. */
function withoutBlanksAtEnd(line: string): string {
  let end = line.length;
  while (end > 0 && line[end - 1] === ' ') end--;
  let backslashes = 0;
  while (line[end - 1 - backslashes] === '\\') backslashes++;
  return line.slice(0, backslashes % 2 === 1 && end < line.length ? end + 1 : end);
}
