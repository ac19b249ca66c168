/**
 * The coordinator's part of a backup's walk: shares tasks out to the workers and puts the folders together whose entries
 * were done by several of them.
 */
import { readdirSync, statSync } from 'node:fs';
import { fail } from '../../contract/errors.ts';
import { baseName, displayPath, joinPath, parentPath } from '../../platform/byte-paths.ts';
import { joinList, splitList } from '../../platform/byte-list.ts';
import type { RunControl } from '../../platform/cancellation.ts';
import type { WorkerPool } from '../workers/pool.ts';
import { GatheredFindings } from './gathered-findings.ts';
import {
  type Look,
  noFigures,
  type OpenFrame,
  type Problem,
  type ScanFigures,
  type ScanOptions,
  type ScanResult,
  type ScanTask,
} from './scan-task.ts';
import { countFolder } from './store-tree.ts';

/** A folder whose tree is not stored yet. */
interface Folder {
  readonly path: Buffer;
  readonly up: Folder | undefined;
  readonly name: Uint8Array;
  /** JSON without subtree. */
  readonly node: string;
  readonly parentTree: Uint8Array | undefined;
  /** The node (as JSON) of this folder in the parent snapshot. */
  readonly before: Uint8Array | undefined;
  readonly source: Uint8Array | undefined;
  readonly device: bigint | undefined;
  readonly look: Look;
  /** For the next task. */
  counts: ScanTask['counts'];
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
  readonly findings: GatheredFindings;
}

/**
 * Stores the trees of all sources and gives the root tree's ID. `root` is the parent snapshot's root tree. Throws `source-missing`
 * when none of the sources is there any more.
 */
export async function walkSources(
  pool: WorkerPool,
  control: RunControl,
  options: ScanOptions,
  sources: readonly Buffer[],
  root: Uint8Array | undefined,
): Promise<WalkResult> {
  await pool.runOnEach('beginScan', options);
  return new Walk(pool, control, options.visits).run(sources, root);
}

/** Every folder above one of the sources, each before those that it holds. */
function foldersAbove(sources: readonly Buffer[]): Buffer[] {
  const paths = new Map<string, Buffer>();
  for (const source of sources) {
    for (let path = parentPath(source); ; path = parentPath(path)) {
      paths.set(path.toString('hex'), path);
      if (path.length <= 1) break;
    }
  }
  return [...paths.values()].sort((a, b) => a.length - b.length);
}

class Walk {
  readonly #pool: WorkerPool;
  readonly #control: RunControl;
  readonly #ready: Ready[] = [];
  readonly #figures = noFigures();
  readonly #problems: Problem[] = [];
  readonly #findings = new GatheredFindings();
  readonly #visits: ScanOptions['visits'];
  #active = 0;
  #finish!: (tree: Uint8Array) => void;
  #fail!: (error: unknown) => void;

  constructor(pool: WorkerPool, control: RunControl, visits: ScanOptions['visits']) {
    this.#pool = pool;
    this.#control = control;
    this.#visits = visits;
  }

  get #isPartial(): boolean {
    return this.#visits?.compare === false;
  }

  async run(sources: readonly Buffer[], root: Uint8Array | undefined): Promise<WalkResult> {
    const tree = new Promise<Uint8Array>((resolve, reject) => {
      this.#finish = resolve;
      this.#fail = reject;
    });
    // The promise may fail before it is awaited below.
    tree.catch(() => {});
    const { folders, reached } = await this.#ancestors(sources, root);
    // Nothing is below the root then, so that nothing would ever complete it.
    if (reached.length === 0) return this.#nothing(sources);
    const byFolder = Map.groupBy(reached, (source) => parentPath(source).toString('hex'));
    for (const [key, group] of byFolder) {
      const names = isRoot(group[0]) ? (readdirSync('/', { encoding: 'buffer' }) as Buffer[]).sort(Buffer.compare) : group.map(baseName);
      this.#addNames(folders.get(key)!, joinList(names));
    }
    this.#pump();
    const id = await tree;
    const lost = new Set(this.#problems.filter(({ kind }) => kind !== 'changed').map(({ path }) => Buffer.from(path).toString('hex')));
    if (sources.every((source) => lost.has(source.toString('hex')))) return this.#nothing(sources);
    return { tree: id, figures: this.#figures, problems: this.#problems, findings: this.#findings };
  }

  #nothing(sources: readonly Buffer[]): never {
    return fail('source-missing', { path: sources.map(displayPath).join(', ') });
  }

  /** A folder for each path above a source, from the root down. A source that cannot be reached any more is a problem. */
  async #ancestors(
    sources: readonly Buffer[],
    root: Uint8Array | undefined,
  ): Promise<{ folders: Map<string, Folder>; reached: readonly Buffer[] }> {
    const above = foldersAbove(sources);
    const described = await this.#pool.run(
      'describeFolders',
      above.map((path) => new Uint8Array(path)),
    );
    const nodes = new Map(above.map((path, i) => [path.toString('hex'), described[i]]));
    const reached = sources.filter((source) => {
      const folder = nodes.get(parentPath(source).toString('hex'))!;
      if (typeof folder !== 'string') this.#problems.push({ ...folder, path: new Uint8Array(source) });
      return typeof folder === 'string';
    });
    const ordered = foldersAbove(reached);
    const plain = ordered.map((path) => new Uint8Array(path));
    const before = root ? await this.#pool.run('parentFolders', { root, folders: plain }) : [];
    const folders = new Map<string, Folder>();
    ordered.forEach((path, i) => {
      const up = path.length > 1 ? folders.get(parentPath(path).toString('hex')) : undefined;
      if (up) up.pending += 1;
      const name = new Uint8Array(baseName(path));
      folders.set(path.toString('hex'), {
        path,
        up,
        name,
        node: nodes.get(path.toString('hex')) as string,
        parentTree: before[i]?.tree,
        before: before[i]?.node,
        // Only the root of everything is a source and has no folder above it that could hold it.
        source: isRoot(sources[0]) ? new Uint8Array(path) : undefined,
        device: isRoot(sources[0]) ? statSync('/', { bigint: true }).dev : undefined,
        look: this.#isPartial ? 'listed' : 'all',
        counts: isRoot(sources[0]) ? 'folder' : 'names',
        pieces: [],
        pending: 0,
      });
    });
    return { folders, reached };
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
      const { path, parentTree, source, device, look, counts } = folder;
      const task: ScanTask = { path: new Uint8Array(path), parentTree, names, source, device, look, counts };
      if (counts === 'folder') folder.counts = 'nothing';
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
    this.#findings.add(result.findings);
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
      const { up, before, source, parentTree } = folder;
      const path = new Uint8Array(folder.path);
      const compare = this.#visits?.compare && source && parentTree ? { path, parentTree } : undefined;
      const { tree, figures, isMissed } = await this.#pool.run('assembleTree', { pieces: folder.pieces, compare });
      if (isMissed) this.#findings.missed.push(folder.path);
      addFigures(this.#figures, figures);
      if (!up) {
        // The root has no entry anywhere, so it is not counted as a folder.
        this.#finish(tree);
        return;
      }
      const node = Buffer.from(`${folder.node.slice(0, -1)},"subtree":"${Buffer.from(tree).toString('hex')}"}`);
      countFolder(this.#figures, before !== undefined, before !== undefined && node.equals(before));
      // Those above the sources; of all others the workers have counted what the parent holds.
      if (!source && before) this.#findings.before.dirs += 1;
      up.pieces.push(joinList([folder.name, node]));
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
    before: frame.before,
    source: frame.source,
    device: frame.device,
    look: frame.look,
    counts: 'nothing',
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
