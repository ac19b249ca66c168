/** What the app shows, beside the state and the runs: the parts of the service that its screens and the command line ask. */
import type { History } from '../contract/history.ts';
import type { Run } from '../contract/run.ts';
import type { State } from '../contract/state.ts';
import type { Destinations } from './destinations/destinations.ts';
import { historyFigures, type HistoryWish } from './facts/history.ts';
import { Home } from './facts/home.ts';
import { kitsSaved } from './facts/kits.ts';
import { Browsing } from './library/browsing.ts';
import { Deleting } from './library/deleting.ts';
import { Differences } from './library/differences.ts';
import { Library } from './library/library.ts';
import type { Common, Part } from './parts.ts';
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
}

export class App implements Part {
  readonly state: StateStore;
  readonly clock: Clock;
  readonly library: Library;
  readonly browsing: Browsing;
  readonly differences: Differences;
  readonly deleting: Deleting;
  readonly home: Home;
  readonly history: (wish: HistoryWish) => History;

  constructor(options: AppOptions) {
    this.state = options.state;
    this.clock = options.clock;
    this.library = new Library({ ...options, onNoted: options.onStored });
    const { library } = this;
    this.browsing = new Browsing(library);
    this.differences = new Differences({ ...options, library });
    this.deleting = new Deleting({ ...options, library });
    const { state, clock, whole, isThere, destinations } = options;
    const withoutKit = (): Set<string> => {
      const saved = kitsSaved(state);
      return new Set(state.destinations().flatMap(({ id, repository }) => (repository in saved ? [] : id)));
    };
    this.home = new Home({ state, clock, whole, watched: () => watchedPlans(state, clock, isThere), withoutKit });
    this.history = (wish) => historyFigures({ state, clock, destinations: () => destinations.views() }, wish);
  }

  runEnded(run: Run): void {
    this.library.runEnded(run);
  }

  async close(): Promise<void> {
    this.differences.sheets.close();
    await this.library.close();
  }
}
