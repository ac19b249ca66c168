/** Work beside the runs: the end of the service cancels it, and waits for it. */
import { RunControl } from '../platform/cancellation.ts';

const ignore = (): void => {};

export class Besides {
  readonly #all = new Set<{ readonly control: RunControl; readonly done: Promise<void> }>();

  async run<T>(work: (control: RunControl) => Promise<T>): Promise<T> {
    const control = new RunControl();
    const done = work(control);
    const beside = { control, done: done.then(ignore, ignore) };
    this.#all.add(beside);
    try {
      return await done;
    } finally {
      control.release();
      this.#all.delete(beside);
    }
  }

  cancel(): void {
    for (const { control } of this.#all) control.cancel();
  }

  async ended(): Promise<void> {
    await Promise.all([...this.#all].map(({ done }) => done));
  }
}
