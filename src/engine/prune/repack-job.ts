/** Jobs of prune: copy blobs into new packs, and tell which packs an index file lists. */
import { fail } from '../../contract/errors.ts';
import { decodeBlob } from '../../repository/blob-codec.ts';
import { openIndex } from '../../repository/item.ts';
import { readIndex } from '../../repository/read-index.ts';
import { PackFile, readSealed } from '../check/pack-file.ts';
import { isDamage } from '../trees/damage-codes.ts';
import type { WorkerContext } from '../workers/context.ts';

export interface RepackArgs {
  readonly pack: number;
  /** Records of the blobs to copy, by offset. */
  readonly records: Uint32Array;
}

/**
 * Copies blobs as they are sealed, each proved to be what its ID says before it is packed. Throws `prune-refused` when one of them
 * is damaged: then nothing that exists may be deleted.
 */
export function repack({ pack, records }: RepackArgs, context: WorkerContext): void {
  const { index, sealer, control, progress } = context;
  const name = index.packId(pack).toString('hex');
  const refuse = (error: unknown): never => {
    if (!isDamage(error)) throw error;
    return fail('prune-refused', { problem: `pack ${name.slice(0, 12)} holds data that snapshots need and is damaged` }, error);
  };
  try {
    PackFile.with(context, name, (file) => {
      readSealed(file, index, records, (location, sealed, reason) => {
        control.checkpoint();
        if (!sealed) throw reason;
        const id = index.idAt(location.entry);
        const type = index.typeAt(location.entry);
        decodeBlob(sealer, sealed, id, location.uncompressedLength, type);
        (type === 'tree' ? context.tree : context.data).addSealed(id, sealed, location.uncompressedLength);
        progress.add('bytes', sealed.length);
      });
    });
  } catch (error) {
    refuse(error);
  }
  progress.add('files', 1);
}

/** The numbers of the packs that an index file lists, and how many blobs they have in it. It was loaded before, so it is sound. */
export function packsOfIndexFile(name: string, context: WorkerContext): { packs: Uint32Array; blobs: number } {
  const packs: number[] = [];
  let blobs = 0;
  readIndex(openIndex(context.sealer, context.readWhole({ kind: 'index', name })), {
    pack: (id) => packs.push(context.index.packNumber(id)),
    blob: () => {
      blobs += 1;
    },
  });
  return { packs: Uint32Array.from(packs), blobs };
}
