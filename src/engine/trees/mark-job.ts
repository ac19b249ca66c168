/**
 * Walks trees and marks every blob that they need.
 *
 * A *mark* is one byte for each record of the index, in shared memory. A tree is marked when it is put on the stack, so each is
 * read once whatever refers to it, and the stack of a hostile repository never holds more than the index has trees.
 */
import type { BlobType } from '../../repository/blob-index.ts';
import type { Node } from '../../repository/tree/node.ts';
import type { WorkerContext } from '../workers/context.ts';
import { isDamage } from './damage-codes.ts';
import { loadTreeAt } from './load-tree.ts';
import { isEnough } from './share-out.ts';

export interface MarkArgs {
  /** On shared memory, one byte for each record of the index. */
  readonly marks: Uint8Array;
  /** For each record that lookups give, the record to read its blob from. */
  readonly best: Uint32Array;
  /** Records of the trees to begin with; they are marked already. */
  readonly trees: Uint32Array;
}

export interface TreeProblem {
  /** `missing`: the index does not know the blob. `unreadable`: a tree is stored, but cannot be read. */
  readonly kind: 'missing' | 'unreadable';
  readonly type: BlobType;
  /** 64 hex digits. */
  readonly blob: string;
  readonly cause: string;
}

export interface MarkResult {
  /** Trees that are marked but not read: work to share out. */
  readonly rest: Uint32Array;
  readonly problems: readonly TreeProblem[];
  /** Problems beyond those that are listed. */
  readonly more: number;
}

const listedProblems = 200;

/** What a walk does with what it meets. */
export interface TreeVisitor {
  /** The nodes of the tree of a record. */
  nodes(tree: number): readonly Node[];
  /** The content of a file, its IDs one after the other; `missing` is to be called with those that the index does not know. */
  content(ids: Buffer, missing: (id: Buffer) => void): void;
}

/** Job: marks what is needed with 1. */
export const markTrees = (args: MarkArgs, context: WorkerContext): MarkResult =>
  walkTrees(args, context, {
    nodes: (tree) => loadTreeAt(context, args.best[tree]),
    content: (ids, missing) => markContent(ids, 1, args.marks, context, missing),
  });

/** Marks the blobs of a file with `mark`, beside the marks that they have. */
export function markContent(ids: Buffer, mark: number, marks: Uint8Array, { index }: WorkerContext, missing: (id: Buffer) => void): void {
  for (let at = 0; at < ids.length; at += 32) {
    const record = index.entryOf(ids, at, 'data');
    if (record < 0) missing(ids.subarray(at, at + 32));
    else if ((marks[record] & mark) === 0) Atomics.or(marks, record, mark);
  }
}

/** Marks the trees with 1. */
export function walkTrees({ marks, trees }: MarkArgs, context: WorkerContext, visitor: TreeVisitor): MarkResult {
  const { index, control, progress } = context;
  let stack = new Uint32Array(Math.max(256, trees.length * 2));
  stack.set(trees);
  let depth = trees.length;
  const problems: TreeProblem[] = [];
  let more = 0;
  const note = (kind: TreeProblem['kind'], type: BlobType, id: Buffer, cause: string): void => {
    if (problems.length < listedProblems) problems.push({ kind, type, blob: id.toString('hex'), cause });
    else more += 1;
  };
  const missing = (id: Buffer): void => note('missing', 'data', id, 'no index names it');
  for (let read = 0; depth > 0; read++) {
    if (isEnough(read, depth, context)) break;
    control.checkpoint();
    const tree = stack[--depth];
    progress.add('dirs', 1);
    try {
      for (const { content, subtree } of visitor.nodes(tree)) {
        if (content) visitor.content(content, missing);
        if (!subtree) continue;
        const record = index.entryOf(subtree, 0, 'tree');
        if (record < 0) {
          note('missing', 'tree', subtree, 'no index names it');
        } else if (marks[record] === 0 && Atomics.exchange(marks, record, 1) === 0) {
          if (depth === stack.length) {
            const larger = new Uint32Array(stack.length * 2);
            larger.set(stack);
            stack = larger;
          }
          stack[depth++] = record;
        }
      }
    } catch (error) {
      if (!isDamage(error)) throw error;
      note('unreadable', 'tree', index.idAt(tree), String(error.context.reason ?? error.context.cause ?? error.message));
    }
  }
  return { rest: stack.slice(0, depth), problems, more };
}
