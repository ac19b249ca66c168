/** How much of its sources a backup looked at. */
import { z } from 'zod';

/**
 * Why a run looked at everything although folders are watched. Those of the watcher first (`restarted`: nothing is known of the time
 * before; `burst`: so many changes at once that the system may have dropped some; `stalled`: nobody looked for over a second; `limit`:
 * the system allows no more watches; `polled`: others may change files there unseen; `mount-changed`, `root-changed`: another file system
 * or folder is where a source was; `clock-changed`; `not-listed`, `watch-failed`: a folder could not be watched; `too-many` changes), then
 * those of the journal, and of the repository.
 */
export const fullScanReasons = [
  'restarted',
  'burst',
  'stalled',
  'limit',
  'polled',
  'mount-changed',
  'root-changed',
  'clock-changed',
  'not-listed',
  'watch-failed',
  'too-many',
  'not-watched',
  'no-losses-told',
  'first',
  'daily',
  'missed',
  'strategy',
  'other-parent',
  'hard-links',
  'damage',
  'repository-changed',
] as const;
export type FullScanReason = (typeof fullScanReasons)[number];

export const scanReportSchema = z.strictObject({
  /** Only what has changed, and what leads there, was looked at. */
  isPartial: z.boolean(),
  foldersVisited: z.number(),
  /** Why everything was looked at. */
  because: z.enum(fullScanReasons).optional(),
});
export type ScanReport = z.infer<typeof scanReportSchema>;

const reasonTexts: Readonly<Record<FullScanReason, string>> = {
  restarted: 'what changed before the service was started is not known',
  burst: 'there were so many changes at once that some may not have been noticed',
  stalled: 'the computer was so busy that changes may not have been noticed',
  limit: 'the system does not allow as many watched folders as there are',
  polled: 'some of the folders are where others may change them unnoticed',
  'mount-changed': 'something was mounted or unmounted in them',
  'root-changed': 'one of them was moved, deleted or replaced',
  'clock-changed': 'the clock was set',
  'not-listed': 'new folders were still being looked at',
  'watch-failed': 'a folder could not be watched',
  'too-many': 'too much has changed',
  'not-watched': 'they are not watched: this plan does not run after changes',
  'no-losses-told': 'this system does not tell when a change went unnoticed',
  first: 'there is no snapshot here from which changes were noted',
  daily: 'once a day everything is looked at, to see whether a change was missed',
  missed: 'a change was missed lately',
  strategy: 'this kind of run trusts nothing',
  'other-parent': 'the newest snapshot is not the one from which changes were noted',
  'hard-links': 'files with several names changed, which may have done so anywhere',
  damage: 'something is damaged in the repository',
  'repository-changed': 'the repository was cleaned up or repaired',
};

/** In words, as a sentence. */
export function scanText({ isPartial, foldersVisited, because }: ScanReport): string {
  const folders = foldersVisited === 1 ? '1 folder' : `${foldersVisited} folders`;
  if (isPartial) return `Only what changed was looked at: ${folders}.`;
  return `All of the sources was looked at, ${folders}${because ? `: ${reasonTexts[because]}` : ''}.`;
}
