/**
 * Job: rewrites the trees of snapshots without what the exclude patterns match. Depth first: memory holds the texts of the folders
 * on the way to where it is, and what the memo keeps of each folder.
 */
import { type ErrorJSON, fail, hasCode } from '../../contract/errors.ts';
import { joinPath } from '../../platform/byte-paths.ts';
import { sha256 } from '../../repository/ids.ts';
import type { Node, NodeType } from '../../repository/tree/node.ts';
import { TreeRewriter } from '../../repository/tree/rewrite-tree.ts';
import { createExcluder, type ExcludeRules, type FolderExcluder } from '../backup/exclude.ts';
import { isDamage } from '../trees/damage-codes.ts';
import type { WorkerContext } from '../workers/context.ts';
import { placeBelow, type SourcePlace, sourcePlaces } from './source-places.ts';
import { addFigures, noFigures, type TreeFigures, TreeMemo } from './tree-memo.ts';

export interface RewriteTrees {
  readonly rules: ExcludeRules;
  /** Whether new trees are stored; without, only what they would be is found out. */
  readonly store: boolean;
  /** Those that share most come one after the other. */
  readonly roots: readonly {
    /** ID, 32 bytes. */
    readonly tree: Uint8Array;
    /** The snapshot's: its sources. */
    readonly paths: readonly string[];
  }[];
}

/** An entry that was left out. */
export interface LeftOutEntry {
  readonly path: Uint8Array;
  readonly type: NodeType;
  /** Bytes. */
  readonly size: number;
}

export type RewrittenTree =
  | {
      /** The ID that the tree has now. */
      readonly tree: Uint8Array;
      readonly figures: TreeFigures;
      /** Some of what was left out, as far as it was met for the first time. */
      readonly leftOut: readonly LeftOutEntry[];
    }
  | {
      /** Why the tree cannot be rewritten, and the folder where that showed. */
      readonly error: ErrorJSON;
      readonly path: Uint8Array;
    };

/** Of each root. */
const listedEntries = 200;
/** In bytes; twice what Linux takes. A chain of folders that goes deeper is no honest one. */
const longestPath = 8192;
/** Texts of the folders that are open at a time, in bytes; a folder of a million files takes 400 MB. */
const mostOpenText = 1 << 30;

/** A tree that is being rewritten. */
interface OpenTree {
  readonly id: Buffer;
  /** In the index. */
  readonly record: number;
  readonly path: Buffer;
  readonly excluder: FolderExcluder;
  readonly place: SourcePlace | undefined;
  readonly rewriter: TreeRewriter;
  readonly textBytes: number;
  readonly figures: TreeFigures;
}

/** What a worker keeps between jobs. */
interface RewriteState {
  readonly excluder: FolderExcluder;
  readonly memo: TreeMemo;
  /** Numbers of the excluders' keys. */
  readonly levels: Map<string, number>;
}

const stateName = 'rewrite';

/** In the order of the roots. Throws what makes going on senseless; what is wrong with a tree is told with its root. */
export function rewriteTrees({ rules, store, roots }: RewriteTrees, context: WorkerContext): RewrittenTree[] {
  let state = context.state.get(stateName) as RewriteState | undefined;
  if (!state) {
    // Patterns that are absolute paths, as people see them in a listing, begin at the root.
    state = { excluder: createExcluder(rules, Buffer.from('/')).root, memo: new TreeMemo(), levels: new Map() };
    context.state.set(stateName, state);
  }
  return roots.map(({ tree, paths }) => new RootRewriter(context, state, store).run(Buffer.from(tree), paths));
}

class RootRewriter {
  readonly #context: WorkerContext;
  readonly #state: RewriteState;
  readonly #store: boolean;
  readonly #stack: OpenTree[] = [];
  readonly #leftOut: LeftOutEntry[] = [];
  #openText = 0;
  /** The folder that was opened last. */
  #path: Buffer = Buffer.from('/');

  constructor(context: WorkerContext, state: RewriteState, store: boolean) {
    this.#context = context;
    this.#state = state;
    this.#store = store;
  }

