/** What a copy will do, as data that a person can read; and the facts that it is decided from. */
import { fail, type HoldfastError } from '../../contract/errors.ts';
import { bytesOfId } from '../../repository/ids.ts';
import type { Snapshot } from '../../repository/snapshot.ts';
import { DamageReport } from '../check/damage.ts';
import { type Finding, Findings } from '../check/finding.ts';
import { fitness, type IndexSurvey } from '../check/index-survey.ts';
import { listPacks } from '../check/pack-listing.ts';
import { reportProgress } from '../run.ts';
import type { TreeProblem } from '../trees/mark-job.ts';
import { markUsedBlobs } from '../trees/mark.ts';
import type { CopyTables } from './assign-job.ts';
import { ContentMap } from './content-map.ts';
import { Copies } from './copies.ts';
import type { CopyOptions, OpenEnds, UnreadableSnapshot } from './ends.ts';
import type { TreeTables } from './recut-job.ts';

export interface CopyRequest {
  /** IDs, unique beginnings of IDs, or `latest`; left out: all. */
  readonly snapshots?: readonly string[] | undefined;
  /** Snapshots that it says no to are not copied; for a request that names none. */
  readonly filter?: ((snapshot: Snapshot) => boolean) | undefined;
  /** Blobs are copied as they are also where the target cuts files at other places. */
  readonly keepChunks?: boolean | undefined;
}

export interface PlannedCopy {
  /** In the source. */
  readonly snapshot: Snapshot;
  /**
   * - `copy`: it will be copied.
   * - `present`: the target holds a copy of it.
   * - `damaged`: something that it needs is missing or unreadable, so it cannot be copied.
   */
  readonly action: 'copy' | 'present' | 'damaged';
  /** ID of the copy that the target holds. */
  readonly copy: string | undefined;
  /** To be read for it, beside what those before it need. */
  readonly blobs: number;
  readonly bytes: number;
}

export interface CopyPlan {
  /** The snapshots asked for, oldest first. */
  readonly snapshots: readonly PlannedCopy[];
  /** Snapshots of the source, among those asked for, that cannot be read. */
  readonly unreadable: readonly UnreadableSnapshot[];
  /** Contents are cut anew, since the target cuts files at other places than the source. */
  readonly cutsAnew: boolean;
  /** Both cut at other places, and blobs are copied as they are all the same. */
  readonly keepsChunks: boolean;
  /** To be read from the source: blobs, and the bytes that they take there. */
  readonly blobs: number;
  readonly bytes: number;
  /** Damage of the source that is in the way, with the first few files that it harms. */
  readonly damage: readonly Finding[];
  /** Damage of the target, which does no harm to what is copied. */
  readonly targetDamage: readonly HoldfastError[];
}

/** The plan with what its execution needs. */
export interface CopyFacts {
  readonly plan: CopyPlan;
  readonly tables: CopyTables;
  readonly trees: TreeTables;
  readonly copies: Copies;
}

/** Finds out what is to be copied. Throws `snapshot-not-found`, `snapshot-ambiguous`, `bad-usage`, or what makes going on senseless. */
export async function surveyCopy(ends: OpenEnds, request: CopyRequest, options: CopyOptions): Promise<CopyFacts> {
  const { source, target, sourceIndex, pool } = ends;
  const { wanted, unreadable } = choose(ends, request);
  const isOther = source.config.chunker_polynomial !== target.config.chunker_polynomial;
  const cutsAnew = isOther && !request.keepChunks;
  const survey = await pool.source.run('surveyIndex', undefined);
  const { stored } = await listPacks(source, sourceIndex);
  const shared = (): Uint32Array<SharedArrayBuffer> => new Uint32Array(new SharedArrayBuffer(survey.records * 4));
  const bytesOf = (): Uint8Array<SharedArrayBuffer> => new Uint8Array(new SharedArrayBuffer(survey.records));
  const best = bestPlaces(survey, stored);
  const tables: CopyTables = { survey, best, stored, marks: bytesOf(), settled: bytesOf(), turns: shared() };
  const trees: TreeTables = {
    best,
    made: cutsAnew ? shared() : new Uint32Array(new SharedArrayBuffer(0)),
    contents: ContentMap.create().memory,
  };
  const copies = new Copies(ends.targetSnapshots);
  const stop = reportProgress(options, pool, { phase: 'scanning', items: () => pool.total('dirs'), bytes: () => 0 });
  try {
    const surveyor = new Surveyor(ends, tables, trees, cutsAnew);
    const present = await surveyor.findPresent(wanted, copies);
    const snapshots: PlannedCopy[] = [];
    for (const snapshot of wanted) {
      await options.control.checkpointAsync();
      const copy = present.get(snapshot.id);
      if (copy !== undefined) snapshots.push({ snapshot, action: 'present', copy, blobs: 0, bytes: 0 });
      else snapshots.push(await surveyor.plan(snapshot, snapshots.length + 1));
    }
    const damaged = snapshots.filter(({ action }) => action === 'damaged').map(({ snapshot }) => snapshot);
    const plan: CopyPlan = {
      snapshots,
      unreadable,
      cutsAnew,
      keepsChunks: isOther && !cutsAnew,
      blobs: snapshots.reduce((sum, { blobs }) => sum + blobs, 0),
      bytes: snapshots.reduce((sum, { bytes }) => sum + bytes, 0),
      damage: await findDamage(ends, tables, { trees: surveyor.problems, packs: surveyor.missingPacks, blobs: [] }, damaged),
      targetDamage: ends.targetDamage,
    };
    return { plan, tables, trees, copies };
  } finally {
    stop();
  }
}

