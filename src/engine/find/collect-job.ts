/** Job: the next hits in one snapshot, in the order of paths. Goes only where the marks say that there is something. */
import { joinList } from '../../platform/byte-list.ts';
import { baseName, joinPath } from '../../platform/byte-paths.ts';
import type { BlobType } from '../../repository/blob-index.ts';
import type { Node } from '../../repository/tree/node.ts';
import { parseNode } from '../../repository/tree/parse.ts';
import { nameText } from '../backup/name-text.ts';
import { type EntryBatch, EntryBatchBuilder } from '../entry.ts';
import { type FolderProblem, isTreeDamage, longestPath, tooDeep } from '../trees/folder-problem.ts';
import { type NodeStream, streamAt } from '../trees/node-stream.ts';
import type { WorkerContext } from '../workers/context.ts';
import type { Level } from './levels.ts';
import { mark, type SearchMemory, SearchMarks } from './marks.ts';
import { type Query, type Search, searchFor, wantedBlobs } from './query.ts';

/** A folder that is being gone through. */
export interface FindFrame {
  readonly tree: Uint8Array;
  readonly path: Uint8Array;
  /** Entries that were gone through. */
  readonly at: number;
}

export interface CollectArgs {
  readonly query: Query;
  readonly memory: SearchMemory;
  /** From the root down. */
  readonly frames: readonly FindFrame[];
  readonly atMost: number;
}

/** A place where a blob is needed. */
export interface FoundBlob {
  readonly type: BlobType;
  /** 64 hex digits. */
  readonly blob: string;
  /** The tree that lists the place; 64 hex digits. Undefined for the root of a snapshot. */
  readonly parent: string | undefined;
}

export interface Collected {
  /** Empty at the end. */
  readonly frames: readonly FindFrame[];
  /** Empty when blobs were looked for. */
  readonly entries: EntryBatch;
  readonly blobs: readonly FoundBlob[];
  /** Of the blobs, as a joined list. */
  readonly paths: Uint8Array;
  readonly problems: readonly FolderProblem[];
  readonly folders: number;
}

interface OpenFolder {
  readonly tree: Uint8Array;
  readonly path: Buffer;
  readonly level: Level;
  at: number;
  nodes: NodeStream | undefined;
}

const stateName = 'find';
const mostPlaces = 100_000;

export function collectHits({ query, memory, frames, atMost }: CollectArgs, context: WorkerContext): Collected {
  const search = searchFor(query, context);
  const collection = new Collection(query, search, new SearchMarks(memory), context);
  const { open, problems } = collection;
  const kept = (context.state.get(stateName) as OpenFolder[] | undefined) ?? [];
  for (const [depth, { tree, path: bytes, at }] of frames.entries()) {
    const path = Buffer.from(bytes);
    const above = open.at(-1)?.level;
    const level = above ? above.enter(nameText(baseName(path))) : search.levels.root;
    open.push({ tree, path, level: level!, at, nodes: kept[depth]?.nodes });
  }
  while (open.length > 0 && collection.found < atMost && collection.places < mostPlaces) {
    context.control.checkpoint();
    const folder = open[open.length - 1];
    try {
      if (!collection.step(folder)) open.pop();
    } catch (error) {
      if (!isTreeDamage(error, context)) throw error;
      problems.push({ path: new Uint8Array(folder.path), error: error.toJSON() });
      open.pop();
    }
  }
  context.state.set(stateName, open);
  return collection.result();
}

class Collection {
  readonly open: OpenFolder[] = [];
  readonly problems: FolderProblem[] = [];
  places = 0;
  readonly #query: Query;
  readonly #search: Search;
  readonly #marks: SearchMarks;
  readonly #context: WorkerContext;
  readonly #entries = new EntryBatchBuilder();
  readonly #blobs: FoundBlob[] = [];
  readonly #paths: Buffer[] = [];
  #folders = 0;

  constructor(query: Query, search: Search, marks: SearchMarks, context: WorkerContext) {
    this.#query = query;
    this.#search = search;
    this.#marks = marks;
    this.#context = context;
  }

  get found(): number {
    return this.#entries.length + this.#blobs.length;
  }

  result(): Collected {
    return {
      frames: this.open.map(({ tree, path, at }) => ({ tree, path: new Uint8Array(path), at })),
      entries: this.#entries.take(),
      blobs: this.#blobs,
      paths: joinList(this.#paths),
      problems: this.problems,
      folders: this.#folders,
    };
  }

  /** Looks at one entry of the folder; false at its end. */
  step(folder: OpenFolder): boolean {
    const { tree, level } = folder;
    if (folder.path.length > longestPath) tooDeep(tree);
    folder.nodes = streamAt(folder.nodes, this.#context, tree, folder.at, this.#search.fields);
    const node = folder.nodes.peek();
    if (!node) return false;
    folder.nodes.take();
    folder.at += 1;
    this.places += 1;
    if (this.#search.hits(level, node)) this.#hit(folder, node);
    const below = node.subtree ? this.#search.enter(level, node) : undefined;
    if (below && this.#holds(node.subtree!, below)) {
      const path = joinPath(folder.path, node.name);
      this.#folders += 1;
      this.#context.progress.path = path;
      this.open.push({ tree: new Uint8Array(node.subtree!), path, level: below, at: 0, nodes: undefined });
    }
    return true;
  }

  #hit({ tree, path }: OpenFolder, node: Node): void {
    const query = this.#query;
    const place = joinPath(path, node.name);
    if (query.kind === 'entries') {
      this.#entries.add(place, parseNode(node.raw!));
      return;
    }
    const told = new Set<string>();
    for (const { type, id } of wantedBlobs(query, node, this.#context)) {
      const blob = id.toString('hex');
      if (told.has(blob)) continue;
      told.add(blob);
      this.#blobs.push({ type, blob, parent: Buffer.from(tree).toString('hex') });
      this.#paths.push(place);
    }
  }

  #holds(tree: Uint8Array, level: Level): boolean {
    const record = this.#context.index.entryOf(tree, 0, 'tree');
    const place = record < 0 ? -1 : this.#marks.placeOf(record, level);
    // What was not looked into lies in a folder that could not be read then, and can now.
    return place < 0 || (this.#marks.get(place) & (mark.seen | mark.holds)) !== mark.seen;
  }
}
