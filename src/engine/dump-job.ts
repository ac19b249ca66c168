/** Job: the plaintext of some data blobs, one after the other. */
import { idBytes } from '../repository/ids.ts';
import type { WorkerContext } from './workers/context.ts';

export interface ReadBlobs {
  /** IDs one after the other, 32 bytes each. */
  readonly ids: Uint8Array;
  /** Sum of the plaintexts' lengths, in bytes, as far as the index knows them. */
  readonly bytes: number;
}

/** Throws `blob-missing` or `item-tampered`: what is returned is what the IDs name. */
export function readBlobs({ ids, bytes }: ReadBlobs, context: WorkerContext): Uint8Array {
  let out = new Uint8Array(bytes);
  let length = 0;
  for (let at = 0; at < ids.length; at += idBytes) {
    context.control.checkpoint();
    const plain = context.loadBlob('data', ids.subarray(at, at + idBytes));
    if (length + plain.length > out.length) {
      const larger = new Uint8Array(length + plain.length);
      larger.set(out.subarray(0, length));
      out = larger;
    }
    out.set(plain, length);
    length += plain.length;
  }
  context.transfer.push(out.buffer);
  return out.subarray(0, length);
}
