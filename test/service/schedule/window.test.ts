import { describe, expect, test } from 'vitest';
import { type WindowSpan, weekdays } from '../../../src/contract/schedule.ts';
import { windowAt } from '../../../src/service/schedule/window.ts';

const ms = (text: string): number => Date.parse(`${text}Z`);
const nights: WindowSpan[] = [{ days: ['friday', 'saturday'], from: '22:00', to: '06:00' }];
const everyNight: WindowSpan[] = [{ days: [...weekdays], from: '22:00', to: '02:30' }];

/** `open until …`, `closed until …`, in UTC. */
function said(spans: WindowSpan[] | undefined, now: string, zone: string): string {
  const state = windowAt(spans, ms(now), zone);
  const at = state.open ? state.closesAt : state.opensAt;
  return `${state.open ? 'open' : 'closed'} until ${at === undefined ? 'ever' : new Date(at).toISOString().slice(0, 16)}`;
}

describe('a backup window', () => {
  test.each<[string, WindowSpan[] | undefined, string, string, string]>([
    ['that is none is always open', undefined, '2026-01-01T00:00', 'UTC', 'open until ever'],
    ['is closed on a Thursday', nights, '2026-01-01T23:00', 'UTC', 'closed until 2026-01-02T22:00'],
    ['is closed a moment before', nights, '2026-01-02T21:59:59.999', 'UTC', 'closed until 2026-01-02T22:00'],
    ['is open when it begins', nights, '2026-01-02T22:00', 'UTC', 'open until 2026-01-03T06:00'],
    ['goes on past midnight', nights, '2026-01-04T05:59', 'UTC', 'open until 2026-01-04T06:00'],
    ['is closed at its end', nights, '2026-01-04T06:00', 'UTC', 'closed until 2026-01-09T22:00'],
    ['does not begin on the days on which it only ends', nights, '2026-01-04T22:30', 'UTC', 'closed until 2026-01-09T22:00'],
    ['follows the wall clock', nights, '2026-01-02T22:30', 'America/New_York', 'closed until 2026-01-03T03:00'],
    [
      'of two spans that touch is one',
      [
        { days: ['monday'], from: '20:00', to: '24:00' },
        { days: ['tuesday'], from: '00:00', to: '03:00' },
      ],
      '2026-01-05T21:00',
      'UTC',
      'open until 2026-01-06T03:00',
    ],
    [
      'of two spans that overlap ends with the later',
      [
        { days: ['monday'], from: '08:00', to: '18:00' },
        { days: ['monday'], from: '09:00', to: '10:00' },
      ],
      '2026-01-05T09:30',
      'UTC',
      'open until 2026-01-05T18:00',
    ],
    ['of all days never closes', [{ days: [...weekdays], from: '00:00', to: '24:00' }], '2026-01-05T09:30', 'UTC', 'open until ever'],
    [
      'of one day opens a week later',
      [{ days: ['monday'], from: '08:00', to: '09:00' }],
      '2026-01-05T09:00',
      'UTC',
      'closed until 2026-01-12T08:00',
    ],
    ['whose end is skipped ends when the gap does', everyNight, '2026-03-29T00:30', 'Europe/Berlin', 'open until 2026-03-29T01:00'],
    ['whose end comes twice ends at the first', everyNight, '2026-10-25T00:29', 'Europe/Berlin', 'open until 2026-10-25T00:30'],
    ['does not open again in the second of two hours', everyNight, '2026-10-25T01:10', 'Europe/Berlin', 'closed until 2026-10-25T21:00'],
    [
      'that a gap swallows waits for the next',
      [{ days: ['sunday'], from: '02:10', to: '02:50' }],
      '2026-03-28T12:00',
      'Europe/Berlin',
      'closed until 2026-04-05T00:10',
    ],
  ])('%s', (_, spans, now, zone, expected) => {
    expect(said(spans, now, zone)).toBe(expected);
  });
});
