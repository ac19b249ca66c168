/**
 * Job: how many entries there are below trees and how large they are, when every reference to a tree counts.
 *
 * Each tree is read once and its totals are kept in shared memory, 25 bytes for each record of the index. All threads begin with the same
 * trees, but go through what is in each in another order, so that they seldom do the same work and need not wait for one another.
 */
import type { WorkerContext } from '../workers/context.ts';
import type { Node } from '../../repository/tree/node.ts';
import { fieldSet } from '../../repository/tree/read-node.ts';
import { noteMissing, readOrNote, type TreeDamage } from '../trees/damaged-trees.ts';
import { NodeStream } from '../trees/node-stream.ts';

export interface TotalsMemory {
  /** For each record of a tree: bits of {@link known}. */
  readonly states: Uint8Array;
  /** Files, folders and everything else. A number is below 2^53 or no longer exact. */
  readonly entries: Float64Array;
  readonly files: Float64Array;
  /** Bytes of everything but what {@link isLinked}. */
  readonly bytes: Float64Array;
}

export const known = {
  totals: 1,
  /** There is something {@link isLinked} in it or below. */
  links: 2,
} as const;

export const totalsMemory = (records: number): TotalsMemory => ({
  states: new Uint8Array(new SharedArrayBuffer(records)),
  entries: new Float64Array(new SharedArrayBuffer(records * 8)),
  files: new Float64Array(new SharedArrayBuffer(records * 8)),
  bytes: new Float64Array(new SharedArrayBuffer(records * 8)),
});

/**
 * Whether a node may be another name of a file that is counted already: such files count once, by inode and device. A file without
 * an inode always counts. Source: restic 0.18, stats.
 */
export const isLinked = ({ links, type, inode, size }: Node): boolean => size > 0 && links !== 1 && type !== 'dir' && inode !== 0n;

export const countedFields = fieldSet(['size', 'links', 'inode', 'device_id']);

export interface TotalsArgs {
  readonly memory: TotalsMemory;
  /** Records of trees. */
  readonly trees: Uint32Array;
}

/** A tree that is being counted. */
interface Open {
  readonly record: number;
  /** Records of its subtrees, in this thread's order. */
  readonly below: Uint32Array;
  next: number;
  state: number;
  entries: number;
  files: number;
  bytes: number;
}

/** What is missing or damaged counts as empty, and is given back. To be run on every thread with the same trees. */
export function countTotals({ memory, trees }: TotalsArgs, context: WorkerContext): TreeDamage[] {
  const damage: TreeDamage[] = [];
  const { states, entries, files, bytes } = memory;
  const isKnown = (record: number): boolean => (Atomics.load(states, record) & known.totals) !== 0;
  const stack: Open[] = [];
  for (const first of ordered(Uint32Array.from(trees), context)) {
    if (!isKnown(first)) stack.push(open(first, damage, context));
    while (stack.length > 0) {
      const tree = stack[stack.length - 1];
      if (tree.next === tree.below.length) {
        const { record } = tree;
        entries[record] = tree.entries;
        files[record] = tree.files;
        bytes[record] = tree.bytes;
        // Whoever sees the state sees the numbers.
        Atomics.or(states, record, tree.state | known.totals);
        stack.pop();
        continue;
      }
      context.control.checkpoint();
      const record = tree.below[tree.next];
      if (!isKnown(record)) {
        stack.push(open(record, damage, context));
        continue;
      }
      tree.next += 1;
      tree.entries += entries[record];
      tree.files += files[record];
      tree.bytes += bytes[record];
      tree.state |= Atomics.load(states, record) & known.links;
    }
  }
  return damage;
}

function open(record: number, damage: TreeDamage[], context: WorkerContext): Open {
  const { index, progress } = context;
  const tree = { record, next: 0, state: 0, entries: 0, files: 0, bytes: 0 };
  const below: number[] = [];
  progress.add('dirs', 1);
  readOrNote(damage, record, context, () => {
    const nodes = new NodeStream(context, index.idAt(record), 0, countedFields);
    for (let node = nodes.peek(); node; nodes.take(), node = nodes.peek()) {
      tree.entries += 1;
      if (node.type === 'file') tree.files += 1;
      if (isLinked(node)) tree.state |= known.links;
      else tree.bytes += node.size;
      if (!node.subtree) continue;
      const subtree = index.entryOf(node.subtree, 0, 'tree');
      if (subtree < 0) noteMissing(damage, node.subtree);
      else below.push(subtree);
    }
  });
  return { ...tree, below: ordered(Uint32Array.from(below), context) };
}

/** As they are in the first thread, backwards in the second, in no order in the others. */
function ordered(records: Uint32Array, { start: { number } }: WorkerContext): Uint32Array {
  if (number === 1) return records.reverse();
  if (number > 1) {
    for (let i = records.length - 1; i > 0; i--) {
      const other = Math.floor(Math.random() * (i + 1));
      [records[i], records[other]] = [records[other], records[i]];
    }
  }
  return records;
}
