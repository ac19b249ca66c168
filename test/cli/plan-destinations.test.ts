import { expect, test } from 'vitest';
import { destinationsOf } from '../../src/cli/verbs/plan-destinations.ts';
import { planLines } from '../../src/cli/verbs/plan-show.ts';
import { planInputSchema } from '../../src/contract/plan.ts';
import type { State } from '../../src/contract/state.ts';

const destinations = ['disk', 'cloud', 'nas'].map((id) => ({ id, name: id === 'cloud' ? 'Cloud: far' : id }));
const state = { destinations } as unknown as State;
const none = { last: 0, hourly: 0, daily: 0, weekly: 0, monthly: 0, yearly: 0, within: null };

const first = destinationsOf(
  {
    to: 'disk',
    copy: ['Cloud: far', 'nas'],
    keepOn: ['Cloud: far:monthly=12', 'Cloud: far:daily=7', 'disk:all'],
    copyAt: ['Cloud: far:03:00', 'nas:6h'],
  },
  undefined,
  state,
);
const before = planInputSchema.parse({
  name: 'Documents',
  sources: [{ kind: 'folder', path: '/home/me' }],
  destinations: first,
  schedule: {
    triggers: [],
    strategy: { otherwise: 'incremental' },
    conditions: { onBattery: 'always', onMetered: true },
    zone: 'computer',
  },
});

test('each destination of a plan has its own retention, and each copy its own times', () => {
  expect(first).toEqual([
    { destination: 'disk', role: 'primary', retention: none },
    { destination: 'cloud', role: 'copy', retention: { ...none, monthly: 12, daily: 7 }, schedule: [{ kind: 'daily', at: '03:00' }] },
    { destination: 'nas', role: 'copy', schedule: [{ kind: 'interval', minutes: 360 }] },
  ]);
  expect(planLines({ ...before, id: 'p' }, state)).toMatchInlineSnapshot(`
    [
      "Documents (p)",
      "  of /home/me",
      "  primary “disk”, keeps everything",
      "  copy “Cloud: far”, copied daily at 03:00, keeps daily 7, monthly 12",
      "  copy “nas”, copied every 6 hours",
      "  runs by hand",
      "  keeps everything",
      "  target: a backup every 2880 minutes",
    ]
  `);
});

test('a change of a plan keeps what was said of its destinations, until it is said otherwise', () => {
  expect(destinationsOf({}, before, state)).toEqual(first);
  expect(destinationsOf({ copy: ['Cloud: far'], keepOn: ['Cloud: far:plan'], copyAt: ['Cloud: far:runs'] }, before, state)).toEqual([
    first[0],
    { destination: 'cloud', role: 'copy' },
  ]);
  // Only a copy has times.
  expect(destinationsOf({ to: 'nas', copy: [] }, before, state)).toEqual([{ destination: 'nas', role: 'primary' }]);
});

test('what is not understood, and what the plan does not go to, is said', () => {
  for (const options of [
    { keepOn: ['disk:sometimes=3'] },
    { keepOn: ['disk'] },
    { copyAt: ['cloud:25h30'] },
    { copyAt: ['Cloud: far:03:00'], copy: [] },
    { keepOn: ['elsewhere:daily=1'] },
  ])
    expect(() => destinationsOf(options, before, state)).toThrow(/is no rule|is not understood|does not go to|destination/i);
});

test('times are only for copies, and have to be there', () => {
  const tried = (schedule: unknown, role: string): boolean =>
    planInputSchema.safeParse({ ...before, destinations: [first[0], { destination: 'nas', role, schedule }] }).success;
  expect(tried([{ kind: 'daily', at: '03:00' }], 'copy')).toBe(true);
  expect(tried([{ kind: 'daily', at: '03:00' }], 'standby')).toBe(false);
  expect(tried([], 'copy')).toBe(false);
  expect(tried([{ kind: 'change', delaySeconds: 60 }], 'copy')).toBe(false);
});
