/**
 * The worker's part of a restore that meets folders: compares each with what is at its place, makes what has no content,
 * and lists the files whose content is to be written. With `act` false nothing is changed: the same walk is the dry run.
 */
import { type BigIntStats, chmodSync, lstatSync, mkdirSync, readdirSync, readlinkSync, rmdirSync, symlinkSync, unlinkSync } from 'node:fs';
import { HoldfastError, hasCode } from '../../contract/errors.ts';
import { joinList, splitList } from '../../platform/byte-list.ts';
import { displayPath, joinPath } from '../../platform/byte-paths.ts';
import { makeFifo, makeNode } from '../../platform/posix.ts';
import { type Node, unixMode } from '../../repository/tree/node.ts';
import type { WorkerContext } from '../workers/context.ts';
import { holdsContent } from './content.ts';
import { throwIfFatal } from './failures.ts';
import { applyMetadata } from './metadata.ts';
import { type Action, besideName, decide, type OverwritePolicy, typeOf } from './policy.ts';

export interface RestoreProblem {
  readonly path: Uint8Array;
  /**
   * `damaged`: not restored, the repository lacks its data. `failed`: not restored. `metadata`: restored, but not all of it could
   * be set. `differs`: verification found something else than was restored.
   */
  readonly kind: 'damaged' | 'failed' | 'metadata' | 'differs';
  readonly detail: string;
}

/** A folder to restore. */
export interface FolderTask {
  readonly tree: Uint8Array;
  /** Where it goes, absolute. */
  readonly path: Uint8Array;
  /** Wanted entries, as joined lists of names each; undefined: everything. */
  readonly selection: readonly Uint8Array[] | undefined;
  /** The run made the folder, so nothing is in it. */
  readonly isNew: boolean;
  /** The folder is in a source, not above one: only there does `--delete` remove what the snapshot does not hold. */
  readonly inSource: boolean;
  /** While above the sources: the way to each, as joined lists of names (as text). */
  readonly sources: readonly Uint8Array[];
}

export interface WalkOptions {
  readonly act: boolean;
  readonly policy: OverwritePolicy;
  readonly delete: boolean;
  /** For the names of files restored beside existing ones. */
  readonly stamp: string;
}

/** One line of a plan. Sizes in bytes, times in nanoseconds since 1970. */
export interface PlannedEntry {
  readonly path: Uint8Array;
  readonly type: Node['type'];
  readonly action: 'create' | 'replace' | 'beside' | 'same' | 'keep' | 'delete';
  readonly size: number;
  readonly mtimeNs: bigint;
  readonly existingSize: number | undefined;
  readonly existingMtimeNs: bigint | undefined;
}

export interface WalkTask {
  readonly folders: readonly FolderTask[];
  readonly options: WalkOptions;
  /** Whether the lines of the plan are wanted, not only their sums. */
  readonly list: boolean;
}

export interface WalkFigures {
  create: number;
  replace: number;
  beside: number;
  same: number;
  keep: number;
  delete: number;
  folders: number;
  /** Bytes of content to write. */
  bytes: number;
}

export const noWalkFigures = (): WalkFigures => ({ create: 0, replace: 0, beside: 0, same: 0, keep: 0, delete: 0, folders: 0, bytes: 0 });

export interface WalkResult {
  readonly folders: readonly FolderTask[];
  /** Files to write, as a joined list: path, node as JSON, content (IDs), flags; again and again. */
  readonly files: Uint8Array;
  /** Folders that were met, each before what is in it, as a joined list: path, node as JSON, whether it is new; again and again. */
  readonly met: Uint8Array;
  /** Where something was kept, or restored beside: a joined list of path, and other path (empty when kept). */
  readonly elsewhere: Uint8Array;
  readonly entries: readonly PlannedEntry[];
  readonly figures: WalkFigures;
  readonly problems: readonly RestoreProblem[];
}

/** Bits of a file's flags. */
export const fileFlags = { exists: 1, hardLinked: 2, isThere: 4 } as const;

/** A walk gives back what is left after this many entries, so that writing can begin. */
const entriesAtOnce = 2000;

/** Job: see the top of this file. */
export function walkFolders(task: WalkTask, context: WorkerContext): WalkResult {
  return new RestoreWalk(task, context).run();
}

class RestoreWalk {
  readonly #task: WalkTask;
  readonly #context: WorkerContext;
  readonly #figures = noWalkFigures();
  readonly #entries: PlannedEntry[] = [];
  readonly #problems: RestoreProblem[] = [];
  readonly #files: Uint8Array[] = [];
  readonly #met: Uint8Array[] = [];
  readonly #elsewhere: Uint8Array[] = [];
  /** Last first. */
  readonly #stack: FolderTask[];
  #count = 0;

  constructor(task: WalkTask, context: WorkerContext) {
    this.#task = task;
    this.#context = context;
    this.#stack = [...task.folders].reverse();
  }

