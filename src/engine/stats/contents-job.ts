/**
 * Job: files with different contents, each counted once, as restic's `stats --mode files-by-contents` counts them: what is no file counts
 * as one empty file.
 *
 * A file of one blob, as nearly all are, is known by the blob's record: one byte. Others are known by the hash of the list of their blobs,
 * in a table that takes some 50 bytes for each.
 */
import { idBytes, sha256 } from '../../repository/ids.ts';
import { addKey, SharedTable, type SharedTableMemory } from '../../repository/shared-table.ts';
import { fieldSet } from '../../repository/tree/read-node.ts';
import { noteMissing, readOrNote, type TreeDamage } from '../trees/damaged-trees.ts';
import { NodeStream } from '../trees/node-stream.ts';
import { isEnough, PairStack } from '../trees/share-out.ts';
import type { WorkerContext } from '../workers/context.ts';

export interface ContentsMemory {
  /** For each record of the index 1 when it was met: a tree, or a blob that is a file by itself. */
  readonly met: Uint8Array;
  /** The hashes of other contents. */
  readonly others: SharedTableMemory;
}

export const contentsMemory = (records: number): ContentsMemory => ({
  met: new Uint8Array(new SharedArrayBuffer(records)),
  others: SharedTable.create(9).memory,
});

/** Which contents are new. */
export class Contents {
  readonly #met: Uint8Array;
  readonly #others: SharedTable;
  readonly #context: WorkerContext;

  constructor({ met, others }: ContentsMemory, context: WorkerContext) {
    this.#met = met;
    this.#others = SharedTable.attach(others);
    this.#context = context;
  }

  /** Whether nobody has met this tree. */
  isNewTree(record: number): boolean {
    return Atomics.exchange(this.#met, record, 1) === 0;
  }

  /** Whether nobody has met this list of blobs. */
  isNewContent(content: Buffer): boolean {
    const record = content.length === idBytes ? this.#context.index.entryOf(content, 0, 'data') : -1;
    if (record >= 0) return Atomics.exchange(this.#met, record, 1) === 0;
    return addKey(this.#others, sha256(content));
  }
}

export interface ContentsArgs {
  readonly memory: ContentsMemory;
  /** Pairs of a tree's record, met already, and 0. */
  readonly pairs: Uint32Array;
}

export interface CountedContents {
  readonly rest: Uint32Array;
  readonly files: number;
  readonly bytes: number;
  readonly damage: readonly TreeDamage[];
}

const sizeField = fieldSet(['size']);
const noContent = Buffer.alloc(0);

export function countContents({ memory, pairs }: ContentsArgs, context: WorkerContext): CountedContents {
  const { index, control, progress } = context;
  const contents = new Contents(memory, context);
  const stack = new PairStack();
  stack.fill(pairs);
  const damage: TreeDamage[] = [];
  let [files, bytes] = [0, 0];
  for (let read = 0; stack.length > 0; read++) {
    if (isEnough(read, stack.length, context)) break;
    control.checkpoint();
    progress.add('dirs', 1);
    stack.pop();
    const tree = stack.first;
    readOrNote(damage, tree, context, () => {
      const nodes = new NodeStream(context, index.idAt(tree), 0, sizeField);
      for (let node = nodes.peek(); node; nodes.take(), node = nodes.peek()) {
        if (contents.isNewContent(node.content ?? noContent)) {
          files += 1;
          bytes += node.size;
        }
        if (!node.subtree) continue;
        const record = index.entryOf(node.subtree, 0, 'tree');
        if (record < 0) noteMissing(damage, node.subtree);
        else if (contents.isNewTree(record)) stack.push(record, 0);
      }
    });
  }
  return { rest: stack.rest(), files, bytes, damage };
}
