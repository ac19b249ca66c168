/** The service's side of the way to its host: signs of life both ways, and what each has to say. */
import type { Alarm } from '../../contract/state.ts';
import type { Clock } from '../../platform/clock.ts';
import { AwakeTime } from './awake-time.ts';
import { beatEveryMs, type Failure, type HostChannel } from './messages.ts';
import { hungAfter, type WatchedBudget, type WatchedPlan } from './watchdog.ts';

export interface HostLinkOptions {
  readonly channel: HostChannel;
  readonly clock: Clock;
  /** The folder of the profile. */
  readonly profile: string;
  /** The host wants the service to end. */
  readonly onStop: () => void;
}

export class HostLink {
  readonly #channel: HostChannel;
  readonly #awake: AwakeTime;
  readonly #stop: () => void;
  #isLost = false;
  #silent = 0;
  #alarms: readonly Alarm[] = [];
  #onChange: () => void = () => {};

  /** Begins with signs of life at once. */
  constructor({ channel, clock, profile, onStop }: HostLinkOptions) {
    this.#channel = channel;
    this.#awake = new AwakeTime(clock, 2 * beatEveryMs);
    channel.listen((message) => {
      const wasThere = this.isThere;
      this.#awake.pass();
      this.#silent = 0;
      if (message.type === 'alarms') this.#alarms = message.alarms;
      else if (message.type === 'stop') onStop();
      if (message.type === 'alarms' || !wasThere) this.#onChange();
    });
    channel.onLost(() => {
      this.#isLost = true;
      this.#onChange();
    });
    channel.send({ type: 'hello', profile });
    channel.send({ type: 'beat' });
    this.#stop = clock.every(beatEveryMs, () => {
      const wasThere = this.isThere;
      this.#silent += this.#awake.pass();
      if (wasThere && !this.isThere) this.#onChange();
      channel.send({ type: 'beat' });
    });
  }

  /** False when the host has ended, or stands still. */
  get isThere(): boolean {
    return !this.#isLost && this.#silent < hungAfter;
  }

  /** As the host has told last. */
  get alarms(): readonly Alarm[] {
    return this.#alarms;
  }

  /** Calls `listener` when there are other alarms, and when the host is there no more, or again. */
  onChange(listener: () => void): void {
    this.#onChange = listener;
  }

  ready(): void {
    this.#channel.send({ type: 'ready' });
  }

  watched(plans: readonly WatchedPlan[], budgets: readonly WatchedBudget[]): void {
    this.#channel.send({ type: 'watched', plans, budgets });
  }

  failed({ code, message, guidance }: Failure): void {
    this.#channel.send({ type: 'failed', failure: { code, message, guidance } });
  }

  stopping(): void {
    this.#channel.send({ type: 'stopping' });
  }

  close(): void {
    this.#stop();
  }
}
