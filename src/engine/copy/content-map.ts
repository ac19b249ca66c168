/**
 * How contents that are cut anew look in the target: the list of a file's blobs there, by the list of its blobs in the source.
 *
 * Where a polynomial cuts depends on the content alone, so each content is cut once whatever files and snapshots hold it. Lists
 * and pieces are in shared memory: 65 bytes for a content and 36 for each of its pieces.
 */
import { idBytes, sha256 } from '../../repository/ids.ts';
import { SharedTable, type SharedTableMemory } from '../../repository/shared-table.ts';

export interface ContentMapMemory {
  readonly lists: SharedTableMemory;
  readonly pieces: SharedTableMemory;
}

/** By the SHA-256 of the source's list: the first of its pieces, and their number. */
const listWords = 11;
const pieceWords = 9;
/** Instead of a number of pieces: this content cannot be read. */
const unreadable = 0xffff_ffff;

export class ContentMap {
  readonly #lists: SharedTable;
  readonly #pieces: SharedTable;

  private constructor(lists: SharedTable, pieces: SharedTable) {
    this.#lists = lists;
    this.#pieces = pieces;
  }

  static create(): ContentMap {
    return new ContentMap(SharedTable.create(listWords), SharedTable.create(pieceWords));
  }

  /** The same map in another thread. */
  static attach({ lists, pieces }: ContentMapMemory): ContentMap {
    return new ContentMap(SharedTable.attach(lists), SharedTable.attach(pieces));
  }

  get memory(): ContentMapMemory {
    return { lists: this.#lists.memory, pieces: this.#pieces.memory };
  }

  /** The IDs in the target, one after the other, for those in the source; undefined when that is not known yet. */
  get(content: Uint8Array): Buffer | 'unreadable' | undefined {
    const lists = this.#lists;
    const key = sha256(content);
    lists.lock();
    const list = lists.find(key, 0, 0);
    const first = list < 0 ? 0 : lists.records[list * listWords + 9];
    const count = list < 0 ? 0 : lists.records[list * listWords + 10];
    lists.unlock();
    if (list < 0) return undefined;
    if (count === unreadable) return 'unreadable';
    const ids = Buffer.alloc(count * idBytes);
    for (let i = 0; i < count; i++) ids.set(this.#pieces.keyOf(first + i), i * idBytes);
    return ids;
  }

  /** Notes the list in the target; `undefined` when the content cannot be read. What is known already stays. */
  set(content: Uint8Array, ids: Uint8Array | undefined): void {
    const key = sha256(content);
    const first = ids === undefined ? 0 : this.#append(ids);
    const lists = this.#lists;
    lists.lock();
    try {
      const list = lists.findOrInsert(key, 0, 0);
      if (!lists.inserted) return;
      lists.records[list * listWords + 9] = first;
      lists.records[list * listWords + 10] = ids === undefined ? unreadable : ids.length / idBytes;
    } finally {
      lists.unlock();
    }
  }

  /** Puts the pieces one behind the other; returns the number of the first. */
  #append(ids: Uint8Array): number {
    const pieces = this.#pieces;
    pieces.lock();
    try {
      const first = pieces.count;
      for (let at = 0; at < ids.length; at += idBytes) pieces.append(ids, at, 0);
      return first;
    } finally {
      pieces.unlock();
    }
  }
}
