/** Job: looks for an entry below a tree. */
import { splitList } from '../platform/byte-list.ts';
import { joinPath } from '../platform/byte-paths.ts';
import type { Node } from '../repository/tree/node.ts';
import { type EntryBatch, EntryBatchBuilder } from './entry.ts';
import type { WorkerContext } from './workers/context.ts';

export interface FindEntry {
  readonly tree: Uint8Array;
  /** A joined list of one name at least. */
  readonly names: Uint8Array;
}

export interface EntryInTree {
  /** Of the one entry. */
  readonly batch: EntryBatch;
  readonly tree: Uint8Array | undefined;
  readonly content: Uint8Array | undefined;
  /** The node as JSON. */
  readonly raw: Uint8Array;
  /** The tree that holds the entry. */
  readonly holder: Uint8Array;
}

export function findEntry(args: FindEntry, context: WorkerContext): EntryInTree | undefined {
  let tree: Uint8Array | null = args.tree;
  let holder = args.tree;
  let found: Node | undefined;
  let path: Buffer = Buffer.from('/');
  for (const name of splitList(args.names)) {
    if (tree === null) return undefined;
    holder = tree;
    found = context.loadTree(tree).find((node) => node.name.equals(name));
    if (!found) return undefined;
    path = joinPath(path, name);
    tree = found.subtree;
  }
  if (!found) return undefined;
  const builder = new EntryBatchBuilder();
  builder.add(path, found);
  return {
    batch: builder.take(),
    tree: found.subtree === null ? undefined : new Uint8Array(found.subtree),
    content: found.content === null ? undefined : new Uint8Array(found.content),
    raw: new Uint8Array(found.raw!),
    holder: new Uint8Array(holder),
  };
}
