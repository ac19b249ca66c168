import { expect, test } from 'vitest';
import { LinkSet } from '../../../src/engine/stats/link-set.ts';
import { seededRandom } from '../../support/seeded.ts';

test('each inode of each device is new once, however large the numbers', () => {
  const set = new LinkSet();
  const random = seededRandom(11);
  const known = new Set<string>();
  const numbers = [
    1n,
    2n,
    2n ** 32n,
    2n ** 32n + 1n,
    2n ** 63n,
    2n ** 64n - 1n,
    ...Array.from({ length: 200 }, () => BigInt(Math.floor(random() * 2 ** 40)) + 1n),
  ];
  for (let i = 0; i < 20_000; i++) {
    const inode = numbers[Math.floor(random() * numbers.length)]!;
    const device = numbers[Math.floor(random() * 40)]!;
    const key = `${inode} ${device}`;
    expect(set.add(inode, device)).toBe(!known.has(key));
    known.add(key);
  }
  expect(known.size).toBeGreaterThan(5000);
  expect(set.add(3n, 0n)).toBe(true);
  expect(set.add(3n, 0n)).toBe(false);
});
