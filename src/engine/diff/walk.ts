/**
 * Goes through two folders side by side, in the order of paths, and says at each entry what became of it. Equal folders are not read.
 * The place where the walk stands travels as plain data, so that any worker can go on with it.
 */
import { joinPath } from '../../platform/byte-paths.ts';
import type { Node } from '../../repository/tree/node.ts';
import { parseNode } from '../../repository/tree/parse.ts';
import { fieldSet } from '../../repository/tree/read-node.ts';
import { type FolderProblem, isTreeDamage, longestPath, tooDeep } from '../trees/folder-problem.ts';
import { type NodeStream, streamAt } from '../trees/node-stream.ts';
import type { WorkerContext } from '../workers/context.ts';
import type { Side } from './move-table.ts';

/**
 * `compare`: moves are looked for. `plain`: a candidate that is left over, in which everything was removed or added. `moved`: a folder
 * that moved, of which nothing is told.
 */
export type FrameState = 'compare' | 'plain' | 'moved';

/** A folder that is being gone through. */
export interface DiffFrame {
  /** IDs of the trees; undefined on the side that does not have the folder. */
  readonly first: Uint8Array | undefined;
  readonly second: Uint8Array | undefined;
  readonly path: Uint8Array;
  /** Entries of each that were gone through. */
  readonly firstAt: number;
  readonly secondAt: number;
  readonly state: FrameState;
}

/** What the walk tells. Nodes have all their fields. */
export interface DiffVisitor {
  /** A place that both have, unless the two are the same to the last byte. */
  both(path: Buffer, first: Node, second: Node): void;
  /** A place that one side has; says how to go on with what is below, undefined not to. */
  one(path: Buffer, node: Node, side: Side, state: FrameState): FrameState | undefined;
  /** Whether to stop here for now. */
  isEnough(): boolean;
}

interface OpenFolder {
  readonly first: Uint8Array | undefined;
  readonly second: Uint8Array | undefined;
  readonly path: Buffer;
  readonly state: FrameState;
  firstAt: number;
  secondAt: number;
  left: NodeStream | undefined;
  right: NodeStream | undefined;
}

export interface WalkedOn {
  /** Empty at the end. */
  readonly frames: readonly DiffFrame[];
  readonly problems: readonly FolderProblem[];
  readonly folders: number;
}

const stateName = 'diff';
/** Of a pair, which is mostly the same; what differs is read again with all fields. */
const fewFields = fieldSet([]);

export function walkOn(frames: readonly DiffFrame[], context: WorkerContext, visitor: DiffVisitor): WalkedOn {
  const kept = (context.state.get(stateName) as OpenFolder[] | undefined) ?? [];
  const open = frames.map(({ path, ...frame }, depth): OpenFolder => {
    const { left, right } = kept[depth] ?? {};
    return { ...frame, path: Buffer.from(path), left, right };
  });
  const problems: FolderProblem[] = [];
  let folders = 0;
  while (open.length > 0 && !visitor.isEnough()) {
    context.control.checkpoint();
    const folder = open[open.length - 1];
    try {
      const below = step(folder, context, visitor);
      if (below === 'end') open.pop();
      else if (below.length > 0) {
        folders += below.length;
        context.progress.add('dirs', below.length);
        context.progress.path = below[0].path;
        open.push(...below.reverse());
      }
    } catch (error) {
      if (!isTreeDamage(error, context)) throw error;
      problems.push({ path: new Uint8Array(folder.path), error: error.toJSON() });
      open.pop();
    }
  }
  context.state.set(stateName, open);
  return { frames: open.map(frameOf), problems, folders };
}

const frameOf = ({ first, second, path, firstAt, secondAt, state }: OpenFolder): DiffFrame => ({
  first,
  second,
  path: new Uint8Array(path),
  firstAt,
  secondAt,
  state,
});

const opened = (
  path: Buffer,
  first: Uint8Array | null | undefined,
  second: Uint8Array | null | undefined,
  state: FrameState,
): OpenFolder => ({
  first: first ? new Uint8Array(first) : undefined,
  second: second ? new Uint8Array(second) : undefined,
  path,
  state,
  firstAt: 0,
  secondAt: 0,
  left: undefined,
  right: undefined,
});

/** Goes through one place of the folder; gives the folders to go into, or `end`. */
function step(folder: OpenFolder, context: WorkerContext, visitor: DiffVisitor): OpenFolder[] | 'end' {
  const { first, second, state } = folder;
  const fields = first && second ? fewFields : undefined;
  if (folder.path.length > longestPath) tooDeep(first ?? second!);
  if (first) folder.left = streamAt(folder.left, context, first, folder.firstAt, fields);
  if (second) folder.right = streamAt(folder.right, context, second, folder.secondAt, fields);
  const [a, b] = [folder.left?.peek(), folder.right?.peek()];
  if (!a && !b) return 'end';
  const order = a && b ? a.name.compare(b.name) : a ? -1 : 1;
  if (order <= 0) {
    folder.left!.take();
    folder.firstAt += 1;
  }
  if (order >= 0) {
    folder.right!.take();
    folder.secondAt += 1;
  }
  const path = joinPath(folder.path, (order <= 0 ? a : b)!.name);
  if (order === 0) return both(path, a!, b!, state, visitor);
  const node = (order < 0 ? a : b)!;
  const below = visitor.one(path, fields ? parseNode(node.raw!) : node, order < 0 ? 1 : 2, state);
  if (!node.subtree || !below) return [];
  return [opened(path, order < 0 ? node.subtree : null, order > 0 ? node.subtree : null, below)];
}

function both(path: Buffer, a: Node, b: Node, state: FrameState, visitor: DiffVisitor): OpenFolder[] {
  if (Buffer.compare(a.raw!, b.raw!) === 0) return [];
  visitor.both(path, parseNode(a.raw!), parseNode(b.raw!));
  if (a.subtree && b.subtree) return a.subtree.equals(b.subtree) ? [] : [opened(path, a.subtree, b.subtree, state)];
  // A folder became something else, or the other way round.
  const was = a.subtree ? [opened(path, a.subtree, null, state)] : [];
  return b.subtree ? [...was, opened(path, null, b.subtree, state)] : was;
}
