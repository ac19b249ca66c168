/** Gives up the possibility to undo a restore: removes what was kept aside, then the journal. */
import { closeSync, lstatSync, readdirSync, readFileSync, rmdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fail } from '../../contract/errors.ts';
import { joinPath } from '../../platform/byte-paths.ts';
import { type Clock, nextTurn } from '../../platform/clock.ts';
import { throwIfFatal } from '../restore/failures.ts';
import { examine, removeEntry } from '../restore/removal.ts';
import type { RestoreProblem } from '../restore/walk-task.ts';
import type { RunOptions } from '../run.ts';
import { asidePath, isAside } from './aside.ts';
import { claim, headFile, journalNames, readAreas, readHeads, removeJournal } from './journal.ts';
import { type ListedUndo, listUndos } from './list.ts';
import { findHead } from './open-undo.ts';
import { bytesOf } from './records.ts';

/** One that is named, or all that are older than so many milliseconds. */
export type ForgetUndoRequest = { readonly id: string } | { readonly olderThanMs: number };

export interface ForgetUndoResult {
  readonly forgotten: readonly ListedUndo[];
  /** What could not be removed. Its journal stays, unless it was named and its drive is away. */
  readonly problems: readonly RestoreProblem[];
}

const dayMs = 86_400_000;
/** Journals are removed by themselves at this age. */
const keptMs = 30 * dayMs;
/**
 * What seems to be a longer time between two looks may be a clock that is wrong for a while, or was until now: it counts as
 * a day. That somebody looks less often only means that more is kept for longer.
 */
const longestStepMs = 8 * dayMs;

/** Which ones would be forgotten. Throws `undo-not-found` for one that is named and not there. */
export function planForgetUndo(folder: string, request: ForgetUndoRequest, { clock }: Pick<RunOptions, 'clock'>): ListedUndo[] {
  if ('id' in request) {
    const { id } = findHead(folder, request.id);
    return listUndos(folder).filter((undo) => undo.id === id);
  }
  return listUndos(folder).filter(({ head, state }) => state !== 'running' && clock.now() - head.time > request.olderThanMs);
}

/** Forgets. Throws `undo-not-found`, `target-busy` for one that is named and at work, `target-read-only`, `target-gone`, `cancelled`. */
export async function executeForgetUndo(
  folder: string,
  request: ForgetUndoRequest,
  options: Pick<RunOptions, 'clock' | 'control'>,
): Promise<ForgetUndoResult> {
  const forgotten: ListedUndo[] = [];
  const problems: RestoreProblem[] = [];
  for (const undo of planForgetUndo(folder, request, options)) {
    const journal = join(folder, undo.id);
    const lock = claim(journal);
    if (lock === undefined) {
      if ('id' in request) fail('target-busy', { path: undo.head.target, id: undo.id });
      continue;
    }
    try {
      const found = await removeAsides(journal, undo, options);
      for (const problem of found) problems.push(problem);
      if (found.length > 0 && !('id' in request && undo.state === 'away')) continue;
      removeJournal(journal);
      forgotten.push(undo);
    } finally {
      closeSync(lock);
    }
  }
  return { forgotten, problems };
}

async function removeAsides(journal: string, { id }: ListedUndo, { control }: Pick<RunOptions, 'control'>): Promise<RestoreProblem[]> {
  const problems: RestoreProblem[] = [];
  const asides = new Map(readAreas(journal).map(({ path }) => [path, asidePath(bytesOf(path), id)]));
  for (const aside of asides.values()) {
    try {
      if (!isAside(aside)) {
        problems.push({ path: new Uint8Array(aside), kind: 'failed', detail: 'it is not there' });
        continue;
      }
      for (const name of readdirSync(aside, { encoding: 'buffer' }) as Buffer[]) {
        await control.checkpointAsync();
        await nextTurn();
        const place = joinPath(aside, name);
        const stat = lstatSync(place, { bigint: true });
        const { objection } = examine(place, stat, stat.dev, undefined);
        if (objection !== undefined) throw new Error(objection);
        removeEntry(place, stat);
      }
      rmdirSync(aside);
    } catch (error) {
      throwIfFatal(error, aside);
      problems.push({ path: new Uint8Array(aside), kind: 'failed', detail: (error as Error).message });
    }
  }
  return problems;
}

/**
 * Removes journals that are older than 30 days, and what was cut off while it was removed. To be called now and then, best
 * daily. What fails is tried again by the next.
 */
export async function forgetOld(folder: string, options: Pick<RunOptions, 'clock' | 'control'>): Promise<void> {
  try {
    removeRemains(folder, options.clock);
    const due = readHeads(folder).filter(({ id }) => isDue(join(folder, id), options.clock));
    if (due.length === 0) return;
    for (const { id, state } of listUndos(folder)) {
      const isThere = state === 'whole' || state === 'cut-off';
      if (isThere && due.some((head) => head.id === id)) await executeForgetUndo(folder, { id }, options);
    }
  } catch {
    // See above.
  }
}

/** Whether a journal is old enough. Its age is the sum of what has passed between looks at it, by a clock that may have been changed. */
function isDue(journal: string, clock: Clock): boolean {
  const now = clock.now();
  const file = join(journal, 'age');
  const { seen, ageMs } = readAge(file) ?? { seen: now, ageMs: 0 };
  const step = now - seen > longestStepMs ? dayMs : Math.max(now - seen, 0);
  const age = ageMs + step;
  writeFileSync(file, JSON.stringify({ seen: now, ageMs: age }));
  return age > keptMs;
}

function readAge(file: string): { seen: number; ageMs: number } | undefined {
  try {
    const { seen, ageMs } = JSON.parse(readFileSync(file, 'utf8')) as { seen: number; ageMs: number };
    return Number.isFinite(seen) && ageMs >= 0 ? { seen, ageMs } : undefined;
  } catch {
    return undefined;
  }
}

function removeRemains(folder: string, clock: Clock): void {
  for (const name of journalNames(folder)) {
    const journal = join(folder, name);
    // One without a head is just being begun, or was when the power failed.
    const isOld = clock.now() - statSync(journal).mtimeMs > dayMs;
    const isBegun = statSync(headFile(journal), { throwIfNoEntry: false }) !== undefined;
    if (name.endsWith('.gone') || (!isBegun && isOld)) rmSync(journal, { recursive: true, force: true });
  }
}
