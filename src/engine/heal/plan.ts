/** What a healing would do, without doing it. */
import { BlobIndex } from '../../repository/blob-index.ts';
import type { Repository } from '../../repository/repository.ts';
import { comparePacks } from '../index/load.ts';
import { lockIfWritable } from '../reading.ts';
import { loadCompleteIndex } from '../repair/complete-index.ts';
import { planRepairIndex } from '../repair/index-plan.ts';
import { type RepairPacksPlan, surveyForPackRepair } from '../repair/packs-plan.ts';
import { visitPlaces } from '../repair/places.ts';
import type { RunOptions } from '../run.ts';
import { WorkerPool } from '../workers/pool.ts';
import { Filling } from './filling.ts';
import { markLost, packsInDoubt, repairsOf } from './heal.ts';
import type { Lacking } from './lacking.ts';
import type { HealReport, HealRequest } from './request.ts';
import { LostSnapshots } from './snapshots.ts';

/**
 * What {@link executeHeal} would do, as far as it can be told without doing it: of other repositories what they promise. Nothing is
 * changed. Throws as `executeHeal` does.
 */
export async function planHeal(repository: Repository, request: HealRequest, options: RunOptions): Promise<HealReport> {
  const indexPlan = await planRepairIndex(repository, {}, options);
  const lock = await lockIfWritable(repository, options);
  try {
    const lost = await LostSnapshots.find(repository, request.snapshots ?? []);
    const index = BlobIndex.create();
    const filling = new Filling(repository, request, index, undefined, options);
    const { listing } = await filling.withPool((pool) => loadCompleteIndex(repository, options, index, pool));
    // Packs of a wrong size may still hold folders.
    listing.stored.forEach((size, pack) => size < 0 && index.markLost(pack));
    index.preferWhole();
    const damage = new Damage(repository, options);
    const packs = request.packs ?? 'all';
    await damage.look(packs === 'all' ? packs : packsInDoubt(packs, indexPlan));
    const lacking = await filling.lacking(lost.trees);
    await damage.look([...lacking.suspects].filter((pack) => !damage.knows(pack)));
    wantGone(lacking, damage.gone, index);
    await comparePacks(repository, index);
    markLost(index, damage.plans);
    // What can be had of damaged packs would be kept.
    for (const places of damage.intact) visitPlaces(places, (type, _offset, _length, _plain, ids, at) => void index.claim(ids, at, type));
    if (lacking.blobs.blobCount > 0 || lost.isAnyWanted) {
      await filling.bring(lacking.blobs, (offer) => lost.treesIn(offer));
      lost.look(filling.offers);
    }
    return {
      ...repairsOf(indexPlan, damage.plans),
      ...(await filling.tell(lacking.blobs)),
      from: filling.from,
      snapshots: lost.report(true),
      unavailable: [...filling.unavailable].map(([name, error]) => ({ name, error })),
      notRemoved: 0,
      kept: [],
      storedBytes: 0,
    };
  } finally {
    await lock?.release().catch(() => {});
  }
}

/** What is found in packs that are read. */
class Damage {
  readonly #repository: Repository;
  readonly #options: RunOptions;
  readonly plans: RepairPacksPlan[] = [];
  /** A set of blobs that cannot be had. */
  readonly gone = BlobIndex.create();
  /** Lists of places: what would be stored anew. */
  readonly intact: Uint8Array[] = [];

  constructor(repository: Repository, options: RunOptions) {
    this.#repository = repository;
    this.#options = options;
  }

  knows(pack: string): boolean {
    return this.plans.some(({ repairs, unread }) => [...repairs, ...unread].some((each) => each.pack === pack));
  }

  async look(packs: 'all' | readonly string[]): Promise<void> {
    if (packs.length === 0) return;
    const index = BlobIndex.create();
    const { control, threads } = this.#options;
    const pool = new WorkerPool(this.#repository, { control, index, threads });
    try {
      const { plan, lost, copies } = await surveyForPackRepair(this.#repository, { packs }, this.#options, index, pool);
      this.plans.push(plan);
      for (let at = 0; at < lost.blobCount; at++) this.gone.claim(lost.idAt(at), 0, lost.typeAt(at));
      this.intact.push(...copies.map(({ places }) => places));
    } finally {
      await pool.close();
    }
  }
}

/** Adds to what is lacking the blobs of `gone` that a snapshot needs. */
function wantGone({ blobs, marks }: Lacking, gone: BlobIndex, index: BlobIndex): void {
  for (let at = 0; at < gone.blobCount; at++) {
    const [id, type] = [gone.idAt(at), gone.typeAt(at)];
    const record = index.entryOf(id, 0, type);
    if (record >= 0 && marks[record] === 1) blobs.claim(id, 0, type);
  }
}
