/**
 * Rolling verification: each destination's data is cut into as many parts as there are weeks in a round; each week one part is read, so
 * that after a round every pack was. A pack's part is told by its ID, so that it does not depend on what comes and goes.
 */
import type { StateStore } from '../state/store.ts';

export const weekMs = 7 * 24 * 60 * 60_000;
/** Reading from a server costs time and money, from a drive hardly anything. */
const partsNear = 8;
const partsFar = 26;

interface Position {
  readonly of: number;
  /** When it was looked at first, in ms since 1970: what was just written need not be read at once. */
  readonly since: number;
  /** When each part was read last, in ms since 1970; 0: never. */
  readonly read: readonly number[];
}

type Memory = Pick<StateStore, 'recall' | 'remember' | 'forget'>;
const nameOf = (destination: string): string => `rolling check of ${destination}`;

export class Rolling {
  readonly #memory: Memory;

  constructor(memory: Memory) {
    this.#memory = memory;
  }

  /**
   * The part that was not read for the longest time; undefined while something was read, or the destination was new, less than a week
   * ago. `part` counts from 1. Throws `state-failed`.
   */
  due(destination: string, isNear: boolean, now: number): { readonly part: number; readonly of: number } | undefined {
    const position = this.#position(destination, isNear ? partsNear : partsFar, now);
    const { of, since, read } = position;
    this.#memory.remember(nameOf(destination), position);
    const newest = Math.max(since, ...read);
    // A clock that was set back must not put it off for years.
    if (now >= newest && now - newest < weekMs) return undefined;
    const part = read.indexOf(Math.min(...read)) + 1;
    return { part, of };
  }

  /** Throws `state-failed`. */
  note(destination: string, part: number, of: number, at: number): void {
    const { since, read } = this.#position(destination, of, at);
    this.#memory.remember(nameOf(destination), { of, since, read: read.map((each, i) => (i === part - 1 ? at : each)) });
  }

  /** All of it was read. */
  noteAll(destination: string, isNear: boolean, at: number): void {
    const of = isNear ? partsNear : partsFar;
    this.#memory.remember(nameOf(destination), { of, since: at, read: Array.from({ length: of }, () => at) });
  }

  forget(destination: string): void {
    this.#memory.forget(nameOf(destination));
  }

  /** Null while a part was never read. */
  allReadSince(destination: string): number | null {
    const position = this.#memory.recall(nameOf(destination)) as Position | undefined;
    const oldest = position ? Math.min(...position.read) : 0;
    return oldest === 0 ? null : oldest;
  }

  #position(destination: string, of: number, now: number): Position {
    const known = this.#memory.recall(nameOf(destination)) as Position | undefined;
    return known?.of === of ? known : { of, since: now, read: Array.from({ length: of }, () => 0) };
  }
}
