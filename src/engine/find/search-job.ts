/**
 * Job: looks into trees that were not looked into before, in no order, and marks those that hold something.
 *
 * What a tree holds for a search depends on the tree and on what is left of the patterns there (the level), and on nothing else: so each
 * pair of both is looked into once, however many snapshots share the tree.
 */
import type { WorkerContext } from '../workers/context.ts';
import type { Node } from '../../repository/tree/node.ts';
import { isTreeDamage } from '../trees/folder-problem.ts';
import { NodeStream } from '../trees/node-stream.ts';
import { isEnough, PairStack } from '../trees/share-out.ts';
import type { Level } from './levels.ts';
import { mark, type SearchMemory, SearchMarks } from './marks.ts';
import { type Query, type Search, searchFor } from './query.ts';

export interface SearchArgs {
  readonly query: Query;
  readonly memory: SearchMemory;
  /** Pairs of a record and the ID of a level, both claimed. */
  readonly pairs: Uint32Array;
}

export interface Searched {
  readonly rest: Uint32Array;
  /** Pairs of places of marks: a tree, and one in it of which it was not yet known whether it holds anything. */
  readonly edges: Uint32Array;
}

export function searchTrees({ query, memory, pairs }: SearchArgs, context: WorkerContext): Searched {
  const search = searchFor(query, context);
  const marks = new SearchMarks(memory);
  const stack = new PairStack();
  stack.fill(pairs);
  const edges = new PairStack();
  for (let read = 0; stack.length > 0; read++) {
    if (isEnough(read, stack.length, context)) break;
    context.control.checkpoint();
    context.progress.add('dirs', 1);
    stack.pop();
    const [record, level] = [stack.first, search.levels.at(stack.second)];
    const place = marks.placeOf(record, level);
    try {
      const nodes = new NodeStream(context, context.index.idAt(record), 0, search.fields);
      for (let node = nodes.peek(); node; nodes.take(), node = nodes.peek()) {
        context.progress.add('files', 1);
        if (search.hits(level, node)) marks.set(place, mark.holds);
        look(node, level, place, { search, marks, stack, edges }, context);
      }
    } catch (error) {
      if (!isTreeDamage(error, context)) throw error;
      // Collecting hits goes there and says where it is.
      marks.set(place, mark.holds);
    }
  }
  return { rest: stack.rest(), edges: edges.rest() };
}

interface Work {
  readonly search: Search;
  readonly marks: SearchMarks;
  readonly stack: PairStack;
  readonly edges: PairStack;
}

/** Sees to what is below a node. */
function look(node: Node, level: Level, place: number, { search, marks, stack, edges }: Work, { index }: WorkerContext): void {
  const { subtree } = node;
  const below = subtree ? search.enter(level, node) : undefined;
  if (!subtree || !below) return;
  const record = index.entryOf(subtree, 0, 'tree');
  const there = record < 0 ? -1 : marks.placeOf(record, below);
  if (there < 0) {
    marks.set(place, mark.holds);
    return;
  }
  const before = marks.set(there, mark.seen);
  if ((before & mark.seen) === 0) stack.push(record, below.id);
  if ((before & mark.holds) !== 0) marks.set(place, mark.holds);
  else edges.push(place, there);
}
