/**
 * Undoes an in-place restore: brings back what it has replaced and deleted, with all properties, and removes what it has
 * made. What somebody has changed since is never destroyed: it is kept, under another name when its place is needed.
 *
 * The records of the journal are taken backwards. Each is judged by what is there, so that an undo that was cut off, or a
 * restore that was, is only a state like any other, and the undo can be run again. Properties of folders come last.
 */
import { type BigIntStats, chmodSync, closeSync, lstatSync, openSync, readdirSync, renameSync, rmdirSync, unlinkSync } from 'node:fs';
import { HoldfastError } from '../../contract/errors.ts';
import { baseName, joinPath, parentPath } from '../../platform/byte-paths.ts';
import { nextTurn } from '../../platform/clock.ts';
import { syncFileSystem } from '../../platform/posix.ts';
import { goMode, nodeType } from '../../repository/tree/node.ts';
import { localTime } from '../../repository/tree/go-time.ts';
import { keptName } from '../restore/beside.ts';
import { throwIfFatal } from '../restore/failures.ts';
import { applyMetadata, type Described, hasMetadata } from '../restore/metadata.ts';
import { isPart, unlinkQuietly } from '../restore/part-file.ts';
import { moveAside } from '../restore/removal.ts';
import type { RestoreProblem } from '../restore/walk-task.ts';
import { reportProgress, type RunOptions } from '../run.ts';
import { beat, endTime, finishTime, isOwnFile } from './aside.ts';
import { appendRecords, removeJournal } from './journal.ts';
import { type OpenUndo, openUndo, type UndoArea } from './open-undo.ts';
import { Places } from './places.ts';
import { type EntryRecord, type FactsRecord, type Former, textOf, type UndoRecord } from './records.ts';
import type { Entry } from './record-store.ts';

export type UndoRunOptions = Pick<RunOptions, 'control' | 'clock' | 'onProgress'>;

/** One line of what an undo does. */
export interface UndoneEntry {
  readonly path: Uint8Array;
  /**
   * `put-back`: what was there before is there again. `remove`: it was made by the restore. `set`: only properties are set back.
   * `keep`: it was changed since, and stays, or gets the name `other`.
   */
  readonly action: 'put-back' | 'remove' | 'set' | 'keep';
  readonly other: Uint8Array | undefined;
}

export interface UndoFigures {
  putBack: number;
  removed: number;
  set: number;
  kept: number;
}

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
 * Says what an undo would do, and changes nothing. `id` is an ID or the beginning of one. Throws what {@link executeUndo} does.
 */
export const planUndo = (
  folder: string,
  id: string,
  options: UndoRunOptions,
  onEntry?: (entry: UndoneEntry) => void,
): Promise<UndoResult> => runUndo(folder, id, false, options, onEntry);

/**
 * Undoes. When everything is back, the journal is removed. Throws `undo-not-found`, `undo-blocked`, `undo-target-gone`,
 * `undo-damaged`, `target-busy`, `target-full`, `target-read-only`, `target-gone` and `cancelled`; after any of them it can be
 * run again.
 */
export const executeUndo = (folder: string, id: string, options: UndoRunOptions): Promise<UndoResult> => runUndo(folder, id, true, options);

async function runUndo(
  folder: string,
  id: string,
  act: boolean,
  options: UndoRunOptions,
  onEntry?: (entry: UndoneEntry) => void,
): Promise<UndoResult> {
  const open = openUndo(folder, id, act, options.clock);
  try {
    return await new Undo(open, act, options, onEntry).run();
  } finally {
    open.close();
  }
}

/** After so many entries the thread hears whether the run is cancelled. */
const entriesAtOnce = 64;
const beatMs = 1000;

class Undo {
  readonly #open: OpenUndo;
  readonly #act: boolean;
  readonly #options: UndoRunOptions;
  readonly #onEntry: ((entry: UndoneEntry) => void) | undefined;
  readonly #places: Places;
  readonly #stamp: string;
  readonly #figures: UndoFigures = { putBack: 0, removed: 0, set: 0, kept: 0 };
  readonly #kept: UndoneEntry[] = [];
  readonly #problems: RestoreProblem[] = [];
  #folderWithParts: Buffer | undefined;
  #path: Buffer = Buffer.alloc(0);
  #done = 0;
  #sinceTurn = 0;

