/**
 * The worker's part of a restore that meets folders: compares each with what is at its place, makes what has no content,
 * and lists the files whose content is to be written. With `act` false nothing is changed: the same walk is the dry run.
 */
import { type BigIntStats, lstatSync, readdirSync, statSync } from 'node:fs';
import { HoldfastError } from '../../contract/errors.ts';
import { joinList } from '../../platform/byte-list.ts';
import { displayPath, isInside, joinPath } from '../../platform/byte-paths.ts';
import type { Node } from '../../repository/tree/node.ts';
import { parseNode } from '../../repository/tree/parse.ts';
import { RecordedFolder, UndoLog } from '../undo/log.ts';
import { datedKeeper } from '../mirror/dated.ts';
import type { WorkerContext } from '../workers/context.ts';
import { Acts } from './acts.ts';
import { BesideNames } from './beside.ts';
import { Comparison } from './compare.ts';
import { throwIfFatal, throwIfGone } from './failures.ts';
import { type FolderKeeper, keepsNothing, keepsReplaced } from './keeping.ts';
import { hasDefaultAcl, isClosedToOwner, makeFolder, makeSpecial, openForOwner } from './make-entry.ts';
import { applyMetadata, hasMetadata } from './metadata.ts';
import { isLeftOver, isPart, partPath, putInPlace, unlinkQuietly } from './part-file.ts';
import { decide } from './policy.ts';
import { examine, isEmptyFolder, takeAway } from './removal.ts';
import { Reserved } from './reserved.ts';
import { isSelected, selectionIn, selectNodes } from './selection.ts';
import { fileFlags, type FolderTask, longestPath, type WalkResult, type WalkTask } from './walk-task.ts';
import { WalkReport } from './walk-report.ts';

/** A walk gives back what is left after this many entries, so that writing can begin. */
const entriesAtOnce = 2000;

/** Job: see the top of this file. */
export function walkFolders(task: WalkTask, context: WorkerContext): WalkResult {
  return new RestoreWalk(task, context).run();
}

class RestoreWalk {
  readonly #task: WalkTask;
  readonly #context: WorkerContext;
  readonly #report: WalkReport;
  readonly #comparison: Comparison;
  readonly #log: UndoLog | undefined;
  readonly #acts: Acts;
  readonly #repository: Buffer | undefined;
  readonly #reserved: Reserved;
  /** Last first. */
  readonly #stack: FolderTask[];
  /** In folders that are made later than the walk comes by. */
  readonly #later: FolderTask[] = [];
  #count = 0;

  constructor(task: WalkTask, context: WorkerContext) {
    const { options, list, folders } = task;
    this.#task = task;
    this.#context = context;
    this.#report = new WalkReport(list);
    this.#comparison = new Comparison(options.policy, context);
    this.#log = options.act && options.keeping?.kind === 'undo' ? UndoLog.of(options.keeping.undo, context) : undefined;
    this.#acts = new Acts(this.#log, context.control);
    this.#repository = options.repository && Buffer.from(options.repository);
    this.#reserved = new Reserved(options.reserved);
    this.#stack = [...folders].reverse();
  }

