/** Job: bytes of files with several names below a tree, each file counted once. */
import type { WorkerContext } from '../workers/context.ts';
import { readOrNote } from '../trees/damaged-trees.ts';
import { NodeStream } from '../trees/node-stream.ts';
import { LinkSet } from './link-set.ts';
import { countedFields, isLinked, known, type TotalsMemory } from './totals-job.ts';

export interface LinksArgs {
  readonly memory: TotalsMemory;
  /** Record of a tree whose totals are known, as are those of all below. */
  readonly tree: number;
}

/** Goes only where there are such files; a tree that occurs several times is looked at once, since it holds the same ones. */
export function countLinks({ memory: { states }, tree }: LinksArgs, context: WorkerContext): number {
  const { index, control, progress } = context;
  const set = new LinkSet();
  const seen = new Uint8Array(states.length);
  let bytes = 0;
  const stack = [tree];
  seen[tree] = 1;
  for (let record = stack.pop(); record !== undefined; record = stack.pop()) {
    control.checkpoint();
    progress.add('dirs', 1);
    // Damage was noted when the totals were counted.
    readOrNote([], record, context, () => {
      const nodes = new NodeStream(context, index.idAt(record), 0, countedFields);
      for (let node = nodes.peek(); node; nodes.take(), node = nodes.peek()) {
        if (isLinked(node) && set.add(node.inode, node.deviceId)) bytes += node.size;
        const subtree = node.subtree ? index.entryOf(node.subtree, 0, 'tree') : -1;
        if (subtree < 0 || (states[subtree] & known.links) === 0 || seen[subtree] === 1) continue;
        seen[subtree] = 1;
        stack.push(subtree);
      }
    });
  }
  return bytes;
}
