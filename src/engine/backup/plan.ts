/**
 * What a backup will do: which sources, compared with which snapshot, and what is left out.
 *
 * - A *source* is a folder or file, by its absolute path.
 * - A *line* is the snapshots that follow one another: those with one tag, or without it those of the same host and paths.
 * - The *strategy* says what the run trusts: *incremental* the newest snapshot of its line, *differential* the newest full one,
 *   *full* nothing, so that every byte is read again. Every snapshot is complete whatever the strategy.
 */
import { lstatSync, realpathSync, statSync } from 'node:fs';
import { resolve } from 'node:path';
import { fail } from '../../contract/errors.ts';
import type { Strategy } from '../../contract/schedule.ts';
import { baseName, displayPath, isInside, joinPath, parentPath } from '../../platform/byte-paths.ts';
import type { Repository } from '../../repository/repository.ts';
import { localFolderOf } from '../../storage/local-folder.ts';
import type { Snapshot } from '../../repository/snapshot.ts';
import { baseTag, strategyTag } from '../own-tags.ts';
import { type Problem, problemOf } from './scan-task.ts';
import type { ExcludeRules } from './exclude.ts';

export interface BackupRequest {
  /** Absolute, or relative to the working folder; bytes, since names need not be UTF-8. */
  readonly sources: readonly (string | Buffer)[];
  readonly strategy?: Strategy | undefined;
  readonly rules: ExcludeRules;
  /** For the snapshot's record: what the person asked to leave out. */
  readonly excludes?: readonly string[] | undefined;
  readonly tags?: readonly string[] | undefined;
  /** The tag of the line of snapshots that this one continues, whatever its host and paths; without one: those of the same host and paths. */
  readonly line?: string | undefined;
  readonly hostname: string;
  readonly username: string;
  readonly uid: number;
  readonly gid: number;
}

/** Something that the person should know before the run. */
export type BackupNote =
  | { readonly kind: 'source-inside-another'; readonly path: string; readonly other: string }
  | { readonly kind: 'destination-left-out'; readonly path: string }
  | { readonly kind: 'no-full-snapshot' };

export interface BackupPlan {
  readonly request: BackupRequest;
  /** Absolute paths, ascending, none inside another. */
  readonly sources: readonly Buffer[];
  /** As the snapshot names them. */
  readonly paths: readonly string[];
  /** What the run really does: a differential one without a base becomes full. */
  readonly strategy: Strategy;
  readonly parent: Snapshot | undefined;
  readonly tags: readonly string[];
  readonly leftOut: readonly { readonly device: bigint; readonly inode: bigint }[];
  readonly notes: readonly BackupNote[];
  /** Sources that are not there or cannot be reached. */
  readonly missing: readonly Problem[];
}

/**
 * Throws `bad-usage` without sources or when one is a link on the way to another, `source-missing` when none of them exists,
 * `source-in-destination` for one that lies inside the repository.
 */
export async function planBackup(repository: Repository, request: BackupRequest): Promise<BackupPlan> {
  if (request.sources.length === 0)
    return fail('bad-usage', { problem: 'No folder or file to back up was named.', guidance: 'Name at least one.' });
  const notes: BackupNote[] = [];
  const missing: Problem[] = [];
  const wanted = request.sources.map(absolute).sort(Buffer.compare);
  const sources: Buffer[] = [];
  for (const path of wanted) {
    const other = sources.find((source) => isInside(path, source));
    if (other?.equals(path)) continue;
    try {
      lstatSync(path);
    } catch (error) {
      missing.push(problemOf(path, error));
      continue;
    }
    if (!other) sources.push(path);
    else if (lstatSync(other).isSymbolicLink()) return refuseBehindLink(path, other);
    else notes.push({ kind: 'source-inside-another', path: displayPath(path), other: displayPath(other) });
  }
  if (sources.length === 0) return fail('source-missing', { path: missing.map(({ path }) => displayPath(Buffer.from(path))).join(', ') });
  const leftOut = leaveOutDestination(localFolderOf(repository.storage), sources, notes);
  const paths = sources.map(displayPath);
  const asked = request.strategy ?? 'incremental';
  const own = asked === 'full' ? [] : (await repository.snapshots(() => {})).filter((snapshot) => continues(snapshot, request, paths));
  const parent = asked === 'differential' ? own.findLast((snapshot) => snapshot.tags?.includes(strategyTag('full'))) : own.at(-1);
  if (asked === 'differential' && !parent) notes.push({ kind: 'no-full-snapshot' });
  // The first snapshot reads every byte whatever was asked, so that later ones can be based on it.
  const strategy = parent ? asked : 'full';
  const tags = [...(request.tags ?? []), strategyTag(strategy), ...(strategy === 'differential' && parent ? [baseTag(parent.id)] : [])];
  return { request, sources, paths, strategy, parent, tags, leftOut, notes, missing };
}

/** Under one name a snapshot holds either a link or a folder. */
const refuseBehindLink = (path: Buffer, link: Buffer): never =>
  fail('bad-usage', {
    problem: `${displayPath(link)} is a link, and ${displayPath(path)} is reached through it: both cannot be stored under the same name.`,
    guidance: 'Name the folder that the link leads to instead of the link.',
  });

const absolute = (path: string | Buffer): Buffer => {
  if (typeof path === 'string') return Buffer.from(resolve(path));
  // Only bytes that are not UTF-8 come as such; "latin1" keeps each byte through the resolving of dots.
  const text = path.toString('latin1');
  return Buffer.from(text.startsWith('/') ? resolve(text) : resolve(Buffer.from(process.cwd()).toString('latin1'), text), 'latin1');
};

const continues = (snapshot: Snapshot, { line, hostname }: BackupRequest, paths: readonly string[]): boolean =>
  line === undefined ? matches(snapshot, hostname, paths) : snapshot.tags?.includes(line) === true;

const matches = (snapshot: Snapshot, hostname: string, paths: readonly string[]): boolean =>
  snapshot.hostname === hostname &&
  snapshot.paths.length === paths.length &&
  [...snapshot.paths].sort().every((path, i) => path === [...paths].sort()[i]);

function leaveOutDestination(
  folder: string | undefined,
  sources: readonly Buffer[],
  notes: BackupNote[],
): { device: bigint; inode: bigint }[] {
  if (folder === undefined) return [];
  const { destination, dev, ino } = factsOf(folder);
  for (const source of sources) {
    const real = realPath(source);
    if (isInside(real, destination)) return fail('source-in-destination', { path: displayPath(source), location: folder });
    if (isInside(destination, real)) notes.push({ kind: 'destination-left-out', path: folder });
  }
  // By what it is, not by its path: a source may reach it through a link or another mount.
  return [{ device: dev, inode: ino }];
}

/** The path without links on the way; a link that is itself a source stands for itself. What cannot be resolved stays as it is. */
function realPath(source: Buffer): Buffer {
  // Only the native variant takes names that are not UTF-8.
  const resolved = (path: Buffer): Buffer => realpathSync.native(path, { encoding: 'buffer' });
  try {
    return lstatSync(source).isSymbolicLink() ? joinPath(resolved(parentPath(source)), baseName(source)) : resolved(source);
  } catch {
    return source;
  }
}

function factsOf(folder: string): { destination: Buffer; dev: bigint; ino: bigint } {
  try {
    const { dev, ino } = statSync(folder, { bigint: true });
    return { destination: Buffer.from(realpathSync(folder)), dev, ino };
  } catch (error) {
    return fail('storage-gone', { location: folder, cause: (error as Error).message }, error);
  }
}
