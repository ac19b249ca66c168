/**
 * The worker's part of an export that meets the entries of a snapshot, in the order of a listing: a folder before what is in it.
 * The walk keeps its place in the worker, which is why one and the same worker does all of it; a folder is read entry by entry,
 * so that one with a million entries takes little more than its text.
 */
import { joinPath } from '../../platform/byte-paths.ts';
import { joinList } from '../../platform/byte-list.ts';
import { emptyLocation } from '../../repository/blob-index.ts';
import { sealOverhead } from '../../repository/crypto.ts';
import { idBytes } from '../../repository/ids.ts';
import { type Node, type NodeType, unixMode } from '../../repository/tree/node.ts';
import { TreeReader } from '../../repository/tree/parse.ts';
import { createExcluder, type ExcludeRules, type FolderExcluder } from '../backup/exclude.ts';
import { throwIfGone } from '../restore/failures.ts';
import { type Selection, selectionIn, selectionNames } from '../restore/selection.ts';
import type { WorkerContext } from '../workers/context.ts';
import type { ExportProblem } from './problem.ts';
import { EntryListBuilder } from './zip-entry.ts';
import { longestName } from './zip-format.ts';
import { ZipNames } from './zip-names.ts';

export interface ExportWalkStart {
  /** ID of the tree. */
  readonly tree: Uint8Array;
  /** Where it stands in the snapshot: absolute. */
  readonly path: Uint8Array;
  readonly selection: Selection;
  /** Only what matches one of these; undefined: everything. */
  readonly include: ExcludeRules | undefined;
  readonly exclude: ExcludeRules | undefined;
}

/** What was met, apart from what is in the list. Bytes are those of the content of files. */
export interface ExportFigures {
  files: number;
  folders: number;
  links: number;
  bytes: number;
  /** Files that have further names in the snapshot; each is a file of its own in the ZIP. */
  hardLinked: number;
  /** Entries with extended attributes or access lists, which a ZIP does not hold. */
  withAttributes: number;
  /** Entries that have another name in the ZIP. */
  renamed: number;
}

export const noExportFigures = (): ExportFigures => ({
  files: 0,
  folders: 0,
  links: 0,
  bytes: 0,
  hardLinked: 0,
  withAttributes: 0,
  renamed: 0,
});

export interface ExportWalkStep {
  /** See zip-entry.ts. */
  readonly entries: Uint8Array;
  readonly figures: ExportFigures;
  /** A joined list of path and name in the ZIP, for entries whose own name could not stay. */
  readonly renamed: Uint8Array;
  readonly problems: readonly ExportProblem[];
  /** Folders met. */
  readonly folders: number;
  readonly isDone: boolean;
}

/** A walk gives back what it has after so many entries, or nodes looked at. */
const entriesAtOnce = 2_000;
const nodesAtOnce = 20_000;

/** In bytes; twice what Linux takes. A hostile tree must not make paths of gigabytes. */
const longestPath = 8192;

const stateName = 'export';

/** Job: puts the walk at its beginning. */
export function beginExportWalk(start: ExportWalkStart, context: WorkerContext): void {
  context.state.set(stateName, new ExportWalk(start, context));
}

/** Job: goes on. */
export function walkExport(_: undefined, context: WorkerContext): ExportWalkStep {
  return (context.state.get(stateName) as ExportWalk).step();
}

/** A folder whose entries are being met. */
interface OpenFolder {
  readonly reader: TreeReader;
  readonly path: Buffer;
  /** Of the folder in the ZIP, with a slash at its end; empty for the one that is exported. */
  readonly prefix: Buffer;
  readonly names: ZipNames;
  readonly selection: Selection;
  /** Names of `selection` in this folder. */
  readonly wanted: ReadonlySet<string> | undefined;
  readonly exclude: FolderExcluder | undefined;
  /** Undefined when everything below is wanted. */
  readonly include: FolderExcluder | undefined;
  /** Writes the folder's own entry and those above it, once, when the first thing in it turns out to be wanted. */
  readonly lead: () => void;
}

