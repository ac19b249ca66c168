/**
 * The catalogue itself: one file, one writer at a time, any number of questions meanwhile. It lives in a thread of its own (worker.ts);
 * everything here but building is synchronous.
 *
 * Writing is done in transactions: a process that is killed at any moment leaves what was whole before. What SQLite finds to be damaged is
 * deleted, and begun anew: then `generation` changes, and all repositories are to be looked at again.
 */
import { statSync } from 'node:fs';
import { nextTurn } from '../../platform/clock.ts';
import { type BuildOptions, buildMoment, findMoment, noteCopy } from './build.ts';
import { compareMoment } from './check.ts';
import { asCatalogueError, isDamage, type OpenedCatalogue, openCatalogue, removeCatalogue } from './database.ts';
import { forgetCopy, removeMoment } from './forget.ts';
import { repositoryNumber, type SnapshotFacts } from './lines.ts';
import { indexNames } from './names.ts';
import { Calendar, type Destinations } from './queries/calendar.ts';
import type { View } from './queries/view.ts';
import { readAhead } from './read-ahead.ts';

/** How far the catalogue is with a repository. */
export interface RepositoryState {
  readonly repository: string;
  /** Snapshots that it has of those that there were when it was looked at. */
  readonly snapshots: number;
  readonly total: number;
  /** Those that are left out, since they are too large. */
  readonly leftOut: number;
  /** When all of them were seen last, or null. */
  readonly checkedAt: number | null;
}

export class CatalogueStore {
  readonly #file: string;
  #opened: OpenedCatalogue | undefined;
  #calendar: { readonly key: string; readonly calendar: Calendar } | undefined;
  /** Ends when the writing before is done, however. */
  #writing: Promise<void> = Promise.resolve();
  #isClosed = false;
  /** Raised when all was lost. */
  generation = 0;

  /** Opens nothing yet. */
  constructor(file: string) {
    this.#file = file;
  }

  /** Answers a question about the snapshots of some repositories, each by the ID of its destination. Throws `catalogue-failed`, and what `ask` throws. */
  ask<T>(destinations: Destinations, ask: (view: View) => T): T {
    return this.#guarded(({ reader }) => ask({ rows: reader, calendar: this.#calendarFor(destinations) }));
  }

  /** Makes ready for questions about these destinations. Throws `catalogue-failed`. */
  async warm(destinations: Destinations): Promise<void> {
    this.ask(destinations, () => undefined);
    await readAhead(this.#file, () => !this.#isClosed);
  }

  states(): RepositoryState[] {
    return this.#guarded(({ reader }) =>
      reader
        .all(
          `SELECT r.repository, r.checked, r.total, COUNT(c.snapshot), COUNT(c.moment) FROM repositories r
             LEFT JOIN copies c ON c.repository = r.id GROUP BY r.id`,
        )
        .map(([repository, checked, total, known, catalogued]) => ({
          repository: repository as string,
          snapshots: known as number,
          total: total as number,
          leftOut: (known as number) - (catalogued as number),
          checkedAt: checked as number | null,
        })),
    );
  }

