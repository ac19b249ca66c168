/** Ejects the drive of a destination that wants it, once nothing waits for it any more. */
import { toHoldfastError } from '../../contract/errors.ts';
import type { LogLine, Run } from '../../contract/run.ts';
import type { Common, Part } from '../parts.ts';
import type { Desk } from '../runs/desk.ts';
import type { PluggedDrives } from './plugged-drives.ts';

export interface EjectingOptions extends Pick<Common, 'state' | 'clock'> {
  readonly drives: Pick<PluggedDrives, 'eject'>;
  readonly desk: Pick<Desk, 'unfinished'>;
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
    this.#last = this.#last.then(() => this.#ejectAfter(run));
  }

  close(): Promise<void> {
    return this.#last;
  }

  async #ejectAfter({ id: run, destination: id }: Run): Promise<void> {
    const { state, clock, drives, desk, release } = this.#options;
    const destination = state.destinations().find((each) => each.id === id);
    if (!destination?.ejectAfterRun || desk.unfinished().some((each) => each.destination === id)) return;
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
