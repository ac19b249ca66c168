import { describe, expect, test } from 'vitest';
import { type Notice, watch, type WatchdogState, type WatchedPlan } from '../../../src/service/watchdog/watchdog.ts';
import { FakeClock } from '../../support/fake-clock.ts';

const minute = 60_000;
const hour = 60 * minute;
const day = 24 * hour;

/** A host that looks each minute; what is told is `TIME what kind`, the time in hours and minutes since the beginning by a true clock. */
class Host {
  readonly clock = new FakeClock(Date.parse('2026-01-01T12:00Z'));
  readonly told: string[] = [];
  last: Notice[] = [];
  plans: WatchedPlan[] | undefined;
  service = { isRunning: true, silentFor: 0 };
  #stored: string | undefined;
  #true = 0;

  constructor(targetMs = day) {
    this.plans = [
      {
        id: 'p',
        name: 'Documents',
        enabled: true,
        since: this.clock.now(),
        destinations: [{ id: 'd', name: 'disk', targetMs, lastSuccess: this.clock.now(), isThere: true }],
      },
    ];
    this.look();
  }

  /** As a new process would, with nothing but what was stored. */
  look(): void {
    const state = this.#stored === undefined ? undefined : (JSON.parse(this.#stored) as WatchdogState);
    const result = watch(state, {
      now: this.clock.now(),
      sinceBoot: this.clock.sinceBoot(),
      plans: this.plans,
      service: this.service,
      isHostGone: false,
    });
    this.#stored = JSON.stringify(result.state);
    this.last = [...result.notices];
    const time = `${Math.floor(this.#true / hour)}:${String(Math.floor((this.#true % hour) / minute)).padStart(2, '0')}`;
    for (const { what, problem } of result.notices) this.told.push(`${time} ${what} ${problem.kind}`);
  }

  async awake(ms: number): Promise<this> {
    for (let passed = 0; passed < ms; passed += minute) {
      await this.clock.advance(minute);
      this.#true += minute;
      this.look();
    }
    return this;
  }

  /** Nobody looks meanwhile. */
  sleep(ms: number): this {
    this.clock.standby(ms);
    this.#true += ms;
    return this;
  }

  /** The computer is off and starts again. */
  off(ms: number): this {
    this.sleep(ms);
    this.clock.sinceBoot = (
      (since) => () =>
        this.clock.monotonic() - since
    )(this.clock.monotonic());
    return this;
  }

  set(ms: number): this {
    this.clock.jumpWall(ms);
    return this;
  }

  change(part: object): this {
    const [plan] = this.plans!;
    this.plans = [{ ...plan!, destinations: [{ ...plan!.destinations[0]!, ...part }] }];
    return this;
  }

  succeed(): this {
    return this.change({ lastSuccess: this.clock.now() });
  }
}

describe('a destination without a successful snapshot within its target', () => {
  test('is told a minute after the target, again each day, and when it is solved', async () => {
    const host = await new Host().awake(3 * day);
    host.succeed();
    await host.awake(2 * hour);
    expect(host.told).toEqual(['24:01 raised overdue', '48:01 repeated overdue', '72:01 solved overdue']);
  });

  test('is told with all that a text needs', async () => {
    const host = (await new Host().awake(day)).change({ isThere: false });
    await host.awake(minute);
    expect(host.last).toEqual([
      {
        what: 'raised',
        since: host.clock.now(),
        problem: {
          kind: 'overdue',
          plan: 'p',
          destination: 'd',
          targetMs: day,
          lastSuccess: Date.parse('2026-01-01T12:00Z'),
          ageMs: day + minute,
          isThere: false,
        },
      },
    ]);
  });

  test('is calm as long as it is not', async () => {
    const host = new Host().change({ isThere: false });
    for (let i = 0; i < 3; i++) (await host.awake(23 * hour)).succeed();
    expect(host.told).toEqual([]);
  });

  test('never having had one is told as well', async () => {
    const host = new Host().change({ lastSuccess: undefined });
    expect((await host.awake(25 * hour)).told).toEqual(['24:01 raised overdue']);
  });

  test('is not told without a target, or of a plan that is disabled', async () => {
    const host = new Host().change({ targetMs: undefined });
    host.plans!.push({ ...host.plans![0]!, id: 'q', enabled: false });
    expect((await host.awake(3 * day)).told).toEqual([]);
  });

  test('is withdrawn, not solved, when its plan is disabled or deleted, or its target taken away', async () => {
    for (const end of ['disabled', 'deleted', 'no target']) {
      const host = await new Host().awake(25 * hour);
      if (end === 'disabled') host.plans = [{ ...host.plans![0]!, enabled: false }];
      else if (end === 'deleted') host.plans = [];
      else host.change({ targetMs: undefined });
      expect((await host.awake(2 * minute)).told).toEqual(['24:01 raised overdue', '25:01 withdrawn overdue']);
    }
  });

  test('each destination is told for itself', async () => {
    const host = new Host();
    const [plan] = host.plans!;
    const [d] = plan!.destinations;
    host.plans = [{ ...plan!, destinations: [d!, { ...d!, id: 'e', targetMs: 2 * hour }] }];
    expect((await host.awake(25 * hour)).told).toEqual(['2:01 raised overdue', '24:01 raised overdue']);
  });

  test('passed in sleep is left to the run that makes up for it, for half an hour awake', async () => {
    const host = (await new Host().awake(hour)).sleep(3 * day);
    await host.awake(29 * minute);
    expect(host.told).toEqual([]);
    await host.awake(3 * minute);
    expect(host.told).toEqual(['73:31 raised overdue']);
    const fine = new Host().sleep(3 * day);
    (await fine.awake(10 * minute)).succeed();
    expect((await fine.awake(hour)).told).toEqual([]);
  });

  test('is told although the computer is never awake for long', async () => {
    const host = new Host().sleep(2 * day);
    for (let i = 0; i < 4; i++) (await host.awake(10 * minute)).sleep(6 * hour);
    expect(host.told).toHaveLength(1);
  });

  test('is told again a day later although the computer was off between', async () => {
    const host = (await new Host().awake(25 * hour)).off(3 * day);
    await host.awake(10 * minute);
    expect(host.told).toEqual(['24:01 raised overdue', '97:01 repeated overdue']);
  });

  test('is told once, however often the host starts anew within the day', async () => {
    const host = await new Host().awake(25 * hour);
    for (let i = 0; i < 20; i++) (await host.off(minute).awake(2 * minute)).look();
    expect(host.told).toEqual(['24:01 raised overdue']);
  });

  test('is told while nobody can be asked for the plans', async () => {
    const host = new Host();
    host.plans = undefined;
    expect((await host.awake(25 * hour)).told).toEqual(['24:01 raised overdue']);
  });

  test('counts a snapshot from the future from when it was seen', async () => {
    const host = new Host().change({ lastSuccess: Date.parse('2030-01-01T00:00Z') });
    expect((await host.awake(26 * hour)).told).toEqual(['24:02 raised overdue']);
  });
});

