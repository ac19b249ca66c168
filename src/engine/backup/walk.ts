/**
 * The coordinator's part of a backup's walk: shares tasks out to the workers and puts the folders together whose entries
 * were done by several of them.
 */
import { readdirSync, statSync } from 'node:fs';
import { baseName, joinPath, parentPath } from '../../platform/byte-paths.ts';
import { joinList, splitList } from '../../platform/byte-list.ts';
import type { RunControl } from '../../platform/cancellation.ts';
import type { WorkerPool } from '../workers/pool.ts';
import { noFigures, type OpenFrame, type Problem, type ScanFigures, type ScanResult } from './scan-task.ts';

/** A folder whose tree is not stored yet. */
interface Folder {
  readonly path: Buffer;
  readonly up: Folder | undefined;
  readonly name: Uint8Array;
  /** JSON without subtree. */
  readonly node: string;
  readonly parentTree: Uint8Array | undefined;
  readonly source: Uint8Array | undefined;
  readonly device: bigint | undefined;
  readonly pieces: Uint8Array[];
  /** Tasks and folders below that are not done. */
  pending: number;
}

interface Ready {
  readonly folder: Folder;
  readonly names: Uint8Array;
}

const isRoot = (path: Buffer): boolean => path.length === 1;

/** Names that a task has at least when the rest of a folder is shared out. */
const leastNames = 16;

export interface WalkResult {
  /** ID of the root tree. */
  readonly tree: Uint8Array;
  readonly figures: ScanFigures;
  readonly problems: readonly Problem[];
}

/** Stores the trees of all sources and gives the root tree's ID. `root` is the parent snapshot's root tree. */
export async function walkSources(
  pool: WorkerPool,
  control: RunControl,
  sources: readonly Buffer[],
  root: Uint8Array | undefined,
): Promise<WalkResult> {
  return new Walk(pool, control).run(sources, root);
}

class Walk {
  readonly #pool: WorkerPool;
  readonly #control: RunControl;
  readonly #ready: Ready[] = [];
  readonly #figures = noFigures();
  readonly #problems: Problem[] = [];
  #active = 0;
  #finish!: (tree: Uint8Array) => void;
  #fail!: (error: unknown) => void;

  constructor(pool: WorkerPool, control: RunControl) {
    this.#pool = pool;
    this.#control = control;
  }

  async run(sources: readonly Buffer[], root: Uint8Array | undefined): Promise<WalkResult> {
    const tree = new Promise<Uint8Array>((resolve, reject) => {
      this.#finish = resolve;
      this.#fail = reject;
    });
    // The promise may fail before it is awaited below.
    tree.catch(() => {});
    const folders = await this.#ancestors(sources, root);
    const byFolder = Map.groupBy(sources, (source) => parentPath(source).toString('hex'));
    for (const [key, group] of byFolder) {
      const names = isRoot(group[0]) ? (readdirSync('/', { encoding: 'buffer' }) as Buffer[]).sort(Buffer.compare) : group.map(baseName);
      this.#addNames(folders.get(key)!, joinList(names));
    }
    this.#pump();
    return { tree: await tree, figures: this.#figures, problems: this.#problems };
  }

  /** A folder for each path above a source, from the root down. */
  async #ancestors(sources: readonly Buffer[], root: Uint8Array | undefined): Promise<Map<string, Folder>> {
    const paths = new Map<string, Buffer>();
    for (const source of sources) {
      for (let path = parentPath(source); ; path = parentPath(path)) {
        paths.set(path.toString('hex'), path);
        if (path.length <= 1) break;
      }
    }
    const ordered = [...paths.values()].sort((a, b) => a.length - b.length);
    const plain = ordered.map((path) => new Uint8Array(path));
    const nodes = await this.#pool.run('describeFolders', plain);
    const trees = root ? await this.#pool.run('parentTrees', { root, folders: plain }) : [];
    const folders = new Map<string, Folder>();
    ordered.forEach((path, i) => {
      const up = path.length > 1 ? folders.get(parentPath(path).toString('hex')) : undefined;
      if (up) up.pending += 1;
      const name = new Uint8Array(baseName(path));
      folders.set(path.toString('hex'), {
        path,
        up,
        name,
        node: nodes[i],
        parentTree: trees[i],
        // Only the root of everything is a source and has no folder above it that could hold it.
        source: isRoot(sources[0]) ? new Uint8Array(path) : undefined,
        device: isRoot(sources[0]) ? statSync('/', { bigint: true }).dev : undefined,
        pieces: [],
        pending: 0,
      });
    });
    return folders;
  }

