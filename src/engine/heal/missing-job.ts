/** Job: walks trees and names everything that they need and that is not there, however much that is. */
import { emptyLocation } from '../../repository/blob-index.ts';
import { isDamage } from '../trees/damage-codes.ts';
import { loadAnyTree } from '../copy/mark-job.ts';
import { PlaceWriter } from '../repair/places.ts';
import { type MarkArgs, markContent, type MarkResult, walkTrees } from '../trees/mark-job.ts';
import type { WorkerContext } from '../workers/context.ts';

export interface MissingResult extends Pick<MarkResult, 'rest'> {
  /** A list of places that has only types and IDs; a blob may be in it more than once. */
  readonly missing: Uint8Array<ArrayBuffer>;
  /** Packs that should hold a tree which cannot be read there. */
  readonly suspectPacks: readonly string[];
}

export function findMissing(args: MarkArgs, context: WorkerContext): MissingResult {
  const { index } = context;
  const missing = new PlaceWriter();
  const suspects = new Set<string>();
  const location = emptyLocation();
  const { rest } = walkTrees(args, context, {
    nodes(tree) {
      const id = index.idAt(tree);
      try {
        const nodes = loadAnyTree(context, tree, args.best[tree]);
        for (const { subtree } of nodes) if (subtree && index.entryOf(subtree, 0, 'tree') < 0) missing.add('tree', 0, 0, 0, subtree, 0);
        return nodes;
      } catch (error) {
        if (!isDamage(error)) throw error;
        missing.add('tree', 0, 0, 0, id, 0);
        if (index.locate(id, 0, 'tree', location)) suspects.add(index.packId(location.pack).toString('hex'));
        return [];
      }
    },
    content(ids) {
      markContent(ids, 1, args.marks, context, () => {});
      for (let at = 0; at < ids.length; at += 32) if (!index.has(ids, at, 'data')) missing.add('data', 0, 0, 0, ids, at);
    },
  });
  const list = missing.take();
  context.transfer.push(list.buffer);
  return { rest, missing: list, suspectPacks: [...suspects] };
}
