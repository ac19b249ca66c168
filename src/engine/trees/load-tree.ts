/** Reads a tree from one certain place, where `WorkerContext.loadTree` takes the place that lookups give. */
import { fail } from '../../contract/errors.ts';
import { decodeBlob } from '../../repository/blob-codec.ts';
import { emptyLocation } from '../../repository/blob-index.ts';
import type { Node } from '../../repository/tree/node.ts';
import { parseTree } from '../../repository/tree/parse.ts';
import type { WorkerContext } from '../workers/context.ts';

const location = emptyLocation();

/** The nodes of the tree that record `record` of the index stands for. Throws as `WorkerContext.loadTree` does. */
export const loadTreeAt = (context: WorkerContext, record: number): Node[] =>
  parseTree(loadTreeText(context, record), context.index.idAt(record).toString('hex'));

/** The text of that tree, a fresh copy. Throws as `WorkerContext.loadBlob` does. */
export function loadTreeText(context: WorkerContext, record: number): Buffer {
  const { index, sealer } = context;
  const id = index.idAt(record);
  if (!index.at(record, location)) return fail('blob-missing', { blob: id.toString('hex'), type: 'tree' });
  const name = index.packId(location.pack).toString('hex');
  const sealed = context.read({ kind: 'pack', name, holds: 'trees' }, { offset: location.offset, length: location.length });
  return Buffer.from(decodeBlob(sealer, sealed, id, location.uncompressedLength, 'tree'));
}