  constructor(open: OpenUndo, act: boolean, options: UndoRunOptions, onEntry: ((entry: UndoneEntry) => void) | undefined) {
    this.#open = open;
    this.#act = act;
    this.#options = options;
    this.#onEntry = onEntry;
    this.#places = new Places(act);
    const now = localTime.format(BigInt(Math.round(options.clock.now())) * 1_000_000n);
    this.#stamp = now.slice(0, 16).replace('T', ' ').replace(':', '.');
    for (const [path, other] of open.store.kept) this.#noteKept(Buffer.from(path, 'latin1'), Buffer.from(other, 'latin1'));
  }

  get #asides(): Buffer[] {
    return [...new Map([...this.#open.areas.values()].map(({ aside }) => [textOf(aside), aside])).values()];
  }

  async run(): Promise<UndoResult> {
    const { store, head, journal } = this.#open;
    const asides = this.#asides;
    const stopBeating = this.#act ? this.#options.clock.every(beatMs, () => asides.forEach(beat)) : () => {};
    const stop = this.#progress();
    try {
      if (!store.isEmptied) {
        await this.#eachRecord((record) => (isFolder(record) ? undefined : this.#undo(record)));
        this.#leaveFolder();
        if (this.#act) this.#endAsides(asides);
      }
      this.#places.closeAll();
      await this.#eachRecord((record) => (isFolder(record) ? this.#setFolder(record as FactsRecord & Entry) : undefined));
      if (this.#act && this.#problems.length === 0) this.#sync();
    } finally {
      stop();
      stopBeating();
      this.#places.closeAll();
      if (this.#act && !store.isEmptied) this.#endTimes(asides);
    }
    if (this.#act && this.#problems.length === 0) removeJournal(journal);
    return { id: head.id, target: head.target, figures: this.#figures, kept: this.#kept, problems: this.#problems };
  }

  async #eachRecord(take: (record: Entry) => Promise<void> | void): Promise<void> {
    const { store, areas } = this.#open;
    for (let seq = store.length - 1; seq >= 0; seq--) {
      const record = store.at(seq);
      this.#done += 1;
      if (!record || !areas.has(`${record.worker} ${record.area}`)) continue;
      const area = this.#areaOf(record);
      try {
        this.#path = this.#places.pathOf(area.path, record.path);
        await take(record);
      } catch (error) {
        if (error instanceof HoldfastError) throw error;
        throwIfFatal(error, this.#path);
        this.#problem(this.#path, (error as Error).message);
      }
      await this.#breathe();
    }
  }

  #areaOf(record: Entry): UndoArea {
    return this.#open.areas.get(`${record.worker} ${record.area}`)!;
  }

  async #breathe(): Promise<void> {
    if (++this.#sinceTurn < entriesAtOnce) return;
    this.#sinceTurn = 0;
    await this.#options.control.checkpointAsync();
    await nextTurn();
  }

  async #undo(record: Entry): Promise<void> {
    if (record.do === 'facts') {
      this.#setFile(record);
      return;
    }
    const area = this.#areaOf(record);
    const place = this.#path;
    const keep = joinPath(area.aside, Buffer.from(record.keep, 'latin1'));
    const former = lstatSync(keep, { bigint: true, throwIfNoEntry: false });
    const state = this.#places.folderOf(area.path, record.path);
    if (state === 'there') this.#enterFolder(parentPath(place));
    const now = state === 'there' ? lstatSync(place, { bigint: true, throwIfNoEntry: false }) : undefined;
    if (former) {
      if (state === 'blocked') throw new Error('its folder is no folder any more; what was there before is kept aside');
      await this.#putBack(record, area, place, now, keep, former);
    } else await this.#withoutFormer(record, area, place, now);
  }

  async #putBack(
    record: EntryRecord,
    area: UndoArea,
    place: Buffer,
    now: BigIntStats | undefined,
    keep: Buffer,
    former: BigIntStats,
  ): Promise<void> {
    this.#tell(place, 'put-back');
    if (now && now.ino === former.ino && now.dev === former.dev) {
      // It got its second name, and the restore was cut off.
      if (this.#act) unlinkSync(keep);
      return;
    }
    if (now) await this.#clear(record, area, place, now, former);
    else for (const made of this.#places.remake(area.path, record.path)) this.#note({ do: 'remade', path: textOf(made) });
    if (!this.#act) return;
    // A file takes a file's place without a moment in which none is there.
    if (former.isDirectory()) moveAside(keep, former, place);
    else renameSync(keep, place);
    this.#correctMode(place, record.had);
  }

  /** Nothing is kept of what was there: either nothing was, or it was never moved, or it is back already. */
  async #withoutFormer(record: EntryRecord, area: UndoArea, place: Buffer, now: BigIntStats | undefined): Promise<void> {
    const { had } = record;
    if (!now) {
      if (had) this.#problem(place, 'what was there before is not where it was kept');
      return;
    }
    if (had && isFormer(now, had)) {
      if (this.#act) this.#correctMode(place, had);
      return;
    }
    const isMade = record.do === 'folder' ? now.isDirectory() && area.evidence.isNewFolder(now) : area.evidence.isMade(now, record);
    if (record.do === 'take' || had) {
      if (record.do !== 'take' && !isMade) return this.#keep(place);
      return this.#problem(place, 'what was there before is not where it was kept');
    }
    if (!isMade || (record.do === 'make' && now.isDirectory())) return this.#keep(place);
    if (record.do === 'folder') {
      await this.#removeMade(area, place, now);
      return;
    }
    this.#tell(place, 'remove');
    if (this.#act) unlinkSync(place);
  }

  /** Makes room for what was at `place`: what the restore has put there goes, what somebody else has gets another name. */
  async #clear(record: EntryRecord, area: UndoArea, place: Buffer, now: BigIntStats, former: BigIntStats): Promise<void> {
    if (record.do === 'folder' && now.isDirectory()) {
      if (await this.#removeMade(area, place, now)) return;
    } else if (record.do === 'make' && !now.isDirectory() && area.evidence.isMade(now, record)) {
      if (this.#act && former.isDirectory()) unlinkSync(place);
      return;
    }
    this.#moveBeside(place);
  }

  /** Removes what the restore has made in a folder of its own. Returns whether all of it is gone. */
  async #removeMade(area: UndoArea, place: Buffer, stat: BigIntStats): Promise<boolean> {
    await this.#breathe();
    const { evidence } = area;
    if (!stat.isDirectory()) {
      if (!evidence.isInNewFolder(stat) && !this.#isOwnPart(baseName(place))) {
        this.#keep(place);
        return false;
      }
      this.#tell(place, 'remove');
      if (this.#act) unlinkSync(place);
      return true;
    }
    if (!evidence.isNewFolder(stat)) {
      this.#keep(place);
      return false;
    }
    this.#places.open(place, stat);
    let isGone = true;
    for (const name of readdirSync(place, { encoding: 'buffer' }) as Buffer[]) {
      const below = joinPath(place, name);
      const entry = lstatSync(below, { bigint: true, throwIfNoEntry: false });
      if (!entry) continue;
      // What is mounted there is nobody's to remove.
      if (entry.dev !== stat.dev) this.#keep(below);
      if (entry.dev !== stat.dev || !(await this.#removeMade(area, below, entry))) isGone = false;
    }
    if (!isGone) return false;
    this.#tell(place, 'remove');
    if (this.#act) rmdirSync(place);
    this.#places.forget();
    return true;
  }

  /** Sets the properties of a file back that was there before and still is. */
  #setFile(record: FactsRecord & Entry): void {
    const area = this.#areaOf(record);
    const place = this.#path;
    if (this.#places.folderOf(area.path, record.path) !== 'there') return;
    const now = lstatSync(place, { bigint: true, throwIfNoEntry: false });
    // Whoever has removed or replaced it since wanted that.
    if (!now || String(now.ino) !== record.ino) return;
    const facts = describedBy(record);
    if (hasMetadata(place, facts, now)) return;
    if (!area.evidence.isUntouched(now, [record.mtime, record.after ?? record.mtime])) {
      this.#keep(place);
      return;
    }
    this.#tell(place, 'set');
    this.#describe(place, facts, now);
  }

  #setFolder(record: FactsRecord & Entry): void {
    const area = this.#areaOf(record);
    const place = this.#path;
    if (this.#places.folderOf(area.path, record.path) !== 'there') return;
    const now = lstatSync(place, { bigint: true, throwIfNoEntry: false });
    if (!now?.isDirectory()) return;
    if (String(now.ino) !== record.ino && !this.#open.store.remade.has(textOf(place))) return;
    const facts = describedBy(record);
    if (hasMetadata(place, facts, now)) return;
    // Its time changes with whatever is put back into it.
    if (!hasMetadata(place, { ...facts, mtimeNs: now.mtimeNs }, now)) this.#tell(place, 'set');
    this.#describe(place, facts, now);
    this.#places.settle(place);
  }

  #describe(place: Buffer, facts: Described, now: BigIntStats): void {
    if (!this.#act) return;
    for (const detail of applyMetadata(place, facts, now)) this.#problem(place, detail, 'metadata');
  }

  /** A folder that is closed to its owner was opened to be moved. */
  #correctMode(place: Buffer, had: Former | undefined): void {
    if (!had) return;
    const stat = lstatSync(place);
    if (stat.isDirectory() && (stat.mode & 0o7777) !== (had.mode & 0o7777)) chmodSync(place, had.mode & 0o7777);
  }

  /** What is at `place` was changed since the restore, and stays. */
  #keep(place: Buffer): void {
    this.#noteKept(place, undefined);
  }

  #moveBeside(place: Buffer): void {
    const folder = parentPath(place);
    let other = place;
    for (let attempt = 0; lstatSync(other, { throwIfNoEntry: false }); attempt++)
      other = joinPath(folder, keptName(baseName(place), this.#stamp, attempt));
    this.#noteKept(place, other);
    this.#note({ do: 'kept', path: textOf(place), other: textOf(other) });
    if (!this.#act) return;
    const stat = lstatSync(place, { bigint: true });
    if (stat.isDirectory()) moveAside(place, stat, other);
    else renameSync(place, other);
  }

  #noteKept(place: Buffer, other: Buffer | undefined): void {
    this.#kept.push({ path: new Uint8Array(place), action: 'keep', other: other && new Uint8Array(other) });
    this.#tell(place, 'keep', other);
  }

  #tell(place: Buffer, action: UndoneEntry['action'], other?: Buffer): void {
    const counter = { 'put-back': 'putBack', remove: 'removed', set: 'set', keep: 'kept' } as const;
    this.#figures[counter[action]] += 1;
    this.#onEntry?.({ path: new Uint8Array(place), action, other: other && new Uint8Array(other) });
  }

  #problem(path: Buffer, detail: string, kind: RestoreProblem['kind'] = 'failed'): void {
    this.#problems.push({ path: new Uint8Array(path), kind, detail });
  }

  /** Something that cannot be seen any more when the undo is run again. */
  #note(record: UndoRecord): void {
    if (record.do === 'remade') this.#open.store.remade.add(record.path);
    if (this.#act) appendRecords(this.#open.journal, [record]);
  }

  /** A restore that was killed has left the beginnings of files where it was at work. */
  #enterFolder(folder: Buffer): void {
    if (this.#open.store.hasEnded || this.#folderWithParts?.equals(folder)) return;
    this.#leaveFolder();
    this.#folderWithParts = folder;
  }

  #leaveFolder(): void {
    const folder = this.#folderWithParts;
    this.#folderWithParts = undefined;
    if (!folder || !this.#act) return;
    let names: Buffer[];
    try {
      names = readdirSync(folder, { encoding: 'buffer' }) as Buffer[];
    } catch {
      // It went with what was undone.
      return;
    }
    for (const name of names) if (this.#isOwnPart(name)) unlinkQuietly(joinPath(folder, name));
  }

  #isOwnPart(name: Buffer): boolean {
    const text = name.toString('latin1');
    return isPart(text) && text.startsWith(`.holdfast-${this.#open.head.parts}-`);
  }

  /** Removes the aside folders when everything in them is back. What is left there is named, and keeps the journal. */
  #endAsides(asides: readonly Buffer[]): void {
    for (const aside of asides)
      for (const name of readdirSync(aside, { encoding: 'buffer' }) as Buffer[])
        if (!isOwnFile(name)) this.#problem(joinPath(aside, name), 'it could not be brought back and stays here');
    if (this.#problems.length > 0) return;
    this.#note({ do: 'emptied' });
    this.#open.store.isEmptied = true;
    for (const aside of asides) {
      for (const name of readdirSync(aside, { encoding: 'buffer' }) as Buffer[]) unlinkSync(joinPath(aside, name));
      rmdirSync(aside);
    }
  }

  /** Writes down when this run was at work, for the next one. */
  #endTimes(asides: readonly Buffer[]): void {
    for (const aside of asides) {
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
      const fd = openSync(path, 'r');
      try {
        syncFileSystem(fd);
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

const isFolder = (record: Entry): boolean => record.do === 'facts' && nodeType(record.mode) === 'dir';

/** Inode numbers are not kept for ever by every file system. */
const isFormer = (stat: BigIntStats, { ino, size, mtime, mode }: Former): boolean =>
  nodeType(Number(stat.mode)) === nodeType(mode) &&
  (String(stat.ino) === ino || (Number(stat.size) === size && String(stat.mtimeNs) === mtime));

const describedBy = ({ mode, uid, gid, atime, mtime, xattrs }: FactsRecord): Described => ({
  type: nodeType(mode),
  mode: goMode(mode),
  uid,
  gid,
  atimeNs: BigInt(atime),
  mtimeNs: BigInt(mtime),
  xattrs: xattrs.map(([name, value]) => ({ name: Buffer.from(name, 'base64'), value: Buffer.from(value, 'base64') })),
});
