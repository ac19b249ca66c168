import { describe, expect, test } from 'vitest';
import { applyEvent } from '../../src/contract/apply-event.ts';
import type { Run, RunProgress } from '../../src/contract/run.ts';
import { settingsSchema } from '../../src/contract/settings.ts';
import type { State } from '../../src/contract/state.ts';

const empty: State = {
  plans: [],
  planStates: [],
  destinations: [],
  settings: settingsSchema.parse({}),
  pause: null,
  runs: [],
  progress: [],
  alarms: [],
};

const run = (id: number, status: Run['status']): Run => ({
  id,
  kind: 'backup',
  plan: 'p',
  destination: 'd',
  planName: 'Documents',
  destinationName: 'Drive',
  cause: 'person',
  strategy: 'incremental',
  status,
  reason: null,
  attempt: 1,
  created: 0,
  started: null,
  ended: null,
  snapshot: null,
  figures: null,
  error: null,
  problems: 0,
});
const progress = (id: number, bytes: number): RunProgress => ({ run: id, phase: 'backup', items: 0, bytes });

describe('an event', () => {
  test('before the whole state says nothing', () => {
    expect(applyEvent(undefined, { type: 'pause', pause: null })).toBeUndefined();
  });

  test('replaces what it names, and leaves the rest as it is', () => {
    const one = applyEvent(empty, { type: 'run', run: run(1, 'running') })!;
    const two = applyEvent(one, { type: 'run', run: run(2, 'waiting') })!;
    const three = applyEvent(two, { type: 'run', run: run(1, 'paused') })!;
    expect(three.runs.map(({ id, status }) => [id, status])).toEqual([
      [1, 'paused'],
      [2, 'waiting'],
    ]);
    expect(three.plans).toBe(empty.plans);
  });

  test('of a run that has ended takes it and its progress away', () => {
    const running = applyEvent(empty, { type: 'run', run: run(1, 'running') })!;
    const working = applyEvent(running, { type: 'progress', progress: progress(1, 5) })!;
    expect(working.progress).toHaveLength(1);
    const done = applyEvent(working, { type: 'run', run: run(1, 'succeeded') })!;
    expect([done.runs, done.progress]).toEqual([[], []]);
  });

  test('of progress that comes after the end of its run is of no use', () => {
    expect(applyEvent(empty, { type: 'progress', progress: progress(1, 5) })).toBe(empty);
  });
});
