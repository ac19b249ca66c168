/**
 * Reads the IDs of a tree blob. They are put one after the other into blocks that many nodes share: a small file's content costs
 * no block of its own, and hostile text cannot ask for more memory than its own length.
 */

import { idBytes, idDigits, readHexId } from '../ids.ts';
import type { JsonScanner } from './json-scan.ts';

const OPEN_BRACKET = 0x5b;
const CLOSE_BRACKET = 0x5d;
const COMMA = 0x2c;
const QUOTE = 0x22;

const SLAB_BYTES = 16_384;
const NO_IDS: Buffer = Buffer.alloc(0);

export class IdReader {
  readonly #scan: JsonScanner;
  #slab: Buffer;
  #slabPos = 0;

  constructor(scan: JsonScanner) {
    this.#scan = scan;
    this.#slab = Buffer.allocUnsafeSlow(Math.min(SLAB_BYTES, idsThatFit(scan.bytes.length) * idBytes));
  }

  /** A list of IDs, one after the other. */
  list(): Buffer {
    const scan = this.#scan;
    scan.expect(OPEN_BRACKET);
    if (scan.take(CLOSE_BRACKET)) return NO_IDS;
    let start = this.#slabPos;
    do start = this.#appendId(start);
    while (scan.take(COMMA));
    scan.expect(CLOSE_BRACKET);
    return this.#slab.subarray(start, this.#slabPos);
  }

  /** One ID. */
  one(): Buffer {
    const start = this.#appendId(this.#slabPos);
    return this.#slab.subarray(start, this.#slabPos);
  }

  /** Reads an ID behind the list that starts at `start` of the slab; returns where that list starts now. */
  #appendId(start: number): number {
    const scan = this.#scan;
    const at = scan.peek() === QUOTE ? scan.pos + 1 : scan.refuse('an ID is expected');
    let first = start;
    if (this.#slabPos + idBytes > this.#slab.length) {
      const list = this.#slab.subarray(start, this.#slabPos);
      const wanted = Math.max(SLAB_BYTES, list.length * 2);
      this.#slab = Buffer.allocUnsafeSlow(Math.min(wanted, list.length + idsThatFit(scan.bytes.length - at + 1) * idBytes));
      this.#slab.set(list, 0);
      this.#slabPos = list.length;
      first = 0;
    }
    const isId = this.#slabPos + idBytes <= this.#slab.length && readHexId(scan.bytes, at, this.#slab, this.#slabPos);
    if (!isId || scan.bytes[at + idDigits] !== QUOTE) scan.refuse('an ID is malformed', at);
    this.#slabPos += idBytes;
    scan.pos = at + idDigits + 1;
    return first;
  }
}

/** The most IDs that `length` bytes of JSON can hold. */
const idsThatFit = (length: number): number => Math.floor(length / (idDigits + 2));
