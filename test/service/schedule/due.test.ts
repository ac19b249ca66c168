import { describe, expect, test } from 'vitest';
import { type Schedule, type Trigger, weekdays } from '../../../src/contract/schedule.ts';
import { due, type Power, settle, type Surroundings } from '../../../src/service/schedule/due.ts';
import type { Pause } from '../../../src/service/schedule/pause.ts';
import {
  ended,
  interrupted,
  newPlanState,
  type PlanState,
  type RunReason,
  started,
  want,
} from '../../../src/service/schedule/plan-state.ts';
import { startable } from '../../../src/service/schedule/queue.ts';
import { retryPause } from '../../../src/service/schedule/retry.ts';

const ms = (text: string): number => Date.parse(`${text}Z`);
const text = (at: number): string => new Date(at).toISOString().slice(0, 16);
const minute = 60_000;
const hour = 60 * minute;

const schedule = (triggers: Trigger[], more: Partial<Schedule> = {}): Schedule => ({
  triggers,
  strategy: { otherwise: 'incremental' },
  conditions: { onBattery: 'always', onMetered: true },
  zone: 'computer',
  ...more,
});
const noon: Trigger = { kind: 'daily', at: '12:00' };
const around: Surroundings = { onBattery: false, onMetered: false, zone: 'UTC', computerZone: 'UTC', isDestinationThere: true };

/**
 * Goes through moments in order, runs what is to start (each run ends at once), and tells of it: `start KIND at TIME ×MERGED`.
 */
function follow(plan: Schedule, begin: string, moments: readonly string[], zone: string | readonly string[] = 'UTC'): string[] {
  const zones = typeof zone === 'string' ? moments.map(() => zone) : zone;
  let state = newPlanState(ms(begin), zones[0]!);
  const told: string[] = [];
  for (const [i, moment] of moments.entries()) {
    const now = ms(moment);
    const settled = settle(plan, state, now, zones[i]!);
    for (const { at, because } of settled.skipped) told.push(`${moment} skip ${text(at)} ${because}`);
    state = settled.state;
    const decision = due(plan, state, now, { ...around, zone: zones[i]! });
    if (decision.do === 'wait') told.push(`${moment} wait ${decision.for.by}`);
    if (decision.do !== 'start') continue;
    told.push(`${moment} start ${decision.reason.kind} ×${decision.merged}`);
    state = ended(started(state, 'incremental', now), { outcome: 'succeeded' }, now);
  }
  return told;
}

