/** Zstandard as the repository format uses it: one frame per item, at zstd's default level, as restic's "auto". */
import { constants, zstdCompressSync, zstdDecompressSync } from 'node:zlib';
import { fail } from '../contract/errors.ts';
import { openZstdContexts, type ZstdContexts } from '../platform/zstd-library.ts';

const level = 3;

/** The frame of `plain`. */
export const compress = (plain: Uint8Array): Buffer => zstdCompressSync(plain, { params: { [constants.ZSTD_c_compressionLevel]: level } });

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

/** What is longer than any chunk of a file gets memory of its own, which is not kept. */
const keptBytes = (8 << 20) + (64 << 10);

/** The thread's contexts and the memory for their results. `contexts` is undefined where there is only `node:zlib`. */
interface Kept {
  readonly contexts: ZstdContexts | undefined;
  readonly frame: Uint8Array;
  readonly plain: Uint8Array;
}

let kept: Kept | undefined;

function keep(): Kept {
  // Pages of a buffer that are never touched take no memory.
  kept ??= { contexts: openZstdContexts(level), frame: new Uint8Array(keptBytes), plain: new Uint8Array(keptBytes) };
  return kept;
}

/** From this length on it is worth looking first whether anything can be gained; in bytes, as are the samples. */
const longPlain = 128 << 10;
const sampleBytes = 8 << 10;
const samples = 8;
/** Less than this part of what was sampled is not worth the time of every later reading. */
const leastGain = 0.01;

/** Whether pieces from all over `plain` say that it is compressed already, as most large files of a person are. */
function isDense(plain: Uint8Array, contexts: ZstdContexts, out: Uint8Array): boolean {
  let length = 0;
  const step = Math.floor((plain.length - sampleBytes) / (samples - 1));
  for (let i = 0; i < samples; i++) length += contexts.compress(plain.subarray(i * step, i * step + sampleBytes), out) ?? sampleBytes;
  return length > samples * sampleBytes * (1 - leastGain);
}

/**
 * As {@link compress}, for many blobs: **the frame is valid until the next call in this thread.** Undefined when it would not
 * be (much) shorter than `plain`.
 */
export function compressNext(plain: Uint8Array): Uint8Array | undefined {
  const { contexts, frame } = keep();
  const room = plain.length - 1;
  if (room <= 0) return undefined;
  if (contexts) {
    if (plain.length >= longPlain && isDense(plain, contexts, frame)) return undefined;
    const out = room <= frame.length ? frame.subarray(0, room) : new Uint8Array(room);
    const length = contexts.compress(plain, out);
    return length === undefined ? undefined : out.subarray(0, length);
  }
  const made = compress(plain);
  return made.length <= room ? made : undefined;
}

/** As {@link decompress}, for many blobs: **the content is valid until the next call in this thread.** */
export function decompressNext(frame: Uint8Array, limit: number): Uint8Array {
  const { contexts, plain } = keep();
  const size = limit <= plain.length ? limit : contexts?.contentSize(frame);
  if (contexts && size !== undefined && size <= limit) {
    const out = size <= plain.length ? plain.subarray(0, size) : new Uint8Array(size);
    const length = contexts.decompress(frame, out);
    if (length !== undefined) return out.subarray(0, length);
  }
  // Also for every frame that was refused: there is one judge of them.
  return decompress(frame, limit);
}
