/**
 * diff: what differs between two snapshots, or between a folder in each. Memory does not grow with what they hold, only (by some 60
 * bytes each) with the number of contents that were removed or added, and with what moved.
 *
 * The trees that differ are gone through two to four times: once by all workers, for the blobs that each side needs and for what might
 * have moved; when something might, in the order of paths to see what did; and in that order to tell the changes. Trees that are the
 * same in both are read only to see which of the blobs they need, too.
 */
import { errorFromJSON, fail, type HoldfastError } from '../../contract/errors.ts';
import { splitList } from '../../platform/byte-list.ts';
import { displayPath, splitPath } from '../../platform/byte-paths.ts';
import type { Repository } from '../../repository/repository.ts';
import type { Snapshot } from '../../repository/snapshot.ts';
import { type Reading, withReading } from '../reading.ts';
import { reportProgress, type RunOptions } from '../run.ts';
import { absolutePath, resolveSnapshotPath } from '../snapshot-path.ts';
import { type DamagedTree, DamagedTrees } from '../trees/damaged-trees.ts';
import { shareOut } from '../trees/share-out.ts';
import type { FolderProblem } from '../trees/folder-problem.ts';
import { unfoldingLimit } from '../trees/unfold.ts';
import { type Change, changesOf } from './change.ts';
import { addFigures, type BlobFigures, type EntryFigures, noEntries } from './figures.ts';
import { MovedPaths } from './moved-paths.ts';
import { MoveTable } from './move-table.ts';
import { needs, type SurveyMemory, surveyMemory } from './survey-job.ts';
import type { DiffFrame, WalkedOn } from './walk.ts';

export interface DiffSide {
  readonly snapshot: Snapshot;
  /** Absolute path of a folder within the snapshot; undefined for its root. */
  readonly path?: Buffer | undefined;
}

export interface DiffRequest {
  readonly first: DiffSide;
  readonly second: DiffSide;
  /** Whether changes of nothing but metadata are told; they are counted in any case. Default: no. */
  readonly metadata?: boolean | undefined;
  /** Whether what moved is recognised. Default: yes. */
  readonly moves?: boolean | undefined;
  /** Whether the result says which blobs only one of the two needs. What is the same in both has to be read for that. Default: yes. */
  readonly blobs?: boolean | undefined;
}

/** A folder that could not be compared. */
export interface DiffProblem {
  readonly path: Buffer;
  readonly error: HoldfastError;
}

export interface DiffResult {
  readonly entries: EntryFigures;
  /** Undefined when they were not asked for. */
  readonly blobs: BlobFigures | undefined;
  /** References to blobs that no index names: the figures lack them, and what needs them cannot be restored. */
  readonly unknownBlobs: number;
  readonly problems: readonly DiffProblem[];
  /** Other trees that could not be read, mostly ones that both have: the figures of blobs lack what they need, and moves may be missing. */
  readonly damagedTrees: readonly DamagedTree[];
  /** Index files that could not be used. */
  readonly damage: readonly HoldfastError[];
}

const changesPerBatch = 2_000;
/** Looking again for what moved, after folders turned out to have moved only in part. */
const mostRounds = 4;

/**
 * Hands over the changes, in the order of their paths; what moved stands where it is now. `take` is awaited before the next batch is
 * read. Throws `bad-usage` when one of the two is no folder, `snapshot-path-not-found`, `snapshot-too-large`, `locked`, `cancelled`,
 * what reading the way to the folders throws (see resolveSnapshotPath) and what `take` throws.
 */
export async function compareSnapshots(
  repository: Repository,
  request: DiffRequest,
  options: RunOptions,
  take: (changes: readonly Change[]) => void | Promise<void>,
): Promise<DiffResult> {
  return withReading(repository, options, async (reading) => {
    const first = await folderOf(reading, request.first);
    const second = await folderOf(reading, request.second);
    const { pool } = reading;
    const stop = reportProgress(options, pool, { phase: 'comparing', items: () => pool.total('dirs'), bytes: () => 0 });
    try {
      return await new Comparison(reading, request, first, second).run(take);
    } finally {
      stop();
    }
  });
}

