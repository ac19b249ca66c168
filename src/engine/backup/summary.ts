/** A run's figures as its snapshot keeps them. */
import type { SnapshotSummary } from '../../repository/snapshot.ts';
import { localTime } from '../../repository/tree/go-time.ts';
import type { ScanFigures } from './scan-task.ts';

export const timeText = (ms: number): string => localTime.format(BigInt(Math.round(ms)) * 1_000_000n);

/** @param started @param ended wall time */
export function summarise(figures: ScanFigures, started: number, ended: number): SnapshotSummary {
  const { data, trees } = figures;
  return {
    backup_start: timeText(started),
    backup_end: timeText(ended),
    files_new: figures.filesNew,
    files_changed: figures.filesChanged,
    files_unmodified: figures.filesUnmodified,
    dirs_new: figures.dirsNew,
    dirs_changed: figures.dirsChanged,
    dirs_unmodified: figures.dirsUnmodified,
    data_blobs: data.blobs,
    tree_blobs: trees.blobs,
    data_added: data.bytes + trees.bytes,
    data_added_packed: data.packed + trees.packed,
    total_files_processed: figures.filesNew + figures.filesChanged + figures.filesUnmodified,
    total_bytes_processed: figures.totalBytes,
  };
}
