/**
 * Job of `repair snapshots`: makes of trees that lack something trees that lack nothing, by leaving out what is gone.
 *
 * - A file keeps the pieces that are there, and its size becomes their sum.
 * - A folder whose listing is gone becomes an empty one; if its ID says that it was empty, it is the same one.
 * - Everything else stays byte for byte, so trees that lack nothing keep their IDs.
 *
 * Each tree is looked at once, whatever refers to it, after those below it.
 */
import { hasCode } from '../../contract/errors.ts';
import { joinPath } from '../../platform/byte-paths.ts';
import { emptyLocation } from '../../repository/blob-index.ts';
import { sealOverhead } from '../../repository/crypto.ts';
import { bytesOfId, idBytes, sha256 } from '../../repository/ids.ts';
import { formatTree } from '../../repository/tree/format.ts';
import type { Node } from '../../repository/tree/node.ts';
import { patchNode } from '../../repository/tree/patch-node.ts';
import { isDamage } from '../trees/damage-codes.ts';
import type { WorkerContext } from '../workers/context.ts';
import { type LenientTree, readTreeLeniently } from './lenient-tree.ts';

export interface RewriteTrees {
  /** IDs of the snapshots' trees, 32 bytes each. */
  readonly roots: readonly Uint8Array[];
  /** For each record that lookups give: the record to read its blob from, and whether the blob is there at all. */
  readonly best: Uint32Array;
  readonly available: Uint8Array;
  /** For each record one of {@link treeState}; on shared memory, all 0 before the first call. A later call knows what an earlier one found out. */
  readonly states: Uint8Array;
  /** Whether new trees are stored, or only named. */
  readonly store: boolean;
  /** What an earlier call gave back under that name, to be stored. */
  readonly emptyListings: readonly Uint8Array[];
}

export const treeState = { unknown: 0, same: 1, changed: 2, unreadable: 3 } as const;

export interface Loss {
  /**
   * - `content`: pieces of a file are gone.
   * - `size`: a file's size was not that of its content; nothing is gone.
   * - `folder`: the listing of a folder is gone.
   * - `entry`: an entry makes no sense, and is left out or mended.
   */
  readonly kind: 'content' | 'size' | 'folder' | 'entry';
  /** Absolute, within the snapshot. */
  readonly path: Uint8Array;
  readonly detail: string;
}

export interface RewrittenTree {
  /** ID, 32 bytes; undefined when not even the root can be read. */
  readonly tree: Uint8Array | undefined;
  readonly losses: readonly Loss[];
  /** There are more than those that are listed. */
  readonly more: boolean;
}

/** Losses that are listed one by one: of one snapshot, and of all. */
const listedOfEach = 500;
const listedOfAll = 20_000;
/** In bytes; twice what Linux takes. */
const longestPath = 8192;

export interface RewrittenTrees {
  /** One for each root. */
  readonly trees: readonly RewrittenTree[];
  /** IDs of listings that are gone, and of which the IDs alone tell that nothing stood in them. */
  readonly emptyListings: readonly Uint8Array[];
}

export function repairTrees(args: RewriteTrees, context: WorkerContext): RewrittenTrees {
  const rewriter = new TreeRewriter(args, context);
  for (const id of args.emptyListings) rewriter.storeEmpty(id);
  const trees = args.roots.map((root) => {
    const tree = rewriter.rewrite(root);
    return { tree, ...(tree && Buffer.compare(tree, root) === 0 ? { losses: [], more: false } : rewriter.lossesBelow(root)) };
  });
  return { trees, emptyListings: rewriter.emptyListings };
}

/** What restic puts in the place of a listing that is gone. */
const emptyTree = Buffer.from('{"nodes":null}\n');
const emptyTreeId = sha256(emptyTree);
/** The ways to write that nothing is in a folder; the other one is that of every backup. */
const emptyTrees = new Map([emptyTree, formatTree([])].map((text) => [sha256(text).toString('hex'), text]));

/** In the place of a record: there is none, or a listing of nothing that is stored again. */
const missing = -1;
const empty = -2;

/** A tree whose subtrees are being rewritten. */
interface Open {
  readonly record: number;
  /** Records of its subtrees. */
  readonly below: Uint32Array;
  next: number;
  /** Whether it lacks something itself. */
  readonly isFaulty: boolean;
}

