/** Job: a page of what a folder holds, in an order that people like. */
import { joinPath } from '../../platform/byte-paths.ts';
import type { Node } from '../../repository/tree/node.ts';
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

interface Sorted {
  readonly key: string;
  readonly nodes: readonly Node[];
  readonly folders: number;
  readonly bytes: number;
}

const stateName = 'browse: folders';
/** Folders that stay sorted in a worker. */
const kept = 3;

/** Throws as `loadTree` does. */
export function folderPage({ tree, path, order, descending, from, limit }: FolderPage, context: WorkerContext): FolderPageResult {
  const known = (context.state.get(stateName) as Sorted[] | undefined) ?? [];
  const key = `${Buffer.from(tree).toString('latin1')} ${order} ${descending}`;
  const sorted = known.find((each) => each.key === key) ?? sort(key, context.loadTree(tree), order, descending);
  context.state.set(stateName, [sorted, ...known.filter((each) => each !== sorted)].slice(0, kept));
  const builder = new EntryBatchBuilder();
  const folder = Buffer.from(path);
  for (const node of sorted.nodes.slice(from, from + limit)) builder.add(joinPath(folder, node.name), node);
  return { batch: builder.take(), entries: sorted.nodes.length, folders: sorted.folders, bytes: sorted.bytes };
}

/** Folders first; then by the order, and what is equal in it by name. Names are compared without their letter case. */
function sort(key: string, nodes: readonly Node[], order: FolderOrder, descending: boolean): Sorted {
  const folders = nodes.filter(({ type }) => type === 'dir');
  const others = nodes.filter(({ type }) => type !== 'dir');
  let bytes = 0;
  for (const { size } of others) bytes += size;
  const sorted = [...inOrder(folders, order === 'size' ? 'name' : order, descending), ...inOrder(others, order, descending)];
  return { key, nodes: sorted, folders: folders.length, bytes };
}

function inOrder(nodes: readonly Node[], order: FolderOrder, descending: boolean): Node[] {
  const way = descending ? -1 : 1;
  const named = nodes.map((node) => ({ node, name: node.name.toString('utf8').toLowerCase() }));
  const byName = (a: { name: string }, b: { name: string }): number => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0);
  if (order === 'name') named.sort((a, b) => way * byName(a, b));
  else if (order === 'size') named.sort((a, b) => way * (a.node.size - b.node.size) || byName(a, b));
  else named.sort((a, b) => way * compare(a.node.mtimeNs, b.node.mtimeNs) || byName(a, b));
  return named.map(({ node }) => node);
}

const compare = (a: bigint, b: bigint): number => (a < b ? -1 : a > b ? 1 : 0);
