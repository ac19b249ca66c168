/** Job: a page of what a folder holds, in an order that people like. */
import { joinPath } from '../../platform/byte-paths.ts';
import { parseNode } from '../../repository/tree/parse.ts';
import { fieldSet } from '../../repository/tree/read-node.ts';
import { type EntryBatch, EntryBatchBuilder } from '../entry.ts';
import type { WorkerContext } from '../workers/context.ts';

export type FolderOrder = 'name' | 'size' | 'changed';

export interface FolderPage {
  /** ID of the folder's tree. */
  readonly tree: Uint8Array;
  /** Absolute, within the snapshot. */
  readonly path: Uint8Array;
  readonly order: FolderOrder;
  readonly descending: boolean;
  readonly from: number;
  readonly limit: number;
}

export interface FolderPageResult {
  readonly batch: EntryBatch;
  readonly entries: number;
  readonly folders: number;
  /** Of the files in it. */
  readonly bytes: number;
}

/** A folder as it was read: of its nodes only what it is sorted by. */
interface Read {
  readonly tree: string;
  readonly entries: readonly Sortable[];
  readonly folders: number;
  readonly bytes: number;
  /** By order. */
  readonly sorted: Map<string, readonly Sortable[]>;
}

interface Sortable {
  /** Without its letter case. */
  readonly name: string;
  readonly isFolder: boolean;
  readonly size: number;
  readonly mtimeNs: bigint;
  /** The node as JSON. */
  readonly raw: Uint8Array;
}

const stateName = 'browse: folders';
/** Entries of folders that stay in a worker, beside the last one: some 700 bytes each. */
const kept = 50_000;
const fields = fieldSet(['size', 'mtime']);

/** Throws as `openTree` does. */
export function folderPage({ tree, path, order, descending, from, limit }: FolderPage, context: WorkerContext): FolderPageResult {
  const known = (context.state.get(stateName) as Read[] | undefined) ?? [];
  const key = Buffer.from(tree).toString('latin1');
  const folder = known.find((each) => each.tree === key) ?? read(key, tree, context);
  let room = kept;
  const others = known.filter((each) => each !== folder && (room -= each.entries.length) >= 0);
  context.state.set(stateName, [folder, ...others]);
  const name = `${order} ${descending}`;
  const sorted = folder.sorted.get(name) ?? sort(folder.entries, order, descending);
  folder.sorted.set(name, sorted);
  const builder = new EntryBatchBuilder();
  const above = Buffer.from(path);
  for (const { raw } of sorted.slice(from, from + limit)) {
    const node = parseNode(raw);
    builder.add(joinPath(above, node.name), node);
  }
  return { batch: builder.take(), entries: folder.entries.length, folders: folder.folders, bytes: folder.bytes };
}

function read(key: string, tree: Uint8Array, context: WorkerContext): Read {
  const reader = context.openTree(tree, fields);
  const entries: Sortable[] = [];
  let [folders, bytes] = [0, 0];
  for (let node = reader.next(); node; node = reader.next()) {
    const { name, type, size, mtimeNs, raw } = node;
    const isFolder = type === 'dir';
    if (isFolder) folders += 1;
    else bytes += size;
    entries.push({ name: name.toString('utf8').toLowerCase(), isFolder, size, mtimeNs, raw: raw! });
  }
  return { tree: key, entries, folders, bytes, sorted: new Map() };
}

/** Folders first; then by the order, and what is equal in it by name. */
function sort(entries: readonly Sortable[], order: FolderOrder, descending: boolean): readonly Sortable[] {
  const folders = entries.filter(({ isFolder }) => isFolder);
  const others = entries.filter(({ isFolder }) => !isFolder);
  return [...inOrder(folders, order === 'size' ? 'name' : order, descending), ...inOrder(others, order, descending)];
}

function inOrder(entries: Sortable[], order: FolderOrder, descending: boolean): Sortable[] {
  const way = descending ? -1 : 1;
  const byName = (a: Sortable, b: Sortable): number => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0);
  if (order === 'name') return entries.sort((a, b) => way * byName(a, b));
  if (order === 'size') return entries.sort((a, b) => way * (a.size - b.size) || byName(a, b));
  return entries.sort((a, b) => way * compare(a.mtimeNs, b.mtimeNs) || byName(a, b));
}

const compare = (a: bigint, b: bigint): number => (a < b ? -1 : a > b ? 1 : 0);
