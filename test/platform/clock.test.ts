import { execFileSync } from 'node:child_process';
import { getEventListeners } from 'node:events';
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { systemClock } from '../../src/platform/clock.ts';
import { FakeClock } from '../support/fake-clock.ts';

const timers = (): number => process.getActiveResourcesInfo().filter((kind) => kind === 'Timeout').length;
const longestTimerMs = 2 ** 31 - 1;

describe('the system clock', () => {
  it('tells the same time as the system', () => {
    const before = Number(execFileSync('date', ['+%s%3N'], { encoding: 'utf8' }));
    const now = systemClock.now();
    const after = Number(execFileSync('date', ['+%s%3N'], { encoding: 'utf8' }));
    expect(Number.isInteger(now)).toBe(true);
    expect(now).toBeGreaterThanOrEqual(before);
    expect(now).toBeLessThanOrEqual(after);
  });

  it('knows when the computer was started', () => {
    const [seconds] = readFileSync('/proc/uptime', 'utf8').split(' ');
    expect(systemClock.sinceBoot()).toBeGreaterThanOrEqual(Number(seconds) * 1000 - 20);
    expect(systemClock.sinceBoot()).toBeLessThanOrEqual(Number(readFileSync('/proc/uptime', 'utf8').split(' ')[0]) * 1000 + 20);
  });

  it('sleeps at least as long as asked', async () => {
    const start = systemClock.monotonic();
    await systemClock.sleep(20);
    expect(systemClock.monotonic() - start).toBeGreaterThanOrEqual(19);
  });

  it('treats a negative sleep as none', async () => {
    await expect(systemClock.sleep(-5)).resolves.toBeUndefined();
  });

  it('leaves no timer and no listener behind when a sleep is cancelled', async () => {
    const before = timers();
    const abort = new AbortController();
    const sleep = systemClock.sleep(1_000_000, abort.signal);
    expect(timers()).toBe(before + 1);
    abort.abort();
    await expect(sleep).rejects.toMatchObject({ name: 'HoldfastError', code: 'cancelled' });
    expect(timers()).toBe(before);
    expect(getEventListeners(abort.signal, 'abort')).toHaveLength(0);
  });

  it('leaves no listener behind when a sleep ends by itself', async () => {
    const abort = new AbortController();
    await systemClock.sleep(1, abort.signal);
    expect(getEventListeners(abort.signal, 'abort')).toHaveLength(0);
    abort.abort();
  });

  it('does not begin a sleep that is cancelled already', async () => {
    const before = timers();
    await expect(systemClock.sleep(1_000_000, AbortSignal.abort())).rejects.toMatchObject({ code: 'cancelled' });
    expect(timers()).toBe(before);
  });

  it('sleeps on where Node would cut a long delay down to a millisecond', async () => {
    for (const ms of [longestTimerMs + 1, 1e15, Infinity]) {
      const abort = new AbortController();
      let ended = false;
      const sleep = systemClock.sleep(ms, abort.signal).finally(() => {
        ended = true;
      });
      await systemClock.sleep(10);
      expect(ended).toBe(false);
      abort.abort();
      await expect(sleep).rejects.toMatchObject({ code: 'cancelled' });
    }
  });

  it('refuses what is no duration', async () => {
    await expect(systemClock.sleep(Number.NaN)).rejects.toThrow(RangeError);
    for (const ms of [0, -1, Number.NaN]) expect(() => systemClock.every(ms, () => {})).toThrow(RangeError);
  });

  it('repeats until it is stopped from within', async () => {
    let count = 0;
    await new Promise<void>((resolve) => {
      const stop = systemClock.every(1, () => {
        if (++count < 3) return;
        stop();
        stop();
        resolve();
      });
    });
    await systemClock.sleep(20);
    expect(count).toBe(3);
  });

  it('does not repeat at once where Node would cut a long delay down to a millisecond', async () => {
    let count = 0;
    const stop = systemClock.every(longestTimerMs + 5, () => count++);
    await systemClock.sleep(10);
    stop();
    expect(count).toBe(0);
  });

  it('lets the process end while something repeats', () => {
    const module = new URL('../../src/platform/clock.ts', import.meta.url).href;
    const script = `const { systemClock } = await import(${JSON.stringify(module)}); systemClock.every(1000000, () => {}); console.log('end');`;
    expect(execFileSync(process.execPath, ['--input-type=module', '-e', script], { encoding: 'utf8' })).toBe('end\n');
  });
});

describe('the fake clock', () => {
  it('stands still until it is moved, then runs what is due in the order of its time', async () => {
    const clock = new FakeClock();
    const start = clock.now();
    const log: string[] = [];
    const note = (name: string) => () => void log.push(`${name}@${clock.now() - start}`);
    void clock.sleep(30).then(note('late'));
    void clock.sleep(10).then(note('early'));
    const stop = clock.every(20, note('tick'));
    await clock.advance(9);
    expect(log).toEqual([]);
    await clock.advance(31);
    expect(log).toEqual(['early@10', 'tick@20', 'late@30', 'tick@40']);
    stop();
    expect(clock.pending).toBe(0);
  });

  it('runs sleeps that begin within the time advanced', async () => {
    const clock = new FakeClock();
    const start = clock.monotonic();
    const woken: number[] = [];
    const loop = (async () => {
      for (let i = 0; i < 3; i++) {
        await clock.sleep(10);
        woken.push(clock.monotonic() - start);
      }
    })();
    await clock.advance(100);
    await loop;
    expect(woken).toEqual([10, 20, 30]);
    expect(clock.monotonic() - start).toBe(100);
  });

  it('moves wall time alone when somebody sets the clock or the machine sleeps', async () => {
    const clock = new FakeClock(5000);
    const start = clock.monotonic();
    const booted = clock.sinceBoot();
    let woken = false;
    void clock.sleep(10).then(() => {
      woken = true;
    });
    clock.jumpWall(-4000);
    expect(clock.now()).toBe(1000);
    clock.standby(3_600_000);
    await clock.advance(9);
    expect(clock.now()).toBe(3_601_009);
    expect(clock.monotonic() - start).toBe(9);
    expect(clock.sinceBoot() - booted).toBe(3_600_009);
    expect(woken).toBe(false);
    expect(await clock.advanceToNext()).toBe(1);
    expect(woken).toBe(true);
    expect(await clock.advanceToNext()).toBeUndefined();
  });

  it('cancels a sleep as the real one does', async () => {
    const clock = new FakeClock();
    const abort = new AbortController();
    const sleep = clock.sleep(10, abort.signal);
    abort.abort();
    await expect(sleep).rejects.toMatchObject({ code: 'cancelled' });
    await expect(clock.sleep(10, abort.signal)).rejects.toMatchObject({ code: 'cancelled' });
    expect(clock.pending).toBe(0);
    expect(getEventListeners(abort.signal, 'abort')).toHaveLength(0);
  });
});
