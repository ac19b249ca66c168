/** Pages of a list that is made anew for each: the cursor is the place in it. */
import { fail } from '../../contract/errors.ts';

export function pageOf<T>(all: readonly T[], cursor: string | undefined, limit: number): { page: T[]; next: string | null } {
  const from = placeOf(cursor);
  const end = from + limit;
  return { page: all.slice(from, end), next: end < all.length ? String(end) : null };
}

/** Throws `request-invalid`. */
export function placeOf(cursor: string | undefined): number {
  const from = cursor === undefined ? 0 : Number(cursor);
  return Number.isSafeInteger(from) && from >= 0 ? from : fail('request-invalid', { problem: 'the cursor is none of ours' });
}
