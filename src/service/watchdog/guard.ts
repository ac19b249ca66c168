/**
 * The watchdog at work: it looks each minute, and whenever something that it looks at has changed; remembers; and tells. It runs in
 * the host, apart from the service that it watches; a service without a host runs one for itself.
 */
import type { Alarm } from '../../contract/state.ts';
import type { Clock } from '../../platform/clock.ts';
import { alarmOf } from './alarm.ts';
import type { GuardMemory } from './memory.ts';
import { type Notice, watch, type WatchdogInput, type WatchdogState, type WatchedBudget, type WatchedPlan } from './watchdog.ts';

const lookEveryMs = 60_000;
/** What is not worth a write by itself (how late it is) is stored this often. */
const storeEveryMs = 10 * 60_000;

export interface GuardOptions {
  readonly clock: Clock;
  readonly memory: GuardMemory;
  /** How the service is; default: it runs. */
  readonly service?: () => WatchdogInput['service'];
  /** See {@link WatchdogInput}; default: no. */
  readonly isHostGone?: () => boolean;
  /** Somebody is to be told; `withdrawn` takes a notification back. */
  readonly onNotice: (what: Notice['what'], alarm: Alarm) => void;
  /** After each look. */
  readonly onLook: () => void;
  readonly onNote: (text: string) => void;
}

export class Guard {
  readonly #options: GuardOptions;
  #plans: readonly WatchedPlan[] | undefined;
  #budgets: readonly WatchedBudget[] | undefined;
  #state: WatchdogState | undefined;
  #stored = { text: '', at: -Infinity };
  #stop: () => void = () => {};
  #isForgetful = false;

  constructor(options: GuardOptions) {
    this.#options = options;
    this.#state = options.memory.recall();
  }

  begin(): void {
    this.look();
    this.#stop();
    this.#stop = this.#options.clock.every(lookEveryMs, () => this.look());
  }

  close(): void {
    this.#stop();
  }

  /** What there is to look at now. Until it is said, and while nobody can say it, what was known last counts. */
  see(plans: readonly WatchedPlan[], budgets: readonly WatchedBudget[] = []): void {
    this.#plans = plans;
    this.#budgets = budgets;
    this.look();
  }

  alarms(): Alarm[] {
    const { known = {}, plans = [] } = this.#state ?? {};
    return Object.values(known).map(({ problem, since }) => alarmOf(problem, since, plans));
  }

  look(): void {
    const { clock, onNotice, onLook, service = () => ({ isRunning: true, silentFor: 0 }), isHostGone = () => false } = this.#options;
    const input: WatchdogInput = {
      now: clock.now(),
      sinceBoot: clock.sinceBoot(),
      plans: this.#plans,
      budgets: this.#budgets,
      service: service(),
      isHostGone: isHostGone(),
    };
    const { state, notices } = watch(this.#state, input);
    this.#state = state;
    // Told first: after a crash in between it is told twice, which is better than never.
    for (const { what, problem, since } of notices) onNotice(what, alarmOf(problem, since, state.plans));
    onLook();
    this.#remember(state);
  }

  /** On a full disk the watchdog looks on, and knows what it has told as long as it lives. */
  #remember(state: WatchdogState): void {
    const { clock, memory, onNote } = this.#options;
    const told = Object.entries(state.known).map(([key, { since, toldAt }]) => [key, since, toldAt]);
    const text = JSON.stringify([told, state.plans, state.seen, state.clockSet]);
    const at = clock.monotonic();
    if (text === this.#stored.text && at - this.#stored.at < storeEveryMs) return;
    try {
      memory.remember(state);
      this.#stored = { text, at };
      if (this.#isForgetful) onNote('The watchdog can store again what it remembers.');
      this.#isForgetful = false;
    } catch (error) {
      if (!this.#isForgetful)
        onNote(`The watchdog cannot store what it remembers (${(error as Error).message}). It looks on, and tries again each minute.`);
      this.#isForgetful = true;
    }
  }
}
