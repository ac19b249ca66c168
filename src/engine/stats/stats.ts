/**
 * stats: what snapshots hold, and what they take. Trees are read by all workers, each a few times however many snapshots share it; memory
 * grows with the index (some 30 bytes for each blob), not with what the snapshots hold.
 */
import { errorFromJSON, fail, type HoldfastError } from '../../contract/errors.ts';
import { displayPath, splitPath } from '../../platform/byte-paths.ts';
import type { Repository } from '../../repository/repository.ts';
import type { Snapshot } from '../../repository/snapshot.ts';
import { type Reading, withReading } from '../reading.ts';
import { reportProgress, type RunOptions } from '../run.ts';
import { absolutePath, resolveSnapshotPath } from '../snapshot-path.ts';
import type { DamagedTree } from '../trees/damaged-trees.ts';
import { mostEntries } from '../trees/unfold.ts';
import type { FolderShare, Share, TypeShare } from './breakdown-job.ts';
import { Measuring, type RestoreSize } from './measuring.ts';
import { compressionOf, type RawFigures } from './raw-job.ts';

/** Whatever was not readable and therefore is in no figure. */
export interface StatsGaps {
  readonly damagedTrees: readonly DamagedTree[];
  /** References to data that no index names. */
  readonly unknownBlobs: number;
  /** Index files that could not be used. */
  readonly damage: readonly HoldfastError[];
}

export const statsModes = ['restore-size', 'files-by-contents', 'blobs-per-file', 'raw-data'] as const;
/** As restic's: what restores take; files with different contents; blobs of files by path; blobs as they are stored. */
export type StatsMode = (typeof statsModes)[number];

/** restic's figures, as far as a mode has them. */
export interface ModeFigures extends StatsGaps {
  readonly mode: StatsMode;
  readonly snapshots: number;
  readonly bytes: number;
  /** In the mode restore-size everything that is restored, folders included. */
  readonly files?: number;
  readonly blobs?: number;
  readonly uncompressedBytes?: number;
  readonly compression?: Compression;
}

/** See compressionOf. */
export interface Compression {
  readonly ratio: number;
  readonly progress: number;
  readonly spaceSaving: number;
}

/** Throws `locked`, `cancelled`, or what makes going on senseless. */
export async function measureMode(
  repository: Repository,
  { snapshots, mode }: { readonly snapshots: readonly Snapshot[]; readonly mode: StatsMode },
  options: RunOptions,
): Promise<ModeFigures> {
  return measure(repository, options, async (measuring) => {
    const figures = await modeFigures(measuring, mode, snapshots);
    return { mode, snapshots: snapshots.length, ...figures };
  });
}

async function modeFigures(
  measuring: Measuring,
  mode: StatsMode,
  snapshots: readonly Snapshot[],
): Promise<Omit<ModeFigures, keyof StatsGaps | 'mode' | 'snapshots'>> {
  const trees = snapshots.map(({ tree }) => tree);
  switch (mode) {
    case 'restore-size': {
      const { entries, bytes } = sumOf(await measuring.restoreSizes(trees));
      return { files: entries, bytes };
    }
    case 'files-by-contents':
      return measuring.contents(trees);
    case 'blobs-per-file':
      return measuring.references(trees);
    case 'raw-data': {
      const { lookedAt } = await measuring.blobs(snapshots, snapshots.length);
      const { blobs, bytes, uncompressedBytes } = lookedAt;
      return { blobs, bytes, uncompressedBytes, compression: compressionOf(lookedAt) };
    }
  }
}

export interface StatsRequest {
  /** Those that are looked at. */
  readonly snapshots: readonly Snapshot[];
  /** All others that there are; without them, nobody can say what a snapshot alone needs. */
  readonly others: readonly Snapshot[];
  /** What is looked at more closely. */
  readonly breakdown?: BreakdownRequest | undefined;
}

export interface BreakdownRequest {
  readonly snapshot: Snapshot;
  /** Absolute path of a folder in it; default: the first folder from the root that holds anything but one folder. */
  readonly path?: Buffer | undefined;
  /** Folders so many levels below it are told apart; default 1. */
  readonly depth?: number | undefined;
  /** So many of the largest folders and extensions are given. */
  readonly top: number;
}

export interface SnapshotFigures {
  readonly snapshot: Snapshot;
  readonly size: RestoreSize;
  /** What no other snapshot needs: forgetting this one and pruning would free as much. */
  readonly alone: { readonly blobs: number; readonly bytes: number };
}

