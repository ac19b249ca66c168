/** After a round every part was read, one a week, whatever the clock does meanwhile. */
import { expect, test } from 'vitest';
import { Rolling, weekMs } from '../../../src/service/care/rolling.ts';

function rolling(): Rolling {
  const kept = new Map<string, unknown>();
  return new Rolling({
    recall: (name) => kept.get(name),
    remember: (name, value) => void kept.set(name, JSON.parse(JSON.stringify(value))),
    forget: (name) => void kept.delete(name),
  });
}

const start = Date.parse('2026-01-01');

test('a new destination is left alone for a week; then one part is due each week, and after a round all were read', () => {
  const care = rolling();
  expect(care.due('d', true, start)).toBeUndefined();
  expect(care.due('d', true, start + weekMs - 1)).toBeUndefined();
  const parts = new Set<number>();
  for (let week = 1; week <= 8; week++) {
    const now = start + week * weekMs;
    const due = care.due('d', true, now)!;
    expect(due.of).toBe(8);
    expect(care.allReadSince('d')).toBeNull();
    care.note('d', due.part, due.of, now);
    expect(care.due('d', true, now + 1000)).toBeUndefined();
    parts.add(due.part);
  }
  expect([...parts].sort()).toEqual([1, 2, 3, 4, 5, 6, 7, 8]);
  expect(care.allReadSince('d')).toBe(start + weekMs);
  // The oldest comes first again.
  expect(care.due('d', true, start + 9 * weekMs)).toEqual({ part: 1, of: 8 });
});

test('a part that was not read stays due; a server is read in smaller parts', () => {
  const care = rolling();
  care.due('d', false, start);
  const now = start + 2 * weekMs;
  expect(care.due('d', false, now)).toEqual({ part: 1, of: 26 });
  expect(care.due('d', false, now)).toEqual({ part: 1, of: 26 });
});

test('reading all counts for all parts; a clock that was set back puts nothing off', () => {
  const care = rolling();
  care.noteAll('d', true, start);
  expect(care.allReadSince('d')).toBe(start);
  expect(care.due('d', true, start + 1)).toBeUndefined();
  expect(care.due('d', true, start - 3 * weekMs)).toBeDefined();
  care.forget('d');
  expect(care.allReadSince('d')).toBeNull();
});
