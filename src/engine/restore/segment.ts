/**
 * A segment: some thousand files whose content is written together, pack by pack in the order of first use, so that each
 * pack is read once and in long pieces. Only one segment is in memory at a time, however large the snapshot is.
 */
import { type BlobIndex, emptyLocation } from '../../repository/blob-index.ts';
import { sealOverhead } from '../../repository/crypto.ts';
import { idBytes } from '../../repository/ids.ts';
import { nextTurn } from '../../platform/clock.ts';
import type { RestoreProblem } from './walk-task.ts';
import { writeFlags } from './files-job.ts';
import { listFiles, type SegmentFile } from './segment-file.ts';
import { sizeOfBlobRow, sizeOfPlaceRow, type WriteTask } from './write-job.ts';

/** A task reads about this much of a pack, so that all workers have something to do; behind a network each costs a request. Bytes. */
const taskBytes = { near: 4 << 20, far: 32 << 20 };
const taskBlobs = 2000;

interface Blob {
  readonly pack: number;
  readonly offset: number;
  readonly length: number;
  readonly uncompressedLength: number;
  readonly idFile: number;
  readonly idAt: number;
  /** File, offset, file, offset… */
  readonly places: number[];
}

export interface ArrangedSegment {
  readonly tasks: WriteTask[];
  /** By number: how long the content of the file is, in bytes. */
  readonly lengths: Float64Array;
  /** Numbers of the files whose part file must be there before anything is written. */
  readonly prepared: number[];
  /** Files of which a blob is not in the index. */
  readonly problems: RestoreProblem[];
  /** By number: files whose content has another length than the snapshot says, to be reported if they are restored. */
  readonly otherLengths: ReadonlyMap<number, RestoreProblem>;
  readonly failed: Int32Array;
}

/** After so many files, and so many tasks, the thread hears its workers, which must not wait for new work. */
const filesAtOnce = 1000;
const tasksAtOnce = 8;

/** Sorts the blobs of `files` into tasks. Files without content must not be among them. */
export async function arrangeSegment(
  files: readonly SegmentFile[],
  index: BlobIndex,
  { isFar, ...options }: Pick<WriteTask, 'part' | 'sparse' | 'durable'> & { readonly isFar: boolean },
): Promise<ArrangedSegment> {
  const remaining = new Int32Array(new SharedArrayBuffer(Math.max(4, files.length * 4)));
  const failed = new Int32Array(new SharedArrayBuffer(Math.max(4, files.length * 4)));
  const blobs = new Map<number, Blob>();
  const packs = new Map<number, Blob[]>();
  const problems: RestoreProblem[] = [];
  const otherLengths = new Map<number, RestoreProblem>();
  const prepared: number[] = [];
  const lengths = new Float64Array(files.length);
  const location = emptyLocation();
  for (const [number, { content, path, size }] of files.entries()) {
    if (number % filesAtOnce === filesAtOnce - 1) await nextTurn();
    const missing = firstMissing(content, index);
    if (missing >= 0) {
      const id = content.toString('hex', missing, missing + 6);
      problems.push({ path: new Uint8Array(path), kind: 'damaged', detail: `its data ${id} is missing from the repository` });
      failed[number] = 1;
      continue;
    }
    let offset = 0;
    for (let at = 0; at < content.length; at += idBytes) {
      index.locate(content, at, 'data', location);
      const { entry, pack, length, uncompressedLength } = location;
      let blob = blobs.get(entry);
      if (!blob) {
        blob = { pack, offset: location.offset, length, uncompressedLength, idFile: number, idAt: at, places: [] };
        blobs.set(entry, blob);
        const others = packs.get(pack);
        if (others) others.push(blob);
        else packs.set(pack, [blob]);
      }
      blob.places.push(number, offset);
      offset += uncompressedLength > 0 ? uncompressedLength : length - sealOverhead;
      remaining[number] += 1;
    }
    lengths[number] = offset;
    if (offset !== size)
      otherLengths.set(number, {
        path: new Uint8Array(path),
        kind: 'metadata',
        detail: `the snapshot says that it has ${size} bytes, but it has ${offset}`,
      });
    if (remaining[number] > 1) prepared.push(number);
  }
  const flags = Uint8Array.from(files, ({ inherits }) => writeFlags.single | (inherits ? writeFlags.inherits : 0));
  for (const number of prepared) flags[number] &= ~writeFlags.single;
  const tasks: WriteTask[] = [];
  const wanted = isFar ? taskBytes.far : taskBytes.near;
  for (const [pack, list] of packs) {
    list.sort((a, b) => a.offset - b.offset);
    const name = index.packId(pack).toString('hex');
    for (let from = 0; from < list.length; ) {
      let bytes = 0;
      let to = from;
      while (to < list.length && (to === from || (bytes < wanted && to - from < taskBlobs))) bytes += list[to++].length;
      tasks.push(writeTask(name, list.slice(from, to), files, flags, { remaining, failed, ...options }));
      from = to;
      if (tasks.length % tasksAtOnce === 0) await nextTurn();
    }
  }
  return { tasks, prepared, lengths, problems, otherLengths, failed };
}

function firstMissing(content: Buffer, index: BlobIndex): number {
  const location = emptyLocation();
  for (let at = 0; at < content.length; at += idBytes) if (!index.locate(content, at, 'data', location)) return at;
  return -1;
}

function writeTask(
  pack: string,
  list: readonly Blob[],
  files: readonly SegmentFile[],
  flags: Uint8Array,
  common: Pick<WriteTask, 'part' | 'remaining' | 'failed' | 'sparse' | 'durable'>,
): WriteTask {
  const blobs = new Float64Array(list.length * sizeOfBlobRow);
  const ids = new Uint8Array(list.length * idBytes);
  const places: number[] = [];
  const rows = new Map<number, number>();
  const numbers: number[] = [];
  const rowOf = (number: number): number => {
    let row = rows.get(number);
    if (row === undefined) {
      row = numbers.length;
      rows.set(number, row);
      numbers.push(number);
    }
    return row;
  };
  list.forEach((blob, i) => {
    const count = blob.places.length / 2;
    blobs.set([blob.offset, blob.length, blob.uncompressedLength, places.length / sizeOfPlaceRow, count, 0], i * sizeOfBlobRow);
    ids.set(files[blob.idFile].content.subarray(blob.idAt, blob.idAt + idBytes), i * idBytes);
    for (let at = 0; at < blob.places.length; at += 2) places.push(rowOf(blob.places[at]), blob.places[at + 1], 0);
  });
  return {
    pack,
    blobs,
    ids,
    places: Float64Array.from(places),
    files: listFiles(numbers.map((number) => files[number])),
    numbers: Uint32Array.from(numbers),
    flags: Uint8Array.from(numbers, (number) => flags[number]),
    ...common,
  };
}
