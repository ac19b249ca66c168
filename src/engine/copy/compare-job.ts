/**
 * Job: tells whether a snapshot of the target is a copy of one of the source that was cut anew, and learns from it how contents and
 * trees look there, so that the next copy cuts only what is new.
 */
import { type BlobIndex, emptyLocation } from '../../repository/blob-index.ts';
import { sealOverhead } from '../../repository/crypto.ts';
import { idBytes } from '../../repository/ids.ts';
import { contentText } from '../../repository/tree/format.ts';
import type { Node } from '../../repository/tree/node.ts';
import { TreeReader } from '../../repository/tree/parse.ts';
import { identifyingFields } from '../../repository/tree/read-node.ts';
import { replaceField } from '../../repository/tree/replace-field.ts';
import { isDamage } from '../trees/damage-codes.ts';
import type { WorkerContext } from '../workers/context.ts';
import { ContentMap } from './content-map.ts';
import { isOnePiece } from './mark-job.ts';
import { loadAnyText, type TreeTables } from './recut-job.ts';

export interface CompareArgs {
  readonly tables: TreeTables;
  /** Record of the tree in the source. */
  readonly source: number;
  /** ID of the tree in the target. */
  readonly target: Uint8Array;
}

/**
 * True when every node of one is the node of the other but for where its content is cut. What cannot be read, here or there, is no
 * copy. (What the target lacks is another matter: it is still one, but nothing is learned from its trees.)
 */
export function compareTrees({ tables, source, target }: CompareArgs, context: WorkerContext): boolean {
  try {
    return new Comparison(tables, context).run(source, target);
  } catch (error) {
    if (!isDamage(error)) throw error;
    return false;
  }
}

class Comparison {
  readonly #tables: TreeTables;
  readonly #context: WorkerContext;
  readonly #source: WorkerContext;
  readonly #contents: ContentMap;
  /** Records of the target's trees by those of the source's: found to be the same if all of them are. */
  readonly #pairs = new Map<number, number>();
  readonly #stack: number[] = [];
  #isWhole = true;

  constructor(tables: TreeTables, context: WorkerContext) {
    this.#tables = tables;
    this.#context = context;
    this.#source = context.source!;
    this.#contents = ContentMap.attach(tables.contents);
  }

  run(root: number, target: Uint8Array): boolean {
    if (!this.#pair(root, target)) return false;
    for (let tree = this.#stack.pop(); tree !== undefined; tree = this.#stack.pop()) {
      this.#context.control.checkpoint();
      this.#context.progress.add('dirs', 1);
      if (!this.#isSameTree(tree, this.#pairs.get(tree)!)) return false;
    }
    if (this.#isWhole) for (const [tree, other] of this.#pairs) this.#tables.made[tree] = other + 1;
    return true;
  }

  /** Notes that two trees have to be the same. False when it is known that they are not, or one is missing. */
  #pair(tree: number, id: Uint8Array): boolean {
    const { index } = this.#context;
    const other = index.entryOf(id, 0, 'tree');
    if (tree < 0 || other < 0 || !index.has(id, 0, 'tree')) return false;
    const { made } = this.#tables;
    const known = made[tree] !== 0 ? made[tree] - 1 : this.#pairs.get(tree);
    if (known !== undefined) return known === other;
    this.#pairs.set(tree, other);
    this.#stack.push(tree);
    return true;
  }

  #isSameTree(tree: number, other: number): boolean {
    const { index } = this.#context;
    const id = index.idAt(other);
    const text = loadAnyText(this.#source, tree, this.#tables.best[tree]);
    const ours = new TreeReader(text, this.#source.index.idAt(tree).toString('hex'), identifyingFields);
    const theirs = new TreeReader(Buffer.from(this.#context.loadBlob('tree', id)), id.toString('hex'), identifyingFields);
    for (;;) {
      const [a, b] = [ours.next(), theirs.next()];
      if (!a || !b) return !a && !b;
      if (!this.#isSameNode(a, b)) return false;
    }
  }

  #isSameNode(a: Node, b: Node): boolean {
    if (a.content && b.content) {
      const expected = a.content.equals(b.content) ? a.raw! : replaceField(a.raw!, 'content', contentText(b.content));
      return Buffer.compare(expected, b.raw!) === 0 && this.#isSameContent(a.content, b.content);
    }
    if (a.subtree && b.subtree) {
      const expected = a.subtree.equals(b.subtree) ? a.raw! : replaceField(a.raw!, 'subtree', `"${b.subtree.toString('hex')}"`);
      return Buffer.compare(expected, b.raw!) === 0 && this.#pair(this.#source.index.entryOf(a.subtree, 0, 'tree'), b.subtree);
    }
    return Buffer.compare(a.raw!, b.raw!) === 0;
  }

  #isSameContent(a: Buffer, b: Buffer): boolean {
    const { index } = this.#context;
    for (let at = 0; at < b.length; at += idBytes) if (!index.has(b, at, 'data')) this.#isWhole = false;
    if (isOnePiece(a, this.#source)) return a.equals(b);
    const length = plainLength(b, index);
    // Of what is not all there nothing can be said, and nothing learned.
    if (length === undefined) return true;
    if (length !== plainLength(a, this.#source.index)) return false;
    this.#contents.set(a, b);
    return true;
  }
}

/** Bytes of a content; undefined when the index does not know all of its blobs. */
function plainLength(content: Buffer, index: BlobIndex): number | undefined {
  const location = emptyLocation();
  let length = 0;
  for (let at = 0; at < content.length; at += idBytes) {
    if (!index.locate(content, at, 'data', location)) return undefined;
    length += location.uncompressedLength || location.length - sealOverhead;
  }
  return length;
}
