/**
 * Recover: makes a snapshot of all folders that are stored and that no snapshot leads to any more: what was forgotten by mistake and
 * not pruned yet, and what belonged to snapshots that are damaged. Its root holds a folder for each, named by the beginning of its ID.
 */
import { hasCode } from '../contract/errors.ts';
import { joinList, splitList } from '../platform/byte-list.ts';
import type { HostIdentity } from '../platform/host.ts';
import { BlobIndex } from '../repository/blob-index.ts';
import { Lock } from '../repository/locks.ts';
import type { Repository } from '../repository/repository.ts';
import { formatNode } from '../repository/tree/format.ts';
import { localTime } from '../repository/tree/go-time.ts';
import { goMode, type Node } from '../repository/tree/node.ts';
import { programVersion } from './backup/backup.ts';
import { expectPresent } from './check/check.ts';
import { type IndexSurvey, recordKind } from './check/index-survey.ts';
import { PackStore } from './pack-store.ts';
import { lockIfWritable } from './reading.ts';
import { findAvailable } from './repair/available.ts';
import { type CompleteIndex, indexAdopted, loadCompleteIndex, refuseIncomplete } from './repair/complete-index.ts';
import { shortestName } from './repair/orphans-job.ts';
import { reportProgress, type RunOptions } from './run.ts';
import { storeRest } from './store-rest.ts';
import { isDamage } from './trees/damage-codes.ts';
import { markUsedBlobs } from './trees/mark.ts';
import { WorkerPool } from './workers/pool.ts';

export interface RecoveredFolder {
  /** ID of its listing, 64 hex digits. */
  readonly tree: string;
  /** Name of the folder in the new snapshot. */
  readonly name: string;
  /** Files and folders directly in it, and the first of their names; undefined of folders beyond the first hundreds. */
  readonly entries: number | undefined;
  readonly names: readonly Buffer[];
}

export interface RecoverPlan {
  /** By tree; empty when every listing is reached. */
  readonly folders: readonly RecoveredFolder[];
  /** Listings that no snapshot reaches, those within the folders included. */
  readonly orphans: number;
  /** IDs of those among them that cannot be read. */
  readonly unreadable: readonly string[];
  /** How often they name something that is not there. */
  readonly missing: number;
  /** Snapshots that cannot be read: what only they reach is recovered. */
  readonly damagedSnapshots: readonly string[];
}

/** Makes a plan and changes nothing. Throws `index-incomplete`, `locked`, `cancelled` or what the storage throws. */
export async function planRecover(repository: Repository, options: RunOptions): Promise<RecoverPlan> {
  const lock = await lockIfWritable(repository, options);
  const index = BlobIndex.create();
  const pool = new WorkerPool(repository, { control: options.control, index, threads: options.threads });
  try {
    const facts = surveyOrphans(repository, options, index, pool);
    return (await (lock ? lock.whileSettling(facts) : facts)).plan;
  } finally {
    await pool.close();
    await lock?.release().catch(() => {});
  }
}

export interface RecoverExecution extends RunOptions {
  /** Who the snapshot says made it. */
  readonly identity: HostIdentity;
  /** Told what will be done, as found under the lock, before anything is. It may ask a person; what it throws ends the run. */
  readonly onPlan?: ((plan: RecoverPlan) => void | Promise<void>) | undefined;
}

export interface RecoverResult {
  readonly plan: RecoverPlan;
  /** ID of the new snapshot; undefined when there was nothing to recover. */
  readonly snapshot: string | undefined;
}

/** As restic calls them. */
const recoveredPath = '/recover';
const recoveredTag = 'recovered';

/**
 * Makes a plan and the snapshot, under an exclusive lock, so that no running backup's folders are taken for lost ones. Throws what
 * {@link planRecover} throws, `lock-lost`, `storage-full` or what else the storage throws. Nothing that is there is ever changed.
 */
export async function executeRecover(repository: Repository, options: RecoverExecution): Promise<RecoverResult> {
  const { control, clock, identity } = options;
  const lock = await Lock.begin(repository, options.holder, true, clock);
  const index = BlobIndex.create();
  const store = new PackStore(repository, index, lock, clock);
  const pool = new WorkerPool(repository, { control, index, threads: options.threads, storePack: store.store });
  try {
    const { plan, complete } = await lock.whileSettling(surveyOrphans(repository, options, index, pool));
    await options.onPlan?.(plan);
    await control.checkpointAsync();
    if (plan.folders.length === 0) return { plan, snapshot: undefined };
    await expectPresent(repository);
    await indexAdopted(repository, lock, index, complete);
    const nowNs = BigInt(Math.round(clock.now())) * 1_000_000n;
    const items = plan.folders.flatMap(({ name, tree }) => [
      Buffer.from(name),
      Buffer.from(formatNode(folderNode(name, tree, nowNs, identity))),
    ]);
    const { tree } = await pool.run('assembleTree', { pieces: [joinList(items)] });
    await storeRest(pool, store);
    await control.checkpointAsync();
    await lock.ensure();
    const snapshot = await repository.saveSnapshot({
      time: localTime.format(nowNs),
      tree: Buffer.from(tree).toString('hex'),
      paths: [recoveredPath],
      hostname: identity.hostname,
      username: identity.username,
      uid: identity.uid,
      gid: identity.gid,
      tags: [recoveredTag],
      program_version: programVersion,
    });
    return { plan, snapshot };
  } catch (error) {
    throw hasCode(error, 'cancelled') ? (pool.failure ?? error) : error;
  } finally {
    await pool.close();
    await lock.release().catch(() => {});
  }
}

