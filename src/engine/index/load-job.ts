/** Job: adds one index file of the repository to the shared index. */
import { addIndexFile } from '../../repository/index-file.ts';
import { openIndex } from '../../repository/item.ts';
import type { WorkerContext } from '../workers/context.ts';

export interface IndexFileToLoad {
  readonly name: string;
  /** How many blobs all files of the index are likely to list. */
  readonly expectedBlobs: number;
}

/** Throws `index-invalid`, `item-tampered` or what the storage throws. */
export function loadIndexFile({ name, expectedBlobs }: IndexFileToLoad, context: WorkerContext): void {
  context.index.reserve(expectedBlobs);
  addIndexFile(openIndex(context.sealer, context.readWhole({ kind: 'index', name })), context.index);
}
