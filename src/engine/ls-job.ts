/**
 * Job: the next entries below a folder, depth first in the order of names, a folder before what is in it. The place where
 * the listing stands travels as plain data, so that any worker can go on; the one that was there last need not read the
 * trees on the way anew.
 */
import { type ErrorJSON, fail, HoldfastError, isDestinationError } from '../contract/errors.ts';
import { joinPath } from '../platform/byte-paths.ts';
import type { Node } from '../repository/tree/node.ts';
import { type EntryBatch, EntryBatchBuilder } from './entry.ts';
import type { WorkerContext } from './workers/context.ts';

/** A folder that is being listed. */
export interface LsFrame {
  /** ID of its tree. */
  readonly tree: Uint8Array;
  readonly path: Uint8Array;
  /** Number of the entry in the tree to go on with. */
  readonly next: number;
}

export interface ListMore {
  /** From the folder where the listing began down to the one where it stands. */
  readonly frames: readonly LsFrame[];
  readonly recursive: boolean;
  readonly atMost: number;
}

export interface ListedMore {
  readonly batch: EntryBatch;
  /** Empty when all is listed. */
  readonly frames: readonly LsFrame[];
  readonly problems: readonly LsProblem[];
}

/** A folder whose tree cannot be read: it is listed, what is in it is not. */
export interface LsProblem {
  readonly path: Uint8Array;
  readonly error: ErrorJSON;
}

interface OpenFolder {
  readonly tree: Uint8Array;
  readonly path: Buffer;
  readonly nodes: readonly Node[];
  next: number;
}

const stateName = 'ls';

/** In bytes; twice what Linux takes. Frames hold the path of each folder on the way, which must not add up to gigabytes. */
const longestPath = 8192;

const tooDeep = (tree: Uint8Array): never =>
  fail('tree-invalid', { tree: Buffer.from(tree).toString('hex'), reason: 'it lies deeper than any path leads' });

export function listMore({ frames, recursive, atMost }: ListMore, context: WorkerContext): ListedMore {
  const kept = (context.state.get(stateName) as OpenFolder[] | undefined) ?? [];
  const open = frames.map(({ tree, path, next }, depth): OpenFolder => {
    const known = kept[depth];
    const nodes = known && Buffer.compare(known.tree, tree) === 0 ? known.nodes : context.loadTree(tree);
    return { tree, path: Buffer.from(path), nodes, next };
  });
  const builder = new EntryBatchBuilder();
  const problems: LsProblem[] = [];
  while (open.length > 0 && builder.length < atMost) {
    const folder = open[open.length - 1];
    if (folder.next >= folder.nodes.length) {
      open.pop();
      continue;
    }
    context.control.checkpoint();
    const node = folder.nodes[folder.next++];
    const path = joinPath(folder.path, node.name);
    builder.add(path, node);
    if (recursive && node.subtree !== null) {
      const tree = new Uint8Array(node.subtree);
      const nodes = loadOr(problems, path, () => (path.length > longestPath ? tooDeep(tree) : context.loadTree(tree)));
      if (nodes) open.push({ tree, path, nodes, next: 0 });
    }
  }
  context.state.set(stateName, open);
  return { batch: builder.take(), frames: open.map(({ tree, path, next }) => ({ tree, path: new Uint8Array(path), next })), problems };
}

/** What `load` gives, or undefined and a problem when this one folder is damaged. */
function loadOr(problems: LsProblem[], path: Buffer, load: () => Node[]): Node[] | undefined {
  try {
    return load();
  } catch (error) {
    if (!(error instanceof HoldfastError) || error.retryable || isDestinationError(error) || error.code === 'cancelled') throw error;
    problems.push({ path: new Uint8Array(path), error: error.toJSON() });
    return undefined;
  }
}
