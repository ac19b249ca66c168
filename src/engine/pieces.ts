/** Cutting the content of a file into pieces that are worked on one by one. */
import { type BlobIndex, emptyLocation } from '../repository/blob-index.ts';
import { idBytes } from '../repository/ids.ts';
import { sealOverhead } from '../repository/crypto.ts';

export interface Piece {
  /** Where it ends in the list of IDs. */
  readonly end: number;
  /** Length of its plaintext as the index tells it, in bytes; what is unknown counts as nothing. */
  readonly bytes: number;
}

/**
 * The piece of `content` (IDs) that begins at `at`: as many blobs as have at most `most` bytes together; a larger one goes alone.
 * It ends behind a blob that the index does not know.
 */
export function nextPiece(index: BlobIndex, content: Uint8Array, at: number, most: number): Piece {
  const location = emptyLocation();
  let bytes = 0;
  let end = at;
  while (end < content.length) {
    const known = index.locate(content, end, 'data', location);
    const length = known ? location.uncompressedLength || location.length - sealOverhead : 0;
    if (end > at && bytes + length > most) break;
    bytes += length;
    end += idBytes;
    if (!known) break;
  }
  return { end, bytes };
}
