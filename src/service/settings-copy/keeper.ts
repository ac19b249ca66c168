/** Keeps the copy of this profile's settings right, and makes use of it when the state is gone. */
import type { Clock } from '../../platform/clock.ts';
import type { HostIdentity } from '../../platform/host.ts';
import type { Profile } from '../profile.ts';
import type { StateStore } from '../state/store.ts';
import { copyOf, readCopy, writeCopy } from './copy.ts';
import { takeOver } from './recover.ts';

export interface SettingsKeeperOptions {
  readonly profile: Profile;
  readonly state: StateStore;
  readonly clock: Pick<Clock, 'now'>;
  readonly identity: HostIdentity;
  /** The person's home folder. */
  readonly home: string;
  readonly onNote: (text: string) => void;
}

export class SettingsKeeper {
  readonly #options: SettingsKeeperOptions;

  constructor(options: SettingsKeeperOptions) {
    this.#options = options;
  }

  /** Writes the copy anew. Throws what the system does. */
  write(): void {
    const { profile, state, identity, home, clock } = this.#options;
    writeCopy(profile, copyOf(state, identity, home, clock.now()));
  }

  /** The same beside a change that is stored already, and that a copy that cannot be written does not undo. */
  keep(): void {
    try {
      this.write();
    } catch (error) {
      this.#options.onNote(`The settings could not be copied (${(error as Error).message}).`);
    }
  }

  /** The state was damaged, or it is gone; the copy of the last change is as much as is known. Without both the profile is a new one. */
  rebuild(): void {
    const { profile, state, home, onNote } = this.#options;
    if (!state.isNew) return;
    const copy = readCopy(profile);
    if (copy) takeOver(state, copy, home);
    else if (state.keptAside === undefined) return;
    const what = state.keptAside === undefined ? 'The state was gone.' : `The state was damaged. It is kept as ${state.keptAside}.`;
    onNote(
      copy
        ? `${what} Plans and history were taken from their copy.`
        : `${what} There is no copy here: connect a destination to get the plans back.`,
    );
  }
}
