/**
 * Job: looks through two trees, in no order, for the blobs that each needs and for what was removed and added. Trees that are the same
 * in both are not read; they are given back, in case somebody wants to know what else needs a blob.
 *
 * Work is pairs of records of the index plus 1: the tree of the first snapshot and that of the second, 0 for none. A pair of equal ones
 * is a tree that both have.
 */
import type { BlobIndex } from '../../repository/blob-index.ts';
import { addKey, SharedTable, type SharedTableMemory } from '../../repository/shared-table.ts';
import type { Node } from '../../repository/tree/node.ts';
import { fieldSet } from '../../repository/tree/read-node.ts';
import { noteMissing, readOrNote, type TreeDamage } from '../trees/damaged-trees.ts';
import { NodeStream } from '../trees/node-stream.ts';
import { isEnough, PairStack } from '../trees/share-out.ts';
import type { WorkerContext } from '../workers/context.ts';
import { MoveTable, type Side } from './move-table.ts';

/** Bits of a mark, one byte for each record of the index, in shared memory. */
export const needs = { first: 1, second: 2, both: 4 } as const;
type Need = (typeof needs)[keyof typeof needs];
/** A tree that was looked through for a need has this bit further left, too. */
const seenShift = 4;

/** What the jobs of a survey share. */
export interface SurveyMemory {
  /** See {@link needs}. */
  readonly marks: Uint8Array;
  /** Pairs of different trees that were compared. */
  readonly compared: SharedTableMemory;
}

export const surveyMemory = (records: number): SurveyMemory => ({
  marks: new Uint8Array(new SharedArrayBuffer(records)),
  compared: SharedTable.create(9).memory,
});

export interface SurveyArgs {
  readonly memory: SurveyMemory;
  readonly pairs: Uint32Array;
  /** Undefined when moves do not matter. */
  readonly moves: SharedTableMemory | undefined;
}

export interface Surveyed {
  readonly rest: Uint32Array;
  /** Records of trees that both have; each is given back once. */
  readonly equal: Uint32Array;
  readonly damage: readonly TreeDamage[];
  /** References to data that no index names. */
  readonly unknownBlobs: number;
}

const noFields = fieldSet([]);

export function surveyDifference({ memory, pairs, moves }: SurveyArgs, context: WorkerContext): Surveyed {
  const survey = new Survey(memory, moves && MoveTable.attach(moves), context);
  const { stack } = survey;
  stack.fill(pairs);
  for (let read = 0; stack.length > 0; read++) {
    if (isEnough(read, stack.length, context)) break;
    context.control.checkpoint();
    context.progress.add('dirs', 1);
    stack.pop();
    survey.look(stack.first - 1, stack.second - 1);
  }
  return survey.result();
}

class Survey {
  readonly stack = new PairStack();
  readonly #marks: Uint8Array;
  readonly #compared: SharedTable;
  readonly #moves: MoveTable | undefined;
  readonly #context: WorkerContext;
  readonly #index: BlobIndex;
  readonly #equal: number[] = [];
  readonly #damage: TreeDamage[] = [];
  #unknownBlobs = 0;

  constructor({ marks, compared }: SurveyMemory, moves: MoveTable | undefined, context: WorkerContext) {
    this.#marks = marks;
    this.#compared = SharedTable.attach(compared);
    this.#moves = moves;
    this.#context = context;
    this.#index = context.index;
  }

  result(): Surveyed {
    return {
      rest: this.stack.rest(),
      equal: Uint32Array.from(this.#equal),
      damage: this.#damage,
      unknownBlobs: this.#unknownBlobs,
    };
  }

  look(first: number, second: number): void {
    const read = (record: number, look: () => void): void => readOrNote(this.#damage, record, this.#context, look);
    if (first === second) read(first, () => this.#all(first, needs.both));
    else if (second < 0) read(first, () => this.#all(first, needs.first));
    else if (first < 0) read(second, () => this.#all(second, needs.second));
    else {
      read(first, () => {
        const a = this.#open(first);
        read(second, () => this.#compare(a, this.#open(second)));
      });
    }
  }

  #open(record: number): NodeStream {
    return new NodeStream(this.#context, this.#index.idAt(record), 0, noFields);
  }

  #all(record: number, need: Need): void {
    const nodes = this.#open(record);
    for (let node = nodes.peek(); node; nodes.take(), node = nodes.peek()) this.#one(node, need);
  }

  #compare(a: NodeStream, b: NodeStream): void {
    for (;;) {
      const [left, right] = [a.peek(), b.peek()];
      if (!left && !right) return;
      const order = left && right ? left.name.compare(right.name) : left ? -1 : 1;
      if (order <= 0) a.take();
      if (order >= 0) b.take();
      if (order < 0) this.#one(left!, needs.first);
      else if (order > 0) this.#one(right!, needs.second);
      else this.#two(left!, right!);
    }
  }

  /** An entry that only one side has, or one in a tree that both have. */
  #one(node: Node, need: Need): void {
    this.#markContent(node, need);
    if (need !== needs.both) {
      const side: Side = need === needs.first ? 1 : 2;
      if (node.content) this.#moves?.noteContent(node.content, side);
      if (node.subtree) this.#moves?.noteTree(node.subtree, side);
    }
    this.#descend(node, need);
  }

  #two(left: Node, right: Node): void {
    this.#markContent(left, needs.first);
    this.#markContent(right, needs.second);
    if (!left.subtree || !right.subtree) {
      this.#descend(left, needs.first);
      this.#descend(right, needs.second);
      return;
    }
    const first = this.#mark(left.subtree, 0, 'tree', needs.first);
    const second = this.#mark(right.subtree, 0, 'tree', needs.second);
    if (first < 0 || second < 0) return;
    if (first === second) {
      if (this.#isNew(first, needs.both)) this.#equal.push(first);
    } else if (this.#isNewPair(first, second)) this.stack.push(first + 1, second + 1);
  }

  #descend({ subtree }: Node, need: Need): void {
    if (!subtree) return;
    const record = this.#mark(subtree, 0, 'tree', need);
    if (record < 0 || !this.#isNew(record, need)) return;
    this.stack.push(need === needs.second ? 0 : record + 1, need === needs.first ? 0 : record + 1);
  }

  #markContent({ content }: Node, need: Need): void {
    if (content) for (let at = 0; at < content.length; at += 32) this.#mark(content, at, 'data', need);
  }

  #mark(ids: Buffer, at: number, type: 'data' | 'tree', need: Need): number {
    const record = this.#index.entryOf(ids, at, type);
    if (record < 0) {
      if (type === 'data') this.#unknownBlobs += 1;
      else noteMissing(this.#damage, ids.subarray(at, at + 32));
    } else if ((this.#marks[record] & need) === 0) Atomics.or(this.#marks, record, need);
    return record;
  }

  /** Whether nobody has looked through the tree for this need. */
  #isNew(record: number, need: Need): boolean {
    const seen = need << seenShift;
    return (Atomics.or(this.#marks, record, seen) & seen) === 0;
  }

  /** Trees that multiply make more pairs of paths than anyone can go through, but few pairs of trees. */
  #isNewPair(first: number, second: number): boolean {
    return addKey(this.#compared, new Uint8Array(Uint32Array.of(first, second, 0, 0, 0, 0, 0, 0).buffer));
  }
}
