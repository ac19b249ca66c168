/**
 * What the parts of the service share, and what a part is.
 *
 * A further part (it keeps something up to date, or does something after each run) is a class in a file of its own that takes what it
 * needs of {@link Common}; `service.ts` makes it and lists it, the router names its procedures.
 */
import type { Run } from '../contract/run.ts';
import type { Clock } from '../platform/clock.ts';
import type { HostIdentity } from '../platform/host.ts';
import type { Besides } from './besides.ts';
import type { EventLog } from './events.ts';
import type { Profile } from './profile.ts';
import type { StateStore } from './state/store.ts';

export interface Common {
  readonly profile: Profile;
  readonly clock: Clock;
  readonly identity: HostIdentity;
  /** The person's home folder. */
  readonly home: string;
  /** Of far repositories. */
  readonly cacheFolder: string;
  readonly state: StateStore;
  readonly events: EventLog;
  readonly besides: Besides;
  /** For whoever looks at the service's own output, and into its log. */
  readonly onNote: (text: string) => void;
}

export interface Part {
  /** When everything is there, before runs start by themselves. */
  begin?(): void;
  /** After a run has ended in any way, and its end is stored. Must not throw. */
  runEnded?(run: Run): void;
  /** Ends what it does; the state is closed after it. */
  close?(): void | Promise<void>;
}
