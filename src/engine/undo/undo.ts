/**
 * Undoes an in-place restore: brings back what it has replaced and deleted, with all properties, and removes what it has
 * made. What somebody has changed since is never destroyed: it is kept, under another name when its place is needed.
 *
 * The records of the journal are taken backwards. Each is judged by what is there, so that an undo that was cut off, or a
 * restore that was, is only a state like any other, and the undo can be run again. Properties of folders come last.
 */
import { closeSync, lstatSync, openSync, readdirSync, rmdirSync, unlinkSync } from 'node:fs';
import { type ErrorCode, fail, HoldfastError } from '../../contract/errors.ts';
import { joinPath } from '../../platform/byte-paths.ts';
import { nextTurn } from '../../platform/clock.ts';
import { syncFileSystem } from '../../platform/posix.ts';
import { localTime } from '../../repository/tree/go-time.ts';
import { throwIfFatal } from '../restore/failures.ts';
import type { RestoreProblem } from '../restore/walk-task.ts';
import { reportProgress, type RunOptions } from '../run.ts';
import { beat, endTime, finishTime, isAside, isOwnFile } from './aside.ts';
import { appendRecords, removeJournal } from './journal.ts';
import { LeftParts } from './left-parts.ts';
import { type OpenUndo, openUndo, type UndoArea } from './open-undo.ts';
import { Places } from './places.ts';
import { putBack } from './put-back.ts';
import { bytesOf, type ProgressRecord, textOf } from './records.ts';
import type { Entry } from './record-store.ts';
import { isOfFolder, setBack, type SettingBack } from './set-back.ts';
import { type UndoFigures, type UndoneEntry, UndoReport } from './undo-report.ts';

export type UndoRunOptions = Pick<RunOptions, 'control' | 'clock' | 'onProgress'>;

export interface UndoResult {
  readonly id: string;
  readonly target: string;
  readonly figures: UndoFigures;
  /** What was changed since the restore, and where it is now. */
  readonly kept: readonly UndoneEntry[];
  /** What could not be brought back. The journal stays then, so that the undo can be run again. */
  readonly problems: readonly RestoreProblem[];
}

/**
 * Says what an undo would do, and changes nothing. `folder` is where journals are, `id` the ID of one or its beginning.
 * Throws what {@link executeUndo} does.
 */
export const planUndo = (
  folder: string,
  id: string,
  options: UndoRunOptions,
  onEntry?: (entry: UndoneEntry) => void,
): Promise<UndoResult> => runUndo(folder, id, false, options, onEntry);

/**
 * Undoes. When everything is back, the journal is removed. Throws `undo-not-found`, `undo-blocked`, `undo-target-gone`,
 * `undo-damaged`, `undo-interrupted`, `target-busy` and `cancelled`; after any of them it can be run again.
 */
export const executeUndo = (folder: string, id: string, options: UndoRunOptions): Promise<UndoResult> => runUndo(folder, id, true, options);

async function runUndo(
  folder: string,
  id: string,
  act: boolean,
  options: UndoRunOptions,
  onEntry?: (entry: UndoneEntry) => void,
): Promise<UndoResult> {
  try {
    const open = openUndo(folder, id, act, options.clock);
    try {
      return await new Undo(open, act, options, new UndoReport(onEntry)).run();
    } finally {
      open.close();
    }
  } catch (error) {
    // A disk that is full, taken away or closed to this user: nothing of that is about a restore, or a defect.
    const ofSystem = !(error instanceof HoldfastError) && (error as NodeJS.ErrnoException).syscall !== undefined;
    if (ofSystem || (error instanceof HoldfastError && ofTarget.has(error.code)))
      fail('undo-interrupted', { cause: (error as Error).message }, error);
    throw error;
  }
}

/** What {@link throwIfFatal} says, in the words of a restore. */
const ofTarget = new Set<ErrorCode>(['target-full', 'target-read-only', 'target-gone']);

/** After so many entries the thread hears whether the run is cancelled. */
const entriesAtOnce = 64;
const beatMs = 1000;

class Undo {
  readonly #open: OpenUndo;
  readonly #act: boolean;
  readonly #options: UndoRunOptions;
  readonly #report: UndoReport;
  readonly #places: Places;
  readonly #parts: LeftParts;
  readonly #stamp: string;
  readonly #back = new Set<string>();
  /** Each once. */
  readonly #asides: readonly Buffer[];
  #path: Buffer = Buffer.alloc(0);
  #done = 0;
  #sinceTurn = 0;

  constructor(open: OpenUndo, act: boolean, options: UndoRunOptions, report: UndoReport) {
    this.#open = open;
    this.#act = act;
    this.#options = options;
    this.#report = report;
    this.#places = new Places(act);
    this.#parts = new LeftParts(open.head.parts, act && !open.store.hasEnded);
    this.#asides = [...new Map([...open.areas.values()].map(({ aside }) => [textOf(aside), aside])).values()];
    const now = localTime.format(BigInt(Math.round(options.clock.now())) * 1_000_000n);
    this.#stamp = now.slice(0, 16).replace('T', ' ').replace(':', '.');
    // By a run that was cut off, unless that was before it had done what it noted.
    for (const [path, other] of open.store.kept)
      if (lstatSync(bytesOf(other), { throwIfNoEntry: false })) report.keep(bytesOf(path), bytesOf(other));
  }

