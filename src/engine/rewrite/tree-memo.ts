/**
 * What became of the trees that were rewritten already: a tree that many snapshots share, or that lies at many places, is done once
 * for each *level*, which stands for all that the exclude patterns still say about what is in it.
 *
 * Some 50 bytes for each, and no object: a repository may have millions.
 */

/** What stays of a tree and of all below it, and what was left out. */
export interface TreeFigures {
  files: number;
  /** Sizes of these files. */
  bytes: number;
  /** Entries of all kinds, and the folders among them; a tree that lies at several places counts at each. */
  entries: number;
  folders: number;
  /** What was left out: folders, each with all that is in it; everything else; and the sizes of files among the latter. */
  goneFolders: number;
  goneFiles: number;
  goneBytes: number;
}

export const noFigures = (): TreeFigures => ({ files: 0, bytes: 0, entries: 0, folders: 0, goneFolders: 0, goneFiles: 0, goneBytes: 0 });

export function addFigures(sum: TreeFigures, part: Readonly<TreeFigures>): void {
  sum.files += part.files;
  sum.bytes += part.bytes;
  sum.entries += part.entries;
  sum.folders += part.folders;
  sum.goneFolders += part.goneFolders;
  sum.goneFiles += part.goneFiles;
  sum.goneBytes += part.goneBytes;
}

const idBytes = 32;
const stayingFigures = 4;
const goneFigures = 3;
const unchanged = -1;

export class TreeMemo {
  /** Open addressing: number of the entry plus one, 0 for none. */
  #slots = new Uint32Array(1 << 10);
  #count = 0;
  #records = new Uint32Array(512);
  #levels = new Uint32Array(512);
  #staying = new Float64Array(512 * stayingFigures);
  /** Number among the changed trees. */
  #changes = new Int32Array(512);
  #changed = 0;
  #gone = new Float64Array(64 * goneFigures);
  #ids = new Uint8Array(64 * idBytes);

  /** The number of the entry for a tree (its record in the index) at a level; -1 when there is none. */
  find(record: number, level: number): number {
    return this.#slots[this.#slotOf(record, level)] - 1;
  }

  /** Adds an entry that is not there yet. `tree`: the ID that the tree has now; undefined when it stays as it is. */
  add(record: number, level: number, figures: Readonly<TreeFigures>, tree: Uint8Array | undefined): void {
    if (this.#count === this.#records.length) this.#grow();
    const entry = this.#count++;
    this.#slots[this.#slotOf(record, level)] = entry + 1;
    this.#records[entry] = record;
    this.#levels[entry] = level;
    this.#staying.set([figures.files, figures.bytes, figures.entries, figures.folders], entry * stayingFigures);
    this.#changes[entry] = unchanged;
    if (!tree) return;
    if ((this.#changed + 1) * idBytes > this.#ids.length) {
      this.#ids = enlarged(this.#ids, new Uint8Array(this.#ids.length * 2));
      this.#gone = enlarged(this.#gone, new Float64Array(this.#gone.length * 2));
    }
    const change = this.#changed++;
    this.#changes[entry] = change;
    this.#ids.set(tree, change * idBytes);
    this.#gone.set([figures.goneFolders, figures.goneFiles, figures.goneBytes], change * goneFigures);
  }

  figures(entry: number): TreeFigures {
    const [files, bytes, entries, folders] = this.#staying.subarray(entry * stayingFigures, (entry + 1) * stayingFigures);
    const change = this.#changes[entry];
    const [goneFolders, goneFiles, goneBytes] =
      change === unchanged ? [0, 0, 0] : this.#gone.subarray(change * goneFigures, (change + 1) * goneFigures);
    return { files, bytes, entries, folders, goneFolders, goneFiles, goneBytes };
  }

  /** A copy of the ID that the tree has now; undefined when it stays as it is. */
  tree(entry: number): Buffer | undefined {
    const change = this.#changes[entry];
    return change === unchanged ? undefined : Buffer.from(this.#ids.subarray(change * idBytes, (change + 1) * idBytes));
  }

  /** Where the entry is, or would be put. */
  #slotOf(record: number, level: number): number {
    const mask = this.#slots.length - 1;
    let slot = (Math.imul(record, 0x9e37_79b1) ^ Math.imul(level + 1, 0x85eb_ca6b)) & mask;
    for (; this.#slots[slot] !== 0; slot = (slot + 1) & mask) {
      const entry = this.#slots[slot] - 1;
      if (this.#records[entry] === record && this.#levels[entry] === level) break;
    }
    return slot;
  }

  #grow(): void {
    const size = this.#records.length * 2;
    this.#records = enlarged(this.#records, new Uint32Array(size));
    this.#levels = enlarged(this.#levels, new Uint32Array(size));
    this.#changes = enlarged(this.#changes, new Int32Array(size));
    this.#staying = enlarged(this.#staying, new Float64Array(size * stayingFigures));
    // Never more than half full.
    this.#slots = new Uint32Array(size * 2);
    for (let entry = 0; entry < this.#count; entry++) this.#slots[this.#slotOf(this.#records[entry], this.#levels[entry])] = entry + 1;
  }
}

function enlarged<A extends { set(values: A): void }>(old: A, room: A): A {
  room.set(old);
  return room;
}
