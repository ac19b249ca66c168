/** The facts of the first screen, the tray and `holdfast status`; see src/contract/home.ts. */
import type { HomeFacts, PlanFacts } from '../../contract/home.ts';
import type { Plan } from '../../contract/plan.ts';
import type { Run } from '../../contract/run.ts';
import type { State } from '../../contract/state.ts';
import { computerZone } from '../../platform/time-zone.ts';
import type { Common } from '../parts.ts';
import type { RunBrief } from '../state/run-briefs.ts';
import type { WatchedPlan } from '../watchdog/watchdog.ts';
import { allowedAgeMs } from '../copies/allowed-age.ts';
import { newestOn } from '../copies/given.ts';
import { daysOf } from './days.ts';
import { homeReasons } from './home-reasons.ts';
import { type MeasuredRestore, measuredRestores, restoreSpeed } from './measured-restores.ts';
import { rule321 } from './three-two-one.ts';

export interface HomeOptions extends Pick<Common, 'state' | 'clock'> {
  readonly whole: () => State;
  /** Since when each plan's targets count. */
  readonly watched: () => readonly WatchedPlan[];
  /** Destinations of which it was never shown that the recovery kit is saved. */
  readonly withoutKit: () => ReadonlySet<string>;
}

const dayMs = 86_400_000;
const shownDays = 30;
const isEndedByItself = ({ status }: Pick<Run, 'status'>): boolean =>
  status === 'succeeded' || status === 'completed-with-warnings' || status === 'failed';

export class Home {
  readonly #options: HomeOptions;

  constructor(options: HomeOptions) {
    this.#options = options;
  }

