/**
 * Patterns followed from folder to folder, as restic's find follows them (restic 0.18, internal/filter): a pattern is cut at its
 * slashes into parts, one for each name on the way; the part `**` is any number of names. A pattern that begins with a slash begins
 * at the root, any other wherever it likes. What lies in a folder that matches counts, too, unless that is not wanted.
 *
 * A {@link Level} is what is left of all patterns in one folder; folders for which the same is left share one.
 */
import { accepts, type Segment } from '../backup/patterns.ts';
import { globTest } from './glob.ts';

export interface PatternOptions {
  /** Texts of name-text.ts. */
  readonly patterns: readonly string[];
  readonly ignoreCase: boolean;
  /** Whether what lies in a folder that matches counts. */
  readonly contents: boolean;
}

export interface Level {
  /** A 32-bit number above 0, the same in every thread, by which {@link Levels.at} gives the level again; 0 when there is none. */
  readonly id: number;
  /** Whether an entry of this name matches; `text` as of name-text.ts. */
  hits(text: string): boolean;
  /** The level of the folder of this name; undefined when nothing in it can match. */
  enter(text: string): Level | undefined;
}

export interface Levels {
  /** Of what lies in the root; undefined when nothing can match. */
  readonly root: Level | undefined;
  at(id: number): Level;
}

type NameSegment = Segment & { readonly globstar: false };

/** A place in a pattern: what the next name must be. */
interface Step {
  /** Undefined for `**`. */
  readonly name: NameSegment | undefined;
  readonly isLast: boolean;
}

/** Beyond so many levels, which no patterns for people need, they are made anew each time. */
const mostLevels = 4096;

/** Places that may make a difference between levels; a level that any other is part of has no number. */
const mostNumbered = 30;

/** Here everything matches. */
export const everything: Level = { id: 2, hits: () => true, enter: () => everything };

/** Throws `bad-usage`. */
export function levelsOf({ patterns, ignoreCase, contents }: PatternOptions): Levels {
  const steps: Step[] = [];
  const starts: number[] = [];
  /** Steps that begin a pattern that may begin anywhere. */
  const floating: number[] = [];
  for (const pattern of patterns) {
    const parts = cleanParts(pattern);
    starts.push(steps.length);
    if (parts[0] !== '') floating.push(steps.length);
    parts.forEach((part, i) => steps.push({ name: segmentOf(part, pattern, ignoreCase), isLast: i === parts.length - 1 }));
  }
  // A place where any pattern may begin is part of every level.
  const telling = steps.map((_, place) => place).filter((place) => !floating.includes(place));
  const levels = new Map<string, Level>();

  class FolderLevel implements Level {
    readonly id: number;
    readonly #finals: NameSegment[] = [];
    readonly #moving: { readonly segment: NameSegment; readonly next: number }[] = [];
    readonly #staying: number[];
    /** A `**` at the end of a pattern takes any name. */
    readonly #takesAll: boolean;
    /** The level of a folder whose name no pattern is about. */
    #otherFolder: Level | undefined | 'unknown' = 'unknown';

    constructor(places: readonly number[]) {
      const bits = places.map((place) => telling.indexOf(place)).filter((bit) => bit >= 0);
      this.id = bits.some((bit) => bit >= mostNumbered) ? 0 : bits.reduce((id, bit) => id + 2 ** (bit + 1), 1);
      const all = closure(steps, places);
      this.#staying = all.filter((place) => !steps[place].name);
      this.#takesAll = this.#staying.some((place) => steps[place].isLast);
      for (const place of all) {
        const segment = steps[place].name;
        if (!segment) continue;
        if (endsBehind(steps, place)) this.#finals.push(segment);
        if (!steps[place].isLast) this.#moving.push({ segment, next: place + 1 });
      }
    }

    hits(text: string): boolean {
      if (this.#takesAll) return true;
      const folded = ignoreCase ? text.toLowerCase() : text;
      for (const segment of this.#finals) if (accepts(segment, text, folded)) return true;
      return false;
    }

    enter(text: string): Level | undefined {
      if (contents && this.hits(text)) return everything;
      const folded = ignoreCase ? text.toLowerCase() : text;
      const moved = this.#moving.filter(({ segment }) => accepts(segment, text, folded));
      if (moved.length > 0) return levelAt([...this.#staying, ...moved.map(({ next }) => next)]);
      if (this.#otherFolder === 'unknown') this.#otherFolder = levelAt(this.#staying);
      return this.#otherFolder;
    }
  }

  function levelAt(reached: readonly number[]): Level | undefined {
    const places = [...new Set([...reached, ...floating])].sort((a, b) => a - b);
    if (places.length === 0) return undefined;
    const key = places.join();
    let level = levels.get(key);
    if (!level) {
      level = new FolderLevel(places);
      if (levels.size < mostLevels) levels.set(key, level);
    }
    return level;
  }

  return {
    // To a pattern, the root is a name that is empty.
    root: patterns.includes('') ? everything : new FolderLevel(starts).enter(''),
    at: (id) => (id === everything.id ? everything : levelAt(telling.filter((_, bit) => (id & (2 ** (bit + 1))) !== 0))!),
  };
}

function segmentOf(part: string, pattern: string, ignoreCase: boolean): NameSegment | undefined {
  if (part === '**') return undefined;
  const test = part === '' ? ({ kind: 'literal', text: '' } as const) : globTest(part, pattern, ignoreCase);
  return { globstar: false, test, ignoreCase };
}

/** These places and those that a `**` may skip to, in ascending order. */
function closure(steps: readonly Step[], places: readonly number[]): number[] {
  const all = new Set(places);
  // A set is iterated over what is added meanwhile.
  for (const place of all) if (!steps[place].name && !steps[place].isLast) all.add(place + 1);
  return [...all].sort((a, b) => a - b);
}

/** Whether nothing is left of the pattern behind this step, or nothing but `**`, which may stand for no name at all. */
function endsBehind(steps: readonly Step[], place: number): boolean {
  let at = place;
  while (!steps[at].isLast) if (steps[++at].name) return false;
  return true;
}

/** The parts of a pattern; the first one is empty when it begins with a slash. As Go's filepath.Clean does it. */
function cleanParts(pattern: string): string[] {
  const isRooted = pattern.startsWith('/');
  const parts: string[] = [];
  for (const part of pattern.split('/')) {
    if (part === '' || part === '.') continue;
    if (part === '..' && (isRooted || (parts.length > 0 && parts.at(-1) !== '..'))) parts.pop();
    else parts.push(part);
  }
  if (isRooted) return parts.length === 0 ? ['', ''] : ['', ...parts];
  return parts.length === 0 ? ['.'] : parts;
}
