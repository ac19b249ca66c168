import { expect, test } from 'vitest';
import { giveMemoryBack, inOwnMemory, takeMemory } from '../../src/platform/spare-memory.ts';

test.each([
  ['a small Buffer, which shares its memory with others', Buffer.from('some text')],
  ['a view of a Buffer', Buffer.alloc(100_000, 'x').subarray(10, 20)],
  ['a view of an array', new Uint8Array(100).fill(7).subarray(50)],
  ['a Buffer that was joined', Buffer.concat([Buffer.from('a'), Buffer.from('b')])],
  ['nothing', Buffer.alloc(0)],
])('%s is copied into memory that can be handed over', (_, bytes) => {
  const own = inOwnMemory(bytes);
  expect(Buffer.from(own).equals(bytes)).toBe(true);
  expect(own.buffer.byteLength).toBe(bytes.length);
  structuredClone(own, { transfer: [own.buffer] });
});

test('memory of its own is handed over as it is', () => {
  const whole = new Uint8Array(5);
  expect(inOwnMemory(whole)).toBe(whole);
  const taken = Buffer.from(takeMemory(2 << 20), 0, 100);
  expect(inOwnMemory(taken)).toBe(taken);
});

test('large memory that was given back is used again, small memory is not', () => {
  const large = takeMemory(2 << 20);
  giveMemoryBack(large);
  expect(takeMemory(1.5 * (1 << 20))).toBe(large);
  const small = takeMemory(1000);
  giveMemoryBack(small);
  expect(takeMemory(1000)).not.toBe(small);
});
