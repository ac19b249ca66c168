import { expect, test } from 'vitest';
import { snapshotPath } from '../../../../renderer/features/protected/snapshot-path.ts';

test.each([
  ['/home/me/a b', '/home/me/a b'],
  ['/home/me/', '/home/me'],
  ['/', '/'],
  ['C:\\Users\\me\\a', '/C/Users/me/a'],
  ['d:/x/', '/D/x'],
  ['C:\\', '/C'],
  ['relative/a', undefined],
  ['', undefined],
])('the path %j is %j in snapshots', (typed, path) => {
  expect(snapshotPath(typed)).toBe(path);
});
