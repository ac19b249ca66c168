/**
 * The worker's part of a restore that meets folders: compares each with what is at its place, makes what has no content,
 * and lists the files whose content is to be written. With `act` false nothing is changed: the same walk is the dry run.
 */
import { type BigIntStats, lstatSync, readdirSync, readlinkSync, statSync, unlinkSync } from 'node:fs';
import { HoldfastError } from '../../contract/errors.ts';
import { joinList } from '../../platform/byte-list.ts';
import { displayPath, isInside, joinPath } from '../../platform/byte-paths.ts';
import type { Node } from '../../repository/tree/node.ts';
import type { WorkerContext } from '../workers/context.ts';
import { BesideNames } from './beside.ts';
import { holdsContent } from './content.ts';
import { throwIfFatal, throwIfGone } from './failures.ts';
import { hasDefaultAcl, makeFolder, makeSpecial, openForOwner } from './make-entry.ts';
import { applyMetadata } from './metadata.ts';
import { isLeftOver, isPart, partPath, putInPlace, unlinkQuietly } from './part-file.ts';
import { type Action, decide, typeOf } from './policy.ts';
import { examine, isEmptyFolder, removeEntry } from './removal.ts';
import { isSelected, selectionIn, selectNodes } from './selection.ts';
import {
  fileFacts,
  fileFlags,
  type FolderTask,
  longestPath,
  noWalkFigures,
  type PlannedEntry,
  type RestoreProblem,
  type WalkResult,
  type WalkTask,
} from './walk-task.ts';

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
  readonly #mounts: Uint8Array[] = [];
  readonly #devices = new Set<bigint>();
  readonly #repository: Buffer | undefined;
  /** Last first. */
  readonly #stack: FolderTask[];
  #count = 0;
  #freed = 0;

  constructor(task: WalkTask, context: WorkerContext) {
    this.#task = task;
    this.#context = context;
    this.#repository = task.options.repository && Buffer.from(task.options.repository);
    this.#stack = [...task.folders].reverse();
  }

  run(): WalkResult {
    while (this.#stack.length > 0 && this.#count < entriesAtOnce) this.#folder(this.#stack.pop()!);
    return {
      folders: this.#stack.reverse(),
      files: joinList(this.#files),
      met: joinList(this.#met),
      elsewhere: joinList(this.#elsewhere),
      mounts: joinList(this.#mounts),
      freed: this.#freed,
      entries: this.#entries,
      figures: this.#figures,
      problems: this.#problems,
    };
  }

  #folder(folder: FolderTask): void {
    const path = Buffer.from(folder.path);
    let nodes: readonly Node[];
    try {
      nodes = selectNodes(folder.selection, this.#context.loadTree(folder.tree));
    } catch (error) {
      throwIfGone(error, this.#context);
      this.#report(path, 'damaged', error);
      return;
    }
    this.#context.progress.path = path;
    const existing = folder.isNew ? none : this.#namesAt(path);
    // That it cannot be read is said; what is in it cannot be restored.
    if (!existing) return;
    const { options } = this.#task;
    const here: Here = { folder, path, inherits: !folder.isNew && options.act && hasDefaultAcl(path), names: undefined, existing, nodes };
    if (existing.size > 0) this.#clearLeftOvers(path, existing);
    if (existing.size > 0 && options.delete && folder.inSource && !folder.selection) this.#deleteOthers(path, nodes, existing);
    const children: FolderTask[] = [];
    for (const node of nodes) {
      this.#context.control.checkpoint();
      this.#count += 1;
      const place = joinPath(path, node.name);
      if (place.length > longestPath) {
        this.#giveUp(place, new Error('its path is longer than this system can handle'));
        continue;
      }
      try {
        const stat = existing.has(node.name.toString('latin1')) ? lstatSync(place, { bigint: true, throwIfNoEntry: false }) : undefined;
        if (node.type === 'dir') this.#enter(here, node, place, stat, children);
        else this.#entry(here, node, place, stat);
      } catch (error) {
        if (error instanceof HoldfastError) throw error;
        throwIfFatal(error, path);
        this.#giveUp(place, error as Error);
      }
    }
    for (let i = children.length - 1; i >= 0; i--) this.#stack.push(children[i]);
  }

  #namesAt(path: Buffer): ReadonlySet<string> | undefined {
    try {
      const { dev } = statSync(path, { bigint: true });
      if (!this.#devices.has(dev)) {
        this.#devices.add(dev);
        this.#mounts.push(path);
      }
      return new Set((readdirSync(path, { encoding: 'buffer' }) as Buffer[]).map((name) => name.toString('latin1')));
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return none;
      throwIfFatal(error, path);
      this.#giveUp(path, error as Error);
      return undefined;
    }
  }

  /** What runs that were cut off have left is nobody's any more. */
  #clearLeftOvers(path: Buffer, existing: ReadonlySet<string>): void {
    const { act, parts } = this.#task.options;
    if (act)
      for (const name of existing) if (isPart(name) && isLeftOver(name, parts)) unlinkQuietly(joinPath(path, Buffer.from(name, 'latin1')));
  }

  #deleteOthers(path: Buffer, nodes: readonly Node[], existing: ReadonlySet<string>): void {
    const wanted = new Set(nodes.map((node) => node.name.toString('latin1')));
    const { dev } = lstatSync(path, { bigint: true });
    for (const text of existing) {
      // What another run is writing just now is not part of what is there.
      if (wanted.has(text) || isPart(text)) continue;
      const place = joinPath(path, Buffer.from(text, 'latin1'));
      try {
        const stat = lstatSync(place, { bigint: true, throwIfNoEntry: false });
        if (!stat) continue;
        // No backup holds the repository that it is in.
        if (this.#repository && isInside(this.#repository, place)) continue;
        const { bytes, objection } = examine(place, stat, dev, this.#repository);
        this.#plan(place, undefined, objection === undefined ? 'delete' : 'keep', stat);
        if (objection !== undefined) throw new Error(objection);
        this.#freed += bytes;
        if (this.#task.options.act) removeEntry(place, stat);
      } catch (error) {
        throwIfFatal(error, place);
        this.#report(place, 'failed', error);
      }
    }
  }

  #enter(here: Here, node: Node, place: Buffer, found: BigIntStats | undefined, children: FolderTask[]): void {
    const { options } = this.#task;
    const { folder } = here;
    if (this.#repository?.equals(place)) {
      this.#plan(place, node, 'keep', found);
      this.#giveUp(place, new Error('the repository itself is there'));
      return;
    }
    const selection = selectionIn(folder.selection, node.name);
    // A snapshot names its sources as text.
    const shown = folder.sources.length > 0 ? Buffer.from(displayPath(node.name)) : node.name;
    const sources = selectionIn(folder.sources, shown) ?? [];
    const inSource = folder.inSource || isSelected(folder.sources, shown);
    const onTheWay = !inSource || selection !== undefined;
    // A link to a folder is not that folder: nothing is ever written through it. But what lay above the sources when they were
    // backed up was found through links too, and is found there again.
    const stat = options.isOriginal && !inSource && found?.isSymbolicLink() ? statSync(place, { bigint: true }) : found;
    let target = place;
    let isNew = false;
    if (!stat?.isDirectory()) {
      // Of two folders both are kept by merging them; here, something else has the name.
      const action = decide(node, found, options.policy);
      if (action === 'beside') target = this.#beside(here, node, place);
      this.#plan(place, node, action === 'compare' ? 'replace' : action, found, target);
      if (action === 'keep') {
        this.#giveUp(place, new Error('a file stands where this folder belongs, and it was kept'));
        return;
      }
      isNew = true;
      if (options.act) {
        if (found && action === 'replace') unlinkSync(place);
        isNew = makeFolder(target, here.inherits);
        // If the run is cut off, nobody could tell any more that it has made this folder.
        if (isNew && onTheWay && options.isOriginal) this.#metadata(target, node, false);
      }
    } else if (options.act && !isRoot && !(onTheWay && options.isOriginal)) openForOwner(place, stat);
    this.#figures.folders += 1;
    this.#context.progress.add('dirs', 1);
    if (options.act && (isNew || !onTheWay || !options.isOriginal)) this.#met.push(target, node.raw!, Uint8Array.of(isNew ? 1 : 0));
    children.push({ tree: new Uint8Array(node.subtree!), path: new Uint8Array(target), selection, isNew, inSource, sources });
  }

  #entry(here: Here, node: Node, place: Buffer, stat: BigIntStats | undefined): void {
    if (node.type === 'socket' || node.type === 'irregular') return;
    const { options } = this.#task;
    const { folder } = here;
    const action = this.#actionFor(node, place, stat);
    const isHardLinked = node.type === 'file' && node.links > 1;
    if (action === 'keep') {
      this.#plan(place, node, action, stat);
      this.#elsewhere.push(place, nowhere);
      // What an earlier run has restored still stands for the further names of its file.
      if (isHardLinked && stat?.mtimeNs === node.mtimeNs && this.#holds(node, place, stat)) this.#stands(node, place);
      return;
    }
    if (action === 'same') {
      this.#same(node, place, place, stat!);
      return;
    }
    if (action === 'beside') {
      const earlier = this.#restoredBefore(here, node);
      if (earlier) {
        this.#same(node, place, earlier.path, earlier.stat);
        return;
      }
    }
    const replaces = action === 'replace' && stat !== undefined;
    if (replaces && stat.isDirectory()) {
      const mayEmpty = options.delete && folder.inSource && !folder.selection;
      const { bytes, objection } = examine(place, stat, stat.dev, this.#repository);
      if (objection !== undefined || (!mayEmpty && !isEmptyFolder(place))) {
        this.#plan(place, node, 'keep', stat);
        this.#giveUp(place, new Error(objection ?? 'a folder that is not empty stands where this file belongs'));
        return;
      }
      this.#freed += bytes;
    } else if (replaces && stat.isFile() && stat.nlink === 1n) this.#freed += Number(stat.size);
    const target = action === 'beside' ? this.#beside(here, node, place) : place;
    this.#plan(place, node, action, stat, target);
    if (replaces && stat.isDirectory() && options.act) removeEntry(place, stat);
    if (node.type === 'file') {
      // Without acting, only which files are one and the same matters: they need their space once.
      const flags = (isHardLinked ? fileFlags.hardLinked : 0) | (here.inherits ? fileFlags.inherits : 0);
      if (options.act || isHardLinked) this.#files.push(target, node.raw!, node.content!, fileFacts(flags, node.size));
      return;
    }
    if (!options.act) return;
    this.#makeSpecial(target, node, here.inherits);
  }

  /** A number that no other part file of this worker has. */
  #nextPart(): number {
    const { state } = this.#context;
    const number = ((state.get(partsMade) as number | undefined) ?? 0) + 1;
    state.set(partsMade, number);
    return number;
  }

  /** What becomes of an entry; never `compare`. */
  #actionFor(node: Node, place: Buffer, stat: BigIntStats | undefined): Exclude<Action, 'compare'> {
    const { policy } = this.#task.options;
    const other = policy === 'keep-both' ? 'beside' : 'replace';
    const action = decide(node, stat, policy);
    // The name of a file that has others must not change them with it.
    if (
      stat &&
      stat.nlink > 1n &&
      node.type === 'file' &&
      node.links <= 1 &&
      policy !== 'keep-both' &&
      (action === 'compare' || action === 'same')
    )
      return 'replace';
    if (action === 'compare') return this.#holds(node, place, stat!) ? 'same' : other;
    return action === other && stat && this.#isSame(node, place, stat) ? 'same' : action;
  }

  /** What is at `found` is what `node` holds; `found` is `place`, or another name that an earlier run has given it. */
  #same(node: Node, place: Buffer, found: Buffer, stat: BigIntStats): void {
    const { act, policy } = this.#task.options;
    this.#plan(place, node, 'same', stat, found);
    if (found !== place) this.#elsewhere.push(place, found);
    if (act) {
      // A file that keep-both leaves alone is the person's own, also in its metadata.
      if (policy !== 'keep-both' || found !== place) this.#metadata(found, node, stat);
      this.#context.progress.add('files', 1);
      this.#context.progress.add('bytes', node.size);
    }
    // By its time alone a file may count as the same, but its content must not get further names unseen.
    if (node.type === 'file' && node.links > 1 && (policy !== 'if-changed' || this.#holds(node, found, stat))) this.#stands(node, found);
  }

  /** The file at `place` is restored already; further names in the snapshot become further names of it. */
  #stands(node: Node, place: Buffer): void {
    const { policy } = this.#task.options;
    const stays = policy === 'keep-both' || policy === 'never' || policy === 'if-newer' ? fileFlags.stays : 0;
    this.#files.push(place, node.raw!, node.content!, fileFacts(fileFlags.isThere | fileFlags.hardLinked | stays, node.size));
  }

  #restoredBefore(here: Here, node: Node): { path: Buffer; stat: BigIntStats } | undefined {
    for (const name of this.#namesIn(here).restoredBefore(node.name)) {
      const place = joinPath(here.path, name);
      const stat = lstatSync(place, { bigint: true, throwIfNoEntry: false });
      if (stat && (node.type === 'file' ? this.#holds(node, place, stat) : this.#isSame(node, place, stat))) return { path: place, stat };
    }
    return undefined;
  }

  #beside(here: Here, node: Node, place: Buffer): Buffer {
    const target = joinPath(here.path, this.#namesIn(here).free(node.name));
    this.#elsewhere.push(place, target);
    return target;
  }

  #namesIn(here: Here): BesideNames {
    here.names ??= new BesideNames(here.existing, here.nodes, this.#task.options.stamp);
    return here.names;
  }

  /** For what has no content. */
  #isSame(node: Node, place: Buffer, stat: BigIntStats): boolean {
    if (node.type === 'file' || typeOf(stat) !== node.type) return false;
    if (node.type === 'symlink') return readlinkSync(place, { encoding: 'buffer' }).equals(node.linkTarget ?? Buffer.alloc(0));
    return node.type === 'fifo' || stat.rdev === node.device;
  }

  /** Whether at `place` is a file with the node's content. One that cannot be read counts as another. */
  #holds(node: Node, place: Buffer, stat: BigIntStats): boolean {
    if (!stat.isFile() || stat.size !== BigInt(node.size)) return false;
    try {
      return holdsContent(place, node, this.#context) === true;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'EACCES') return false;
      throw error;
    }
  }

  #metadata(place: Buffer, node: Node, existing: BigIntStats | boolean): void {
    for (const problem of applyMetadata(place, node, existing))
      this.#problems.push({ path: new Uint8Array(place), kind: 'metadata', detail: problem });
  }

  #makeSpecial(place: Buffer, node: Node, inherits: boolean): void {
    const { parts } = this.#task.options;
    const growing = partPath(place, `${parts.run}-w${this.#context.start.number}`, this.#nextPart());
    makeSpecial(growing, node);
    for (const detail of applyMetadata(growing, node, inherits))
      this.#problems.push({ path: new Uint8Array(place), kind: 'metadata', detail });
    putInPlace(growing, place);
    this.#context.progress.add('files', 1);
  }

  #plan(path: Buffer, node: Node | undefined, action: PlannedEntry['action'], existing: BigIntStats | undefined, other = path): void {
    this.#figures[action] += 1;
    const writes = action === 'create' || action === 'replace' || action === 'beside';
    // What files with several names need is counted by the coordinator, which knows them all.
    if (writes && node?.type === 'file' && node.links <= 1) this.#figures.bytes += node.size;
    if (!this.#task.list) return;
    this.#entries.push({
      path: new Uint8Array(path),
      other: other === path ? undefined : new Uint8Array(other),
      type: node?.type ?? typeOf(existing!),
      action,
      size: node?.size ?? 0,
      mtimeNs: node?.mtimeNs ?? 0n,
      existingSize: existing && Number(existing.size),
      existingMtimeNs: existing?.mtimeNs,
    });
  }

  /** Reports what is not restored, so that nobody looks for it. */
  #giveUp(path: Buffer, error: Error): void {
    this.#report(path, 'failed', error);
    this.#elsewhere.push(path, nowhere);
  }

  #report(path: Buffer, kind: RestoreProblem['kind'], error: unknown): void {
    this.#problems.push({ path: new Uint8Array(path), kind, detail: (error as Error).message });
  }
}

/** The folder that is being met. */
interface Here {
  readonly folder: FolderTask;
  readonly path: Buffer;
  /** What is made in it inherits attributes (a default ACL). */
  readonly inherits: boolean;
  /** Made when the first one is needed. */
  names: BesideNames | undefined;
  /** Names, read as "latin1". */
  readonly existing: ReadonlySet<string>;
  readonly nodes: readonly Node[];
}

const partsMade = 'restore: parts made';
const isRoot = process.getuid?.() === 0;
const none: ReadonlySet<string> = new Set();
const nowhere = Buffer.alloc(0);
