/**
 * Copy: brings snapshots from one repository, the *source*, to another, the *target*. The engine knows nothing of where they are
 * kept, so that failing over, copying between destinations and healing one from another can use it.
 *
 * - Only what the target lacks is read, pack by pack, and each blob is proved before it is stored: damage is named, and a snapshot
 *   that needs what cannot be read is not copied. Everything else is.
 * - The oldest snapshot comes first, and is stored after all that it needs is durable and in the target's index. A run that is cut
 *   off leaves what it has stored to the next one.
 * - Repositories have keys of their own, so every blob is sealed anew; it is not compressed anew.
 * - Where the target cuts files at other places, contents are cut anew, unless the request says otherwise; see cut-job.ts.
 */
import { fail } from '../../contract/errors.ts';
import { bytesOfId } from '../../repository/ids.ts';
import type { Snapshot } from '../../repository/snapshot.ts';
import type { Finding } from '../check/finding.ts';
import { reportProgress } from '../run.ts';
import { isDamage } from '../trees/damage-codes.ts';
import { markUsedBlobs } from '../trees/mark.ts';
import type { CopySequence } from './assign-job.ts';
import { copyFields } from './copies.ts';
import { type BlobDamage, causeOf } from './copy-job.ts';
import { type CopyEnds, type CopyOptions, type OpenEnds, withEnds } from './ends.ts';
import { storeRest } from '../store-rest.ts';
import { type CopyFacts, type CopyPlan, type CopyRequest, findDamage, surveyCopy } from './plan.ts';
import { runSome } from './run-some.ts';

/** What would be copied. Changes nothing but for locks. Throws `same-place`, `snapshot-not-found`, `snapshot-ambiguous`, `locked`, … */
export const planCopy = (ends: CopyEnds, request: CopyRequest, options: CopyOptions): Promise<CopyPlan> =>
  withEnds(ends, false, options, async (open) => (await surveyCopy(open, request, options)).plan);

export interface CopyExecution extends CopyOptions {
  /** Told what will be done, as found under the locks, before anything is. What it throws ends the run. */
  readonly onPlan?: ((plan: CopyPlan) => void | Promise<void>) | undefined;
  /** Told of each snapshot that the target holds now. */
  readonly onCopied?: ((copied: CopiedSnapshot) => void) | undefined;
}

export interface CopiedSnapshot {
  /** In the source. */
  readonly snapshot: Snapshot;
  /** ID in the target. */
  readonly copy: string;
}

export interface CopyResult {
  readonly plan: CopyPlan;
  /** Oldest first. */
  readonly copied: readonly CopiedSnapshot[];
  /** Snapshots that could not be copied, since something that they need cannot be read; those that the plan knew of included. */
  readonly damaged: readonly Snapshot[];
  /** Damage of the source that was in the way, with the first few files that it harms. */
  readonly damage: readonly Finding[];
  /** Bytes of packs stored in the target. */
  readonly storedBytes: number;
  /** Packs of an earlier run that was cut off, taken over by this one. */
  readonly adoptedPacks: number;
}

/**
 * Plans under the locks and carries the plan out. Throws what {@link planCopy} throws, `lock-lost`, `cancelled`, `encoding-failed` or
 * what the storages throw; whatever it throws, all snapshots of both are whole, and the next run goes on from what is stored.
 */
export const executeCopy = (ends: CopyEnds, request: CopyRequest, options: CopyExecution): Promise<CopyResult> =>
  withEnds(ends, true, options, async (open) => {
    const facts = await surveyCopy(open, request, options);
    await options.onPlan?.(facts.plan);
    return new CopyRun(open, facts, options).run();
  });

/** Bytes of blobs that are one job: few enough that no worker is left with much when the others are done. */
const jobBytes = 16 << 20;
const jobBlobs = 16_384;
/** Snapshots are stored after so many bytes, since each time packs are left that are not full. */
const bytesBetweenSnapshots = 256 << 20;
/** Contents that are one job. */
const contentsPerJob = 8;

