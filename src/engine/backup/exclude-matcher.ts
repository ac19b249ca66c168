/**
 * Many patterns, one question for each name. Built for speed, since an incremental backup asks it for every file it meets:
 *
 * - Patterns about names in any folder are looked up by the whole name (a hash table), by the first or by the last character; only what
 *   has none of these is tried one by one.
 * - Patterns about paths are followed from folder to folder as a finite automaton: a {@link Level} knows what is left of each of them in
 *   one folder, and nothing above it is matched again. Folders for which the same is left share one Level; nearly all share the same.
 */
import { accepts, type Pattern, type Segment } from './patterns.ts';

interface NameRule {
  readonly index: number;
  readonly directoriesOnly: boolean;
  readonly segment: Segment & { readonly globstar: false };
}

/** Rules about a name, the later ones first: the last that matches wins, so that the rest need not be tried. */
type Bucket = NameRule[];

const ASCII = 128;

function tryBucket(bucket: Bucket, text: string, folded: string, isDirectory: boolean, best: number): number {
  for (const rule of bucket) {
    if (rule.index <= best) return best;
    if ((isDirectory || !rule.directoriesOnly) && accepts(rule.segment, text, folded)) return rule.index;
  }
  return best;
}

/** Rules that all respect case, or all ignore it. */
class NameIndex {
  /** Name to the last rule that is exactly this name: for anything, and for a directory. */
  readonly #literals = new Map<string, { any: number; directory: number }>();
  readonly #byFirst: Bucket[] = [];
  readonly #byLast: Bucket[] = [];
  readonly #others: Bucket = [];

