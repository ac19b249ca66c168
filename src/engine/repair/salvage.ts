/**
 * What can still be had of a pack that is not what it should be. Nothing is believed: a place counts when the item in it
 * authenticates, and then its content says which blob it is.
 *
 * Places to try are what the index says, what the pack's header says, what a header says that does not authenticate (a flipped
 * bit spoils one entry, not all), the same counted from the header backwards (bytes were lost or added in between), and
 * in the gaps that are left whatever authenticates there, see carve.ts.
 */
import { createDecipheriv } from 'node:crypto';
import { HoldfastError, hasCode } from '../../contract/errors.ts';
import { decodeBlob } from '../../repository/blob-codec.ts';
import type { BlobType } from '../../repository/blob-index.ts';
import { emptyLocation } from '../../repository/blob-index.ts';
import { sealOverhead } from '../../repository/crypto.ts';
import { idBytes, sha256 } from '../../repository/ids.ts';
import { headerRange, readEntries } from '../../repository/pack.ts';
import { parseTree } from '../../repository/tree/parse.ts';
import { decompress } from '../../repository/zstd.ts';
import type { PackFile } from '../check/pack-file.ts';
import { isDamage } from '../trees/damage-codes.ts';
import type { WorkerContext } from '../workers/context.ts';
import { carve } from './carve.ts';
import { type Place, PlaceWriter, placesOf } from './places.ts';

export interface Salvage {
  /** By offset. */
  readonly intact: readonly Place[];
  /** What index or header promise and what is not among the intact; each blob once. */
  readonly lost: readonly Place[];
  /** Places of the index that could not be read just now, which says nothing about what lies there. */
  readonly unread: readonly Place[];
}

/** What the index says of a pack. `records` by offset. */
export function placesInIndex({ index }: WorkerContext, records: Uint32Array): Uint8Array<ArrayBuffer> {
  const writer = new PlaceWriter();
  const location = emptyLocation();
  for (const record of records) {
    if (!index.at(record, location)) continue;
    writer.add(index.typeAt(record), location.offset, location.length, location.uncompressedLength, index.idViewAt(record), 0);
  }
  return writer.take();
}

/** A pack's own list of its blobs. */
export interface OwnList {
  readonly places: Uint8Array<ArrayBuffer>;
  /** Where the header begins, in bytes. */
  readonly headerAt: number;
  /** Where the last blob ends according to it: a whole pack has its header there. */
  readonly end: number;
}

/** Why a header cannot be used, in words that continue a sentence about the pack. */
export const headerCause = (error: HoldfastError): string =>
  error.code === 'item-tampered' ? 'its header does not authenticate' : String(error.context.cause ?? error.message);

/** Throws `pack-invalid`, `item-tampered`, or what reading throws. */
export function readOwnList(file: PackFile, size: number, { sealer }: WorkerContext): OwnList {
  if (size < 4) throw new HoldfastError('pack-invalid', { cause: `it has ${size} bytes` });
  const range = headerRange(Buffer.from(file.read(size - 4, 4)), size);
  const header = Buffer.from(sealer.open(file.read(range.offset, range.length)));
  const writer = new PlaceWriter();
  let end = 0;
  readEntries(header, (type, offset, length, plain, ids, at) => {
    end = offset + length;
    if (end > size) throw new HoldfastError('pack-invalid', { cause: 'its header lists more than it holds' });
    writer.add(type, offset, length, plain, ids, at);
  });
  return { places: writer.take(), headerAt: range.offset, end };
}

/** Places that together are so many times longer than the file are tried; an honest pack needs three. */
const mostTries = 16;

/** `records`: what the index lists in the pack, by offset; none when it does not name it. */
export function salvagePack(file: PackFile, size: number, records: Uint32Array, context: WorkerContext): Salvage {
  const trial = new Trial(file, size, context);
  const indexed = placesOf(placesInIndex(context, records));
  const unread = indexed.filter((place) => trial.prove(place) === 'unread');
  const promised = [...indexed];
  try {
    const own = readOwnList(file, size, context);
    const listed = placesOf(own.places);
    promised.push(...listed);
    for (const place of listed) trial.prove(place);
    for (const place of countedBackwards(listed, own.headerAt)) trial.prove(place);
  } catch (error) {
    if (!isDamage(error)) throw error;
    const blind = readBlindly(file, size, context);
    if (blind) {
      for (const place of placesInARow(blind.entries)) trial.prove(place);
      for (const place of countedBackwards(placesInARow(blind.entries), blind.headerAt)) trial.prove(place);
    }
  }
  trial.carveGaps();
  const known = new Set(trial.intact.map(keyOf));
  const lost: Place[] = [];
  for (const place of promised) {
    const key = keyOf(place);
    if (known.has(key)) continue;
    known.add(key);
    lost.push(place);
  }
  return { intact: trial.intact, lost, unread };
}