  run(): WalkResult {
    while (this.#stack.length > 0 && this.#count < entriesAtOnce) this.#folder(this.#stack.pop()!);
    return {
      folders: this.#stack.reverse(),
      files: joinList(this.#files),
      met: joinList(this.#met),
      elsewhere: joinList(this.#elsewhere),
      entries: this.#entries,
      figures: this.#figures,
      problems: this.#problems,
    };
  }

  #folder(folder: FolderTask): void {
    const path = Buffer.from(folder.path);
    let nodes: Node[];
    try {
      nodes = this.#context.loadTree(folder.tree);
    } catch (error) {
      if (!(error instanceof HoldfastError) || hasCode(error, 'cancelled')) throw error;
      this.#report(path, 'damaged', error);
      return;
    }
    this.#context.progress.path = path;
    if (folder.selection) {
      const wanted = new Set(folder.selection.map((names) => splitList(names)[0].toString('latin1')));
      nodes = nodes.filter((node) => wanted.has(node.name.toString('latin1')));
    }
    const children: FolderTask[] = [];
    const existing = folder.isNew ? none : this.#namesAt(path);
    if (this.#task.options.delete && folder.inSource && !folder.selection) this.#deleteOthers(path, nodes, existing);
    for (const node of nodes) {
      this.#context.control.checkpoint();
      this.#count += 1;
      const place = joinPath(path, node.name);
      try {
        const stat = existing.has(node.name.toString('latin1')) ? lstatSync(place, { bigint: true, throwIfNoEntry: false }) : undefined;
        if (node.type === 'dir') this.#enter(folder, node, place, stat, children);
        else this.#entry(path, node, place, stat);
      } catch (error) {
        if (error instanceof HoldfastError) throw error;
        throwIfFatal(error, path);
        this.#report(place, 'failed', error);
      }
    }
    this.#stack.push(...children.reverse());
  }

  #namesAt(path: Buffer): ReadonlySet<string> {
    try {
      return new Set((readdirSync(path, { encoding: 'buffer' }) as Buffer[]).map((name) => name.toString('latin1')));
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return none;
      throw error;
    }
  }

  #deleteOthers(path: Buffer, nodes: readonly Node[], existing: ReadonlySet<string>): void {
    const wanted = new Set(nodes.map((node) => node.name.toString('latin1')));
    for (const text of existing) {
      if (wanted.has(text)) continue;
      const place = joinPath(path, Buffer.from(text, 'latin1'));
      const stat = lstatSync(place, { bigint: true, throwIfNoEntry: false });
      if (!stat) continue;
      this.#plan(place, undefined, 'delete', stat);
      if (!this.#task.options.act) continue;
      try {
        removeEntry(place, stat);
      } catch (error) {
        throwIfFatal(error, place);
        this.#report(place, 'failed', error);
      }
    }
  }

  #enter(folder: FolderTask, node: Node, place: Buffer, stat: BigIntStats | undefined, children: FolderTask[]): void {
    const { options } = this.#task;
    let isNew = false;
    // A link to a folder is not that folder: nothing is ever written through it.
    if (!stat?.isDirectory()) {
      const action = decide(node, stat, options.policy === 'keep-both' ? 'never' : options.policy);
      this.#plan(place, node, action === 'compare' ? 'replace' : action, stat);
      if (action === 'keep') {
        this.#report(place, 'failed', new Error('a file stands where this folder belongs, and it was kept'));
        return;
      }
      if (options.act) {
        if (stat) unlinkSync(place);
        mkdirSync(place, 0o700);
      }
      isNew = true;
    } else if (options.act && process.getuid?.() !== 0 && (Number(stat.mode) & 0o700) !== 0o700) chmodSync(place, (Number(stat.mode) & 0o7777) | 0o700);
    this.#figures.folders += 1;
    this.#context.progress.add('dirs', 1);
    const selection = inner(folder.selection, node.name);
    // A snapshot names its sources as text.
    const shown = folder.sources.length > 0 ? Buffer.from(displayPath(node.name)) : node.name;
    const sources = inner(folder.sources, shown) ?? [];
    const inSource = folder.inSource || folder.sources.some((names) => isOnly(names, shown));
    // A folder above the sources that exists is not the backup's to change.
    if (isNew || inSource) this.#met.push(place, node.raw!, Uint8Array.of(isNew ? 1 : 0));
    children.push({ tree: new Uint8Array(node.subtree!), path: new Uint8Array(place), selection, isNew, inSource, sources });
  }

  #entry(folder: Buffer, node: Node, place: Buffer, stat: BigIntStats | undefined): void {
    if (node.type === 'socket' || node.type === 'irregular') return;
    const { options } = this.#task;
    let action: Action = decide(node, stat, options.policy);
    if (action === 'compare') action = this.#holds(place, node) ? 'same' : options.policy === 'keep-both' ? 'beside' : 'replace';
    else if (node.type !== 'file' && stat && action !== 'keep' && this.#isSame(node, place, stat)) action = 'same';
    this.#plan(place, node, action, stat);
    if (action === 'keep') {
      this.#elsewhere.push(place, nowhere);
      return;
    }
    const existingFolder = stat?.isDirectory() === true && action === 'replace';
    if (existingFolder && !options.delete && options.act && !isEmptyFolder(place)) {
      this.#report(place, 'failed', new Error('a folder that is not empty stands where this file belongs'));
      return;
    }
    if (!options.act) return;
    if (action === 'same') {
      // A file that keep-both leaves alone is the person's own, also in its metadata.
      if (options.policy !== 'keep-both') this.#metadata(place, node, false);
      if (node.type === 'file' && node.links > 1) this.#files.push(place, node.raw!, node.content!, Uint8Array.of(fileFlags.isThere | fileFlags.hardLinked));
      this.#context.progress.add('files', 1);
      this.#context.progress.add('bytes', node.size);
      return;
    }
    const target = action === 'beside' ? freeName(folder, node.name, options.stamp) : place;
    if (action === 'beside') this.#elsewhere.push(place, target);
    if (existingFolder) removeEntry(place, stat!);
    if (node.type === 'file') {
      const flags = (stat && !existingFolder && action === 'replace' ? fileFlags.exists : 0) | (node.links > 1 ? fileFlags.hardLinked : 0);
      this.#files.push(target, node.raw!, node.content!, Uint8Array.of(flags));
      return;
    }
    if (stat && action === 'replace' && !existingFolder) unlinkSync(place);
    makeSpecial(target, node);
    this.#metadata(target, node, true);
  }

  #isSame(node: Node, place: Buffer, stat: BigIntStats): boolean {
    if (typeOf(stat) !== node.type) return false;
    if (node.type === 'symlink') return readlinkSync(place, { encoding: 'buffer' }).equals(node.linkTarget ?? Buffer.alloc(0));
    return node.type === 'fifo' || stat.rdev === node.device;
  }

  /** Whether the file at `place`, of the right size, has the node's content. */
  #holds(place: Buffer, node: Node): boolean {
    return holdsContent(place, node, this.#context) === true;
  }

  #metadata(place: Buffer, node: Node, isNew: boolean): void {
    for (const problem of applyMetadata(place, node, isNew)) this.#problems.push({ path: new Uint8Array(place), kind: 'metadata', detail: problem });
  }

