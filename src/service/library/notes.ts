/**
 * What a person has noted of snapshots. Notes are found by the snapshot's key; and, since a snapshot that was rewritten gets another one, by
 * its time and who made it, which stay: a pin must not come off because somebody took a file out of a snapshot.
 */
import { z } from 'zod';
import { hashSchema } from '../../contract/destination.ts';
import { snapshotNotesSchema, type SnapshotNotes } from '../../contract/snapshots.ts';
import { originalOf } from '../../engine/copy/copies.ts';
import type { Snapshot } from '../../repository/snapshot.ts';
import type { StateStore } from '../state/store.ts';

export const notedSchema = z.strictObject({
  key: hashSchema,
  /** As the snapshot says it. */
  time: z.string(),
  hostname: z.string(),
  username: z.string(),
  ...snapshotNotesSchema.shape,
});
/** Notes, and whose. */
export type Noted = z.infer<typeof notedSchema>;

const name = 'snapshot notes';
export const noNotes: SnapshotNotes = { pinned: false, name: null, comment: null };

export type NotesMemory = Pick<StateStore, 'recall' | 'remember'>;

/** Those that cannot be read are left out. */
export function recallNotes(memory: NotesMemory): Noted[] {
  const kept = memory.recall(name);
  return Array.isArray(kept) ? kept.flatMap((each) => notedSchema.safeParse(each).data ?? []) : [];
}

export function rememberNotes(memory: NotesMemory, notes: readonly Noted[]): void {
  memory.remember(name, notes);
}

/** Both; of two about the same snapshot, `first`. */
export function mergedNotes(first: readonly Noted[], second: readonly Noted[]): Noted[] {
  const keys = new Set(first.map(({ key }) => key));
  return [...first, ...second.filter(({ key }) => !keys.has(key))];
}

/** Looks notes up. */
export class Notes {
  readonly #all: readonly Noted[];
  readonly #byKey: ReadonlyMap<string, Noted>;
  readonly #byTime: ReadonlyMap<string, Noted>;

  constructor(all: readonly Noted[]) {
    this.#all = all;
    this.#byKey = new Map(all.map((noted) => [noted.key, noted]));
    this.#byTime = new Map(all.map((noted) => [timeKey(noted), noted]));
  }

  of(snapshot: Snapshot): SnapshotNotes {
    const { hostname = '', username = '' } = snapshot;
    const found =
      this.#byKey.get(originalOf(snapshot)) ??
      this.#byKey.get(snapshot.id) ??
      this.#byTime.get(timeKey({ time: snapshot.time, hostname, username }));
    return found ? { pinned: found.pinned, name: found.name, comment: found.comment } : noNotes;
  }

  isPinned(snapshot: Snapshot): boolean {
    return this.of(snapshot).pinned;
  }

  /** All of them with those of a snapshot as given; without any for it when there is nothing to note. */
  with(key: string, snapshot: Snapshot, notes: SnapshotNotes): Noted[] {
    const { time, hostname = '', username = '' } = snapshot;
    const same = timeKey({ time, hostname, username });
    const others = this.#all.filter((noted) => noted.key !== key && timeKey(noted) !== same);
    const isEmpty = !notes.pinned && notes.name === null && notes.comment === null;
    return isEmpty ? others : [...others, { key, time, hostname, username, ...notes }];
  }
}

const timeKey = ({ time, hostname, username }: Pick<Noted, 'time' | 'hostname' | 'username'>): string =>
  JSON.stringify([time, hostname, username]);