  run(): WalkResult {
    while (this.#stack.length > 0 && this.#count < entriesAtOnce) this.#folder(this.#stack.pop()!);
    this.#acts.flush();
    const recorded = this.#log?.takeFigures();
    return this.#report.result(
      [...this.#stack, ...this.#later.reverse()].reverse(),
      recorded && { asides: joinList(recorded.asides), entries: recorded.entries, bytes: recorded.bytes },
    );
  }

  #folder(folder: FolderTask): void {
    const path = Buffer.from(folder.path);
    let nodes: readonly Node[];
    try {
      nodes = selectNodes(folder.selection, this.#context.loadTree(folder.tree));
    } catch (error) {
      throwIfGone(error, this.#context);
      this.#report.problem(path, 'damaged', error.message);
      return;
    }
    this.#context.progress.path = path;
    const existing = folder.isNew ? none : this.#namesAt(path);
    // That it cannot be read is said; what is in it cannot be restored.
    if (!existing) return;
    const { options } = this.#task;
    const inherits = !folder.isNew && options.act && hasDefaultAcl(path);
    const here: Here = { folder, path, inherits, names: undefined, existing, nodes, keeper: this.#keeperOf(folder, path) };
    if (existing.size > 0) this.#clearLeftOvers(path, existing);
    if (existing.size > 0 && options.delete && folder.inSource && !folder.selection) this.#deleteOthers(here);
    const children: FolderTask[] = [];
    for (const node of nodes) {
      this.#context.control.checkpoint();
      this.#count += 1;
      const place = joinPath(path, node.name);
      if (place.length > longestPath) {
        this.#report.giveUp(place, new Error('its path is longer than this system can handle'));
        continue;
      }
      const name = node.name.toString('latin1');
      const whyNot = this.#reserved.whyNot(place, name, existing.has(name));
      if (whyNot !== undefined) {
        if (whyNot === '') this.#report.notRestored(place);
        else this.#report.giveUp(place, new Error(whyNot));
        continue;
      }
      try {
        const stat = existing.has(name) ? lstatSync(place, { bigint: true, throwIfNoEntry: false }) : undefined;
        if (node.type === 'dir') this.#enter(here, node, place, stat, children);
        else this.#entry(here, node, place, stat);
      } catch (error) {
        if (error instanceof HoldfastError) throw error;
        throwIfFatal(error, path);
        this.#report.giveUp(place, error as Error);
      }
    }
    for (let i = children.length - 1; i >= 0; i--) this.#stack.push(children[i]);
  }

  #keeperOf(folder: FolderTask, path: Buffer): FolderKeeper {
    const { act, keeping } = this.#task.options;
    if (!act || folder.isNew || !keeping) return keepsNothing;
    if (keeping.kind === 'dated') return datedKeeper(keeping.dated);
    const recorded = new RecordedFolder(this.#log!, path);
    if (folder.isTarget && this.#log!.own) {
      const stat = lstatSync(path, { bigint: true });
      if (!hasMetadata(path, parseNode(this.#log!.own), stat)) recorded.own(stat);
    }
    return recorded;
  }

  #do({ keeper }: Here, place: Buffer, act: () => void): void {
    this.#acts.do(keeper, place, (error) => this.#report.giveUp(place, error), act);
  }

  #namesAt(path: Buffer): ReadonlySet<string> | undefined {
    try {
      this.#report.mount(path, statSync(path, { bigint: true }).dev);
      return new Set((readdirSync(path, { encoding: 'buffer' }) as Buffer[]).map((name) => name.toString('latin1')));
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return none;
      throwIfFatal(error, path);
      this.#report.giveUp(path, error as Error);
      return undefined;
    }
  }

  /** What runs that were cut off have left is nobody's any more. */
  #clearLeftOvers(path: Buffer, existing: ReadonlySet<string>): void {
    const { act, parts } = this.#task.options;
    if (act)
      for (const name of existing) if (isPart(name) && isLeftOver(name, parts)) unlinkQuietly(joinPath(path, Buffer.from(name, 'latin1')));
  }

  #deleteOthers(here: Here): void {
    const { path, nodes, existing, keeper } = here;
    const { act, keeping } = this.#task.options;
    const wanted = new Set(nodes.map((node) => node.name.toString('latin1')));
    const { dev } = lstatSync(path, { bigint: true });
    for (const text of existing) {
      // What another run is writing just now is not part of what is there, nor is what an undo needs.
      if (wanted.has(text) || isPart(text)) continue;
      const place = joinPath(path, Buffer.from(text, 'latin1'));
      const failed = (error: Error): void => this.#report.problem(place, 'failed', error.message);
      try {
        const stat = lstatSync(place, { bigint: true, throwIfNoEntry: false });
        if (!stat) continue;
        const whyKept = this.#reserved.whyKept(place, text);
        if (whyKept === '') continue;
        if (whyKept !== undefined) throw new Error(whyKept);
        // No backup holds the repository that it is in.
        if (this.#repository && isInside(this.#repository, place)) continue;
        const { bytes, objection } = examine(place, stat, dev, this.#repository);
        this.#report.plan(place, undefined, objection === undefined ? 'delete' : 'keep', stat);
        if (objection !== undefined) throw new Error(objection);
        if (!keeping) this.#report.freed += bytes;
        if (!act) continue;
        const keep = keeper.takes(place, stat);
        this.#acts.do(keeper, place, failed, () => takeAway(place, stat, keep));
      } catch (error) {
        if (error instanceof HoldfastError) throw error;
        throwIfFatal(error, place);
        failed(error as Error);
      }
    }
  }

  #enter(here: Here, node: Node, place: Buffer, found: BigIntStats | undefined, children: FolderTask[]): void {
    const { options } = this.#task;
    const { folder, keeper } = here;
    if (this.#repository?.equals(place)) {
      this.#report.plan(place, node, 'keep', found);
      this.#report.giveUp(place, new Error('the repository itself is there'));
      return;
    }
    const selection = selectionIn(folder.selection, node.name);
    // A snapshot names its sources as text.
    const shown = folder.sources.length > 0 ? Buffer.from(displayPath(node.name)) : node.name;
    const sources = selectionIn(folder.sources, shown) ?? [];
    const inSource = folder.inSource || isSelected(folder.sources, shown);
    const onTheWay = !inSource || selection !== undefined;
    // Of what only leads there and exists, nothing is the backup's to change.
    const isOnlyWay = onTheWay && options.isOriginal;
    const meet = (target: Buffer, isNew: boolean, into: FolderTask[]): void => {
      this.#report.figures.folders += 1;
      this.#context.progress.add('dirs', 1);
      if (options.act && (isNew || !isOnlyWay)) this.#report.met(target, node, isNew);
      const tree = new Uint8Array(node.subtree!);
      into.push({ tree, path: new Uint8Array(target), selection, isNew, inSource, sources, isTarget: false });
    };
    // A link to a folder is not that folder: nothing is ever written through it. But what lay above the sources when they were
    // backed up was found through links too, and is found there again.
    const stat = options.isOriginal && !inSource && found?.isSymbolicLink() ? statSync(place, { bigint: true }) : found;
    if (stat?.isDirectory()) {
      if (options.act && !isOnlyWay) this.#prepareFolder(here, node, place, stat);
      meet(place, false, children);
      return;
    }
    // Of two folders both are kept by merging them; here, something else has the name.
    const action = decide(node, found, options.policy);
    const target = action === 'beside' ? this.#beside(here, node, place) : place;
    this.#report.plan(place, node, action === 'compare' ? 'replace' : action, found, target);
    if (action === 'keep') {
      this.#report.giveUp(place, new Error('a file stands where this folder belongs, and it was kept'));
      return;
    }
    if (!options.act) {
      meet(target, true, children);
      return;
    }
    const replaced = action === 'beside' ? undefined : found;
    const keep = keeper.makes(target, replaced, node);
    this.#do(here, place, () => {
      if (replaced) takeAway(place, replaced, keep);
      const isNew = makeFolder(target, here.inherits);
      // If the run is cut off, nobody could tell any more that it has made this folder.
      if (isNew && isOnlyWay) this.#metadata(target, node, false);
      meet(target, isNew, keeper.defers ? this.#later : children);
    });
  }

  /** An existing folder whose own properties will be set at the end. */
  #prepareFolder({ keeper }: Here, node: Node, place: Buffer, stat: BigIntStats): void {
    const isClosed = !isRoot && isClosedToOwner(stat);
    if (keeper.defers && (isClosed || !hasMetadata(place, node, stat))) keeper.facts(place, stat);
    if (!isClosed) return;
    this.#acts.flush();
    openForOwner(place, stat);
  }

  #entry(here: Here, node: Node, place: Buffer, stat: BigIntStats | undefined): void {
    if (node.type === 'socket' || node.type === 'irregular') return;
    const { options } = this.#task;
    const { folder, keeper } = here;
    const action = this.#comparison.actionFor(node, place, stat);
    const isHardLinked = node.type === 'file' && node.links > 1;
    if (action === 'keep') {
      this.#report.plan(place, node, action, stat);
      this.#report.notRestored(place);
      // What an earlier run has restored still stands for the further names of its file.
      if (isHardLinked && stat?.mtimeNs === node.mtimeNs && this.#comparison.holds(node, place, stat))
        this.#stands(here, node, place, stat);
      return;
    }
    if (action === 'same') {
      this.#same(here, node, place, place, stat!);
      return;
    }
    if (action === 'beside') {
      const earlier = this.#comparison.restoredBefore(here.path, this.#namesIn(here), node);
      if (earlier) {
        this.#same(here, node, place, earlier.path, earlier.stat);
        return;
      }
    }
    const replaced = action === 'replace' ? stat : undefined;
    if (replaced?.isDirectory()) {
      const mayEmpty = options.delete && folder.inSource && !folder.selection;
      const examined = examine(place, replaced, replaced.dev, this.#repository);
      const { bytes } = examined;
      const objection = this.#reserved.holds(place) ? 'Holdfast keeps something of its own there' : examined.objection;
      if (objection !== undefined || (!mayEmpty && !isEmptyFolder(place))) {
        this.#report.plan(place, node, 'keep', stat);
        this.#report.giveUp(place, new Error(objection ?? 'a folder that is not empty stands where this file belongs'));
        return;
      }
      if (!options.keeping) this.#report.freed += bytes;
    } else if (replaced?.isFile() && replaced.nlink === 1n && !keepsReplaced(options.keeping)) this.#report.freed += Number(replaced.size);
    const target = action === 'beside' ? this.#beside(here, node, place) : place;
    this.#report.plan(place, node, action, stat, target);
    // Without acting, only which files are one and the same matters: they need their space once.
    const flags = (isHardLinked ? fileFlags.hardLinked : 0) | (here.inherits ? fileFlags.inherits : 0);
    if (!options.act) {
      if (isHardLinked) this.#report.file(target, node, flags, undefined);
      return;
    }
    const keep = keeper.makes(target, replaced, node);
    if (node.type === 'file' && !replaced?.isDirectory()) {
      this.#report.file(target, node, flags, keep);
      return;
    }
    this.#do(here, place, () => {
      if (replaced?.isDirectory()) takeAway(place, replaced, keep);
      if (node.type === 'file') this.#report.file(target, node, flags, keep);
      else this.#makeSpecial(target, node, here.inherits, keep);
    });
  }

