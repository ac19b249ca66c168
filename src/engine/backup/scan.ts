/**
 * The worker's part of a backup: walks folders depth first, reads what changed, and stores a folder's tree as soon as its
 * last entry is done. All of it is synchronous; a worker hears from the others only through one shared number, and gives
 * work away when they have none.
 *
 * - A *task* is some entries of one folder.
 * - A *frame* is a folder on the way from the task's folder to the entry being worked on.
 * - A task that is given up half way leaves its frames *open*: the coordinator shares out the names that remain, and
 *   completes each folder when all of its pieces are there.
 */
import { type BigIntStats, lstatSync, readdirSync } from 'node:fs';
import { HoldfastError } from '../../contract/errors.ts';
import { joinList, splitList } from '../../platform/byte-list.ts';
import { joinPath, splitPath } from '../../platform/byte-paths.ts';
import type { UserNames } from '../../platform/users.ts';
import { systemUserNames } from '../../platform/users.ts';
import { formatNode } from '../../repository/tree/format.ts';
import { parseNode } from '../../repository/tree/parse.ts';
import { idBytes } from '../../repository/ids.ts';
import { type Node, nodeType } from '../../repository/tree/node.ts';
import type { WorkerContext } from '../workers/context.ts';
import { noteUnreadable } from './parent-damage.ts';
import { ParentFolder } from './parent-folder.ts';
import { createExcluder, type FolderExcluder } from './exclude.ts';
import { acrossFileSystems, isTooLarge } from './exclude-facts.ts';
import { createTagFinder, type TagFinder } from './exclude-tags.ts';
import { nodeOfEntry } from './node-of-entry.ts';
import { FileReader } from './read-file.ts';
import { noFigures, type OpenFrame, type Problem, problemOf, type ScanOptions, type ScanResult, type ScanTask } from './scan-task.ts';
import { countFile, countFolder, storeTree } from './store-tree.ts';

/** Work that a task does at least before it is shared, so that sharing stays a small part of all: entries, and bytes. */
const leastEntries = 48;
const leastBytes = 4 << 20;
/** From this size on a file is a task of its own, since it cannot be interrupted for sharing. In bytes. */
const largeFile = 32 << 20;

interface Frame {
  readonly path: Buffer;
  readonly excluder: FolderExcluder | undefined;
  readonly source: Buffer | undefined;
  readonly device: bigint | undefined;
  readonly parentTree: Uint8Array | undefined;
  /** Undefined when there is none, or it cannot be read any further. */
  parent: ParentFolder | undefined;
  readonly names: readonly Buffer[];
  next: number;
  /** Every entry so far is in the parent's tree as it is, and none that is there is missing. */
  same: boolean;
  /** How many entries so far belong into the folder's tree. */
  done: number;
  /** They themselves; empty while they are the same as the parent's. */
  readonly doneNames: Buffer[];
  readonly doneNodes: (string | Uint8Array)[];
  /** The folder's own node, its stored node in the parent, if any, and its name; undefined for the task's folder. */
  readonly own: { readonly name: Buffer; readonly node: Node; readonly before: Node | undefined } | undefined;
}

interface ScanState {
  readonly options: ScanOptions;
  readonly reader: FileReader;
  readonly users: UserNames;
  readonly tags: TagFinder | undefined;
  /** The excluder of each source's top, by path. */
  readonly excluders: Map<string, FolderExcluder>;
}

const stateName = 'backup';

/** Job: prepares a worker for the tasks of a run. */
export function beginScan(options: ScanOptions, context: WorkerContext): void {
  const reader = new FileReader(context, noFigures().data);
  // A tag that does not count leaves its folder as it is: nothing is missing from the backup, so nothing is said.
  const tags = options.rules.tags.length > 0 ? createTagFinder(options.rules.tags, () => {}) : undefined;
  context.state.set(stateName, { options, reader, users: systemUserNames(), tags, excluders: new Map() } satisfies ScanState);
}

/** The excluder in `path`, which is `source` or a folder below it. */
function excluderFor(state: ScanState, source: Buffer, path: Buffer): FolderExcluder {
  const key = source.toString('latin1');
  let folder = state.excluders.get(key);
  if (!folder) state.excluders.set(key, (folder = createExcluder(state.options.rules, source).root));
  for (const name of splitPath(path.subarray(source.length))) folder = folder.enter(name);
  return folder;
}

/** Job: works on a task until it is done or others have nothing to do. */
export function scan(task: ScanTask, context: WorkerContext): ScanResult {
  return new Scan(context, context.state.get(stateName) as ScanState).run(task);
}

const nodeBytes = (node: string | Uint8Array): Uint8Array => (typeof node === 'string' ? Buffer.from(node) : node);

/** From now on the folder has entries of its own. */
function differ(frame: Frame): void {
  if (!frame.same) return;
  frame.same = false;
  frame.parent?.forFirst(frame.done, (node) => {
    frame.doneNames.push(node.name);
    frame.doneNodes.push(node.raw!);
  });
}

/** Adds an entry to those that are done; `same` when the parent has it as it is. */
function addDone(frame: Frame, name: Buffer, node: string | Uint8Array, same: boolean): void {
  if (!same) differ(frame);
  frame.done += 1;
  if (frame.same) return;
  frame.doneNames.push(name);
  frame.doneNodes.push(node);
}

function joinDone(frame: Frame): Uint8Array {
  differ(frame);
  const items: Uint8Array[] = [];
  for (let i = 0; i < frame.doneNames.length; i++) items.push(frame.doneNames[i], nodeBytes(frame.doneNodes[i]));
  return joinList(items);
}

