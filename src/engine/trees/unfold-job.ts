/**
 * Job: how many entries there are below a tree when every reference to a tree counts.
 *
 * Trees are shared: sixty of them that each name the next one twice unfold to 2^60 folders. Each tree is read once whatever
 * refers to it, and the memory is 8 bytes for each record of the index.
 */
import type { WorkerContext } from '../workers/context.ts';
import { isDamage } from './damage-codes.ts';

/** A tree that is being counted. */
interface Open {
  readonly record: number;
  /** Records of its subtrees. */
  readonly below: Uint32Array;
  next: number;
  entries: number;
}

/** A count is below 2^53 or no longer exact; what is missing or damaged counts as empty. */
export function countUnfolded(root: Uint8Array, context: WorkerContext): number {
  const { index, control } = context;
  const first = index.entryOf(root, 0, 'tree');
  if (first < 0) return 0;
  /** By record: 0 before the tree was met, then its entries and itself. */
  const counts = new Float64Array(index.blobCount);
  const stack = [open(first, context)];
  for (;;) {
    const tree = stack[stack.length - 1];
    if (tree.next === tree.below.length) {
      counts[tree.record] = tree.entries + 1;
      stack.pop();
      if (stack.length === 0) return tree.entries;
      stack[stack.length - 1].entries += tree.entries;
      continue;
    }
    control.checkpoint();
    const record = tree.below[tree.next++];
    if (counts[record] > 0) tree.entries += counts[record] - 1;
    else stack.push(open(record, context));
  }
}

function open(record: number, context: WorkerContext): Open {
  const below: number[] = [];
  let entries = 0;
  try {
    for (const { subtree } of context.loadTree(context.index.idAt(record))) {
      entries += 1;
      const known = subtree === null ? -1 : context.index.entryOf(subtree, 0, 'tree');
      if (known >= 0) below.push(known);
    }
  } catch (error) {
    if (!isDamage(error)) throw error;
  }
  return { record, below: Uint32Array.from(below), next: 0, entries };
}