  #addNames(folder: Folder, names: Uint8Array): void {
    if (names.length === 0) return;
    folder.pending += 1;
    this.#ready.push({ folder, names });
  }

  /** The rest of a folder goes to as many workers as have nothing to do. */
  #share(folder: Folder, names: Uint8Array, alone: boolean): void {
    if (names.length === 0) return;
    let rest = splitList(names);
    const parts: Buffer[][] = [];
    if (alone) {
      parts.push(rest.slice(0, 1));
      rest = rest.slice(1);
    }
    const free = this.#pool.size - this.#active + 1;
    const size = Math.max(leastNames, Math.ceil(rest.length / free));
    for (let at = 0; at < rest.length; at += size) parts.push(rest.slice(at, at + size));
    // The first names come first from the end of the list.
    for (const part of parts.reverse()) this.#addNames(folder, joinList(part));
  }

  #pump(): void {
    while (this.#active < this.#pool.size && this.#ready.length > 0) {
      // The newest task is the deepest one, so that few folders are open at a time.
      const { folder, names } = this.#ready.pop()!;
      this.#active += 1;
      const { path, parentTree, source, device } = folder;
      const task = { path: new Uint8Array(path), parentTree, names, source, device };
      this.#pool.run('scan', task).then(
        (result) => this.#take(folder, result),
        (error: unknown) => this.#fail(error),
      );
    }
    this.#pool.setIdle(this.#pool.size - this.#active);
  }

  #take(folder: Folder, result: ScanResult): void {
    this.#active -= 1;
    addFigures(this.#figures, result.figures);
    for (const problem of result.problems) this.#problems.push(problem);
    if (result.done.length > 0) folder.pieces.push(result.done);
    const opened: [Folder, Uint8Array][] = [[folder, result.remaining]];
    let up = folder;
    for (const frame of result.open) {
      up = openFolder(up, frame);
      opened.push([up, frame.remaining]);
    }
    opened.forEach(([each, remaining], i) => this.#share(each, remaining, result.alone && i === opened.length - 1));
    folder.pending -= 1;
    for (const [each] of opened.reverse()) if (each.pending === 0) void this.#complete(each);
    this.#pump();
  }

  /** All pieces are there: the tree is stored, and the folder above has one entry more. */
  async #complete(folder: Folder): Promise<void> {
    try {
      await this.#control.checkpointAsync();
      const { tree, figures } = await this.#pool.run('assembleTree', { pieces: folder.pieces, parentTree: folder.parentTree });
      const { up } = folder;
      if (!up) {
        // The root has no entry anywhere, so it is not counted as a folder.
        addFigures(this.#figures, { ...noFigures(), trees: figures.trees });
        this.#finish(tree);
        return;
      }
      addFigures(this.#figures, figures);
      const node = `${folder.node.slice(0, -1)},"subtree":"${Buffer.from(tree).toString('hex')}"}`;
      up.pieces.push(joinList([folder.name, Buffer.from(node)]));
      up.pending -= 1;
      if (up.pending === 0) await this.#complete(up);
    } catch (error) {
      this.#fail(error);
    }
  }
}

function openFolder(up: Folder, frame: OpenFrame): Folder {
  up.pending += 1;
  return {
    path: joinPath(up.path, Buffer.from(frame.name)),
    up,
    name: frame.name,
    node: frame.node,
    parentTree: frame.parentTree,
    source: frame.source,
    device: frame.device,
    pieces: frame.done.length > 0 ? [frame.done] : [],
    pending: 0,
  };
}

function addFigures(sum: ScanFigures, part: ScanFigures): void {
  for (const name of ['filesNew', 'filesChanged', 'filesUnmodified', 'dirsNew', 'dirsChanged', 'dirsUnmodified', 'totalBytes'] as const)
    sum[name] += part[name];
  for (const type of ['data', 'trees'] as const)
    for (const name of ['blobs', 'bytes', 'packed'] as const) sum[type][name] += part[type][name];
}
