/** What stands between a person and "all is fine", with the one thing to do about each. */
import { type HomeReason, homeReasons as inOrder, type PlanFacts } from '../../contract/home.ts';
import type { DestinationView } from '../../contract/destination.ts';
import type { Plan } from '../../contract/plan.ts';
import type { Run } from '../../contract/run.ts';
import type { Alarm, Pause, PlanState } from '../../contract/state.ts';

export interface ReasonsInput {
  readonly now: number;
  readonly plans: readonly Plan[];
  readonly facts: readonly Omit<PlanFacts, 'state'>[];
  readonly destinations: readonly DestinationView[];
  readonly alarms: readonly Alarm[];
  readonly pause: Pause | null;
  /** Those that have not ended. */
  readonly atWork: readonly Run[];
  /** The newest backup of each plan that ended by itself, with a snapshot or without. */
  readonly lastEnded: ReadonlyMap<string, Pick<Run, 'id' | 'status' | 'destination' | 'ended'>>;
  /** When each plan's first backup was made, as far as that is known. */
  readonly firstBackup: ReadonlyMap<string, number>;
  /** Destinations of which the recovery kit was never shown to be saved. */
  readonly withoutKit: ReadonlySet<string>;
  /** Plans that use another destination than their primary. */
  readonly standIns: ReadonlyMap<string, NonNullable<PlanState['standIn']>>;
  /** Bytes that runs have stored on each destination in the last thirty days. */
  readonly storedLately: ReadonlyMap<string, number>;
}

type Action = HomeReason['action'];
type Code = Action['code'];

/** A password or a key that does not open it: nothing but a person helps. */
const aboutSecrets: ReadonlySet<string> = new Set(['wrong-password', 'password-missing', 'credentials-missing', 'credentials-refused']);
const testedWithinMs = 90 * 86_400_000;
const leastFree = 1_000_000_000;

/** The worst first: those at risk, then in the order of the contract. */
export function homeReasons(input: ReasonsInput): HomeReason[] {
  const reasons = [...ofAlarms(input), ...ofPlans(input), ...ofDestinations(input), ...ofPause(input)];
  const rank = ({ level, code }: HomeReason): number => (level === 'at-risk' ? 0 : inOrder.length) + inOrder.indexOf(code);
  return reasons.sort((a, b) => rank(a) - rank(b));
}

const action = (code: Code, about: Partial<Omit<Action, 'code'>> = {}): Action => ({
  code,
  plan: null,
  destination: null,
  run: null,
  ...about,
});

const reason = (code: HomeReason['code'], level: HomeReason['level'], what: Action, more: Partial<HomeReason> = {}): HomeReason => ({
  code,
  level,
  plan: what.plan,
  destination: what.destination,
  run: what.run,
  since: null,
  detail: null,
  action: what,
  ...more,
});

function ofAlarms(input: ReasonsInput): HomeReason[] {
  return input.alarms.map((alarm): HomeReason => {
    const { kind, key, plan, destination, since } = alarm;
    if (kind === 'overdue' && plan !== null) {
      const known = input.facts.find((each) => each.plan === plan)?.rpo.destinations.find((each) => each.destination === destination);
      const code = known?.lastAt === null ? 'never-backed-up' : 'overdue';
      return reason(code, 'at-risk', helpFor(input, plan, destination), { plan, destination, since: known?.lastAt ?? since });
    }
    const about = { plan, destination, since, detail: `${kind} ${key}` };
    if (kind === 'budget-passed' || kind === 'budget-near')
      return reason(kind, 'attention', action('look-at-destination', { destination }), about);
    if (kind === 'service') return reason('service-problem', 'at-risk', action('look-at-alarm'), about);
    return reason(
      'alarm',
      kind === 'clock' || kind === 'watch' ? 'attention' : 'at-risk',
      action('look-at-alarm', { plan, destination }),
      about,
    );
  });
}

