/**
 * A worker's own part of an undo journal: says before each change what will be done. Lines are collected and brought onto
 * the disk together; only then is what they speak of done.
 */
import { type BigIntStats, closeSync, fdatasyncSync, lstatSync, openSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { fail } from '../../contract/errors.ts';
import { splitList } from '../../platform/byte-list.ts';
import { isInside, joinPath } from '../../platform/byte-paths.ts';
import { getXattr, listXattrs } from '../../platform/posix.ts';
import type { Node } from '../../repository/tree/node.ts';
import type { FolderKeeper } from '../restore/keeping.ts';
import type { WorkerContext } from '../workers/context.ts';
import { asidePath, isAside, makeAside } from './aside.ts';
import { syncFolder } from './sync-folder.ts';
import { endOfTorn, formerOf, recordLine, textOf, type UndoRecord } from './records.ts';

/** What workers must know of the journal that they write to. */
export interface UndoTask {
  /** The journal's folder. */
  readonly journal: string;
  readonly id: string;
  /** Folders that may become areas: each as the restore names it, and without links; a joined list. */
  readonly tops: Uint8Array;
  /** One 32-bit word: numbers given to records so far. */
  readonly sequence: SharedArrayBuffer;
  /** Node of the target itself, when its properties are going to be set. */
  readonly own: Uint8Array | undefined;
}

interface Place {
  /** As the restore names it. */
  readonly path: Buffer;
  /** The way to it that leads through no link. */
  readonly real: Buffer;
}

interface Area extends Place {
  readonly number: number;
  readonly aside: Buffer;
  readonly device: bigint;
}

export class UndoLog {
  readonly #task: UndoTask;
  readonly #worker: number;
  /** The longest first, so that the first that holds a folder is the innermost. */
  readonly #tops: readonly Place[];
  readonly #sequence: Int32Array;
  readonly #areas: Area[] = [];
  #areaNumbers = 0;
  #isTorn = false;
  /** Kinds of files that are there. */
  readonly #begun = new Set<string>();
  #kept = 0;
  #lines: Buffer[] = [];
  #newAreas: Buffer[] = [];
  #entries = 0;
  #bytes = 0;

  private constructor(task: UndoTask, worker: number) {
    this.#task = task;
    this.#worker = worker;
    const tops = splitList(task.tops);
    this.#tops = tops
      .flatMap((path, i) => (i % 2 === 0 ? [{ path, real: tops[i + 1] }] : []))
      .sort((a, b) => b.path.length - a.path.length);
    this.#sequence = new Int32Array(task.sequence);
  }

  /** The one of this worker and this run. */
  static of(task: UndoTask, { state, start }: WorkerContext): UndoLog {
    const known = state.get(key) as UndoLog | undefined;
    if (known && known.#task.journal === task.journal) return known;
    const log = new UndoLog(task, start.number);
    state.set(key, log);
    return log;
  }

  get own(): Uint8Array | undefined {
    return this.#task.own;
  }

  get isEmpty(): boolean {
    return this.#lines.length === 0;
  }

  /** What was recorded since the last call: aside folders that came into use, entries that are changed, bytes kept of them. */
  takeFigures(): { readonly asides: readonly Buffer[]; readonly entries: number; readonly bytes: number } {
    const figures = { asides: this.#newAreas, entries: this.#entries, bytes: this.#bytes };
    this.#newAreas = [];
    this.#entries = 0;
    this.#bytes = 0;
    return figures;
  }

  /** Brings all lines onto the disk. Throws `undo-unavailable`; then nothing of what they speak of may be done. */
  sync(): void {
    if (this.#lines.length === 0) return;
    const text = Buffer.concat(this.#lines);
    this.#lines = [];
    this.#write(logFile, text, true);
  }

  /** Notes the folders that were made, which only helps an undo to tell them from others: it need not be there, nor on the disk. */
  made(folders: readonly Buffer[]): void {
    const inos = folders.flatMap((folder) => {
      const stat = lstatSync(folder, { bigint: true, throwIfNoEntry: false });
      return stat ? [String(stat.ino)] : [];
    });
    if (inos.length === 0) return;
    try {
      this.#write(logFile, recordLine({ do: 'folders', inos }), false);
    } catch {
      // See above.
    }
  }

  #write(kind: string, lines: Buffer, durable: boolean): void {
    // What a full disk has cut off is not to be taken for a part of the next line.
    const text = this.#isTorn ? Buffer.concat([endOfTorn, lines]) : lines;
    try {
      const isNew = !this.#begun.has(kind);
      const fd = openSync(join(this.#task.journal, `w${this.#worker}${kind}`), 'a', 0o600);
      try {
        for (let at = 0; at < text.length; ) at += writeSync(fd, text, at);
        if (durable) fdatasyncSync(fd);
        // Its name as well.
        if (durable && isNew) syncFolder(this.#task.journal);
        this.#begun.add(kind);
        this.#isTorn = false;
      } finally {
        closeSync(fd);
      }
    } catch (error) {
      this.#isTorn = true;
      fail('undo-unavailable', { path: this.#task.journal, cause: (error as Error).message }, error);
    }
  }

  next(): number {
    return Atomics.add(this.#sequence, 0, 1);
  }

  add(record: UndoRecord): void {
    this.#lines.push(recordLine(record));
  }

  count(bytes: number): void {
    this.#entries += 1;
    this.#bytes += bytes;
  }

  /** Name of a thing in an aside folder that no other has. */
  keepName(): string {
    return `${this.#worker}-${(this.#kept++).toString(36)}`;
  }

  /** The area that a folder lies in; it is made when it is the first time. Throws what the system does. */
  areaOf(folder: Buffer): Area {
    const place = this.placeOf(folder);
    const { dev } = lstatSync(place.real, { bigint: true });
    const top = this.#topOf(folder);
    // Of nested ones the innermost counts: another disk may be mounted there.
    const known = this.#areas.find(({ path, device }) => device === dev && isInside(folder, path) && path.length >= top.path.length);
    if (known) return known;
    if (!top.path.equals(folder)) {
      try {
        return this.#begin(top, dev);
      } catch (error) {
        if (!unusable.has((error as NodeJS.ErrnoException).code ?? '')) throw error;
      }
    }
    return this.#begin(place, dev);
  }

  placeOf(folder: Buffer): Place {
    const { path, real } = this.#topOf(folder);
    const way = folder.subarray(path.length);
    return { path: folder, real: way.length === 0 ? real : joinPath(real, way[0] === slash ? way.subarray(1) : way) };
  }

  #topOf(folder: Buffer): Place {
    const top = this.#tops.find(({ path }) => isInside(folder, path));
    if (!top) throw new Error('it is not below what is restored');
    return top;
  }

  #begin({ path, real }: Place, device: bigint): Area {
    const stat = lstatSync(real, { bigint: true });
    // Where no list of mounted file systems can be had.
    if (stat.dev !== device) throw Object.assign(new Error('another file system is mounted there'), { code: 'EXDEV' });
    const number = this.#areaNumbers++;
    const record = { do: 'area', area: number, path: textOf(real), coarse: false } as const;
    this.#write(areasFile, recordLine(record), true);
    this.add(factsRecord(this.next(), number, '', real, stat));
    this.sync();
    const area = { number, path, real, aside: asidePath(real, this.#task.id), device };
    if (makeAside(real, area.aside).coarse) this.#write(areasFile, recordLine({ ...record, coarse: true }), true);
    this.#areas.push(area);
    this.#newAreas.push(area.aside);
    return area;
  }
}

/** Ends of the names of a worker's files: areas, which are few, and all else. */
export const areasFile = '.areas';
export const logFile = '.log';

const key = 'restore: undo log';
const unusable = new Set(['EACCES', 'EPERM', 'EXDEV', 'EROFS']);
const slash = 0x2f;

/** A folder that was there before the restore. */
export class RecordedFolder implements FolderKeeper {
  readonly defers = true;
  readonly #log: UndoLog;
  readonly #path: Buffer;
  #area: Area | undefined;
  #isRecorded = false;

  constructor(log: UndoLog, path: Buffer) {
    this.#log = log;
    this.#path = path;
  }

  /**
   * A file, link, device or folder is going to be made at `place`, where `existing` stands. Returns where that must be moved
   * before. All of it may happen once the log is synced.
   */
  makes(place: Buffer, existing: BigIntStats | undefined, node: Node): Buffer {
    const facts = node.type === 'dir' ? undefined : { size: node.size, mtime: String(node.mtimeNs) };
    return this.#entry(node.type === 'dir' ? 'folder' : 'make', place, existing, facts);
  }

  /** What stands at `place` is going to be taken away. */
  takes(place: Buffer, existing: BigIntStats): Buffer {
    return this.#entry('take', place, existing);
  }

  /** Properties of what stands at `place` are going to be set; `after` is the time of change that a file gets. */
  facts(place: Buffer, existing: BigIntStats, after?: bigint): void {
    if (existing.isDirectory()) {
      // It may be an area of its own.
      new RecordedFolder(this.#log, place).own(existing);
      return;
    }
    const area = this.#begin();
    this.#log.add(factsRecord(this.#log.next(), area.number, this.#wayTo(place), place, existing, after));
    this.#log.count(0);
  }

  /** The folder's own properties are going to be set. */
  own(existing: BigIntStats): void {
    this.#recordFolder(existing);
    this.#log.count(0);
  }

  #entry(
    what: 'make' | 'folder' | 'take',
    place: Buffer,
    existing: BigIntStats | undefined,
    facts?: { size: number; mtime: string },
  ): Buffer {
    const area = this.#begin();
    // What comes and goes changes the folder's own time.
    this.#recordFolder();
    const keep = this.#log.keepName();
    const had = existing && formerOf(existing);
    this.#log.add({ do: what, seq: this.#log.next(), area: area.number, path: this.#wayTo(place), keep, had, ...facts });
    this.#log.count(existing?.isFile() === true && existing.nlink === 1n ? Number(existing.size) : 0);
    if (!isAside(area.aside)) throw new Error(`${area.aside.toString()} is gone, into which it must be moved`);
    return joinPath(area.aside, Buffer.from(keep));
  }

  #begin(): Area {
    return (this.#area ??= this.#log.areaOf(this.#path));
  }

  #recordFolder(existing?: BigIntStats): void {
    if (this.#isRecorded) return;
    this.#isRecorded = true;
    const { number } = this.#begin();
    const seq = this.#log.next();
    const { real } = this.#log.placeOf(this.#path);
    this.#log.add(factsRecord(seq, number, this.#wayTo(this.#path), real, existing ?? lstatSync(real, { bigint: true })));
  }

  #wayTo(place: Buffer): string {
    const { path } = this.#begin();
    return textOf(place.subarray(path.length === 1 ? 1 : path.length + 1));
  }
}

function factsRecord(seq: number, area: number, way: string, path: Buffer, stat: BigIntStats, after?: bigint): UndoRecord {
  const xattrs = listXattrs(path).map((name) => [name.toString('base64'), getXattr(path, name)?.toString('base64') ?? ''] as const);
  return {
    do: 'facts',
    seq,
    area,
    path: way,
    ino: String(stat.ino),
    mode: Number(stat.mode),
    uid: Number(stat.uid),
    gid: Number(stat.gid),
    atime: String(stat.atimeNs),
    mtime: String(stat.mtimeNs),
    xattrs,
    ...(after === undefined ? {} : { after: String(after) }),
  };
}