  /** What is at `found` is what `node` holds; `found` is `place`, or another name that an earlier run has given it. */
  #same(here: Here, node: Node, place: Buffer, found: Buffer, stat: BigIntStats): void {
    const { act, policy } = this.#task.options;
    this.#report.plan(place, node, 'same', stat, found);
    if (found !== place) this.#report.elsewhere(place, found);
    if (act) {
      // A file that keep-both leaves alone is the person's own, also in its metadata.
      if (policy !== 'keep-both' || found !== place) this.#setMetadata(here, found, node, stat);
      this.#context.progress.add('files', 1);
      this.#context.progress.add('bytes', node.size);
    }
    // By its time alone a file may count as the same, but its content must not get further names unseen.
    if (node.type === 'file' && node.links > 1 && (policy !== 'if-changed' || this.#comparison.holds(node, found, stat)))
      this.#stands(here, node, found, stat);
  }

  /** The file at `place` is restored already; further names in the snapshot become further names of it. */
  #stands({ keeper }: Here, node: Node, place: Buffer, stat: BigIntStats): void {
    const { policy, act } = this.#task.options;
    const stays = policy === 'keep-both' || policy === 'never' || policy === 'if-newer';
    const flags = fileFlags.isThere | fileFlags.hardLinked | (stays ? fileFlags.stays : 0);
    // It may itself become a further name of another, in its place.
    this.#report.file(place, node, flags, act && !stays ? keeper.makes(place, stat, node) : undefined);
  }

