import { expect, test } from 'vitest';
import { DirtyFolders } from '../../../src/service/watch/dirty-folders.ts';

test('more dirty folders than are worth keeping become one doubt', () => {
  const dirty = new DirtyFolders(() => {});
  dirty.cut();
  for (let i = 0; i < 100_000; i++) dirty.mark(`/${i}`);
  expect(dirty.cut().folders).toHaveLength(100_000);
  for (let i = 0; i < 100_001; i++) dirty.mark(`/${i}`);
  dirty.mark('/more');
  const cut = dirty.cut();
  expect(cut).toEqual({ sequence: 3, folders: [], doubts: ['too-many'] });
  dirty.mark('/a');
  expect(dirty.cut()).toEqual({ sequence: 4, folders: [Buffer.from('/a')], doubts: [] });
});

test('a doubt that lasts is in every cut until it holds no more, and once after that', () => {
  const dirty = new DirtyFolders(() => {});
  dirty.cut();
  dirty.lastingDoubt('limit', true);
  dirty.cut();
  expect([dirty.cut().doubts, dirty.cut().doubts]).toEqual([['limit'], ['limit']]);
  dirty.lastingDoubt('limit', false);
  expect([dirty.cut().doubts, dirty.cut().doubts]).toEqual([['limit'], []]);
});

test('a change that is worth no run is told to nobody, and in the cut all the same', () => {
  let told = 0;
  const dirty = new DirtyFolders(() => (told += 1));
  dirty.cut();
  dirty.mark('/a', true);
  expect(told).toBe(0);
  expect(dirty.peek()).toEqual(dirty.cut());
  expect(dirty.peek().folders).toEqual([]);
});
