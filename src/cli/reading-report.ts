/** What a verb that reads snapshots tells of what it could not read. */
import type { DamagedTree } from '../engine/trees/damaged-trees.ts';
import type { Output } from './output.ts';
import { counted } from '../platform/sizes.ts';

/** Trees that were read without knowing whose they are. */
export function reportDamagedTrees(output: Output, trees: readonly DamagedTree[]): void {
  for (const { tree, paths, error } of trees) {
    const detail = `${error.message} (folder listing ${tree.slice(0, 8)})`;
    for (const path of paths) output.problem({ path: Buffer.from(path), kind: error.code, detail });
    if (paths.length === 0) output.problem({ path: undefined, kind: error.code, detail });
  }
}

export function reportUnknownBlobs(output: Output, count: number): void {
  if (count === 0) return;
  const detail = `Pieces of data that files need are missing from the repository, at ${counted(count, 'place')}: run a check to see which files are affected.`;
  output.problem({ path: undefined, kind: 'blob-missing', detail });
}
