/** How the computer is fed and connected, for the conditions under which plans run. */
import type { Clock } from '../../platform/clock.ts';
import { networkMetered } from '../../platform/machine/network.ts';
import { powerState } from '../../platform/machine/power.ts';
import type { Power } from '../schedule/due.ts';

/** Nothing tells of either without being asked; asking costs a few file reads, and a program on some systems. */
const lookEveryMs = 30_000;

/** As it is now; what cannot be found out counts as mains and as a network that costs nothing. */
export async function readPower(signal: AbortSignal): Promise<Power> {
  const [power, metered] = await Promise.all([powerState(), networkMetered(signal)]);
  return { onBattery: power.source === 'battery', batteryPercent: power.percent, onMetered: metered === 'yes' };
}

export class PowerWatch {
  readonly #clock: Clock;
  readonly #read: (signal: AbortSignal) => Promise<Power>;
  readonly #onChange: () => void;
  readonly #stop = new AbortController();
  #now: Power = { onBattery: false, onMetered: false };
  #watching: Promise<void> = Promise.resolve();
  #wake = new AbortController();

  constructor(clock: Clock, read: (signal: AbortSignal) => Promise<Power>, onChange: () => void) {
    this.#clock = clock;
    this.#read = read;
    this.#onChange = onChange;
  }

  get now(): Power {
    return this.#now;
  }

  /** Looks at once: somebody knows that it is not as it was. */
  look(): void {
    this.#wake.abort();
  }

  begin(): void {
    this.#watching = this.#watch();
  }

  async close(): Promise<void> {
    this.#stop.abort();
    await this.#watching;
  }

  async #watch(): Promise<void> {
    const { signal } = this.#stop;
    while (!signal.aborted) {
      this.#wake = new AbortController();
      try {
        const found = await this.#read(signal);
        const isChanged = JSON.stringify(found) !== JSON.stringify(this.#now);
        this.#now = found;
        if (isChanged) this.#onChange();
      } catch {
        // As it was.
      }
      await this.#clock.sleep(lookEveryMs, AbortSignal.any([signal, this.#wake.signal])).catch(() => {});
    }
  }
}
