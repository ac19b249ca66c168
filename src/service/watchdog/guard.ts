/** The watchdog among the other parts: what it looks at, what it remembers, and what it tells. It looks each minute. */
import { z } from 'zod';
import type { Alarm } from '../../contract/state.ts';
import type { Clock } from '../../platform/clock.ts';
import { type Notice, type Problem, watch, type WatchdogState, type WatchedPlan } from './watchdog.ts';

const lookEveryMs = 60_000;

export interface GuardOptions {
  readonly clock: Clock;
  readonly plans: () => WatchedPlan[];
  /** What was remembered; undefined at first. */
  readonly recall: () => unknown;
  readonly remember: (state: WatchdogState) => void;
  readonly alarmOf: (problem: Problem, since: number) => Alarm;
  /** Somebody is to be told; `withdrawn` takes a notification back. */
  readonly onNotice: (what: Notice['what'], alarm: Alarm) => void;
  /** There are other alarms than before. */
  readonly onAlarms: () => void;
  readonly onDefect: (error: unknown) => void;
}

/** As the watchdog has written it; what another hand made of it is as good as lost. */
const storedState = z.custom<WatchdogState>(
  (value) => typeof value === 'object' && value !== null && 'known' in value && 'sinceBoot' in value,
);

export class Guard {
  readonly #options: GuardOptions;
  #state: WatchdogState | undefined;
  #stop: () => void = () => {};

  constructor(options: GuardOptions) {
    this.#options = options;
    this.#state = storedState.safeParse(options.recall()).data;
  }

  begin(): void {
    this.look();
    this.#stop = this.#options.clock.every(lookEveryMs, () => this.look());
  }

  close(): void {
    this.#stop();
  }

  alarms(): Alarm[] {
    return Object.values(this.#state?.known ?? {}).map(({ problem, since }) => this.#options.alarmOf(problem, since));
  }

  /** Whatever goes wrong here, the next look comes. */
  look(): void {
    const { clock, plans, remember, alarmOf, onNotice, onAlarms, onDefect } = this.#options;
    try {
      const before = Object.keys(this.#state?.known ?? {}).join();
      const input = { now: clock.now(), sinceBoot: clock.sinceBoot(), plans: plans(), service: { isRunning: true, silentFor: 0 } };
      const { state, notices } = watch(this.#state, input);
      this.#state = state;
      for (const { what, problem, since } of notices) onNotice(what, alarmOf(problem, since));
      if (Object.keys(state.known).join() !== before) onAlarms();
      remember(state);
    } catch (error) {
      onDefect(error);
    }
  }
}
