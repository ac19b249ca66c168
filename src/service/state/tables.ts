/** The database as the stores see it. */
import type { DatabaseSync, SQLInputValue, StatementSync } from 'node:sqlite';
import { asStateError } from './database.ts';

/** A database whose statements are prepared once, and whose errors are ours. */
export class Tables {
  readonly #database: DatabaseSync;
  readonly #path: string;
  readonly #statements = new Map<string, StatementSync>();

  constructor(database: DatabaseSync, path: string) {
    this.#database = database;
    this.#path = path;
  }

  all(sql: string, ...values: SQLInputValue[]): Record<string, unknown>[] {
    return this.#do(() => this.#statement(sql).all(...values));
  }

  run(sql: string, ...values: SQLInputValue[]): { lastInsertRowid: number | bigint; changes: number | bigint } {
    return this.#do(() => this.#statement(sql).run(...values));
  }

  /** All of `work` or nothing of it. */
  together<T>(work: () => T): T {
    return this.#do(() => {
      this.#database.exec('BEGIN IMMEDIATE');
      try {
        const result = work();
        this.#database.exec('COMMIT');
        return result;
      } catch (error) {
        if (this.#database.isTransaction) this.#database.exec('ROLLBACK');
        throw error;
      }
    });
  }

  close(): void {
    this.#database.close();
  }

  #statement(sql: string): StatementSync {
    let statement = this.#statements.get(sql);
    if (!statement) this.#statements.set(sql, (statement = this.#database.prepare(sql)));
    return statement;
  }

  #do<T>(work: () => T): T {
    try {
      return work();
    } catch (error) {
      throw asStateError(error, this.#path);
    }
  }
}
