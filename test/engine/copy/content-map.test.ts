import { describe, expect, test } from 'vitest';
import { ContentMap } from '../../../src/engine/copy/content-map.ts';
import { seededBytes, seededRandom } from '../../support/seeded.ts';

const random = seededRandom(1);
const ids = (count: number): Buffer => seededBytes(random, 32 * count);

describe('a map of contents', () => {
  test('gives what was noted, for any number of pieces, in every thread', () => {
    const map = ContentMap.create();
    const other = ContentMap.attach(map.memory);
    const pairs = Array.from({ length: 2000 }, (_, i) => [ids(1 + (i % 5)), ids(i % 7)] as const);
    for (const [i, [content, list]] of pairs.entries()) (i % 2 === 0 ? map : other).set(content, list);
    for (const [content, list] of pairs) {
      expect(map.get(content)).toEqual(list);
      expect(other.get(content)).toEqual(list);
    }
    expect(map.get(ids(1))).toBeUndefined();
  });

  test('keeps what was noted first', () => {
    const map = ContentMap.create();
    const [content, first] = [ids(2), ids(3)];
    map.set(content, first);
    map.set(content, ids(1));
    map.set(content, undefined);
    expect(map.get(content)).toEqual(first);
  });

  test('tells what cannot be read from what is not known', () => {
    const map = ContentMap.create();
    const content = ids(2);
    map.set(content, undefined);
    expect(map.get(content)).toBe('unreadable');
  });
});