  #plan(path: Buffer, node: Node | undefined, action: PlannedEntry['action'], existing: BigIntStats | undefined): void {
    this.#figures[action] += 1;
    const writes = action === 'create' || action === 'replace' || action === 'beside';
    if (writes && node?.type === 'file') this.#figures.bytes += node.size;
    if (!this.#task.list) return;
    this.#entries.push({
      path: new Uint8Array(path),
      type: node?.type ?? typeOf(existing!),
      action,
      size: node?.size ?? 0,
      mtimeNs: node?.mtimeNs ?? 0n,
      existingSize: existing && Number(existing.size),
      existingMtimeNs: existing?.mtimeNs,
    });
  }

  #report(path: Buffer, kind: RestoreProblem['kind'], error: unknown): void {
    this.#problems.push({ path: new Uint8Array(path), kind, detail: (error as Error).message });
  }
}

const none: ReadonlySet<string> = new Set();
const nowhere = Buffer.alloc(0);

/** The lists that begin with `name`, without it; undefined when one is `name` alone, so that everything below is meant. */
function inner(lists: readonly Uint8Array[] | undefined, name: Buffer): Uint8Array[] | undefined {
  if (!lists) return undefined;
  const found: Uint8Array[] = [];
  for (const list of lists) {
    const names = splitList(list);
    if (!names[0].equals(name)) continue;
    if (names.length === 1) return undefined;
    found.push(joinList(names.slice(1)));
  }
  return found;
}

const isOnly = (list: Uint8Array, name: Buffer): boolean => {
  const names = splitList(list);
  return names.length === 1 && names[0].equals(name);
};

const isEmptyFolder = (path: Buffer): boolean => readdirSync(path).length === 0;

function freeName(folder: Buffer, name: Buffer, stamp: string): Buffer {
  for (let attempt = 0; ; attempt++) {
    const place = joinPath(folder, besideName(name, stamp, attempt));
    if (!lstatSync(place, { throwIfNoEntry: false })) return place;
  }
}

/** Removes an entry and what is below it; never follows a link. */
export function removeEntry(path: Buffer, stat: BigIntStats): void {
  if (!stat.isDirectory()) unlinkSync(path);
  else if (isEmptyFolder(path)) rmdirSync(path);
  else {
    for (const name of readdirSync(path, { encoding: 'buffer' }) as Buffer[]) {
      const place = joinPath(path, name);
      removeEntry(place, lstatSync(place, { bigint: true }));
    }
    rmdirSync(path);
  }
}

function makeSpecial(path: Buffer, node: Node): void {
  if (node.type === 'symlink') symlinkSync(node.linkTarget ?? Buffer.alloc(0), path);
  else if (node.type === 'fifo') makeFifo(path, 0o600);
  else makeNode(path, unixMode(node.mode, node.type), node.device);
}
