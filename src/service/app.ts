/** What the app shows, beside the state and the runs: the parts of the service that its screens and the command line ask. */
import type { Run } from '../contract/run.ts';
import type { Destinations } from './destinations/destinations.ts';
import { Browsing } from './library/browsing.ts';
import { Deleting } from './library/deleting.ts';
import { Differences } from './library/differences.ts';
import { Library } from './library/library.ts';
import type { Common, Part } from './parts.ts';
import type { Desk } from './runs/desk.ts';

export interface AppOptions extends Common {
  readonly destinations: Destinations;
  readonly desk: Desk;
  /** What the settings' copy takes along has changed. */
  readonly onStored: () => void;
}

export class App implements Part {
  readonly library: Library;
  readonly browsing: Browsing;
  readonly differences: Differences;
  readonly deleting: Deleting;

  constructor(options: AppOptions) {
    this.library = new Library({ ...options, onNoted: options.onStored });
    const { library } = this;
    this.browsing = new Browsing(library);
    this.differences = new Differences({ ...options, library });
    this.deleting = new Deleting({ ...options, library });
  }

  runEnded(run: Run): void {
    this.library.runEnded(run);
  }

  async close(): Promise<void> {
    this.differences.sheets.close();
    await this.library.close();
  }
}
