/** Job: the listings of some trees. */
import { idBytes } from '../../repository/ids.ts';
import { fieldSet } from '../../repository/tree/read-node.ts';
import { isTreeDamage } from '../trees/folder-problem.ts';
import type { WorkerContext } from '../workers/context.ts';
import { ListingWriter, listingFields } from './format.ts';

export interface ListTreesArgs {
  /** IDs one after the other, 32 bytes each. */
  readonly trees: Uint8Array;
}

export interface ListedTrees {
  /** All listings one after the other. */
  readonly listings: Uint8Array<ArrayBuffer>;
  /** Where each ends. */
  readonly ends: Float64Array<ArrayBuffer>;
  /** For each: 1 when its tree cannot be read, so that nothing is known of what is in it. */
  readonly isLost: Uint8Array<ArrayBuffer>;
}

const fields = fieldSet(listingFields);
const stateName = 'listing';

export function listTrees({ trees }: ListTreesArgs, context: WorkerContext): ListedTrees {
  const writer = (context.state.get(stateName) as ListingWriter | undefined) ?? new ListingWriter();
  context.state.set(stateName, writer);
  const count = trees.length / idBytes;
  const ends = new Float64Array(count);
  const isLost = new Uint8Array(count);
  writer.cut(0);
  for (let i = 0; i < count; i++) {
    context.control.checkpoint();
    const begin = writer.length;
    try {
      const nodes = context.openTree(trees.subarray(i * idBytes, (i + 1) * idBytes), fields);
      for (let node = nodes.next(); node; node = nodes.next()) writer.add(node);
    } catch (error) {
      if (!isTreeDamage(error, context)) throw error;
      writer.cut(begin);
      isLost[i] = 1;
    }
    ends[i] = writer.length;
  }
  const listings = writer.take();
  context.transfer = [listings.buffer, ends.buffer, isLost.buffer];
  return { listings, ends, isLost };
}
