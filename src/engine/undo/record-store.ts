/** All records of a journal, read one by one from its files, so that a million of them need a few megabytes. */
import { closeSync, existsSync, openSync, readdirSync, readSync } from 'node:fs';
import { join } from 'node:path';
import { fail } from '../../contract/errors.ts';
import { runLog } from './journal.ts';
import { logFile } from './log.ts';
import { type EntryRecord, type FactsRecord, type IntervalRecord, newline, parseRecord, tornLine, type UndoRecord } from './records.ts';

/** Positions in files, and which file, share one number. */
const largestFile = 2 ** 40;
const readAtOnce = 1 << 20;
const usualLine = 512;

/** A record of an entry, and whose it is: areas are numbered by each worker. */
export type Entry = (EntryRecord | FactsRecord) & { readonly worker: string };

export class RecordStore {
  readonly #journal: string;
  readonly #files: { readonly worker: string; readonly fd: number }[] = [];
  /** By sequence number: where the record stands, plus one; 0: nowhere. */
  #places = new Float64Array(1024);
  #count = 0;
  readonly intervals: IntervalRecord[] = [];
  /** Numbers of folders that the restore made. */
  readonly folders: Set<string> = new Set();
  /** Worker and area of every record of an entry. */
  readonly areasInUse: Set<string> = new Set();
  /** Folders that an undo has made again. */
  readonly remade: Set<string> = new Set();
  /** What an undo has put under another name: the place it had, and the one it has. */
  readonly kept: Map<string, string> = new Map();
  /** The restore came to its end. */
  hasEnded = false;
  /** An undo had put everything back. */
  isEmptied = false;

  /** Throws `undo-damaged`. `close` must be called. */
  constructor(journal: string) {
    this.#journal = journal;
    try {
      for (const name of readdirSync(journal).sort()) {
        if (!/^w\d+\.log$/.test(name)) continue;
        const worker = name.slice(0, -logFile.length);
        this.#files.push({ worker, fd: openSync(join(journal, name), 'r') });
        const file = this.#files.length - 1;
        this.#read(this.#files[file].fd, (record, at) => this.#take(record, file, at));
      }
      if (existsSync(runLog(journal))) {
        const fd = openSync(runLog(journal), 'r');
        try {
          this.#read(fd, (record) => this.#take(record, -1, 0));
        } finally {
          closeSync(fd);
        }
      }
    } catch (error) {
      this.close();
      throw error;
    }
  }

  /** One more than the largest sequence number. */
  get length(): number {
    return this.#count;
  }

  close(): void {
    for (const { fd } of this.#files.splice(0)) closeSync(fd);
  }

  /** The record with this sequence number; undefined when it was never written. */
  at(seq: number): Entry | undefined {
    const place = this.#places[seq] - 1;
    if (!(place >= 0)) return undefined;
    const { worker, fd } = this.#files[Math.floor(place / largestFile)];
    for (let length = usualLine; ; length *= 8) {
      const buffer = Buffer.allocUnsafe(length);
      const got = readSync(fd, buffer, 0, length, place % largestFile);
      const end = buffer.subarray(0, got).indexOf(newline);
      if (end < 0 && got === length) continue;
      const record = end < 0 ? undefined : parseRecord(buffer.subarray(0, end));
      if (!record || !('seq' in record)) return fail('undo-damaged', { path: this.#journal });
      return { ...record, worker };
    }
  }

  #take(record: UndoRecord, file: number, at: number): void {
    switch (record.do) {
      case 'make':
      case 'folder':
      case 'take':
      case 'facts':
        if (record.seq >= this.#places.length) this.#grow(record.seq);
        this.#places[record.seq] = file * largestFile + at + 1;
        this.#count = Math.max(this.#count, record.seq + 1);
        // Each area begins with the properties of its folder, before anything is done in it.
        if (record.do !== 'facts' || record.path !== '') this.areasInUse.add(`${this.#files[file].worker} ${record.area}`);
        break;
      case 'interval':
        this.intervals.push(record);
        break;
      case 'folders':
        for (const ino of record.inos) this.folders.add(ino);
        break;
      case 'end':
        this.hasEnded = true;
        break;
      case 'remade':
        this.remade.add(record.path);
        break;
      case 'kept':
        this.kept.set(record.path, record.other);
        break;
      case 'emptied':
        this.isEmptied = true;
        break;
      case 'area':
        break;
    }
  }

  #grow(seq: number): void {
    const places = new Float64Array(Math.max(2 * this.#places.length, seq + 1));
    places.set(this.#places);
    this.#places = places;
  }

  /** A line that was cut off when the run ended speaks of nothing that was done; any other that cannot be read is damage. */
  #read(fd: number, take: (record: UndoRecord, at: number) => void): void {
    let rest: Buffer = Buffer.alloc(0);
    let at = 0;
    let isBroken = false;
    for (;;) {
      const buffer = Buffer.allocUnsafe(readAtOnce);
      const got = readSync(fd, buffer, 0, readAtOnce, null);
      if (got === 0) return;
      const bytes = Buffer.concat([rest, buffer.subarray(0, got)]);
      let from = 0;
      for (let end = bytes.indexOf(newline); end >= 0; end = bytes.indexOf(newline, from)) {
        const line = bytes.subarray(from, end);
        if (line.equals(tornLine)) isBroken = false;
        else if (isBroken) fail('undo-damaged', { path: this.#journal });
        else {
          const record = parseRecord(line);
          if (record) take(record, at + from);
          else isBroken = true;
        }
        from = end + 1;
      }
      rest = bytes.subarray(from);
      at += from;
    }
  }
}
