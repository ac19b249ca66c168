/** Trees of folders: stored as soon as all entries are there, by whichever worker has them. */
import { splitList } from '../../platform/byte-list.ts';
import { sha256 } from '../../repository/ids.ts';
import { formatTree } from '../../repository/tree/format.ts';
import type { WorkerContext } from '../workers/context.ts';
import { findVisit, visitsIn } from './changed-folders.ts';
import { hasMissedChange } from './missed.ts';
import { noteUnreadable } from './parent-damage.ts';
import { noFigures, type ScanFigures } from './scan-task.ts';

export interface AssembleTask {
  /** Joined lists of names and nodes. */
  readonly pieces: readonly Uint8Array[];
  /** To be compared with the parent's tree, as scans that compare do. */
  readonly compare?: { readonly path: Uint8Array; readonly parentTree: Uint8Array } | undefined;
}

export interface AssembleResult {
  readonly tree: Uint8Array;
  readonly figures: ScanFigures;
  /** Something changed in the folder that the journal does not know. */
  readonly isMissed: boolean;
}

/** Job: stores the tree of a folder whose pieces were made by several tasks. */
export function assembleTree({ pieces, compare }: AssembleTask, context: WorkerContext): AssembleResult {
  const entries: [name: Buffer, node: Buffer][] = [];
  for (const piece of pieces) {
    const items = splitList(piece);
    for (let i = 0; i < items.length; i += 2) entries.push([items[i], items[i + 1]]);
  }
  entries.sort(([a], [b]) => a.compare(b));
  const figures = noFigures();
  const nodes = entries.map(([, node]) => node);
  const isMissed =
    compare !== undefined &&
    isMissedIn(
      context,
      compare,
      entries.map(([name]) => name),
      nodes,
    );
  const tree = storeTree(context, figures, nodes);
  return { tree: new Uint8Array(tree), figures, isMissed };
}

function isMissedIn(
  context: WorkerContext,
  { path, parentTree }: NonNullable<AssembleTask['compare']>,
  names: readonly Buffer[],
  nodes: readonly Buffer[],
): boolean {
  const visit = findVisit(visitsIn(context), Buffer.from(path));
  if (visit?.isChanged || visit?.isWhole) return false;
  try {
    return hasMissedChange(new Uint8Array(context.loadBlob('tree', parentTree)), names, nodes, visit);
  } catch (error) {
    noteUnreadable(error, parentTree, context);
    return false;
  }
}

/** Stores a folder's tree from its formatted nodes, which come ascending by name; returns its ID. */
export function storeTree(context: WorkerContext, figures: ScanFigures, nodes: readonly (string | Uint8Array)[]): Buffer {
  const text = formatTree(nodes);
  const id = sha256(text);
  const packed = context.store('tree', id, text);
  if (packed > 0) {
    figures.trees.blobs += 1;
    figures.trees.bytes += text.length;
    figures.trees.packed += packed;
  }
  return id;
}

/** Counts a file that was read, as {@link countFolder} counts a folder. */
export function countFile(figures: ScanFigures, existed: boolean, same: boolean): void {
  if (!existed) figures.filesNew += 1;
  else if (same) figures.filesUnmodified += 1;
  else figures.filesChanged += 1;
}

/** Counts a folder; `existed`: the parent snapshot has an entry of its name, `same`: that says the same of the folder and all that it holds. */
export function countFolder(figures: ScanFigures, existed: boolean, same: boolean): void {
  if (!existed) figures.dirsNew += 1;
  else if (same) figures.dirsUnmodified += 1;
  else figures.dirsChanged += 1;
}
