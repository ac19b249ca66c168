/** What the app shows, beside the state and the runs: the parts of the service that its screens and the command line ask. */
import type { ProtectionRow, ProtectionSummary } from '../contract/files.ts';
import type { History } from '../contract/history.ts';
import type { Run } from '../contract/run.ts';
import type { State } from '../contract/state.ts';
import type { Destinations } from './destinations/destinations.ts';
import { historyFigures, type HistoryWish } from './facts/history.ts';
import { Home } from './facts/home.ts';
import { kitsSaved } from './facts/kits.ts';
import { Browsing } from './library/browsing.ts';
import { askToDelete, type DeletionWish, workOnDeletion } from './library/deletion-job.ts';
import { Deleting } from './library/deleting.ts';
import { Differences } from './library/differences.ts';
import { Library } from './library/library.ts';
import type { Common, Part } from './parts.ts';
import { liveFilesOf } from './profile.ts';
import { Kits } from './repositories/kit.ts';
import { Sheets } from './sheets.ts';
import { Downloads } from './restores/downloads.ts';
import { workOnRestore } from './restores/restore-job.ts';
import { Restores } from './restores/restores.ts';
import { workOnUndo } from './restores/undo-job.ts';
import type { Work } from './runs/task.ts';
import type { Clock } from '../platform/clock.ts';
import type { StateStore } from './state/store.ts';
import type { Desk } from './runs/desk.ts';
import { watchedPlans } from './watchdog/watched-plans.ts';

export interface AppOptions extends Common {
  readonly destinations: Destinations;
  readonly desk: Desk;
  readonly whole: () => State;
  /** Whether a destination's drive is there, as far as can be told without trying. */
  readonly isThere: (destination: string) => boolean;
  /** What the settings' copy takes along has changed. */
  readonly onStored: () => void;
  /** What a destination holds turned out to be damaged. */
  readonly onDamage: (destination: string) => void;
}

export class App implements Part {
  readonly common: Common;
  readonly destinations: Destinations;
  readonly whole: () => State;
  readonly kits: Kits;
  /** The person's. */
  readonly homeFolder: string;
  /** Holdfast's own files, which no backup takes. */
  readonly ownFiles: readonly string[];
  readonly protection: Sheets<ProtectionRow, ProtectionSummary>;
  readonly state: StateStore;
  readonly clock: Clock;
  readonly library: Library;
  readonly browsing: Browsing;
  readonly differences: Differences;
  readonly deleting: Deleting;
  readonly restores: Restores;
  readonly downloads: Downloads;
  readonly delete: (wish: DeletionWish) => Promise<Run[]>;
  readonly home: Home;
  readonly #works: Partial<Record<Run['kind'], Work>>;
  readonly history: (wish: HistoryWish) => History;

  constructor(options: AppOptions) {
    this.common = options;
    this.destinations = options.destinations;
    this.whole = options.whole;
    this.kits = new Kits({ ...options, onSaved: options.onStored });
    this.homeFolder = options.home;
    this.ownFiles = [options.cacheFolder, ...liveFilesOf(options.profile)];
    this.protection = new Sheets(options);
    this.state = options.state;
    this.clock = options.clock;
    this.library = new Library({ ...options, onNoted: options.onStored });
    const { library } = this;
    this.browsing = new Browsing(library);
    this.differences = new Differences({ ...options, library });
    this.deleting = new Deleting({ ...options, library });
    const restoring = { ...options, library };
    this.restores = new Restores(restoring);
    this.downloads = new Downloads(restoring);
    const deleting = { ...options, library, deleting: this.deleting };
    this.delete = (wish) => askToDelete(deleting, wish);
    this.#works = {
      restore: (job) => workOnRestore(job, restoring),
      undo: (job) => workOnUndo(job, options),
      forget: (job) => workOnDeletion(job, options),
    };
    const { state, clock, whole, isThere } = options;
    const withoutKit = (): Set<string> => {
      const saved = kitsSaved(state);
      return new Set(state.destinations().flatMap(({ id, repository }) => (repository in saved ? [] : id)));
    };
    this.home = new Home({ state, clock, whole, watched: () => watchedPlans(state, clock, isThere), withoutKit });
    this.history = (wish) => historyFigures({ state, clock }, wish);
  }

  /** The work of runs of a kind; undefined for backups, which are another's. */
  workOf(kind: Run['kind']): Work | undefined {
    return this.#works[kind];
  }

  runEnded(run: Run): void {
    this.library.runEnded(run);
  }

  async close(): Promise<void> {
    this.differences.sheets.close();
    this.restores.close();
    this.protection.close();
    await this.library.close();
  }
}
