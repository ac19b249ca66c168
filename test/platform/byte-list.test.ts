import fc from 'fast-check';
import { expect, test } from 'vitest';
import { detached, joinList, splitList } from '../../src/platform/byte-list.ts';

test('splitting gives back what was joined, whatever the bytes', () => {
  fc.assert(
    fc.property(fc.array(fc.uint8Array({ maxLength: 40 }), { maxLength: 20 }), (items) => {
      expect(splitList(joinList(items)).map((item) => [...item])).toEqual(items.map((item) => [...item]));
    }),
  );
});

test('a joined list has a buffer of its own, so that a message carries nothing else', () => {
  const list = joinList([Buffer.from('one'), Buffer.alloc(0)]);
  expect(list.byteOffset).toBe(0);
  expect(list.buffer.byteLength).toBe(4 + 3 + 4);
  expect(splitList(structuredClone(list)).map(String)).toEqual(['one', '']);
});

test('a list inside a larger buffer is split at the right place', () => {
  const list = joinList([Buffer.from('a'), Buffer.from('bc')]);
  const around = Buffer.concat([Buffer.from('xyz'), list, Buffer.from('end')]);
  expect(splitList(around.subarray(3, 3 + list.length)).map(String)).toEqual(['a', 'bc']);
});

test('detached bytes no longer share the pool that small buffers are cut from', () => {
  const small = Buffer.from('small');
  expect(small.buffer.byteLength).toBeGreaterThan(5);
  expect(detached(small).buffer.byteLength).toBe(5);
  expect(Buffer.from(detached(small)).toString()).toBe('small');
});