function folderNode(name: string, tree: string, timeNs: bigint, { uid, gid, username }: HostIdentity): Node {
  return {
    name: Buffer.from(name),
    type: 'dir',
    mode: goMode(0o40755),
    mtimeNs: timeNs,
    atimeNs: timeNs,
    ctimeNs: timeNs,
    uid,
    gid,
    user: username,
    group: '',
    inode: 0n,
    deviceId: 0n,
    size: 0,
    links: 0,
    linkTarget: undefined,
    xattrs: [],
    genericAttributes: undefined,
    device: 0n,
    content: null,
    subtree: Buffer.from(tree, 'hex'),
    error: undefined,
  };
}

/** Trees that one job reads. */
const treesPerJob = 512;
/** Folders that are described. */
const describedFolders = 500;

async function surveyOrphans(
  repository: Repository,
  options: RunOptions,
  index: BlobIndex,
  pool: WorkerPool,
): Promise<{ plan: RecoverPlan; complete: CompleteIndex }> {
  const damagedSnapshots: string[] = [];
  const snapshots = await repository.snapshots((id, error) => {
    if (hasCode(error, 'storage-failed') || !isDamage(error)) throw error;
    damagedSnapshots.push(id);
  });
  const complete = await loadCompleteIndex(repository, options, index, pool);
  refuseIncomplete(complete);
  const { survey, listing } = complete;
  const { best, available } = await findAvailable(repository, survey, listing, pool);
  const before = pool.total('dirs');
  const stop = reportProgress(options, pool, { phase: 'scanning', items: () => pool.total('dirs') - before, bytes: () => 0 });
  try {
    const { marks } = await markUsedBlobs(
      pool,
      index,
      best,
      snapshots.map(({ tree }) => tree),
    );
    const { there, gone } = orphanTrees(survey, marks, available);
    const { roots, unreadable, missing } = await findRoots(there, survey, available, pool);
    const folders = await describe(roots, index, pool);
    const unreadableIds = [...gone, ...unreadable].map((record) => index.idAt(record).toString('hex')).sort();
    const plan = { folders, orphans: there.length + gone.length, unreadable: unreadableIds, missing, damagedSnapshots };
    return { plan, complete };
  } finally {
    stop();
  }
}

/** Records of the trees that no snapshot reaches, each blob once: those that are there, and those whose pack is not. */
function orphanTrees(
  { records, kinds, primary }: IndexSurvey,
  marks: Uint8Array,
  available: Uint8Array,
): { there: Uint32Array; gone: readonly number[] } {
  const there: number[] = [];
  const gone: number[] = [];
  for (let record = 0; record < records; record++) {
    if ((kinds[record] & recordKind.tree) === 0 || primary[record] !== record || marks[record] !== 0) continue;
    (available[record] === 1 ? there : gone).push(record);
  }
  return { there: Uint32Array.from(there), gone };
}

async function findRoots(
  orphans: Uint32Array,
  { records }: IndexSurvey,
  available: Uint8Array,
  pool: WorkerPool,
): Promise<{ roots: number[]; unreadable: number[]; missing: number }> {
  const referenced = new Uint8Array(new SharedArrayBuffer(records));
  const jobs = [];
  for (let from = 0; from < orphans.length; from += treesPerJob)
    jobs.push(pool.run('findOrphanRoots', { trees: orphans.slice(from, from + treesPerJob), referenced, available }));
  const results = await Promise.all(jobs);
  const unreadable = results.flatMap((result) => [...result.unreadable]);
  const none = new Set([...unreadable, ...results.flatMap((result) => [...result.collections])]);
  const roots = [...orphans].filter((record) => referenced[record] === 0 && !none.has(record));
  return { roots, unreadable, missing: results.reduce((sum, result) => sum + result.missing, 0) };
}

async function describe(roots: readonly number[], index: BlobIndex, pool: WorkerPool): Promise<RecoveredFolder[]> {
  const found = roots.map((record) => ({ record, tree: index.idAt(record).toString('hex') })).sort((a, b) => (a.tree < b.tree ? -1 : 1));
  const sketches = await pool.run('describeTrees', Uint32Array.from(found.slice(0, describedFolders).map(({ record }) => record)));
  return found.map(({ tree }, i) => ({
    tree,
    name: uniqueName(tree, found[i - 1]?.tree, found[i + 1]?.tree),
    entries: sketches[i]?.entries,
    names: sketches[i] ? splitList(sketches[i].names) : [],
  }));
}

/** The beginning of an ID that is not that of its neighbours in a sorted list. */
function uniqueName(id: string, ...neighbours: readonly (string | undefined)[]): string {
  let digits = shortestName;
  while (neighbours.some((other) => other?.startsWith(id.slice(0, digits)))) digits += 1;
  return id.slice(0, digits);
}
