/** A folder's nodes one after the other, from any place on: a folder of a million entries takes little more memory than its text. */
import type { Node } from '../../repository/tree/node.ts';
import type { TreeReader } from '../../repository/tree/parse.ts';
import type { FieldSet } from '../../repository/tree/read-node.ts';
import type { WorkerContext } from '../workers/context.ts';

export class NodeStream {
  readonly tree: Uint8Array;
  readonly fields: FieldSet | undefined;
  readonly #reader: TreeReader;
  #node: Node | undefined;
  #isRead = false;
  #position = 0;

  /** `position`: nodes to pass over. `fields`: see TreeReader. Throws as `WorkerContext.openTree` does, as do the functions. */
  constructor(context: WorkerContext, tree: Uint8Array, position: number, fields?: FieldSet) {
    this.tree = tree;
    this.fields = fields;
    this.#reader = context.openTree(tree, fields);
    while (this.#position < position && this.peek()) this.take();
  }

  /** Nodes that were taken. */
  get position(): number {
    return this.#position;
  }

  /** The next node; undefined at the end. */
  peek(): Node | undefined {
    if (!this.#isRead) {
      this.#node = this.#reader.next();
      this.#isRead = true;
    }
    return this.#node;
  }

  /** Goes on to the one after it. */
  take(): void {
    this.#isRead = false;
    this.#position += 1;
  }
}

/** `kept` when it stands where it should, else a new one. */
export function streamAt(
  kept: NodeStream | undefined,
  context: WorkerContext,
  tree: Uint8Array,
  position: number,
  fields?: FieldSet,
): NodeStream {
  if (kept && kept.position === position && kept.fields === fields && Buffer.compare(kept.tree, tree) === 0) return kept;
  return new NodeStream(context, tree, position, fields);
}
