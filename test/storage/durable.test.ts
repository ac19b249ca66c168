import { expect, test } from 'vitest';
import { sync, writeAll } from '../../src/storage/durable.ts';

/** A file that takes at most `atOnce` bytes and 1,024 parts a call, as systems may. */
function fileTaking(atOnce: number): {
  calls: number[];
  content: () => string;
  writev: (parts: readonly NodeJS.ArrayBufferView[]) => Promise<never>;
} {
  const written: Buffer[] = [];
  const calls: number[] = [];
  return {
    calls,
    content: () => Buffer.concat(written).toString(),
    writev: async (parts) => {
      expect(parts.length).toBeLessThanOrEqual(1024);
      const taken = Buffer.concat(parts as Uint8Array[]).subarray(0, atOnce);
      written.push(Buffer.from(taken));
      calls.push(taken.length);
      return { bytesWritten: taken.length, buffers: parts } as never;
    },
  };
}

test.each([1, 2, 3, 4, 5, 7, 9, 10, 11, 100])('writes everything when the system takes %i bytes at once', async (atOnce) => {
  const file = fileTaking(atOnce);
  const parts = ['abc', '', 'd', 'efghi', '', 'j', ''].map((text) => Buffer.from(text));
  expect(await writeAll(file, parts)).toBe(10);
  expect(file.content()).toBe('abcdefghij');
  expect(file.calls).toHaveLength(Math.ceil(10 / atOnce));
  expect(Buffer.concat(parts).toString()).toBe('abcdefghij');
});

test('needs one call for a thousand parts and more for more', async () => {
  const parts = Array.from({ length: 3000 }, () => Buffer.from('x'));
  const one = fileTaking(1e9);
  await writeAll(one, parts.slice(0, 1000));
  expect(one.calls).toEqual([1000]);
  const three = fileTaking(1e9);
  expect(await writeAll(three, parts)).toBe(3000);
  expect(three.calls).toEqual([1024, 1024, 952]);
});

test('writes nothing for nothing', async () => {
  const file = fileTaking(10);
  expect(await writeAll(file, [])).toBe(0);
  expect(await writeAll(file, [Buffer.alloc(0)])).toBe(0);
  expect(file.calls).toEqual([]);
});

test('does not try for ever when the system takes nothing', async () => {
  await expect(writeAll(fileTaking(0), [Buffer.from('x')])).rejects.toMatchObject({ code: 'ENOSPC' });
});

test('takes a file system without fsync as it is, and no other failure of fsync', async () => {
  const failing = (code: string): { sync: () => Promise<void> } => ({
    sync: () => Promise.reject(Object.assign(new Error(code), { code })),
  });
  for (const code of ['ENOTSUP', 'EINVAL']) await sync(failing(code));
  for (const code of ['EIO', 'ENOSPC', 'EDQUOT', 'EBADF']) await expect(sync(failing(code))).rejects.toMatchObject({ code });
});
