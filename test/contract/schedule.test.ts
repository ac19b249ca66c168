import { describe, expect, test } from 'vitest';
import { type Schedule, scheduleSchema, usualSchedule } from '../../src/contract/schedule.ts';

const base: Schedule = {
  triggers: [],
  strategy: { otherwise: 'incremental' },
  conditions: { onBattery: 'always', onMetered: true },
  zone: 'computer',
};
const refusal = (part: object): string => {
  const result = scheduleSchema.safeParse({ ...base, ...part });
  return result.success ? 'accepted' : result.error.issues.map(({ path, message }) => `${path.join('.')}: ${message}`).join(' | ');
};
const trigger = (each: object): string => refusal({ triggers: [each] });

describe('a schedule', () => {
  test('of every kind of trigger is accepted as it is', () => {
    const whole: Schedule = {
      triggers: [
        { kind: 'interval', minutes: 360 },
        { kind: 'daily', at: '23:59' },
        { kind: 'weekly', days: ['monday', 'friday'], at: '02:30' },
        { kind: 'monthly', days: [1, 15, 'last'], at: '00:00' },
        { kind: 'cron', expression: '*/15 8-17 * * MON-FRI' },
        { kind: 'cron', expression: '0 3 L * *' },
        { kind: 'change', delaySeconds: 900 },
        { kind: 'drive' },
        { kind: 'login' },
      ],
      strategy: { full: 'month', differential: 'week', otherwise: 'incremental' },
      window: [
        { days: ['saturday', 'sunday'], from: '22:00', to: '06:00' },
        { days: ['monday'], from: '00:00', to: '24:00' },
      ],
      conditions: { onBattery: { abovePercent: 40 }, onMetered: false },
      zone: 'Australia/Lord_Howe',
    };
    expect(scheduleSchema.parse(structuredClone(whole))).toEqual(whole);
    expect(scheduleSchema.parse(JSON.parse(JSON.stringify(usualSchedule)))).toEqual(usualSchedule);
  });

  test.each<[string, string, string]>([
    ['an unknown field', refusal({ retries: 3 }), 'Unrecognized key'],
    ['an unknown trigger', trigger({ kind: 'yearly' }), 'A trigger is one of interval, daily'],
    ['an unknown field of a trigger', trigger({ kind: 'drive', delay: 1 }), 'Unrecognized key'],
    [
      'an interval of nothing',
      trigger({ kind: 'interval', minutes: 0 }),
      'The number of minutes between runs is a whole number from 1 to 10080.',
    ],
    ['half a minute', trigger({ kind: 'interval', minutes: 0.5 }), 'whole number'],
    ['no number', trigger({ kind: 'interval', minutes: Number.NaN }), 'whole number'],
    ['an interval of months', trigger({ kind: 'interval', minutes: 50_000 }), 'whole number from 1 to 10080'],
    ['an hour that no day has', trigger({ kind: 'daily', at: '24:00' }), 'from 00:00 to 23:59'],
    ['a short time', trigger({ kind: 'daily', at: '8:30' }), 'HH:MM'],
    ['a time with a line after it', trigger({ kind: 'daily', at: '08:30\n' }), 'HH:MM'],
    ['no weekday', trigger({ kind: 'weekly', days: [], at: '08:30' }), 'The days of the week: give at least one.'],
    ['a weekday twice', trigger({ kind: 'weekly', days: ['monday', 'monday'], at: '08:30' }), 'The days of the week: one is given twice.'],
    ['a strange weekday', trigger({ kind: 'weekly', days: ['Mon'], at: '08:30' }), 'A day of the week is one of monday'],
    ['day 32', trigger({ kind: 'monthly', days: [32], at: '08:30' }), 'from 1 to 31, or “last”'],
    ['four fields of cron', trigger({ kind: 'cron', expression: '30 2 * *' }), 'five fields'],
    ['seconds in cron', trigger({ kind: 'cron', expression: '0 30 2 * * *' }), 'five fields'],
    ['a nickname of cron', trigger({ kind: 'cron', expression: '@daily' }), 'five fields'],
    ['a change without a delay', trigger({ kind: 'change' }), 'The delay after a change, in seconds, is a whole number from 5 to 86400.'],
    ['too many triggers', refusal({ triggers: Array.from({ length: 17 }, () => ({ kind: 'login' })) }), '16 triggers at most'],
    ['an empty window', refusal({ window: [] }), 'leave it out to allow runs always'],
    [
      'a window of no length',
      refusal({ window: [{ days: ['monday'], from: '08:00', to: '08:00' }] }),
      'for a whole day write 00:00 to 24:00',
    ],
    ['an unknown strategy', refusal({ strategy: { otherwise: 'partial' } }), 'A strategy is one of incremental'],
    ['a strange battery level', refusal({ conditions: { onBattery: { abovePercent: 100 }, onMetered: true } }), '1 to 99'],
    ['a zone that is none', refusal({ zone: 'Europe/Atlantis' }), 'There is no such time zone'],
    ['an offset', refusal({ zone: '+02:00' }), 'There is no such time zone'],
    ['an empty zone', refusal({ zone: '' }), 'There is no such time zone'],
  ])('refuses %s, and says why', (_, said, expected) => {
    expect(said).toContain(expected);
  });
});
