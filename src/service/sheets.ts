/**
 * Sheets: rows of a long result, kept while somebody looks at them; see src/contract/sheet.ts. They are in a database that SQLite holds
 * in memory as far as it is small, else in a file without a name, which is gone with the process.
 */
import { randomUUID } from 'node:crypto';
import { DatabaseSync } from 'node:sqlite';
import { fail } from '../contract/errors.ts';
import type { RunControl } from '../platform/cancellation.ts';
import type { Clock } from '../platform/clock.ts';
import type { Besides } from './besides.ts';

export interface SheetPage<R, S> {
  readonly rows: R[];
  readonly counted: number;
  readonly isComplete: boolean;
  readonly summary: S;
}

/** What fills a sheet. */
export interface SheetWriter<R, S> {
  add(rows: readonly R[]): void;
  /** Shown with every page. */
  summary: S;
}

export interface SheetsOptions {
  readonly clock: Pick<Clock, 'monotonic' | 'sleep' | 'every'>;
  readonly besides: Besides;
}

const idleMs = 10 * 60_000;
const lookMs = 60_000;
const waitMs = 1000;
/** Of one kind at a time: whoever wants another lets the oldest go. */
const most = 20;

export class Sheets<R, S> {
  readonly #options: SheetsOptions;
  readonly #open = new Map<string, Sheet<R, S>>();
  #stopLooking: (() => void) | undefined;

  constructor(options: SheetsOptions) {
    this.#options = options;
  }

  /** Begins the work, which ends with the sheet. Returns its ID. */
  begin(summary: S, work: (writer: SheetWriter<R, S>, control: RunControl) => Promise<void>): string {
    const { clock, besides } = this.#options;
    const id = randomUUID();
    const sheet = new Sheet<R, S>(summary, clock.monotonic());
    this.#open.set(id, sheet);
    for (const oldest of [...this.#open.keys()].slice(0, -most)) this.end(oldest);
    this.#stopLooking ??= clock.every(lookMs, () => this.#endIdle());
    const done = besides.run((control) => {
      sheet.control = control;
      return work(sheet, control);
    });
    void done.then(
      () => sheet.complete(),
      (error: Error) => sheet.complete(error),
    );
    return id;
  }

  /** Throws `sheet-not-found`, and what the work has thrown. */
  async page(id: string, after: number, limit: number): Promise<SheetPage<R, S>> {
    const { clock } = this.#options;
    const sheet = this.#open.get(id) ?? fail('sheet-not-found');
    sheet.usedAt = clock.monotonic();
    if (sheet.counted <= after && !sheet.isComplete) {
      const patience = new AbortController();
      await Promise.race([sheet.grown(), clock.sleep(waitMs, patience.signal).catch(() => {})]);
      patience.abort();
    }
    return sheet.page(after, limit);
  }

  end(id: string): void {
    const sheet = this.#open.get(id);
    if (!sheet) return;
    this.#open.delete(id);
    sheet.close();
    if (this.#open.size > 0) return;
    this.#stopLooking?.();
    this.#stopLooking = undefined;
  }

  close(): void {
    for (const id of this.#open.keys()) this.end(id);
  }

  #endIdle(): void {
    const now = this.#options.clock.monotonic();
    for (const [id, { usedAt }] of this.#open) if (now - usedAt >= idleMs) this.end(id);
  }
}

class Sheet<R, S> implements SheetWriter<R, S> {
  summary: S;
  usedAt: number;
  control: RunControl | undefined;
  counted = 0;
  isComplete = false;
  readonly #database = new DatabaseSync('');
  readonly #insert: ReturnType<DatabaseSync['prepare']>;
  readonly #select: ReturnType<DatabaseSync['prepare']>;
  #error: Error | undefined;
  #isClosed = false;
  #waiting: (() => void)[] = [];

  constructor(summary: S, usedAt: number) {
    this.summary = summary;
    this.usedAt = usedAt;
    this.#database.exec('PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF; CREATE TABLE rows (text TEXT NOT NULL) STRICT');
    this.#insert = this.#database.prepare('INSERT INTO rows (text) VALUES (?)');
    this.#select = this.#database.prepare('SELECT text FROM rows WHERE rowid > ? ORDER BY rowid LIMIT ?');
  }

  add(rows: readonly R[]): void {
    if (this.#isClosed || rows.length === 0) return;
    this.#database.exec('BEGIN');
    for (const row of rows) this.#insert.run(JSON.stringify(row));
    this.#database.exec('COMMIT');
    this.counted += rows.length;
    this.#wake();
  }

  complete(error?: Error): void {
    this.isComplete = true;
    this.#error = error;
    this.#wake();
  }

  grown(): Promise<void> {
    return new Promise((resolve) => this.#waiting.push(resolve));
  }

  page(after: number, limit: number): SheetPage<R, S> {
    // It may have been closed while somebody waited for it.
    if (this.#isClosed) return fail('sheet-not-found');
    const rows = this.#select.all(after, limit).map(({ text }) => JSON.parse(String(text)) as R);
    // What was found before is shown first.
    if (this.#error !== undefined && rows.length === 0) throw this.#error;
    return { rows, counted: this.counted, isComplete: this.isComplete && this.#error === undefined, summary: this.summary };
  }

  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.control?.cancel();
    this.#database.close();
    this.#wake();
  }

  #wake(): void {
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const resolve of waiting) resolve();
  }
}
