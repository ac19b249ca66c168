/** What a restore starts from: the entries of a snapshot, the place they go to, and the rules for what is there already. */
import { lstatSync, mkdirSync, readdirSync, realpathSync, statfsSync, statSync } from 'node:fs';
import { basename, dirname, resolve } from 'node:path';
import { fail, type HoldfastError } from '../../contract/errors.ts';
import { joinList } from '../../platform/byte-list.ts';
import { displayPath, isInside, joinPath, parentPath, splitPath } from '../../platform/byte-paths.ts';
import { bytesOfId } from '../../repository/ids.ts';
import type { Repository } from '../../repository/repository.ts';
import type { Snapshot } from '../../repository/snapshot.ts';
import { localTime } from '../../repository/tree/go-time.ts';
import { localFolderOf } from '../../storage/local-folder.ts';
import type { Reading } from '../reading.ts';
import type { DatedTask } from '../mirror/dated.ts';
import type { RunOptions } from '../run.ts';
import { absolutePath } from '../snapshot-path.ts';
import type { OverwritePolicy } from './policy.ts';
import type { FolderTask } from './walk-task.ts';
import { resolveWanted, type WantedRequest } from './wanted.ts';

/** What `path` holds is put into the target; without it full paths are rebuilt below the target. */
export interface RestoreRequest extends WantedRequest {
  /** A folder, made when it is not there; undefined: back to where everything was. */
  readonly target: string | undefined;
  /** Default `always`. */
  readonly overwrite?: OverwritePolicy | undefined;
  /** Removes what the snapshot does not hold from the folders that are restored whole. */
  readonly delete?: boolean | undefined;
  /** How much space files with holes will need is not known before, so that it is not checked. */
  readonly sparse?: boolean | undefined;
  /** Writes to the disk, then reads every file again from there and compares it with the snapshot. */
  readonly verify?: boolean | undefined;
  /** The target becomes equal to what is restored, itself included, whatever it is and wherever the sources were. */
  readonly mirror?: MirrorRules | undefined;
}

/** How a target is kept equal; see mirror.ts. */
export interface MirrorRules {
  /** In the target, and no part of it. */
  readonly reserved: readonly Buffer[];
  /** Where what goes is kept; undefined: nowhere. */
  readonly dated: DatedTask | undefined;
  /** Only what was changed at this time or later (nanoseconds since 1970, as the target's file system counts) is verified. */
  readonly verifySince: bigint | undefined;
}

export interface RestoreStart {
  readonly snapshot: Snapshot;
  /** Snapshots that cannot be read, when the newest was asked for: one of them may have been newer. */
  readonly damage: readonly HoldfastError[];
  readonly target: Buffer;
  readonly root: FolderTask;
  readonly policy: OverwritePolicy;
  readonly delete: boolean;
  readonly stamp: string;
  /** Everything goes back to where it was. */
  readonly isOriginal: boolean;
  /** Everything in the snapshot is wanted, so that its summary tells how much it is. */
  readonly isWhole: boolean;
  /** The target itself, when it stands for a folder of the snapshot: path, node, whether the run makes it. */
  readonly own: readonly Uint8Array[] | undefined;
  /** Real path of a repository in a local folder. */
  readonly repository: Buffer | undefined;
  /** Where the space is needed: folders, which need not be there yet. */
  readonly spacePaths: readonly Buffer[];
  /** When everything goes back to where it was: the places of what is wanted. */
  readonly places: readonly Buffer[] | undefined;
}

