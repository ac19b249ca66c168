/**
 * The contents and trees that were removed, added, or both: those are *candidates* for a move. In shared memory, some 60 bytes for
 * each that was removed or added and nothing for what did not change.
 *
 * A candidate's *occurrences* are the places where it was removed or added and that lie in no other candidate. The first removed one
 * moved to the first added one, the second to the second; what is left over was removed or added.
 */
import { idBytes, sha256 } from '../../repository/ids.ts';
import { SharedTable, type SharedTableMemory } from '../../repository/shared-table.ts';

/** The old snapshot is on the first side, the new one on the second. */
export type Side = 1 | 2;

const words = 11;
/** Word 8: the tag, which tells a folder's tree from a file's content, then a bit for each side. Words 9 and 10: occurrences. */
const flagsWord = 8;
const bothSides = 3 << 1;

/** What stands for a file's content: its one blob, or the hash of the list of them. */
const contentKey = (content: Uint8Array): Uint8Array => (content.length === idBytes ? content : sha256(content));

/** An empty folder moved nowhere: there are many that are the same. */
const emptyTree = sha256(Buffer.from('{"nodes":[]}\n'));

export class MoveTable {
  readonly #table: SharedTable;
  readonly memory: SharedTableMemory;

  private constructor(table: SharedTable) {
    this.#table = table;
    this.memory = table.memory;
  }

  /** Throws `index-too-large`, as does what adds to it. */
  static create(): MoveTable {
    return new MoveTable(SharedTable.create(words));
  }

  static attach(memory: SharedTableMemory): MoveTable {
    return new MoveTable(SharedTable.attach(memory));
  }

  get count(): number {
    return this.#table.count;
  }

  /** Notes that a file with this content was found on one side. Safe on many threads. */
  noteContent(content: Uint8Array, side: Side): void {
    if (content.length > 0) this.#note(contentKey(content), 0, side);
  }

  /** The same for a folder. */
  noteTree(tree: Uint8Array, side: Side): void {
    if (!emptyTree.equals(tree)) this.#note(tree, 1, side);
  }

  #note(key: Uint8Array, tag: 0 | 1, side: Side): void {
    const table = this.#table;
    table.lock();
    try {
      // Making a record may make another view of all of them.
      const number = table.findOrInsert(key, 0, tag);
      table.records[number * words + flagsWord] |= side << 1;
    } finally {
      table.unlock();
    }
  }

  /** The number of the candidate, or -1. Call it when all is noted. */
  contentCandidate(content: Uint8Array): number {
    return content.length === 0 ? -1 : this.#candidate(contentKey(content), 0);
  }

  treeCandidate(tree: Uint8Array): number {
    return this.#candidate(tree, 1);
  }

  #candidate(key: Uint8Array, tag: 0 | 1): number {
    const table = this.#table;
    table.lock();
    const number = table.find(key, 0, tag);
    table.unlock();
    return number >= 0 && this.#isCandidate(number) ? number : -1;
  }

  #isCandidate(number: number): boolean {
    return (this.#table.records[number * words + flagsWord] & bothSides) === bothSides;
  }

  get hasCandidates(): boolean {
    for (let i = 0; i < this.count; i++) if (this.#isCandidate(i)) return true;
    return false;
  }

  /** Counts an occurrence. */
  meet(number: number, side: Side): void {
    this.#table.records[number * words + flagsWord + side] += 1;
  }

  /** Forgets all occurrences. */
  startAgain(): void {
    const { records } = this.#table;
    for (let i = 0; i < this.count; i++) records.fill(0, i * words + flagsWord + 1, (i + 1) * words);
  }

  /**
   * To be called when all occurrences are counted: folders that occur on one side only are no candidates any more. Returns how many
   * these were; what lies in them then has to be looked at by itself.
   */
  dropLoneTrees(): number {
    const { records } = this.#table;
    let dropped = 0;
    for (let i = 0; i < this.count; i++) {
      const at = i * words + flagsWord;
      if (!this.#isCandidate(i) || (records[at] & 1) === 0 || (records[at + 1] > 0 && records[at + 2] > 0)) continue;
      records[at] &= ~bothSides;
      dropped += 1;
    }
    return dropped;
  }

  /** From now on {@link claim} hands out as many moves as both sides have occurrences. */
  settle(): void {
    const { records } = this.#table;
    for (let i = 0; i < this.count; i++) {
      const at = i * words + flagsWord + 1;
      records.fill(Math.min(records[at], records[at + 1]), at, at + 2);
    }
  }

  /** Whether the next occurrence on this side is one that moved. */
  claim(number: number, side: Side): boolean {
    const { records } = this.#table;
    const at = number * words + flagsWord + side;
    if (records[at] === 0) return false;
    records[at] -= 1;
    return true;
  }
}