const keyOf = ({ type, id }: Place): string => `${type} ${id.toString('hex')}`;

/** Opens places and keeps those that hold a blob. */
class Trial {
  readonly #window: Window;
  readonly #size: number;
  readonly #context: WorkerContext;
  /** By offset. */
  intact: Place[] = [];
  /** What was opened in vain, as `offset length`; what was found, by offset. */
  readonly #failed = new Map<string, 'bad' | 'unread'>();
  readonly #found = new Map<number, Place>();
  #left: number;

  constructor(file: PackFile, size: number, context: WorkerContext) {
    this.#window = new Window(file, size);
    this.#size = size;
    this.#context = context;
    this.#left = mostTries * size;
  }

  prove(claim: Place): 'good' | 'bad' | 'unread' {
    const { offset, length } = claim;
    const found = this.#found.get(offset);
    if (found) return found.length === length ? 'good' : 'bad';
    const key = `${offset} ${length}`;
    const failed = this.#failed.get(key);
    if (failed) return failed;
    if (length < sealOverhead || offset + length > this.#size || this.#left < length) return 'bad';
    this.#left -= length;
    this.#context.control.checkpoint();
    try {
      const sealed = this.#window.read(offset, length);
      this.#keep(identify(sealed, claim, this.#context));
      return 'good';
    } catch (error) {
      if (!isDamage(error)) throw error;
      const result = hasCode(error, 'storage-failed') ? 'unread' : 'bad';
      this.#failed.set(key, result);
      return result;
    }
  }

  /** Looks at what no place found so far covers. */
  carveGaps(): void {
    let at = 0;
    for (const next of [...this.intact, undefined]) {
      const end = next?.offset ?? this.#size;
      if (end - at > sealOverhead) this.#carve(at, end);
      if (next) at = Math.max(at, next.offset + next.length);
    }
  }

  #carve(from: number, to: number): void {
    try {
      for (const { offset, length } of carve(this.#window, from, to, this.#context)) {
        const sealed = this.#window.read(offset, length);
        if (isHeader(sealed, this.#context)) return;
        this.#keep(identify(sealed, { type: 'data', offset, length, uncompressedLength: 0, id: noId }, this.#context));
      }
    } catch (error) {
      if (!isDamage(error)) throw error;
    }
  }

  #keep(place: Place): void {
    this.#found.set(place.offset, place);
    let at = this.intact.length;
    while (at > 0 && this.intact[at - 1].offset > place.offset) at--;
    this.intact.splice(at, 0, place);
  }
}

const noId = Buffer.alloc(idBytes);

/** Reads a pack in large pieces, and what lies in a piece that cannot be read alone. */
class Window {
  readonly #file: PackFile;
  readonly #size: number;
  #bytes = Buffer.alloc(0);
  #at = 0;

  constructor(file: PackFile, size: number) {
    this.#file = file;
    this.#size = size;
  }

  /** A view that is valid until the next call. Throws as {@link PackFile.read} does. */
  read(offset: number, length: number): Uint8Array {
    if (offset < this.#at || offset + length > this.#at + this.#bytes.length) {
      try {
        const piece = this.#file.read(offset, Math.min(Math.max(length, windowBytes), this.#size - offset));
        // What the file gives is overwritten by the next reading.
        this.#bytes = Buffer.from(piece);
        this.#at = offset;
      } catch (error) {
        if (!isDamage(error)) throw error;
        return this.#file.read(offset, length);
      }
    }
    return this.#bytes.subarray(offset - this.#at, offset - this.#at + length);
  }
}

const windowBytes = 4 << 20;

/**
 * Which blob an item is. It is what `claim` says when its content has that hash; else it is found out from the content: what
 * authenticates was stored by somebody with the key. Throws `item-tampered` or `tree-invalid` when it is no blob.
 */
function identify(sealed: Uint8Array, claim: Place, { sealer }: WorkerContext): Place {
  try {
    decodeBlob(sealer, sealed, claim.id, claim.uncompressedLength, claim.type);
    return { ...claim, id: Buffer.from(claim.id) };
  } catch (error) {
    if (!isDamage(error)) throw error;
  }
  const content = Buffer.from(sealer.open(sealed));
  if (content.length === 0) throw new HoldfastError('item-tampered', { cause: 'it is empty' });
  const plain = isOurFrame(content) ? decompress(content, mostPlain) : content;
  const type: BlobType = isTree(plain) ? 'tree' : 'data';
  return { type, offset: claim.offset, length: claim.length, uncompressedLength: plain === content ? 0 : plain.length, id: sha256(plain) };
}

const mostPlain = 1 << 30;
const zstdMagic = Buffer.of(0x28, 0xb5, 0x2f, 0xfd);
/** In the byte behind the magic number (RFC 8878, 3.1.1.1.1). */
const hasChecksum = 4;

/** Whether content was compressed by what stored it: backup programs leave the checksum out, `zstd` itself writes it. */
const isOurFrame = (content: Buffer): boolean =>
  content.length > 5 && content.subarray(0, 4).equals(zstdMagic) && (content[4] & hasChecksum) === 0;

const treeStart = Buffer.from('{"nodes":');

function isTree(plain: Uint8Array): boolean {
  if (Buffer.compare(plain.subarray(0, treeStart.length), treeStart) !== 0) return false;
  try {
    parseTree(plain);
    return true;
  } catch (error) {
    if (!isDamage(error)) throw error;
    return false;
  }
}

/** Whether an item is a pack's header: nothing but well-formed entries. */
function isHeader(sealed: Uint8Array, { sealer }: WorkerContext): boolean {
  try {
    return readEntries(Buffer.from(sealer.open(sealed)), () => {}) > 0;
  } catch (error) {
    if (!isDamage(error)) throw error;
    return false;
  }
}

/** An entry of a header that nobody vouches for. */
type BlindEntry = Omit<Place, 'offset'>;

/** The entries of a header that is not authentic, as far as they look like entries; undefined when its length is nonsense. */
function readBlindly(
  file: PackFile,
  size: number,
  { start }: WorkerContext,
): { readonly entries: readonly BlindEntry[]; readonly headerAt: number } | undefined {
  let sealed: Buffer;
  let headerAt: number;
  try {
    if (size < 4) return undefined;
    const range = headerRange(Buffer.from(file.read(size - 4, 4)), size);
    sealed = Buffer.from(file.read(range.offset, range.length));
    headerAt = range.offset;
  } catch (error) {
    if (!isDamage(error)) throw error;
    return undefined;
  }
  const half = sealOverhead / 2;
  const header = createDecipheriv('aes-256-ctr', start.key.encrypt, sealed.subarray(0, half)).update(
    sealed.subarray(half, sealed.length - half),
  );
  const entries: BlindEntry[] = [];
  for (let at = 0; at < header.length; ) {
    const kind = header[at];
    const idAt = at + (kind >= 2 ? 9 : 5);
    if (kind > 3 || idAt + idBytes > header.length) break;
    entries.push({
      type: (kind & 1) === 1 ? 'tree' : 'data',
      length: header.readUInt32LE(at + 1),
      uncompressedLength: kind >= 2 ? header.readUInt32LE(at + 5) : 0,
      id: header.subarray(idAt, idAt + idBytes),
    });
    at = idAt + idBytes;
  }
  return { entries, headerAt };
}

function placesInARow(entries: readonly BlindEntry[]): Place[] {
  let offset = 0;
  return entries.map((entry) => {
    const place = { ...entry, offset };
    offset += entry.length;
    return place;
  });
}

/**
 * The same blobs when the last of them ends at `end`, and each as long as what lies between the end of the one before, counted
 * from the front, and the beginning of the next one, counted from behind: the right one when only its own length is wrong.
 */
function countedBackwards(places: readonly Place[], end: number): Place[] {
  const moved: Place[] = [];
  let next = end;
  for (const place of places.toReversed()) {
    if (next > place.offset) moved.push({ ...place, length: next - place.offset });
    next -= place.length;
    if (next < 0) break;
    moved.push({ ...place, offset: next });
  }
  return moved;
}
