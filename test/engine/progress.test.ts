import { expect, test } from 'vitest';
import { type Progress, reportProgress } from '../../src/engine/run.ts';
import { counters, progressBytes, WorkerProgress } from '../../src/engine/workers/progress.ts';
import { FakeClock } from '../support/fake-clock.ts';

function watch(totalBytes?: number): { clock: FakeClock; told: Progress[]; done: { items: number; bytes: number }; stop: () => void } {
  const clock = new FakeClock();
  const told: Progress[] = [];
  const done = { items: 0, bytes: 0 };
  const source = { phase: 'restoring' as const, items: () => done.items, bytes: () => done.bytes, totalBytes, totalItems: 7 };
  const stop = reportProgress({ clock, onProgress: (progress) => told.push(progress) }, { currentPath: Buffer.from('/a/file') }, source);
  return { clock, told, done, stop };
}

test('tells some times a second what was done, and once more at the end', async () => {
  const { clock, told, done, stop } = watch();
  await clock.advance(1000);
  expect(told.length).toBe(5);
  done.items = 3;
  done.bytes = 500;
  stop();
  expect(told.length).toBe(6);
  expect(told.at(-1)).toMatchObject({ phase: 'restoring', items: 3, totalItems: 7, bytes: 500, totalBytes: undefined, path: '/a/file' });
  await clock.advance(1000);
  expect(told.length).toBe(6);
  expect(clock.pending).toBe(0);
});

test('measures the speed over the last seconds, and from it the time left', async () => {
  const { clock, told, done } = watch(100_000);
  for (let i = 0; i < 10; i++) {
    await clock.advance(1000);
    done.bytes += 1000;
  }
  await clock.advance(200);
  expect(told.at(-1)!.bytesPerSecond).toBeGreaterThan(900);
  expect(told.at(-1)!.bytesPerSecond).toBeLessThan(1300);
  expect(told.at(-1)!.secondsLeft).toBeCloseTo(90_000 / told.at(-1)!.bytesPerSecond, 5);
  await clock.advance(6000);
  expect(told.at(-1)).toMatchObject({ bytesPerSecond: 0, secondsLeft: undefined });
});

test('promises nothing it cannot know: no total, no speed, more done than expected', async () => {
  const unknown = watch();
  unknown.done.bytes = 10;
  await unknown.clock.advance(400);
  expect(unknown.told.at(-1)!.secondsLeft).toBeUndefined();
  const beyond = watch(50);
  await beyond.clock.advance(200);
  expect(beyond.told.at(-1)).toMatchObject({ bytesPerSecond: 0, secondsLeft: undefined });
  beyond.done.bytes = 80;
  await beyond.clock.advance(200);
  expect(beyond.told.at(-1)).toMatchObject({ bytes: 80, totalBytes: 50, secondsLeft: 0 });
});

test('costs nothing when nobody listens', () => {
  const clock = new FakeClock();
  reportProgress({ clock }, { currentPath: Buffer.alloc(0) }, { phase: 'loading', items: () => expect.unreachable(), bytes: () => 0 })();
  expect(clock.pending).toBe(0);
});

test('a worker counts and names its path in memory that others read', () => {
  const memory = new SharedArrayBuffer(progressBytes);
  const [worker, reader] = [new WorkerProgress(memory), new WorkerProgress(memory)];
  expect(reader.path.length).toBe(0);
  counters.forEach((counter, i) => {
    worker.add(counter, i + 1);
    worker.add(counter, 2 ** 40);
  });
  expect(counters.map((counter) => reader.get(counter))).toEqual(counters.map((_, i) => 2 ** 40 + i + 1));
  worker.path = Buffer.from('/first/long/path');
  worker.path = Buffer.from([0x2f, 0xff, 0x0a]);
  expect(reader.path).toEqual(Buffer.from([0x2f, 0xff, 0x0a]));
  worker.path = Buffer.alloc(10_000, 'x');
  expect(reader.path.equals(Buffer.alloc(4096, 'x'))).toBe(true);
  worker.reset();
  expect([reader.path.length, ...counters.map((counter) => reader.get(counter))]).toEqual([0, ...counters.map(() => 0)]);
});
