/**
 * Job: walks trees and marks every blob that they need.
 *
 * A *mark* is one byte for each record of the index, in shared memory. A tree is marked when it is put on the stack, so each is
 * read once whatever refers to it, and the stack of a hostile repository never holds more than the index has trees.
 */
import type { BlobType } from '../../repository/blob-index.ts';
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

export function markTrees({ marks, best, trees }: MarkArgs, context: WorkerContext): MarkResult {
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
  for (let read = 0; depth > 0; read++) {
    if (isEnough(read, depth, context)) break;
    control.checkpoint();
    const tree = stack[--depth];
    progress.add('dirs', 1);
    try {
      for (const { content, subtree } of loadTreeAt(context, best[tree])) {
        if (content) {
          for (let at = 0; at < content.length; at += 32) {
            const record = index.entryOf(content, at, 'data');
            if (record >= 0) marks[record] = 1;
            else note('missing', 'data', content.subarray(at, at + 32), 'no index names it');
          }
        }
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
