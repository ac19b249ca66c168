/** What is remembered of copies: the newest snapshot that each destination was given, and what a person does not want there. */
import { z } from 'zod';
import type { StateStore } from '../state/store.ts';

type Memory = Pick<StateStore, 'recall' | 'remember'>;

const givenName = 'newest copies';
const givenSchema = z.record(z.string(), z.record(z.string(), z.number())).catch({});

/** When the newest snapshot of a plan was made that a destination was given by a copy; milliseconds since 1970. */
export const newestGiven = (memory: Memory, plan: string, destination: string): number | undefined =>
  givenSchema.parse(memory.recall(givenName) ?? {})[plan]?.[destination];

/**
 * How old the newest backup of a plan on a destination is: that of its last run there, or the newest snapshot that it was given. When it was
 * begun, in milliseconds since 1970; undefined when there is none.
 */
export function newestOn(state: Memory & Pick<StateStore, 'runs'>, plan: string, destination: string): number | undefined {
  const times = [state.runs.lastSuccess(plan, destination)?.started ?? [], newestGiven(state, plan, destination) ?? []].flat();
  return times.length > 0 ? Math.max(...times) : undefined;
}

/** A copy is committed. Throws `state-failed`. */
export function noteGiven(memory: Memory, plan: string, destination: string, madeAt: number): void {
  const all = givenSchema.parse(memory.recall(givenName) ?? {});
  if ((all[plan]?.[destination] ?? -Infinity) >= madeAt) return;
  memory.remember(givenName, { ...all, [plan]: { ...all[plan], [destination]: madeAt } });
}

const unwantedName = 'snapshots not to be copied';
const unwantedSchema = z.record(z.string(), z.array(z.string())).catch({});
/** By destination; the newest. */
const mostUnwanted = 5000;

/** Tells what a person has deleted from a destination: it is not copied there again. */
export function unwantedOn(memory: Memory): (destination: string, original: string) => boolean {
  const all = new Map(Object.entries(unwantedSchema.parse(memory.recall(unwantedName) ?? {})).map(([id, list]) => [id, new Set(list)]));
  return (destination, original) => all.get(destination)?.has(original) === true;
}

/** Throws `state-failed`. */
export function noteUnwanted(memory: Memory, destination: string, originals: readonly string[]): void {
  const all = unwantedSchema.parse(memory.recall(unwantedName) ?? {});
  const list = [...new Set([...(all[destination] ?? []), ...originals])].slice(-mostUnwanted);
  memory.remember(unwantedName, { ...all, [destination]: list });
}
