import { describe, expect, it } from 'vitest';
import { CircuitBreaker } from '../../../src/service/destinations/breaker.ts';
import { FakeClock } from '../../support/fake-clock.ts';

function prepare() {
  const clock = new FakeClock();
  const kept = new Map<string, string>();
  const memory = {
    recall: (name: string): unknown => JSON.parse(kept.get(name) ?? 'null'),
    remember: (name: string, value: unknown): void => void kept.set(name, JSON.stringify(value)),
  };
  const make = (): CircuitBreaker => new CircuitBreaker({ clock, memory });
  return { clock, make, breaker: make() };
}

/** Fails it whenever it is allowed, looking every second; returns at which seconds that was. */
async function failWhenAllowed({ clock, breaker }: ReturnType<typeof prepare>, seconds: number): Promise<number[]> {
  const tried: number[] = [];
  for (let second = 0; second < seconds; second++) {
    if (breaker.allows('far')) {
      tried.push(second);
      breaker.tries('far');
      breaker.failed('far');
    }
    await clock.advance(1000);
  }
  return tried;
}

describe('CircuitBreaker', () => {
  it('lets a destination be used of which nothing is known', () => {
    const { breaker } = prepare();
    expect(breaker.allows('far')).toBe(true);
    expect(breaker.closedUntil('far')).toBeUndefined();
  });

  it('leaves one alone that fails, longer each time, up to a quarter of an hour', async () => {
    const minutes = await failWhenAllowed(prepare(), 4000);
    expect(minutes).toEqual([0, 15, 45, 105, 225, 525, 1125, 2025, 2925, 3825]);
  });

  it('is opened a few times in a minute in which it comes and goes every second', async () => {
    const { clock, breaker } = prepare();
    let openings = 0;
    for (let second = 0; second < 60; second++) {
      const isThere = second % 2 === 1;
      // Asked ten times a second, as by ten plans.
      for (let plan = 0; plan < 10; plan++) {
        if (!breaker.allows('far')) continue;
        openings += 1;
        breaker.tries('far');
        if (isThere) breaker.answered('far');
        // What was opened fails before it is done.
        breaker.failed('far');
      }
      await clock.advance(1000);
    }
    expect(openings).toBe(3);
  });

  it('lets one try after the pause, and nobody else meanwhile', async () => {
    const { clock, breaker } = prepare();
    breaker.failed('far');
    await clock.advance(15_000);
    expect(breaker.allows('far')).toBe(true);
    breaker.tries('far');
    expect(breaker.allows('far')).toBe(false);
    breaker.leftAlone('far');
    expect(breaker.allows('far')).toBe(true);
    breaker.tries('far');
    await clock.advance(120_000);
    expect(breaker.allows('far'), 'the try was never heard of again').toBe(true);
  });

  it('is closed by an answer, and forgets the failures once that has lasted', async () => {
    const { clock, breaker } = prepare();
    for (let i = 0; i < 3; i++) {
      breaker.failed('far');
      await clock.advance(breaker.closedUntil('far')! - clock.now());
    }
    breaker.answered('far');
    expect(breaker.allows('far')).toBe(true);
    await clock.advance(59_999);
    breaker.failed('far');
    expect(breaker.closedUntil('far')! - clock.now(), 'it did not last').toBe(120_000);
    await clock.advance(120_000);
    breaker.answered('far');
    await clock.advance(120_000);
    breaker.failed('far');
    expect(breaker.closedUntil('far')! - clock.now(), 'it did').toBe(15_000);
  });

  it('counts several failures within a pause as one', async () => {
    const { clock, breaker } = prepare();
    for (let i = 0; i < 5; i++) breaker.failed('far');
    await clock.advance(15_000);
    expect(breaker.allows('far')).toBe(true);
  });

  it('knows after a restart what it knew', async () => {
    const { clock, breaker, make } = prepare();
    breaker.failed('far');
    const next = make();
    expect(next.allows('far')).toBe(false);
    await clock.advance(15_000);
    expect(next.allows('far')).toBe(true);
  });

  it('makes no pause longer when the clock is set back', () => {
    const { clock, breaker } = prepare();
    breaker.failed('far');
    clock.jumpWall(-365 * 86_400_000);
    expect(breaker.allows('far')).toBe(true);
  });

  it('costs nothing else when it cannot be stored', () => {
    const told: unknown[] = [];
    const memory = {
      recall: (): unknown => ({ far: 'nonsense' }),
      remember: (): void => {
        throw new Error('disk full');
      },
    };
    const breaker = new CircuitBreaker({ clock: new FakeClock(), memory, onDefect: (error) => told.push(error) });
    breaker.failed('far');
    expect(breaker.allows('far')).toBe(false);
    breaker.reset('far');
    expect(breaker.allows('far')).toBe(true);
    expect(told).toHaveLength(2);
  });
});