describe('a clock that is set', () => {
  test.each<[string, number]>([
    ['forward by a year', 365 * day],
    ['back by a year', -365 * day],
    ['back by an hour', -hour],
  ])('%s is told once, changes no target, and is solved by the next snapshot', async (_, by) => {
    const host = (await new Host().awake(hour)).set(by);
    await host.awake(5 * hour);
    expect(host.told).toEqual(['1:01 raised clock']);
    host.succeed();
    await host.awake(5 * hour);
    expect(host.told).toEqual(['1:01 raised clock', '6:01 solved clock']);
    expect((await host.awake(25 * hour)).told.slice(2)).toEqual(['30:01 raised overdue']);
  });

  test('is solved by setting it back', async () => {
    const host = (await new Host().awake(hour)).set(7 * day);
    (await host.awake(hour)).set(-7 * day);
    await host.awake(hour);
    expect(host.told).toEqual(['1:01 raised clock', '2:01 solved clock']);
  });

  test('does not hide a target that is passed, nor tell it twice a day', async () => {
    const host = (await new Host().awake(23 * hour)).set(-30 * day);
    await host.awake(3 * hour);
    expect(host.told).toEqual(['23:01 raised clock', '24:01 raised overdue']);
    host.set(20 * day);
    expect((await host.awake(hour)).told).toHaveLength(2);
  });

  test('by minutes, as time servers do, is nothing; nor is sleep, nor a boot', async () => {
    const host = (await new Host().awake(hour)).set(4 * minute).sleep(5 * hour);
    await host.awake(10 * minute);
    host.off(3 * hour);
    expect((await host.awake(10 * minute)).told).toEqual([]);
  });

  test('back over a boot is told', async () => {
    const host = (await new Host().awake(hour)).off(hour).set(-2 * day);
    expect((await host.awake(2 * minute)).told).toEqual(['2:01 raised clock']);
  });
});

describe('the service', () => {
  test('that has ended for a minute is told, each day, and when it is back', async () => {
    const host = new Host(99 * day);
    host.service = { isRunning: false, silentFor: 50_000 };
    expect((await host.awake(minute)).told).toEqual([]);
    host.service = { isRunning: false, silentFor: 70_000 };
    await host.awake(25 * hour);
    host.service = { isRunning: true, silentFor: 0 };
    await host.awake(minute);
    expect(host.told).toEqual(['0:02 raised service', '24:02 repeated service', '25:02 solved service']);
  });

  test('that hangs is told after three minutes, but not for the silence of sleep', async () => {
    const host = new Host(99 * day);
    host.service = { isRunning: true, silentFor: 6 * hour };
    host.sleep(6 * hour).look();
    expect(host.told).toEqual([]);
    host.service = { isRunning: true, silentFor: 4 * minute };
    await host.awake(minute);
    expect(host.last[0]?.problem).toEqual({ kind: 'service', why: 'hung', silentForMs: 4 * minute });
  });
});