  run(root: Buffer, paths: readonly string[]): RewrittenTree {
    try {
      this.#open(root, this.#path, this.#state.excluder, sourcePlaces(paths));
      for (;;) {
        const open = this.#stack[this.#stack.length - 1];
        const node = open.rewriter.next();
        if (node) {
          this.#visit(open, node);
          continue;
        }
        const { figures } = open;
        const tree = this.#close();
        const above = this.#stack[this.#stack.length - 1];
        if (!above) return { tree: new Uint8Array(tree ?? root), figures, leftOut: this.#leftOut };
        this.#take(above, tree, figures);
      }
    } catch (error) {
      if (!isDamage(error) && !hasCode(error, 'tree-unknown-form')) throw error;
      return { error: error.toJSON(), path: new Uint8Array(this.#path) };
    }
  }

  #visit(open: OpenTree, node: Node): void {
    const { excluder, figures, rewriter, path } = open;
    const isDirectory = node.type === 'dir';
    this.#context.control.checkpoint();
    this.#path = path;
    if (excluder.excludes(node.name, isDirectory)) {
      rewriter.leaveOut();
      if (isDirectory) figures.goneFolders += 1;
      else figures.goneFiles += 1;
      if (node.type === 'file') figures.goneBytes += node.size;
      if (this.#leftOut.length < listedEntries)
        this.#leftOut.push({ path: new Uint8Array(joinPath(path, node.name)), type: node.type, size: node.size });
      return;
    }
    figures.entries += 1;
    if (node.type === 'file') {
      figures.files += 1;
      figures.bytes += node.size;
    }
    if (!isDirectory) return;
    figures.folders += 1;
    const found = placeBelow(open.place, node.name);
    const inside = excluder.enter(node.name, found?.isSource);
    // On the way to a source the same tree may become something else than in another place.
    const place = found && found.below.size > 0 ? found : undefined;
    const known = place ? -1 : this.#state.memo.find(this.#recordOf(node.subtree!), this.#levelOf(inside));
    if (known >= 0) {
      this.#take(open, this.#state.memo.tree(known), this.#state.memo.figures(known));
      return;
    }
    this.#open(Buffer.from(node.subtree!), joinPath(path, node.name), inside, place);
  }

  #open(id: Buffer, path: Buffer, excluder: FolderExcluder, place: SourcePlace | undefined): void {
    const { progress } = this.#context;
    this.#path = path;
    progress.add('dirs', 1);
    progress.path = path;
    const tree = id.toString('hex');
    if (path.length > longestPath) fail('tree-invalid', { tree, reason: 'it lies deeper than any path leads' });
    const text = Buffer.from(this.#context.loadBlob('tree', id));
    this.#openText += text.length;
    if (this.#openText > mostOpenText) fail('tree-invalid', { tree, reason: 'it and the folders above it are larger than any folder' });
    this.#stack.push({
      id,
      record: this.#recordOf(id),
      path,
      excluder,
      place,
      rewriter: new TreeRewriter(text, tree),
      textBytes: text.length,
      figures: noFigures(),
    });
  }

  /** Ends the deepest open tree; returns its new ID, undefined when it stays as it is. */
  #close(): Buffer | undefined {
    const { record, excluder, place, rewriter, textBytes, figures, id } = this.#stack.pop()!;
    this.#openText -= textBytes;
    const text = rewriter.finish();
    let tree: Buffer | undefined;
    if (text) {
      tree = sha256(text);
      if (this.#store) this.#context.store('tree', tree, text);
    }
    // A change that leads to the same bytes is none.
    if (tree?.equals(id)) tree = undefined;
    if (!place) this.#state.memo.add(record, this.#levelOf(excluder), figures, tree);
    return tree;
  }

  /** The folder whose node `open` met last has become `tree`. */
  #take(open: OpenTree, tree: Buffer | undefined, figures: Readonly<TreeFigures>): void {
    if (tree) open.rewriter.changeSubtree(tree);
    addFigures(open.figures, figures);
  }

  #recordOf(id: Uint8Array): number {
    return this.#context.index.entryOf(id, 0, 'tree');
  }

  #levelOf({ key }: FolderExcluder): number {
    const { levels } = this.#state;
    let level = levels.get(key);
    if (level === undefined) levels.set(key, (level = levels.size));
    return level;
  }
}
