import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { parseGroupBy, planRetention, type RetentionSnapshot } from '../../src/engine/retention.ts';
import { parsePolicy, periodNames, type RetentionOptions, type RetentionPolicy } from '../../src/engine/retention/policy.ts';

/** 2026-01-01T00:00:00Z */
const now = 1_767_225_600_000;

const snapshot = (time: string, more: Partial<RetentionSnapshot> = {}): RetentionSnapshot => ({
  id: time,
  time,
  hostname: 'h',
  paths: ['/p'],
  ...more,
});

const plan = (snapshots: RetentionSnapshot[], options: RetentionOptions, timeZone = 'Europe/Berlin') =>
  planRetention(snapshots, parsePolicy(options), { now, timeZone });

const kept = (times: string[], options: RetentionOptions): string[] =>
  plan(
    times.map((time) => snapshot(time)),
    options,
  ).flatMap((group) => group.keep.map((k) => k.snapshot.id));

describe('retention', () => {
  test('keeps the newest of each period and gives the reason', () => {
    const [group] = plan(
      ['2025-05-01T10:00:00Z', '2025-05-01T11:00:00Z', '2025-05-02T10:00:00Z', '2025-05-03T09:00:00Z'].map((t) => snapshot(t)),
      {
        keepDaily: 2,
        keepLast: 1,
      },
    );
    expect(group!.keep.map((k) => [k.snapshot.id, k.reasons])).toEqual([
      ['2025-05-03T09:00:00Z', ['last snapshot', 'daily snapshot']],
      ['2025-05-02T10:00:00Z', ['daily snapshot']],
    ]);
    expect(group!.remove.map((s) => s.id)).toEqual(['2025-05-01T11:00:00Z', '2025-05-01T10:00:00Z']);
  });

  test('keeps the oldest while a count is not used up', () => {
    const [group] = plan([snapshot('2025-05-01T10:00:00Z'), snapshot('2025-05-01T11:00:00Z')], { keepDaily: 5 });
    expect(group!.keep.map((k) => k.reasons)).toEqual([['daily snapshot'], ['oldest daily snapshot']]);
  });

  test('treats the hour that a change of the clocks repeats as one hour and the skipped one as none', () => {
    const times = [
      '2025-10-26T02:30:00+02:00',
      '2025-10-26T02:30:00+01:00',
      '2025-10-26T03:30:00+01:00',
      '2025-03-30T01:59:59+01:00',
      '2025-03-30T03:00:00+02:00',
    ];
    expect(kept(times, { keepHourly: 4 })).toEqual([
      '2025-10-26T03:30:00+01:00',
      '2025-10-26T02:30:00+01:00',
      '2025-03-30T03:00:00+02:00',
      '2025-03-30T01:59:59+01:00',
    ]);
  });

  test('puts the days around the new year into their ISO week', () =>
    expect(
      kept(['2024-12-29T12:00:00Z', '2024-12-30T12:00:00Z', '2025-01-05T12:00:00Z', '2025-01-06T12:00:00Z'], { keepWeekly: 2 }),
    ).toEqual(['2025-01-06T12:00:00Z', '2025-01-05T12:00:00Z']));

  test('orders snapshots of the same instant by ID, whatever order they come in', () => {
    const same = ['c', 'a', 'b'].map((id) => snapshot('2025-05-01T10:00:00Z', { id }));
    for (const list of [same, same.toReversed()]) {
      const [group] = plan(list, { keepLast: 1 });
      expect([group!.keep[0]!.snapshot.id, ...group!.remove.map((s) => s.id)]).toEqual(['a', 'b', 'c']);
    }
  });

  test('counts durations from the newest snapshot that is not in the future, and keeps the future', () =>
    expect(
      kept(['2099-01-01T00:00:00Z', '2025-05-10T00:00:00Z', '2025-05-08T00:00:01Z', '2025-05-08T00:00:00Z'], { keepWithin: '2d' }),
    ).toEqual(['2099-01-01T00:00:00Z', '2025-05-10T00:00:00Z', '2025-05-08T00:00:01Z']));

  test('keeps everything within any duration when all snapshots lie in the future', () =>
    expect(kept(['2099-01-01T00:00:00Z', '2098-01-01T00:00:00Z'], { keepWithin: '1h' })).toHaveLength(2));

  test('keeps what carries all tags of a list, or none for the empty tag', () => {
    const list = [
      snapshot('2025-01-01T00:00:00Z', { tags: ['a', 'b'] }),
      snapshot('2025-01-02T00:00:00Z', { tags: ['a'] }),
      snapshot('2025-01-03T00:00:00Z'),
    ];
    const [group] = plan(list, { keepTag: ['a,b', ''] });
    expect(group!.keep.map((k) => k.reasons)).toEqual([['has tags []'], ['has tags [a, b]']]);
  });

  test('applies the policy to each host and set of paths alone', () => {
    const groups = plan(
      [
        snapshot('2025-01-01T00:00:00Z', { paths: ['/a', '/b'] }),
        snapshot('2025-01-02T00:00:00Z', { paths: ['/b', '/a'] }),
        snapshot('2025-01-03T00:00:00Z', { hostname: undefined, tags: undefined }),
        snapshot('2025-01-04T00:00:00Z'),
      ],
      { keepLast: 1 },
    );
    expect(groups.map((g) => [g.key.host, g.key.paths, g.keep.length, g.remove.length])).toEqual([
      ['', ['/p'], 1, 0],
      ['h', ['/a', '/b'], 1, 1],
      ['h', ['/p'], 1, 0],
    ]);
  });

  test('plans nothing for a repository without snapshots', () => expect(plan([], { keepLast: 1 })).toEqual([]));

  test.each(['host,paths,tags', 'hosts,path,tag', ',host,,paths,tag,'])('groups by “%s”', (text) =>
    expect(parseGroupBy(text)).toEqual({ host: true, paths: true, tags: true }),
  );

  test('refuses to group by what a snapshot does not have', () =>
    expect(() => parseGroupBy('host,size')).toThrow(expect.objectContaining({ code: 'bad-usage' })));

  test.each([{}, { keepLast: 0 }, { keepWithin: '0d' }])('refuses the empty policy %j, even without snapshots', (options) =>
    expect(() => plan([], options)).toThrow(expect.objectContaining({ code: 'retention-empties-group' })),
  );

  test('refuses the whole plan when one group would lose everything, and names the group', () => {
    const list = [snapshot('2025-01-01T00:00:00Z', { tags: ['x'] }), snapshot('2025-01-02T00:00:00Z', { hostname: 'lonely' })];
    expect(() => plan(list, { keepTag: ['x'] })).toThrow(/every snapshot \(1\) of this group: host lonely; paths \/p\./);
  });

  test('refuses a time that cannot be read instead of guessing an age', () =>
    expect(() => plan([snapshot('yesterday')], { keepLast: 1 })).toThrow(expect.objectContaining({ code: 'snapshot-time-unreadable' })));
});

