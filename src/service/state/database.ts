/**
 * The file that holds the state: settings, plans, runs.
 *
 * It is never the only copy of what a restore needs. So a damaged one is kept aside, for whoever wants to look at it, and a new one takes its
 * place (its content comes back from a destination, see settings-source.ts); one of a newer version is refused and left as it is.
 */
import { existsSync, renameSync } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';
import { fail, HoldfastError } from '../../contract/errors.ts';
import type { Clock } from '../../platform/clock.ts';
import { migrations } from './migrations.ts';

export interface OpenedDatabase {
  readonly database: DatabaseSync;
  /** Whether there was none before, or one without anything in it, as a crash of the file system leaves. */
  readonly isNew: boolean;
  /** Where a damaged one was put; undefined when there was nothing wrong. */
  readonly keptAside: string | undefined;
}

/** What SQLite keeps beside its file. */
const besides = ['-wal', '-shm', '-journal'];

/** SQLite's result codes (sqlite.org/rescode.html) that say that the file itself is not sound. */
const damaged = new Set([11 /* SQLITE_CORRUPT */, 26 /* SQLITE_NOTADB */]);

/** Throws `state-newer`, `state-failed`. */
export function openDatabase(file: string, clock: Pick<Clock, 'now'>): OpenedDatabase {
  try {
    return { ...openSound(file), keptAside: undefined };
  } catch (error) {
    if (!isDamage(error)) throw asStateError(error, file);
  }
  const keptAside = `${file}.damaged-${clock.now()}`;
  try {
    for (const beside of besides) if (existsSync(file + beside)) renameSync(file + beside, keptAside + beside);
    renameSync(file, keptAside);
    return { ...openSound(file), keptAside };
  } catch (error) {
    throw asStateError(error, file);
  }
}

function openSound(file: string): Pick<OpenedDatabase, 'database' | 'isNew'> {
  const database = new DatabaseSync(file, { enableForeignKeyConstraints: true });
  try {
    const version = Number(database.prepare('PRAGMA user_version').get()!.user_version);
    if (version > migrations.length) fail('state-newer', { path: file });
    database.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA temp_store = MEMORY; PRAGMA journal_size_limit = 4194304;');
    // A name for what SQLite finds, by the code that it has for it.
    for (const row of database.prepare('PRAGMA quick_check(1)').all())
      if (row.quick_check !== 'ok') throw Object.assign(new Error(String(row.quick_check)), { errcode: 11 });
    for (let next = version; next < migrations.length; next++) {
      database.exec(`BEGIN IMMEDIATE; ${migrations[next]} PRAGMA user_version = ${next + 1}; COMMIT;`);
    }
    return { database, isNew: version === 0 };
  } catch (error) {
    database.close();
    throw error;
  }
}

/** Extended codes have the plain one in their lowest byte. */
const isDamage = (error: unknown): boolean => damaged.has(Number((error as { errcode?: number }).errcode) & 0xff);

/** What SQLite throws, as an error for a person; HoldfastErrors as they are. */
export function asStateError(error: unknown, path: string): HoldfastError {
  if (error instanceof HoldfastError) return error;
  return new HoldfastError('state-failed', { path, cause: (error as Error).message }, { cause: error });
}
