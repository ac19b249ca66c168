/**
 * Changes that a plan's journal has missed, as a look at everything has shown. Such a defect is stored, and the plan's runs look at everything
 * until none of them has found another for a week.
 */
import { z } from 'zod';
import type { Clock } from '../../platform/clock.ts';
import type { StateStore } from '../state/store.ts';

const trustedAfter = 7 * 24 * 60 * 60_000;
const mostNamed = 20;

const defectSchema = z.object({
  /** When a change was missed last, in wall time. */
  at: z.number(),
  run: z.number(),
  /** How many folders it was in, and some of them for people. */
  count: z.number(),
  folders: z.array(z.string()),
});
export type JournalDefect = z.infer<typeof defectSchema>;

const nameOf = (plan: string): string => `journal ${plan}`;

export class JournalDefects {
  readonly #state: Pick<StateStore, 'recall' | 'remember' | 'forget'>;
  readonly #clock: Pick<Clock, 'now'>;
  readonly #onChange: (plan: string) => void;

  /** `onChange`: told which plan's watch is trusted no more, or again. */
  constructor(
    state: Pick<StateStore, 'recall' | 'remember' | 'forget'>,
    clock: Pick<Clock, 'now'>,
    onChange: (plan: string) => void = () => {},
  ) {
    this.#state = state;
    this.#clock = clock;
    this.#onChange = onChange;
  }

  /** Undefined when the plan's journal is right, as far as anybody knows. */
  of(plan: string): JournalDefect | undefined {
    return defectSchema.safeParse(this.#state.recall(nameOf(plan))).data;
  }

  note(plan: string, run: number, folders: readonly string[]): void {
    const at = this.#clock.now();
    const defect: JournalDefect = { at, run, count: folders.length, folders: folders.slice(0, mostNamed) };
    this.#state.remember(nameOf(plan), defect);
    this.#onChange(plan);
  }

  /** A look at everything has found nothing that was missed. Returns whether the journal is trusted again. */
  noteFine(plan: string): boolean {
    const defect = this.of(plan);
    if (!defect || Math.abs(this.#clock.now() - defect.at) < trustedAfter) return false;
    this.forget(plan);
    return true;
  }

  /** It is trusted from now on, whatever was missed. */
  forget(plan: string): void {
    if (!this.of(plan)) return;
    this.#state.forget(nameOf(plan));
    this.#onChange(plan);
  }
}
