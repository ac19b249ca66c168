/** Where versions begin and end when a moment is put between others, or taken from between them. See schema.ts. */
import type { Rows } from './database.ts';
import type { Place } from './lines.ts';

/** What an entry is like; two of the same facts are the same version. */
export interface Facts {
  readonly type: number;
  readonly mode: number;
  readonly size: number;
  readonly seconds: number;
  readonly nanos: number;
  readonly mark: number;
}

export interface TreeFacts {
  /** 16 bytes; null: it could not be read. */
  readonly tree: Uint8Array | null;
  readonly files: number;
  readonly folders: number;
  readonly bytes: number;
  readonly problems: number;
}

/** Versions that are entered together. */
const openedAtOnce = 24;
const versionColumns = 10;
const versionsSql = (values: string): string => `INSERT INTO versions VALUES ${values}`;

const factColumns = 'type, mode, size, seconds, nanos, mark';
const treeColumns = 'tree, files, folders, bytes, problems';

/**
 * Writes a moment beside its neighbour, the *base*: the one before it, else the one after it. Nothing to do for what is as there.
 * For all else the version of the base is closed, and that of the moment opened.
 */
export class SpanWriter {
  readonly #rows: Rows;
  readonly #place: Place;
  readonly #lo: number;
  readonly #hi: number | null;
  /** The moment to compare with; undefined for the first of a line. */
  readonly base: number | undefined;
  /** New versions that are not entered yet. None of them holds at the base, so that nothing here asks for them. */
  #opened: (number | Uint8Array | null)[] = [];

  constructor(rows: Rows, place: Place) {
    const { at, before, after } = place;
    this.#rows = rows;
    this.#place = place;
    this.#lo = before ?? 0;
    this.#hi = after ?? null;
    this.base = before ?? after;
    if (before === undefined || after === undefined) return;
    // What is new in the moment after it would hold for this one, too; whether it does is seen later.
    for (const table of ['versions', 'trees']) rows.run(`UPDATE ${table} SET lo = ? WHERE lo = ?`, at, before);
  }

  /** The entry is not, or not so, in the moment; without a name: all that lies directly in the folder. */
  close(folder: number, name?: Uint8Array): void {
    const [condition, values] = name === undefined ? ['folder = ?', [folder]] : ['folder = ? AND name = ?', [folder, name]];
    this.#close('versions', `folder, name, ?, hi, ${factColumns}`, condition, values);
  }

  closeTree(folder: number): void {
    this.#close('trees', `folder, ?, hi, ${treeColumns}`, 'folder = ?', [folder]);
  }

  #close(table: string, columns: string, condition: string, values: (number | Uint8Array)[]): void {
    const { at, before, after } = this.#place;
    if (before === undefined) {
      if (after === undefined) return;
      const covers = `lo < ? AND (hi IS NULL OR hi > ?)`;
      this.#rows.run(`UPDATE ${table} SET lo = ? WHERE ${condition} AND ${covers}`, at, ...values, after, after);
      return;
    }
    if (after !== undefined) {
      const goesOn = 'lo < ? AND (hi IS NULL OR hi > ?)';
      this.#rows.run(`INSERT INTO ${table} SELECT ${columns} FROM ${table} WHERE ${condition} AND ${goesOn}`, at, ...values, before, after);
    }
    const covers = 'lo < ? AND (hi IS NULL OR hi > ?)';
    this.#rows.run(`UPDATE ${table} SET hi = ? WHERE ${condition} AND ${covers}`, at, ...values, before, before);
  }

  open(folder: number, name: Uint8Array, { type, mode, size, seconds, nanos, mark }: Facts): void {
    const { at, before, after } = this.#place;
    if (before !== undefined && after !== undefined) {
      const joined = this.#rows.run(
        `UPDATE versions SET lo = ? WHERE folder = ? AND name = ? AND lo = ?
           AND type = ? AND mode = ? AND size = ? AND seconds = ? AND nanos = ? AND mark = ?`,
        before,
        folder,
        name,
        at,
        type,
        mode,
        size,
        seconds,
        nanos,
        mark,
      );
      if (joined > 0) return;
    }
    this.#opened.push(folder, name, this.#lo, this.#hi, type, mode, size, seconds, nanos, mark);
    if (this.#opened.length === openedAtOnce * versionColumns) this.flush();
  }

  /** To be called when all is opened. */
  flush(): void {
    if (this.#opened.length === 0) return;
    this.#rows.runOnMany(versionsSql, versionColumns, this.#opened);
    this.#opened = [];
  }

  openTree(folder: number, { tree, files, folders, bytes, problems }: TreeFacts): void {
    const { at, before, after } = this.#place;
    if (before !== undefined && after !== undefined && tree !== null) {
      const joined = this.#rows.run(
        'UPDATE trees SET lo = ? WHERE folder = ? AND lo = ? AND tree = ? AND problems = ?',
        before,
        folder,
        at,
        tree,
        problems,
      );
      if (joined > 0) return;
    }
    this.#rows.run('INSERT INTO trees VALUES (?, ?, ?, ?, ?, ?, ?, ?)', folder, this.#lo, this.#hi, tree, files, folders, bytes, problems);
  }
}

/** Places of entries that may have no version any more. */
export type Vanished = readonly { readonly folder: number; readonly name: Uint8Array }[];

/** Takes a moment from between its neighbours, of which there is at least one. Gives the places of the versions that are gone. */
export function removeSpans(rows: Rows, { at, before, after }: Place): Vanished {
  // What held there alone.
  const [alone, ends] =
    before === undefined ? ['hi = ?', [after!]] : after === undefined ? ['lo = ?', [before]] : ['lo = ? AND hi = ?', [before, after]];
  const vanished = rows.all(`SELECT folder, name FROM versions WHERE ${alone}`, ...ends);
  for (const table of ['versions', 'trees']) {
    rows.run(`DELETE FROM ${table} WHERE ${alone}`, ...ends);
    rows.run(`UPDATE ${table} SET hi = ? WHERE hi = ?`, after ?? null, at);
    rows.run(`UPDATE ${table} SET lo = ? WHERE lo = ?`, before ?? 0, at);
  }
  return vanished.map(([folder, name]) => ({ folder: Number(folder), name: name as Uint8Array }));
}
