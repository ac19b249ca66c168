import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { HoldfastError } from '../../src/contract/errors.ts';
import { changeSnapshot, formatSnapshot, parseSnapshot, type SnapshotFields, type SnapshotSummary } from '../../src/repository/snapshot.ts';

const id = 'a'.repeat(64);
const tree = 'b'.repeat(64);
const summary: SnapshotSummary = {
  backup_start: '2026-01-02T03:04:05.678Z',
  backup_end: '2026-01-02T03:04:06Z',
  files_new: 1,
  files_changed: 2,
  files_unmodified: 3,
  dirs_new: 4,
  dirs_changed: 5,
  dirs_unmodified: 6,
  data_blobs: 7,
  tree_blobs: 8,
  data_added: 9,
  data_added_packed: 10,
  total_files_processed: 11,
  total_bytes_processed: 2 ** 45,
};
const all: SnapshotFields = {
  time: '2026-01-02T03:04:05.678901234+01:00',
  parent: 'c'.repeat(64),
  tree,
  paths: ['/home/u/ä', '/srv'],
  hostname: 'host',
  username: 'user',
  uid: 1000,
  gid: 100,
  excludes: ['*.tmp'],
  tags: ['full'],
  original: 'd'.repeat(64),
  program_version: 'holdfast 0.1.0',
  summary,
};

const codeOf = (value: Buffer): string => {
  try {
    parseSnapshot(id, value);
    return 'accepted';
  } catch (error) {
    return (error as HoldfastError).code;
  }
};

test('a snapshot survives being stored', () => {
  expect(parseSnapshot(id, formatSnapshot(all))).toEqual({ id, ...all });
});

test('fields are written in the order in which restic writes them', () => {
  const shuffled = Object.fromEntries(Object.entries(all).reverse()) as unknown as SnapshotFields;
  const order = 'time parent tree paths hostname username uid gid excludes tags original program_version summary';
  expect(Object.keys(JSON.parse(formatSnapshot(shuffled).toString()) as object)).toEqual(order.split(' '));
});

test('empty fields are left out, but never the paths', () => {
  const bare = { time: all.time, tree, paths: [], parent: undefined, hostname: '', username: '', uid: 0, gid: 0, excludes: [], tags: [] };
  expect(formatSnapshot(bare).toString()).toBe(`{"time":"${all.time}","tree":"${tree}","paths":[]}`);
  const parsed = parseSnapshot(id, formatSnapshot(bare));
  expect(parsed).toMatchObject({ id, time: all.time, tree, paths: [] });
  expect(parsed.hostname ?? parsed.uid ?? parsed.tags ?? parsed.summary).toBeUndefined();
});

test('a snapshot without time or tree is refused, and the error names the snapshot', () => {
  const good = { time: all.time, tree, paths: ['/a'] };
  expect(codeOf(Buffer.from(JSON.stringify({ ...good, foreign: 1 })))).toBe('accepted');
  const wrong = [
    null,
    3,
    [],
    {},
    { ...good, time: undefined },
    { ...good, time: 'soon' },
    { ...good, time: 7 },
    { ...good, tree: 'b' },
    { ...good, tree: null },
  ];
  for (const value of wrong) expect(codeOf(Buffer.from(JSON.stringify(value)))).toBe('snapshot-invalid');
  expect(() => parseSnapshot(id, Buffer.from('{'))).toThrow(id.slice(0, 8));
});

test('foreign or malformed optional fields are ignored, never passed on as something else', () => {
  const odd = {
    time: all.time,
    tree,
    paths: 'no list',
    parent: 'x',
    hostname: 5,
    uid: -1,
    gid: 1.5,
    tags: [1],
    excludes: {},
    original: null,
  };
  expect(
    parseSnapshot(id, Buffer.from(JSON.stringify({ ...odd, summary: { files_new: 'many', data_added: 5, dirs_new: -3, more: 1 } }))),
  ).toEqual({
    id,
    time: all.time,
    tree,
    paths: [],
    summary: Object.fromEntries(
      Object.keys(summary).map((name) => [name, name.startsWith('backup_') ? '' : name === 'data_added' ? 5 : 0]),
    ),
  });
});

test('whatever JSON a snapshot file holds, it is read or refused as invalid', () => {
  fc.assert(
    fc.property(
      fc.oneof(
        fc.jsonValue(),
        fc.record({
          time: fc.constant(all.time),
          tree: fc.constant(tree),
          paths: fc.jsonValue(),
          summary: fc.jsonValue(),
          tags: fc.jsonValue(),
        }),
      ),
      (value) => {
        expect(['accepted', 'snapshot-invalid']).toContain(codeOf(Buffer.from(JSON.stringify(value))));
      },
    ),
  );
});

describe('a changed snapshot', () => {
  const stored = formatSnapshot(all);
  const parsed = (text: Buffer): Record<string, unknown> => JSON.parse(text.toString()) as Record<string, unknown>;

  test('says something else only where it was asked to', () => {
    const changed = changeSnapshot(stored, { tags: ['a', 'b'], hostname: 'other', tree: 'e'.repeat(64) });
    expect(parseSnapshot(id, changed)).toEqual({ id, ...all, tags: ['a', 'b'], hostname: 'other', tree: 'e'.repeat(64) });
    expect(changeSnapshot(stored, {}).equals(stored)).toBe(true);
  });

  test('keeps what nobody here knows, in the snapshot and in its figures', () => {
    const foreign = Buffer.from(JSON.stringify({ delete: 'never', ...all, summary: { ...summary, extra: 3 }, label: { text: 'x' } }));
    const changed = parsed(changeSnapshot(foreign, { tags: [], summary: { total_files_processed: 1 } }));
    expect(changed).toMatchObject({ delete: 'never', label: { text: 'x' }, summary: { extra: 3, total_files_processed: 1, files_new: 1 } });
    expect('tags' in changed).toBe(false);
  });

  test('is the same text whatever the order in which it was stored', () => {
    const shuffled = Buffer.from(JSON.stringify(Object.fromEntries(Object.entries(all).reverse())));
    expect(changeSnapshot(shuffled, { tags: ['x'] }).equals(changeSnapshot(stored, { tags: ['x'] }))).toBe(true);
  });

  test('gets figures where it had none, as restic gives it', () => {
    const bare = Buffer.from(JSON.stringify({ time: all.time, tree, paths: [] }));
    expect(parsed(changeSnapshot(bare, { summary: { total_files_processed: 2, total_bytes_processed: 30 } })).summary).toMatchObject({
      backup_start: '0001-01-01T00:00:00Z',
      files_new: 0,
      total_files_processed: 2,
      total_bytes_processed: 30,
    });
    expect('summary' in parsed(changeSnapshot(bare, { tags: ['x'] }))).toBe(false);
  });
});
