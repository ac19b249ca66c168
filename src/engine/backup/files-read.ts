/**
 * What a run has read of files, so that another destination can take it over without reading it again: for each file what `lstat` said of
 * it, and the IDs of its chunks, up to the end or to where the run was cut off.
 *
 * Only as much is kept as memory is set aside for, the newest first: what was read long ago lies in packs that are stored, on a
 * destination which is not there any more.
 *
 * A *note* is: SHA-256 of path and facts (32) ‖ bytes read up to the last cut (float64LE) ‖ count of chunks (u32LE) ‖ their IDs.
 */
import type { BigIntStats } from 'node:fs';
import { idBytes, sha256 } from '../../repository/ids.ts';

const headBytes = 44;

/** What was read of a file. */
export interface FileRead {
  /** IDs, 32 bytes each. */
  readonly content: Buffer;
  /** Bytes; less than the file has when it was not read to its end. */
  readonly size: number;
}

/** What tells the file as it was read from every other, and from itself after a change. */
const keyOf = (path: Buffer, { dev, ino, size, mtimeNs, ctimeNs }: BigIntStats): Buffer =>
  sha256(Buffer.concat([path, Buffer.from(`\0${dev} ${ino} ${size} ${mtimeNs} ${ctimeNs}`)]));

export class FilesRead {
  readonly #most: number;
  #notes: Buffer[] = [];
  #bytes = 0;
  /** Older ones: given up as soon as the newer ones are as many again. */
  #older: Buffer[] = [];

  /** `most` in bytes. */
  constructor(most: number) {
    this.#most = most;
  }

  note(path: Buffer, stat: BigIntStats, { content, size }: FileRead): void {
    const length = headBytes + content.length;
    if (length * 2 > this.#most) return;
    const note = Buffer.allocUnsafeSlow(length);
    note.set(keyOf(path, stat), 0);
    note.writeDoubleLE(size, 32);
    note.writeUInt32LE(content.length / idBytes, 40);
    note.set(content, headBytes);
    if (this.#bytes + length > this.#most / 2) {
      this.#older = this.#notes;
      this.#notes = [];
      this.#bytes = 0;
    }
    this.#notes.push(note);
    this.#bytes += length;
  }

  /** All notes; none is left here. */
  take(): Uint8Array<ArrayBuffer> {
    const all = Buffer.concat([...this.#older, ...this.#notes]);
    this.#older = [];
    this.#notes = [];
    this.#bytes = 0;
    return new Uint8Array(all);
  }
}

/** Notes by file. */
export class KnownFiles {
  readonly #notes: Buffer;
  readonly #places = new Map<string, number>();

  /** `notes`: as {@link FilesRead.take} gives them, one lot after the other. */
  constructor(notes: SharedArrayBuffer) {
    this.#notes = Buffer.from(notes);
    for (let at = 0; at + headBytes <= this.#notes.length; ) {
      // The last one counts: it may know more.
      this.#places.set(this.#notes.toString('latin1', at, at + 32), at);
      at += headBytes + this.#notes.readUInt32LE(at + 40) * idBytes;
    }
  }

  /** Undefined when the file is another one, has changed since, or was never noted. */
  find(path: Buffer, stat: BigIntStats): FileRead | undefined {
    if (this.#places.size === 0) return undefined;
    const at = this.#places.get(keyOf(path, stat).toString('latin1'));
    if (at === undefined) return undefined;
    const from = at + headBytes;
    const content = Buffer.from(this.#notes.subarray(from, from + this.#notes.readUInt32LE(at + 40) * idBytes));
    return { content, size: this.#notes.readDoubleLE(at + 32) };
  }
}
