/** Zstandard as the repository format uses it: one frame per item, at zstd's default level, as restic's "auto". */
import { zstdCompressSync, zstdDecompressSync } from 'node:zlib';
import { fail } from '../contract/errors.ts';

/** The frame of `plain`. */
export const compress = (plain: Uint8Array): Buffer => zstdCompressSync(plain);

/**
 * The content of a frame. `limit` bounds it in bytes, so that a hostile frame cannot fill the memory; frames without a
 * content size are accepted, bytes after the frame ignored. Throws `item-tampered` for anything else.
 */
export function decompress(frame: Uint8Array, limit: number): Buffer {
  try {
    return zstdDecompressSync(frame, { maxOutputLength: Math.max(1, limit), chunkSize: Math.min(Math.max(64, limit), 1 << 20) });
  } catch (error) {
    return fail('item-tampered', { cause: error instanceof Error ? error.message : String(error) }, error);
  }
}
