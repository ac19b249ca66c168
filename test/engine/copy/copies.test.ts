import { describe, expect, test } from 'vitest';
import { Copies, copyFields, isSimilar, originalOf } from '../../../src/engine/copy/copies.ts';
import type { Snapshot } from '../../../src/repository/snapshot.ts';

const id = (digit: string): string => digit.repeat(64);
const snapshot: Snapshot = {
  id: id('1'),
  time: '2026-01-02T03:04:05.5+01:00',
  parent: id('9'),
  tree: id('a'),
  paths: ['/a', '/b'],
  hostname: 'anna',
  username: 'anna',
  uid: 1000,
  gid: 1000,
  excludes: ['*.tmp', 'x'],
  tags: ['one', 'two'],
  program_version: 'restic 0.18.0',
};
const copy: Snapshot = { ...copyFields(snapshot, snapshot.tree, undefined), id: id('2') };

describe('a copy of a snapshot', () => {
  test('names the original, which copies of copies keep', () => {
    expect(copy.original).toBe(snapshot.id);
    expect(originalOf(copy)).toBe(snapshot.id);
    expect(copyFields(copy, id('b'), id('c'))).toMatchObject({ original: snapshot.id, tree: id('b'), parent: id('c') });
    expect('id' in copyFields(copy, id('b'), undefined)).toBe(false);
  });

  test('is found by its original, or as the same snapshot, and only with the same tree', () => {
    expect(new Copies([copy]).find(snapshot)).toBe(copy);
    expect(new Copies([snapshot]).find(copy)).toBe(snapshot);
    expect(new Copies([snapshot]).find(snapshot)).toBe(snapshot);
    const copyOfCopy: Snapshot = { ...copyFields(copy, copy.tree, undefined), id: id('3') };
    expect(new Copies([copyOfCopy]).find(snapshot)).toBe(copyOfCopy);
    const rewritten: Snapshot = { ...copy, id: id('4'), tree: id('b') };
    expect(new Copies([rewritten]).find(snapshot)).toBeUndefined();
    expect(new Copies([rewritten]).similar(snapshot)).toEqual([rewritten]);
    expect(new Copies([{ ...copy, original: id('8') }]).find(snapshot)).toBeUndefined();
    expect(new Copies([copy]).ofId(snapshot.id)).toBe(copy);
    expect(new Copies([copy]).ofId(id('7'))).toBeUndefined();
  });
});

describe('two snapshots of one original are similar', () => {
  const similar: [string, Partial<Snapshot>][] = [
    ['when they are equal', {}],
    ['when parent, original, tree and what made them differ', { parent: id('5'), original: id('6'), tree: id('7'), program_version: 'x' }],
    ['when the same time is written for another zone', { time: '2026-01-02T02:04:05.500Z' }],
    ['when paths and tags stand in another order', { paths: ['/b', '/a'], tags: ['two', 'one'] }],
  ];
  test.each(similar)('%s', (_, fields) => expect(isSimilar({ ...snapshot, ...fields }, snapshot)).toBe(true));

  const different: Partial<Snapshot>[] = [
    { time: '2026-01-02T03:04:06+01:00' },
    { hostname: 'otto' },
    { hostname: undefined },
    { username: 'otto' },
    { uid: undefined },
    { gid: 1 },
    { paths: ['/a'] },
    { paths: ['/a', '/c'] },
    { excludes: ['x', '*.tmp'] },
    { excludes: undefined },
    { tags: ['one'] },
    { tags: undefined },
    { tags: ['one', 'three'] },
  ];
  test.each(different)('not when they differ in %o', (fields) => expect(isSimilar({ ...snapshot, ...fields }, snapshot)).toBe(false));

  test('when both leave out what the other writes as nothing', () => {
    const { hostname: _, uid: __, tags: ___, ...bare } = snapshot;
    expect(isSimilar({ ...bare, uid: 0, tags: [], hostname: '' }, bare)).toBe(true);
  });
});
