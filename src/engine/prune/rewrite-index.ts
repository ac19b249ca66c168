/**
 * The index after a prune: files that name only packs that stay are left alone; all others are written anew, without the packs that
 * go, before any of them is deleted.
 */
import type { BlobIndex } from '../../repository/blob-index.ts';
import { emptyLocation } from '../../repository/blob-index.ts';
import { IndexFileBuilder, maxBlobsPerIndexFile } from '../../repository/index-file.ts';
import type { Lock } from '../../repository/locks.ts';
import type { EntryVisitor } from '../../repository/pack.ts';
import type { Repository } from '../../repository/repository.ts';
import { type IndexSurvey, recordsOf } from '../check/index-survey.ts';
import type { WorkerPool } from '../workers/pool.ts';
import { packFate } from './decide.ts';

export interface IndexRewrite {
  /** Index files that are replaced. */
  readonly obsolete: readonly string[];
  /** Packs to be listed in new files. */
  readonly packs: readonly number[];
}

/** Files with fewer blobs are joined to larger ones when there are several. */
const smallFileBlobs = maxBlobsPerIndexFile / 2;

export async function planIndexRewrite(pool: WorkerPool, indexFiles: readonly string[], fates: Uint8Array): Promise<IndexRewrite> {
  const files = await Promise.all(indexFiles.map(async (name) => ({ name, ...(await pool.run('packsOfIndexFile', name)) })));
  // A pack that several files list is written anew as a whole: perhaps each of them knows a part of it.
  const listings = new Uint8Array(fates.length);
  for (const { packs } of files) for (const pack of packs) listings[pack] = Math.min(2, listings[pack] + 1);
  const isSound = (pack: number): boolean => fates[pack] === packFate.keep && listings[pack] === 1;
  const small = files.filter(({ packs, blobs }) => blobs < smallFileBlobs && packs.every(isSound));
  const stays = new Set(files.filter((file) => file.packs.every(isSound) && (small.length < 2 || !small.includes(file))));
  const listed = new Uint8Array(fates.length);
  for (const { packs } of stays) for (const pack of packs) listed[pack] = 1;
  const packs: number[] = [];
  for (let pack = 0; pack < fates.length; pack++) if (fates[pack] === packFate.keep && listed[pack] === 0) packs.push(pack);
  return { obsolete: files.filter((file) => !stays.has(file)).map(({ name }) => name), packs };
}

/** A pack whose blobs do not come from the index. */
export interface ListedAnew {
  /** 64 hex digits. */
  readonly name: string;
  readonly tell: (visit: EntryVisitor) => void;
}

/** Stores index files that list `packs` and `others`. They are durable when this resolves; it resolves to their number. */
export async function writeIndexFiles(
  repository: Repository,
  lock: Pick<Lock, 'ensure'>,
  index: BlobIndex,
  survey: IndexSurvey,
  packs: readonly number[],
  others: readonly ListedAnew[] = [],
): Promise<number> {
  const builder = new IndexFileBuilder();
  let written = 0;
  const write = async (): Promise<void> => {
    if (builder.isEmpty) return;
    await lock.ensure();
    await repository.saveItem('index', builder.take());
    written += 1;
  };
  for (const pack of packs) {
    builder.addPlaces(index.packId(pack).toString('hex'), (visit) => tellRecords(index, recordsOf(survey, pack), visit));
    if (builder.isFull) await write();
  }
  for (const { name, tell } of others) {
    builder.addPlaces(name, tell);
    if (builder.isFull) await write();
  }
  await write();
  return written;
}

/** Tells what the index says of a pack. `records` by offset. */
function tellRecords(index: BlobIndex, records: Uint32Array, visit: EntryVisitor): void {
  const location = emptyLocation();
  for (const record of records) {
    index.at(record, location);
    const { buffer, byteOffset, byteLength } = index.idViewAt(record);
    const id = Buffer.from(buffer, byteOffset, byteLength);
    visit(index.typeAt(record), location.offset, location.length, location.uncompressedLength, id, 0);
  }
}
