/** One line on a terminal that says how far a run is. It is written over in one piece, so that it never flickers. */
import type { Phase, Progress } from '../engine/run.ts';
import { printable } from './printable.ts';
import { formatBytes, formatCount, formatDuration } from '../platform/sizes.ts';
import { shorten, textWidth } from './text-width.ts';

const names: Readonly<Record<Phase, string>> = {
  loading: 'Reading the index',
  scanning: 'Looking around',
  'backing-up': 'Backing up',
  finishing: 'Finishing',
  checking: 'Checking',
  restoring: 'Restoring',
  verifying: 'Verifying',
  pruning: 'Pruning',
  comparing: 'Comparing',
  searching: 'Searching',
  measuring: 'Measuring',
  rewriting: 'Rewriting',
  copying: 'Copying',
  moving: 'Moving',
  repairing: 'Repairing',
  healing: 'Healing',
  undoing: 'Undoing',
  exporting: 'Exporting',
};

const barWidth = 20;
/** Less room than this shows no path: nobody could tell which file it is. */
const leastPath = 12;

/** How much is done, from 0 to 1; undefined when nobody knows how much there is. Totals may be estimates, so it never passes 1. */
export function fraction({ items, totalItems, bytes, totalBytes }: Progress): number | undefined {
  if (totalBytes !== undefined && totalBytes > 0) return Math.min(1, bytes / totalBytes);
  if (totalItems !== undefined && totalItems > 0) return Math.min(1, items / totalItems);
  return undefined;
}

/** The line for a terminal of `columns` columns; its last column stays free, since some terminals go to the next line there. */
export function progressLine(progress: Progress, columns: number): string {
  const room = Math.max(0, columns - 1);
  const done = fraction(progress);
  const full = done === undefined ? 0 : Math.floor(done * barWidth);
  const parts = [names[progress.phase]];
  if (done !== undefined && room >= 70) parts.push(`[${'#'.repeat(full)}${'.'.repeat(barWidth - full)}]`);
  if (done !== undefined) parts.push(`${Math.floor(done * 100)}%`.padStart(4));
  parts.push(formatCount(progress.items), formatBytes(progress.bytes));
  if (progress.bytesPerSecond > 0) parts.push(`${formatBytes(progress.bytesPerSecond)}/s`);
  if (progress.secondsLeft !== undefined) parts.push(`${formatDuration(progress.secondsLeft)} left`);
  const line = parts.join('  ');
  const left = room - textWidth(line) - 2;
  if (progress.path !== '' && left >= leastPath) return `${line}  ${shorten(printable(progress.path), left)}`;
  return textWidth(line) <= room ? line : line.slice(0, room);
}

export interface Terminal {
  readonly columns?: number | undefined;
  write(text: string): unknown;
}

const clearToEnd = '\x1b[K';

export class ProgressBar {
  readonly #terminal: Terminal;
  #shown = false;

  constructor(terminal: Terminal) {
    this.#terminal = terminal;
  }

  show(progress: Progress): void {
    this.#shown = true;
    this.#terminal.write(`\r${progressLine(progress, this.#terminal.columns ?? 80)}${clearToEnd}`);
  }

  /** Takes the line away; before anything else is written. */
  clear(): void {
    if (!this.#shown) return;
    this.#shown = false;
    this.#terminal.write(`\r${clearToEnd}`);
  }
}