  /** Bytes. */
  size(): number {
    return ['', '-wal'].reduce((sum, beside) => sum + (statSync(this.#file + beside, { throwIfNoEntry: false })?.size ?? 0), 0);
  }

  /** Takes out what a repository does not hold any more; gives those of its snapshots that are not known yet. */
  reconcile(repository: string, snapshots: readonly string[]): Promise<string[]> {
    return this.#write(async ({ writer }) => {
      const number = repositoryNumber(writer, repository);
      const there = new Set(snapshots);
      const known = new Set<string>();
      for (const [bytes] of writer.all('SELECT snapshot FROM copies WHERE repository = ?', number)) {
        const snapshot = bytes as Uint8Array;
        const id = Buffer.from(snapshot).toString('hex');
        if (there.has(id)) known.add(id);
        else {
          forgetCopy(writer, number, snapshot);
          // Questions are answered in between.
          await nextTurn();
        }
      }
      writer.run('UPDATE repositories SET total = ?, checked = NULL WHERE id = ?', there.size, number);
      return snapshots.filter((id) => !known.has(id));
    });
  }

  /** Enters a snapshot. Throws what the source throws. */
  add(repository: string, polynomial: string, facts: SnapshotFacts, options: BuildOptions): Promise<void> {
    return this.#write(async ({ writer }) => {
      const moment = findMoment(writer, facts, polynomial) ?? (await buildMoment(writer, facts, polynomial, options));
      noteCopy(writer, repository, facts, moment);
    });
  }

  /** Notes a snapshot that is not to be looked at again. */
  leaveOut(repository: string, facts: SnapshotFacts): Promise<void> {
    return this.#write(async ({ writer }) => noteCopy(writer, repository, facts, null));
  }

  /** All that a repository holds is entered. `at`: milliseconds since 1970. */
  complete(repository: string, at: number): Promise<void> {
    return this.#write(async ({ writer }) => {
      writer.run('UPDATE repositories SET checked = ? WHERE id = ?', at, repositoryNumber(writer, repository));
    });
  }

  /** Forgets a repository. */
  async drop(repository: string): Promise<void> {
    await this.reconcile(repository, []);
    await this.#write(async ({ writer }) => {
      writer.run('DELETE FROM repositories WHERE repository = ?', repository);
    });
  }

  /** Whether the catalogue says of a snapshot what the repository says. One that it says something else of is taken out. */
  check(facts: SnapshotFacts, polynomial: string, options: BuildOptions): Promise<boolean> {
    return this.#write(async ({ writer }) => {
      const moment = findMoment(writer, facts, polynomial);
      if (moment === undefined) return false;
      if (await compareMoment(writer, moment, Buffer.from(facts.tree, 'hex'), options)) return true;
      removeMoment(writer, moment);
      return false;
    });
  }

  /** Puts the names that came last into the search index, some at a time; others may write in between. */
  async index(): Promise<void> {
    for (let more = true; more && !this.#isClosed; await nextTurn()) {
      const { promise, resolve } = Promise.withResolvers<void>();
      const before = this.#writing;
      this.#writing = promise;
      await before;
      try {
        more = !this.#isClosed && this.#guarded(({ writer }) => indexNames(writer));
      } finally {
        resolve();
      }
    }
  }

  /** What is being written is given up: its source is to fail. */
  async close(): Promise<void> {
    this.#isClosed = true;
    await this.#writing;
    this.#shut();
  }

  #calendarFor(destinations: Destinations): Calendar {
    const { reader } = this.#open();
    const version = reader.get('PRAGMA data_version')![0];
    const key = JSON.stringify([this.generation, version, [...destinations]]);
    if (this.#calendar?.key !== key) this.#calendar = { key, calendar: new Calendar(reader, destinations) };
    return this.#calendar.calendar;
  }

  /** One after the other, each as a whole or not at all. */
  async #write<T>(work: (opened: OpenedCatalogue) => Promise<T>): Promise<T> {
    const { promise, resolve } = Promise.withResolvers<void>();
    const before = this.#writing;
    this.#writing = promise;
    await before;
    try {
      const opened = this.#guarded((each) => each);
      const { database } = opened.writer;
      try {
        database.exec('BEGIN IMMEDIATE');
        const result = await work(opened);
        database.exec('COMMIT');
        return result;
      } catch (error) {
        if (database.isOpen && database.isTransaction) database.exec('ROLLBACK');
        throw this.#told(error);
      }
    } finally {
      resolve();
    }
  }

  #guarded<T>(work: (opened: OpenedCatalogue) => T): T {
    try {
      return work(this.#open());
    } catch (error) {
      throw this.#told(error);
    }
  }

  #open(): OpenedCatalogue {
    return (this.#opened ??= openCatalogue(this.#file));
  }

  /** As an error of ours; what is damaged is thrown away. */
  #told(error: unknown): Error {
    if (isDamage(error)) {
      this.#shut();
      removeCatalogue(this.#file);
      this.generation += 1;
    }
    return asCatalogueError(error, this.#file);
  }

  #shut(): void {
    const opened = this.#opened;
    this.#opened = undefined;
    this.#calendar = undefined;
    if (opened?.reader.database.isOpen) opened.reader.database.close();
    if (opened?.writer.database.isOpen) opened.writer.database.close();
  }
}