class TreeRewriter {
  readonly #args: RewriteTrees;
  readonly #context: WorkerContext;
  readonly #location = emptyLocation();
  /** IDs of the new trees by the records of the old. */
  readonly #newIds = new Map<number, Buffer>();
  /** New trees that are stored, as hexadecimal digits. */
  readonly #stored = new Set<string>();
  readonly #emptyListings = new Set<string>();
  #listed = 0;

  constructor(args: RewriteTrees, context: WorkerContext) {
    this.#args = args;
    this.#context = context;
  }

  get emptyListings(): Uint8Array[] {
    return [...this.#emptyListings].map((key) => new Uint8Array(bytesOfId(key)));
  }

  storeEmpty(id: Uint8Array): void {
    this.#store(Buffer.from(id), emptyTrees.get(Buffer.from(id).toString('hex'))!);
  }

  /** The ID that a tree has afterwards; undefined when it cannot be read. */
  rewrite(id: Uint8Array): Uint8Array | undefined {
    const { states } = this.#args;
    const root = this.#recordOf(id);
    if (root === empty) return new Uint8Array(id);
    if (root === missing) return undefined;
    this.#finishBelow(root);
    if (states[root] === treeState.unreadable) return undefined;
    return new Uint8Array(this.#newIds.get(root) ?? id);
  }

  /**
   * The record of a tree, or that there is none. A listing that is gone and of which it is known that nothing stood in it is not
   * missed: it is stored again.
   */
  #recordOf(id: Uint8Array): number {
    const record = this.#context.index.entryOf(id, 0, 'tree');
    const key = Buffer.from(id).toString('hex');
    if (!emptyTrees.has(key)) return record < 0 ? missing : record;
    if (!this.#emptyListings.has(key)) {
      if (record >= 0 && this.#load(record)) return record;
      this.#emptyListings.add(key);
    }
    return empty;
  }

  #finishBelow(root: number): void {
    const stack: Open[] = [];
    this.#begin(root, stack);
    for (let tree = stack.at(-1); tree; tree = stack.at(-1)) {
      this.#context.control.checkpoint();
      if (tree.next < tree.below.length) {
        this.#begin(tree.below[tree.next++], stack);
        continue;
      }
      stack.pop();
      this.#finish(tree);
    }
  }

  #begin(record: number, stack: Open[]): void {
    const { states } = this.#args;
    if (states[record] === treeState.same || states[record] === treeState.unreadable || this.#newIds.has(record)) return;
    const tree = this.#load(record);
    this.#context.progress.add('dirs', 1);
    if (!tree) {
      states[record] = treeState.unreadable;
      return;
    }
    const below: number[] = [];
    let isFaulty = tree.faults.length > 0;
    for (const node of tree.nodes) {
      if (node.type === 'dir' && node.subtree) {
        const child = this.#recordOf(node.subtree);
        if (child >= 0) below.push(child);
        else if (child === missing) isFaulty = true;
      }
      isFaulty ||= this.#faultOf(node) !== undefined;
    }
    stack.push({ record, below: Uint32Array.from(below), next: 0, isFaulty });
  }

  #finish({ record, below, isFaulty }: Open): void {
    const { states, store } = this.#args;
    const isChanged = isFaulty || below.some((child) => states[child] !== treeState.same);
    states[record] = isChanged ? treeState.changed : treeState.same;
    if (!isChanged) return;
    const text = this.#newTree(record);
    const id = sha256(text);
    this.#newIds.set(record, id);
    if (store) this.#store(id, text);
  }

  #newTree(record: number): Buffer {
    const raws: Uint8Array[] = [];
    // It was read a moment ago.
    for (const node of this.#load(record)?.nodes ?? []) {
      if (node.type === 'dir' && node.subtree) raws.push(this.#newFolder(node, node.subtree));
      else {
        const fault = this.#faultOf(node);
        if (!fault) raws.push(node.raw!);
        else if (fault.patched) raws.push(fault.patched);
      }
    }
    return formatTree(raws);
  }

