/** States of the service, as literals would be too long to read. */
import type { Plan } from '../../src/contract/plan.ts';
import type { Run } from '../../src/contract/run.ts';
import { usualSchedule } from '../../src/contract/schedule.ts';
import { settingsSchema } from '../../src/contract/settings.ts';
import type { Alarm, PlanState, State } from '../../src/contract/state.ts';

export const stateWith = (more: Partial<State> = {}): State => ({
  plans: [],
  planStates: [],
  destinations: [],
  settings: settingsSchema.parse({}),
  pause: null,
  runs: [],
  progress: [],
  alarms: [],
  ...more,
});

export const aPlan = (id: string, name: string, more: Partial<Plan> = {}): Plan =>
  ({ id, name, enabled: true, sources: [], destinations: [], schedule: usualSchedule, ...more }) as unknown as Plan;

export const aRun = (id: number, more: Partial<Run> = {}): Run => ({
  id,
  kind: 'backup',
  plan: 'docs',
  destination: 'drive',
  planName: 'Documents',
  destinationName: 'Blue drive',
  cause: 'person',
  strategy: 'incremental',
  status: 'running',
  reason: null,
  attempt: 1,
  created: 0,
  started: null,
  ended: null,
  snapshot: null,
  figures: null,
  error: null,
  problems: 0,
  ...more,
});

export const anAlarm = (more: Partial<Alarm> = {}): Alarm => ({
  key: 'overdue docs drive',
  kind: 'overdue',
  plan: 'docs',
  destination: 'drive',
  since: 0,
  message: 'The newest backup is old.',
  guidance: 'Plug its drive in.',
  ...more,
});

export const planState = (plan: string, lastSuccess: PlanState['lastSuccess']): PlanState => ({
  plan,
  nextDue: null,
  waitsFor: null,
  watchNotes: [],
  lastSuccess,
});
