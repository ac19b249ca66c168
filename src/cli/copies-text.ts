/** How far a destination is behind the others of a plan, in words. */
import type { CopyState } from '../contract/copies.ts';
import { counted } from '../platform/sizes.ts';
import { formatMoment } from './dates.ts';

/** Undefined where nothing is owed. */
export function behindText({ isKnown, owed, due, oldest, dueAt, run, retryAt }: CopyState): string | undefined {
  if (owed === 0 || oldest === null) return undefined;
  const what = `${isKnown ? '' : 'perhaps '}${counted(owed, 'snapshot')} behind, the oldest of ${formatMoment(oldest)}`;
  if (run !== null) return `${what}, being copied by run ${run}`;
  if (due === 0 && dueAt !== null) return `${what}, to be copied ${formatMoment(dueAt)}`;
  return retryAt === null ? what : `${what}, tried again ${formatMoment(retryAt)}`;
}
