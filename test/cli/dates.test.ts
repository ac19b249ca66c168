import { describe, expect, test, vi } from 'vitest';
import { parseMoment } from '../../src/cli/dates.ts';

const clock = { now: () => Date.parse('2026-03-31T12:00:00Z') };
const moment = (text: string): string => new Date(Number(parseMoment(text, '--newer', clock) / 1_000_000n)).toISOString();

describe('a moment as typed', () => {
  test.each([
    ['2026-01-31', '2026-01-30T23:00:00.000Z'],
    ['2026-07-01', '2026-06-30T22:00:00.000Z'],
    ['2026-01-31 18:00', '2026-01-31T17:00:00.000Z'],
    ['2026-01-31T18:00:59', '2026-01-31T17:00:59.000Z'],
    ['2026-01-31T18:00:00+09:00', '2026-01-31T09:00:00.000Z'],
    ['2026-01-31T18:00:00.5Z', '2026-01-31T18:00:00.500Z'],
    ['7d', '2026-03-24T13:00:00.000Z'],
    ['1m', '2026-03-03T13:00:00.000Z'],
    ['1y2h', '2025-03-31T10:00:00.000Z'],
  ])('%s is %s for somebody in Berlin', (text, expected) => {
    vi.stubEnv('TZ', 'Europe/Berlin');
    expect(moment(text)).toBe(expected);
  });

  test.each(['', 'soon', '2026-02-30', '2026-13-01', '2026-01-31 25:00', '31.01.2026', '7', '-7d', '7d7d', '2026-01-31T18:00:00+9'])(
    '%j is refused',
    (text) => {
      expect(() => parseMoment(text, '--newer', clock)).toThrow('--newer');
    },
  );
});