  facts(): HomeFacts {
    const { state, clock, whole, watched, withoutKit } = this.#options;
    const now = clock.now();
    const { plans, planStates, destinations, alarms, pause, runs: atWork } = whole();
    const briefs = state.runBriefs.ended(now - (shownDays + 1) * dayMs);
    const byPlan = Map.groupBy(briefs, ({ plan }) => plan);
    const restores = measuredRestores(state);
    const since = new Map(watched().map((each) => [each.id, each.since]));
    const facts = plans.map((plan) => this.#planFacts(plan, now, byPlan.get(plan.id) ?? [], since.get(plan.id) ?? now, restores));
    const lastEnded = new Map(
      plans.flatMap(({ id }) => {
        const last = byPlan.get(id)?.findLast((run) => run.kind === 'backup' && isEndedByItself(run));
        return last ? [[id, last] as const] : [];
      }),
    );
    const stored = new Map<string, number>();
    for (const { destination, bytesStored } of briefs)
      if (destination !== null) stored.set(destination, (stored.get(destination) ?? 0) + bytesStored);
    const reasons = homeReasons({
      now,
      plans,
      facts,
      destinations,
      alarms,
      pause,
      atWork,
      lastEnded,
      firstBackup: this.#firstBackups(plans),
      withoutKit: withoutKit(),
      standIns: new Map(planStates.flatMap(({ plan, standIn }) => (standIn ? [[plan, standIn] as const] : []))),
      storedLately: stored,
    });
    const withStates = facts.map((each) => ({ ...each, state: stateOf(each, plans, reasons) }));
    const [worst] = reasons;
    const wanted = facts
      .filter(({ plan }) => plans.find(({ id }) => id === plan)!.enabled)
      .flatMap(({ rpo }) => rpo.destinations.filter(({ role }) => role !== 'standby'));
    const none = { plan: null, destination: null, run: null };
    return {
      at: now,
      state: plans.length === 0 ? 'empty' : (worst?.level ?? 'fine'),
      reasons,
      action: plans.length === 0 ? { code: 'create-plan', ...none } : (worst?.action ?? null),
      lastBackupAt: newest(facts.flatMap(({ lastBackup }) => lastBackup?.at ?? [])),
      lastTestAt: newest(facts.flatMap(({ lastTest }) => lastTest?.at ?? [])),
      destinationsCurrent: wanted.filter(({ isWithin }) => isWithin).length,
      destinationsWanted: wanted.length,
      plans: withStates,
    };
  }

  #planFacts(
    plan: Plan,
    now: number,
    runs: readonly RunBrief[],
    since: number,
    restores: readonly MeasuredRestore[],
  ): Omit<PlanFacts, 'state'> {
    const { state } = this.#options;
    const targetMs = plan.targets.rpoMinutes * 60_000;
    const last = plan.destinations.map(({ destination }) => state.runs.lastSuccess(plan.id, destination));
    const newestRun = last.filter((run) => run !== undefined).toSorted((a, b) => b.id - a.id)[0];
    const tests = restores.filter(({ plan: of, compared }) => of === plan.id && compared !== undefined);
    const [lastTest] = tests;
    const speed = restoreSpeed(restores);
    const bytes = newestRun?.figures?.bytes ?? null;
    const estimateMs = speed && bytes !== null ? (bytes / speed.bytesPerSecond) * 1000 : null;
    const rtoMs = plan.targets.rtoMinutes === null ? null : plan.targets.rtoMinutes * 60_000;
    const newestAt = plan.destinations.map(({ destination }) => newestOn(state, plan.id, destination));
    const holding = new Set(plan.destinations.flatMap(({ destination }, i) => (newestAt[i] === undefined ? [] : destination)));
    return {
      plan: plan.id,
      days: daysOf({
        now,
        zone: computerZone(),
        count: shownDays,
        since: Math.min(since, ...runs.slice(0, 1).map(({ created }) => created)),
        targetMs,
        runs,
        tests: tests.filter(({ compared }) => compared!.different === 0).map(({ at }) => at),
      }),
      lastBackup: newestRun
        ? {
            at: newestRun.started ?? newestRun.created,
            run: newestRun.id,
            status: newestRun.status,
            files: newestRun.figures?.files ?? 0,
          }
        : null,
      lastTest: lastTest
        ? { at: lastTest.at, run: lastTest.run, compared: lastTest.compared!.entries, different: lastTest.compared!.different }
        : null,
      rpo: {
        targetMs,
        destinations: plan.destinations.map((place, i) => {
          const { destination, role } = place;
          const lastAt = newestAt[i] ?? null;
          // A clock that was set back makes no backup younger than new.
          const ageMs = lastAt === null ? null : Math.max(0, now - lastAt);
          return { destination, role, lastAt, ageMs, isWithin: ageMs !== null && ageMs <= allowedAgeMs(plan, place, now) };
        }),
      },
      rto: {
        targetMs: rtoMs,
        estimateMs,
        bytes,
        bytesPerSecond: speed?.bytesPerSecond ?? null,
        measured: speed?.measured ?? 0,
        isWithin: estimateMs === null || rtoMs === null ? null : estimateMs <= rtoMs,
      },
      rule321: rule321(state.destinations().filter(({ id }) => holding.has(id))),
    };
  }

  #firstBackups(plans: readonly Plan[]): Map<string, number> {
    const { state } = this.#options;
    return new Map(
      plans.flatMap(({ id }) => {
        const first = state.runBriefs.firstBackup(id);
        return first === undefined ? [] : [[id, first]];
      }),
    );
  }
}

const newest = (times: readonly number[]): number | null => (times.length === 0 ? null : Math.max(...times));

function stateOf({ plan }: Pick<PlanFacts, 'plan'>, plans: readonly Plan[], reasons: HomeFacts['reasons']): PlanFacts['state'] {
  const { enabled, destinations } = plans.find(({ id }) => id === plan)!;
  if (!enabled) return 'off';
  const own = reasons.filter((each) =>
    each.plan === null ? destinations.some(({ destination }) => destination === each.destination) : each.plan === plan,
  );
  return own.some(({ level }) => level === 'at-risk') ? 'at-risk' : own.length > 0 ? 'attention' : 'fine';
}
