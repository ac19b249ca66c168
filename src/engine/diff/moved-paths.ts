/** Where things were before they moved, in some bytes more than the paths themselves take. */
import { splitList } from '../../platform/byte-list.ts';

/** All paths together, in bytes. What moved beyond that is told as removed and added. */
const mostBytes = 128 << 20;
const chunkBytes = 1 << 20;

export class MovedPaths {
  /** Each begins with its length (u32LE). */
  #chunks: Buffer[] = [];
  #used = chunkBytes;
  readonly #mostBytes: number;
  /** For each path where it begins: chunk · chunkBytes + offset. */
  #places = new Float64Array(1024);
  /** For each path the next one of the same item, plus 1. */
  #next = new Uint32Array(1024);
  #count = 0;
  /** For each item its first path that was not taken, and its last one, plus 1. */
  readonly #first: Uint32Array;
  readonly #last: Uint32Array;

  constructor(items: number, most: number = mostBytes) {
    this.#first = new Uint32Array(items);
    this.#last = new Uint32Array(items);
    this.#mostBytes = most;
  }

  /** False when there is no room left. */
  add(item: number, path: Uint8Array): boolean {
    const needs = path.length + 4;
    if (needs > chunkBytes) return false;
    if (this.#used + needs > chunkBytes) {
      if ((this.#chunks.length + 1) * chunkBytes > this.#mostBytes) return false;
      this.#chunks.push(Buffer.allocUnsafeSlow(chunkBytes));
      this.#used = 0;
    }
    const chunk = this.#chunks[this.#chunks.length - 1];
    chunk.writeUInt32LE(path.length, this.#used);
    chunk.set(path, this.#used + 4);
    if (this.#count === this.#places.length) this.#grow();
    this.#places[this.#count] = (this.#chunks.length - 1) * chunkBytes + this.#used;
    this.#used += needs;
    this.#count += 1;
    if (this.#last[item] === 0) this.#first[item] = this.#count;
    else this.#next[this.#last[item] - 1] = this.#count;
    this.#last[item] = this.#count;
    return true;
  }

  /** The paths of an item in the order in which they were added. */
  take(item: number): Buffer {
    const number = this.#first[item] - 1;
    this.#first[item] = this.#next[number];
    const place = this.#places[number];
    const chunk = this.#chunks[Math.floor(place / chunkBytes)];
    const at = place % chunkBytes;
    return splitList(chunk.subarray(at, at + 4 + chunk.readUInt32LE(at)))[0];
  }

  /** Forgets all of them. */
  clear(): void {
    this.#chunks = [];
    this.#used = chunkBytes;
    this.#count = 0;
    for (const list of [this.#first, this.#last, this.#next]) list.fill(0);
  }

  #grow(): void {
    const places = new Float64Array(this.#places.length * 2);
    places.set(this.#places);
    this.#places = places;
    const next = new Uint32Array(this.#next.length * 2);
    next.set(this.#next);
    this.#next = next;
  }
}