/** Throws `snapshot-not-found`, `snapshot-path-not-found`, `target-unusable`, or what reading a tree throws. */
export async function resolveStart(
  repository: Repository,
  { pool }: Reading,
  request: RestoreRequest,
  options: RunOptions,
): Promise<RestoreStart> {
  const { mirror } = request;
  const { snapshot, damage, above, tree, selection, found } = await resolveWanted(repository, pool, request);
  const isFolder = found.tree !== undefined;
  if (mirror && !isFolder)
    fail('bad-usage', { problem: `${displayPath(request.path!)} is no folder in the snapshot.`, guidance: 'Name a folder.' });
  const local = localFolderOf(repository.storage);
  const folder = local === undefined ? undefined : realpathSync(local, { encoding: 'buffer' });
  const isHome = request.target === undefined;
  if (isHome) await refuseUnknownHome(pool, snapshot);
  const { target, isNew } = isHome ? { target: Buffer.from('/'), isNew: false } : placeFor(request.target, folder);
  // Where everything was, what leads there is met too: it may have to be made.
  const base = isHome ? [] : above;
  const wanted = !isHome || above.length === 0 ? selection : selection ? selection.map((each) => [...above, ...each]) : [above];
  // A snapshot names its sources as text.
  const shown = base.map((name) => Buffer.from(displayPath(name)));
  const sources = snapshot.paths.map((source) => splitPath(Buffer.from(source)));
  const below = sources.filter((source) => source.length > shown.length && shown.every((name, i) => name.equals(source[i])));
  const root: FolderTask = {
    tree: isHome ? new Uint8Array(bytesOfId(snapshot.tree)) : tree,
    path: new Uint8Array(target),
    selection: wanted?.map((each) => joinList(each)),
    isNew,
    inSource:
      mirror !== undefined || sources.some((source) => source.length <= shown.length && source.every((name, i) => name.equals(shown[i]))),
    isTarget: !isHome,
    sources: below.map((each) => joinList(each.slice(shown.length))),
  };
  const isOriginal = absolutePath(base).equals(target);
  const standsForIt = isNew || mirror !== undefined || (isOriginal ? root.inSource : isEmpty(target));
  const ownsTarget = !isHome && isFolder && found.raw !== undefined && !selection && standsForIt;
  return {
    snapshot,
    damage,
    target,
    root,
    policy: request.overwrite ?? 'always',
    delete: request.delete === true,
    stamp: localTime
      .format(BigInt(Math.round(options.clock.now())) * 1_000_000n)
      .slice(0, 16)
      .replace('T', ' ')
      .replace(':', '.'),
    isOriginal,
    isWhole: above.length === 0 && !selection,
    own: ownsTarget ? [new Uint8Array(target), found.raw!, Uint8Array.of(isNew ? 1 : 0)] : undefined,
    repository: folder,
    places: !isHome ? undefined : wanted ? wanted.map(absolutePath) : snapshot.paths.map((source) => Buffer.from(source)),
    spacePaths: !isHome ? [target] : above.length > 0 ? [absolutePath(above)] : snapshot.paths.map((source) => Buffer.from(source)),
  };
}

/** Of files that were named relative to some folder, a snapshot (not one of ours) does not tell where they were. */
async function refuseUnknownHome(pool: Reading['pool'], snapshot: Snapshot): Promise<void> {
  const tree = new Uint8Array(bytesOfId(snapshot.tree));
  for (const source of snapshot.paths) {
    const names = splitPath(Buffer.from(source));
    // What is not UTF-8 is not named exactly.
    if (names.length === 0 || source.includes('\\x') || (await pool.run('findEntry', { tree, names: joinList(names) }))) return;
  }
  fail('target-unusable', { path: '/', cause: 'the snapshot does not say where its files were' });
}

/** Makes the target. Throws `target-unusable`. */
export function prepareTarget({ target }: RestoreStart): void {
  try {
    mkdirSync(target, { recursive: true, mode: 0o700 });
  } catch (error) {
    fail('target-unusable', { path: displayPath(target), cause: (error as Error).message }, error);
  }
}

function placeFor(wanted: string, repository: Buffer | undefined): { target: Buffer; isNew: boolean } {
  const { target, isNew } = realPlace(wanted);
  if (!isNew && !statSync(target).isDirectory()) return fail('target-unusable', { path: wanted, cause: 'it is not a folder' });
  if (repository && isInside(target, repository)) return fail('target-unusable', { path: wanted, cause: 'the repository itself is there' });
  return { target, isNew };
}

/** The real path of a target. A link that the person names, or that leads to what is named, is followed once, here; no link below the target ever is. */
export function realPlace(wanted: string): { target: Buffer; isNew: boolean } {
  const missing: Buffer[] = [];
  for (let place = resolve(wanted); ; place = dirname(place)) {
    try {
      const real = realpathSync(place, { encoding: 'buffer' });
      return { target: missing.reduceRight(joinPath, real), isNew: missing.length > 0 };
    } catch (error) {
      const { code, message } = error as NodeJS.ErrnoException;
      if (code !== 'ENOENT' || isLink(place)) return fail('target-unusable', { path: wanted, cause: message }, error);
      missing.push(Buffer.from(basename(place)));
    }
  }
}

const isLink = (path: string): boolean => lstatSync(path, { throwIfNoEntry: false })?.isSymbolicLink() === true;

/** Whether nothing is in a folder; also when that cannot be read. */
const isEmpty = (folder: Buffer): boolean => {
  try {
    return readdirSync(folder).length === 0;
  } catch {
    return true;
  }
};

/** Bytes that this user may still write to the file systems of these folders; undefined when the system does not tell. */
export function freeBytes(paths: readonly Buffer[]): number | undefined {
  const free = new Map<bigint, number>();
  for (const path of paths) {
    for (let folder = path; ; folder = parentPath(folder)) {
      try {
        const { dev } = statSync(folder, { bigint: true });
        const { bavail, bsize } = statfsSync(folder);
        free.set(dev, bavail * bsize);
        break;
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'ENOENT' || folder.length <= 1) return undefined;
      }
    }
  }
  let sum = 0;
  for (const bytes of free.values()) sum += bytes;
  return paths.length > 0 ? sum : undefined;
}
