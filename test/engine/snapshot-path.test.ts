import { expect, test } from 'vitest';
import { absolutePath, parseSnapshotPlace } from '../../src/engine/snapshot-path.ts';

test('a place is a snapshot, and behind the first colon a path', () => {
  const parse = (text: string): unknown => {
    const { snapshot, path } = parseSnapshotPlace(Buffer.from(text));
    return [snapshot, path?.toString()];
  };
  expect(parse('latest')).toEqual(['latest', undefined]);
  expect(parse('1a2b:/home/me')).toEqual(['1a2b', '/home/me']);
  expect(parse('latest:C:/Users')).toEqual(['latest', 'C:/Users']);
  expect(parse(':x')).toEqual(['', 'x']);
});

test('an empty path and the root mean the whole snapshot', () => {
  for (const text of ['latest:', 'latest:/', 'latest:///']) expect(parseSnapshotPlace(Buffer.from(text)).path).toBeUndefined();
});

test('a path keeps bytes that are not UTF-8', () => {
  const bytes = Buffer.from([0x61, 0x3a, 0x2f, 0xff, 0x3a]);
  expect(parseSnapshotPlace(bytes).path).toEqual(Buffer.from([0x2f, 0xff, 0x3a]));
  expect(absolutePath([Buffer.from([0xff]), Buffer.from('b')])).toEqual(Buffer.from([0x2f, 0xff, 0x2f, 0x62]));
  expect(absolutePath([])).toEqual(Buffer.from('/'));
});
