/**
 * Walks the sources: only where a journal says that something changed, or all of them. A partial walk that comes upon something which
 * makes the journal worth nothing is followed by one of everything, in the same run: nobody gets a snapshot of doubtful trees.
 */
import type { FullScanReason, ScanReport } from '../../contract/scan.ts';
import type { RunControl } from '../../platform/cancellation.ts';
import { bytesOfId } from '../../repository/ids.ts';
import type { SnapshotSummary } from '../../repository/snapshot.ts';
import { joinList } from '../../platform/byte-list.ts';
import type { WorkerPool } from '../workers/pool.ts';
import { type ChangedFolders, visitOptions } from './changed-folders.ts';
import type { GatheredFindings } from './gathered-findings.ts';
import type { BackupPlan } from './plan.ts';
import type { EntryCount, ScanFigures, ScanFiles } from './scan-task.ts';
import { walkSources, type WalkResult } from './walk.ts';

export interface ScannedSources extends WalkResult {
  readonly scan: ScanReport;
  /** Absolute paths (latin1) of folders with files that have other names. */
  readonly linked: ReadonlySet<string>;
  /** Folders that changed without the journal's knowledge; undefined when that was not looked for. */
  readonly missed: readonly Buffer[] | undefined;
}

export interface WhatIsKnown {
  /** For workers. */
  readonly files?: ScanFiles | undefined;
  readonly changed: ChangedFolders | undefined;
  /** Something that the repository should hold is not there. */
  readonly isDamaged: boolean;
  /** Names of the index files that are there. */
  readonly indexFiles: ReadonlySet<string>;
  /** Trees of the parent that could not be read so far. */
  readonly unreadable: () => number;
}

/** Throws as {@link walkSources} does. */
export async function scanSources(pool: WorkerPool, control: RunControl, plan: BackupPlan, known: WhatIsKnown): Promise<ScannedSources> {
  const { request, leftOut, parent, sources } = plan;
  const { changed, unreadable } = known;
  const root = parent && new Uint8Array(bytesOfId(parent.tree));
  const refused = changed && reasonAgainst(plan, changed, known);
  const trusted = refused === undefined ? changed : undefined;
  const walk = (visits: ChangedFolders | undefined): Promise<WalkResult> =>
    walkSources(
      pool,
      control,
      { rules: request.rules, leftOut, files: known.files, visits: visits && visitOptions(visits) },
      sources,
      root,
    );
  const whole = async (because: FullScanReason | undefined, visits?: ChangedFolders): Promise<ScannedSources> => {
    const before = unreadable();
    const result = await walk(visits);
    const { findings } = result;
    // Of a folder whose old tree cannot be read nobody knows whether it changed.
    const missed = visits && unreadable() === before ? findings.missed : undefined;
    const scan = { isPartial: false, foldersVisited: findings.visited, ...(because ? { because } : {}) };
    return { ...result, scan, linked: findings.linked, missed };
  };
  if (trusted === undefined) return whole(refused);
  if (trusted.compare) return whole(trusted.compare, trusted);
  const result = await walk(trusted);
  const { findings } = result;
  if (unreadable() > 0) return whole('damage');
  if (findings.hasNewLinks) return whole('hard-links');
  const gone = await pool.run('countTrees', joinList(findings.gone));
  const figures = withTrusted(result.figures, parent!.summary!, findings, gone);
  return { ...result, figures, scan: { isPartial: true, foldersVisited: findings.visited }, linked: findings.linked, missed: undefined };
}

function reasonAgainst(
  { strategy, parent }: BackupPlan,
  { since, indexFiles }: ChangedFolders,
  known: WhatIsKnown,
): FullScanReason | undefined {
  if (strategy !== 'incremental') return 'strategy';
  if (parent?.id !== since || !parent.summary) return 'other-parent';
  if (known.isDamaged) return 'damage';
  for (const name of indexFiles) if (!known.indexFiles.has(name)) return 'repository-changed';
  return undefined;
}

/** The figures of everything: what the parent holds, less what it holds where this run has looked, and what is there now. */
function withTrusted(figures: ScanFigures, parent: SnapshotSummary, { before }: GatheredFindings, gone: EntryCount): ScanFigures {
  const dirs = parent.dirs_new + parent.dirs_changed + parent.dirs_unmodified;
  const rest = (all: number, seen: number, lost: number): number => Math.max(0, all - seen - lost);
  return {
    ...figures,
    filesUnmodified: figures.filesUnmodified + rest(parent.total_files_processed, before.files, gone.files),
    dirsUnmodified: figures.dirsUnmodified + rest(dirs, before.dirs, gone.dirs),
    totalBytes: figures.totalBytes + rest(parent.total_bytes_processed, before.bytes, gone.bytes),
  };
}
