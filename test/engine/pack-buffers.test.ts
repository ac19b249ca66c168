import { expect, test } from 'vitest';
import { PackBuffers } from '../../src/engine/workers/pack-buffers.ts';

function asker(buffers: PackBuffers): { given: ArrayBuffer[]; ask(bytes: number): void } {
  const given: ArrayBuffer[] = [];
  return { given, ask: (bytes) => buffers.ask(bytes, (buffer) => given.push(buffer)) };
}

test('who asks while too many packs are on their way waits until one has arrived, and gets its memory', () => {
  const buffers = new PackBuffers(1);
  const { given, ask } = asker(buffers);
  ask(100);
  ask(100);
  expect(given.length).toBe(2);
  buffers.beginStoring();
  ask(100);
  expect(given.length).toBe(3);
  buffers.beginStoring();
  ask(100);
  ask(100);
  expect(given.length).toBe(3);
  buffers.endStoring(given[0]);
  expect(given.length).toBe(5);
  expect(given[3]).toBe(given[0]);
});

test('a buffer that is too small is not given', () => {
  const buffers = new PackBuffers(2);
  const { given, ask } = asker(buffers);
  ask(100);
  buffers.beginStoring();
  buffers.endStoring(given[0]);
  ask(101);
  expect(given[1].byteLength).toBe(101);
  ask(50);
  expect(given[2]).toBe(given[0]);
});

test('memory that nobody needs any more is not kept', () => {
  const buffers = new PackBuffers(1);
  const { given, ask } = asker(buffers);
  for (let i = 0; i < 5; i++) ask(100);
  for (let i = 0; i < 5; i++) buffers.beginStoring();
  for (let i = 0; i < 5; i++) buffers.endStoring(given[i]);
  for (let i = 0; i < 5; i++) ask(100);
  expect(new Set(given).size).toBe(9);
});
