/** Reading what people type: options given several times, numbers, snapshots with paths. */
import { fail } from '../contract/errors.ts';
import { nameBytes } from '../engine/backup/name-text.ts';
import { parseSnapshotPlace, type SnapshotPlace } from '../engine/snapshot-path.ts';

/** For an option that may be given several times. */
export const collect = (value: string, before: readonly string[] | undefined): string[] => [...(before ?? []), value];

/** For an option that takes a count. Throws `bad-usage`. */
export function parseCount(text: string, option: string): number {
  if (/^\d+$/.test(text) && Number.isSafeInteger(Number(text)) && Number(text) > 0) return Number(text);
  return fail('bad-usage', { problem: `${option}: “${text}” is not a number above 0.`, guidance: 'Write a whole number.' });
}

/** One of `choices`. Throws `bad-usage`. */
export function parseChoice<C extends string>(text: string, choices: readonly C[], option: string): C {
  return (
    choices.find((choice) => choice === text) ??
    fail('bad-usage', { problem: `${option}: there is no “${text}”.`, guidance: `Choose from: ${choices.join(', ')}.` })
  );
}

/** `SNAPSHOT[:PATH]` as typed. */
export function parsePlace(text: string): SnapshotPlace {
  const place = parseSnapshotPlace(nameBytes(text));
  if (place.snapshot !== '') return place;
  return fail('bad-usage', {
    problem: `“${text}” names no snapshot.`,
    guidance: 'Write an ID or "latest", then perhaps a colon and a path.',
  });
}

/** Lists of tags: separated by commas, given several times. */
export const splitTags = (lists: readonly string[] | undefined): string[] =>
  (lists ?? [])
    .flatMap((list) => list.split(','))
    .map((tag) => tag.trim())
    .filter((tag) => tag !== '');
