/** Ejects the drive of a destination that wants it, once nothing waits for it any more. */
import { toHoldfastError } from '../../contract/errors.ts';
import type { LogLine, Run } from '../../contract/run.ts';
import type { Common, Part } from '../parts.ts';
import type { Desk } from '../runs/desk.ts';
import type { PluggedDrives } from './plugged-drives.ts';

export interface EjectingOptions extends Pick<Common, 'state' | 'clock'> {
  readonly drives: Pick<PluggedDrives, 'eject'>;
  readonly desk: Pick<Desk, 'unfinished'>;
  /** Something else is still to be done there. */
  readonly isWanted: (destination: string) => Promise<boolean>;
  /** Closes what is open in the destination: an open file keeps a drive from being ejected. */
  readonly release: (destination: string) => Promise<void>;
}

export class Ejecting implements Part {
  readonly #options: EjectingOptions;
  #last: Promise<void> = Promise.resolve();

  constructor(options: EjectingOptions) {
    this.#options = options;
  }

  runEnded(run: Run): void {
    this.#last = this.#last.then(async () => {
      for (const id of this.#usedBy(run)) await this.#ejectAfter(run.id, id);
    });
  }

  close(): Promise<void> {
    return this.#last;
  }

  /** A copy reads from others than the one that it is for. */
  #usedBy({ kind, plan: id, destination }: Run): (string | null)[] {
    const plan = kind === 'copy' ? this.#options.state.plans().find((each) => each.id === id) : undefined;
    return plan ? plan.destinations.map((each) => each.destination) : [destination];
  }

  async #ejectAfter(run: number, id: string | null): Promise<void> {
    const { state, clock, drives, desk, isWanted, release } = this.#options;
    const destination = state.destinations().find((each) => each.id === id);
    if (!destination?.ejectAfterRun || (await isWanted(destination.id))) return;
    if (desk.unfinished().some((each) => each.destination === id)) return;
    const log = (level: LogLine['level'], text: string): void => state.runs.log(run, { at: clock.now(), level, text });
    try {
      await release(destination.id);
      const name = await drives.eject(destination);
      if (name !== undefined) log('info', `The drive ${name} is ejected and can be unplugged.`);
    } catch (error) {
      const { message, guidance } = toHoldfastError(error);
      log('warning', `${message} ${guidance}`);
    }
  }
}