const types: Readonly<Record<NodeType, string>> = {
  file: 'a file',
  dir: 'a folder',
  symlink: 'a link',
  dev: 'a device',
  chardev: 'a device',
  fifo: 'a FIFO',
  socket: 'a socket',
  irregular: 'of a kind that nobody knows',
};

const nothing = new Uint8Array(0);
const slash = Buffer.from('/');
const location = emptyLocation();

class ExportWalk {
  readonly #context: WorkerContext;
  readonly #open: OpenFolder[] = [];
  readonly #start: ExportWalkStart;
  #list = new EntryListBuilder();
  #figures = noExportFigures();
  #renamed: Uint8Array[] = [];
  #problems: ExportProblem[] = [];
  #folders = 0;
  #begun = false;

  constructor(start: ExportWalkStart, context: WorkerContext) {
    this.#start = start;
    this.#context = context;
  }

  step(): ExportWalkStep {
    if (!this.#begun) this.#begin();
    for (let nodes = 0; this.#open.length > 0 && this.#list.length < entriesAtOnce && nodes < nodesAtOnce; nodes++) {
      this.#context.control.checkpoint();
      const folder = this.#open[this.#open.length - 1];
      const node = this.#next(folder);
      if (node) this.#meet(folder, node);
      else this.#open.pop();
    }
    const step: ExportWalkStep = {
      entries: this.#list.take(),
      figures: this.#figures,
      renamed: joinList(this.#renamed),
      problems: this.#problems,
      folders: this.#folders,
      isDone: this.#open.length === 0,
    };
    this.#figures = noExportFigures();
    this.#renamed = [];
    this.#problems = [];
    this.#folders = 0;
    if (step.isDone) this.#context.state.delete(stateName);
    return step;
  }

  #begin(): void {
    this.#begun = true;
    const { tree, path, selection, include, exclude } = this.#start;
    const base = Buffer.from(path);
    this.#enter({
      tree,
      path: base,
      prefix: Buffer.alloc(0),
      selection,
      include: include && createExcluder(include, base).root,
      exclude: exclude && createExcluder(exclude, base).root,
      lead: () => {},
    });
  }

  /** Undefined behind the last, and where the list cannot be read any further. */
  #next({ reader, path }: OpenFolder): Node | undefined {
    try {
      return reader.next();
    } catch (error) {
      throwIfGone(error, this.#context);
      this.#problem(path, 'damaged', error.message);
      return undefined;
    }
  }

  #enter(folder: Omit<OpenFolder, 'reader' | 'names' | 'wanted'> & { readonly tree: Uint8Array }): void {
    const { tree, path, prefix, selection } = folder;
    if (path.length > longestPath) {
      this.#problem(path, 'damaged', 'it lies deeper than any path leads');
      return;
    }
    let reader: TreeReader;
    let text: Buffer;
    const id = Buffer.from(tree).toString('hex');
    try {
      text = Buffer.from(this.#context.loadBlob('tree', tree));
      reader = new TreeReader(text, id);
    } catch (error) {
      throwIfGone(error, this.#context);
      this.#problem(path, 'damaged', error.message);
      return;
    }
    this.#context.progress.path = path;
    const names = new ZipNames(prefix.length === 0, () => namesIn(text, id));
    this.#open.push({ ...folder, reader, names, wanted: selection && selectionNames(selection) });
  }

  #meet(folder: OpenFolder, node: Node): void {
    const { wanted, exclude, include, path } = folder;
    if (wanted && !wanted.has(node.name.toString('latin1'))) return;
    const isFolder = node.type === 'dir';
    if (exclude?.excludes(node.name, isFolder)) return;
    const isIncluded = !include || include.excludes(node.name, isFolder);
    if (!isIncluded && !isFolder) return;
    const place = joinPath(path, node.name);
    const name = folder.names.of(node.name);
    const isRenamed = !name.equals(node.name);
    const zipped = isFolder ? Buffer.concat([folder.prefix, name, slash]) : Buffer.concat([folder.prefix, name]);
    if (zipped.length > longestName) {
      this.#problem(place, 'unsupported', 'its path is longer than a ZIP can hold');
      return;
    }
    if (node.type === 'file') this.#file(folder, node, place, zipped, isRenamed);
    else if (node.type === 'symlink') this.#link(folder, node, place, zipped, isRenamed);
    else if (node.type === 'dir') {
      let isWritten = false;
      const lead = (): void => {
        if (isWritten) return;
        isWritten = true;
        folder.lead();
        this.#figures.folders += 1;
        this.#add(node, place, zipped, isRenamed, nothing, 0, false);
      };
      if (isIncluded) lead();
      this.#folders += 1;
      this.#enter({
        tree: new Uint8Array(node.subtree!),
        path: place,
        prefix: zipped,
        selection: selectionIn(folder.selection, Buffer.from(node.name)),
        exclude: exclude?.enter(node.name),
        include: isIncluded ? undefined : include.enter(node.name),
        lead,
      });
    } else this.#problem(place, 'unsupported', `it is ${types[node.type]}, which a ZIP cannot hold`);
  }

  #file(folder: OpenFolder, node: Node, place: Buffer, zipped: Buffer, isRenamed: boolean): void {
    const content = node.content!;
    let size = 0;
    let isDense = content.length > 0;
    for (let at = 0; at < content.length; at += idBytes) {
      if (!this.#context.index.locate(content, at, 'data', location)) {
        const blob = content.toString('hex', at, at + 6);
        this.#problem(place, 'damaged', `the piece of data ${blob} is missing from the repository`);
        return;
      }
      if (location.uncompressedLength > 0) isDense = false;
      size += location.uncompressedLength || location.length - sealOverhead;
    }
    if (size !== node.size) this.#problem(place, 'metadata', `the snapshot says that it has ${node.size} bytes, but it has ${size}`);
    folder.lead();
    this.#figures.files += 1;
    this.#figures.bytes += size;
    if (node.links > 1) this.#figures.hardLinked += 1;
    this.#add(node, place, zipped, isRenamed, content, size, isDense);
  }

  #link(folder: OpenFolder, node: Node, place: Buffer, zipped: Buffer, isRenamed: boolean): void {
    const target = node.linkTarget ?? nothing;
    if (target.length === 0) {
      this.#problem(place, 'damaged', 'the snapshot does not say where this link leads');
      return;
    }
    folder.lead();
    this.#figures.links += 1;
    this.#add(node, place, zipped, isRenamed, target, target.length, true);
  }

  #add(node: Node, place: Buffer, name: Buffer, isRenamed: boolean, content: Uint8Array, size: number, isDense: boolean): void {
    if (node.xattrs.length > 0) this.#figures.withAttributes += 1;
    if (isRenamed) {
      this.#figures.renamed += 1;
      this.#renamed.push(place, name);
    }
    const path = this.#isBelowBase(place, name) ? nothing : place;
    const { mtimeNs, uid, gid } = node;
    this.#list.add({ name, path, content, mode: unixMode(node.mode, node.type), mtimeNs, uid, gid, size, isDense });
  }

  /** Whether the path is that of the folder that is exported, and then the name. */
  #isBelowBase(place: Buffer, name: Buffer): boolean {
    const end = name[name.length - 1] === slash[0] ? name.length - 1 : name.length;
    const base = this.#start.path.length;
    const start = base === 1 ? 1 : base + 1;
    return place.length === start + end && place.compare(name, 0, end, start) === 0;
  }

  #problem(path: Buffer, kind: ExportProblem['kind'], detail: string): void {
    this.#problems.push({ path: new Uint8Array(path), kind, detail });
  }
}

function* namesIn(text: Buffer, id: string): Generator<Buffer> {
  const reader = new TreeReader(text, id);
  try {
    for (let node = reader.next(); node; node = reader.next()) yield node.name;
  } catch {
    // Told when the walk comes to it.
  }
}
