/** A folder as it was at a moment. */
import type { CatalogueEntry } from '../../../contract/catalogue.ts';
import { fail } from '../../../contract/errors.ts';
import { folderType } from '../../../engine/listing/format.ts';
import type { Row } from '../database.ts';
import {
  cleanPath,
  cursorOf,
  entryOf,
  factColumns,
  folderAt,
  fromCursor,
  holdsAt,
  inCursor,
  momentOf,
  namesOf,
  pathOf,
  placeOfCursor,
  placeOfPath,
  totalOf,
  type View,
} from './view.ts';

export interface FolderRequest {
  readonly snapshot: string;
  readonly path: string;
  readonly order: 'name' | 'folders-first';
  readonly cursor?: string | undefined;
  readonly limit: number;
}

interface EntryPage {
  readonly entries: CatalogueEntry[];
  readonly next: string | null;
}

/** A folder that is there at a moment, or the entry of that path that is none. Throws `not-catalogued`, `snapshot-path-not-found`. */
export function folderIn(
  view: View,
  snapshot: string,
  path: string,
): { at: number; folder: number } | { at: number; entry: CatalogueEntry } {
  const { rows, calendar } = view;
  const at = momentOf(view, snapshot);
  const { root } = calendar.lineAt.get(at)!;
  const names = namesOf(path);
  if (names.length === 0) return { at, folder: root };
  const place = placeOfPath(rows, root, names);
  const row =
    place &&
    rows.get(`SELECT name, ${factColumns} FROM versions WHERE folder = ? AND name = ? AND ${holdsAt}`, place.folder, place.name, at, at);
  if (!row) return fail('snapshot-path-not-found', { path: cleanPath(path), snapshot });
  if (row[1] !== folderType) return { at, entry: entryOf(rows, place!.folder, pathOf(names.slice(0, -1)), row, at) };
  return { at, folder: folderAt(rows, root, names)! };
}

/** Throws as {@link folderIn}. */
export function listFolder(view: View, { snapshot, path, order, cursor, limit }: FolderRequest): EntryPage {
  const found = folderIn(view, snapshot, path);
  if ('entry' in found) return { entries: [found.entry], next: null };
  const { rows } = view;
  const { at, folder } = found;
  const [part, after] = (placeOfCursor(cursor, 2) as [number, string] | undefined) ?? [0, ''];
  const name = fromCursor(after);
  const clean = cleanPath(path);
  let page: Row[];
  if (order === 'name') page = rowsAfter(view, folder, at, name, limit + 1, '');
  else {
    const folders = part === 0 ? foldersAfter(view, folder, at, name, limit + 1) : [];
    const others =
      folders.length > limit
        ? []
        : rowsAfter(view, folder, at, part === 0 ? Buffer.alloc(0) : name, limit + 1 - folders.length, `AND type <> ${folderType}`);
    page = [...folders, ...others];
  }
  const shown = page.slice(0, limit);
  const entries = shown.map((row) => entryOf(rows, folder, clean, row, at));
  if (page.length <= limit) return { entries, next: null };
  const last = shown.at(-1)!;
  return { entries, next: cursorOf([order === 'name' || last[1] === folderType ? 0 : 1, inCursor(last[0] as Uint8Array)]) };
}

function rowsAfter({ rows }: View, folder: number, at: number, name: Buffer, limit: number, condition: string): Row[] {
  return rows.all(
    `SELECT name, ${factColumns} FROM versions WHERE folder = ? AND name > ? AND ${holdsAt} ${condition} ORDER BY name LIMIT ?`,
    folder,
    name,
    at,
    at,
    limit,
  );
}

/** Found through the folders, which are few, and not through all entries. */
function foldersAfter({ rows }: View, folder: number, at: number, name: Buffer, limit: number): Row[] {
  return rows.all(
    `SELECT f.name, ${factColumns} FROM folders f JOIN versions v ON v.folder = f.parent AND v.name = f.name
       WHERE f.parent = ? AND f.name > ? AND ${holdsAt} AND type = ${folderType} ORDER BY f.name LIMIT ?`,
    folder,
    name,
    at,
    at,
    limit,
  );
}

/** Throws as {@link folderIn}; of the root `snapshot-path-not-found`, for it has no properties. */
export function findEntry(view: View, snapshot: string, path: string): CatalogueEntry {
  const found = folderIn(view, snapshot, path);
  if ('entry' in found) return found.entry;
  const names = namesOf(path);
  if (names.length === 0) return fail('snapshot-path-not-found', { path: '/', snapshot });
  const { rows, calendar } = view;
  const place = placeOfPath(rows, calendar.lineAt.get(found.at)!.root, names)!;
  const row = rows.get(
    `SELECT name, ${factColumns} FROM versions WHERE folder = ? AND name = ? AND ${holdsAt}`,
    place.folder,
    place.name,
    found.at,
    found.at,
  )!;
  return entryOf(rows, place.folder, pathOf(names.slice(0, -1)), row, found.at);
}

/** What takes the space in a folder, largest first. */
export function listUsage(
  view: View,
  { snapshot, path, cursor, limit }: Omit<FolderRequest, 'order'>,
): EntryPage & { total: ReturnType<typeof totalOf> } {
  const found = folderIn(view, snapshot, path);
  if ('entry' in found) {
    const { size } = found.entry;
    return { total: { files: 1, folders: 0, bytes: size }, entries: [found.entry], next: null };
  }
  const { rows } = view;
  const { at, folder } = found;
  const [bytes, after] = (placeOfCursor(cursor, 2) as [number, string] | undefined) ?? [Number.MAX_SAFE_INTEGER, ''];
  const name = fromCursor(after);
  const largest = `
    SELECT name, ${factColumns}, size AS bytes FROM versions WHERE folder = ?1 AND ${'lo < ?2 AND (hi IS NULL OR hi > ?2)'} AND type <> ${folderType}
      AND (size < ?3 OR (size = ?3 AND name > ?4))
    UNION ALL
    SELECT f.name, v.type, v.mode, v.size, v.seconds, v.nanos, v.mark, COALESCE(t.bytes, 0) AS bytes
      FROM folders f JOIN versions v ON v.folder = f.parent AND v.name = f.name
      LEFT JOIN trees t ON t.folder = f.id AND t.lo < ?2 AND (t.hi IS NULL OR t.hi > ?2)
      WHERE f.parent = ?1 AND v.lo < ?2 AND (v.hi IS NULL OR v.hi > ?2) AND v.type = ${folderType}
        AND (COALESCE(t.bytes, 0) < ?3 OR (COALESCE(t.bytes, 0) = ?3 AND f.name > ?4))
    ORDER BY bytes DESC, name LIMIT ?5`;
  const page = rows.all(largest, folder, at, bytes, name, limit + 1);
  const shown = page.slice(0, limit);
  const clean = cleanPath(path);
  const last = shown.at(-1);
  return {
    total: totalOf(rows, folder, at),
    entries: shown.map((row) => entryOf(rows, folder, clean, row, at)),
    next: page.length > limit ? cursorOf([last![7], inCursor(last![0] as Uint8Array)]) : null,
  };
}