  async run(): Promise<UndoResult> {
    const { store, head, journal } = this.#open;
    const { figures, kept, problems } = this.#report;
    const stopBeating = this.#act ? this.#options.clock.every(beatMs, () => this.#asides.forEach(beat)) : () => {};
    const stop = this.#progress();
    try {
      if (!store.isEmptied) {
        await this.#putAllBack();
        this.#parts.leave();
        if (this.#act) this.#lookForRest();
      }
      if (this.#act && problems.length === 0) this.#removeAsides();
      this.#places.closeAll();
      await this.#setFoldersBack();
      if (this.#act && problems.length === 0) this.#sync();
    } finally {
      stop();
      stopBeating();
      this.#places.closeAll();
      if (this.#act && !store.isEmptied) this.#endTimes();
    }
    if (this.#act && problems.length === 0) removeJournal(journal);
    return { id: head.id, target: head.target, figures, kept, problems };
  }

  #setting(): SettingBack {
    const { remade } = this.#open.store;
    return { act: this.#act, places: this.#places, report: this.#report, remade, back: this.#back, planned: new Map() };
  }

  #putAllBack(): Promise<void> {
    const setting = this.#setting();
    const putting = {
      act: this.#act,
      places: this.#places,
      report: this.#report,
      parts: this.#parts,
      back: this.#back,
      stamp: this.#stamp,
      note: (record: ProgressRecord) => this.#note(record),
      breathe: () => this.#breathe(),
    };
    return this.#eachRecord(async (record, area) => {
      if (record.do !== 'facts') await putBack(record, area, putting);
      else if (!isOfFolder(record)) setBack(record, area, setting);
    });
  }

  #setFoldersBack(): Promise<void> {
    const setting = this.#setting();
    return this.#eachRecord((record, area) => {
      if (record.do === 'facts' && isOfFolder(record)) setBack(record, area, setting);
    });
  }

  /** The latest first. */
  async #eachRecord(take: (record: Entry, area: UndoArea) => Promise<void> | void): Promise<void> {
    const { store, areas } = this.#open;
    for (let seq = store.length - 1; seq >= 0; seq--) {
      this.#done += 1;
      const record = store.at(seq);
      const area = record && areas.get(`${record.worker} ${record.area}`);
      if (!area) continue;
      this.#path = area.path;
      try {
        this.#path = this.#places.pathOf(area.path, record.path);
        await take(record, area);
      } catch (error) {
        if (error instanceof HoldfastError) throw error;
        throwIfFatal(error, this.#path);
        this.#report.problem(this.#path, (error as Error).message);
      }
      await this.#breathe();
    }
  }

  async #breathe(): Promise<void> {
    if (++this.#sinceTurn < entriesAtOnce) return;
    this.#sinceTurn = 0;
    await this.#options.control.checkpointAsync();
    await nextTurn();
  }

  #note(record: ProgressRecord): void {
    if (record.do === 'remade') this.#open.store.remade.add(record.path);
    if (this.#act) appendRecords(this.#open.journal, [record]);
  }

  /** What is still in the aside folders is named, and keeps the journal. */
  #lookForRest(): void {
    for (const aside of this.#asides)
      for (const name of readdirSync(aside, { encoding: 'buffer' }) as Buffer[])
        if (!isOwnFile(name)) this.#report.problem(joinPath(aside, name), 'it could not be brought back and stays here');
  }

  #removeAsides(): void {
    if (!this.#open.store.isEmptied) this.#note({ do: 'emptied' });
    this.#open.store.isEmptied = true;
    for (const aside of this.#asides) {
      if (!isAside(aside)) continue;
      for (const name of readdirSync(aside, { encoding: 'buffer' }) as Buffer[]) unlinkSync(joinPath(aside, name));
      rmdirSync(aside);
    }
  }

  /** Writes down when this run was at work, for the next one. */
  #endTimes(): void {
    for (const aside of this.#asides) {
      const time = finishTime(aside, this.#options.clock);
      if (!time) continue;
      const record = { do: 'interval', aside: textOf(aside), from: String(time.from), to: String(time.to) } as const;
      appendRecords(this.#open.journal, [record]);
      endTime(aside);
    }
  }

  /** What is back is on the disks before the journal, which knows where it was, is removed. */
  #sync(): void {
    const devices = new Set<number>();
    for (const { path } of this.#open.areas.values()) {
      const { dev } = lstatSync(path);
      if (devices.has(dev)) continue;
      devices.add(dev);
      let fd: number;
      try {
        fd = openSync(path, 'r');
      } catch {
        // A folder that is closed to this user.
        continue;
      }
      try {
        syncFileSystem(fd);
      } catch (error) {
        throwIfFatal(error, path);
        throw error;
      } finally {
        closeSync(fd);
      }
    }
  }

  #progress(): () => void {
    const path = (): Buffer => this.#path;
    const current = {
      get currentPath(): Buffer {
        return path();
      },
    };
    const totalItems = this.#open.store.length * 2;
    return reportProgress(this.#options, current, { phase: 'undoing', items: () => this.#done, bytes: () => 0, totalItems });
  }
}
