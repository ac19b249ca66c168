/**
 * Job: what takes the room in one folder of a snapshot: by its folders, and by the extensions of names. Every file counts once, at the
 * first of its names in the order of paths, so that the parts add up to what a restore of the folder takes.
 */
import { joinPath } from '../../platform/byte-paths.ts';
import type { Node } from '../../repository/tree/node.ts';
import { nameText } from '../backup/name-text.ts';
import { type FolderProblem, isTreeDamage, longestPath, tooDeep } from '../trees/folder-problem.ts';
import { NodeStream } from '../trees/node-stream.ts';
import type { WorkerContext } from '../workers/context.ts';
import { Largest } from './largest.ts';
import { LinkSet } from './link-set.ts';
import { countedFields, isLinked } from './totals-job.ts';

export interface BreakdownArgs {
  /** ID of the folder's tree. */
  readonly tree: Uint8Array;
  readonly path: Uint8Array;
  /** Folders so many levels below it are told apart, at least 1. */
  readonly depth: number;
  /** So many of the largest are given. */
  readonly top: number;
}

export interface FolderShare {
  readonly path: Uint8Array;
  /** Whether only what lies in the folder itself is counted here, since folders in it have shares of their own. */
  readonly isItself: boolean;
  readonly files: number;
  readonly bytes: number;
}

export interface TypeShare {
  /** Lower case, with its dot; empty for names without one. */
  readonly extension: string;
  readonly files: number;
  readonly bytes: number;
}

export interface Breakdown {
  readonly files: number;
  readonly bytes: number;
  /** The largest first; `otherFolders` is what is left. */
  readonly folders: readonly FolderShare[];
  readonly otherFolders: Share;
  readonly types: readonly TypeShare[];
  readonly otherTypes: Share;
  readonly problems: readonly FolderProblem[];
}

export interface Share {
  /** Folders or extensions that it stands for. */
  readonly parts: number;
  readonly files: number;
  readonly bytes: number;
}

interface OpenFolder {
  readonly path: Buffer;
  readonly nodes: NodeStream;
  readonly depth: number;
  /** What the files in it are counted for. */
  readonly share: { files: number; bytes: number };
  /** Whether the share ends with this folder. */
  readonly isShare: boolean;
}

/** Different extensions that are told apart; names are chosen by others, and might all be different. */
const mostTypes = 10_000;
const longestExtension = 12;

export function breakDown({ tree, path, depth, top }: BreakdownArgs, context: WorkerContext): Breakdown {
  const walk = new Walk(depth, top, context);
  walk.enter(tree, Buffer.from(path), 0, undefined);
  while (walk.step()) context.control.checkpoint();
  return walk.result();
}

class Walk {
  readonly #depth: number;
  readonly #top: number;
  readonly #context: WorkerContext;
  readonly #stack: OpenFolder[] = [];
  readonly #links = new LinkSet();
  readonly #folders: Largest<FolderShare>;
  readonly #types = new Map<string, { extension: string; files: number; bytes: number }>();
  readonly #problems: FolderProblem[] = [];
  readonly #restOfTypes = { parts: 0, files: 0, bytes: 0 };
  readonly #sum = { files: 0, bytes: 0 };

  constructor(depth: number, top: number, context: WorkerContext) {
    this.#depth = depth;
    this.#top = top;
    this.#context = context;
    this.#folders = new Largest(top);
  }

  result(): Breakdown {
    const types = new Largest<TypeShare>(this.#top);
    for (const type of this.#types.values()) types.add(type);
    const { parts, files, bytes } = this.#restOfTypes;
    const rest = types.rest();
    return {
      ...this.#sum,
      folders: this.#folders.list(),
      otherFolders: this.#folders.rest(),
      types: types.list(),
      otherTypes: { parts: rest.parts + parts, files: rest.files + files, bytes: rest.bytes + bytes },
      problems: this.#problems,
    };
  }

  /** `share`: of the folder above, when this one is part of it. */
  enter(tree: Uint8Array, path: Buffer, depth: number, share: OpenFolder['share'] | undefined): void {
    const { progress } = this.#context;
    progress.add('dirs', 1);
    progress.path = path;
    this.#try(path, () => {
      if (path.length > longestPath) tooDeep(tree);
      const nodes = new NodeStream(this.#context, tree, 0, countedFields);
      this.#stack.push({ path, nodes, depth, share: share ?? { files: 0, bytes: 0 }, isShare: share === undefined });
    });
  }

  /** Goes on by one entry; false at the end. */
  step(): boolean {
    const folder = this.#stack.at(-1);
    if (!folder) return false;
    let node: Node | undefined;
    this.#try(folder.path, () => {
      node = folder.nodes.peek();
    });
    if (!node) {
      this.#leave(folder);
      return true;
    }
    folder.nodes.take();
    if (node.type === 'file') this.#count(node, folder);
    if (!node.subtree) return true;
    const depth = folder.depth + 1;
    this.enter(node.subtree, joinPath(folder.path, node.name), depth, depth > this.#depth ? folder.share : undefined);
    return true;
  }

  #try(path: Buffer, read: () => void): void {
    try {
      read();
    } catch (error) {
      if (!isTreeDamage(error, this.#context)) throw error;
      this.#problems.push({ path: new Uint8Array(path), error: error.toJSON() });
    }
  }

  #leave({ path, share: { files, bytes }, isShare, depth }: OpenFolder): void {
    this.#stack.pop();
    const isItself = depth < this.#depth;
    if (isShare && !(isItself && files === 0)) this.#folders.add({ path: new Uint8Array(path), isItself, files, bytes });
  }

  #count(node: Node, { share }: OpenFolder): void {
    const { progress } = this.#context;
    const bytes = isLinked(node) && !this.#links.add(node.inode, node.deviceId) ? 0 : node.size;
    progress.add('files', 1);
    progress.add('bytes', bytes);
    const type = this.#typeOf(extensionOf(nameText(node.name)));
    for (const sum of [share, this.#sum, type]) {
      sum.files += 1;
      sum.bytes += bytes;
    }
  }

  #typeOf(extension: string): { files: number; bytes: number } {
    const known = this.#types.get(extension);
    if (known) return known;
    if (this.#types.size >= mostTypes) {
      // How many there are is not known any more; at least this one.
      this.#restOfTypes.parts = Math.max(1, this.#restOfTypes.parts);
      return this.#restOfTypes;
    }
    const type = { extension, files: 0, bytes: 0 };
    this.#types.set(extension, type);
    return type;
  }
}

/** `.txt` of `Notes.TXT`; empty for `notes`, `.bashrc`, `a.` and for what is too long to be meant as one. */
export function extensionOf(name: string): string {
  const dot = name.lastIndexOf('.');
  const extension = dot <= 0 ? '' : name.slice(dot);
  return extension.length < 2 || extension.length > longestExtension || /\s/.test(extension) ? '' : extension.toLowerCase();
}
