/** Settings that come back from a destination: what it holds of them, and taking one of those copies over. */
import type { Destination } from '../../contract/destination.ts';
import { fail } from '../../contract/errors.ts';
import type { Plan } from '../../contract/plan.ts';
import type { RecoverableSettings } from '../../contract/recovery.ts';
import type { Destinations } from '../destinations/destinations.ts';
import type { Common } from '../parts.ts';
import { findSettings, takeOver } from './recover.ts';

export interface RecoveryOptions extends Pick<Common, 'state' | 'besides' | 'clock' | 'identity' | 'home'> {
  readonly destinations: Pick<Destinations, 'open'>;
  /** Everything may be another one now. */
  readonly onTaken: () => void;
}

export class Recovery {
  readonly #options: RecoveryOptions;

  constructor(options: RecoveryOptions) {
    this.#options = options;
  }

  /** What a repository holds of settings that can come back. Throws what opening throws. */
  async look(destination: string): Promise<RecoverableSettings[]> {
    return (await this.#find(destination)).map(({ found }) => found);
  }

  /** Throws `profile-in-use`, `settings-not-found`, what opening throws. */
  async take(destination: string, snapshot: string): Promise<{ plans: Plan[]; destinations: Destination[] }> {
    const { state, home, onTaken } = this.#options;
    if (state.plans().length > 0) fail('profile-in-use');
    const chosen = (await this.#find(destination)).find(({ found }) => found.snapshot === snapshot);
    if (!chosen) return fail('settings-not-found', { snapshot });
    const taken = takeOver(state, chosen.copy, home);
    onTaken();
    return taken;
  }

  async #find(destination: string): ReturnType<typeof findSettings> {
    const { destinations, besides, clock, identity } = this.#options;
    return besides.run(async (control) => {
      const repository = await destinations.open(destination, { signal: control.signal });
      try {
        return await findSettings(repository, { control, clock, holder: { ...identity, pid: process.pid } });
      } finally {
        await repository.storage.close().catch(() => {});
      }
    });
  }
}
