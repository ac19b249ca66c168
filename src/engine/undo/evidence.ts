/**
 * Tells what a restore has put somewhere from what somebody has changed since. The witness is the time of change (ctime),
 * which the file system sets itself: what was last changed while the restore, or an undo of it, was at work is theirs. What was
 * written while they were at work, by somebody else, has a time of modification of those moments, since everything that is
 * restored gets an older one.
 */
import type { BigIntStats } from 'node:fs';

/** In nanoseconds since 1970. */
export interface Interval {
  readonly from: bigint;
  readonly to: bigint;
}

const second = 1_000_000_000n;
/** Workers of a restore that begin at the same time may disagree by a moment about when that was. */
const beginMargin = 2n * second;
/** A run that was killed says every second that it is alive; it may have lived a little longer. */
export const killMargin: bigint = 5n * second;
/** Some file systems keep times of modification to two seconds. */
const coarseTime = 2n * second;
const day = 86_400n * second;

export interface EvidenceFacts {
  /** When the restore and undos of it were at work, the restore first. */
  readonly intervals: readonly Interval[];
  /** The file system keeps no times of change. */
  readonly coarse: boolean;
  /** Numbers of the folders that the restore made, as far as they are known. */
  readonly folders: ReadonlySet<string>;
  /** The time now. */
  readonly now: bigint;
}

export class Evidence {
  readonly #facts: EvidenceFacts;

  constructor(facts: EvidenceFacts) {
    this.#facts = facts;
  }

  /** Whether it is what the restore has made at a place that it has recorded. */
  isMade(stat: BigIntStats, made: { readonly size?: number; readonly mtime?: string }): boolean {
    if (stat.isFile() && made.size !== undefined && stat.size !== BigInt(made.size)) return false;
    const sameTime = made.mtime !== undefined && near(stat.mtimeNs, BigInt(made.mtime));
    if (this.#facts.coarse) return sameTime;
    return this.#isOurTime(stat.ctimeNs) && (sameTime || !this.#isFresh(stat.mtimeNs));
  }

  /** Whether what is in a folder that the restore has made was put there by it. */
  isInNewFolder(stat: BigIntStats): boolean {
    if (this.#facts.coarse || !this.#isOurTime(stat.ctimeNs) || this.#isFresh(stat.mtimeNs)) return false;
    // What is older was moved there. A further name of an older file is no loss, as it has other names.
    return this.#isBornHere(stat) || stat.nlink > 1n;
  }

  /** Whether a folder in a folder that the restore has made was made by it, too. */
  isNewFolder(stat: BigIntStats): boolean {
    if (this.#facts.folders.has(String(stat.ino))) return true;
    return !this.#facts.coarse && this.#isOurTime(stat.ctimeNs) && this.#isBornHere(stat);
  }

  /** Whether a file of which only properties were set was left alone since. */
  isUntouched(stat: BigIntStats, times: readonly string[]): boolean {
    const sameTime = times.some((time) => near(stat.mtimeNs, BigInt(time)));
    return sameTime && (this.#facts.coarse || this.#isOurTime(stat.ctimeNs));
  }

  /** Some file systems do not tell when something was made. */
  #isBornHere({ birthtimeNs }: BigIntStats): boolean {
    return birthtimeNs === 0n || this.#isOurTime(birthtimeNs);
  }

  #isOurTime(ns: bigint): boolean {
    return this.#facts.intervals.some(({ from, to }, i) => ns >= (i === 0 ? from - beginMargin : from) && ns <= to);
  }

  /** Whether it was written since the restore began. */
  #isFresh(ns: bigint): boolean {
    const begin = this.#facts.intervals[0]?.from ?? 0n;
    return ns >= begin && ns <= this.#facts.now + day;
  }
}

function near(a: bigint, b: bigint): boolean {
  const between = a > b ? a - b : b - a;
  return between <= coarseTime;
}
