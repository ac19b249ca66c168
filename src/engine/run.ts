/** What every verb of the engine is given, and what it tells while it runs. */
import type { Clock } from '../platform/clock.ts';
import { displayPath } from '../platform/byte-paths.ts';
import type { RunControl } from '../platform/cancellation.ts';
import type { LockHolder } from '../repository/locks.ts';
import type { WorkerPool } from './workers/pool.ts';

export interface RunOptions {
  readonly control: RunControl;
  readonly clock: Clock;
  /** Who the locks say is at work. */
  readonly holder: LockHolder;
  readonly onProgress?: ((progress: Progress) => void) | undefined;
  /** Worker threads; default one for each core. */
  readonly threads?: number | undefined;
  /** Only tests set it: see PoolOptions. */
  readonly corruptBlob?: number | undefined;
}

export type Phase =
  | 'loading'
  | 'scanning'
  | 'backing-up'
  | 'finishing'
  | 'checking'
  | 'restoring'
  | 'verifying'
  | 'pruning'
  | 'comparing'
  | 'searching'
  | 'measuring'
  | 'rewriting'
  | 'copying'
  | 'moving'
  | 'repairing'
  | 'healing'
  | 'undoing'
  | 'exporting';

export interface Progress {
  readonly phase: Phase;
  /** Files, packs or blobs, whatever the phase counts. */
  readonly items: number;
  readonly totalItems: number | undefined;
  readonly bytes: number;
  readonly totalBytes: number | undefined;
  /** What is being worked on; empty when there is nothing to name. */
  readonly path: string;
  /** Over the last seconds. */
  readonly bytesPerSecond: number;
  readonly secondsLeft: number | undefined;
}

const everyMs = 200;
/** Speed is measured over this time, so that it neither jumps nor lags. */
const windowMs = 5_000;

export interface ProgressSource {
  readonly phase: Phase;
  items(): number;
  bytes(): number;
  totalItems?: number | undefined;
  totalBytes?: number | undefined;
}

/** Tells the progress some times a second until the returned function is called, which tells it for the last time. */
export function reportProgress(
  options: Pick<RunOptions, 'clock' | 'onProgress'>,
  pool: Pick<WorkerPool, 'currentPath'>,
  source: ProgressSource,
): () => void {
  const { onProgress, clock } = options;
  if (!onProgress) return () => {};
  const seen: { at: number; bytes: number }[] = [];
  const tell = (): void => {
    const at = clock.monotonic();
    const bytes = source.bytes();
    seen.push({ at, bytes });
    while (seen.length > 2 && at - seen[0].at > windowMs) seen.shift();
    const seconds = (at - seen[0].at) / 1000;
    const bytesPerSecond = seconds > 0 ? (bytes - seen[0].bytes) / seconds : 0;
    const { totalBytes, totalItems, phase } = source;
    const left = totalBytes === undefined ? undefined : Math.max(0, totalBytes - bytes);
    onProgress({
      phase,
      items: source.items(),
      totalItems,
      bytes,
      totalBytes,
      path: displayPath(pool.currentPath),
      bytesPerSecond,
      secondsLeft: left === undefined || bytesPerSecond === 0 ? undefined : left / bytesPerSecond,
    });
  };
  const stop = clock.every(everyMs, tell);
  return () => {
    stop();
    tell();
  };
}
