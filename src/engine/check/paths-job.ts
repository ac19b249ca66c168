/** Job: names files and folders that damaged or missing blobs belong to. */
import { displayPath, joinPath } from '../../platform/byte-paths.ts';
import type { Node } from '../../repository/tree/node.ts';
import { isDamage } from '../trees/damage-codes.ts';
import { loadTreeAt } from '../trees/load-tree.ts';
import type { WorkerContext } from '../workers/context.ts';

/** What is asked about a record: nothing, its own paths, or those of anything in its pack. */
export const asked = { nothing: 0, blob: 1, pack: 2 } as const;

export interface PathsArgs {
  /** Record of the snapshot's tree. */
  readonly root: number;
  /** One byte for each record, shared by all jobs: trees that were looked at. */
  readonly seen: Uint8Array;
  /** For each record one of {@link asked}. */
  readonly wanted: Uint8Array;
  /** For each record its pack. */
  readonly packOf: Uint32Array;
  /** For each record that lookups give, the record to read its blob from. */
  readonly best: Uint32Array;
  /** Blobs that no index names, `type` and 64 hex digits with a space between. */
  readonly missing: readonly string[];
}

export interface FoundPath {
  /** `b` and a record, `p` and a pack, or a missing blob as it was asked for. */
  readonly key: string;
  readonly path: string;
}

/** Paths named for each. */
export const pathsForEach = 3;

/** Each tree is looked at once, so a folder that many snapshots share is named for the first of them. */
export function findPaths({ root, seen, wanted, packOf, best, missing }: PathsArgs, context: WorkerContext): FoundPath[] {
  const { index, control } = context;
  const found: FoundPath[] = [];
  const counts = new Map<string, number>(missing.map((key) => [key, 0]));
  const note = (key: string, path: Buffer): void => {
    const count = counts.get(key) ?? 0;
    if (count >= pathsForEach || (found.at(-1)?.key === key && found.at(-1)?.path === displayPath(path))) return;
    counts.set(key, count + 1);
    found.push({ key, path: displayPath(path) });
  };
  const look = (record: number, type: string, id: Buffer, path: Buffer): void => {
    if (record < 0) {
      const key = `${type} ${id.toString('hex')}`;
      if (counts.has(key)) note(key, path);
    } else if (wanted[record] === asked.blob) {
      note(`b${record}`, path);
    } else if (wanted[record] === asked.pack) {
      note(`p${packOf[best[record]]}`, path);
    }
  };
  const rootPath = Buffer.from('/');
  const stack: { readonly record: number; readonly path: Buffer }[] = [];
  const descend = (record: number, path: Buffer): void => {
    if (record >= 0 && Atomics.exchange(seen, record, 1) === 0) stack.push({ record, path });
  };
  if (root >= 0) look(root, 'tree', index.idAt(root), rootPath);
  descend(root, rootPath);
  for (let folder = stack.pop(); folder; folder = stack.pop()) {
    control.checkpoint();
    try {
      for (const { name, content, subtree } of loadFolder(context, folder.record, best)) {
        const path = joinPath(folder.path, name);
        if (content) {
          for (let at = 0; at < content.length; at += 32)
            look(index.entryOf(content, at, 'data'), 'data', content.subarray(at, at + 32), path);
        }
        if (!subtree) continue;
        const record = index.entryOf(subtree, 0, 'tree');
        look(record, 'tree', subtree, path);
        descend(record, path);
      }
    } catch (error) {
      // The folder itself was named when it was met in the one above.
      if (!isDamage(error)) throw error;
    }
  }
  return found;
}

/** From the place that is best, or from wherever it is whole. */
function loadFolder(context: WorkerContext, record: number, best: Uint32Array): Node[] {
  try {
    return loadTreeAt(context, best[record]);
  } catch (error) {
    if (!isDamage(error)) throw error;
    return context.loadTree(context.index.idAt(record));
  }
}
