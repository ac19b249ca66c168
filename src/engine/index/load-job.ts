/** Job: adds one index file of the repository to the shared index. */
import { addIndexFile } from '../../repository/index-file.ts';
import { openIndex } from '../../repository/item.ts';
import type { WorkerContext } from '../workers/context.ts';

/** `name` is the index file's. Throws `index-invalid`, `item-tampered` or what the storage throws. */
export function loadIndexFile(name: string, context: WorkerContext): void {
  addIndexFile(openIndex(context.sealer, context.readWhole({ kind: 'index', name })), context.index);
}