  #newFolder(node: Node, subtree: Buffer): Uint8Array {
    const child = this.#recordOf(subtree);
    if (child === empty || (child >= 0 && this.#args.states[child] === treeState.same)) return node.raw!;
    const id = child < 0 ? undefined : this.#newIds.get(child);
    if (!id && this.#args.store) this.#store(emptyTreeId, emptyTree);
    return patchNode(node.raw!, { subtree: id ?? emptyTreeId });
  }

  /** What is wrong with an entry that is no folder, and the JSON to be put in its place; none: it is left out. */
  #faultOf(node: Node): { readonly kind: Loss['kind']; readonly detail: string; readonly patched: Buffer | undefined } | undefined {
    if (node.type === 'irregular')
      return { kind: 'entry', detail: 'it is of no kind that can be restored, and is left out', patched: undefined };
    if (node.type !== 'file' || !node.content) return undefined;
    const { index } = this.#context;
    const { best, available } = this.#args;
    const { content } = node;
    const location = this.#location;
    const left: Buffer[] = [];
    let size = 0;
    for (let at = 0; at < content.length; at += idBytes) {
      const record = index.entryOf(content, at, 'data');
      if (record < 0 || available[record] === 0 || !index.at(best[record], location)) continue;
      left.push(content.subarray(at, at + idBytes));
      size += location.uncompressedLength || location.length - sealOverhead;
    }
    const pieces = content.length / idBytes;
    const gone = pieces - left.length;
    if (gone === 0 && size === node.size) return undefined;
    const patched = patchNode(node.raw!, gone === 0 ? { size } : { size, content: Buffer.concat(left) });
    return gone === 0
      ? { kind: 'size', detail: `its size is said to be ${node.size} bytes, and is ${size}`, patched }
      : { kind: 'content', detail: `${gone} of its ${pieces} pieces are gone; ${size} of ${node.size} bytes are left`, patched };
  }

  /** Undefined when it is damaged or missing. What the storage cannot read just now is no reason to give a folder up: then it throws. */
  #load(record: number): LenientTree | undefined {
    const context = this.#context;
    try {
      const id = context.index.idAt(record);
      // The nodes are views of the text.
      return readTreeLeniently(Buffer.from(context.loadBlob('tree', id)), emptyTreeId);
    } catch (error) {
      if (!isDamage(error) || hasCode(error, 'storage-failed')) throw error;
      return undefined;
    }
  }

  /** Stores a tree, unless it is stored already and can be read. */
  #store(id: Buffer, text: Buffer): void {
    const key = id.toString('hex');
    if (this.#stored.has(key)) return;
    this.#stored.add(key);
    const record = this.#context.index.entryOf(id, 0, 'tree');
    if (record >= 0 && this.#load(record)) return;
    this.#context.tree.add(id, text);
  }

  /** Names what is lost below a tree that is changed or cannot be read. Goes only into folders that lost something. */
  lossesBelow(root: Uint8Array): { losses: Loss[]; more: boolean } {
    const { control } = this.#context;
    const { states } = this.#args;
    const losses: Loss[] = [];
    let more = false;
    const add = (kind: Loss['kind'], path: Buffer, detail: string): void => {
      if (losses.length >= listedOfEach || this.#listed >= listedOfAll) more = true;
      else {
        losses.push({ kind, path: new Uint8Array(path), detail });
        this.#listed += 1;
      }
    };
    const stack: { readonly id: Uint8Array; readonly path: Buffer }[] = [{ id: root, path: Buffer.from('/') }];
    for (let folder = stack.pop(); folder && !more; folder = stack.pop()) {
      control.checkpoint();
      const { path } = folder;
      const record = this.#recordOf(folder.id);
      if (record === empty) continue;
      if (record < 0 || states[record] === treeState.unreadable) {
        add('folder', path, record < 0 ? 'no index names its listing' : 'its listing cannot be read');
        continue;
      }
      const tree = this.#load(record)!;
      for (const { name, reason } of tree.faults) add('entry', name ? joinPath(path, name) : path, reason);
      const below: { id: Uint8Array; path: Buffer }[] = [];
      for (const node of tree.nodes) {
        const place = joinPath(path, node.name);
        const fault = this.#faultOf(node);
        if (fault) add(fault.kind, place, fault.detail);
        if (node.type !== 'dir' || !node.subtree) continue;
        const child = this.#recordOf(node.subtree);
        if (child === empty || (child >= 0 && states[child] === treeState.same)) continue;
        if (place.length > longestPath) more = true;
        else below.push({ id: new Uint8Array(node.subtree), path: place });
      }
      for (const each of below.reverse()) stack.push(each);
    }
    return { losses, more };
  }
}