describe('a time that comes', () => {
  const hourly: Trigger = { kind: 'interval', minutes: 60 };
  test.each<[string, Trigger[], string, string[], string | string[], string[]]>([
    [
      'starts a run, once',
      [noon],
      '2026-01-01T11:00',
      ['2026-01-01T11:59', '2026-01-01T12:00', '2026-01-01T12:01'],
      'UTC',
      ['2026-01-01T12:00 start scheduled ×1'],
    ],
    [
      'is on time within the minute of a look',
      [noon],
      '2026-01-01T11:00',
      ['2026-01-01T12:01'],
      'UTC',
      ['2026-01-01T12:01 start scheduled ×1'],
    ],
    [
      'during sleep is made up for a minute after it was noticed',
      [noon],
      '2026-01-01T11:00',
      ['2026-01-01T15:00', '2026-01-01T15:01'],
      'UTC',
      ['2026-01-01T15:00 wait delay', '2026-01-01T15:01 start missed ×1'],
    ],
    [
      'ten times during sleep is made up for by one run',
      [hourly],
      '2026-01-01T11:30',
      ['2026-01-01T21:45', '2026-01-01T21:46', '2026-01-01T22:00'],
      'UTC',
      ['2026-01-01T21:45 wait delay', '2026-01-01T21:46 start missed ×10', '2026-01-01T22:00 start scheduled ×1'],
    ],
    [
      'every minute for a year is still one run',
      [{ kind: 'interval', minutes: 1 }],
      '2025-01-01T11:30',
      ['2026-01-01T11:30', '2026-01-01T11:31'],
      'UTC',
      ['2026-01-01T11:30 wait delay', '2026-01-01T11:31 start missed ×101'],
    ],
    [
      'of two triggers at once is one run',
      [noon, { kind: 'weekly', days: ['thursday'], at: '12:00' }],
      '2026-01-01T11:00',
      ['2026-01-01T12:00'],
      'UTC',
      ['2026-01-01T12:00 start scheduled ×1'],
    ],
    [
      'before the clock was set back by an hour does not come again',
      [noon],
      '2026-01-01T11:00',
      ['2026-01-01T12:00', '2026-01-01T12:30', '2026-01-01T11:30', '2026-01-01T12:00', '2026-01-02T12:00'],
      'UTC',
      ['2026-01-01T12:00 start scheduled ×1', '2026-01-01T12:00 skip 2026-01-01T12:00 set-back', '2026-01-02T12:00 start scheduled ×1'],
    ],
    [
      'of a week does not come again after three days back',
      [{ kind: 'weekly', days: ['sunday'], at: '12:00' }],
      '2026-01-04T11:00',
      ['2026-01-04T12:00', '2026-01-05T00:00', '2026-01-02T00:00', '2026-01-04T12:00', '2026-01-11T12:00'],
      'UTC',
      ['2026-01-04T12:00 start scheduled ×1', '2026-01-04T12:00 skip 2026-01-04T12:00 set-back', '2026-01-11T12:00 start scheduled ×1'],
    ],
    [
      'of a day comes on the day that the clock was set back to from a year ahead',
      [noon],
      '2027-01-01T11:00',
      ['2027-01-01T12:00', '2026-01-01T09:00', '2026-01-01T12:00'],
      'UTC',
      ['2027-01-01T12:00 start scheduled ×1', '2026-01-01T12:00 start scheduled ×1'],
    ],
    [
      'each hour goes on within the hour after the clock was set back by five',
      [hourly],
      '2026-01-01T11:30',
      ['2026-01-01T12:00', '2026-01-01T07:10', '2026-01-01T08:00'],
      'UTC',
      ['2026-01-01T12:00 start scheduled ×1', '2026-01-01T08:00 start scheduled ×1'],
    ],
    [
      'is not repeated by a clock that goes back in steps',
      [noon],
      '2026-01-01T11:00',
      ['2026-01-01T12:00', '2026-01-01T11:50', '2026-01-01T11:55', '2026-01-01T11:40', '2026-01-01T12:00'],
      'UTC',
      ['2026-01-01T12:00 start scheduled ×1', '2026-01-01T12:00 skip 2026-01-01T12:00 set-back'],
    ],
    [
      'is not repeated by the corrections of a time server',
      [noon],
      '2026-01-01T11:00',
      ['2026-01-01T12:00:00.500', '2026-01-01T11:59:59.900', '2026-01-01T12:00:00.100'],
      'UTC',
      ['2026-01-01T12:00:00.500 start scheduled ×1'],
    ],
    [
      'is one run when the clock is set forward by months',
      [noon],
      '2026-01-01T11:00',
      ['2026-04-01T13:00', '2026-04-01T13:01', '2026-04-02T12:00'],
      'UTC',
      ['2026-04-01T13:00 wait delay', '2026-04-01T13:01 start missed ×91', '2026-04-02T12:00 start scheduled ×1'],
    ],
    [
      'and was made up for by a clock far ahead does not come again when that is set right',
      [noon],
      '2026-01-01T10:00',
      ['2026-01-01T18:00', '2026-01-01T18:01', '2026-01-01T10:05', '2026-01-01T12:00'],
      'UTC',
      ['2026-01-01T18:00 wait delay', '2026-01-01T18:01 start missed ×1', '2026-01-01T12:00 skip 2026-01-01T12:00 set-back'],
    ],
    [
      'is not lost by travelling east over it',
      [noon],
      '2026-01-02T08:00',
      ['2026-01-02T10:00', '2026-01-02T10:10', '2026-01-02T10:11', '2026-01-03T03:00'],
      ['Europe/Berlin', 'Asia/Tokyo', 'Asia/Tokyo', 'Asia/Tokyo'],
      ['2026-01-02T10:10 wait delay', '2026-01-02T10:11 start missed ×1', '2026-01-03T03:00 start scheduled ×1'],
    ],
    [
      'is not made up for again after travelling east behind it',
      [noon],
      '2026-01-02T08:00',
      ['2026-01-02T11:00', '2026-01-02T11:10', '2026-01-02T11:11'],
      ['Europe/Berlin', 'Asia/Tokyo', 'Asia/Tokyo'],
      ['2026-01-02T11:00 start scheduled ×1'],
    ],
    [
      'comes again at noon after travelling west',
      [noon],
      '2026-01-02T08:00',
      ['2026-01-02T11:00', '2026-01-02T12:00', '2026-01-02T17:00'],
      ['Europe/Berlin', 'America/New_York', 'America/New_York'],
      ['2026-01-02T11:00 start scheduled ×1', '2026-01-02T17:00 start scheduled ×1'],
    ],
  ])('%s', (_, triggers, begin, moments, zones, expected) => {
    expect(follow(schedule(triggers), begin, moments, zones)).toEqual(expected);
  });

  test('while the run works is skipped, and a change is not', () => {
    const plan = schedule([noon]);
    const now = ms('2026-01-01T11:50');
    let state = started(want(newPlanState(now, 'UTC'), { kind: 'manual' }, now), 'full', now);
    const settled = settle(plan, state, ms('2026-01-02T13:00'), 'UTC');
    expect(settled.skipped.map(({ at, because }) => [text(at), because])).toEqual([
      ['2026-01-01T12:00', 'running'],
      ['2026-01-02T12:00', 'running'],
    ]);
    state = want(settled.state, { kind: 'change' }, ms('2026-01-02T13:00'), 15 * minute);
    state = ended(state, { outcome: 'succeeded' }, ms('2026-01-02T13:05'));
    expect(due(plan, state, ms('2026-01-02T13:05'), around)).toMatchObject({
      do: 'wait',
      for: { by: 'delay', until: ms('2026-01-02T13:15') },
    });
  });
});

