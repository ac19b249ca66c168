import { expect, test } from 'vitest';
import { AlarmWatch } from '../../../main/electron/alarm-watch.ts';
import { anAlarm } from '../../support/service-state.ts';

const hour = 3_600_000;
const one = anAlarm({ key: 'one' });
const two = anAlarm({ key: 'two' });

test('an alarm is told when it is new, each day, and when it is solved', () => {
  const watch = new AlarmWatch();
  const told = (alarms: (typeof one)[], now: number): string[] => watch.see(alarms, now).map(({ what, alarm }) => `${what} ${alarm.key}`);
  expect(told([], 0)).toEqual([]);
  expect(told([one], hour)).toEqual(['raised one']);
  expect(told([one], 2 * hour)).toEqual([]);
  expect(told([one, two], 24 * hour)).toEqual(['raised two']);
  expect(told([one, two], 25 * hour)).toEqual(['repeated one']);
  expect(told([one, two], 26 * hour)).toEqual([]);
  expect(told([two], 27 * hour)).toEqual(['solved one']);
  expect(told([two], 48 * hour)).toEqual(['repeated two']);
  expect(told([one, two], 49 * hour)).toEqual(['raised one']);
});

test('a clock that is set back silences nothing, and what is forgotten is not solved', () => {
  const watch = new AlarmWatch();
  watch.see([one], 100 * hour);
  expect(watch.see([one], 0).map(({ what }) => what)).toEqual(['repeated']);
  watch.forget();
  expect(watch.see([], hour)).toEqual([]);
});
