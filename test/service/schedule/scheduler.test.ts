import { describe, expect, onTestFinished, test } from 'vitest';
import { HoldfastError } from '../../../src/contract/errors.ts';
import { type Schedule, type Trigger, weekdays } from '../../../src/contract/schedule.ts';
import { nextTurn } from '../../../src/platform/clock.ts';
import type { Power } from '../../../src/service/schedule/due.ts';
import type { Pause } from '../../../src/service/schedule/pause.ts';
import type { Ending, PlanState } from '../../../src/service/schedule/plan-state.ts';
import { Scheduler } from '../../../src/service/schedule/scheduler.ts';
import type { Successes } from '../../../src/service/schedule/strategy.ts';
import type { ScheduledPlan, SchedulerSurroundings } from '../../../src/service/schedule/surroundings.ts';
import { FakeClock } from '../../support/fake-clock.ts';

const minute = 60_000;
const hour = 60 * minute;
const noon: Trigger = { kind: 'daily', at: '12:00' };
const succeeded: Ending = { outcome: 'succeeded' };
const failed: Ending = { outcome: 'failed', retryable: true };

const plan = (id: string, triggers: Trigger[], more: Partial<Schedule> = {}, destinations: string[] = ['disk']): ScheduledPlan => ({
  id,
  destinations,
  enabled: true,
  schedule: {
    triggers,
    strategy: { full: 'month', otherwise: 'incremental' },
    conditions: { onBattery: 'always', onMetered: true },
    zone: 'computer',
    ...more,
  },
});

/** A scheduler in a world that a test moves. `told` is all that it did, with the time of day. */
class World {
  readonly clock: FakeClock;
  readonly told: string[] = [];
  readonly stored = new Map<string, string>();
  readonly successes = new Map<string, Successes>();
  readonly working = new Map<string, (ending: Ending) => void>();
  readonly away = new Set<string>();
  readonly busy = new Set<string>();
  pause: Pause | undefined;
  zone = 'UTC';
  power: Power = { onBattery: false, onMetered: false };
  /** What throws, by the name of the call. */
  readonly broken = new Set<string>();
  scheduler: Scheduler;

  constructor(begin: string, ...plans: ScheduledPlan[]) {
    this.clock = new FakeClock(Date.parse(`${begin}Z`));
    this.scheduler = this.begin(plans);
    onTestFinished(() => this.scheduler.stop());
  }

