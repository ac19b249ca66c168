/** What is known of trees while a search goes on: one byte for each tree and level, in shared memory. */
import type { Level } from './levels.ts';

export const mark = {
  /** Looked into, or about to be. */
  seen: 1,
  /** It or something below holds a hit, or cannot be read, or was not looked into: who wants all hits has to go there. */
  holds: 2,
} as const;

export interface SearchMemory {
  /** Records of the index. */
  readonly records: number;
  /** IDs of levels in the order in which they were met, then zeros. */
  readonly levels: Uint32Array;
  /** For each of them a byte for each record. */
  readonly marks: Uint8Array;
}

/** Levels beyond these, which no patterns for people need, are not remembered: their trees are read for each snapshot. */
const mostLevels = 64;
/** Places of marks are 32-bit numbers, and a search must not take all memory. Bytes that are never touched cost nothing. */
const mostMarks = 2 ** 31;

export function searchMemory(records: number): SearchMemory {
  const levels = Math.max(1, Math.min(mostLevels, Math.floor(mostMarks / Math.max(1, records))));
  return {
    records,
    levels: new Uint32Array(new SharedArrayBuffer(levels * 4)),
    marks: new Uint8Array(new SharedArrayBuffer(levels * records)),
  };
}

export class SearchMarks {
  readonly #memory: SearchMemory;
  readonly #numbers = new Map<number, number>();

  constructor(memory: SearchMemory) {
    this.#memory = memory;
  }

  /** Where the mark of a tree is at a level; -1 for a level that is not remembered. */
  placeOf(record: number, level: Level): number {
    let number = this.#numbers.get(level.id);
    if (number === undefined) {
      number = this.#numberOf(level.id);
      this.#numbers.set(level.id, number);
    }
    return number < 0 ? -1 : number * this.#memory.records + record;
  }

  /** Adds to the mark, and gives what it was before. */
  set(place: number, bits: number): number {
    const { marks } = this.#memory;
    const before = Atomics.load(marks, place);
    return (before & bits) === bits ? before : Atomics.or(marks, place, bits);
  }

  get(place: number): number {
    return Atomics.load(this.#memory.marks, place);
  }

  #numberOf(id: number): number {
    if (id === 0) return -1;
    const { levels } = this.#memory;
    for (let number = 0; number < levels.length; number++) {
      const known = Atomics.compareExchange(levels, number, 0, id);
      if (known === 0 || known === id) return number;
    }
    return -1;
  }
}

export interface SpreadArgs {
  readonly memory: SearchMemory;
  /** As {@link Searched} gives them. */
  readonly edges: Uint32Array<ArrayBuffer>;
}

/** Job: tells the trees above those that hold something. */
export function spreadMarks({ memory, edges }: SpreadArgs): void {
  const marks = new SearchMarks(memory);
  // Read as 64-bit numbers, which are little-endian everywhere Node runs, pairs are in the order of their second parts.
  new BigUint64Array(edges.buffer, edges.byteOffset, edges.length / 2).sort();
  const count = edges.length / 2;
  const holding: number[] = [];
  for (let i = 0; i < count; i++) {
    const below = edges[2 * i + 1];
    if ((i === 0 || edges[2 * i - 1] !== below) && (marks.get(below) & mark.holds) !== 0) holding.push(below);
  }
  for (let below = holding.pop(); below !== undefined; below = holding.pop()) {
    for (let i = firstOf(edges, below); i < count && edges[2 * i + 1] === below; i++) {
      const above = edges[2 * i];
      if ((marks.set(above, mark.holds) & mark.holds) === 0) holding.push(above);
    }
  }
}

/** The first pair whose second part is not smaller than `below`. */
function firstOf(edges: Uint32Array, below: number): number {
  let [low, high] = [0, edges.length / 2];
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (edges[2 * middle + 1] < below) low = middle + 1;
    else high = middle;
  }
  return low;
}
