/** Repositories in memory that are damaged in every way, and what repairs are run with. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Finding } from '../../../src/engine/check/finding.ts';
import { planRepairIndex, type RepairIndexRequest } from '../../../src/engine/repair/index-plan.ts';
import { planRepairPacks, type RepairPacksRequest } from '../../../src/engine/repair/packs-plan.ts';
import { executeRepairIndex, type RepairIndexResult } from '../../../src/engine/repair/repair-index.ts';
import { executeRepairPacks, type RepairPacksResult } from '../../../src/engine/repair/repair-packs.ts';
import { executeRepairSnapshots, type RepairSnapshotsResult } from '../../../src/engine/repair/repair-snapshots.ts';
import type { RepairSnapshotsRequest } from '../../../src/engine/repair/snapshots-plan.ts';
import { executeRecover, type RecoverResult } from '../../../src/engine/recover.ts';
import type { RunOptions } from '../../../src/engine/run.ts';
import { RunControl } from '../../../src/platform/cancellation.ts';
import { readPackHeader } from '../../../src/repository/pack-header.ts';
import { readEntries } from '../../../src/repository/pack.ts';
import type { MemoryStorage } from '../../../src/storage/memory.ts';
import type { Storage, StoredFile } from '../../../src/storage/storage.ts';
import { type HadContent, whatCanBeHad } from '../../support/had.ts';
import { Restic } from '../../support/restic.ts';
import { allFiles, backup, check, newRepository, noise, open, password, runOptions, smallPack, writeToDisk } from '../check-fixture.ts';

export const identity = { hostname: 'anna', username: 'anna', uid: 0, gid: 0 };

/** Three generations of files, among them one of several pieces, one twice, names of all kinds. Returns the snapshots, oldest first. */
export async function makeBase(storage: Storage, source: string): Promise<string[]> {
  const repository = await newRepository(storage, '3da3358b4dc173');
  const snapshots: string[] = [];
  for (let n = 0; n < 3; n++) {
    for (const folder of ['letters', 'photos/2025', 'photos/2026', 'empty']) mkdirSync(join(source, folder), { recursive: true });
    writeFileSync(join(source, 'film'), noise(900 + (n >> 1), 1_900_000));
    for (let i = 0; i < 12; i++) writeFileSync(join(source, `letters/${i}.txt`), `letter ${i} of ${i % 3 === 0 ? n : 0}\n`.repeat(200 + i));
    for (let i = 0; i < 10; i++)
      writeFileSync(join(source, `photos/${2025 + (i % 2)}/${i}.jpg`), noise(i + (i % 4 === 0 ? 50 * n : 0) + 1, 21_000 + i));
    writeFileSync(join(source, 'photos/copy.jpg'), noise(2, 21_001));
    writeFileSync(Buffer.concat([Buffer.from(`${source}/odd `), Buffer.of(0xff, 0x0a, 0x1b)]), `odd ${n}`);
    writeFileSync(join(source, 'n'.repeat(255)), noise(70, 5000));
    writeFileSync(join(source, 'nothing'), '');
    snapshots.push(await backup(repository, source));
  }
  return snapshots;
}

export const run = (control?: RunControl): RunOptions & { packSize: number } => ({
  ...runOptions(control ?? new RunControl()),
  packSize: smallPack,
  // Starting threads takes most of the time.
  threads: 1,
});

export const repairIndex = async (storage: Storage, request: RepairIndexRequest = {}, control?: RunControl): Promise<RepairIndexResult> =>
  executeRepairIndex(await open(storage), request, run(control));

export const plannedIndex = async (storage: Storage, request: RepairIndexRequest = {}) =>
  planRepairIndex(await open(storage), request, run());

export const repairPacks = async (
  storage: Storage,
  keepIn: string,
  packs: RepairPacksRequest['packs'] = 'all',
  control?: RunControl,
): Promise<RepairPacksResult> => executeRepairPacks(await open(storage), { packs }, { ...run(control), keepIn });

export const plannedPacks = async (storage: Storage, packs: RepairPacksRequest['packs'] = 'all') =>
  planRepairPacks(await open(storage), { packs }, run());

export const repairSnapshots = async (
  storage: Storage,
  request: RepairSnapshotsRequest = {},
  control?: RunControl,
): Promise<RepairSnapshotsResult> => executeRepairSnapshots(await open(storage), request, run(control));

