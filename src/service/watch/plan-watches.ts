/** The watchers of all plans that run after changes. */
import type { Plan } from '../../contract/plan.ts';
import type { PlanState } from '../../contract/state.ts';
import { compileExcludes } from '../../engine/backup/exclude.ts';
import { displayPath } from '../../platform/byte-paths.ts';
import type { Clock } from '../../platform/clock.ts';
import { patternsLeavingOut } from '../plans/own-folders.ts';
import type { Cut } from './dirty-folders.ts';
import { SourceWatcher, type WatchNote } from './source-watcher.ts';

export interface PlanWatchesOptions {
  readonly clock: Clock;
  readonly onChange: (plan: string) => void;
  /** Folders that Holdfast writes to, so that a run would begin for what the last one has written. */
  readonly ownFolders: () => readonly string[];
  /** Told of defects; such a plan still runs at its times. */
  readonly onDefect: (error: unknown) => void;
}

interface Watched {
  /** What it watches, to see whether a changed plan needs another watcher. */
  readonly what: string;
  readonly watcher: SourceWatcher;
}

export class PlanWatches {
  readonly #options: PlanWatchesOptions;
  readonly #watched = new Map<string, Watched>();

  constructor(options: PlanWatchesOptions) {
    this.#options = options;
  }

  setPlans(plans: readonly Plan[]): void {
    const folders = this.#options.ownFolders();
    const wanted = new Map(plans.filter(wantsWatching).map((plan) => [plan.id, withoutOwn(plan, folders)]));
    for (const [id, { what, watcher }] of this.#watched) {
      const plan = wanted.get(id);
      if (plan && what === whatOf(plan)) continue;
      watcher.close();
      this.#watched.delete(id);
    }
    for (const plan of wanted.values()) if (!this.#watched.has(plan.id)) this.#begin(plan);
  }

  /** A run of the plan begins: it sees what was learned until now. Undefined when the plan is not watched. */
  cut(plan: string): Cut | undefined {
    return this.#watched.get(plan)?.watcher.cut();
  }

  /** The run that took `cut` did not end well. */
  giveBack(plan: string, cut: Cut | undefined): void {
    if (cut) this.#watched.get(plan)?.watcher.giveBack(cut);
  }

  notes(plan: string): PlanState['watchNotes'] {
    return this.#watched.get(plan)?.watcher.notes().map(noteOf) ?? [];
  }

  close(): void {
    for (const { watcher } of this.#watched.values()) watcher.close();
    this.#watched.clear();
  }

  #begin(plan: Plan): void {
    const { clock, onChange, onDefect } = this.#options;
    try {
      const { excludes, sources, id } = plan;
      const watcher = new SourceWatcher({
        clock,
        sources: sources.map(({ path }) => Buffer.from(path)),
        rules: compileExcludes({ ...excludes, largerThan: excludes.largerThan ?? undefined }),
        onChange: () => onChange(id),
      });
      watcher.ready.catch(onDefect);
      this.#watched.set(id, { what: whatOf(plan), watcher });
    } catch (error) {
      onDefect(error);
    }
  }
}

const wantsWatching = ({ enabled, schedule }: Plan): boolean => enabled && schedule.triggers.some(({ kind }) => kind === 'change');

function withoutOwn(plan: Plan, folders: readonly string[]): Plan {
  const patterns = [...plan.excludes.patterns, ...patternsLeavingOut(folders, plan)];
  return { ...plan, excludes: { ...plan.excludes, patterns } };
}

const whatOf = ({ sources, excludes }: Plan): string => JSON.stringify([sources, excludes]);

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