  constructor(rules: readonly NameRule[]) {
    for (const rule of rules.toReversed()) {
      const { test } = rule.segment;
      if (test.kind === 'literal') {
        const known = this.#literals.get(test.text) ?? { any: -1, directory: -1 };
        if (!rule.directoriesOnly) known.any = Math.max(known.any, rule.index);
        known.directory = Math.max(known.directory, rule.index);
        this.#literals.set(test.text, known);
        continue;
      }
      const first = test.kind === 'affix' && test.start !== '' ? test.start.charCodeAt(0) : ASCII;
      const last = test.kind === 'affix' && test.end !== '' ? test.end.charCodeAt(test.end.length - 1) : ASCII;
      if (last < ASCII) (this.#byLast[last] ??= []).push(rule);
      else if (first < ASCII) (this.#byFirst[first] ??= []).push(rule);
      else if (test.kind !== 'never') this.#others.push(rule);
    }
    for (const buckets of [this.#byFirst, this.#byLast]) for (let i = 0; i < ASCII; i++) buckets[i] ??= [];
  }

  /** The index of the last rule that matches, if it is above `best`; else `best`. `key` is `text` or `folded`. */
  last(key: string, text: string, folded: string, isDirectory: boolean, best: number): number {
    const literal = this.#literals.get(key);
    if (literal !== undefined) best = Math.max(best, isDirectory ? literal.directory : literal.any);
    const end = key.charCodeAt(key.length - 1);
    if (end < ASCII) best = tryBucket(this.#byLast[end]!, text, folded, isDirectory, best);
    const start = key.charCodeAt(0);
    if (start < ASCII) best = tryBucket(this.#byFirst[start]!, text, folded, isDirectory, best);
    return tryBucket(this.#others, text, folded, isDirectory, best);
  }
}

/** A place in a path pattern: `segment` is what the next name must be. */
interface Step {
  readonly rule: number;
  readonly segment: Segment;
  readonly isLast: boolean;
  readonly directoriesOnly: boolean;
}

/** What the patterns say about the names in one folder, and in the folders below. Immutable to its users; kept as long as they like. */
export interface Level {
  /** @param text of the name alone, see name-text.ts */
  excludes(text: string, isDirectory: boolean): boolean;

  /**
   * The level of the folder `text` in this one; meaningful only when it is not excluded. `anew`: patterns that are paths begin there
   * once more, as in a source folder.
   */
  enter(text: string, anew?: boolean): Level;

  /** Levels of one matcher with the same key say the same. */
  readonly key: string;
}

/** More different folders than patterns ever need; beyond, levels are made anew each time. */
const MOST_LEVELS = 4096;

/**
 * @param patterns in order; the last that matches a name decides
 * @param rootNames the names on the way to the source folder, for patterns that are absolute paths
 */
export function matcher(patterns: readonly Pattern[], rootNames: readonly string[]): Level {
  const exact: NameRule[] = [];
  const ignoringCase: NameRule[] = [];
  const steps: Step[] = [];
  const starts: number[] = [];
  for (const [index, { anyFolder, directoriesOnly, segments, rooted }] of patterns.entries()) {
    const [only] = segments;
    if (anyFolder && only !== undefined && !only.globstar) {
      (only.ignoreCase ? ignoringCase : exact).push({ index, directoriesOnly, segment: only });
      continue;
    }
    const start = steps.length;
    for (const [i, segment] of segments.entries()) {
      steps.push({ rule: index, segment, isLast: i === segments.length - 1, directoriesOnly });
    }
    starts.push(...((rooted && placesBelow(steps, start, rootNames)) || [start]));
  }
  const negated = patterns.map((pattern) => pattern.negated);
  const folds = ignoringCase.length > 0 || steps.some(({ segment }) => !segment.globstar && segment.ignoreCase);
  const exactIndex = new NameIndex(exact);
  const foldedIndex = ignoringCase.length === 0 ? undefined : new NameIndex(ignoringCase);
  const levels = new Map<string, FolderLevel>();

  class FolderLevel implements Level {
    readonly #finals: Bucket = [];
    readonly #moving: { readonly segment: Segment & { readonly globstar: false }; readonly next: number }[] = [];
    readonly #staying: readonly number[];
    /** The level of a folder whose name no path pattern is about. */
    #otherFolder: FolderLevel | undefined;
    readonly key: string;

    constructor(places: readonly number[], key: string) {
      this.key = key;
      this.#staying = places.filter((place) => steps[place]!.segment.globstar);
      for (const place of places.toReversed()) {
        const { segment, isLast, rule, directoriesOnly } = steps[place]!;
        if (segment.globstar) continue;
        if (isLast) this.#finals.push({ index: rule, directoriesOnly, segment });
        else this.#moving.push({ segment, next: place + 1 });
      }
    }

    excludes(text: string, isDirectory: boolean): boolean {
      const folded = folds ? text.toLowerCase() : text;
      let best = exactIndex.last(text, text, folded, isDirectory, -1);
      if (foldedIndex !== undefined) best = foldedIndex.last(folded, text, folded, isDirectory, best);
      if (this.#finals.length > 0) best = tryBucket(this.#finals, text, folded, isDirectory, best);
      return best >= 0 && !negated[best]!;
    }

    enter(text: string, anew = false): FolderLevel {
      let places: number[] | undefined = anew ? [...this.#staying, ...starts] : undefined;
      if (this.#moving.length > 0) {
        const folded = folds ? text.toLowerCase() : text;
        for (const { segment, next } of this.#moving) if (accepts(segment, text, folded)) (places ??= [...this.#staying]).push(next);
      }
      return places === undefined ? (this.#otherFolder ??= levelAt(this.#staying)) : levelAt(places);
    }
  }

  /** The level for these places and for those that a `**` may skip to. */
  function levelAt(places: readonly number[]): FolderLevel {
    const all = closure(steps, places);
    const key = all.join();
    let level = levels.get(key);
    if (level === undefined) {
      level = new FolderLevel(all, key);
      if (levels.size < MOST_LEVELS) levels.set(key, level);
    }
    return level;
  }

  return levelAt(starts);
}

/** In ascending order, hence in the order of the patterns. */
function closure(steps: readonly Step[], places: readonly number[]): number[] {
  const all = new Set(places);
  // A globstar is never the last segment of a pattern, and a set is iterated over what is added meanwhile.
  for (const place of all) if (steps[place]!.segment.globstar) all.add(place + 1);
  return [...all].sort((a, b) => a - b);
}

/**
 * Where an absolute pattern stands in the source folder. A pattern is taken for absolute only when its first segment is literally the
 * first name of the source's path and the rest leads into the source; else it is not about this source's absolute path: nothing is returned.
 */
function placesBelow(steps: readonly Step[], start: number, rootNames: readonly string[]): number[] | undefined {
  const first = steps[start]!.segment;
  if (rootNames.length === 0 || first.globstar || first.test.kind !== 'literal') return undefined;
  let places = closure(steps, [start]);
  for (const name of rootNames) {
    const next: number[] = [];
    for (const place of places) {
      const { segment, isLast } = steps[place]!;
      if (segment.globstar) next.push(place);
      else if (!isLast && accepts(segment, name, name.toLowerCase())) next.push(place + 1);
    }
    places = closure(steps, next);
  }
  return places.length === 0 ? undefined : places;
}
