import { describe, expect, test } from 'vitest';
import { HoldfastError } from '../../../src/contract/errors.ts';
import { StatusError, statusError } from '../../../src/storage/sftp/status.ts';

const context = { location: 'sftp:host:/place', operation: 'save', file: 'pack 01' };

describe('what a server says that went wrong', () => {
  test.each([
    [14, 'full', undefined, 'storage-full'],
    [15, 'over quota', undefined, 'storage-full'],
    [12, 'write protected', undefined, 'storage-read-only'],
    [3, 'Permission denied', undefined, 'storage-denied'],
    [4, 'Failure', undefined, 'storage-failed'],
    [4, 'Failure', { free: 1000, isReadOnly: false }, 'storage-full'],
    [4, 'Failure', { free: 5_000_000, isReadOnly: false }, 'storage-failed'],
    [4, 'Failure', { free: 5_000_000, isReadOnly: true }, 'storage-read-only'],
    [4, 'ENOSPC: no space', undefined, 'storage-full'],
  ] as const)('%d %s, with %o left, is %s', (code, words, space, expected) => {
    expect(statusError(new StatusError(code, words), context, space, 4096).code).toBe(expected);
  });

  test('what is told already stays as it is, and what nobody foresaw is a defect', () => {
    const told = new HoldfastError('cancelled');
    expect(statusError(told, context)).toBe(told);
    expect(() => statusError(new TypeError('x'), context)).toThrow(TypeError);
  });
});