class Scan {
  readonly #context: WorkerContext;
  readonly #state: ScanState;
  readonly #figures = noFigures();
  readonly #problems: Problem[] = [];
  readonly #stack: Frame[] = [];
  #entries = 0;
  #alone = false;
  #bytesBefore = 0;

  constructor(context: WorkerContext, state: ScanState) {
    this.#context = context;
    this.#state = state;
  }

  run(task: ScanTask): ScanResult {
    const { progress, control } = this.#context;
    this.#bytesBefore = progress.get('bytes');
    const before = { ...this.#state.reader.figures };
    const path = Buffer.from(task.path);
    this.#stack.push(
      this.#frame(path, task.source && Buffer.from(task.source), task.device, task.parentTree, splitList(task.names), undefined),
    );
    const [bottom] = this.#stack;
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
      this.#entries += 1;
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

  #frame(
    path: Buffer,
    source: Buffer | undefined,
    device: bigint | undefined,
    parentTree: Uint8Array | undefined,
    names: readonly Buffer[],
    own: Frame['own'],
    excluder?: FolderExcluder,
  ): Frame {
    const parent = parentTree && this.#parentFolder(parentTree);
    return {
      path,
      source,
      device,
      parentTree,
      parent,
      excluder: source ? (excluder ?? excluderFor(this.#state, source, path)) : undefined,
      names,
      next: 0,
      same: parent !== undefined,
      done: 0,
      doneNames: [],
      doneNodes: [],
      own,
    };
  }

  /** A parent's tree that cannot be read costs time, not data: everything in it is read again. */
  #parentFolder(tree: Uint8Array): ParentFolder | undefined {
    try {
      return new ParentFolder(tree, new Uint8Array(this.#context.loadBlob('tree', tree)));
    } catch (error) {
      noteUnreadable(error, tree, this.#context);
      return undefined;
    }
  }

  #visit(frame: Frame, name: Buffer): boolean {
    const path = joinPath(frame.path, name);
    const before = this.#parentNode(frame, name);
    let stat: BigIntStats;
    try {
      stat = lstatSync(path, { bigint: true });
    } catch (error) {
      this.#report(frame, path, error);
      return true;
    }
    const isDirectory = stat.isDirectory();
    if (frame.excluder && this.#isExcluded(frame.excluder, frame.device!, name, stat, isDirectory)) {
      if (before) differ(frame);
      return true;
    }
    if (isDirectory) {
      this.#enter(frame, path, name, stat, before);
      return true;
    }
    if (stat.isFile()) {
      if (before && this.#isUnchanged(before, stat)) {
        this.#keep(frame, name, before, stat);
        return true;
      }
      if (stat.size >= largeFile && this.#hasMore) return false;
    }
    this.#store(frame, path, name, stat, before);
    return true;
  }

  #isExcluded(excluder: FolderExcluder, device: bigint, name: Buffer, stat: BigIntStats, isDirectory: boolean): boolean {
    const { rules } = this.#state.options;
    if (excluder.excludes(name, isDirectory) || isTooLarge(rules.largerThan, Number(stat.size), isDirectory)) return true;
    // Everything in a folder of another file system is left out with that folder's entries, so its folder is on the source's.
    return rules.oneFileSystem && acrossFileSystems(stat.dev, device, device, isDirectory) === 'leave-out';
  }

  /** The parent's node of this name. */
  #parentNode(frame: Frame, name: Buffer): Node | undefined {
    try {
      const node = frame.parent?.find(name);
      if (frame.parent?.allFound === false) differ(frame);
      return node;
    } catch (error) {
      noteUnreadable(error, frame.parentTree!, this.#context);
      differ(frame);
      frame.parent = undefined;
      return undefined;
    }
  }

  #isUnchanged(before: Node, stat: BigIntStats): boolean {
    if (before.type !== 'file' || before.content === null || BigInt(before.size) !== stat.size) return false;
    if (before.mtimeNs !== stat.mtimeNs || before.ctimeNs !== stat.ctimeNs || before.inode !== stat.ino) return false;
    for (let at = 0; at < before.content.length; at += idBytes) if (!this.#context.index.has(before.content, at, 'data')) return false;
    return true;
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
      differ(frame);
      return;
    }
    const parentTree = before?.type === 'dir' ? (before.subtree ?? undefined) : undefined;
    const source = frame.source ?? path;
    const device = frame.device ?? stat.dev;
    this.#context.progress.path = path;
    try {
      const node = nodeOfEntry(path, name, stat, users);
      const excluder = frame.excluder ? frame.excluder.enter(name) : excluderFor(this.#state, source, path);
      const isOther = options.rules.oneFileSystem && acrossFileSystems(stat.dev, device, device, true) === 'store-empty';
      const names = isOther ? [] : this.#list(path);
      this.#stack.push(this.#frame(path, source, device, parentTree, names, { name, node, before }, excluder));
    } catch (error) {
      if (error instanceof HoldfastError) throw error;
      this.#report(frame, path, error);
    }
  }

  #list(path: Buffer): Buffer[] {
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
  }

  #report(frame: Frame, path: Buffer, error: unknown): void {
    differ(frame);
    const unsupported: Problem = { path: new Uint8Array(path), kind: 'unsupported', detail: 'it is neither file, folder, link nor device' };
    this.#problems.push(error === undefined ? unsupported : problemOf(path, error));
  }
}

function openFrame(frame: Frame): OpenFrame {
  const { name, node, before } = frame.own!;
  return {
    path: new Uint8Array(frame.path),
    parentTree: frame.parentTree && new Uint8Array(frame.parentTree),
    source: new Uint8Array(frame.source!),
    device: frame.device!,
    name: new Uint8Array(name),
    node: formatNode(node),
    before: before?.raw && new Uint8Array(before.raw),
    done: joinDone(frame),
    remaining: joinList(frame.names.slice(frame.next)),
  };
}
