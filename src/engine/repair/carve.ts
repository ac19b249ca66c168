/**
 * Finds items in a stretch of a pack of which nobody knows where one ends and the next begins: from a beginning, every length is
 * tried until the tag behind it is right. What follows a damaged item cannot be found this way.
 */
import { createCipheriv } from 'node:crypto';
import { sealOverhead } from '../../repository/crypto.ts';
import type { WorkerContext } from '../workers/context.ts';

/** What carving needs of a pack. */
interface Readable {
  read(offset: number, length: number): Uint8Array;
}

export interface FoundItem {
  readonly offset: number;
  readonly length: number;
}

const half = sealOverhead / 2;
/** Longer items are not found; data blobs end at 8 MiB, and listings of a hundred thousand files are shorter than this. */
const longestItem = 32 << 20;
const regionKey = 'carve';

/** The items that follow one another from `from` on and end at or before `to`. Throws what reading throws. */
export function* carve(pack: Readable, from: number, to: number, context: WorkerContext): Generator<FoundItem> {
  const { kernel, start, state, control } = context;
  const aes128 = createCipheriv('aes-128-ecb', start.key.macK, null).setAutoPadding(false);
  // Memory of the kernel is never given back, so it is taken once.
  let region = state.get(regionKey) as number | undefined;
  if (region === undefined) {
    region = kernel.alloc(longestItem + 4 * half);
    state.set(regionKey, region);
  }
  const [key, bytes] = [region, region + 2 * half];
  let loadedFrom = from;
  let loadedTo = from;
  for (let at = from; to - at > sealOverhead; ) {
    control.checkpoint();
    let length = 0;
    // First among what is loaded, then among as much as an item may take.
    for (const wanted of [loadedTo, Math.min(to, at + longestItem)]) {
      if (wanted > loadedTo) {
        kernel.view().set(pack.read(at, wanted - at), bytes);
        [loadedFrom, loadedTo] = [at, wanted];
      }
      const here = bytes + at - loadedFrom;
      const available = loadedTo - at;
      if (available <= sealOverhead) continue;
      const iv = Buffer.from(kernel.bytes(here, half));
      kernel.view().set(start.key.macR, key);
      kernel.view().set(aes128.update(iv), key + half);
      length = kernel.findTag(here + half, available - half, key);
      if (length > 0 || wanted === to) break;
    }
    if (length === 0) return;
    yield { offset: at, length: length + sealOverhead };
    at += length + sealOverhead;
  }
}
