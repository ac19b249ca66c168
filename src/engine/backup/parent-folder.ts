/** The parent snapshot's listing of a folder, gone through beside the folder itself. */
import type { Node } from '../../repository/tree/node.ts';
import { TreeReader } from '../../repository/tree/parse.ts';
import { identifyingFields } from '../../repository/tree/read-node.ts';

/** Nodes here have only name, type, content, subtree, `raw` and {@link identifyingFields}. */
export class ParentFolder {
  /** ID of the tree. */
  readonly tree: Uint8Array;
  readonly text: Uint8Array;
  readonly #reader: TreeReader;
  #next: Node | undefined;
  /** No node was passed over that was not asked for. */
  allFound = true;

  /** `text` is the tree's JSON, which must not change afterwards. Throws `tree-invalid`, as do the functions. */
  constructor(tree: Uint8Array, text: Uint8Array) {
    this.tree = tree;
    this.text = text;
    this.#reader = this.#read();
    this.#next = this.#reader.next();
  }

  #read(): TreeReader {
    return new TreeReader(this.text, Buffer.from(this.tree).toString('hex'), identifyingFields);
  }

  /** The node of this name. Names are to be asked for in ascending order. */
  find(name: Buffer): Node | undefined {
    for (;;) {
      const node = this.#next;
      if (!node) return undefined;
      const order = node.name.compare(name);
      if (order > 0) return undefined;
      this.#next = this.#reader.next();
      if (order === 0) return node;
      this.allFound = false;
    }
  }

  /** Calls `take` with each node, whatever was found before. */
  forAll(take: (node: Node) => void): void {
    const reader = this.#read();
    for (let node = reader.next(); node; node = reader.next()) take(node);
  }

  /** Whether nodes follow behind the one found last. */
  get hasMore(): boolean {
    return this.#next !== undefined;
  }

  /** Calls `take` with the first `count` nodes. */
  forFirst(count: number, take: (node: Node) => void): void {
    const reader = this.#read();
    for (let i = 0; i < count; i++) take(reader.next()!);
  }
}
