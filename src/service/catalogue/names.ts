/** Names for searching: each once, with the folders that have or had it, and the index of their parts. */
import { nameText } from '../../engine/backup/name-text.ts';
import type { Rows } from './database.ts';
import type { Vanished } from './spans.ts';

const plain = /^[\0-\x7f]*$/;

/** A text as it is searched: without the difference of upper and lower case, and of the ways to write a letter with an accent. */
export const fold = (text: string): string => (plain.test(text) ? text : text.normalize('NFC')).toLowerCase();

/** Names that are entered together. */
const notedAtOnce = 48;
const namesSql = (values: string): string => `INSERT OR IGNORE INTO names (name, folded) VALUES ${values}`;
const placesSql = (values: string): string =>
  `INSERT OR IGNORE INTO places SELECT n.id, v.column2 FROM (VALUES ${values}) v CROSS JOIN names n WHERE n.name = v.column1`;

/** Whether a name is its own folded form, as most are. */
function isFolded(name: Buffer): boolean {
  for (const byte of name) if (byte >= 0x80 || (byte >= 0x41 && byte <= 0x5a)) return false;
  return true;
}

function foldedOf(name: Buffer): string | null {
  if (isFolded(name)) return null;
  const text = nameText(name);
  const folded = fold(text);
  return folded === text ? null : folded;
}

export class NameWriter {
  readonly #rows: Rows;
  #names: (Buffer | string | null)[] = [];
  #places: (Buffer | number)[] = [];

  constructor(rows: Rows) {
    this.#rows = rows;
  }

  /** Notes that a folder has, or had, an entry of this name. It is entered with {@link flush} at the latest. */
  note(folder: number, name: Buffer): void {
    this.#names.push(name, foldedOf(name));
    this.#places.push(name, folder);
    if (this.#names.length === notedAtOnce * 2) this.flush();
  }

  flush(): void {
    if (this.#names.length === 0) return;
    this.#rows.runOnMany(namesSql, 2, this.#names);
    this.#rows.runOnMany(placesSql, 2, this.#places);
    [this.#names, this.#places] = [[], []];
  }
}

/** Forgets the names of places that have no version any more. */
export function forgetNames(rows: Rows, vanished: Vanished): void {
  const upTo = indexedUpTo(rows);
  for (const { folder, name } of vanished) {
    if (rows.get('SELECT 1 FROM versions WHERE folder = ? AND name = ? LIMIT 1', folder, name)) continue;
    const number = rows.get('SELECT id FROM names WHERE name = ?', name)?.[0] as number | undefined;
    if (number === undefined) continue;
    rows.run('DELETE FROM places WHERE name = ? AND folder = ?', number, folder);
    if (rows.get('SELECT 1 FROM places WHERE name = ? LIMIT 1', number)) continue;
    rows.run('DELETE FROM names WHERE id = ?', number);
    if (number <= upTo) rows.run('DELETE FROM search WHERE rowid = ?', number);
  }
}

/** The last name that the index has. */
export const indexedUpTo = (rows: Rows): number => Number(rows.get('SELECT name FROM indexed')![0]);

/** Questions wait as long as that takes: about 10 ms. */
const namesAtOnce = 4000;

/** Puts some more names into the index; false when all are in it. One transaction. */
export function indexNames(rows: Rows): boolean {
  const upTo = indexedUpTo(rows);
  const last = rows.get('SELECT MAX(id) FROM (SELECT id FROM names WHERE id > ? ORDER BY id LIMIT ?)', upTo, namesAtOnce)![0];
  if (last === null) return false;
  rows.database.exec('BEGIN IMMEDIATE');
  try {
    rows.run(
      `INSERT INTO search (rowid, folded)
         SELECT id, CASE WHEN folded IS NOT NULL THEN folded
                         WHEN CAST(name AS TEXT) GLOB '*[^ -~]*' THEN name_text(name)
                         ELSE CAST(name AS TEXT) END
           FROM names WHERE id > ? AND id <= ? ORDER BY id`,
      upTo,
      last as number,
    );
    rows.run('UPDATE indexed SET name = ?', last as number);
    rows.database.exec('COMMIT');
  } catch (error) {
    if (rows.database.isTransaction) rows.database.exec('ROLLBACK');
    throw error;
  }
  return true;
}

/** A BLOB as it comes from the database. */
export function asBuffer(blob: unknown): Buffer {
  const bytes = blob as Uint8Array;
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
