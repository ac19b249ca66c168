import { join } from 'node:path';
import { expect, test } from 'vitest';
import { systemClock } from '../../../src/platform/clock.ts';
import { StateStore } from '../../../src/service/state/store.ts';
import { scratch } from '../../support/tree-literal.ts';

const sample = (day: string, bytes: number) => ({ day, at: Date.parse(day), bytes, packs: 1, snapshots: 1, freeBytes: null });

test('one size a day is kept for two years, and then the first of each month; other repositories are not touched', () => {
  const state = new StateStore(join(scratch(), 'state.db'), systemClock);
  for (const day of ['2024-01-03', '2024-01-04', '2024-02-29', '2026-11-01', '2026-11-02']) state.sizes.save('a', sample(day, 1));
  state.sizes.save('b', sample('2024-01-04', 3));
  state.sizes.save('a', sample('2026-11-02', 2));
  state.sizes.thin(Date.parse('2026-11-22'));
  expect(state.sizes.of('a').map(({ day, bytes }) => [day, bytes])).toEqual([
    ['2024-01-03', 1],
    ['2024-02-29', 1],
    ['2026-11-01', 1],
    ['2026-11-02', 2],
  ]);
  expect(state.sizes.last('b')).toMatchObject({ bytes: 3 });
  expect(state.sizes.last('c')).toBeUndefined();
  state.close();
});
