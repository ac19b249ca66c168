/**
 * Healing: makes a repository whole again with what other repositories and unchanged files hold of it. Under an exclusive lock:
 *
 * 1. the index is repaired: it says what the packs hold
 * 2. packs are read; of damaged ones what is intact is stored anew, then they are kept aside and forgotten
 * 3. the trees of the snapshots are walked; what is *lacking* is brought from elsewhere, each blob proved by its hash, and stored
 * 4. snapshots whose files are damaged, or that are said to be missing, are brought back once all that they need is there
 *
 * Each step leaves nothing worse than it was, and the next healing goes on from there: what was lacking after a step that was cut off
 * is lacking still. Where nothing can be removed, what is brought lies beside what is damaged.
 */
import { BlobIndex } from '../../repository/blob-index.ts';
import { bytesOfId } from '../../repository/ids.ts';
import { Lock } from '../../repository/locks.ts';
import type { Repository } from '../../repository/repository.ts';
import { expectPresent } from '../check/check.ts';
import { comparePacks, loadIndex } from '../index/load.ts';
import { indexAdopted, loadCompleteIndex } from '../repair/complete-index.ts';
import type { RepairIndexPlan } from '../repair/index-plan.ts';
import type { RepairPacksPlan } from '../repair/packs-plan.ts';
import { executeRepairIndex } from '../repair/repair-index.ts';
import { executeRepairPacks } from '../repair/repair-packs.ts';
import type { RunOptions } from '../run.ts';
import { WorkerPool } from '../workers/pool.ts';
import { Filling } from './filling.ts';
import type { HealReport, HealRequest } from './request.ts';
import { LostSnapshots } from './snapshots.ts';

export interface HealExecution extends RunOptions {
  /** Folder that copies of damaged files are kept in before they are removed, as `pack-ID` and `snapshot-ID`. */
  readonly keepIn: string;
  /** Of new packs, in bytes; default: that of the repository. */
  readonly packSize?: number | undefined;
}

/**
 * Heals. Throws `locked`, `lock-lost`, `cancelled`, `pack-not-found`, `storage-full` or what else this repository's storage throws; what
 * the others throw is told in the report.
 */
export async function executeHeal(repository: Repository, request: HealRequest, options: HealExecution): Promise<HealReport> {
  const lock = await Lock.begin(repository, options.holder, true, options.clock);
  try {
    await lock.ensure();
    return await new Healing(repository, request, options, lock).run();
  } finally {
    await lock.release().catch(() => {});
  }
}

/** Steps 1 and 2 are over when this many times no pack turned out to be damaged that was not before. */
const mostRepairs = 8;

class Healing {
  readonly #repository: Repository;
  readonly #request: HealRequest;
  readonly #options: HealExecution;
  readonly #lock: Lock;
  readonly #repairs: RepairPacksPlan[] = [];
  readonly #kept: string[] = [];
  #storedBytes = 0;
  #notRemoved = 0;

  constructor(repository: Repository, request: HealRequest, options: HealExecution, lock: Lock) {
    this.#repository = repository;
    this.#request = request;
    this.#options = options;
    this.#lock = lock;
  }

