import { expect, test } from 'vitest';
import { progressSchema } from '../../../src/contract/run.ts';
import type { Progress } from '../../../src/engine/run.ts';
import { runProgress } from '../../../src/service/runs/run-progress.ts';

const unknown: Progress = {
  phase: 'scanning',
  items: 3,
  totalItems: undefined,
  bytes: 10,
  totalBytes: undefined,
  path: '',
  bytesPerSecond: 0,
  secondsLeft: undefined,
};

test('a run tells what it is working on, and leaves out what is not known', () => {
  expect(progressSchema.parse(runProgress(7, unknown))).toEqual({ run: 7, phase: 'scanning', items: 3, bytes: 10, bytesPerSecond: 0 });
  const known: Progress = {
    ...unknown,
    phase: 'backing-up',
    totalItems: 9,
    totalBytes: 100,
    path: '/home/anna/été/letter.txt',
    secondsLeft: 4,
  };
  expect(progressSchema.parse(runProgress(7, known))).toEqual({ ...known, run: 7 });
});
