/** Opens the journal of a restore for an undo: finds it, makes sure that what it kept is there, and that nobody else is at work. */
import { closeSync, realpathSync } from 'node:fs';
import { join } from 'node:path';
import { fail } from '../../contract/errors.ts';
import { displayPath } from '../../platform/byte-paths.ts';
import type { Clock } from '../../platform/clock.ts';
import { throwIfFatal } from '../restore/failures.ts';
import { asidePath, beginLater, isAside, timeOf } from './aside.ts';
import { Evidence, type Interval, killMargin } from './evidence.ts';
import { appendRecords, claim, overlaps, readAreas, readHeads, shownPath, type UndoHead } from './journal.ts';
import { bytesOf, type IntervalRecord } from './records.ts';
import { RecordStore } from './record-store.ts';

export interface UndoArea {
  /** Without links. */
  readonly path: Buffer;
  readonly aside: Buffer;
  readonly evidence: Evidence;
}

export interface OpenUndo {
  readonly head: UndoHead;
  readonly journal: string;
  readonly store: RecordStore;
  /** By worker and number, as records name them. */
  readonly areas: ReadonlyMap<string, UndoArea>;
  close(): void;
}

/** The one journal whose ID begins with `id`. Throws `undo-not-found`. */
export function findHead(folder: string, id: string): UndoHead {
  const found = id === '' ? [] : readHeads(folder).filter((head) => head.id.startsWith(id));
  return found.length === 1 ? found[0] : fail('undo-not-found', { id });
}

/**
 * With `act` the times of the undo begin. Throws `undo-not-found`, `undo-blocked`, `undo-target-gone`, `undo-damaged` and
 * `target-busy`.
 */
export function openUndo(folder: string, id: string, act: boolean, clock: Clock): OpenUndo {
  const head = findHead(folder, id);
  const journal = join(folder, head.id);
  const later = readHeads(folder).find((other) => other.number > head.number && overlaps(head, other));
  if (later) fail('undo-blocked', { id: later.id });
  const lock = claim(journal);
  if (lock === undefined) return fail('target-busy', { path: head.target, id: head.id });
  let store: RecordStore | undefined;
  try {
    store = new RecordStore(journal);
    const areas = new Map<string, UndoArea>();
    // Several workers may have used one.
    const evidences = new Map<string, Evidence>();
    const nowNs = BigInt(Math.round(clock.now())) * 1_000_000n;
    for (const { worker, area, path, coarse } of readAreas(journal)) {
      const [place, key] = [bytesOf(path), `${worker} ${area}`];
      const aside = asidePath(place, head.id);
      if (!store.isEmptied && !isThere(place, aside)) {
        // It was going to be used, and the restore was cut off before.
        if (!store.areasInUse.has(key)) continue;
        return fail('undo-target-gone', { path: shownPath(path) });
      }
      let evidence = evidences.get(path);
      if (!evidence) {
        const intervals = intervalsOf(journal, store, aside, act, clock);
        evidence = new Evidence({ intervals, coarse, folders: store.folders, now: nowNs });
        evidences.set(path, evidence);
      }
      areas.set(key, { path: place, aside, evidence });
    }
    const opened = store;
    const close = (): void => {
      opened.close();
      closeSync(lock);
    };
    return { head, journal, store, areas, close };
  } catch (error) {
    store?.close();
    closeSync(lock);
    throw error;
  }
}

/** That the folders above were not swapped for a link to elsewhere, either. */
function isThere(area: Buffer, aside: Buffer): boolean {
  try {
    return realpathSync(area, { encoding: 'buffer' }).equals(area) && isAside(aside);
  } catch {
    return false;
  }
}

function intervalsOf(journal: string, { intervals, isEmptied }: RecordStore, aside: Buffer, act: boolean, clock: Clock): Interval[] {
  try {
    return takeUp(journal, intervals, aside, act && !isEmptied ? clock : undefined);
  } catch (error) {
    throwIfFatal(error, aside);
    return fail('undo-target-gone', { path: displayPath(aside), cause: (error as Error).message }, error);
  }
}

/** The times in which an area was ours. A run that was killed has left its own in the aside folder; it is written down, and a new one begins. */
function takeUp(journal: string, known: readonly IntervalRecord[], aside: Buffer, clock: Clock | undefined): Interval[] {
  const text = aside.toString('latin1');
  const ours = known.filter((record) => record.aside === text);
  const open = timeOf(aside);
  if (open) {
    const record: IntervalRecord = { do: 'interval', aside: text, from: String(open.from), to: String(open.to + killMargin) };
    if (clock) appendRecords(journal, [record]);
    ours.push(record);
  }
  const intervals = ours.map(({ from, to }) => ({ from: BigInt(from), to: BigInt(to) }));
  if (!clock) return intervals;
  beginLater(aside, clock);
  // Everything that happens from now on is this run's.
  return [...intervals, { from: timeOf(aside)!.from, to: endOfTime }];
}

const endOfTime = 2n ** 63n;
