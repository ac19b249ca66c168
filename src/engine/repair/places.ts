/**
 * Lists of *places*: where in one pack which blob lies. A list is plain bytes, so that it passes between threads without an
 * object for each blob; a row is `ID(32) ‖ offset ‖ sealed length ‖ plaintext length if compressed, else 0 ‖ type`, u32LE each.
 */
import type { BlobType } from '../../repository/blob-index.ts';
import { idBytes } from '../../repository/ids.ts';
import type { EntryVisitor } from '../../repository/pack.ts';

const rowBytes = idBytes + 16;

export interface Place {
  readonly type: BlobType;
  readonly offset: number;
  /** Of the sealed blob, in bytes. */
  readonly length: number;
  /** Of the plaintext when it is compressed, else 0. */
  readonly uncompressedLength: number;
  /** 32 bytes; a view of the list. */
  readonly id: Buffer;
}

export class PlaceWriter {
  #rows = Buffer.from(new ArrayBuffer(rowBytes * 64));
  #used = 0;

  get count(): number {
    return this.#used / rowBytes;
  }

  /** Has the form of an {@link EntryVisitor}. */
  readonly add = (type: BlobType, offset: number, length: number, uncompressedLength: number, ids: Uint8Array, idAt: number): void => {
    if (this.#used === this.#rows.length) {
      const larger = Buffer.from(new ArrayBuffer(this.#rows.length * 2));
      larger.set(this.#rows);
      this.#rows = larger;
    }
    this.#rows.set(ids.subarray(idAt, idAt + idBytes), this.#used);
    let at = this.#used + idBytes;
    for (const value of [offset, length, uncompressedLength, type === 'tree' ? 1 : 0]) at = this.#rows.writeUInt32LE(value, at);
    this.#used = at;
  };

  /** The list so far, in memory of its own. */
  take(): Uint8Array<ArrayBuffer> {
    return new Uint8Array(this.#rows.subarray(0, this.#used));
  }
}

export const placeCount = (list: Uint8Array): number => list.length / rowBytes;

/** Calls `visit` for each row, in the order of the list. */
export function visitPlaces(list: Uint8Array, visit: EntryVisitor): void {
  const rows = Buffer.from(list.buffer, list.byteOffset, list.length);
  for (let at = 0; at < rows.length; at += rowBytes) {
    const numbers = at + idBytes;
    const type = rows.readUInt32LE(numbers + 12) === 1 ? 'tree' : 'data';
    visit(type, rows.readUInt32LE(numbers), rows.readUInt32LE(numbers + 4), rows.readUInt32LE(numbers + 8), rows, at);
  }
}

/** The rows as objects: for one pack at a time. */
export function placesOf(list: Uint8Array): Place[] {
  const places: Place[] = [];
  visitPlaces(list, (type, offset, length, uncompressedLength, ids, at) =>
    places.push({ type, offset, length, uncompressedLength, id: ids.subarray(at, at + idBytes) }),
  );
  return places;
}

/** The list of these places. */
export function listOf(places: Iterable<Place>): Uint8Array<ArrayBuffer> {
  const writer = new PlaceWriter();
  for (const { type, offset, length, uncompressedLength, id } of places) writer.add(type, offset, length, uncompressedLength, id, 0);
  return writer.take();
}
