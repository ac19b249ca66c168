import { expect, test } from 'vitest';
import { watch, type WatchdogState, type WatchedBudget } from '../../../src/service/watchdog/watchdog.ts';

const hour = 3_600_000;
const near: WatchedBudget = {
  destination: 'cloud',
  name: 'Cloud',
  unit: 'money',
  level: 'near',
  used: 4.6,
  limit: 5,
  currency: 'USD',
  passedAt: null,
};

test('a budget is told when it is near, daily, at once when it is passed, and when it is kept again', () => {
  let state: WatchdogState | undefined;
  const told = (hours: number, budgets: readonly WatchedBudget[] | undefined): string[] => {
    const now = 1_800_000_000_000 + hours * hour;
    const service = { isRunning: true, silentFor: 0 };
    const looked = watch(state, { now, sinceBoot: hours * hour, plans: [], budgets, service, isHostGone: false });
    state = looked.state;
    return looked.notices.map(({ what, problem }) => `${what} ${problem.kind === 'budget' ? problem.level : problem.kind}`);
  };
  expect(told(0, [near])).toEqual(['raised near']);
  expect(told(1, [{ ...near, used: 4.7 }])).toEqual([]);
  // While nobody can be asked, what was known last counts.
  expect(told(24, undefined)).toEqual(['repeated near']);
  expect(told(25, [{ ...near, level: 'passed', used: 5.1 }])).toEqual(['raised passed']);
  expect(told(26, [near])).toEqual([]);
  expect(told(49, [near])).toEqual(['repeated near']);
  expect(told(50, [])).toEqual(['solved near']);
});
