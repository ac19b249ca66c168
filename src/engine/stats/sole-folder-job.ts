/** Job: the first folder on the way down that holds anything but one folder: above it there is nothing to tell apart. */
import { joinPath } from '../../platform/byte-paths.ts';
import { isTreeDamage, longestPath } from '../trees/folder-problem.ts';
import { NodeStream } from '../trees/node-stream.ts';
import type { WorkerContext } from '../workers/context.ts';

export interface FolderPlace {
  readonly tree: Uint8Array;
  readonly path: Uint8Array;
}

export function soleFolder({ tree, path }: FolderPlace, context: WorkerContext): FolderPlace {
  let place: { tree: Uint8Array; path: Buffer } = { tree, path: Buffer.from(path) };
  while (place.path.length < longestPath) {
    const below = soleIn(place.tree, context);
    if (!below) break;
    place = { tree: below.tree, path: joinPath(place.path, below.name) };
  }
  return { tree: new Uint8Array(place.tree), path: new Uint8Array(place.path) };
}

function soleIn(tree: Uint8Array, context: WorkerContext): { tree: Uint8Array; name: Buffer } | undefined {
  try {
    const nodes = new NodeStream(context, tree, 0);
    const only = nodes.peek();
    if (!only?.subtree) return undefined;
    nodes.take();
    return nodes.peek() ? undefined : { tree: only.subtree, name: only.name };
  } catch (error) {
    if (!isTreeDamage(error, context)) throw error;
    // Whoever reads it next says so.
    return undefined;
  }
}
