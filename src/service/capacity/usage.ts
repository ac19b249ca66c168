/** What a destination is used for, from its runs: pure. */
import type { SizeSample } from '../../contract/capacity.ts';
import type { Usage } from '../../contract/cost.ts';
import { defaultPackSize, farPackSize } from '../../repository/pack.ts';
import type { RunBrief } from '../state/run-briefs.ts';
import { monthDays, type Step } from './growth.ts';

const dayMs = 86_400_000;
const lookedDays = 30;
/** Beside packs a run that stores something stores a lock, index, snapshot and what refreshes them; and it reads a handful, and lists. */
const otherWrites = 6;
const reads = 12;

type Measured = Pick<SizeSample, 'at' | 'bytes' | 'packs'>;

/**
 * @param samples oldest first, at least one
 * @param runs of the destination, oldest first
 */
export function usageOf(samples: readonly Measured[], runs: readonly RunBrief[], isFar: boolean, now: number): Usage {
  const last = samples.at(-1)!;
  const bytes = last.bytes + storedSince(runs, last.at);
  const lately = runs.filter(({ ended, started }) => started !== null && ended > now - lookedDays * dayMs);
  // What is known of less than a month is stretched to one, but a first day says nothing about thirty.
  const since = Math.min(...runs.map(({ created }) => created), now);
  const days = Math.min(lookedDays, Math.max(7, (now - since) / dayMs));
  const perMonth = (figure: number): number => (figure * monthDays) / days;
  const steps = firstsOf(runs);
  const stored = lately.reduce((sum, run) => sum + run.bytesStored, 0);
  const first = steps.reduce((sum, { at, bytes: size }) => (at > now - lookedDays * dayMs ? sum + size : sum), 0);
  const usual = Math.max(0, stored - first);
  const packSize = isFar ? farPackSize : defaultPackSize;
  // Each run ends with packs that are not full.
  const packs = Math.ceil(usual / packSize) + lately.length;
  const objects = Math.max(last.packs, Math.ceil(bytes / packSize));
  return {
    bytes,
    objects,
    runsPerMonth: perMonth(lately.length),
    storedPerMonth: perMonth(usual),
    deletedPerMonth: deletedPerMonth(samples, runs),
    writesPerMonth: perMonth(packs + lately.length * otherWrites),
    readsPerMonth: perMonth(lately.length * reads),
  };
}

/** Bytes that runs have stored since the measurement. */
export const storedSince = (runs: readonly RunBrief[], at: number): number =>
  runs.reduce((sum, { ended, bytesStored }) => (ended > at ? sum + bytesStored : sum), 0);

/** The first backup of each plan: what it stores was there before. */
export function firstsOf(runs: readonly RunBrief[]): Step[] {
  const seen = new Set<string | null>();
  return runs.flatMap(({ kind, plan, ended, bytesStored }) => {
    if (kind !== 'backup' || bytesStored === 0 || seen.has(plan)) return [];
    seen.add(plan);
    return [{ at: ended, bytes: bytesStored }];
  });
}

/** What was stored between the first and the last measurement of the last 90 days, and is not there any more. */
function deletedPerMonth(samples: readonly Measured[], runs: readonly RunBrief[]): number {
  const last = samples.at(-1)!;
  const first = samples.find(({ at }) => at > last.at - 90 * dayMs)!;
  const days = (last.at - first.at) / dayMs;
  if (days < 7) return 0;
  const stored = runs.reduce((sum, run) => (run.ended > first.at && run.ended <= last.at ? sum + run.bytesStored : sum), 0);
  return (Math.max(0, stored - (last.bytes - first.bytes)) * monthDays) / days;
}
