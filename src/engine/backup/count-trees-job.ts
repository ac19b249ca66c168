/** Job: what there is below trees of the parent snapshot. Such as cannot be read count as empty: they are for figures alone. */
import { HoldfastError, hasCode } from '../../contract/errors.ts';
import { splitList } from '../../platform/byte-list.ts';
import { fieldSet } from '../../repository/tree/read-node.ts';
import type { WorkerContext } from '../workers/context.ts';
import type { EntryCount } from './scan-task.ts';

const fields = fieldSet(['size', 'subtree']);

/** @param trees joined list of IDs */
export function countTrees(trees: Uint8Array, context: WorkerContext): EntryCount {
  const count: EntryCount = { files: 0, dirs: 0, bytes: 0 };
  const left: Uint8Array[] = splitList(trees);
  for (let tree = left.pop(); tree; tree = left.pop()) {
    context.control.checkpoint();
    try {
      const reader = context.openTree(tree, fields);
      for (let node = reader.next(); node; node = reader.next()) {
        if (node.type === 'file') {
          count.files += 1;
          count.bytes += node.size;
        } else if (node.type === 'dir') {
          count.dirs += 1;
          if (node.subtree) left.push(new Uint8Array(node.subtree));
        }
      }
    } catch (error) {
      if (!(error instanceof HoldfastError) || hasCode(error, 'cancelled')) throw error;
    }
  }
  return count;
}