describe('a run that is wanted', () => {
  const now = ms('2026-01-02T12:00');
  const wanted = (reason: RunReason): PlanState => want(newPlanState(now, 'UTC'), reason, now);
  const scheduled: RunReason = { kind: 'scheduled', at: now };
  const nights = schedule([], { window: [{ days: [...weekdays], from: '22:00', to: '06:00' }] });
  const gentle = schedule([], { conditions: { onBattery: { abovePercent: 40 }, onMetered: false } });
  const hourPause: Pause = { kind: 'for', since: now - 10 * minute, milliseconds: hour };

  test.each<[string, Schedule, RunReason, Partial<Surroundings>, object]>([
    ['starts', schedule([]), scheduled, {}, { do: 'start' }],
    ['waits for the window', nights, scheduled, {}, { do: 'wait', for: { by: 'window', until: ms('2026-01-02T22:00') } }],
    ['does not wait for the window when a person wants it', nights, { kind: 'manual' }, {}, { do: 'start' }],
    ['waits while the battery is low', gentle, scheduled, { onBattery: true, batteryPercent: 40 }, { do: 'wait', for: { by: 'battery' } }],
    ['waits while nobody knows how low it is', gentle, scheduled, { onBattery: true }, { do: 'wait', for: { by: 'battery' } }],
    ['starts on a full battery', gentle, scheduled, { onBattery: true, batteryPercent: 41 }, { do: 'start' }],
    ['starts on the mains with an empty battery', gentle, scheduled, { onBattery: false, batteryPercent: 3 }, { do: 'start' }],
    ['waits on a metered network', gentle, scheduled, { onMetered: true }, { do: 'wait', for: { by: 'metered' } }],
    ['waits for a drive', schedule([]), scheduled, { isDestinationThere: false }, { do: 'wait', for: { by: 'drive' } }],
    [
      'starts without its drive when a person wants it, to say what is wrong',
      schedule([]),
      { kind: 'manual' },
      { isDestinationThere: false },
      { do: 'start' },
    ],
    [
      'waits for the end of a pause',
      schedule([]),
      scheduled,
      { pause: hourPause },
      { do: 'wait', for: { by: 'pause', until: now + 50 * minute } },
    ],
    [
      'waits until tomorrow, where the computer is',
      schedule([]),
      scheduled,
      { pause: { kind: 'tomorrow', since: now }, computerZone: 'Asia/Kathmandu' },
      { do: 'wait', for: { by: 'pause', until: ms('2026-01-02T18:15') } },
    ],
    [
      'waits for the person',
      schedule([]),
      scheduled,
      { pause: { kind: 'until-resumed', since: now } },
      { do: 'wait', for: { by: 'pause' } },
    ],
    [
      'starts when the pause is over',
      schedule([]),
      scheduled,
      { pause: { kind: 'for', since: now - hour, milliseconds: hour } },
      { do: 'start' },
    ],
  ])('%s', (_, plan, reason, differing, expected) => {
    expect(due(plan, wanted(reason), now, { ...around, ...differing })).toMatchObject(expected);
  });

  test.each<[string, RunReason, Partial<Power>, string, object]>([
    ['works in the window, until its end', scheduled, {}, '2026-01-02T23:00', { do: 'work', until: ms('2026-01-03T06:00') }],
    ['is held at its end', scheduled, {}, '2026-01-03T06:00', { do: 'hold', for: { by: 'window', until: ms('2026-01-03T22:00') } }],
    ['is not held when a person wanted it', { kind: 'manual' }, {}, '2026-01-03T06:00', { do: 'work' }],
    [
      'is held when the battery gets low',
      scheduled,
      { onBattery: true, batteryPercent: 12 },
      '2026-01-02T23:00',
      { do: 'hold', for: { by: 'battery' } },
    ],
  ])('and started %s', (_, reason, power, at, expected) => {
    const plan = { ...nights, conditions: gentle.conditions };
    expect(due(plan, started(wanted(reason), 'full', now), ms(at), { ...around, ...power })).toEqual(expected);
  });
});