  async run(): Promise<HealReport> {
    const repository = this.#repository;
    await expectPresent(repository);
    const appendOnly = (await repository.storage.refusesRemoval?.()) ?? false;
    const lost = await LostSnapshots.find(repository, this.#request.snapshots ?? []);
    const index = appendOnly ? await this.#completeIndex() : await this.#repairIndex();
    const packs = this.#request.packs ?? 'all';
    const named = packs === 'all' ? packs : packsInDoubt(packs, index);
    if (named.length > 0) await this.#repairPacks(named, appendOnly);
    const filling = await this.#fill(lost, appendOnly);
    const { wanted } = filling;
    await lost.bringBack(filling.filling, this.#lock, appendOnly ? undefined : this.#options.keepIn, this.#options.control);
    this.#kept.push(...lost.kept);
    this.#notRemoved += lost.notRemoved;
    return {
      ...repairsOf(index, this.#repairs),
      ...(await filling.filling.tell(wanted)),
      from: filling.filling.from,
      snapshots: lost.report(false),
      unavailable: [...filling.filling.unavailable].map(([name, error]) => ({ name, error })),
      notRemoved: this.#notRemoved,
      kept: this.#kept,
      storedBytes: this.#storedBytes + filling.filling.storedBytes,
    };
  }

  async #repairIndex(): Promise<RepairIndexPlan> {
    return (await executeRepairIndex(this.#repository, {}, { ...this.#options, lock: this.#lock })).plan;
  }

  /** Where no index file can be replaced: names the packs that none names, since one that did is damaged. */
  async #completeIndex(): Promise<RepairIndexPlan> {
    const { control, threads } = this.#options;
    const index = BlobIndex.create();
    const pool = new WorkerPool(this.#repository, { control, index, threads });
    try {
      const complete = await loadCompleteIndex(this.#repository, this.#options, index, pool);
      if (complete.adopted.length > 0) await indexAdopted(this.#repository, this.#lock, index, complete);
      const { damagedIndexFiles, changes } = complete.plan;
      this.#notRemoved += damagedIndexFiles.length + changes.filter(({ action }) => action === 'drop').length;
      return complete.plan;
    } finally {
      await pool.close();
    }
  }

  async #repairPacks(packs: 'all' | readonly string[], appendOnly: boolean): Promise<RepairPacksPlan> {
    const { plan, kept, storedBytes } = await executeRepairPacks(
      this.#repository,
      { packs },
      { ...this.#options, lock: this.#lock, leavePacks: appendOnly },
    );
    this.#repairs.push(plan);
    this.#kept.push(...kept);
    this.#storedBytes += storedBytes;
    if (appendOnly) this.#notRemoved += plan.repairs.length;
    return plan;
  }

  /** Brings what is lacking, until nothing is or nothing more comes. */
  async #fill(lost: LostSnapshots, appendOnly: boolean): Promise<{ filling: Filling; wanted: BlobIndex }> {
    const { control } = this.#options;
    for (let repairs = 0; ; repairs++) {
      const index = BlobIndex.create();
      const filling = new Filling(this.#repository, this.#request, index, this.#lock, this.#options);
      await filling.withPool(async (pool) => {
        await loadIndex(this.#repository, pool);
        await comparePacks(this.#repository, index);
      });
      markLost(index, this.#repairs);
      let lacking = await filling.lacking(lost.trees);
      // Trees are read whatever was asked for: a pack that is damaged there is repaired as a whole.
      const suspects = [...lacking.suspects].filter((pack) => !this.#isRepaired(pack));
      if (suspects.length > 0 && repairs < mostRepairs) {
        await this.#repairPacks(suspects, appendOnly);
        continue;
      }
      while (lacking.blobs.blobCount > 0 || lost.isAnyWanted) {
        await control.checkpointAsync();
        const got = await filling.bring(lacking.blobs, (offer) => lost.treesIn(offer));
        lost.look(filling.offers);
        const next = await filling.lacking([...lost.trees, ...lost.foundTrees]);
        const isSame = next.blobs.blobCount > 0 && !got;
        lacking = next;
        if (isSame || next.blobs.blobCount === 0) break;
      }
      return { filling, wanted: lacking.blobs };
    }
  }

  #isRepaired(pack: string): boolean {
    return this.#repairs.some(({ repairs, unread }) => [...repairs, ...unread].some((each) => each.pack === pack));
  }
}

/** The packs that are named, and those that are not what the index said of them. */
export const packsInDoubt = (named: readonly string[], { changes }: RepairIndexPlan): string[] => [
  ...new Set([...named, ...changes.filter(({ action }) => action === 'correct' || action === 'keep').map(({ pack }) => pack)]),
];

/** What damaged packs that are still there hold counts as unknown, but for what also lies elsewhere. */
export function markLost(index: BlobIndex, repairs: readonly RepairPacksPlan[]): void {
  let any = false;
  for (const { pack } of repairs.flatMap((plan) => plan.repairs)) {
    const number = index.packNumber(bytesOfId(pack));
    if (number < 0) continue;
    index.markLost(number);
    any = true;
  }
  if (any) index.preferWhole();
}

/** The part of the report that tells of repairs. */
export const repairsOf = (
  { damagedIndexFiles, changes }: RepairIndexPlan,
  repairs: readonly RepairPacksPlan[],
): Pick<HealReport, 'indexFiles' | 'indexPacks' | 'packs' | 'unread'> => ({
  indexFiles: damagedIndexFiles.length,
  indexPacks: changes.filter(({ action }) => action !== 'keep' && action !== 'leave').length,
  packs: repairs.flatMap((plan) => plan.repairs),
  unread: repairs.flatMap((plan) => plan.unread),
});