/** A snapshot whose blobs are with the workers, and perhaps not stored yet. */
interface Pending {
  readonly snapshot: Snapshot;
  /** ID in the target. */
  readonly tree: string;
}

class CopyRun {
  readonly #ends: OpenEnds;
  readonly #facts: CopyFacts;
  readonly #options: CopyExecution;
  readonly #copied: CopiedSnapshot[] = [];
  readonly #damaged = new Set<Snapshot>();
  /** By records that lookups give. */
  readonly #bad = new Map<number, BlobDamage>();
  #pending: Pending[] = [];
  #bytesPending = 0;
  /** Names of the target's snapshots that are known. */
  readonly #known: Set<string>;

  constructor(ends: OpenEnds, facts: CopyFacts, options: CopyExecution) {
    this.#ends = ends;
    this.#facts = facts;
    this.#options = options;
    this.#known = new Set(ends.targetSnapshots.map(({ id }) => id));
  }

  async run(): Promise<CopyResult> {
    const { pool, store, adoptedPacks } = this.#ends;
    const { plan, tables } = this.#facts;
    const last = plan.snapshots.length;
    const sequence = await pool.run('arrangeCopy', { tables, last });
    const stop = reportProgress(this.#options, pool, {
      phase: 'copying',
      items: () => pool.total('files'),
      bytes: () => pool.total('bytes'),
      totalItems: plan.cutsAnew ? undefined : plan.blobs,
      totalBytes: plan.bytes,
    });
    try {
      for (const [i, { snapshot, action, bytes }] of plan.snapshots.entries()) {
        if (action === 'damaged') this.#damaged.add(snapshot);
        if (action !== 'copy') continue;
        await this.#copy(snapshot, sequence, i + 1);
        this.#bytesPending += bytes;
        if (this.#bytesPending >= bytesBetweenSnapshots) await this.#storePending();
      }
      await this.#storePending();
    } finally {
      stop();
    }
    const damaged = plan.snapshots.map(({ snapshot }) => snapshot).filter((snapshot) => this.#damaged.has(snapshot));
    const found = { trees: [], packs: [], blobs: [...this.#bad.values()] };
    const damage = [...plan.damage, ...(this.#bad.size > 0 ? await findDamage(this.#ends, tables, found, damaged) : [])];
    return { plan, copied: this.#copied, damaged, damage, storedBytes: store!.storedBytes, adoptedPacks };
  }

  /** Hands everything that a snapshot needs to the packers. */
  async #copy(snapshot: Snapshot, { records, starts }: CopySequence, turn: number): Promise<void> {
    const { pool } = this.#ends;
    const { packOf, lengths } = this.#facts.tables.survey;
    const jobs = batches(records.subarray(starts[turn], starts[turn + 1]), lengths);
    await this.#checkGoing();
    await runSome(pool.size, jobs, async (batch) => this.#noteDamage(await pool.run('copyBlobs', { records: batch, packOf })));
    const tree = this.#facts.plan.cutsAnew ? await this.#rewrite(snapshot) : snapshot.tree;
    if (tree === undefined) this.#damaged.add(snapshot);
    else this.#pending.push({ snapshot, tree });
    if (this.#bad.size > 0) await this.#expectSource();
  }

  /** Makes the trees of a snapshot anew; returns the ID of its root, or undefined when something of it cannot be read. */
  async #rewrite(snapshot: Snapshot): Promise<string | undefined> {
    const { pool, sourceIndex } = this.#ends;
    const tables = this.#facts.trees;
    const root = sourceIndex.entryOf(bytesOfId(snapshot.tree), 0, 'tree');
    try {
      for (;;) {
        const { tree, missing } = await pool.run('recutTrees', { tables, root });
        if (tree) return Buffer.from(tree).toString('hex');
        // What is left cannot be read; all of it has been named.
        if (missing.length === 0) return undefined;
        await this.#checkGoing();
        await runSome(pool.size, groups(missing, contentsPerJob), async (contents) =>
          this.#noteDamage(await pool.run('cutContents', { contents, map: tables.contents })),
        );
      }
    } catch (error) {
      // A tree that the survey could still read.
      if (!isDamage(error)) throw error;
      this.#noteDamage([{ record: root, cause: causeOf(error) }]);
      return undefined;
    }
  }

  async #checkGoing(): Promise<void> {
    await this.#options.control.checkpointAsync();
    await this.#ends.sourceLock?.ensure();
  }

  #noteDamage(damage: readonly BlobDamage[]): void {
    for (const each of damage) this.#bad.set(this.#facts.tables.survey.primary[each.record], each);
  }

  /** A source that was unplugged looks as if everything were damaged. */
  async #expectSource(): Promise<void> {
    const { source } = this.#ends;
    if (!(await source.answers())) fail('storage-gone', { location: source.storage.location, cause: 'its config file cannot be read' });
  }

  /** Makes durable what the packers hold, then stores the snapshots that are complete. */
  async #storePending(): Promise<void> {
    const pending = this.#pending;
    this.#pending = [];
    this.#bytesPending = 0;
    if (pending.length === 0) return;
    const { pool, store, target, targetLock } = this.#ends;
    await storeRest(pool, store!);
    await this.#learnOfOthers();
    for (const { snapshot, tree } of pending) {
      if (await this.#needsBad(snapshot)) {
        this.#damaged.add(snapshot);
        continue;
      }
      const { copies } = this.#facts;
      const parent = snapshot.parent === undefined ? undefined : copies.ofId(snapshot.parent)?.id;
      const fields = copyFields(snapshot, tree, parent);
      // Another run may have copied it meanwhile.
      let copy = copies.find({ ...fields, id: snapshot.id })?.id;
      if (copy === undefined) {
        await this.#options.control.checkpointAsync();
        await targetLock!.ensure();
        copy = await target.saveSnapshot(fields);
        this.#known.add(copy);
        copies.add({ ...fields, id: copy });
      }
      this.#copied.push({ snapshot, copy });
      this.#options.onCopied?.({ snapshot, copy });
    }
  }

  /** Reads the snapshots that others have added to the target. */
  async #learnOfOthers(): Promise<void> {
    const { target } = this.#ends;
    for (const name of await target.names('snapshot')) {
      if (this.#known.has(name)) continue;
      this.#known.add(name);
      try {
        this.#facts.copies.add(await target.snapshot(name));
      } catch (error) {
        // One that is damaged or gone again is no copy.
        if (!isDamage(error)) throw error;
      }
    }
  }

  /** Whether a snapshot needs what turned out to be damaged. Walks through all of it, but only when there is damage. */
  async #needsBad({ tree }: Snapshot): Promise<boolean> {
    if (this.#bad.size === 0) return false;
    const { pool, sourceIndex } = this.#ends;
    const { marks, problems } = await markUsedBlobs(pool.source, sourceIndex, this.#facts.tables.best, [tree], {
      walk: (args) => pool.source.run('markToCopy', { ...args, contents: undefined }),
    });
    return problems.length > 0 || [...this.#bad.keys()].some((record) => marks[record] !== 0);
  }
}

/** Records by pack and offset in pieces of about {@link jobBytes}. */
function* batches(records: Uint32Array, lengths: Uint32Array): Generator<Uint32Array> {
  for (let from = 0; from < records.length; ) {
    let bytes = 0;
    let to = from;
    while (to < records.length && bytes < jobBytes && to - from < jobBlobs) bytes += lengths[records[to++]];
    yield records.slice(from, to);
    from = to;
  }
}

function* groups<T>(list: readonly T[], size: number): Generator<readonly T[]> {
  for (let from = 0; from < list.length; from += size) yield list.slice(from, from + size);
}
