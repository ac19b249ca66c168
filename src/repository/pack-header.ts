/** Reads a pack's own list of its blobs, for packs that no index names. */
import { HoldfastError } from '../contract/errors.ts';
import type { Storage } from '../storage/storage.ts';
import type { Sealer } from './crypto.ts';
import { headerRange, readEntries } from './pack.ts';

/**
 * The plaintext of the header of pack `name` (64 hex digits). Throws `pack-invalid` when header and file size do not fit
 * each other, `item-tampered` when the header does not authenticate.
 */
export async function readPackHeader(repository: { readonly storage: Storage; readonly sealer: Sealer }, name: string): Promise<Buffer> {
  const { storage, sealer } = repository;
  const file = { kind: 'pack', name } as const;
  const size = await storage.size(file);
  if (size < 4) throw new HoldfastError('pack-invalid', { cause: `it has ${size} bytes` });
  const tail = Buffer.from(await storage.load(file, { offset: size - 4, length: 4 }));
  const range = headerRange(tail, size);
  const header = Buffer.from(sealer.open(await storage.load(file, range)));
  const blobs = readEntries(header, () => {});
  if (blobs !== range.offset)
    throw new HoldfastError('pack-invalid', { cause: `its blobs take ${blobs} bytes, its header says ${range.offset}` });
  return header;
}
