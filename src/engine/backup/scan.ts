/**
 * The worker's part of a backup: walks folders depth first, reads what changed, and stores a folder's tree as soon as its
 * last entry is done. All of it is synchronous; a worker hears from the others only through one shared number, and gives
 * work away when they have none.
 *
 * - A *task* is some entries of one folder.
 * - A *frame* is a folder on the way from the task's folder to the entry being worked on.
 * - With a journal folders are *trusted*, *passed through* or looked at (changed-folders.ts).
 * - A task that is given up half way leaves its frames *open*: the coordinator shares out the names that remain, and
 *   completes each folder when all of its pieces are there.
 */
import { type BigIntStats, lstatSync, readdirSync } from 'node:fs';
import { HoldfastError } from '../../contract/errors.ts';
import { joinList, splitList } from '../../platform/byte-list.ts';
import { joinPath } from '../../platform/byte-paths.ts';
import { formatNode } from '../../repository/tree/format.ts';
import { parseNode } from '../../repository/tree/parse.ts';
import { type Node, nodeType } from '../../repository/tree/node.ts';
import type { WorkerContext } from '../workers/context.ts';
import { findVisit, type Visit, visitOf, visitsIn } from './changed-folders.ts';
import type { FolderExcluder } from './exclude.ts';
import { acrossFileSystems, isTooLarge } from './exclude-facts.ts';
import { nodeOfEntry } from './node-of-entry.ts';
import { addDone, differ, type Frame, joinDone, openFrame } from './scan-frame.ts';
import { ScanNotes } from './scan-notes.ts';
import { isUnchanged, lookAt, namesInParent, nodeInParent, openParent } from './scan-parent.ts';
import { excluderFor, type ScanState, scanStateIn } from './scan-state.ts';
import { isGone, type Look, noFigures, type Problem, problemOf, type ScanResult, type ScanTask } from './scan-task.ts';
import { countFile, countFolder, storeTree } from './store-tree.ts';

/** Work that a task does at least before it is shared, so that sharing stays a small part of all: entries, and bytes. */
const leastEntries = 48;
const leastBytes = 4 << 20;
/** From this size on a file is a task of its own, since it cannot be interrupted for sharing. In bytes. */
const largeFile = 32 << 20;

/** Job: works on a task until it is done or others have nothing to do. */
export function scan(task: ScanTask, context: WorkerContext): ScanResult {
  return new Scan(context, scanStateIn(context)).run(task);
}

interface Place {
  readonly path: Buffer;
  readonly source: Buffer | undefined;
  readonly device: bigint | undefined;
  readonly look: Look;
  readonly visit: Visit | undefined;
  readonly parentTree: Uint8Array | undefined;
}

class Scan {
  readonly #context: WorkerContext;
  readonly #state: ScanState;
  readonly #figures = noFigures();
  readonly #problems: Problem[] = [];
  readonly #stack: Frame[] = [];
  readonly #notes: ScanNotes;
  readonly #visits: Visit | undefined;
  #entries = 0;
  #alone = false;
  #bytesBefore = 0;

  constructor(context: WorkerContext, state: ScanState) {
    const { visits } = state.options;
    this.#context = context;
    this.#state = state;
    this.#visits = visitsIn(context);
    this.#notes = new ScanNotes(context, visits !== undefined && !visits.compare);
  }

