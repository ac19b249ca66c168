import type { BigIntStats } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { Evidence } from '../../../src/engine/undo/evidence.ts';

const second = 1_000_000_000n;
const at = (s: number): bigint => BigInt(s) * second;
/** A restore from 1000 to 1100 s, an undo of it that was cut off from 2000 to 2010 s; now it is 3000 s. */
const intervals = [
  { from: at(1000), to: at(1100) },
  { from: at(2000), to: at(2010) },
];
const evidence = (coarse = false): Evidence => new Evidence({ intervals, coarse, folders: new Set(['77']), now: at(3000) });

const entry = (facts: { ctime: number; mtime: number; birth?: number; size?: number; links?: number; ino?: number }): BigIntStats =>
  ({
    ctimeNs: at(facts.ctime),
    mtimeNs: at(facts.mtime),
    birthtimeNs: at(facts.birth ?? facts.ctime),
    size: BigInt(facts.size ?? 5),
    nlink: BigInt(facts.links ?? 1),
    ino: BigInt(facts.ino ?? 1),
    isFile: () => true,
  }) as BigIntStats;

const made = { size: 5, mtime: String(at(500)) };

describe('what was made at a recorded place', () => {
  test.each<[string, Parameters<typeof entry>[0], boolean]>([
    ['as it was made', { ctime: 1050, mtime: 500 }, true],
    ['given a name or lost one in an undo', { ctime: 2005, mtime: 500 }, true],
    ['of a second before, since workers begin apart', { ctime: 999, mtime: 500 }, true],
    ['of a time that the file system cannot keep', { ctime: 1050, mtime: 499 }, true],
    ['changed after the restore', { ctime: 1101, mtime: 500 }, false],
    ['changed before the undo', { ctime: 1999, mtime: 500 }, false],
    ['changed after both', { ctime: 2500, mtime: 500 }, false],
    ['written while the restore ran', { ctime: 1050, mtime: 1050 }, false],
    ['of another length', { ctime: 1050, mtime: 500, size: 6 }, false],
    ['older than the restore', { ctime: 500, mtime: 500 }, false],
    ['dated to the future', { ctime: 1050, mtime: 900_000_000 }, true],
  ])('%s', (_, facts, expected) => {
    expect(evidence().isMade(entry(facts), made)).toBe(expected);
  });

  test('where there are no times of change, is known by its time and length', () => {
    expect(evidence(true).isMade(entry({ ctime: 500, mtime: 501 }), made)).toBe(true);
    expect(evidence(true).isMade(entry({ ctime: 2500, mtime: 2500 }), made)).toBe(false);
    expect(evidence(true).isMade(entry({ ctime: 500, mtime: 500, size: 6 }), made)).toBe(false);
  });
});

describe('what is in a folder that was made', () => {
  test.each<[string, Parameters<typeof entry>[0], boolean]>([
    ['put there by the restore', { ctime: 1050, mtime: 500 }, true],
    ['moved there after it', { ctime: 1500, mtime: 500, birth: 100 }, false],
    ['moved there while it ran', { ctime: 1050, mtime: 500, birth: 100 }, false],
    ['a further name of an older file', { ctime: 1050, mtime: 500, birth: 100, links: 2 }, true],
    ['written there while it ran', { ctime: 1050, mtime: 1049 }, false],
    ['without a time of birth', { ctime: 1050, mtime: 500, birth: 0 }, true],
  ])('%s', (_, facts, expected) => {
    expect(evidence().isInNewFolder(entry(facts))).toBe(expected);
    // Where nobody can tell, nothing is taken for the restore's.
    expect(evidence(true).isInNewFolder(entry(facts))).toBe(false);
  });

  test.each<[string, Parameters<typeof entry>[0], boolean]>([
    ['a folder of the restore', { ctime: 1050, mtime: 500 }, true],
    ['one of its folders, changed since', { ctime: 2500, mtime: 2500, ino: 77 }, true],
    ['a folder moved there', { ctime: 1500, mtime: 500, birth: 1050 }, false],
    ['a folder made after it', { ctime: 1500, mtime: 1500, birth: 1500 }, false],
  ])('%s', (_, facts, expected) => {
    expect(evidence().isNewFolder(entry(facts))).toBe(expected);
  });
});

test('a file of which only properties were set counts as left alone only with a time that it had or got', () => {
  const times = [String(at(400)), String(at(500))];
  expect(evidence().isUntouched(entry({ ctime: 1050, mtime: 400 }), times)).toBe(true);
  expect(evidence().isUntouched(entry({ ctime: 1050, mtime: 500 }), times)).toBe(true);
  expect(evidence().isUntouched(entry({ ctime: 1050, mtime: 1050 }), times)).toBe(false);
  expect(evidence().isUntouched(entry({ ctime: 1500, mtime: 500 }), times)).toBe(false);
  expect(evidence(true).isUntouched(entry({ ctime: 500, mtime: 500 }), times)).toBe(true);
});
