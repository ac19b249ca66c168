/** What a restore starts from: the entries of a snapshot, the place they go to, and the rules for what is there already. */
import { lstatSync, mkdirSync, readdirSync, realpathSync, statfsSync, statSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { fail } from '../../contract/errors.ts';
import { joinList } from '../../platform/byte-list.ts';
import { displayPath, isInside, splitPath } from '../../platform/byte-paths.ts';
import type { Repository } from '../../repository/repository.ts';
import type { Snapshot } from '../../repository/snapshot.ts';
import { localTime } from '../../repository/tree/go-time.ts';
import { localFolderOf } from '../../storage/local-folder.ts';
import type { Reading } from '../reading.ts';
import type { RunOptions } from '../run.ts';
import { resolveSnapshotPath } from '../snapshot-path.ts';
import type { OverwritePolicy } from './policy.ts';
import type { FolderTask } from './walk-job.ts';

export interface RestoreRequest {
  /** An ID, the beginning of one, or `latest`. */
  readonly snapshot: string;
  /** Inside the snapshot; what it holds is put into the target. Without it full paths are rebuilt below the target. */
  readonly path?: Buffer | undefined;
  /** Only these entries, as paths relative to `path` (or absolute ones of the snapshot). */
  readonly items?: readonly Buffer[] | undefined;
  /** A folder, made when it is not there; undefined: back to where everything was. */
  readonly target: string | undefined;
  /** Default `always`. */
  readonly overwrite?: OverwritePolicy | undefined;
  /** Removes what the snapshot does not hold from the folders that are restored whole. */
  readonly delete?: boolean | undefined;
  readonly sparse?: boolean | undefined;
  /** Writes to the disk, then reads every file again from there and compares it with the snapshot. */
  readonly verify?: boolean | undefined;
}

export interface RestoreStart {
  readonly snapshot: Snapshot;
  readonly target: string;
  readonly folders: readonly FolderTask[];
  readonly policy: OverwritePolicy;
  readonly delete: boolean;
  readonly stamp: string;
  /** Everything in the snapshot is wanted, so that its summary tells how much it is. */
  readonly isWhole: boolean;
  /** The target itself, when it stands for a folder of the snapshot: path, node, whether the run makes it. */
  readonly own: readonly Uint8Array[] | undefined;
  hasRoomFor(bytes: number): boolean;
}

/** Throws `snapshot-not-found`, `snapshot-path-not-found`, `target-unusable`, or what reading a tree throws. */
export async function resolveStart(repository: Repository, { pool }: Reading, request: RestoreRequest, options: RunOptions): Promise<RestoreStart> {
  const snapshot = await repository.findSnapshot(request.snapshot);
  const path = request.path && splitPath(request.path).length > 0 ? request.path : undefined;
  const found = await resolveSnapshotPath(pool, snapshot, path);
  const names = path ? splitPath(path) : [];
  const isFolder = found.tree !== undefined;
  const { target, isNew } = placeFor(repository, request, isFolder ? names : names.slice(0, -1));
  const above = isFolder ? names : names.slice(0, -1);
  const items = (request.items ?? []).map((item) => relativeTo(above, item));
  const selection = isFolder ? (items.length > 0 ? items : undefined) : [names.slice(-1)];
  for (const item of items) await resolveSnapshotPath(pool, snapshot, Buffer.from(`/${[...above, ...item].map((name) => name.toString('latin1')).join('/')}`, 'latin1'));
  // A snapshot names its sources as text.
  const shown = above.map((name) => Buffer.from(displayPath(name)));
  const sources = snapshot.paths.map((source) => splitPath(Buffer.from(source)));
  const below = sources.filter((source) => source.length > shown.length && shown.every((name, i) => name.equals(source[i])));
  const isInSource = sources.some((source) => source.length <= shown.length && source.every((name, i) => name.equals(shown[i])));
  const bytesFree = freeBytes(target);
  const root: FolderTask = {
    tree: isFolder ? found.tree! : found.holder,
    path: new Uint8Array(Buffer.from(target)),
    selection: selection?.map((each) => joinList(each)),
    isNew,
    inSource: isInSource,
    sources: below.map((each) => joinList(each.slice(shown.length))),
  };
  const ownsTarget = isFolder && found.raw !== undefined && (request.target === undefined || isNew || isEmpty(target)) && !selection;
  return {
    snapshot,
    target,
    folders: [root],
    policy: request.overwrite ?? 'always',
    delete: request.delete === true,
    stamp: localTime.format(BigInt(Math.round(options.clock.now())) * 1_000_000n).slice(0, 16).replace('T', ' ').replace(':', '.'),
    isWhole: !path && !selection,
    own: ownsTarget ? [new Uint8Array(Buffer.from(target)), found.raw!, Uint8Array.of(isNew ? 1 : 0)] : undefined,
    hasRoomFor: (bytes) => bytesFree === undefined || bytes <= bytesFree,
  };
}

/** Throws `target-too-small` when the bytes to write do not fit. */
export function refuseTooSmall(start: RestoreStart, bytes: number): void {
  if (!start.hasRoomFor(bytes)) fail('target-too-small', { path: start.target, needed: bytes, free: freeBytes(start.target) ?? 0 });
}

/** Makes the target. Throws `target-unusable`. */
export function prepareTarget({ target }: RestoreStart): void {
  try {
    mkdirSync(target, { recursive: true, mode: 0o700 });
  } catch (error) {
    fail('target-unusable', { path: target, cause: (error as Error).message }, error);
  }
}

function placeFor(repository: Repository, request: RestoreRequest, names: readonly Buffer[]): { target: string; isNew: boolean } {
  const wanted = request.target ?? `/${names.map(displayPath).join('/')}`;
  const folder = localFolderOf(repository.storage);
  let target = resolve(wanted);
  const stat = lstatSync(target, { throwIfNoEntry: false });
  // A link that the person names is followed once, here; no link below it ever is.
  if (stat) target = realpathSync(target);
  if (stat && !statSync(target).isDirectory()) return fail('target-unusable', { path: wanted, cause: 'it is not a folder' });
  if (folder !== undefined && isInside(Buffer.from(target), Buffer.from(realpathSync(folder))))
    return fail('target-unusable', { path: wanted, cause: 'the repository itself is there' });
  return { target, isNew: !stat };
}

function relativeTo(above: readonly Buffer[], item: Buffer): Buffer[] {
  const names = splitPath(item);
  const isAbsolute = item[0] === 0x2f && names.length > above.length && above.every((name, i) => name.equals(names[i]));
  return isAbsolute ? names.slice(above.length) : names;
}

const isEmpty = (folder: string): boolean => {
  try {
    return readdirSync(folder).length === 0;
  } catch {
    return true;
  }
};

/** Bytes that this user may still write there; undefined when the system does not tell. */
function freeBytes(target: string): number | undefined {
  for (let folder = target; ; folder = dirname(folder)) {
    try {
      const { bavail, bsize } = statfsSync(folder);
      return bavail * bsize;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT' || dirname(folder) === folder) return undefined;
    }
  }
}