  run(task: ScanTask): ScanResult {
    const { progress, control } = this.#context;
    this.#bytesBefore = progress.get('bytes');
    const before = { ...this.#state.reader.figures };
    const path = Buffer.from(task.path);
    const source = task.source && Buffer.from(task.source);
    const { device, look, parentTree } = task;
    const bottom = this.#frame({ path, source, device, look, visit: findVisit(this.#visits, path), parentTree }, splitList(task.names));
    this.#stack.push(bottom);
    this.#notes.begin(bottom, task.counts);
    for (;;) {
      const frame = this.#stack[this.#stack.length - 1];
      if (frame.next >= frame.names.length) {
        if (frame === bottom) break;
        this.#complete(frame);
        continue;
      }
      control.checkpoint();
      if (this.#shouldShare) break;
      const name = frame.names[frame.next++];
      // What is only passed by is no work worth sharing.
      if (frame.look !== 'passed') this.#entries += 1;
      if (!this.#visit(frame, name)) {
        // A large file with other work around it: it goes back and becomes a task of its own.
        frame.next -= 1;
        this.#alone = true;
        break;
      }
    }
    const { data } = this.#figures;
    const { figures } = this.#state.reader;
    data.blobs = figures.blobs - before.blobs;
    data.bytes = figures.bytes - before.bytes;
    data.packed = figures.packed - before.packed;
    return {
      done: joinDone(bottom),
      remaining: joinList(bottom.names.slice(bottom.next)),
      alone: this.#alone,
      open: this.#stack.slice(1).map(openFrame),
      figures: this.#figures,
      problems: this.#problems,
      findings: this.#notes.findings.result(),
    };
  }

  get #shouldShare(): boolean {
    if (!this.#context.othersIdle) return false;
    return this.#entries >= leastEntries || this.#context.progress.get('bytes') - this.#bytesBefore >= leastBytes;
  }

  /** Whether anything remains beside the entry that was just taken. */
  get #hasMore(): boolean {
    return this.#stack.some((frame) => frame.next < frame.names.length);
  }

  #frame(place: Place, names: readonly Buffer[] | undefined, own?: Frame['own'], excluder?: FolderExcluder): Frame {
    const { path, source, parentTree } = place;
    const parent = parentTree && openParent(parentTree, this.#context);
    // Of one that is only passed through what its parent has is what it has.
    const passed = names ?? (parent && namesInParent(parent, this.#context));
    return {
      ...place,
      look: (names ?? passed) ? place.look : 'all',
      parent,
      excluder: source ? (excluder ?? excluderFor(this.#state, source, path)) : undefined,
      names: names ?? passed ?? this.#list(path),
      next: 0,
      same: parent !== undefined,
      done: 0,
      doneNames: [],
      doneNodes: [],
      hasLinks: false,
      own,
    };
  }

  #visit(frame: Frame, name: Buffer): boolean {
    const before = nodeInParent(frame, name, this.#context);
    if (frame.look === 'passed' && before && !visitOf(frame.visit, name)) {
      addDone(frame, name, before.raw!, true);
      return true;
    }
    const path = joinPath(frame.path, name);
    let stat: BigIntStats;
    try {
      stat = lstatSync(path, { bigint: true });
    } catch (error) {
      this.#notes.came(frame, before, false);
      // Where nothing was listed nobody has said that it is there.
      if (frame.look === 'passed' && isGone(error)) differ(frame);
      else this.#report(frame, path, error);
      return true;
    }
    const isDirectory = stat.isDirectory();
    const isExcluded = frame.excluder !== undefined && this.#isExcluded(frame.excluder, frame.device!, name, stat, isDirectory);
    const isKept = !isExcluded && stat.isFile() && before !== undefined && isUnchanged(before, stat, this.#context);
    if (!isExcluded && !isKept && stat.isFile() && stat.size >= largeFile && this.#hasMore) return false;
    this.#notes.came(frame, before, isDirectory && !isExcluded);
    if (isExcluded) {
      if (before) differ(frame);
      return true;
    }
    if (isDirectory) {
      this.#enter(frame, path, name, stat, before);
      return true;
    }
    if (stat.isFile() && stat.nlink > 1n) this.#notes.linked(frame, stat, before);
    if (isKept) this.#keep(frame, name, before!, stat);
    else this.#store(frame, path, name, stat, before);
    return true;
  }

  #isExcluded(excluder: FolderExcluder, device: bigint, name: Buffer, stat: BigIntStats, isDirectory: boolean): boolean {
    const { rules } = this.#state.options;
    if (excluder.excludes(name, isDirectory) || isTooLarge(rules.largerThan, Number(stat.size), isDirectory)) return true;
    // Everything in a folder of another file system is left out with that folder's entries, so its folder is on the source's.
    return rules.oneFileSystem && acrossFileSystems(stat.dev, device, device, isDirectory) === 'leave-out';
  }

  #keep(frame: Frame, name: Buffer, before: Node, stat: BigIntStats): void {
    // Whatever a node says changes the change time too, except the number of its device, which may differ after a restart.
    const same = before.deviceId === stat.dev;
    addDone(frame, name, same ? before.raw! : formatNode({ ...parseNode(before.raw!), deviceId: stat.dev }), same);
    this.#figures.filesUnmodified += 1;
    this.#figures.totalBytes += before.size;
    this.#context.progress.add('files', 1);
    this.#context.progress.add('bytes', before.size);
  }

  #store(frame: Frame, path: Buffer, name: Buffer, stat: BigIntStats, before: Node | undefined): void {
    const type = nodeType(Number(stat.mode));
    if (type === 'socket') {
      if (before) differ(frame);
      return;
    }
    if (type === 'irregular') {
      this.#report(frame, path, undefined);
      return;
    }
    const { progress } = this.#context;
    try {
      let node: Node;
      if (type === 'file') {
        progress.path = path;
        const { content, size, changed } = this.#state.reader.read(path, stat);
        // What was there before reading: a file that changed meanwhile differs from its node, so that the next run reads it again.
        node = nodeOfEntry(path, name, stat, this.#state.users);
        node.content = content;
        node.size = size;
        if (changed) this.#problems.push({ path: new Uint8Array(path), kind: 'changed', detail: 'it was written to while it was read' });
        this.#figures.totalBytes += size;
        progress.add('files', 1);
      } else node = nodeOfEntry(path, name, stat, this.#state.users);
      const same = this.#finish(frame, name, node, before);
      if (type === 'file') countFile(this.#figures, before !== undefined, same);
    } catch (error) {
      if (error instanceof HoldfastError) throw error;
      this.#report(frame, path, error);
    }
  }

  /** Whether the parent's node says the same. */
  #finish(frame: Frame, name: Buffer, node: Node, before: Node | undefined): boolean {
    const text = formatNode(node);
    const raw = before?.raw;
    const same = raw !== undefined && raw.length === Buffer.byteLength(text) && Buffer.compare(raw, Buffer.from(text)) === 0;
    addDone(frame, name, text, same);
    return same;
  }

  #enter(frame: Frame, path: Buffer, name: Buffer, stat: BigIntStats, before: Node | undefined): void {
    const { options, users } = this.#state;
    if (options.leftOut.some(({ device, inode }) => inode === stat.ino && device === stat.dev)) {
      this.#notes.lost(before);
      differ(frame);
      return;
    }
    const parentTree = before?.type === 'dir' ? (before.subtree ?? undefined) : undefined;
    const visit = frame.visit?.isWhole === true ? frame.visit : visitOf(frame.visit, name);
    const look = frame.look === 'all' || before === undefined ? 'all' : lookAt(visit, stat, before);
    if (look === 'trusted') {
      addDone(frame, name, before!.raw!, true);
      this.#figures.dirsUnmodified += 1;
      return;
    }
    const source = frame.source ?? path;
    const device = frame.device ?? stat.dev;
    this.#context.progress.path = path;
    try {
      const node = nodeOfEntry(path, name, stat, users);
      const excluder = frame.excluder ? frame.excluder.enter(name) : excluderFor(this.#state, source, path);
      const isOther = options.rules.oneFileSystem && acrossFileSystems(stat.dev, device, device, true) === 'store-empty';
      const names = isOther ? [] : look === 'passed' ? undefined : this.#list(path);
      const entered = this.#frame({ path, source, device, look, visit, parentTree }, names, { name, node, before }, excluder);
      this.#notes.entered(entered);
      this.#stack.push(entered);
    } catch (error) {
      if (error instanceof HoldfastError) throw error;
      this.#notes.lost(before);
      this.#report(frame, path, error);
    }
  }

  #list(path: Buffer): Buffer[] {
    this.#notes.findings.visited += 1;
    const names = (readdirSync(path, { encoding: 'buffer' }) as Buffer[]).sort(Buffer.compare);
    const isLeftOut = this.#state.tags?.find(path);
    return isLeftOut ? names.filter((name) => !isLeftOut(name)) : names;
  }

  /** The frame on top of the stack has no entries left: its tree is stored and its node goes to the folder above. */
  #complete(frame: Frame): void {
    const { own, parentTree } = frame;
    this.#stack.pop();
    const above = this.#stack[this.#stack.length - 1];
    // Nothing differs and nothing is gone: the parent's tree is this folder's, as long as it is stored.
    const isParent = frame.same && !frame.parent!.hasMore && this.#context.index.has(parentTree!, 0, 'tree');
    if (!isParent) differ(frame);
    own!.node.subtree = isParent ? Buffer.from(parentTree!) : storeTree(this.#context, this.#figures, frame.doneNodes);
    const same = this.#finish(above, own!.name, own!.node, own!.before);
    countFolder(this.#figures, own!.before !== undefined, same);
    this.#context.progress.add('dirs', 1);
    if (!isParent && this.#state.options.visits?.compare) this.#notes.compare(frame);
  }

  #report(frame: Frame, path: Buffer, error: unknown): void {
    differ(frame);
    const unsupported: Problem = { path: new Uint8Array(path), kind: 'unsupported', detail: 'it is neither file, folder, link nor device' };
    this.#problems.push(error === undefined ? unsupported : problemOf(path, error));
  }
}
