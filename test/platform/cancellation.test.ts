import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import { describe, expect, it } from 'vitest';
import { RunControl } from '../../src/platform/cancellation.ts';
import { systemClock } from '../../src/platform/clock.ts';

interface Counting {
  readonly workers: Worker[];
  readonly counts: Int32Array<SharedArrayBuffer>;
  readonly ends: Promise<unknown>[];
}

function countIn(threads: number, control: RunControl, cancelAt?: number): Counting {
  const counters = new SharedArrayBuffer(4 * threads);
  const workers = Array.from(
    { length: threads },
    (_, index) =>
      new Worker(new URL('./run-control-worker.ts', import.meta.url), {
        workerData: { shared: control.shared, counters, index, cancelAt },
      }),
  );
  return { workers, counts: new Int32Array(counters), ends: workers.map(async (worker) => (await once(worker, 'message'))[0]) };
}

/** Resolves when every worker has counted beyond what it has now. */
async function allCountOn(counts: Int32Array<SharedArrayBuffer>): Promise<void> {
  for (let i = 0; i < counts.length; i++) {
    const value = Atomics.load(counts, i);
    while (Atomics.load(counts, i) === value) await Atomics.waitAsync(counts, i, value).value;
  }
}

describe('a run in several threads', () => {
  it('stands still while paused, goes on when resumed, and ends when cancelled', async () => {
    const control = new RunControl();
    const { counts, ends } = countIn(3, control);
    await allCountOn(counts);

    control.pause();
    expect(control.isPaused).toBe(true);
    const paused = [...counts];
    await systemClock.sleep(50);
    // A thread that was past its checkpoint counts once more, and no thread twice.
    for (const [index, count] of paused.entries()) expect((counts[index] as number) - count).toBeLessThanOrEqual(1);

    const goesOn = allCountOn(counts);
    control.resume();
    await goesOn;

    control.cancel();
    expect(await Promise.all(ends)).toEqual(['cancelled', 'cancelled', 'cancelled']);
  });

  it('ends when cancelled while paused', async () => {
    const control = new RunControl();
    const { counts, ends } = countIn(2, control);
    await allCountOn(counts);
    control.pause();
    const coordinator = control.checkpointAsync();
    control.cancel();
    await expect(coordinator).rejects.toMatchObject({ code: 'cancelled' });
    expect(await Promise.all(ends)).toEqual(['cancelled', 'cancelled']);
  });

  it('tells the creating side when a worker cancels', async () => {
    const control = new RunControl();
    const aborted = once(control.signal, 'abort');
    const { ends } = countIn(2, control, 10);
    await aborted;
    expect(control.signal.reason).toMatchObject({ name: 'HoldfastError', code: 'cancelled' });
    expect(control.isCancelled).toBe(true);
    expect(await Promise.all(ends)).toEqual(['cancelled', 'cancelled']);
  });
});

describe('RunControl', () => {
  it('passes every checkpoint while running', async () => {
    const control = new RunControl();
    control.checkpoint();
    await control.checkpointAsync();
    expect(control.isPaused).toBe(false);
    expect(control.isCancelled).toBe(false);
    expect(control.signal.aborted).toBe(false);
    control.release();
  });

  it('cancels for good', async () => {
    const control = new RunControl();
    control.cancel();
    control.pause();
    control.resume();
    expect(control.isCancelled).toBe(true);
    expect(control.isPaused).toBe(false);
    expect(() => control.checkpoint()).toThrow(expect.objectContaining({ code: 'cancelled' }));
    await expect(control.checkpointAsync()).rejects.toMatchObject({ code: 'cancelled' });
    expect(control.signal.aborted).toBe(true);
    control.cancel();
  });

  it('aborts its signal at once when it is the one that cancels', () => {
    const control = new RunControl();
    const { signal } = control;
    let aborts = 0;
    signal.addEventListener('abort', () => aborts++);
    control.cancel();
    expect(signal.aborted).toBe(true);
    control.cancel();
    expect(aborts).toBe(1);
  });

  it('waits asynchronously through several pauses', async () => {
    const control = new RunControl();
    control.pause();
    let passed = false;
    const waiting = control.checkpointAsync().then(() => {
      passed = true;
    });
    control.resume();
    control.pause();
    await systemClock.sleep(5);
    expect(passed).toBe(false);
    control.resume();
    await waiting;
  });

  it('does not abort when a finished run is released', async () => {
    const control = new RunControl();
    const { signal } = control;
    control.release();
    await systemClock.sleep(5);
    expect(signal.aborted).toBe(false);
  });

  it('keeps the process alive while the coordinator waits, and not longer', () => {
    const module = (name: string): string => JSON.stringify(new URL(`../../src/platform/${name}`, import.meta.url).href);
    const script = `
      const { RunControl } = await import(${module('cancellation.ts')});
      const { systemClock } = await import(${module('clock.ts')});
      const control = new RunControl();
      control.signal;
      control.pause();
      const stop = systemClock.every(20, () => { control.resume(); stop(); });
      await control.checkpointAsync();
      console.log('resumed');`;
    expect(execFileSync(process.execPath, ['--input-type=module', '-e', script], { encoding: 'utf8' })).toBe('resumed\n');
  });
});
