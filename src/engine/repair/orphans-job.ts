/** Jobs of `recover`: which trees that no snapshot reaches are the tops of what is left. */
import { joinList } from '../../platform/byte-list.ts';
import { idBytes } from '../../repository/ids.ts';
import type { Node } from '../../repository/tree/node.ts';
import { isDamage } from '../trees/damage-codes.ts';
import type { WorkerContext } from '../workers/context.ts';

export interface FindOrphanRoots {
  /** Records of trees that no snapshot reaches. */
  readonly trees: Uint32Array;
  /** For each record one byte, on shared memory: 1 when another orphan names the tree. */
  readonly referenced: Uint8Array;
  /** For each record that lookups give: 1 when its blob is there. */
  readonly available: Uint8Array;
}

export interface OrphanFacts {
  /** Records of trees that cannot be read. */
  readonly unreadable: Uint32Array<ArrayBuffer>;
  /** Records of trees that an earlier recovery has made: only what they name counts. */
  readonly collections: Uint32Array<ArrayBuffer>;
  /** Pieces and listings that the trees name and that are not there. */
  readonly missing: number;
}

export function findOrphanRoots({ trees, referenced, available }: FindOrphanRoots, context: WorkerContext): OrphanFacts {
  const { index, control, progress } = context;
  const unreadable: number[] = [];
  const collections: number[] = [];
  let missing = 0;
  for (const tree of trees) {
    control.checkpoint();
    progress.add('dirs', 1);
    const nodes = load(tree, context);
    if (!nodes) {
      unreadable.push(tree);
      continue;
    }
    if (isCollection(nodes)) {
      collections.push(tree);
      continue;
    }
    for (const { content, subtree } of nodes) {
      if (content) {
        for (let at = 0; at < content.length; at += idBytes) {
          const record = index.entryOf(content, at, 'data');
          if (record < 0 || available[record] === 0) missing += 1;
        }
      }
      if (!subtree) continue;
      const record = index.entryOf(subtree, 0, 'tree');
      if (record < 0) missing += 1;
      else referenced[record] = 1;
    }
  }
  return { unreadable: Uint32Array.from(unreadable), collections: Uint32Array.from(collections), missing };
}

/** Undefined when it cannot be read, a second time neither: the storage may just have had a hiccup. */
function load(tree: number, context: WorkerContext): Node[] | undefined {
  for (let attempt = 1; attempt <= 2; attempt++) {
    try {
      return context.loadTree(context.index.idAt(tree));
    } catch (error) {
      if (!isDamage(error)) throw error;
    }
  }
  return undefined;
}

/** The fewest digits that a recovery names a folder by. */
export const shortestName = 8;

/** Whether each entry is a folder that is named by its own tree, as recover.ts names them. */
function isCollection(nodes: readonly Node[]): boolean {
  return (
    nodes.length > 0 &&
    nodes.every(({ type, name, subtree }) => {
      if (type !== 'dir' || !subtree || name.length < shortestName) return false;
      return subtree.toString('hex').startsWith(name.toString('latin1'));
    })
  );
}

export interface TreeSketch {
  readonly entries: number;
  /** The first names, as a joined list (byte-list.ts). */
  readonly names: Uint8Array<ArrayBuffer>;
}

const namesEach = 4;

/** What a person would recognise trees by. */
export function describeTrees(trees: Uint32Array, context: WorkerContext): TreeSketch[] {
  return Array.from(trees, (tree) => {
    context.control.checkpoint();
    const nodes = context.loadTree(context.index.idAt(tree));
    return { entries: nodes.length, names: joinList(nodes.slice(0, namesEach).map(({ name }) => name)) };
  });
}