describe('a run that failed', () => {
  const plan = schedule([noon]);
  const now = ms('2026-01-01T12:00');
  const failedOnce = (retryable: boolean): PlanState =>
    ended(started(want(newPlanState(now, 'UTC'), { kind: 'scheduled', at: now }, now), 'full', now), { outcome: 'failed', retryable }, now);

  test('is tried again with growing pauses, up to four hours', () => {
    let state = failedOnce(true);
    const waits: number[] = [];
    for (let at = now, i = 0; i < 9; i++) {
      const decision = due(plan, state, at, around);
      const until = decision.do === 'wait' && decision.for.by === 'delay' ? decision.for.until : 0;
      waits.push((until - at) / minute);
      at = until;
      expect(due(plan, state, at, around)).toMatchObject({ do: 'start', reason: { kind: 'retry', failures: i + 1 } });
      state = ended(started(state, 'full', at), { outcome: 'failed', retryable: true }, at);
    }
    expect(waits).toEqual([2, 5, 15, 30, 60, 120, 240, 240, 240]);
    expect(ended(started(state, 'full', now), { outcome: 'succeeded' }, now)).toEqual({ settled: now, zone: 'UTC', failures: 0 });
  });

  test('is not tried again when that cannot help, until its next time', () => {
    const state = failedOnce(false);
    expect(due(plan, state, now + 23 * hour, around)).toEqual({ do: 'nothing' });
    expect(due(plan, settle(plan, state, now + 24 * hour, 'UTC').state, now + 24 * hour, around)).toMatchObject({
      do: 'start',
      reason: { kind: 'scheduled' },
    });
  });

  test('does not wait for its pause when another trigger comes, but does when a change does', () => {
    let state = failedOnce(true);
    state = want(state, { kind: 'change' }, now + 1000, 10_000);
    expect(due(plan, state, now + 30_000, around)).toMatchObject({
      do: 'wait',
      reason: { kind: 'retry' },
      for: { until: now + 2 * minute },
    });
    state = want(state, { kind: 'drive', destination: 'd' }, now + 30_000);
    expect(due(plan, state, now + 30_000, around)).toMatchObject({ do: 'start', reason: { kind: 'drive' }, since: now });
  });

  test('for good holds back changes as well', () => {
    const state = want(failedOnce(false), { kind: 'change' }, now + 1000, 10_000);
    expect(state.pending?.notBefore).toBe(now + retryPause(1));
    const during = want(started(newPlanState(now, 'UTC'), 'full', now), { kind: 'change' }, now, 10_000);
    expect(ended(during, { outcome: 'failed', retryable: false }, now).pending?.notBefore).toBe(now + retryPause(1));
  });

  test('and was cancelled is left alone until its next time', () => {
    const state = ended(started(want(newPlanState(now, 'UTC'), { kind: 'manual' }, now), 'full', now), { outcome: 'cancelled' }, now);
    expect(due(plan, state, now + hour, around)).toEqual({ do: 'nothing' });
  });

  test('keeps its pause when the clock is set back by a year', () => {
    const back = now - 365 * 24 * hour;
    const state = settle(plan, failedOnce(true), back, 'UTC').state;
    expect(state.pending?.notBefore).toBe(back + 2 * minute);
  });
});

test('a run that its process did not survive is wanted again by the next', () => {
  const now = ms('2026-01-01T12:00');
  const working = started(newPlanState(now, 'UTC'), 'full', now);
  expect(interrupted(JSON.parse(JSON.stringify(working)) as PlanState, now + hour, minute)).toEqual({
    settled: now,
    zone: 'UTC',
    failures: 0,
    pending: { reason: { kind: 'interrupted' }, since: now + hour, notBefore: now + hour + minute, merged: 1 },
  });
  const idle = newPlanState(now, 'UTC');
  expect(interrupted(idle, now, minute)).toBe(idle);
});

describe('the queue', () => {
  const waiting = [
    { plan: 'c', since: 3, destination: 'disk' },
    { plan: 'b', since: 2, destination: 'cloud' },
    { plan: 'a', since: 1, destination: 'disk' },
    { plan: 'd', since: 2, destination: 'cloud' },
  ];
  test.each<[string, string[], string[]]>([
    ['lets one run a destination start, the one that was wanted first', [], ['a', 'b']],
    ['lets nobody onto a busy destination', ['disk'], ['b']],
    ['waits for all', ['disk', 'cloud'], []],
  ])('%s', (_, busy, expected) => {
    expect([...startable(waiting, new Set(busy))]).toEqual(expected);
  });
});
