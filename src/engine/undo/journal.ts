/**
 * The journal of an in-place restore: a folder named by the journal's ID, in a place of the person's own. In it are `head.json`,
 * which says what was restored where; `w0.areas`, `w0.log` …, which workers write (log.ts); `run.log`, which the coordinator
 * and an undo write; and `lock`, which is held while any of them is at work.
 */
import { randomBytes } from 'node:crypto';
import {
  closeSync,
  existsSync,
  fstatSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  readSync,
  renameSync,
  rmSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import { fail } from '../../contract/errors.ts';
import { joinList } from '../../platform/byte-list.ts';
import { displayPath, isInside } from '../../platform/byte-paths.ts';
import type { Clock } from '../../platform/clock.ts';
import { tryLock } from '../../platform/posix.ts';
import { replaceFile } from '../../platform/replace-file.ts';
import { asidePath, beat, endTime, finishTime } from './aside.ts';
import { areasFile, type UndoTask } from './log.ts';
import { syncFolder } from './sync-folder.ts';
import { type AreaRecord, bytesOf, endOfTorn, newline, parseRecord, recordLine, textOf, type UndoRecord } from './records.ts';

/** What a restore is, for its journal. */
export interface UndoFacts {
  /** Where it restores to, as people name it. */
  readonly target: string;
  /** ID of the snapshot, and of its repository. */
  readonly snapshot: string;
  readonly repository: string;
  /** Folders below which it changes things: as the restore names each, and without links. */
  readonly tops: readonly { readonly path: Buffer; readonly real: Buffer }[];
  /** Part of the names of the run's part files. */
  readonly parts: string;
  readonly own: Uint8Array | undefined;
}

export interface UndoHead {
  readonly version: 1;
  readonly id: string;
  /** Later restores have larger ones, whatever the clock says. */
  readonly number: number;
  /** Milliseconds since 1970. */
  readonly time: number;
  readonly target: string;
  readonly snapshot: string;
  readonly repository: string;
  /** Without links; see records.ts about bytes. */
  readonly tops: readonly string[];
  readonly parts: string;
}

/** What was changed, and how much is kept of what was there. */
export interface UndoSummary {
  readonly id: string;
  readonly entries: number;
  /** In bytes. */
  readonly bytes: number;
}

const beatMs = 1000;
const idPattern = /^[0-9a-f]{8}$/;

export const headFile = (journal: string): string => join(journal, 'head.json');
export const runLog = (journal: string): string => join(journal, 'run.log');

/** A journal that a restore writes. */
export class UndoJournal {
  readonly #folder: string;
  readonly #id: string;
  readonly #lock: number;
  readonly #asides: Buffer[] = [];
  readonly #clock: Clock;
  readonly #stopBeating: () => void;
  readonly task: UndoTask;
  #entries = 0;
  #bytes = 0;

  /**
   * Begins a journal in `folder`, which is made when it is not there. Throws `undo-unavailable`, and `target-busy` when another
   * restore or undo is at work in the same place.
   */
  static begin(folder: string, facts: UndoFacts, clock: Clock): UndoJournal {
    const id = randomBytes(4).toString('hex');
    const journal = join(folder, id);
    const number = Math.max(0, ...readHeads(folder).map((head) => head.number)) + 1;
    const tops = facts.tops.map(({ real }) => textOf(real));
    const { target, snapshot, repository, parts } = facts;
    const head: UndoHead = { version: 1, id, number, time: clock.now(), target, snapshot, repository, tops, parts };
    let lock: number;
    try {
      mkdirSync(folder, { recursive: true, mode: 0o700 });
      mkdirSync(journal, { mode: 0o700 });
      lock = openSync(join(journal, 'lock'), 'w', 0o600);
      tryLock(lock);
      replaceFile(headFile(journal), JSON.stringify(head));
      syncFolder(journal);
      syncFolder(folder);
    } catch (error) {
      rmSync(journal, { recursive: true, force: true });
      return fail('undo-unavailable', { path: folder, cause: (error as Error).message }, error);
    }
    // After its own can be seen: of two that begin at the same time, at least one sees the other.
    const busy = readHeads(folder).find((other) => other.id !== id && overlaps(other, head) && isAtWork(join(folder, other.id)));
    if (busy) {
      rmSync(journal, { recursive: true, force: true });
      closeSync(lock);
      fail('target-busy', { path: target, id: busy.id });
    }
    return new UndoJournal(journal, id, lock, facts, clock);
  }

  private constructor(folder: string, id: string, lock: number, { tops, own }: UndoFacts, clock: Clock) {
    this.#folder = folder;
    this.#id = id;
    this.#lock = lock;
    this.#clock = clock;
    this.task = {
      journal: folder,
      id,
      tops: joinList(tops.flatMap(({ path, real }) => [path, real])),
      sequence: new SharedArrayBuffer(4),
      own,
    };
    this.#stopBeating = clock.every(beatMs, () => this.beat());
  }

  /** Takes what workers have recorded. */
  take(asides: readonly Uint8Array[], entries: number, bytes: number): void {
    for (const aside of asides) this.#asides.push(Buffer.from(aside));
    this.#entries += entries;
    this.#bytes += bytes;
  }

  /** Tells the file systems that the run is alive. */
  beat(): void {
    for (const aside of this.#asides) beat(aside);
  }

  /**
   * Ends the journal, however the restore ended. Returns undefined when it has changed nothing; then no journal is left. What
   * cannot be written here only makes an undo more careful.
   */
  end(): UndoSummary | undefined {
    this.#stopBeating();
    try {
      // A worker that failed has not told.
      const areas = readAreas(this.#folder);
      if (areas.length === 0) {
        rmSync(this.#folder, { recursive: true, force: true });
        return undefined;
      }
      const records: UndoRecord[] = [];
      const asides = areas.map(({ path }) => asidePath(bytesOf(path), this.#id));
      for (const aside of asides) {
        const time = finishTime(aside, this.#clock);
        if (time) records.push({ do: 'interval', aside: textOf(aside), from: String(time.from), to: String(time.to) });
      }
      appendRecords(this.#folder, [...records, { do: 'end', entries: this.#entries, bytes: this.#bytes }]);
      for (const aside of asides) endTime(aside);
    } catch {
      // See above.
    } finally {
      closeSync(this.#lock);
    }
    return { id: this.#id, entries: this.#entries, bytes: this.#bytes };
  }
}

/** All areas of a journal, as each worker names them. */
export function readAreas(journal: string): (AreaRecord & { readonly worker: string })[] {
  const areas = new Map<string, AreaRecord & { readonly worker: string }>();
  for (const name of readdirSync(journal)) {
    if (!name.endsWith(areasFile)) continue;
    const worker = name.slice(0, -areasFile.length);
    for (const line of readFileSync(join(journal, name), 'utf8').split('\n')) {
      const record = parseRecord(Buffer.from(line));
      // A line that was cut off stands for an area in which nothing was done.
      if (record?.do === 'area') areas.set(`${worker} ${record.area}`, { ...record, worker });
    }
  }
  return [...areas.values()];
}

/** Whether two restores went into the same place, or one into a part of the other's. */
export const overlaps = (a: UndoHead, b: UndoHead): boolean =>
  a.tops.some((one) => b.tops.some((other) => isInside(bytesOf(one), bytesOf(other)) || isInside(bytesOf(other), bytesOf(one))));

/** The heads of all journals in a folder, the oldest first; what is no journal, or was never begun, is left out. */
export function readHeads(folder: string): UndoHead[] {
  const heads: UndoHead[] = [];
  for (const name of namesIn(folder)) {
    if (!idPattern.test(name)) continue;
    const head = readHead(join(folder, name));
    if (head?.id === name) heads.push(head);
  }
  return heads.sort((a, b) => a.number - b.number);
}

export function readHead(journal: string): UndoHead | undefined {
  try {
    const head = JSON.parse(readFileSync(headFile(journal), 'utf8')) as UndoHead;
    return head.version === 1 && Array.isArray(head.tops) ? head : undefined;
  } catch {
    return undefined;
  }
}

/** What was changed and how much is kept, as a restore that came to its end has said it. */
export function readEnd(journal: string): Omit<UndoSummary, 'id'> | undefined {
  if (!existsSync(runLog(journal))) return undefined;
  for (const line of readFileSync(runLog(journal), 'utf8').split('\n')) {
    const record = parseRecord(Buffer.from(line));
    if (record?.do === 'end') return { entries: record.entries, bytes: record.bytes };
  }
  return undefined;
}

/** In one step, so that no journal is ever half there. What is left of it then is removed with the old ones at the latest. */
export function removeJournal(journal: string): void {
  const gone = `${journal}.gone`;
  renameSync(journal, gone);
  try {
    rmSync(gone, { recursive: true, force: true });
  } catch {
    // See above.
  }
}

/** Names of journals, also of those that were never begun or are being removed. */
export const journalNames = (folder: string): string[] => namesIn(folder).filter((name) => /^[0-9a-f]{8}(\.gone)?$/.test(name));

function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    return fail('undo-unavailable', { path: folder, cause: (error as Error).message }, error);
  }
}

/** Whether a restore or an undo holds the journal. */
export function isAtWork(journal: string): boolean {
  const lock = claim(journal);
  if (lock === undefined) return true;
  closeSync(lock);
  return false;
}

/** Holds the journal until the descriptor is closed; undefined when somebody else does. */
export function claim(journal: string): number | undefined {
  const fd = openSync(join(journal, 'lock'), 'a', 0o600);
  let isOurs = false;
  try {
    isOurs = tryLock(fd);
  } finally {
    if (!isOurs) closeSync(fd);
  }
  return isOurs ? fd : undefined;
}

/** Adds records to the coordinator's file and brings them onto the disk. What a full disk has cut off before is told from them. */
export function appendRecords(journal: string, records: readonly UndoRecord[]): void {
  if (records.length === 0) return;
  const fd = openSync(runLog(journal), 'a+', 0o600);
  try {
    const text = Buffer.concat([...(isTorn(fd) ? [endOfTorn] : []), ...records.map(recordLine)]);
    for (let at = 0; at < text.length; ) at += writeSync(fd, text, at);
    fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
}

/** Whether the last line has no end. */
function isTorn(fd: number): boolean {
  const { size } = fstatSync(fd);
  const last = Buffer.alloc(1);
  return size > 0 && readSync(fd, last, 0, 1, size - 1) === 1 && last[0] !== newline;
}

export const shownPath = (text: string): string => displayPath(bytesOf(text));