export const recover = async (storage: Storage, control?: RunControl): Promise<RecoverResult> =>
  executeRecover(await open(storage), { ...run(control), identity });

export const had = (storage: Storage): Promise<Map<string, HadContent>> => whatCanBeHad(storage, password);

/** Codes of what our check says after reading everything, notes left out, each once and sorted. */
export async function codesOf(storage: Storage): Promise<string[]> {
  const { findings } = await check(await open(storage), { readData: 'all' }, { threads: 1 });
  return [...new Set(findings.filter(({ severity }) => severity !== 'note').map(({ code }) => code))].sort();
}

export async function findingsOf(storage: Storage): Promise<readonly Finding[]> {
  return (await check(await open(storage), { readData: 'all' }, { threads: 1 })).findings;
}

/** restic at work on a copy of the repository, in `folder`. */
export async function resticOnCopy(storage: Storage, folder: string): Promise<Restic> {
  return new Restic(await writeToDisk(storage, folder), password);
}

export interface ListedPlace {
  readonly type: string;
  readonly id: string;
  readonly offset: number;
  readonly length: number;
  readonly plain: number;
}

/** What a pack's header lists. */
export async function headerOf(storage: Storage, pack: string): Promise<ListedPlace[]> {
  const places: ListedPlace[] = [];
  const header = await readPackHeader(await open(storage), pack);
  readEntries(header, (type, offset, length, plain, ids, at) =>
    places.push({ type, id: ids.toString('hex', at, at + 32), offset, length, plain }),
  );
  return places;
}

/** All that the readable index files say, as lines, sorted; the same line twice counts once. */
export async function indexLines(storage: Storage): Promise<string[]> {
  const repository = await open(storage);
  const lines = new Set<string>();
  for (const name of await repository.names('index')) {
    const text = await repository.loadItem('index', name).catch(() => undefined);
    if (!text) continue;
    type Listed = { id: string; type: string; offset: number; length: number; uncompressed_length?: number };
    for (const { id, blobs } of (JSON.parse(text.toString()) as { packs?: { id: string; blobs: Listed[] }[] }).packs ?? [])
      for (const blob of blobs) lines.add([id, blob.type, blob.id, blob.offset, blob.length, blob.uncompressed_length ?? 0].join(' '));
  }
  return [...lines].sort();
}

export const filesOf = async (storage: Storage, kind: StoredFile['kind']): Promise<StoredFile[]> =>
  (await allFiles(storage)).filter((file) => file.kind === kind);

export interface ListedPack {
  readonly name: string;
  readonly places: ListedPlace[];
}

/** Packs that hold blobs of a type, those with most blobs first. */
export async function packsWith(storage: Storage, type: 'data' | 'tree'): Promise<ListedPack[]> {
  const found: ListedPack[] = [];
  for (const { name } of await filesOf(storage, 'pack')) {
    const places = await headerOf(storage, name);
    if (places[0]!.type === type) found.push({ name, places });
  }
  return found.sort((a, b) => b.places.length - a.places.length || (a.name < b.name ? -1 : 1));
}

export const flip = (storage: MemoryStorage, file: StoredFile, at: number, mask = 0x10): void =>
  storage.tamper(file, (bytes) => {
    bytes[at < 0 ? bytes.length + at : at]! ^= mask;
    return bytes;
  });

export const lose = (storage: MemoryStorage, file: StoredFile): void => storage.tamper(file, () => undefined);

export const cut = (storage: MemoryStorage, file: StoredFile, length: number): void =>
  storage.tamper(file, (bytes) => bytes.slice(0, length));

export const packFile = (name: string): StoredFile => ({ kind: 'pack', name });

/** Takes away locks that a run left which was cut off. */
export async function unlock(storage: Storage): Promise<void> {
  for (const file of await filesOf(storage, 'lock')) await storage.remove(file);
}

/** Writes and removals but those of locks. */
export const mutationsOf = (storage: MemoryStorage): string[] =>
  storage.operations.flatMap((operation) =>
    (operation.kind === 'save' || operation.kind === 'remove') && operation.file.kind !== 'lock'
      ? [`${operation.kind} ${operation.file.kind}`]
      : [],
  );
