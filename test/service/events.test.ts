import { expect, test } from 'vitest';
import { settingsSchema } from '../../src/contract/settings.ts';
import type { NumberedEvent, State } from '../../src/contract/state.ts';
import { EventLog } from '../../src/service/events.ts';

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
const removed = (n: number) => ({ type: 'plan-removed', id: `plan-${n}` }) as const;
const progress = (run: number, items: number) => ({ type: 'progress', progress: { run, phase: 'backing-up', items, bytes: 0 } }) as const;
const take = async (events: AsyncGenerator<NumberedEvent, void, void>, count: number): Promise<NumberedEvent[]> => {
  const taken: NumberedEvent[] = [];
  while (taken.length < count) taken.push((await events.next()).value!);
  return taken;
};
const ids = (events: readonly NumberedEvent[]): unknown[] => events.map(({ event }) => ('id' in event ? event.id : event.type));

test('a client begins with the whole state, then hears what happens', async () => {
  const log = new EventLog(() => empty);
  const events = log.subscribe(undefined, undefined);
  expect(ids(await take(events, 1))).toEqual(['state']);
  log.publish(removed(1));
  log.publish(removed(2));
  expect(ids(await take(events, 2))).toEqual(['plan-1', 'plan-2']);
});

test('a client that comes back is given what it missed, and nothing twice', async () => {
  const log = new EventLog(() => empty);
  const first = log.subscribe(undefined, undefined);
  await take(first, 1);
  log.publish(removed(1));
  const [{ id }] = await take(first, 1);
  await first.return();
  log.publish(removed(2));
  log.publish(removed(3));
  const second = log.subscribe(id, undefined);
  expect(ids(await take(second, 2))).toEqual(['plan-2', 'plan-3']);
  log.publish(removed(4));
  expect(ids(await take(second, 1))).toEqual(['plan-4']);
});

test.each(['nonsense', 'other-epoch:3', '', ':', 'x:-1', 'x:1.5', 'x:99999999999999999999'])(
  'an id of another service, or none at all (%j), begins with the whole state',
  async (since) => {
    const log = new EventLog(() => empty);
    log.publish(removed(1));
    expect(ids(await take(log.subscribe(since, undefined), 1))).toEqual(['state']);
  },
);

test('whoever was away for longer than events are kept is given the whole state', async () => {
  const log = new EventLog(() => empty);
  const first = log.subscribe(undefined, undefined);
  const [{ id }] = await take(first, 1);
  await first.return();
  for (let n = 0; n < 1001; n++) log.publish(removed(n));
  const late = log.subscribe(id, undefined);
  expect(ids(await take(late, 1))).toEqual(['state']);
  log.publish(removed(5000));
  expect(ids(await take(late, 1))).toEqual(['plan-5000']);
  const prefix = id.split(':')[0];
  expect(ids(await take(log.subscribe(`${prefix}:1001`, undefined), 1))).toEqual(['plan-5000']);
  expect(ids(await take(log.subscribe(`${prefix}:2`, undefined), 1))).toEqual(['plan-2']);
  expect(ids(await take(log.subscribe(`${prefix}:5000000`, undefined), 1))).toEqual(['state']);
});

test('a client that does not read gets the whole state instead of a heap of events', async () => {
  let asked = 0;
  const log = new EventLog(() => {
    asked++;
    return empty;
  });
  const slow = log.subscribe(undefined, undefined);
  await take(slow, 1);
  for (let n = 0; n < 5000; n++) log.publish(removed(n));
  expect(ids(await take(slow, 1))).toEqual(['state']);
  expect(asked).toBe(2);
  log.publish(removed(7777));
  expect(ids(await take(slow, 1))).toEqual(['plan-7777']);
});

test('of progress only the newest of each run is told, behind what has happened, and the id stays that of the last event', async () => {
  const log = new EventLog(() => empty);
  const events = log.subscribe(undefined, undefined);
  await take(events, 1);
  for (let items = 0; items < 1000; items++) log.publishProgress(progress(1, items));
  log.publishProgress(progress(2, 5));
  log.publish(removed(1));
  const [first, second, third] = await take(events, 3);
  expect(first.event.type).toBe('plan-removed');
  expect(second).toEqual({ id: first.id, event: progress(1, 999) });
  expect(third).toEqual({ id: first.id, event: progress(2, 5) });
});

test('a subscription ends with its signal, and by itself, and leaves nothing behind', async () => {
  const log = new EventLog(() => empty);
  const stop = new AbortController();
  const events = log.subscribe(undefined, stop.signal);
  await take(events, 1);
  const waiting = events.next();
  stop.abort();
  expect((await waiting).done).toBe(true);
  expect((await log.subscribe(undefined, AbortSignal.abort()).next()).done).toBe(true);
});
