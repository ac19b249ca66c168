/**
 * The service's part in being watched: it tells its host what there is to look at, and its clients what the host has found.
 *
 * A service that has lost its host goes on, for backups that nobody watches are better than none; it then watches itself, and says that
 * nobody else does, until a host takes over (`takeOver`, take-over.ts). One that never had a host, as in a test, watches itself without a word.
 */
import type { Alarm } from '../../contract/state.ts';
import type { Clock } from '../../platform/clock.ts';
import type { Part } from '../parts.ts';
import { Guard, type GuardOptions } from './guard.ts';
import type { HostLink } from './host-link.ts';
import type { WatchedBudget, WatchedPlan } from './watchdog.ts';

const lookEveryMs = 60_000;

export interface ServiceWatchOptions extends Pick<GuardOptions, 'memory' | 'onNotice' | 'onNote'> {
  readonly clock: Clock;
  readonly host: HostLink | undefined;
  /** What there is to look at. May throw. */
  readonly plans: () => WatchedPlan[];
  readonly budgets: () => WatchedBudget[];
  /** There may be other alarms. */
  readonly onAlarms: () => void;
}

export class ServiceWatch implements Part {
  readonly #options: ServiceWatchOptions;
  #own: Guard | undefined;
  #stop: () => void = () => {};
  #told = '';
  #keys = '';
  #isBlind = false;

  constructor(options: ServiceWatchOptions) {
    this.#options = options;
  }

  begin(): void {
    const { host, clock } = this.#options;
    host?.onChange(() => this.#hostChanged());
    this.#hostChanged();
    this.look();
    this.#stop = clock.every(lookEveryMs, () => this.look());
  }

  runEnded(): void {
    this.look();
  }

  close(): void {
    this.#stop();
    this.#own?.close();
  }

  /** Somebody else notices when this service ends or hangs. */
  get isWatched(): boolean {
    return this.#options.host?.isThere === true;
  }

  alarms(): Alarm[] {
    return this.#own?.alarms() ?? [...(this.#options.host?.alarms ?? [])];
  }

  /** Something that the watchdog looks at may have changed. */
  look(): void {
    const { host, plans, budgets, onNote } = this.#options;
    let seen: readonly [WatchedPlan[], WatchedBudget[]];
    try {
      seen = [plans(), budgets()];
      if (this.#isBlind) onNote('The plans can be read again.');
      this.#isBlind = false;
    } catch (error) {
      // What was known last counts; the watchdog looks by itself.
      if (!this.#isBlind) onNote(`The plans cannot be read, so the watchdog goes by what it knew (${(error as Error).message})`);
      this.#isBlind = true;
      return;
    }
    if (this.#own) return this.#own.see(...seen);
    const text = JSON.stringify(seen);
    if (text === this.#told) return;
    this.#told = text;
    host?.watched(...seen);
  }

  #hostChanged(): void {
    const { host, clock, memory, onNotice, onNote } = this.#options;
    if (this.isWatched && this.#own) {
      this.#own.close();
      this.#own = undefined;
      this.#told = '';
      onNote('The host of the service answers again.');
      this.look();
    } else if (!this.isWatched && !this.#own) {
      if (host) onNote('The host of the service has ended or stands still. The service goes on, and watches itself.');
      this.#own = new Guard({
        clock,
        memory,
        isHostGone: () => host !== undefined && !host.isThere,
        onNotice,
        onLook: () => this.#tellAlarms(),
        onNote,
      });
      this.#own.begin();
      this.look();
    }
    this.#tellAlarms();
  }

  /** Clients are told when there are others; how long one lasts already, they see whenever they ask. */
  #tellAlarms(): void {
    const keys = this.alarms()
      .map(({ key }) => key)
      .join('\n');
    if (keys === this.#keys) return;
    this.#keys = keys;
    this.#options.onAlarms();
  }
}
