/** Where the marks of snapshots stand on the scrubber of time. */

/** One mark: a snapshot, or several that lie too close to be told apart. Indexes are those of the snapshots, oldest first. */
export interface Mark {
  /** From 0, the oldest snapshot, to 1, the newest. */
  readonly at: number;
  readonly first: number;
  readonly last: number;
}

/** Where a time stands; a single moment is at the end. */
export const placeOf = (time: number, from: number, to: number): number => (to > from ? (time - from) / (to - from) : 1);

/** `times`: oldest first. What is nearer than `least` (a part of the whole) becomes one mark. */
export function marksOf(times: readonly number[], least: number): Mark[] {
  const marks: Mark[] = [];
  const [from, to] = [times[0] ?? 0, times.at(-1) ?? 0];
  for (const [index, time] of times.entries()) {
    const at = placeOf(time, from, to);
    const before = marks.at(-1);
    if (before && at - before.at < least) marks[marks.length - 1] = { ...before, last: index };
    else marks.push({ at, first: index, last: index });
  }
  return marks;
}

/** The index of the time that is nearest to a place. */
export function nearest(times: readonly number[], place: number): number {
  const [from, to] = [times[0] ?? 0, times.at(-1) ?? 0];
  let best = 0;
  for (const [index, time] of times.entries())
    if (Math.abs(placeOf(time, from, to) - place) <= Math.abs(placeOf(times[best] ?? 0, from, to) - place)) best = index;
  return best;
}
