/**
 * Job: marks what snapshots need of the source, so that it can be copied.
 *
 * Unlike a check, a copy is content with any whole copy of a tree.
 */
import { emptyLocation } from '../../repository/blob-index.ts';
import { sealOverhead } from '../../repository/crypto.ts';
import { idBytes } from '../../repository/ids.ts';
import { minChunkLength } from '../../repository/kernel/kernel.ts';
import type { Node } from '../../repository/tree/node.ts';
import { isDamage } from '../trees/damage-codes.ts';
import { loadTreeAt } from '../trees/load-tree.ts';
import { type MarkArgs, markContent, type MarkResult, walkTrees } from '../trees/mark-job.ts';
import type { WorkerContext } from '../workers/context.ts';
import { ContentMap, type ContentMapMemory } from './content-map.ts';

/** Bits of a mark. A data blob may have both. */
export const copyMark = {
  /** The blob itself is needed in the target; of trees: it is needed in some form. */
  asIs: 1,
  /** Its bytes are needed, to be cut anew. */
  bytes: 2,
} as const;

export interface MarkToCopyArgs extends MarkArgs {
  /** Contents are cut anew, but those that are known here. */
  readonly contents: ContentMapMemory | undefined;
}

export function markToCopy(args: MarkToCopyArgs, context: WorkerContext): MarkResult {
  const { marks, best } = args;
  const contents = args.contents && ContentMap.attach(args.contents);
  return walkTrees(args, context, {
    nodes: (tree) => loadAnyTree(context, tree, best[tree]),
    content(ids, missing) {
      if (!contents || isOnePiece(ids, context)) markContent(ids, copyMark.asIs, marks, context, missing);
      else if (contents.get(ids) === undefined) markContent(ids, copyMark.bytes, marks, context, missing);
    },
  });
}

/** The nodes of a tree, read from record `best` or, when that is damaged, from anywhere else. Throws as `WorkerContext.loadTree` does. */
export function loadAnyTree(context: WorkerContext, tree: number, best: number): readonly Node[] {
  try {
    return loadTreeAt(context, best);
  } catch (error) {
    if (!isDamage(error)) throw error;
    return context.loadTree(context.index.idAt(tree));
  }
}

/** Whether a content is so short that every polynomial leaves it in one piece, which it is already. */
export function isOnePiece(ids: Uint8Array, { index }: WorkerContext): boolean {
  if (ids.length !== idBytes) return ids.length === 0;
  const location = emptyLocation();
  if (!index.locate(ids, 0, 'data', location)) return true;
  return (location.uncompressedLength || location.length - sealOverhead) <= minChunkLength;
}