const offset = fc.constantFrom('Z', '+00:00', '+01:00', '+02:00', '-05:00', '+13:45');
const anySnapshots = fc
  .array(
    fc.record({
      hours: fc.integer({ min: 0, max: 60_000 }),
      offset,
      hostname: fc.constantFrom('a', 'b', undefined),
      tags: fc.constantFrom(undefined, ['x'], ['x', 'y']),
    }),
    { minLength: 1, maxLength: 40 },
  )
  .map((list) =>
    list.map(({ hours, offset: o, hostname, tags }, i): RetentionSnapshot => {
      const two = (n: number): string => String(n).padStart(2, '0');
      const day = Math.floor(hours / 24);
      const time = `${2019 + (Math.floor(day / 336) % 8)}-${two(1 + (Math.floor(day / 28) % 12))}-${two(1 + (day % 28))}T${two(hours % 24)}:00:00${o}`;
      return { id: String(i), time, hostname, paths: ['/p'], tags };
    }),
  );
const count = fc.integer({ min: -1, max: 8 });
const duration = fc.record({ years: fc.nat(2), months: fc.nat(20), days: fc.nat(60), hours: fc.nat(50) });
const anyPolicy = fc.record(
  {
    keep: fc.record(
      { last: fc.integer({ min: 1, max: 8 }), hourly: count, daily: count, weekly: count, monthly: count, yearly: count },
      { requiredKeys: ['last'] },
    ),
    within: duration,
    withinPeriod: fc.record(
      { hourly: duration, daily: duration, weekly: duration, monthly: duration, yearly: duration },
      { requiredKeys: [] },
    ),
    tags: fc.array(fc.array(fc.constantFrom('x', 'y', ''), { minLength: 1, maxLength: 2 }), { maxLength: 2 }),
  },
  { requiredKeys: ['keep'] },
);
const idsKept = (snapshots: readonly RetentionSnapshot[], policy: RetentionPolicy): Set<string> =>
  new Set(planRetention(snapshots, policy, { now, timeZone: 'UTC' }).flatMap((g) => g.keep.map((k) => k.snapshot.id)));

describe('for any snapshots and policy, retention', () => {
  test('keeps or removes each snapshot once, gives a reason for each that it keeps, and keeps the newest of each group', () => {
    fc.assert(
      fc.property(anySnapshots, anyPolicy, (snapshots, policy) => {
        const groups = planRetention(snapshots, policy, { now, timeZone: 'UTC' });
        const ids = groups.flatMap((g) => [...g.keep.map((k) => k.snapshot.id), ...g.remove.map((s) => s.id)]);
        expect(ids.toSorted()).toEqual(snapshots.map((s) => s.id).toSorted());
        for (const group of groups) {
          expect(group.keep.every((k) => k.reasons.length > 0)).toBe(true);
          expect(group.keep[0]!.reasons).toContain('last snapshot');
        }
      }),
    );
  });

  test('keeps at least as much under a larger policy', () => {
    const larger = (a: number, by: number): number => (a === -1 || by === 9 ? -1 : a + by);
    fc.assert(
      fc.property(
        anySnapshots,
        anyPolicy,
        fc.constantFrom('last', ...periodNames),
        fc.integer({ min: 1, max: 9 }),
        (snapshots, policy, rule, by) => {
          const keep = { ...policy.keep, [rule]: larger(policy.keep[rule] ?? 0, by) };
          const more = idsKept(snapshots, { ...policy, keep });
          expect([...idsKept(snapshots, policy)].filter((id) => !more.has(id))).toEqual([]);
        },
      ),
    );
  });

  test('does not depend on the order of its input', () => {
    fc.assert(
      fc.property(anySnapshots, anyPolicy, (snapshots, policy) => {
        expect(planRetention(snapshots.toReversed(), policy, { now })).toEqual(planRetention(snapshots, policy, { now }));
      }),
    );
  });

  test('removes nothing more when it is applied to what it kept', () => {
    fc.assert(
      fc.property(anySnapshots, anyPolicy, (snapshots, policy) => {
        const first = idsKept(snapshots, policy);
        expect(
          idsKept(
            snapshots.filter((s) => first.has(s.id)),
            policy,
          ),
        ).toEqual(first);
      }),
    );
  });
});