interface Folder {
  readonly snapshot: Snapshot;
  readonly tree: Uint8Array;
  readonly path: Buffer;
}

async function folderOf({ pool }: Reading, { snapshot, path }: DiffSide): Promise<Folder> {
  const { tree } = await resolveSnapshotPath(pool, snapshot, path);
  if (tree) return { snapshot, tree, path: absolutePath(path === undefined ? [] : splitPath(path)) };
  return fail('bad-usage', {
    problem: `${displayPath(path!)} is no folder in snapshot ${snapshot.id.slice(0, 8)}, and only folders can be compared.`,
    guidance: 'Name the folder that holds it.',
  });
}

/** Of the root, to put other paths behind. */
const noPath = Buffer.alloc(0);

class Comparison {
  readonly #reading: Reading;
  readonly #request: DiffRequest;
  readonly #first: Folder;
  readonly #second: Folder;
  readonly #memory: SurveyMemory;
  /** By their paths. */
  readonly #problems = new Map<string, DiffProblem>();
  readonly #damaged = new DamagedTrees();
  #unknownBlobs = 0;

  constructor(reading: Reading, request: DiffRequest, first: Folder, second: Folder) {
    this.#reading = reading;
    this.#request = request;
    this.#first = first;
    this.#second = second;
    this.#memory = surveyMemory(reading.index.blobCount);
  }

