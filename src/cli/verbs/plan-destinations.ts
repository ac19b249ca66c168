/** What the options of `plan` say of a plan's destinations: which they are, what each keeps, and when copies are made. */
import { fail } from '../../contract/errors.ts';
import { inRole, type PlanDestination, type PlanInput, type Retention } from '../../contract/plan.ts';
import type { Times } from '../../contract/schedule.ts';
import type { State } from '../../contract/state.ts';
import { findDestination } from '../service-session.ts';
import { parseMinutes } from './minutes.ts';

export interface DestinationOptions {
  readonly to?: string;
  readonly standby?: readonly string[];
  readonly copy?: readonly string[];
  readonly keepOn?: readonly string[];
  readonly copyAt?: readonly string[];
}

/** Those named; of the roles that are not, what the plan had. One that it had before keeps what was said of it. */
export function destinationsOf(options: DestinationOptions, before: PlanInput | undefined, state: State): PlanInput['destinations'] {
  const { to, standby, copy } = options;
  const had = before?.destinations ?? [];
  const named = (names: readonly string[] | undefined, role: PlanDestination['role']): PlanDestination[] =>
    names
      ? names.map((name) => {
          const { id } = findDestination(state, name);
          const known = had.find(({ destination }) => destination === id);
          return known ? inRole(known, role) : { destination: id, role };
        })
      : had.filter((each) => each.role === role);
  const list = [...named(to === undefined ? undefined : [to], 'primary'), ...named(standby, 'standby'), ...named(copy, 'copy')];
  const retentions = retentionsOn(options.keepOn, state);
  const times = timesOf(options.copyAt, state);
  for (const id of [...retentions.keys(), ...times.keys()])
    if (!list.some(({ destination }) => destination === id))
      return fail('bad-usage', {
        problem: `The plan does not go to “${state.destinations.find((each) => each.id === id)?.name ?? id}”.`,
        guidance: 'Name it with --to, --standby or --copy as well.',
      });
  return list.map(({ retention, schedule, ...rest }) => {
    const id = rest.destination;
    const keeps = retentions.has(id) ? retentions.get(id) : retention;
    const at = times.has(id) ? times.get(id) : schedule;
    return { ...rest, ...(keeps ? { retention: keeps } : {}), ...(at ? { schedule: at } : {}) };
  });
}

/** `daily=14`, `within=1y`. Rules that are named replace all that there were. */
export function retentionOf(rules: readonly string[] | undefined, option = '--keep'): Partial<Retention> {
  if (rules === undefined) return {};
  const given = rules.map((rule): Partial<Retention> => {
    const [, name, value] = /^([a-z]+)=(.+)$/.exec(rule) ?? [];
    if (name === 'within') return { within: value };
    if (name !== undefined && Object.hasOwn(none, name) && /^\d+$|^unlimited$/.test(value))
      return { [name]: value === 'unlimited' ? -1 : Number(value) };
    return fail('bad-usage', {
      problem: `${option}: “${rule}” is no rule.`,
      guidance: 'Write for example daily=14, monthly=unlimited or within=1y.',
    });
  });
  return Object.assign({}, none, ...given) as Retention;
}

const none: Retention = { last: 0, hourly: 0, daily: 0, weekly: 0, monthly: 0, yearly: 0, within: null };

/** By destination; undefined: as the plan. */
function retentionsOn(given: readonly string[] | undefined, state: State): Map<string, Retention | undefined> {
  const rules = byDestination(given, '--keep-on', 'Write for example "Cloud:monthly=12", or "Cloud:plan" for what the plan keeps.', state);
  return new Map(
    [...rules].map(([id, list]) => [
      id,
      list.includes('plan')
        ? undefined
        : {
            ...none,
            ...retentionOf(
              list.filter((rule) => rule !== 'all'),
              '--keep-on',
            ),
          },
    ]),
  );
}

/** By destination; undefined: after each run. */
function timesOf(given: readonly string[] | undefined, state: State): Map<string, Times | undefined> {
  const guidance = 'Write for example "Cloud:03:00", "Cloud:6h", or "Cloud:runs" for after each run.';
  return new Map(
    [...byDestination(given, '--copy-at', guidance, state)].map(([id, list]) => [
      id,
      list.includes('runs')
        ? undefined
        : list.map((time) =>
            /^\d\d:\d\d$/.test(time)
              ? { kind: 'daily' as const, at: time }
              : { kind: 'interval' as const, minutes: parseMinutes(time, '--copy-at') },
          ),
    ]),
  );
}

/** `NAME:WHAT` by the destination's ID. Names may have colons, what stands behind them is known. */
function byDestination(
  given: readonly string[] | undefined,
  option: string,
  guidance: string,
  state: State,
): Map<string, [string, ...string[]]> {
  const found = new Map<string, [string, ...string[]]>();
  for (const each of given ?? []) {
    const [, name, what] = /^(.+?):(\d\d:\d\d|[a-z]+=[^:]+|\d+[a-z]|plan|runs|all)$/.exec(each) ?? [];
    if (name === undefined || what === undefined)
      return fail('bad-usage', { problem: `${option}: “${each}” is not understood.`, guidance });
    const { id } = findDestination(state, name);
    const others = found.get(id);
    if (others) others.push(what);
    else found.set(id, [what]);
  }
  return found;
}
