/**
 * The lines of an undo journal: JSON, a blank, the first eight hex digits of the JSON's SHA-256, a newline. A line that was
 * cut off or changed is told by them. Paths are bytes, kept as text of Latin-1; numbers of 64 bits are kept as text.
 *
 * An *area* is a folder below which things were changed; in it lies the *aside folder*, into which what was in the way is
 * moved. Entries are named by their way below an area.
 */
import type { BigIntStats } from 'node:fs';
import { sha256 } from '../../repository/ids.ts';

/** What stood at a place, enough to know it again. */
export interface Former {
  readonly ino: string;
  readonly size: number;
  /** Nanoseconds since 1970. */
  readonly mtime: string;
  /** st_mode. */
  readonly mode: number;
}

export interface AreaRecord {
  readonly do: 'area';
  /** By which the records of the same file name it. */
  readonly area: number;
  /** Of the area, without links. */
  readonly path: string;
  /** The file system keeps no time of change of its own, so that nobody can tell what was changed later. */
  readonly coarse: boolean;
}

/**
 * - `make`: a file, link or device was made at the place. `folder`: a folder was, with whatever is in it.
 * - `take`: what was there was taken away.
 *
 * In all of them, what was there before (`had`) was moved to `keep` in the aside folder, when it came to that.
 */
export interface EntryRecord {
  readonly do: 'make' | 'folder' | 'take';
  /** Ascending over all files of a journal. */
  readonly seq: number;
  readonly area: number;
  readonly path: string;
  readonly keep: string;
  readonly had: Former | undefined;
  /** What was made: bytes, and nanoseconds since 1970. */
  readonly size?: number;
  readonly mtime?: string;
}

/** The properties that an entry had before some of them were changed. */
export interface FactsRecord {
  readonly do: 'facts';
  readonly seq: number;
  readonly area: number;
  /** Empty for the area itself. */
  readonly path: string;
  readonly ino: string;
  /** st_mode. */
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  readonly atime: string;
  readonly mtime: string;
  /** Name and value in base64. */
  readonly xattrs: readonly (readonly [string, string])[];
  /** The time of change that a file got; undefined for a folder. */
  readonly after?: string;
}

/** A time in which what was changed in an area was changed by the restore or an undo of it; nanoseconds since 1970. */
export interface IntervalRecord {
  readonly do: 'interval';
  /** Path of the aside folder. */
  readonly aside: string;
  readonly from: string;
  readonly to: string;
}

/** Folders that the restore made, by their numbers. */
export interface FoldersRecord {
  readonly do: 'folders';
  readonly inos: readonly string[];
}

/** The restore has ended, in whatever way. */
export interface EndRecord {
  readonly do: 'end';
  readonly entries: number;
  readonly bytes: number;
}

/**
 * What an undo is about to do, or has done, that cannot be seen afterwards: it puts something of the person's under another
 * name; it makes a folder again; all that was kept is back.
 */
export type ProgressRecord =
  | { readonly do: 'kept'; readonly path: string; readonly other: string }
  | { readonly do: 'remade'; readonly path: string }
  | { readonly do: 'emptied' };

export type UndoRecord = AreaRecord | EntryRecord | FactsRecord | IntervalRecord | FoldersRecord | EndRecord | ProgressRecord;

export const textOf = (bytes: Uint8Array): string => Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('latin1');
export const bytesOf = (text: string): Buffer => Buffer.from(text, 'latin1');

export const formerOf = ({ ino, size, mtimeNs, mode }: BigIntStats): Former => ({
  ino: String(ino),
  size: Number(size),
  mtime: String(mtimeNs),
  mode: Number(mode),
});

export const newline = 0x0a;
/** Says that the line before it was cut off, and another stands after it. */
export const tornLine: Buffer = Buffer.from('#torn');
/** To be written after a line that was cut off, or may have been. */
export const endOfTorn: Buffer = Buffer.concat([Buffer.of(newline), tornLine, Buffer.of(newline)]);

const sumOf = (json: Buffer): string => sha256(json).toString('hex', 0, 4);

export function recordLine(record: UndoRecord): Buffer {
  const json = Buffer.from(JSON.stringify(record));
  return Buffer.concat([json, Buffer.from(` ${sumOf(json)}\n`)]);
}

/** A line without its newline; undefined when it is none of {@link recordLine}. */
export function parseRecord(line: Buffer): UndoRecord | undefined {
  const at = line.length - 9;
  if (at < 2 || line[at] !== 0x20) return undefined;
  const json = line.subarray(0, at);
  if (sumOf(json) !== line.toString('latin1', at + 1)) return undefined;
  return JSON.parse(json.toString()) as UndoRecord;
}
