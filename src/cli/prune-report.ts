/** What a person is told about a prune. */
import type { PrunePlan } from '../engine/prune/plan.ts';
import type { PruneResult } from '../engine/prune/prune.ts';
import type { Output } from './output.ts';
import { counted, formatBytes } from '../platform/sizes.ts';

/** What a prune will do, or would. */
export function reportPrunePlan(output: Output, plan: PrunePlan, dryRun: boolean): void {
  output.endProgress();
  const { used, unused, duplicate, remove, repack, unindexed, copiedBytes, freedBytes, unusedAfter, totalBefore, totalAfter } = plan;
  output.lines(
    `Needed by ${counted(plan.snapshots, 'snapshot')}: ${formatBytes(used.bytes)}. Not needed: ${formatBytes(unused.bytes + duplicate.bytes)}.`,
    `${dryRun ? 'Would delete' : 'Deleting'} ${counted(remove.length + unindexed.length, 'pack')}, ` +
      `${dryRun ? 'and would pack' : 'packing'} ${counted(repack.length, 'pack')} anew (${formatBytes(copiedBytes)} copied).`,
    `Frees about ${formatBytes(freedBytes)}: ${formatBytes(totalBefore)} before, ${formatBytes(totalAfter)} after; ${formatBytes(unusedAfter)} that nobody needs stay.`,
  );
}

/** The figures of a plan for programs. */
export const prunePlanFields = ({ remove, repack, unindexed, forgotten, ...figures }: PrunePlan): object => ({
  ...figures,
  removePacks: remove.length,
  repackPacks: repack.length,
  unindexedPacks: unindexed.length,
  forgottenPacks: forgotten.length,
});

export function reportPruned(output: Output, { storedBytes, deletedBytes }: PruneResult): void {
  output.endProgress();
  output.lines(`Pruned: ${formatBytes(deletedBytes)} deleted, ${formatBytes(storedBytes)} stored anew.`);
}
