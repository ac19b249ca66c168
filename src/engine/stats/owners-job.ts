/**
 * Job: finds out which snapshots need each blob, as far as that matters: none, one alone, or several; and whether one of those that are
 * looked at is among them.
 *
 * An *owner* is one 32-bit word for each record of the index, in shared memory. A tree is read when its owner changes, so three times at
 * most however many snapshots share it, in no order and on all threads: what comes of it is the same.
 */
import type { WorkerContext } from '../workers/context.ts';
import { fieldSet } from '../../repository/tree/read-node.ts';
import { noteMissing, readOrNote, type TreeDamage } from '../trees/damaged-trees.ts';
import { NodeStream } from '../trees/node-stream.ts';
import { isEnough, PairStack } from '../trees/share-out.ts';

/** The lower bits: 0 for nobody, a snapshot's number plus 1, or several. */
const numberBits = 0x3fffffff;
const several = numberBits;
/** One of the snapshots that are looked at needs it. */
const lookedAt = 0x40000000;

export interface OwnersArgs {
  /** On shared memory. */
  readonly owners: Uint32Array;
  /** Snapshots with smaller numbers are those that are looked at. */
  readonly lookedAt: number;
  /** Pairs of a tree's record and the number of a snapshot that needs it, noted already. */
  readonly pairs: Uint32Array;
}

export interface FoundOwners {
  readonly rest: Uint32Array;
  readonly damage: readonly TreeDamage[];
  /** References to data that no index names. */
  readonly unknownBlobs: number;
}

/** Notes that snapshot `number` needs the blob; true when that changes anything. */
export function addOwner(owners: Uint32Array, record: number, number: number, isLookedAt: boolean): boolean {
  for (let before = Atomics.load(owners, record); ; ) {
    const owner = before & numberBits;
    const now = owner === 0 || owner === number + 1 ? number + 1 : several;
    const after = now | (before & lookedAt) | (isLookedAt ? lookedAt : 0);
    if (after === before) return false;
    const seen = Atomics.compareExchange(owners, record, before, after);
    if (seen === before) return true;
    before = seen;
  }
}

/** The number of the one snapshot that needs the blob; -1 when none or several do. */
export const loneOwner = (owner: number): number => ((owner & numberBits) === several ? -1 : (owner & numberBits) - 1);

export const isOwned = (owner: number): boolean => owner !== 0;

export const isOwnedByLookedAt = (owner: number): boolean => (owner & lookedAt) !== 0;

const noFields = fieldSet([]);

export function findOwners({ owners, lookedAt: count, pairs }: OwnersArgs, context: WorkerContext): FoundOwners {
  const { index, control, progress } = context;
  const stack = new PairStack();
  stack.fill(pairs);
  const damage: TreeDamage[] = [];
  let unknownBlobs = 0;
  const own = (record: number, number: number): boolean => addOwner(owners, record, number, number < count);
  for (let read = 0; stack.length > 0; read++) {
    if (isEnough(read, stack.length, context)) break;
    control.checkpoint();
    progress.add('dirs', 1);
    stack.pop();
    const [tree, number] = [stack.first, stack.second];
    readOrNote(damage, tree, context, () => {
      const nodes = new NodeStream(context, index.idAt(tree), 0, noFields);
      for (let node = nodes.peek(); node; nodes.take(), node = nodes.peek()) {
        const { content, subtree } = node;
        for (let at = 0; content && at < content.length; at += 32) {
          const record = index.entryOf(content, at, 'data');
          if (record < 0) unknownBlobs += 1;
          else own(record, number);
        }
        if (!subtree) continue;
        const record = index.entryOf(subtree, 0, 'tree');
        if (record < 0) noteMissing(damage, subtree);
        else if (own(record, number)) stack.push(record, number);
      }
    });
  }
  return { rest: stack.rest(), damage, unknownBlobs };
}
