/** Counts what folders hold, and tells it while it counts. */
import { lstatSync, readdirSync } from 'node:fs';
import type { FolderSize } from '../../contract/files.ts';
import { joinPath } from '../../platform/byte-paths.ts';
import { RunControl } from '../../platform/cancellation.ts';
import type { Clock } from '../../platform/clock.ts';
import { makeTurns } from './turns.ts';

const tellMs = 200;

/** One folder after the other, in their order. Ends when `signal` is aborted. */
export async function* folderSizes(
  paths: readonly string[],
  clock: Pick<Clock, 'monotonic'>,
  signal: AbortSignal | undefined,
): AsyncGenerator<FolderSize, void, void> {
  const turn = makeTurns(clock, new RunControl());
  for (const path of paths) {
    const size = { path, files: 0, folders: 0, bytes: 0, unreadable: 0 };
    let told = clock.monotonic();
    const open = [Buffer.from(path)];
    const device = deviceOf(path);
    if (device === undefined) size.unreadable += 1;
    for (let folder = device === undefined ? undefined : open.pop(); folder; folder = open.pop()) {
      try {
        for (const entry of readdirSync(folder, { encoding: 'buffer', withFileTypes: true })) {
          const waiting = turn();
          if (waiting) await waiting;
          if (signal?.aborted) return;
          if (clock.monotonic() - told >= tellMs) {
            told = clock.monotonic();
            yield { ...size, isDone: false };
          }
          count(joinPath(folder, entry.name as unknown as Buffer), device!, size, open);
        }
      } catch {
        size.unreadable += 1;
      }
    }
    yield { ...size, isDone: true };
  }
}

type Counted = Omit<FolderSize, 'isDone'>;

function count(path: Buffer, device: number, size: Counted, open: Buffer[]): void {
  const stat = lstatSync(path, { throwIfNoEntry: false });
  if (!stat) return;
  if (stat.isFile()) {
    size.files += 1;
    size.bytes += stat.size;
  } else if (stat.isDirectory() && stat.dev === device) {
    size.folders += 1;
    open.push(path);
  }
}

function deviceOf(path: string): number | undefined {
  try {
    const stat = lstatSync(path, { throwIfNoEntry: false });
    return stat?.isDirectory() ? stat.dev : undefined;
  } catch {
    return undefined;
  }
}
