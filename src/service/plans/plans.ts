/** Plans as a person makes, changes and removes them. */
import { randomUUID } from 'node:crypto';
import { fail } from '../../contract/errors.ts';
import type { Plan, PlanFile, PlanInput } from '../../contract/plan.ts';
import type { Destinations } from '../destinations/destinations.ts';
import type { Common, Part } from '../parts.ts';
import type { Desk } from '../runs/desk.ts';
import { type Forgotten, forgetSnapshotsOf } from './forget-snapshots.ts';
import { Forgetting } from './forgetting.ts';
import { checkSchedule } from '../schedule/cron.ts';
import { exportPlans, importPlans } from './plan-file.ts';

export interface PlansOptions extends Pick<Common, 'state' | 'events' | 'besides' | 'clock' | 'identity'> {
  readonly desk: Pick<Desk, 'unfinished'>;
  readonly destinations: Pick<Destinations, 'open'>;
  /** A change is stored: what else knows the plans is to learn of it. */
  readonly onStored: () => void;
  readonly onRemoved: (plan: string) => void;
  /** Clients know of the change; how the plan stands is next. */
  readonly onChanged: (plan: string) => void;
  /** Snapshots of a plan that was removed are gone. */
  readonly onForgotten: () => void;
}

const ignore = (): void => {};

export class Plans implements Part {
  readonly #options: PlansOptions;
  readonly #forgetting: Forgetting;

  constructor(options: PlansOptions) {
    this.#options = options;
    this.#forgetting = new Forgetting(options.state);
  }

  /** Goes on with what the last service had still to forget. */
  begin(): void {
    const plans = new Set(this.#options.state.plans().map(({ id }) => id));
    // Of a plan that is still there the removal did not come about.
    for (const plan of this.#forgetting.plans()) if (!plans.has(plan.id)) this.#forgetSnapshots(plan).catch(ignore);
  }

  /** Throws `destination-not-found`, `bad-usage` for a cron expression that says nothing. */
  create(input: PlanInput): Plan {
    return this.#save({ id: randomUUID(), ...input });
  }

  /** Throws `plan-not-found`, `destination-not-found`. */
  change(id: string, input: PlanInput): Plan {
    this.#options.state.plan(id);
    return this.#save({ id, ...input });
  }

  /**
   * Removes a plan; with `forget` its snapshots, too, on those destinations that can be reached. Throws `plan-not-found`, `run-at-work` while
   * one of its runs is unfinished.
   */
  async remove(id: string, data: 'keep' | 'forget'): Promise<Forgotten> {
    const { state, desk, events, onRemoved } = this.#options;
    const plan = state.plan(id);
    const run = desk.unfinished().find((each) => each.plan === id);
    if (run) fail('run-at-work', { plan: plan.name, run: run.id });
    if (data === 'forget') this.#forgetting.note(plan);
    state.removePlan(id);
    onRemoved(id);
    events.publish({ type: 'plan-removed', id });
    if (data === 'keep') return { snapshotsForgotten: 0, notReached: [], inUse: [] };
    return this.#forgetSnapshots(plan);
  }

  export(ids: readonly string[] | undefined): PlanFile {
    const { state } = this.#options;
    const plans = ids ? ids.map((id) => state.plan(id)) : state.plans();
    return exportPlans(plans, state.destinations());
  }

  /** Throws `plan-without-destination` before anything is changed. */
  import(file: PlanFile): Plan[] {
    return importPlans(file, this.#options.state.destinations()).map((input) => this.create(input));
  }

  #save(plan: Plan): Plan {
    const { state, events, clock, onStored, onChanged } = this.#options;
    for (const triggers of [plan.schedule.triggers, ...plan.destinations.flatMap(({ schedule }) => (schedule ? [schedule] : []))])
      checkSchedule({ triggers }, clock.now());
    for (const { destination } of plan.destinations) state.destination(destination);
    state.savePlan(plan);
    onStored();
    events.publish({ type: 'plan', plan });
    onChanged(plan.id);
    return plan;
  }

  #forgetSnapshots(plan: Plan): ReturnType<typeof forgetSnapshotsOf> {
    const { state, destinations, besides, clock, identity, onForgotten } = this.#options;
    return besides.run(async (control) => {
      const done = await forgetSnapshotsOf(plan, state.destinations(), destinations, { clock, identity, control });
      this.#forgetting.done(plan.id);
      onForgotten();
      return done;
    });
  }
}
