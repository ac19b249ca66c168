/**
 * Job: cuts contents anew, where the target's polynomial cuts.
 *
 * restic copies blobs as they are, whatever the polynomials. A file that both repositories hold is then stored twice in the
 * target, and stays so: the next backup into it cuts the file at the target's places again, and shares nothing with the copy.
 */
import { createHash } from 'node:crypto';
import { fail, type HoldfastError } from '../../contract/errors.ts';
import { decodeBlob } from '../../repository/blob-codec.ts';
import { type BlobLocation, emptyLocation } from '../../repository/blob-index.ts';
import { idBytes, sha256 } from '../../repository/ids.ts';
import { maxChunkLength } from '../../repository/kernel/kernel.ts';
import { parsePolynomial } from '../../repository/polynomial.ts';
import { PackFile } from '../check/pack-file.ts';
import { isDamage } from '../trees/damage-codes.ts';
import type { WorkerContext } from '../workers/context.ts';
import { ContentMap, type ContentMapMemory } from './content-map.ts';
import { type BlobDamage, causeOf } from './copy-job.ts';

export interface CutArgs {
  /** Each the IDs of a file's blobs in the source, one after the other. */
  readonly contents: readonly Uint8Array[];
  /** Where it is noted how they are cut. */
  readonly map: ContentMapMemory;
}

/** Stores the pieces of contents that are not known yet. Returns the blobs that could not be read; their contents are noted as unreadable. */
export function cutContents({ contents, map }: CutArgs, context: WorkerContext): BlobDamage[] {
  const known = ContentMap.attach(map);
  const damage: BlobDamage[] = [];
  for (const content of contents) {
    if (known.get(content) !== undefined) continue;
    const cutter = new Cutter(context);
    const bad = readContent(content, context, (plain) => cutter.push(plain));
    known.set(content, bad ? undefined : cutter.finish());
    if (bad) damage.push(bad);
  }
  return damage;
}

/** Neighbouring blobs are read together up to this length in bytes. */
const longestRead = 16 << 20;

/** Hands over the plaintext of one blob after the other, until one cannot be read, which is returned. */
function readContent(content: Uint8Array, context: WorkerContext, take: (plain: Uint8Array) => void): BlobDamage | undefined {
  const source = context.source!;
  const first = emptyLocation();
  const next = emptyLocation();
  for (let at = 0; at < content.length; ) {
    context.control.checkpoint();
    if (!source.index.locate(content, at, 'data', first)) {
      // The walk has found all of them; only a pack that vanished since explains it.
      return { record: source.index.entryOf(content, at, 'data'), cause: 'no index names it' };
    }
    let end = first.offset + first.length;
    let to = at + idBytes;
    for (; to < content.length && source.index.locate(content, to, 'data', next); to += idBytes) {
      if (next.pack !== first.pack || next.offset !== end || end + next.length - first.offset > longestRead) break;
      end += next.length;
    }
    const bad = readRun(content.subarray(at, to), first, end, context, take);
    if (bad) return bad;
    context.progress.add('bytes', end - first.offset);
    at = to;
  }
  return undefined;
}

/** Reads blobs that follow one another in a pack, from `first` to the byte `end`. */
function readRun(
  ids: Uint8Array,
  first: BlobLocation,
  end: number,
  context: WorkerContext,
  take: (plain: Uint8Array) => void,
): BlobDamage | undefined {
  const source = context.source!;
  const location = emptyLocation();
  let bytes: Uint8Array | undefined;
  try {
    const name = source.index.packId(first.pack).toString('hex');
    bytes = PackFile.with(source, name, (file) => file.read(first.offset, end - first.offset));
  } catch (error) {
    if (!isDamage(error)) throw error;
  }
  for (let at = 0; at < ids.length; at += idBytes) {
    const id = ids.subarray(at, at + idBytes);
    source.index.locate(id, 0, 'data', location);
    const { entry, offset, length, uncompressedLength } = location;
    let plain: Uint8Array | undefined;
    try {
      const sealed = bytes?.subarray(offset - first.offset, offset - first.offset + length);
      if (sealed) plain = decodeBlob(source.sealer, sealed, id, uncompressedLength, 'data');
    } catch (error) {
      if (!isDamage(error)) throw error;
    }
    try {
      plain ??= source.loadBlob('data', id);
    } catch (error) {
      if (!isDamage(error)) throw error;
      return { record: entry, cause: causeOf(error as HoldfastError) };
    }
    take(plain);
  }
  return undefined;
}

const regionKey = 'cutter';
/** What is left of the blobs before is shorter than a chunk, and so is a blob of an honest repository. */
const regionBytes = 2 * maxChunkLength;

/** Room for what is not cut yet, in this worker's kernel, which then cuts as the target does. */
function regionOf({ kernel, state, start }: WorkerContext): number {
  const kept = state.get(regionKey) as number | undefined;
  if (kept !== undefined) return kept;
  const region = kernel.alloc(regionBytes);
  kernel.initChunker(parsePolynomial(start.polynomial));
  state.set(regionKey, region);
  return region;
}

/** Cuts one content that comes in pieces of any length. */
class Cutter {
  readonly #context: WorkerContext;
  readonly #buffer: number;
  readonly #ids: Buffer[] = [];
  /** Of what came, and of what was stored: no name of a blob would tell that bytes were lost in between. */
  readonly #came = createHash('sha256');
  readonly #stored = createHash('sha256');
  #available = 0;

  constructor(context: WorkerContext) {
    this.#context = context;
    this.#buffer = regionOf(context);
    context.kernel.resetChunk();
  }

  /** `plain` may be a view that storing a blob overwrites. */
  push(plain: Uint8Array): void {
    const { kernel } = this.#context;
    this.#came.update(plain);
    const kept = plain.length <= regionBytes - this.#available ? plain : new Uint8Array(plain);
    for (let at = 0; at < kept.length; ) {
      const piece = kept.subarray(at, at + regionBytes - this.#available);
      kernel.view().set(piece, this.#buffer + this.#available);
      this.#available += piece.length;
      at += piece.length;
      this.#cut();
    }
  }

  /** The IDs of all pieces, one after the other. Throws `encoding-failed` when they are not what came. */
  finish(): Buffer {
    if (this.#available > 0) this.#store(this.#available);
    if (!this.#came.digest().equals(this.#stored.digest())) return fail('encoding-failed', { blob: 'a file cut anew' });
    return Buffer.concat(this.#ids);
  }

  #cut(): void {
    const { kernel } = this.#context;
    while (this.#available > 0) {
      const cut = kernel.findCut(this.#buffer, this.#available);
      if (cut === 0) return;
      this.#store(cut);
      kernel.view().copyWithin(this.#buffer, this.#buffer + cut, this.#buffer + this.#available);
      this.#available -= cut;
      kernel.resetChunk();
    }
  }

  #store(length: number): void {
    const plain = this.#context.kernel.bytes(this.#buffer, length);
    const id = sha256(plain);
    this.#stored.update(plain);
    this.#context.store('data', id, plain);
    this.#ids.push(id);
  }
}