  #beside(here: Here, node: Node, place: Buffer): Buffer {
    const target = joinPath(here.path, this.#namesIn(here).free(node.name));
    this.#report.elsewhere(place, target);
    return target;
  }

  #namesIn(here: Here): BesideNames {
    here.names ??= new BesideNames(here.existing, here.nodes, this.#task.options.stamp);
    return here.names;
  }

  /** Of a file that is the same already. */
  #setMetadata(here: Here, place: Buffer, node: Node, stat: BigIntStats): void {
    if (!here.keeper.defers) {
      this.#metadata(place, node, stat);
      return;
    }
    if (hasMetadata(place, node, stat)) return;
    here.keeper.facts(place, stat, node.mtimeNs);
    this.#do(here, place, () => this.#metadata(place, node, stat));
  }

  #metadata(place: Buffer, node: Node, existing: BigIntStats | boolean): void {
    for (const detail of applyMetadata(place, node, existing)) this.#report.problem(place, 'metadata', detail);
  }

  #makeSpecial(place: Buffer, node: Node, inherits: boolean, keep: Buffer | undefined): void {
    const { parts } = this.#task.options;
    const growing = partPath(place, `${parts.run}-w${this.#context.start.number}`, this.#nextPart());
    makeSpecial(growing, node);
    for (const detail of applyMetadata(growing, node, inherits)) this.#report.problem(place, 'metadata', detail);
    putInPlace(growing, place, keep);
    this.#context.progress.add('files', 1);
  }

  /** A number that no other part file of this worker has. */
  #nextPart(): number {
    const { state } = this.#context;
    const number = ((state.get(partsMade) as number | undefined) ?? 0) + 1;
    state.set(partsMade, number);
    return number;
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
  readonly keeper: FolderKeeper;
}

const partsMade = 'restore: parts made';
const isRoot = process.getuid?.() === 0;
const none: ReadonlySet<string> = new Set();
