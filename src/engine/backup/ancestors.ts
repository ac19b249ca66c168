/**
 * The folders above the sources: in a snapshot's root tree every source stands under its full path, but of the folders on
 * the way only the part that leads to a source is kept.
 */
import { type BigIntStats, statSync } from 'node:fs';
import { baseName, splitPath } from '../../platform/byte-paths.ts';
import { systemUserNames, type UserNames } from '../../platform/users.ts';
import { formatNode } from '../../repository/tree/format.ts';
import type { Node } from '../../repository/tree/node.ts';
import type { WorkerContext } from '../workers/context.ts';
import { nodeOfEntry } from './node-of-entry.ts';
import { noteUnreadable } from './parent-damage.ts';
import { type Problem, problemOf } from './scan-task.ts';

/**
 * Job: the node (as JSON without subtree) of each folder, or what is wrong with it; a link on the way counts as the folder that it
 * leads to.
 */
export function describeFolders(paths: readonly Uint8Array[]): (string | Problem)[] {
  const users = systemUserNames();
  return paths.map((bytes) => {
    const path = Buffer.from(bytes);
    try {
      const stat = statSync(path, { bigint: true });
      return formatNode(nodeAbove(path, stat, users));
    } catch (error) {
      return problemOf(path, error);
    }
  });
}

/** Whoever may pass through a folder need not be allowed to read its attributes. */
function nodeAbove(path: Buffer, stat: BigIntStats, users: UserNames): Node {
  try {
    return nodeOfEntry(path, baseName(path), stat, users);
  } catch {
    return nodeOfEntry(path, baseName(path), stat, users, false);
  }
}

export interface ParentFoldersQuery {
  /** Root tree of the parent snapshot. */
  readonly root: Uint8Array;
  readonly folders: readonly Uint8Array[];
}

/** A folder in the parent snapshot: its node (as JSON) and its tree; undefined where it has none that can be read. */
export interface ParentFolder {
  readonly node: Uint8Array | undefined;
  readonly tree: Uint8Array | undefined;
}

/** Job: what the parent snapshot holds of each folder. */
export function parentFolders({ root, folders }: ParentFoldersQuery, context: WorkerContext): ParentFolder[] {
  return folders.map((folder) => {
    let node: Node | undefined;
    let tree: Uint8Array | undefined = root;
    for (const name of splitPath(Buffer.from(folder))) {
      node = tree && findNode(context, tree, name);
      tree = node?.subtree ?? undefined;
    }
    return { node: node?.raw && new Uint8Array(node.raw), tree: tree && new Uint8Array(tree) };
  });
}

function findNode(context: WorkerContext, tree: Uint8Array, name: Buffer): Node | undefined {
  try {
    return context.loadTree(tree).find((node) => node.name.equals(name));
  } catch (error) {
    // Without the parent's tree everything is read again: slower, nothing lost.
    noteUnreadable(error, tree, context);
    return undefined;
  }
}