/** What would bring a backup of the plan about. */
function helpFor({ destinations, pause, atWork }: ReasonsInput, plan: string, destination: string | null): Action {
  const run = atWork.find((each) => each.plan === plan && each.status === 'running');
  if (run) return action('look-at-run', { plan, destination, run: run.id });
  const now = destinations.find(({ id }) => id === destination)?.now;
  if (now?.state === 'not-plugged-in') return action('plug-in', { plan, destination });
  if (now?.state === 'failing') return action(aboutSecrets.has(now.code) ? 'enter-password' : 'look-at-destination', { plan, destination });
  if (pause) return action('resume', { plan });
  return action('back-up-now', { plan, destination });
}

function ofPlans(input: ReasonsInput): HomeReason[] {
  const { now, plans, facts, lastEnded, firstBackup, standIns } = input;
  return plans.flatMap(({ id: plan, enabled }): HomeReason[] => {
    if (!enabled) return [reason('plan-off', 'attention', action('switch-on', { plan }))];
    const found: HomeReason[] = [];
    const last = lastEnded.get(plan);
    const about = { plan, destination: last?.destination ?? null, run: last?.id ?? null };
    if (last?.status === 'failed') found.push(reason('last-failed', 'attention', action('look-at-run', about), { since: last.ended }));
    const standIn = standIns.get(plan);
    if (standIn) {
      const { insteadOf, destination, run, since } = standIn;
      const isAway = input.destinations.find(({ id }) => id === insteadOf)?.now.state === 'not-plugged-in';
      const what = action(isAway ? 'plug-in' : 'look-at-destination', { plan, destination: insteadOf });
      found.push(reason('standby-in-use', 'attention', what, { destination, run, since, detail: insteadOf }));
    }
    if (last?.status === 'completed-with-warnings')
      found.push(reason('last-warnings', 'attention', action('look-at-run', about), { since: last.ended }));
    const { rto, lastTest } = facts.find((each) => each.plan === plan)!;
    if (rto.isWithin === false) found.push(reason('rto-missed', 'attention', action('test-restore', { plan })));
    const first = firstBackup.get(plan);
    const untested = lastTest?.at ?? first;
    if (untested !== undefined && now - untested > testedWithinMs)
      found.push(reason('not-tested', 'attention', action('test-restore', { plan }), { since: lastTest?.at ?? null }));
    return found;
  });
}

function ofDestinations({ plans, destinations, facts, withoutKit, storedLately }: ReasonsInput): HomeReason[] {
  const used = new Set(plans.filter(({ enabled }) => enabled).flatMap((plan) => plan.destinations.map(({ destination }) => destination)));
  const holds = new Set(
    facts.flatMap(({ rpo }) => rpo.destinations.filter(({ lastAt }) => lastAt !== null).map(({ destination }) => destination)),
  );
  return destinations
    .filter(({ id }) => used.has(id))
    .flatMap(({ id: destination, now }): HomeReason[] => {
      const found: HomeReason[] = [];
      if (now.state === 'failing') {
        const isSecret = aboutSecrets.has(now.code);
        const what = action(isSecret ? 'enter-password' : 'look-at-destination', { destination });
        found.push(
          reason(isSecret ? 'destination-password' : 'destination-failing', 'attention', what, { since: now.since, detail: now.code }),
        );
      }
      const free = now.state === 'connected' ? now.freeBytes : undefined;
      if (free !== undefined && free < Math.max(leastFree, storedLately.get(destination) ?? 0))
        found.push(reason('destination-nearly-full', 'attention', action('free-space', { destination })));
      if (holds.has(destination) && withoutKit.has(destination))
        found.push(reason('kit-not-saved', 'attention', action('save-kit', { destination })));
      return found;
    });
}

const ofPause = ({ pause }: ReasonsInput): HomeReason[] =>
  pause ? [reason('paused', 'attention', action('resume'), { since: pause.since })] : [];