export interface FolderBreakdown {
  readonly snapshot: Snapshot;
  readonly path: Buffer;
  readonly files: number;
  readonly bytes: number;
  readonly folders: readonly (Omit<FolderShare, 'path'> & { readonly path: Buffer })[];
  readonly otherFolders: Share;
  readonly types: readonly TypeShare[];
  readonly otherTypes: Share;
  readonly problems: readonly { readonly path: Buffer; readonly error: HoldfastError }[];
}

export interface RepositoryStats extends StatsGaps {
  /** In the order asked for. */
  readonly snapshots: readonly SnapshotFigures[];
  /** All of these together, as if each was restored beside the others. */
  readonly total: RestoreSize;
  /** The blobs that these need, each once. */
  readonly raw: RawFigures;
  readonly compression: Compression;
  /** Everything that the index names, and what none of all snapshots needs. */
  readonly stored: { readonly packs: number; readonly blobs: number; readonly bytes: number };
  readonly unused: { readonly blobs: number; readonly bytes: number };
  readonly breakdown: FolderBreakdown | undefined;
}

/**
 * Throws `snapshot-path-not-found` and `bad-usage` for a breakdown of what is no folder, `snapshot-too-large`, `locked`, `cancelled`, or
 * what makes going on senseless.
 */
export async function measureRepository(
  repository: Repository,
  { snapshots, others, breakdown }: StatsRequest,
  options: RunOptions,
): Promise<RepositoryStats> {
  return measure(repository, options, async (measuring, reading) => {
    const sizes = await measuring.restoreSizes(snapshots.map(({ tree }) => tree));
    const all = [...snapshots, ...others];
    const [counts, parts] = await Promise.all([
      measuring.blobs(all, snapshots.length),
      breakdown && breakDownFolder(measuring, reading, breakdown),
    ]);
    return {
      snapshots: snapshots.map((snapshot, i) => ({
        snapshot,
        size: sizes[i],
        alone: { blobs: counts.aloneBlobs[i], bytes: counts.aloneBytes[i] },
      })),
      total: sumOf(sizes),
      raw: counts.lookedAt,
      compression: compressionOf(counts.lookedAt),
      stored: { packs: reading.index.packCount, ...counts.stored },
      unused: counts.unused,
      breakdown: parts,
    };
  });
}

async function measure<T>(
  repository: Repository,
  options: RunOptions,
  run: (measuring: Measuring, reading: Reading) => Promise<T>,
): Promise<T & StatsGaps> {
  return withReading(repository, options, async (reading) => {
    const { pool, damage } = reading;
    const stop = reportProgress(options, pool, { phase: 'measuring', items: () => pool.total('dirs'), bytes: () => 0 });
    try {
      const measuring = new Measuring(reading);
      const result = await run(measuring, reading);
      return { ...result, damagedTrees: await measuring.damagedTrees(), unknownBlobs: measuring.unknownBlobs, damage };
    } finally {
      stop();
    }
  });
}

function sumOf(sizes: readonly RestoreSize[]): RestoreSize {
  const sum = { entries: 0, files: 0, bytes: 0 };
  for (const { entries, files, bytes } of sizes) {
    sum.entries += entries;
    sum.files += files;
    sum.bytes += bytes;
  }
  return sum;
}

async function breakDownFolder(
  measuring: Measuring,
  { pool }: Reading,
  { snapshot, path: wanted, depth = 1, top }: BreakdownRequest,
): Promise<FolderBreakdown> {
  const found = await resolveSnapshotPath(pool, snapshot, wanted);
  if (!found.tree) {
    return fail('bad-usage', {
      problem: `${displayPath(wanted!)} is no folder in snapshot ${snapshot.id.slice(0, 8)}, and only a folder has parts.`,
      guidance: 'Name the folder that holds it.',
    });
  }
  const start = { tree: found.tree, path: new Uint8Array(absolutePath(wanted ? splitPath(wanted) : [])) };
  const { tree, path } = wanted ? start : await pool.run('soleFolder', start);
  // A walk through every path of it must have an end.
  const [{ entries }] = await measuring.restoreSizes([Buffer.from(tree).toString('hex')], false);
  if (entries > mostEntries) fail('snapshot-too-large', { snapshot: snapshot.id, entries });
  const { folders, problems, ...parts } = await pool.run('breakDown', { tree, path, depth, top });
  return {
    ...parts,
    snapshot,
    path: Buffer.from(path),
    folders: folders.map((folder) => ({ ...folder, path: Buffer.from(folder.path) })),
    problems: problems.map(({ path: place, error }) => ({ path: Buffer.from(place), error: errorFromJSON(error) })),
  };
}
