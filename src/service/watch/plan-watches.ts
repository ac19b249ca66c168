/** The watchers of all plans that run after changes, and their journals. */
import type { Plan } from '../../contract/plan.ts';
import type { Run } from '../../contract/run.ts';
import type { PlanState } from '../../contract/state.ts';
import { compileExcludes } from '../../engine/backup/exclude.ts';
import { displayPath } from '../../platform/byte-paths.ts';
import type { Clock } from '../../platform/clock.ts';
import { patternsLeavingOut } from '../plans/own-folders.ts';
import { PlanJournal } from './journal.ts';
import type { JournalDefects } from './journal-defects.ts';
import { JournalOfRun, noJournal, type RunJournal } from './run-journal.ts';
import { SourceWatcher, type WatchNote } from './source-watcher.ts';

export interface PlanWatchesOptions {
  readonly clock: Clock;
  readonly onChange: (plan: string) => void;
  /** Folders that Holdfast writes to, so that a run would begin for what the last one has written. */
  readonly ownFolders: () => readonly string[];
  readonly defects: JournalDefects;
  /** Told of defects; such a plan still runs at its times. */
  readonly onDefect: (error: unknown) => void;
}

interface Watched {
  /** What it watches, to see whether a changed plan needs another watcher. */
  readonly what: string;
  readonly watcher: SourceWatcher;
  readonly journal: PlanJournal;
  /** Folders of Holdfast's own in its sources: a run may store them all the same. */
  readonly unwatched: readonly string[];
}

export class PlanWatches {
  readonly #options: PlanWatchesOptions;
  readonly #watched = new Map<string, Watched>();

  constructor(options: PlanWatchesOptions) {
    this.#options = options;
  }

  setPlans(plans: readonly Plan[]): void {
    const folders = this.#options.ownFolders();
    const wanted = new Map(plans.filter(wantsWatching).map((plan) => [plan.id, plan]));
    for (const [id, { what, watcher }] of this.#watched) {
      const plan = wanted.get(id);
      if (plan && what === whatOf(plan, folders)) continue;
      watcher.close();
      this.#watched.delete(id);
    }
    for (const plan of wanted.values()) if (!this.#watched.has(plan.id)) this.#begin(plan, folders);
  }

  /**
   * A run of the plan to a destination begins, and has read nothing yet. `besides`: further paths that it stores, and that are not watched.
   */
  take({ id: run, plan, destination }: Pick<Run, 'id' | 'plan' | 'destination'>, besides: readonly string[]): RunJournal {
    const watched = plan === null ? undefined : this.#watched.get(plan);
    if (plan === null || destination === null || !watched) return noJournal;
    const { watcher, journal, unwatched } = watched;
    const { defects, onChange } = this.#options;
    const taken = journal.take(destination, watcher.cut(), defects.of(plan) !== undefined);
    const whole = [...[...unwatched, ...besides].map((path) => Buffer.from(path)), ...watcher.untold()];
    return new JournalOfRun({ run, plan, watcher, taken, defects, whole, onGivenBack: () => onChange(plan) });
  }

  notes(plan: string): PlanState['watchNotes'] {
    const notes: PlanState['watchNotes'] = this.#watched.get(plan)?.watcher.notes().map(noteOf) ?? [];
    const defect = this.#options.defects.of(plan);
    if (!defect) return notes;
    const { at, count, folders } = defect;
    return [...notes, { kind: 'missed', at, count, folders }];
  }

  close(): void {
    for (const { watcher } of this.#watched.values()) watcher.close();
    this.#watched.clear();
  }

  #begin(plan: Plan, ownFolders: readonly string[]): void {
    const { clock, onChange, onDefect } = this.#options;
    try {
      const { sources, id } = plan;
      const excludes = { ...plan.excludes, patterns: patternsOf(plan, ownFolders) };
      const watcher = new SourceWatcher({
        clock,
        sources: sources.map(({ path }) => Buffer.from(path)),
        rules: compileExcludes({ ...excludes, largerThan: excludes.largerThan ?? undefined }),
        onChange: () => onChange(id),
      });
      watcher.ready.catch(onDefect);
      const unwatched = ownFolders.filter((folder) => patternsLeavingOut([folder], plan).length > 0);
      this.#watched.set(id, { what: whatOf(plan, ownFolders), watcher, journal: new PlanJournal(clock), unwatched });
    } catch (error) {
      onDefect(error);
    }
  }
}

const wantsWatching = ({ enabled, schedule }: Plan): boolean => enabled && schedule.triggers.some(({ kind }) => kind === 'change');

const patternsOf = (plan: Plan, ownFolders: readonly string[]): string[] => [
  ...plan.excludes.patterns,
  ...patternsLeavingOut(ownFolders, plan),
];

const whatOf = (plan: Plan, ownFolders: readonly string[]): string =>
  JSON.stringify([plan.sources, plan.excludes, patternsOf(plan, ownFolders)]);

function noteOf(note: WatchNote): PlanState['watchNotes'][number] {
  switch (note.kind) {
    case 'limit':
      return { kind: note.kind, watched: note.watched, polled: note.polled, limit: note.limit ?? null };
    case 'file-system':
      return { kind: note.kind, path: displayPath(note.path), type: note.type };
    case 'missing':
      return { kind: note.kind, path: displayPath(note.path) };
  }
}
