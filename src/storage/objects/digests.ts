/** Checksums of what is to be uploaded. */
import { createHash } from 'node:crypto';
import { nextTurn } from '../../platform/clock.ts';

export type Algorithm = 'sha256' | 'md5';

/** The digests that were asked for; the others are empty. */
export type Digests = Readonly<Record<Algorithm, Buffer>> & { /** Of all parts, in bytes. */ readonly length: number };

/** After so many bytes others have their turn: MD5 takes 7 ms for them. */
const atOnce = 4 << 20;

export async function digests(parts: readonly Uint8Array[], ...algorithms: readonly Algorithm[]): Promise<Digests> {
  const hashes = algorithms.map((algorithm) => ({ algorithm, hash: createHash(algorithm) }));
  let length = 0;
  let sinceTurn = 0;
  for (const part of parts) {
    for (let at = 0; at < part.byteLength; at += atOnce) {
      const piece = part.subarray(at, at + atOnce);
      for (const { hash } of hashes) hash.update(piece);
      sinceTurn += piece.byteLength;
      if (sinceTurn < atOnce) continue;
      sinceTurn = 0;
      await nextTurn();
    }
    length += part.byteLength;
  }
  const none = Buffer.alloc(0);
  return { sha256: none, md5: none, ...Object.fromEntries(hashes.map(({ algorithm, hash }) => [algorithm, hash.digest()])), length };
}
