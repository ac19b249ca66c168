/** Job: brings blobs from the source to the target as they are. */
import type { HoldfastError } from '../../contract/errors.ts';
import { openContent } from '../../repository/blob-codec.ts';
import type { BlobLocation, BlobType } from '../../repository/blob-index.ts';
import { PackFile, readSealed } from '../check/pack-file.ts';
import { isDamage } from '../trees/damage-codes.ts';
import type { WorkerContext } from '../workers/context.ts';

export interface CopyBlobsArgs {
  /** Records of the source, by pack, then by offset. */
  readonly records: Uint32Array;
  /** For each record its pack. */
  readonly packOf: Uint32Array;
}

/** A blob of the source of which no whole copy can be read. */
export interface BlobDamage {
  /** Where it was looked for first. */
  readonly record: number;
  readonly cause: string;
}

/**
 * Each blob is opened with the source's key, decompressed and hashed; what was sealed there is then sealed with the target's key,
 * without being compressed anew. One that is damaged is taken from another place, if the source holds it twice; else it is named
 * and not copied.
 */
export function copyBlobs({ records, packOf }: CopyBlobsArgs, context: WorkerContext): BlobDamage[] {
  const source = context.source!;
  const damage: BlobDamage[] = [];
  const visit = (location: BlobLocation, sealed: Uint8Array | undefined, reason: unknown): void => {
    context.control.checkpoint();
    const error = copyBlob(location, sealed, reason, context);
    if (error) damage.push({ record: location.entry, cause: causeOf(error) });
    context.progress.add('files', 1);
    context.progress.add('bytes', location.length);
  };
  for (let from = 0; from < records.length; ) {
    const pack = packOf[records[from]];
    let to = from;
    while (to < records.length && packOf[records[to]] === pack) to += 1;
    const inPack = records.subarray(from, to);
    const name = source.index.packId(pack).toString('hex');
    try {
      PackFile.with(source, name, (file) => readSealed(file, source.index, inPack, visit));
    } catch (error) {
      if (!isDamage(error)) throw error;
      // The pack cannot be opened: perhaps its blobs lie elsewhere, too.
      readSealed(unreadablePack(error), source.index, inPack, visit);
    }
    from = to;
  }
  return damage;
}

/** Stands for a pack of which nothing can be read. */
const unreadablePack = (error: HoldfastError): Pick<PackFile, 'read'> => ({
  read() {
    throw error;
  },
});

/** Why the blob could not be copied; undefined when it was, or was there already. */
function copyBlob(
  { entry, uncompressedLength }: BlobLocation,
  sealed: Uint8Array | undefined,
  reason: unknown,
  context: WorkerContext,
): HoldfastError | undefined {
  const source = context.source!;
  const id = source.index.idAt(entry);
  const type = source.index.typeAt(entry);
  if (context.index.has(id, 0, type)) return undefined;
  try {
    if (!sealed) throw reason;
    const content = openContent(source.sealer, sealed, id, uncompressedLength, type);
    if (uncompressedLength > 0) context.storeFrame(type, id, content, uncompressedLength);
    else context.store(type, id, content);
    return undefined;
  } catch (error) {
    if (!isDamage(error)) throw error;
    return copyFromElsewhere(type, id, error, context);
  }
}

function copyFromElsewhere(type: BlobType, id: Buffer, first: HoldfastError, context: WorkerContext): HoldfastError | undefined {
  try {
    context.store(type, id, context.source!.loadBlob(type, id));
    return undefined;
  } catch (error) {
    if (!isDamage(error)) throw error;
    return first;
  }
}

export const causeOf = (error: HoldfastError): string => String(error.context.reason ?? error.context.cause ?? error.message);
