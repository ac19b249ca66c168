import { expect, test } from 'vitest';
import { Pace } from '../../src/storage/pace.ts';
import { FakeClock } from '../support/fake-clock.ts';

/** Lets `count` pieces of `bytes` pass, one after the other, and tells when each had (ms). */
async function pass(clock: FakeClock, pace: Pace, count: number, bytes: number): Promise<number[]> {
  const began = clock.monotonic();
  const times: number[] = [];
  let done = false;
  const all = (async () => {
    for (let i = 0; i < count; i++) {
      await pace.passed(bytes);
      times.push(Math.round(clock.monotonic() - began));
    }
    done = true;
  })();
  while (!done) await clock.advanceToNext();
  await all;
  return times;
}

test('bytes go at the rate', async () => {
  const clock = new FakeClock();
  expect(await pass(clock, new Pace(() => 1000, clock), 4, 500)).toEqual([500, 1000, 1500, 2000]);
});

test('all who use it share the rate', async () => {
  const clock = new FakeClock();
  const pace = new Pace(() => 1000, clock);
  const [one, other] = await Promise.all([pass(clock, pace, 10, 100), pass(clock, pace, 10, 100)]);
  expect(Math.max(one!.at(-1)!, other!.at(-1)!)).toBeGreaterThanOrEqual(1900);
});

test('time in which nothing goes is not saved up', async () => {
  const clock = new FakeClock();
  const pace = new Pace(() => 1000, clock);
  await clock.advance(60_000);
  expect((await pass(clock, pace, 2, 1000)).at(-1)).toBe(2000);
});

test('a rate that changes while something waits counts within a second', async () => {
  const clock = new FakeClock();
  const start = clock.now();
  const pace = new Pace((now) => (now < start + 5000 ? 10 : undefined), clock);
  expect((await pass(clock, pace, 1, 100_000)).at(-1)).toBeLessThanOrEqual(6000);
});

test('nothing waits where there is no limit, nor when nothing is to follow', async () => {
  const clock = new FakeClock();
  await new Pace(() => undefined, clock).passed(1e12);
  await new Pace(() => 1, clock).passed(1e12, () => true);
  expect(clock.pending).toBe(0);
});
