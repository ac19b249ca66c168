/** Names for searching: each once, with the folders that have or had it, and the index of their parts. */
import { nameText } from '../../engine/backup/name-text.ts';
import type { Rows } from './database.ts';
import type { Vanished } from './spans.ts';

const plain = /^[\0-\x7f]*$/;

/** A text as it is searched: without the difference of upper and lower case, and of the ways to write a letter with an accent. */
export const fold = (text: string): string => (plain.test(text) ? text : text.normalize('NFC')).toLowerCase();

/** Names that come again and again are not looked up each time. */
const keptNames = 20_000;

export class NameWriter {
  readonly #rows: Rows;
  readonly #kept = new Map<string, number>();

  constructor(rows: Rows) {
    this.#rows = rows;
  }

  /** Notes that a folder has, or had, an entry of this name. */
  note(folder: number, name: Buffer): void {
    this.#rows.run('INSERT OR IGNORE INTO places (name, folder) VALUES (?, ?)', this.#numberOf(name), folder);
  }

  #numberOf(name: Buffer): number {
    const text = nameText(name);
    const kept = this.#kept.get(text);
    if (kept !== undefined) return kept;
    const folded = fold(text);
    const number =
      this.#rows.insert('INSERT OR IGNORE INTO names (name, folded) VALUES (?, ?)', name, folded === text ? null : folded) ??
      Number(this.#rows.get('SELECT id FROM names WHERE name = ?', name)![0]);
    if (this.#kept.size >= keptNames) this.#kept.clear();
    this.#kept.set(text, number);
    return number;
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

const namesAtOnce = 2000;

/** Puts some more names into the index; false when all are in it. One transaction. */
export function indexNames(rows: Rows): boolean {
  const upTo = indexedUpTo(rows);
  const names = rows.all('SELECT id, name, folded FROM names WHERE id > ? ORDER BY id LIMIT ?', upTo, namesAtOnce);
  if (names.length === 0) return false;
  rows.database.exec('BEGIN IMMEDIATE');
  try {
    for (const [id, name, folded] of names)
      rows.run('INSERT INTO search (rowid, folded) VALUES (?, ?)', id as number, (folded as string | null) ?? nameText(asBuffer(name)));
    rows.run('UPDATE indexed SET name = ?', names.at(-1)![0] as number);
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
