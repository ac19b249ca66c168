/** What queries need of each other: the database with its calendar, paths, and rows as clients see them. */
import type { CatalogueEntry, EntryFactsView } from '../../../contract/catalogue.ts';
import { fail } from '../../../contract/errors.ts';
import { nameBytes, nameText } from '../../../engine/backup/name-text.ts';
import { folderType, nodeTypes } from '../../../engine/listing/format.ts';
import { splitPath } from '../../../platform/byte-paths.ts';
import type { Row, Rows } from '../database.ts';
import { asBuffer } from '../names.ts';
import type { Calendar } from './calendar.ts';

/** One state of the catalogue, that does not change while a query is answered. */
export interface View {
  readonly rows: Rows;
  readonly calendar: Calendar;
}

/** An SQL condition for rows that hold at a moment; it takes the position twice. */
export const holdsAt = 'lo < ? AND (hi IS NULL OR hi > ?)';

/** The columns that {@link factsOf} reads. */
export const factColumns = 'type, mode, size, seconds, nanos, mark';

/** Facts from their columns, which begin at `at` of the row. */
export function factsOf(row: Row, at: number): EntryFactsView {
  const [type, mode, size, seconds, nanos] = row.slice(at, at + 5) as [number, number, number, number, number];
  return {
    type: nodeTypes[type],
    size,
    changed: seconds * 1000 + Math.floor(nanos / 1e6),
    changedNs: String(BigInt(seconds) * 1_000_000_000n + BigInt(nanos)),
    mode,
  };
}

export const namesOf = (path: string): Buffer[] => splitPath(nameBytes(path));

export const pathOf = (names: readonly Uint8Array[]): string => `/${names.map((name) => nameText(asBuffer(name))).join('/')}`;

/** `/a` and `b` as `/a/b`. */
export const below = (folder: string, name: string): string => (folder === '/' ? `/${name}` : `${folder}/${name}`);

/** A path as it is told: without doubled and trailing slashes. */
export const cleanPath = (path: string): string => pathOf(namesOf(path));

/** The number of a folder, whether or not it is there at some moment; undefined: it never was. */
export function folderAt(rows: Rows, root: number, names: readonly Buffer[]): number | undefined {
  let folder = root;
  for (const name of names) {
    const row = rows.get('SELECT id FROM folders WHERE parent = ? AND name = ?', folder, name);
    if (!row) return undefined;
    folder = row[0] as number;
  }
  return folder;
}

/** A folder and the name in it; undefined: nothing ever had that path. The root has none. */
export function placeOfPath(rows: Rows, root: number, names: readonly Buffer[]): { folder: number; name: Buffer } | undefined {
  const folder = folderAt(rows, root, names.slice(0, -1));
  return folder === undefined || names.length === 0 ? undefined : { folder, name: names.at(-1)! };
}

/** Throws `not-catalogued`. */
export function momentOf({ rows, calendar }: View, snapshot: string): number {
  return calendar.find(snapshot, rows) ?? fail('not-catalogued', { snapshot });
}

export interface Totals {
  readonly files: number;
  readonly folders: number;
  readonly bytes: number;
}

/** Of a folder at a moment; null where some of it could not be read. */
export function totalOf(rows: Rows, folder: number, at: number): Totals | null {
  const row = rows.get(`SELECT files, folders, bytes, problems FROM trees WHERE folder = ? AND ${holdsAt}`, folder, at, at);
  if (!row || (row[3] as number) > 0) return null;
  const [files, folders, bytes] = row as [number, number, number];
  return { files, folders, bytes };
}

/** An entry from a row of its name and facts, in a folder of some path. */
export function entryOf(rows: Rows, folder: number, path: string, row: Row, at: number): CatalogueEntry {
  const bytes = asBuffer(row[0]);
  const name = nameText(bytes);
  const entry: CatalogueEntry = { path: below(path, name), name, ...factsOf(row, 1) };
  if (row[1] !== folderType) return entry;
  const itself = folderAt(rows, folder, [bytes]);
  return { ...entry, total: itself === undefined ? null : totalOf(rows, itself, at) };
}

/** Where a page ends, as text. */
export const cursorOf = (place: unknown): string => Buffer.from(JSON.stringify(place)).toString('base64url');

/** Throws `request-invalid` for what is no cursor of ours. */
export function placeOfCursor(cursor: string | undefined, length: number): unknown[] | undefined {
  if (cursor === undefined) return undefined;
  try {
    const place: unknown = JSON.parse(Buffer.from(cursor, 'base64url').toString());
    if (Array.isArray(place) && place.length === length && place.every((part) => ['string', 'number'].includes(typeof part))) return place;
  } catch {
    // Told below.
  }
  return fail('request-invalid', { problem: 'the cursor is none that was given' });
}

/** Bytes in a cursor. */
export const inCursor = (bytes: Uint8Array): string => asBuffer(bytes).toString('base64url');
export const fromCursor = (text: unknown): Buffer => Buffer.from(String(text), 'base64url');
