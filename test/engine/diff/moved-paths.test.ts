import { expect, test } from 'vitest';
import { MovedPaths } from '../../../src/engine/diff/moved-paths.ts';

test('the paths of each item come back in the order in which they were added', () => {
  const paths = new MovedPaths(7);
  const path = (i: number): Buffer => Buffer.from(`/folder ${i % 13}/${'x'.repeat((i * 37) % 900)}/${i}`);
  for (const _ of [1, 2]) {
    for (let i = 0; i < 20_000; i++) expect(paths.add(i % 7, path(i))).toBe(true);
    for (let i = 0; i < 20_000; i++) expect(paths.take(i % 7).equals(path(i))).toBe(true);
    paths.clear();
  }
});

test('there is an end to the room, and what was added before is kept', () => {
  const paths = new MovedPaths(1, 2 << 20);
  const long = Buffer.alloc(100_000, 'p');
  let added = 0;
  while (paths.add(0, long)) added += 1;
  expect(added).toBe(20);
  expect(paths.add(0, Buffer.alloc(2 << 20))).toBe(false);
  for (let i = 0; i < added; i++) expect(paths.take(0).equals(long)).toBe(true);
});