  /** A new process, with what the last one stored. */
  begin(plans: ScheduledPlan[]): Scheduler {
    this.scheduler?.stop();
    this.working.clear();
    const breaking =
      <A extends unknown[], R>(name: string, call: (...args: A) => R) =>
      (...args: A): R => {
        if (this.broken.has(name)) throw new Error(`${name} is broken`);
        return call(...args);
      };
    const around: SchedulerSurroundings = {
      clock: this.clock,
      computerZone: breaking('computerZone', () => this.zone),
      power: breaking('power', () => this.power),
      isDestinationThere: breaking('isDestinationThere', (id) => !this.away.has(id)),
      busyDestinations: breaking('busyDestinations', () => this.busy),
      successes: breaking('successes', (id) => this.successes.get(id) ?? {}),
      start: breaking('start', ({ plan: id, destination, reason, strategy, merged }) => {
        this.#tell(`start ${id} on ${destination} ${reason.kind} ${strategy.strategy}${merged > 1 ? ` ×${merged}` : ''}`);
        return new Promise<Ending>((resolve) => void this.working.set(id, resolve));
      }),
      hold: breaking('hold', (id, { by }) => this.#tell(`hold ${id} ${by}`)),
      release: breaking('release', (id) => this.#tell(`release ${id}`)),
      store: breaking('store', (id, state) => void this.stored.set(id, JSON.stringify(state))),
      storePause: breaking('storePause', (pause) => void (this.pause = pause && (JSON.parse(JSON.stringify(pause)) as Pause))),
      skipped: breaking('skipped', (id, skipped) => this.#tell(`skip ${id} ×${skipped.length} ${skipped[0]!.because}`)),
      report: (error) => {
        this.#tell(`report ${(error as Error).message}`);
        if (this.broken.has('report')) throw new Error('report is broken');
      },
    };
    this.scheduler = new Scheduler(around, this.pause);
    this.scheduler.setPlans(plans, new Map([...this.stored].map(([id, text]) => [id, JSON.parse(text) as PlanState])));
    void this.scheduler.begin();
    return this.scheduler;
  }

  #tell(what: string): void {
    this.told.push(`${new Date(this.clock.now()).toISOString().slice(11, 16)} ${what}`);
  }

  async pass(ms: number): Promise<void> {
    await this.clock.advance(ms);
    await nextTurn();
  }

  async end(id: string, ending: Ending = succeeded): Promise<void> {
    const now = this.clock.now();
    if (ending.outcome === 'succeeded') this.successes.set(id, { ...this.successes.get(id), full: now, incremental: now });
    this.working.get(id)!(ending);
    this.working.delete(id);
    await this.pass(0);
  }
}

describe('the scheduler', () => {
  test('starts a run at its time, not a second later, with the strategy of the mix', async () => {
    const world = new World('2026-01-01T11:00:00.250', plan('a', [noon]));
    await world.pass(hour - 251);
    expect(world.told).toEqual([]);
    await world.pass(1);
    expect(world.told).toEqual(['12:00 start a on disk scheduled full']);
    await world.end('a');
    await world.pass(24 * hour);
    expect(world.told[1]).toBe('12:00 start a on disk scheduled incremental');
  });

  test('does not drift in two days of runs every ten minutes', async () => {
    const world = new World('2026-01-01T11:00', plan('a', [{ kind: 'interval', minutes: 10 }]));
    for (let i = 0; i < 2 * 24 * 6; i++) {
      await world.pass(10 * minute);
      await world.end('a');
    }
    expect(world.told).toHaveLength(2 * 24 * 6);
    expect(world.told.every((line) => /^\d\d:\d0 start/.test(line))).toBe(true);
  });

  test('makes up for what a sleeping computer missed, once, within two minutes of waking', async () => {
    const world = new World('2026-01-01T11:59:30', plan('a', [{ kind: 'interval', minutes: 60 }]));
    await world.pass(1000);
    world.clock.standby(10 * hour);
    await world.pass(2 * minute);
    expect(world.told).toEqual(['22:01 start a on disk missed full ×11']);
  });

  test('makes up once for what was missed while nothing ran at all', async () => {
    const plans = [plan('a', [noon])];
    const world = new World('2026-01-01T11:59', ...plans);
    await world.pass(2 * minute);
    await world.end('a');
    world.scheduler.stop();
    world.clock.standby(3 * 24 * hour);
    world.begin(plans);
    await world.pass(2 * minute);
    expect(world.told).toEqual(['12:00 start a on disk scheduled full', '12:02 start a on disk missed incremental ×3']);
  });

  test('runs what was working again when its process did not survive', async () => {
    const plans = [plan('a', [noon])];
    const world = new World('2026-01-01T11:59', ...plans);
    await world.pass(5 * minute);
    world.begin(plans);
    await world.pass(2 * minute);
    expect(world.told).toEqual(['12:00 start a on disk scheduled full', '12:05 start a on disk interrupted full']);
  });

  test('runs one plan a destination at a time, in the order in which they were wanted', async () => {
    const at = (time: string): Trigger => ({ kind: 'daily', at: time });
    const world = new World(
      '2026-01-01T11:59',
      plan('c', [at('12:02')]),
      plan('b', [at('12:01')]),
      plan('a', [at('12:00')]),
      plan('d', [at('12:02')], {}, ['cloud']),
    );
    await world.pass(10 * minute);
    expect(world.scheduler.outlook('b')?.decision).toMatchObject({ do: 'wait', for: { by: 'busy' } });
    await world.end('a');
    await world.end('b');
    expect(world.told.map((line) => line.slice(0, 13))).toEqual(['12:00 start a', '12:02 start d', '12:09 start b', '12:09 start c']);
  });

  test('waits for what others do on a destination', async () => {
    const world = new World('2026-01-01T11:59', plan('a', [noon]));
    world.busy.add('disk');
    await world.pass(10 * minute);
    expect(world.told).toEqual([]);
    world.busy.clear();
    world.scheduler.look();
    await world.pass(0);
    expect(world.told).toHaveLength(1);
  });

  test('holds a run at the end of its window, gives its destination to others, and lets it go on in the next', async () => {
    const window: Schedule['window'] = [{ days: [...weekdays], from: '22:00', to: '06:00' }];
    const world = new World(
      '2026-01-01T21:00',
      plan(
        'night',
        [
          { kind: 'daily', at: '20:00' },
          { kind: 'daily', at: '21:30' },
        ],
        { window },
      ),
      plan('day', [noon]),
    );
    await world.pass(12 * hour);
    await world.pass(3.5 * hour);
    expect(world.told).toEqual([
      '22:00 start night on disk scheduled full',
      '06:00 hold night window',
      '12:00 start day on disk scheduled full',
    ]);
    await world.pass(10 * hour);
    expect(world.told.slice(3)).toEqual(['20:00 skip night ×1 running', '21:30 skip night ×1 running']);
    await world.end('day');
    expect(world.told.slice(5)).toEqual(['22:30 release night']);
  });

  test('holds a run on battery, and a person can let it go on', async () => {
    const world = new World('2026-01-01T11:59', plan('a', [noon], { conditions: { onBattery: 'never', onMetered: false } }));
    await world.pass(2 * minute);
    world.power = { onBattery: true, batteryPercent: 99, onMetered: false };
    world.scheduler.look();
    await world.pass(0);
    expect(world.scheduler.runNow('a')).toBe(true);
    await world.pass(0);
    expect(world.told.slice(1)).toEqual(['12:01 hold a battery', '12:01 release a']);
  });

  test.each<[string, Parameters<Scheduler['pause']>[0], number, string]>([
    ['an hour', { kind: 'for', milliseconds: hour }, 62 * minute, '12:59'],
    ['tomorrow where the computer is', { kind: 'tomorrow' }, 24 * hour, '18:15'],
  ])('pauses for %s, over a restart', async (_, wish, long, until) => {
    const plans = [plan('a', [noon], { zone: 'UTC' })];
    const world = new World('2026-01-01T11:59', ...plans);
    world.zone = 'Asia/Kathmandu';
    world.scheduler.pause(wish);
    await world.pass(minute);
    world.begin(plans);
    await world.pass(long);
    expect(world.told[0]).toBe(`${until} start a on disk scheduled full`);
    expect(world.scheduler.paused).toBeUndefined();
    expect(world.pause).toBeUndefined();
  });

  test('pauses until it is told to go on, holds what works, and starts what a person wants', async () => {
    const world = new World('2026-01-01T11:59', plan('a', [noon]), plan('b', [noon], {}, ['cloud']));
    await world.pass(minute);
    world.scheduler.pause({ kind: 'until-resumed' });
    await world.pass(3 * 24 * hour);
    await world.end('b');
    world.scheduler.runNow('b');
    await world.pass(0);
    world.scheduler.resume();
    await world.pass(0);
    const kinds = world.told.filter((line) => !line.includes('skip')).map((line) => line.slice(6));
    expect(kinds).toEqual([
      'start a on disk scheduled full',
      'start b on cloud scheduled full',
      'hold a pause',
      'hold b pause',
      'start b on cloud manual incremental',
      'release a',
    ]);
  });

  test('does not turn an hour of pause into a year when the clock is set back', async () => {
    const world = new World('2026-01-01T11:30', plan('a', [noon]));
    world.scheduler.pause({ kind: 'for', milliseconds: hour });
    await world.pass(10 * minute);
    world.clock.jumpWall(-365 * 24 * hour);
    await world.pass(90 * minute);
    expect(world.told).toEqual(['12:31 start a on disk scheduled full']);
  });

  test('starts after a change, once, however many follow', async () => {
    const world = new World('2026-01-01T11:00', plan('a', [{ kind: 'change', delaySeconds: 300 }]), plan('b', [noon]));
    await world.pass(1000);
    for (let i = 0; i < 10; i++) {
      world.scheduler.changed('a');
      world.scheduler.changed('b');
      world.scheduler.changed('nobody');
      await world.pass(40_000);
    }
    expect(world.told).toEqual(['11:05 start a on disk change full']);
  });

  test('lets a change that waits already wait as long as the plan says now', async () => {
    const world = new World('2026-01-01T11:00', plan('a', [{ kind: 'change', delaySeconds: 86_400 }]));
    world.scheduler.changed('a');
    await world.pass(10 * minute);
    world.scheduler.setPlans([plan('a', [{ kind: 'change', delaySeconds: 900 }])]);
    await world.pass(2 * minute);
    expect(world.told).toEqual([]);
    await world.pass(4 * minute);
    expect(world.told).toEqual(['11:15 start a on disk change full']);
  });

  test('starts when a drive arrives what wants that, and what has waited for it', async () => {
    const world = new World(
      '2026-01-01T11:00',
      plan('a', [{ kind: 'drive' }]),
      plan('b', [noon], {}, ['disk', 'cloud']),
      plan('c', [{ kind: 'drive' }], {}, ['other']),
    );
    world.away.add('disk').add('cloud');
    await world.pass(73 * hour);
    expect(world.told).toEqual([]);
    expect(world.scheduler.outlook('b')?.decision).toMatchObject({ do: 'wait', for: { by: 'drive' } });
    world.away.clear();
    world.scheduler.driveArrived('disk');
    await world.pass(0);
    await world.end('b');
    expect(world.told).toEqual(['12:00 start b on disk scheduled full ×4', '12:00 start a on disk drive full']);
  });

  test('works on a standby while the first destination is away', async () => {
    const world = new World('2026-01-01T11:59', plan('a', [noon], {}, ['disk', 'cloud']));
    world.away.add('disk');
    await world.pass(2 * minute);
    expect(world.told).toEqual(['12:00 start a on cloud scheduled full']);
  });

  test('starts a minute after a login', async () => {
    const world = new World('2026-01-01T11:00', plan('a', [{ kind: 'login' }]), plan('b', []));
    world.scheduler.loggedIn();
    await world.pass(2 * minute);
    expect(world.told).toEqual(['11:01 start a on disk login full']);
  });

  test('tries again after a failure, and stays with the full run that failed', async () => {
    const world = new World('2026-01-31T11:59', plan('a', [noon]));
    world.successes.set('a', { full: Date.parse('2025-12-31T12:00Z'), incremental: Date.parse('2026-01-30T12:00Z') });
    await world.pass(2 * minute);
    await world.end('a', failed);
    await world.pass(3 * minute);
    await world.end('a', { outcome: 'failed', retryable: false });
    await world.pass(20 * hour);
    expect(world.told).toEqual(['12:00 start a on disk scheduled full', '12:03 start a on disk retry full']);
  });

  test('tries again what a person began and failed, and not what a person has done well since', async () => {
    const world = new World('2026-01-05T08:00', plan('a', [noon]));
    await world.pass(minute);
    world.scheduler.endedElsewhere('a', 'disk', failed);
    await world.pass(3 * minute);
    expect(world.told).toEqual([expect.stringMatching(/^08:03.*retry/)]);
    await world.end('a', failed);
    world.scheduler.endedElsewhere('a', 'disk', succeeded);
    await world.pass(hour);
    expect(world.told).toHaveLength(1);
    // Nor what is no destination of its own runs, is cancelled, or cannot be helped.
    world.scheduler.endedElsewhere('a', 'elsewhere', failed);
    world.scheduler.endedElsewhere('gone', 'disk', failed);
    world.scheduler.endedElsewhere('a', 'disk', { outcome: 'cancelled' });
    world.scheduler.endedElsewhere('a', 'disk', { outcome: 'failed', retryable: false });
    await world.pass(hour);
    expect(world.told).toHaveLength(1);
  });

  test('leaves a disabled plan alone, does not make up for its times, and runs it for a person', async () => {
    const world = new World('2026-01-01T11:00', { ...plan('a', [noon]), enabled: false });
    await world.pass(3 * hour);
    world.scheduler.runNow('a');
    await world.pass(0);
    await world.end('a');
    world.scheduler.setPlans([plan('a', [noon])]);
    await world.pass(hour);
    expect(world.told).toEqual(['14:00 start a on disk manual full']);
    expect(world.scheduler.outlook('a')).toEqual({ decision: { do: 'nothing' }, next: Date.parse('2026-01-02T12:00Z') });
    expect(world.scheduler.runNow('nobody')).toBe(false);
  });

  test('forgets a plan that was deleted while it ran, and frees its destination', async () => {
    const world = new World('2026-01-01T11:59', plan('a', [noon]));
    await world.pass(2 * minute);
    world.scheduler.setPlans([plan('b', [{ kind: 'daily', at: '12:05' }])]);
    await world.end('a', failed);
    await world.pass(hour);
    expect(world.told).toEqual(['12:00 start a on disk scheduled full', '12:05 start b on disk scheduled full']);
    expect(world.stored.get('a')).toContain('running');
  });

  test.each([
    'computerZone',
    'power',
    'isDestinationThere',
    'busyDestinations',
    'store',
    'storePause',
    'skipped',
    'hold',
    'release',
    'report',
  ])('goes on when %s throws', async (name) => {
    const window: Schedule['window'] = [{ days: [...weekdays], from: '11:00', to: '12:30' }];
    const world = new World(
      '2026-01-01T11:50',
      plan('a', [noon, { kind: 'daily', at: '12:10' }], { window }),
      plan('b', [noon], {}, ['cloud']),
    );
    world.broken.add(name);
    if (name === 'report') world.broken.add('power');
    world.scheduler.pause({ kind: 'for', milliseconds: minute });
    await world.pass(hour);
    expect(world.told.filter((line) => line.includes('start'))).toEqual([
      '12:00 start a on disk scheduled full',
      '12:00 start b on cloud scheduled full',
    ]);
    await world.end('b');
    await world.pass(24 * hour);
    world.broken.clear();
    await world.pass(2 * minute);
    // Told once, not each minute.
    expect(world.told.filter((line) => line.includes('report')).length).toBeLessThanOrEqual(2);
    expect(world.told.filter((line) => line.includes('start b'))).toHaveLength(2);
    // What could not be stored is.
    expect(JSON.parse(world.stored.get('b')!)).toHaveProperty('running');
  });

  test.each([
    ['start', true],
    ['successes', false],
  ])('tries again later when %s throws', async (name) => {
    const world = new World('2026-01-01T11:59', plan('a', [noon]));
    world.broken.add(name);
    await world.pass(2 * minute);
    world.broken.clear();
    await world.pass(2 * minute);
    expect(world.told).toEqual([`12:00 report ${name} is broken`, '12:02 start a on disk retry full']);
  });

  test('does not try again when the start says that this cannot help', async () => {
    const world = new World('2026-01-01T11:59', plan('a', [noon]));
    await world.pass(minute);
    world.working.get('a')!(Promise.reject(new HoldfastError('storage-full')) as unknown as Ending);
    await world.pass(5 * hour);
    expect(world.told.slice(1)).toEqual([expect.stringContaining('report There is no space left')]);
  });

  test('leaves no timer behind when it is stopped', async () => {
    const world = new World('2026-01-01T11:59', plan('a', [noon]));
    await world.pass(10);
    world.scheduler.stop();
    await nextTurn();
    expect(world.clock.pending).toBe(0);
  });
});
