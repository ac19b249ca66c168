/**
 * Job: makes the trees of a snapshot anew, with the contents that were cut anew.
 *
 * A tree can be made once all trees in it are made and all its contents are known. So the job goes down to what is missing, makes
 * what it can, and says which contents have to be cut before it is called again.
 */
import { idBytes, sha256 } from '../../repository/ids.ts';
import { contentText, TreeWriter } from '../../repository/tree/format.ts';
import type { Node } from '../../repository/tree/node.ts';
import { TreeReader } from '../../repository/tree/parse.ts';
import { identifyingFields } from '../../repository/tree/read-node.ts';
import { replaceField } from '../../repository/tree/replace-field.ts';
import { isDamage } from '../trees/damage-codes.ts';
import { loadTreeText } from '../trees/load-tree.ts';
import type { WorkerContext } from '../workers/context.ts';
import { ContentMap, type ContentMapMemory } from './content-map.ts';
import { isOnePiece } from './mark-job.ts';

/** How trees of the source look in the target, by their records there; on shared memory. */
export interface TreeTables {
  /** For each record that lookups give, the record to read its blob from. */
  readonly best: Uint32Array<SharedArrayBuffer>;
  /** For each tree of the source: 1 and the record of the target's tree; 0 while that is not made. */
  readonly made: Uint32Array<SharedArrayBuffer>;
  readonly contents: ContentMapMemory;
}

export interface RewriteArgs {
  readonly tables: TreeTables;
  /** Record of the snapshot's tree in the source. */
  readonly root: number;
}

export interface RewriteResult {
  /** ID of the root in the target; undefined while something is missing, and for ever when some content cannot be read. */
  readonly tree: Uint8Array | undefined;
  /** Contents that have to be cut first; the IDs of each one after the other. Not always all of them, but some if there are any. */
  readonly missing: readonly Uint8Array[];
}

/** So many contents are enough to do for all workers; and so many blobs, since a content may have a hundred thousand. */
const manyContents = 1000;
const manyBlobs = 20_000;

export function recutTrees({ tables, root }: RewriteArgs, context: WorkerContext): RewriteResult {
  return new Rewriting(tables, context).run(root);
}

class Rewriting {
  readonly #tables: TreeTables;
  readonly #context: WorkerContext;
  readonly #source: WorkerContext;
  readonly #contents: ContentMap;
  /** By the source's list, so that each is asked for once. */
  readonly #missing = new Map<string, Uint8Array>();
  #missingBlobs = 0;
  /** Trees that cannot be made yet. */
  readonly #blocked = new Set<number>();

  constructor(tables: TreeTables, context: WorkerContext) {
    this.#tables = tables;
    this.#context = context;
    this.#source = context.source!;
    this.#contents = ContentMap.attach(tables.contents);
  }

  run(root: number): RewriteResult {
    const { made } = this.#tables;
    const stack = [root];
    while (stack.length > 0 && !this.#isEnough) {
      this.#context.control.checkpoint();
      const tree = stack[stack.length - 1];
      if (made[tree] !== 0 || this.#blocked.has(tree)) {
        stack.pop();
        continue;
      }
      const text = loadAnyText(this.#source, tree, this.#tables.best[tree]);
      const below = this.#unmadeBelow(tree, text);
      for (const other of below) stack.push(other);
      if (below.length > 0) continue;
      stack.pop();
      if (this.#blocked.has(tree)) continue;
      this.#context.progress.add('dirs', 1);
      made[tree] = this.#make(tree, text) + 1;
    }
    const tree = made[root] === 0 ? undefined : new Uint8Array(this.#context.index.idAt(made[root] - 1));
    return { tree, missing: [...this.#missing.values()] };
  }

  get #isEnough(): boolean {
    return this.#missing.size >= manyContents || this.#missingBlobs >= manyBlobs;
  }

  /** Records of the trees directly below that could be made first. Notes what is missing; the tree is blocked then. */
  #unmadeBelow(tree: number, text: Buffer): number[] {
    const below = new Set<number>();
    let isBlocked = false;
    for (const node of this.#nodes(tree, text)) {
      if (node.content && !this.#isKnown(node.content)) isBlocked = true;
      if (!node.subtree) continue;
      const record = this.#source.index.entryOf(node.subtree, 0, 'tree');
      if (this.#tables.made[record] !== 0) continue;
      if (this.#blocked.has(record)) isBlocked = true;
      else below.add(record);
    }
    if (isBlocked && below.size === 0) this.#blocked.add(tree);
    return [...below];
  }

  #isKnown(content: Buffer): boolean {
    if (isOnePiece(content, this.#source)) return true;
    const known = this.#contents.get(content);
    if (known !== undefined) return known !== 'unreadable';
    const key = sha256(content).toString('base64');
    if (!this.#missing.has(key)) {
      this.#missing.set(key, new Uint8Array(content));
      this.#missingBlobs += content.length / idBytes;
    }
    return false;
  }

  /** Stores the tree as it is in the target; returns its record there. */
  #make(tree: number, text: Buffer): number {
    const { index } = this.#context;
    const writer = new TreeWriter();
    let isChanged = false;
    for (const node of this.#nodes(tree, text)) {
      const raw = this.#changed(node);
      if (raw) isChanged = true;
      writer.add(raw ?? node.raw!);
    }
    // A tree in which nothing changed stays as it is written, whoever wrote it.
    const stored = isChanged ? writer.finish() : text;
    const id = isChanged ? sha256(stored) : this.#source.index.idAt(tree);
    this.#context.store('tree', id, stored);
    return index.entryOf(id, 0, 'tree');
  }

  /** The node's JSON with what is different in the target; undefined when nothing is. */
  #changed({ raw, content, subtree }: Node): Buffer | undefined {
    if (content && !isOnePiece(content, this.#source)) {
      const ids = this.#contents.get(content) as Buffer;
      return ids.equals(content) ? undefined : replaceField(raw!, 'content', contentText(ids));
    }
    if (!subtree) return undefined;
    const record = this.#source.index.entryOf(subtree, 0, 'tree');
    const id = this.#context.index.idViewAt(this.#tables.made[record] - 1);
    return subtree.equals(id) ? undefined : replaceField(raw!, 'subtree', `"${Buffer.from(id).toString('hex')}"`);
  }

  *#nodes(tree: number, text: Buffer): Generator<Node> {
    const reader = new TreeReader(text, this.#source.index.idAt(tree).toString('hex'), identifyingFields);
    for (let node = reader.next(); node; node = reader.next()) yield node;
  }
}

/** The text of a tree, read from record `best` or, when that is damaged, from anywhere else; a copy. Throws as `loadBlob` does. */
export function loadAnyText(source: WorkerContext, tree: number, best: number): Buffer {
  try {
    return loadTreeText(source, best);
  } catch (error) {
    if (!isDamage(error)) throw error;
    return Buffer.from(source.loadBlob('tree', source.index.idAt(tree)));
  }
}