/** The snapshots asked for, oldest first, and those of them that cannot be read. */
function choose(
  { sourceSnapshots, unreadable }: OpenEnds,
  { snapshots, filter }: CopyRequest,
): { wanted: readonly Snapshot[]; unreadable: readonly UnreadableSnapshot[] } {
  if (snapshots === undefined) return { wanted: filter ? sourceSnapshots.filter(filter) : sourceSnapshots, unreadable };
  const named = new Set(
    snapshots.map((name) => {
      if (name === 'latest') return sourceSnapshots.at(-1)?.id ?? fail('snapshot-not-found', { snapshot: name });
      const matches = name === '' ? [] : [...sourceSnapshots, ...unreadable].filter(({ id }) => id.startsWith(name));
      if (matches.length > 1) return fail('snapshot-ambiguous', { snapshot: name });
      return matches[0]?.id ?? fail('snapshot-not-found', { snapshot: name });
    }),
  );
  // One that cannot be read may be newer than the one that is taken for the latest.
  const isInTheWay = ({ id }: UnreadableSnapshot): boolean => named.has(id) || snapshots.includes('latest');
  return { wanted: sourceSnapshots.filter(({ id }) => named.has(id)), unreadable: unreadable.filter(isInTheWay) };
}

/** For each record that lookups give, the record to read its blob from: in a pack that fits the index, else in one that is there. */
function bestPlaces(survey: IndexSurvey, stored: Float64Array): Uint32Array<SharedArrayBuffer> {
  const { records, packOf, primary } = survey;
  const fits = fitness(survey, stored);
  const rank = (record: number): number => (fits[packOf[record]] === 1 ? 2 : stored[packOf[record]] >= 0 ? 1 : 0);
  const best = new Uint32Array(new SharedArrayBuffer(records * 4));
  best.set(primary);
  for (let record = 0; record < records; record++)
    if (primary[record] !== record && rank(record) > rank(best[primary[record]])) best[primary[record]] = record;
  return best;
}

/** Finds out, snapshot by snapshot, what the target lacks. */
class Surveyor {
  readonly #ends: OpenEnds;
  readonly #tables: CopyTables;
  readonly #trees: TreeTables;
  readonly #cutsAnew: boolean;
  readonly problems: TreeProblem[] = [];
  readonly missingPacks = new Set<number>();

  constructor(ends: OpenEnds, tables: CopyTables, trees: TreeTables, cutsAnew: boolean) {
    this.#ends = ends;
    this.#tables = tables;
    this.#trees = trees;
    this.#cutsAnew = cutsAnew;
  }

  /** IDs of the copies that the target holds, by the IDs of the snapshots. */
  async findPresent(wanted: readonly Snapshot[], copies: Copies): Promise<Map<string, string>> {
    const present = new Map<string, string>();
    for (const snapshot of wanted) {
      const copy = copies.find(snapshot) ?? (this.#cutsAnew ? await this.#findCut(snapshot, copies) : undefined);
      if (copy) present.set(snapshot.id, copy.id);
    }
    return present;
  }

  /** The copy whose contents were cut anew. */
  async #findCut(snapshot: Snapshot, copies: Copies): Promise<Snapshot | undefined> {
    const source = this.#ends.sourceIndex.entryOf(bytesOfId(snapshot.tree), 0, 'tree');
    for (const copy of copies.similar(snapshot)) {
      const target = new Uint8Array(bytesOfId(copy.tree));
      if (await this.#ends.pool.run('compareTrees', { tables: this.#trees, source, target })) return copy;
    }
    return undefined;
  }

  async plan(snapshot: Snapshot, turn: number): Promise<PlannedCopy> {
    const { pool, sourceIndex } = this.#ends;
    const tables = this.#tables;
    const contents = this.#cutsAnew ? this.#trees.contents : undefined;
    const { problems } = await markUsedBlobs(pool.source, sourceIndex, tables.best, [snapshot.tree], {
      marks: tables.marks,
      walk: (args) => pool.source.run('markToCopy', { ...args, contents }),
    });
    if (problems.length > 0) {
      this.problems.push(...problems);
      // A later snapshot that needs the same comes upon it again.
      await pool.run('takeBack', tables);
      return { snapshot, action: 'damaged', copy: undefined, blobs: 0, bytes: 0 };
    }
    const { missing, blobs, bytes } = await pool.run('assignTurn', { tables, turn, isCut: this.#cutsAnew });
    for (const pack of missing) this.missingPacks.add(pack);
    return { snapshot, action: missing.length > 0 ? 'damaged' : 'copy', copy: undefined, blobs, bytes };
  }
}

interface FoundDamage {
  readonly trees: readonly TreeProblem[];
  /** Packs that are missing. */
  readonly packs: Iterable<number>;
  /** Records of blobs that cannot be read, and why. */
  readonly blobs: readonly { readonly record: number; readonly cause: string }[];
}

/** Damage of the source in words, with the first few files of these snapshots that it harms. */
export async function findDamage(
  { pool, sourceIndex }: OpenEnds,
  { survey, best, marks }: CopyTables,
  { trees, packs, blobs }: FoundDamage,
  damaged: readonly Snapshot[],
): Promise<Finding[]> {
  const findings = new Findings();
  const report = new DamageReport(sourceIndex, survey, best, marks, findings);
  for (const problem of trees) report.addTreeProblem(problem);
  for (const pack of packs) report.addPack(pack, 'pack-missing', 'is missing');
  for (const { record, cause } of blobs) report.addPackDamage({ pack: survey.packOf[record], kind: 'blob', record, cause, unread: false });
  await report.findPaths(pool.source, damaged.toReversed());
  return findings.list();
}
