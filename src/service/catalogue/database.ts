/**
 * The file of the catalogue. It can be built anew from the repositories at any time, so that one that is damaged, or of another version,
 * is deleted and begun anew without asking.
 */
import { rmSync } from 'node:fs';
import { DatabaseSync, type SQLInputValue, type StatementSync } from 'node:sqlite';
import { HoldfastError } from '../../contract/errors.ts';
import { nameText } from '../../engine/backup/name-text.ts';
import { schema, schemaVersion } from './schema.ts';

export type Row = readonly unknown[];

/** A connection. Rows are arrays of their columns. */
export class Rows {
  readonly database: DatabaseSync;
  readonly #statements = new Map<string, StatementSync>();

  constructor(database: DatabaseSync) {
    this.database = database;
  }

  all(sql: string, ...values: SQLInputValue[]): Row[] {
    return this.#statement(sql).all(...values) as unknown as Row[];
  }

  get(sql: string, ...values: SQLInputValue[]): Row | undefined {
    return this.#statement(sql).get(...values) as unknown as Row | undefined;
  }

  /** How many rows it has changed. */
  run(sql: string, ...values: SQLInputValue[]): number {
    return Number(this.#statement(sql).run(...values).changes);
  }

  /** The row ID of what it has inserted; undefined when it has inserted nothing. */
  insert(sql: string, ...values: SQLInputValue[]): number | undefined {
    const { changes, lastInsertRowid } = this.#statement(sql).run(...values);
    return changes === 0 ? undefined : Number(lastInsertRowid);
  }

  /**
   * Runs a statement once for many rows of values: `sql` gets their `(?, ?), (?, ?)…`. Where very much is entered that takes half the time of
   * a statement for each.
   */
  runOnMany(sql: (values: string) => string, columns: number, values: readonly SQLInputValue[]): void {
    const row = `(${Array(columns).fill('?').join(', ')})`;
    this.run(
      sql(
        Array(values.length / columns)
          .fill(row)
          .join(', '),
      ),
      ...values,
    );
  }

  #statement(sql: string): StatementSync {
    let statement = this.#statements.get(sql);
    if (!statement) {
      statement = this.database.prepare(sql);
      statement.setReturnArrays(true);
      this.#statements.set(sql, statement);
    }
    return statement;
  }
}

export interface OpenedCatalogue {
  readonly writer: Rows;
  /** Sees nothing of what is being written until that is whole. */
  readonly reader: Rows;
}

/** Damage alone never ends with an error. Throws what SQLite throws when its disk cannot be read or written. */
export function openCatalogue(file: string): OpenedCatalogue {
  try {
    const opened = open(file);
    if (opened) return opened;
  } catch (error) {
    if (!isDamage(error)) throw error;
  }
  removeCatalogue(file);
  return open(file)!;
}

export function removeCatalogue(file: string): void {
  // Without its log first, what is left of a file would be one of an earlier time.
  for (const beside of ['', '-wal', '-shm', '-journal']) rmSync(file + beside, { force: true });
}

const tableNames = [...schema.matchAll(/CREATE (?:VIRTUAL )?TABLE (\w+)/g)].map((match) => match[1]);
const quotedTables = tableNames.map((name) => `'${name}'`).join(', ');

/** Undefined for a file of another version, or of something else. */
function open(file: string): OpenedCatalogue | undefined {
  // A thread that ends just now may still hold it.
  const database = new DatabaseSync(file, { timeout: 5000 });
  try {
    const version = Number(database.prepare('PRAGMA user_version').get()!.user_version);
    if (version !== 0 && version !== schemaVersion) {
      database.close();
      return undefined;
    }
    // After a power cut the last changes may be missing, which is found when the repository is looked at; nothing else is.
    database.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; PRAGMA temp_store = MEMORY; PRAGMA cache_size = -32768;');
    database.exec('PRAGMA journal_size_limit = 4194304; PRAGMA wal_autocheckpoint = 4000;');
    if (version === 0) {
      if (Number(database.prepare('SELECT COUNT(*) AS n FROM sqlite_schema').get()!.n) > 0) {
        database.close();
        return undefined;
      }
      database.exec(`BEGIN IMMEDIATE; ${schema} PRAGMA user_version = ${schemaVersion}; COMMIT;`);
    }
    const tables = database.prepare(`SELECT COUNT(*) AS n FROM sqlite_schema WHERE type = 'table' AND name IN (${quotedTables})`).get()!.n;
    if (Number(tables) !== tableNames.length) {
      database.close();
      return undefined;
    }
    // A name need not be UTF-8.
    database.function('name_text', { deterministic: true }, (name) => nameText(Buffer.from(name as Uint8Array)));
    const reader = new DatabaseSync(file, { readOnly: true, timeout: 5000 });
    reader.exec('PRAGMA cache_size = -8192; PRAGMA temp_store = MEMORY; PRAGMA mmap_size = 0;');
    return { writer: new Rows(database), reader: new Rows(reader) };
  } catch (error) {
    if (database.isOpen) database.close();
    throw error;
  }
}

/** SQLite's result codes (sqlite.org/rescode.html) that say that the file itself is not sound. */
const damaged = new Set([11 /* SQLITE_CORRUPT */, 26 /* SQLITE_NOTADB */]);

/** Extended codes have the plain one in their lowest byte. */
export const isDamage = (error: unknown): boolean => damaged.has(Number((error as { errcode?: number }).errcode) & 0xff);

/** What SQLite throws, as an error for a person; HoldfastErrors as they are. */
export function asCatalogueError(error: unknown, path: string): HoldfastError {
  if (error instanceof HoldfastError) return error;
  // Of SQLite, or of the file system.
  const { errcode, syscall } = error as { errcode?: number; syscall?: string };
  const { message } = error as Error;
  return errcode !== undefined || syscall !== undefined
    ? new HoldfastError('catalogue-failed', { path, cause: message }, { cause: error })
    : new HoldfastError('internal', { cause: message }, { cause: error });
}
