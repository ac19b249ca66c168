/**
 * The indexes of local repositories, kept in memory from run to run: loading them takes longer than a run after a few changes.
 *
 * They take 62 bytes a blob, so that 100,000 files take about 8 MB. One goes after some time without a run, the oldest when all take more
 * than their share, and all when the computer is short of memory. The next run loads what is gone, and is slower for that and nothing else.
 */
import { ResidentIndex } from '../../engine/index/resident-index.ts';
import { availableMemory } from '../../platform/memory.ts';
import type { Clock } from '../../platform/clock.ts';

export interface ResidentLimits {
  /** Of all together, in bytes. */
  readonly most: number;
  /** What the process may still take, in bytes; below `least` the computer is short of memory. */
  readonly available: () => number;
  readonly least: number;
}

/** About two million blobs. */
const usual: ResidentLimits = { most: 128 << 20, available: availableMemory, least: 256 << 20 };
const longestIdleMs = 30 * 60_000;
const lookEveryMs = 60_000;

export class ResidentIndexes {
  readonly #clock: Clock;
  readonly #limits: ResidentLimits;
  readonly #residents = new Map<string, { readonly index: ResidentIndex; readonly usedAt: number }>();
  readonly #stop: () => void;

  constructor(clock: Clock, limits: ResidentLimits = usual) {
    this.#clock = clock;
    this.#limits = limits;
    this.#stop = clock.every(lookEveryMs, () => this.look());
  }

  /** Of a destination, for one run after the other. */
  of(destination: string): ResidentIndex {
    const index = this.#residents.get(destination)?.index ?? new ResidentIndex();
    // The one used last is the last.
    this.#residents.delete(destination);
    this.#residents.set(destination, { index, usedAt: this.#clock.monotonic() });
    return index;
  }

  /** Of a destination, for whoever only looks; undefined when none is kept. */
  known(destination: string): ResidentIndex | undefined {
    return this.#residents.get(destination)?.index;
  }

  /** Memory that all take, in bytes. */
  get byteLength(): number {
    let bytes = 0;
    for (const { index } of this.#residents.values()) bytes += index.byteLength;
    return bytes;
  }

  /** Lets go of what has not been used for long, or is too much. */
  look(): void {
    const { most, least, available } = this.#limits;
    const now = this.#clock.monotonic();
    const isShort = available() < least;
    for (const [id, { usedAt }] of this.#residents)
      if (isShort || now - usedAt >= longestIdleMs || this.byteLength > most) this.#residents.delete(id);
  }

  close(): void {
    this.#stop();
    this.#residents.clear();
  }
}
