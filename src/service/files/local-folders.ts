/** The folders of this computer, to choose from. */
import { accessSync, constants, lstatSync, readdirSync, type Stats, statfsSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import { fail } from '../../contract/errors.ts';
import { type LocalFile, placeKinds, type SuggestedFolder } from '../../contract/files.ts';
import { joinPath } from '../../platform/byte-paths.ts';
import { personalFolder, systemSurroundings } from '../../platform/host.ts';
import { pathBytes, pathText } from '../../platform/path-text.ts';
import { placeOf } from '../api/page-of.ts';

const suggested: ReadonlySet<SuggestedFolder['kind']> = new Set(['documents', 'pictures', 'desktop', 'music', 'videos']);

/** The home folder first; folders that the system does not have are left out. */
export function suggestedFolders(home: string): SuggestedFolder[] {
  const host = { ...systemSurroundings(), home };
  return placeKinds.flatMap((kind) => {
    const path = kind === 'home' ? home : personalFolder(kind, host);
    if (path === undefined) return [];
    const exists = statOf(path)?.isDirectory() === true;
    return { kind, path, exists, isReadable: exists && mayRead(path), isSuggested: exists && suggested.has(kind) };
  });
}

export interface FolderWish {
  readonly path: string;
  readonly foldersOnly: boolean;
  readonly hidden: boolean;
  readonly cursor?: string | undefined;
  readonly limit: number;
}

export interface LocalFolder {
  readonly path: string;
  readonly parent: string | null;
  readonly entries: LocalFile[];
  readonly next: string | null;
  readonly total: number;
}

/** Folders first, by name. Throws `folder-unreadable`. */
export function localFolder({ path, foldersOnly, hidden, cursor, limit }: FolderWish): LocalFolder {
  const folder = pathBytes(path);
  const from = placeOf(cursor);
  let found: { name: Buffer; isFolder: boolean; key: string }[];
  try {
    found = readdirSync(folder, { encoding: 'buffer', withFileTypes: true }).map((entry) => {
      const name = entry.name as unknown as Buffer;
      return { name, isFolder: entry.isDirectory(), key: name.toString('utf8').toLowerCase() };
    });
  } catch (error) {
    return fail('folder-unreadable', { path, cause: (error as Error).message }, error);
  }
  const wanted = found.filter(({ name, isFolder }) => (hidden || !isHidden(name)) && (isFolder || !foldersOnly));
  wanted.sort((a, b) => Number(b.isFolder) - Number(a.isFolder) || (a.key < b.key ? -1 : a.key > b.key ? 1 : 0));
  const end = from + limit;
  const up = dirname(path);
  return {
    path,
    parent: up === path ? null : up,
    entries: wanted.slice(from, end).flatMap(({ name }) => fileOf(joinPath(folder, name), name)),
    next: end < wanted.length ? String(end) : null,
    total: wanted.length,
  };
}

const isHidden = (name: Buffer): boolean => name[0] === 0x2e;

/** None when it is gone by now. */
function fileOf(path: Buffer, name: Buffer): LocalFile[] {
  const stat = statOf(path, false);
  if (!stat) return [];
  const kind = stat.isDirectory() ? 'folder' : stat.isFile() ? 'file' : stat.isSymbolicLink() ? 'link' : 'other';
  return [
    {
      path: pathText(path),
      name: pathText(name),
      kind,
      size: kind === 'file' ? stat.size : 0,
      changed: stat.mtimeMs,
      isHidden: isHidden(name),
      isReadable: kind !== 'link' && mayRead(path),
    },
  ];
}

export interface Capacity {
  readonly exists: boolean;
  readonly isFolder: boolean;
  readonly isWritable: boolean;
  readonly totalBytes: number | null;
  readonly freeBytes: number | null;
  readonly isHomeDisk: boolean;
}

/** Of a folder that is not there yet: of the one that it would be made in. */
export function capacityOf(path: string, home: string): Capacity {
  const own = statOf(path);
  let folder = path;
  while (!statOf(folder) && dirname(folder) !== folder) folder = dirname(folder);
  const stat = statOf(folder);
  let space: { totalBytes: number; freeBytes: number } | undefined;
  try {
    const { blocks, bavail, bsize } = statfsSync(folder);
    space = { totalBytes: blocks * bsize, freeBytes: bavail * bsize };
  } catch {
    // Nobody knows.
  }
  return {
    exists: own !== undefined,
    isFolder: own?.isDirectory() === true,
    isWritable: stat?.isDirectory() === true && may(folder, constants.W_OK | constants.X_OK),
    totalBytes: space?.totalBytes ?? null,
    freeBytes: space?.freeBytes ?? null,
    isHomeDisk: stat !== undefined && stat.dev === statOf(home)?.dev,
  };
}

function statOf(path: string | Buffer, follow = true): Stats | undefined {
  try {
    return follow ? statSync(path, { throwIfNoEntry: false }) : lstatSync(path, { throwIfNoEntry: false });
  } catch {
    return undefined;
  }
}

const mayRead = (path: string | Buffer): boolean => may(path, constants.R_OK);

function may(path: string | Buffer, how: number): boolean {
  try {
    accessSync(path, how);
    return true;
  } catch {
    return false;
  }
}
