/** Runs in words, for people. */
import type { Run, RunProgress } from '../contract/run.ts';
import { scanText } from '../contract/scan.ts';
import { counted, formatBytes, formatDuration } from '../platform/sizes.ts';
import { formatMoment } from './dates.ts';

const statusTexts: Readonly<Record<Run['status'], string>> = {
  waiting: 'waits for its destination',
  running: 'at work',
  paused: 'paused',
  succeeded: 'succeeded',
  'completed-with-warnings': 'completed with warnings',
  failed: 'failed',
  cancelled: 'cancelled',
  interrupted: 'interrupted',
  skipped: 'skipped',
};

const reasonTexts: Readonly<Record<NonNullable<Run['reason']>, string>> = {
  'not-plugged-in': 'its drive is not plugged in',
  'on-battery': 'the computer runs on battery',
  'metered-network': 'the network costs by the byte',
  'at-work': 'the run before it was still at work',
  'clock-set-back': 'its time came a second time, since the clock was set back',
};

const causeTexts: Readonly<Record<Run['cause'], string>> = {
  person: 'by hand',
  schedule: 'by its schedule',
  'caught-up': 'caught up',
  changes: 'after changes',
  'drive-arrived': 'since its drive was plugged in',
  login: 'at login',
  retry: 'tried again',
  resumed: 'resumed',
  damage: 'since damage was found',
};

export const statusText = ({ status, reason }: Run): string => `${statusTexts[status]}${reason ? `: ${reasonTexts[reason]}` : ''}`;

/** One line of a list: number, when, what, how it is. */
export const runRow = (run: Run): string[] => [
  String(run.id),
  formatMoment(run.started ?? run.created),
  run.planName,
  run.destinationName,
  run.strategy ?? run.kind,
  statusText(run),
];
export const runColumns = [
  { title: 'Run', right: true },
  { title: 'Time' },
  { title: 'Plan' },
  { title: 'Destination' },
  { title: 'Kind' },
  { title: 'State' },
];

/** All that is known of a run. */
export function runLines(run: Run): string[] {
  const { id, kind, planName, destinationName, cause, strategy, started, ended, snapshot, figures, error, problems, takeovers = [] } = run;
  const lines = [
    `Run ${id}: ${strategy ?? ''}${strategy ? ' ' : ''}${kind} of “${planName}” to “${destinationName}”, ${causeTexts[cause]}`,
  ];
  lines.push(`  ${statusText(run)}`);
  if (started !== null) {
    const took = ended === null ? '' : `, took ${formatDuration((ended - started) / 1000)}`;
    lines.push(`  began ${formatMoment(started)}${took}`);
  }
  for (const { at, fromName, toName, error: why } of takeovers)
    lines.push(`  ${formatMoment(at)}: “${toName}” took over from “${fromName}”. ${why.message}`);
  if (snapshot !== null) lines.push(`  snapshot ${snapshot.slice(0, 8)}`);
  if (figures) {
    const { files, bytes, filesNew, filesChanged, filesUnchanged, bytesStored, copied } = figures;
    if (copied !== undefined) lines.push(`  ${counted(copied, 'snapshot')} copied`);
    else
      lines.push(
        `  ${counted(files, 'file')}, ${formatBytes(bytes)}: ${filesNew} new, ${filesChanged} changed, ${filesUnchanged} unchanged`,
      );
    lines.push(`  ${formatBytes(bytesStored)} more in the repository`);
    if (figures.scan) lines.push(`  ${scanText(figures.scan)}`);
  }
  if (problems > 0) lines.push(`  ${counted(problems, 'item')} could not be stored as they should; see "holdfast run problems ${id}"`);
  if (error) lines.push(`  ${error.message}`, `  ${error.guidance}`);
  return lines;
}

export function progressText({ phase, items, bytes, totalBytes, secondsLeft }: RunProgress): string {
  const share = totalBytes ? ` of ${formatBytes(totalBytes)}` : '';
  const left = secondsLeft === undefined ? '' : `, ${formatDuration(secondsLeft)} left`;
  return `${phase.replaceAll('-', ' ')}: ${counted(items, 'file')}, ${formatBytes(bytes)}${share}${left}`;
}
