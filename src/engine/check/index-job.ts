/** Job: adds one index file to the shared index, and proves that the file is the one that its name promises. */
import { addIndexFile } from '../../repository/index-file.ts';
import { sha256 } from '../../repository/ids.ts';
import { openIndex } from '../../repository/item.ts';
import type { WorkerContext } from '../workers/context.ts';

/**
 * True when the file's content has the hash that it is named by; its entries are used in any case, being authenticated.
 * Throws `index-invalid`, `item-tampered` or what the storage throws.
 */
export function checkIndexFile(name: string, context: WorkerContext): boolean {
  const sealed = context.readWhole({ kind: 'index', name });
  addIndexFile(openIndex(context.sealer, sealed), context.index);
  return sha256(sealed).toString('hex') === name;
}
