/** What a backup run of a plan does on one destination. */
import { displayPath } from '../../platform/byte-paths.ts';
import type { HostIdentity } from '../../platform/host.ts';
import { type Retained, type RetainJob, retain } from './retain.ts';
import { counted, formatBytes } from '../../platform/sizes.ts';
import type { Plan } from '../../contract/plan.ts';
import type { LogLine, RunFigures, RunProblem } from '../../contract/run.ts';
import { scanText } from '../../contract/scan.ts';
import type { Strategy } from '../../contract/schedule.ts';
import { type BackupResult, executeBackup } from '../../engine/backup/backup.ts';
import type { HandOver } from '../../engine/backup/hand-over.ts';
import { compileExcludes } from '../../engine/backup/exclude.ts';
import { type BackupPlan, planBackup } from '../../engine/backup/plan.ts';
import type { ResidentIndex } from '../../engine/index/resident-index.ts';
import type { RunJournal } from '../watch/run-journal.ts';
import { patternsLeavingOut } from '../plans/own-folders.ts';
import { tagOfPlan } from '../../engine/own-tags.ts';
import type { RunOptions } from '../../engine/run.ts';
import { fail } from '../../contract/errors.ts';
import type { Repository } from '../../repository/repository.ts';

export interface BackupOutcome {
  readonly snapshot: string;
  readonly strategy: Strategy;
  readonly figures: RunFigures;
  readonly problems: readonly RunProblem[];
  readonly retention: Retained;
  /** What the destination holds is damaged; this snapshot is whole all the same. */
  readonly isDamaged: boolean;
  /** Something is not as it should be, though there is a snapshot. */
  readonly hasWarnings: boolean;
}

export interface BackupJob extends Omit<RetainJob, 'plan'> {
  readonly plan: Plan;
  readonly strategy: Strategy;
  /** The folder with the copy of the profile's settings, which goes along. */
  readonly settingsCopy: string;
  /** Folders and files of Holdfast's own that go into no backup. */
  readonly leftOut: readonly string[];
  readonly identity: HostIdentity;
  readonly journal: RunJournal;
  /** Keeps the index of the repository for the next run. */
  readonly resident: ResidentIndex | undefined;
  /** Of a run that can go on elsewhere. */
  readonly handOver: HandOver | undefined;
}

export type Log = (level: LogLine['level'], text: string) => void;

/**
 * Backs up the plan's sources, and with them the copy of the profile's settings; then applies its retention. Throws what
 * planning and executing throw, `source-missing` when none of the plan's own sources is there. That old snapshots could not be
 * forgotten is a warning.
 */
export async function backUp(repository: Repository, job: BackupJob, options: RunOptions, log: Log): Promise<BackupOutcome> {
  const { plan, strategy, settingsCopy, leftOut, identity, journal } = job;
  const { excludes } = plan;
  const patterns = [...excludes.patterns, ...patternsLeavingOut(leftOut, plan)];
  const prepared = await planBackup(repository, {
    ...identity,
    sources: [...plan.sources.map(({ path }) => path), settingsCopy],
    strategy,
    rules: compileExcludes({ ...excludes, patterns, largerThan: excludes.largerThan ?? undefined }),
    excludes: [...patterns, ...excludes.patternsIgnoringCase],
    tags: [tagOfPlan(plan.id)],
    line: tagOfPlan(plan.id),
  });
  const lost = prepared.missing.filter(({ path }) => displayPath(Buffer.from(path)) !== settingsCopy);
  if (lost.length === plan.sources.length) return fail('source-missing', { path: plan.sources.map(({ path }) => path).join(', ') });
  tellNotes(prepared, settingsCopy, log);
  const result = await executeBackup(repository, prepared, {
    ...options,
    changed: journal.changed,
    resident: job.resident,
    handOver: job.handOver,
  });
  const problems = problemsOf(result);
  for (const error of result.damage) log('warning', `${error.message} ${error.guidance}`);
  const { summary, snapshot } = result;
  log(
    'info',
    `Snapshot ${snapshot.slice(0, 8)} is stored: ${counted(summary.total_files_processed, 'file')}, ${formatBytes(summary.total_bytes_processed)}; ` +
      `added ${formatBytes(summary.data_added_packed)}.`,
  );
  const because = prepared.strategy === 'incremental' ? journal.because : 'strategy';
  const scan = { ...(because ? { because } : {}), ...result.scanned.scan };
  log('info', scanText(scan));
  await journal.done(result, log);
  const retention = await retain(repository, { ...job, plan: plan.id }, options, log);
  // Nobody expects a socket to come back.
  const missing = problems.filter(({ code }) => code !== 'unsupported').length;
  return {
    snapshot,
    strategy: prepared.strategy,
    figures: {
      files: summary.total_files_processed,
      bytes: summary.total_bytes_processed,
      filesNew: summary.files_new,
      filesChanged: summary.files_changed,
      filesUnchanged: summary.files_unmodified,
      bytesAdded: summary.data_added,
      bytesStored: summary.data_added_packed,
      scan,
    },
    problems,
    retention,
    isDamaged: result.damage.length > 0,
    hasWarnings: missing > 0 || result.damage.length > 0 || !retention.isFine,
  };
}

function tellNotes({ notes, strategy, parent }: BackupPlan, settingsCopy: string, log: Log): void {
  for (const note of notes) {
    // It may lie in what the person protects.
    if (note.kind === 'source-inside-another' && note.path === settingsCopy) continue;
    if (note.kind === 'source-inside-another') log('info', `${note.path} lies inside ${note.other} and is stored with it.`);
    else if (note.kind === 'destination-left-out')
      log('info', `The repository ${note.path} lies inside what is backed up. It is left out.`);
    else log('info', 'There is no full snapshot to compare with, so this one becomes full: every byte is read.');
  }
  log('info', parent ? `The run is ${strategy}, compared with snapshot ${parent.id.slice(0, 8)}.` : `The run is ${strategy}.`);
}

const problemsOf = ({ problems }: BackupResult): RunProblem[] =>
  problems.map(({ path, kind, detail }) => ({ path: displayPath(Buffer.from(path)), code: kind, message: detail }));