  async run(take: (changes: readonly Change[]) => void | Promise<void>): Promise<DiffResult> {
    const wantsMoves = this.#request.moves ?? true;
    const wantsBlobs = this.#request.blobs ?? true;
    const isSame = Buffer.compare(this.#first.tree, this.#second.tree) === 0;
    let moves = wantsMoves && !isSame ? MoveTable.create() : undefined;
    let equal: Uint32Array[] = [];
    if (!isSame && (wantsMoves || wantsBlobs)) equal = await this.#survey(moves);
    if (!moves?.hasCandidates) moves = undefined;
    const from = moves && (await this.#findMoves(moves));
    const entries = isSame ? noEntries() : await this.#tell(moves, from, take);
    const blobs = wantsBlobs ? await this.#tallyBlobs(equal) : undefined;
    const problems = [...this.#problems.values()];
    return {
      entries,
      blobs,
      unknownBlobs: this.#unknownBlobs,
      problems,
      damagedTrees: await this.#damagedTrees(),
      damage: this.#reading.damage,
    };
  }

  /** Those that are not named as problems. */
  async #damagedTrees(): Promise<DamagedTree[]> {
    const { pool, index } = this.#reading;
    const roots = [this.#second, this.#first].map(({ tree, path }) => ({ tree, path: displayPath(path) }));
    const named = await this.#damaged.named(pool, index, roots);
    const places = new Set(Array.from(this.#problems.values(), ({ path }) => displayPath(path)));
    return named.filter(({ paths }) => paths.length === 0 || !paths.every((path) => places.has(path)));
  }

  #addProblems(problems: readonly FolderProblem[]): void {
    for (const { path, error } of problems)
      this.#problems.set(Buffer.from(path).toString('latin1'), { path: Buffer.from(path), error: errorFromJSON(error) });
  }

  /** Marks blobs and notes what was removed and added. Gives the trees that both have. */
  async #survey(moves: MoveTable | undefined): Promise<Uint32Array[]> {
    const { index } = this.#reading;
    const { marks } = this.#memory;
    const first = index.entryOf(this.#first.tree, 0, 'tree');
    const second = index.entryOf(this.#second.tree, 0, 'tree');
    // What is missing is said where it is met in the order of paths.
    if (first >= 0) marks[first] |= needs.first;
    if (second >= 0) marks[second] |= needs.second;
    if (first < 0 && second < 0) return [];
    const equal: Uint32Array[] = [];
    await this.#shareOut(Uint32Array.of(first + 1, second + 1), moves, (more) => equal.push(more));
    return equal;
  }

  async #shareOut(pairs: Uint32Array, moves: MoveTable | undefined, takeEqual: (records: Uint32Array) => void): Promise<void> {
    const { pool } = this.#reading;
    await shareOut(
      pool,
      pairs,
      (part) => pool.run('surveyDifference', { memory: this.#memory, pairs: part, moves: moves?.memory }),
      ({ equal, damage, unknownBlobs }) => {
        this.#unknownBlobs += unknownBlobs;
        if (equal.length > 0) takeEqual(equal);
        this.#damaged.add(damage);
      },
      2,
    );
  }

  /** Finds out what moved, and from where. */
  async #findMoves(moves: MoveTable): Promise<MovedPaths> {
    const { pool } = this.#reading;
    const from = new MovedPaths(moves.count);
    for (let round = 1; ; round++) {
      await this.#walk(async (frames) => {
        const found = await pool.run('findCandidates', { frames, moves: moves.memory });
        const paths = splitList(found.paths);
        found.removed.forEach((candidate, i) => {
          if (from.add(candidate, paths[i])) moves.meet(candidate, 1);
        });
        for (const candidate of found.added) moves.meet(candidate, 2);
        return found;
      });
      if (round === mostRounds || moves.dropLoneTrees() === 0) break;
      moves.startAgain();
      from.clear();
    }
    moves.settle();
    return from;
  }

  /** Hands over the changes. */
  async #tell(
    moves: MoveTable | undefined,
    from: MovedPaths | undefined,
    take: (changes: readonly Change[]) => void | Promise<void>,
  ): Promise<EntryFigures> {
    const { pool } = this.#reading;
    const figures = noEntries();
    const metadata = this.#request.metadata ?? false;
    await this.#walk(async (frames) => {
      const found = await pool.run('findChanges', { frames, moves: moves?.memory, metadata, atMost: changesPerBatch });
      addFigures(figures, found.figures);
      if (found.batch.kinds.length > 0) await take(changesOf(found.batch, this.#inFirst, (move) => from!.take(move)));
      return found;
    });
    return figures;
  }

  /** A walk has the paths of the second side; this gives the same place on the first one. */
  readonly #inFirst = (path: Buffer): Buffer => {
    const [there, here] = [this.#first, this.#second].map((side) => (side.path.length === 1 ? noPath : side.path));
    return Buffer.concat([there, path.subarray(here.length)]);
  };

  /** Goes through both folders side by side, from the beginning. */
  async #walk(goOn: (frames: readonly DiffFrame[]) => Promise<WalkedOn>): Promise<void> {
    const { pool, index } = this.#reading;
    const [first, second] = [this.#first, this.#second];
    const refuseEndless = [first, second].map(({ snapshot, tree }) => unfoldingLimit({ pool, index, snapshot: snapshot.id, root: tree }));
    const start = { first: first.tree, second: second.tree, path: new Uint8Array(second.path), firstAt: 0, secondAt: 0 };
    let frames: readonly DiffFrame[] = [{ ...start, state: 'compare' }];
    let folders = 0;
    while (frames.length > 0) {
      const walked = await goOn(frames);
      this.#addProblems(walked.problems);
      frames = walked.frames;
      folders += walked.folders;
      for (const refuse of refuseEndless) await refuse(folders);
    }
  }

  async #tallyBlobs(equal: readonly Uint32Array[]): Promise<BlobFigures> {
    const { pool } = this.#reading;
    const { marks } = this.#memory;
    const before = await pool.run('tallyBlobs', marks);
    const isSettled = [before.first, before.second].every(({ dataBlobs, treeBlobs }) => dataBlobs + treeBlobs === 0);
    if (isSettled || equal.length === 0) return before;
    const pairs = new Uint32Array(equal.reduce((sum, { length }) => sum + length, 0) * 2);
    let at = 0;
    for (const records of equal) for (const record of records) pairs.fill(record + 1, at, (at += 2));
    await this.#shareOut(pairs, undefined, () => {});
    return pool.run('tallyBlobs', marks);
  }
}
