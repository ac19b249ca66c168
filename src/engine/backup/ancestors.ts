/**
 * The folders above the sources: in a snapshot's root tree every source stands under its full path, but of the folders on
 * the way only the part that leads to a source is kept.
 */
import { statSync } from 'node:fs';
import { HoldfastError, hasCode } from '../../contract/errors.ts';
import { baseName, splitPath } from '../../platform/byte-paths.ts';
import { systemUserNames } from '../../platform/users.ts';
import { formatNode } from '../../repository/tree/format.ts';
import type { WorkerContext } from '../workers/context.ts';
import { nodeOfEntry } from './node-of-entry.ts';

/** Job: the node (as JSON without subtree) of each folder; a link on the way counts as the folder that it leads to. */
export function describeFolders(paths: readonly Uint8Array[], _: WorkerContext): string[] {
  const users = systemUserNames();
  return paths.map((bytes) => {
    const path = Buffer.from(bytes);
    const stat = statSync(path, { bigint: true });
    return formatNode(nodeOfEntry(path, baseName(path), stat, users));
  });
}

export interface ParentTreesQuery {
  /** Root tree of the parent snapshot. */
  readonly root: Uint8Array;
  readonly folders: readonly Uint8Array[];
}

/** Job: the tree of each folder in the parent snapshot; undefined where it has none that can be read. */
export function parentTrees({ root, folders }: ParentTreesQuery, context: WorkerContext): (Uint8Array | undefined)[] {
  return folders.map((folder) => {
    let tree: Uint8Array | undefined = root;
    for (const name of splitPath(Buffer.from(folder))) {
      if (!tree) return undefined;
      tree = subtree(context, tree, name);
    }
    return tree && new Uint8Array(tree);
  });
}

function subtree(context: WorkerContext, tree: Uint8Array, name: Buffer): Uint8Array | undefined {
  try {
    return context.loadTree(tree).find((node) => node.name.equals(name))?.subtree ?? undefined;
  } catch (error) {
    // Without the parent's tree everything is read again: slower, nothing lost.
    if (error instanceof HoldfastError && !hasCode(error, 'cancelled')) return undefined;
    throw error;
  }
}
