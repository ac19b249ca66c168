import { constants } from 'node:os';
import { expect, test } from 'vitest';
import { HoldfastError } from '../../src/contract/errors.ts';
import { storageError, systemCode } from '../../src/storage/system-errors.ts';

const context = { location: '/mnt/disk', operation: 'save', file: 'pack 0a1b' };
const systemError = (code: string, more: object = {}): Error => Object.assign(new Error(`${code}: text`), { code, ...more });
const meaningOf = (error: unknown, platform: NodeJS.Platform = 'linux'): [string, boolean] => {
  const { code, retryable } = storageError(error, context, platform);
  return [code, retryable];
};

test.each([
  ['ENOSPC', 'storage-full', false],
  ['EDQUOT', 'storage-full', false],
  ['EACCES', 'storage-denied', false],
  ['EPERM', 'storage-denied', false],
  ['EROFS', 'storage-read-only', false],
  ['EIO', 'storage-gone', true],
  ['ENOTCONN', 'storage-gone', true],
  ['ENODEV', 'storage-gone', true],
  ['ESTALE', 'storage-gone', true],
  ['EMFILE', 'storage-failed', true],
  ['EBUSY', 'storage-failed', true],
  ['ETIMEDOUT', 'storage-failed', true],
  ['EISDIR', 'storage-failed', false],
  ['ENAMETOOLONG', 'storage-failed', false],
  ['EFBIG', 'storage-failed', false],
])('%s is %s, worth another try: %s', (code, expected, retryable) => {
  expect(meaningOf(systemError(code))).toEqual([expected, retryable]);
});

test('keeps the words of the system and what was being done', () => {
  const error = systemError('EIO');
  expect(storageError(error, context)).toMatchObject({ context: { ...context, cause: 'EIO: text' }, cause: error });
  expect(storageError(systemError('EBUSY'), context).message).toContain('/mnt/disk could not save pack 0a1b (EBUSY: text)');
});

test('knows errors that have only a number in Node', () => {
  for (const name of ['EDQUOT', 'ESTALE'] as const)
    expect(systemCode(systemError(`Unknown system error -${constants.errno[name]}`, { errno: -constants.errno[name] }))).toBe(name);
  expect(systemCode(systemError('Unknown system error -99999', { errno: -99999 }))).toBe('Unknown system error -99999');
});

test('passes a HoldfastError on and never retries a defect', () => {
  const known = new HoldfastError('cancelled');
  expect(storageError(known, context)).toBe(known);
  for (const defect of [new TypeError('x'), systemError('ERR_INVALID_ARG_TYPE'), 'text', undefined]) {
    expect(systemCode(defect)).toBe('');
    expect(meaningOf(defect)).toEqual(['storage-failed', false]);
  }
});

test('takes a denied rename or removal on Windows for another program that has the file open', () => {
  for (const syscall of ['rename', 'unlink'])
    for (const code of ['EPERM', 'EBUSY', 'EACCES'])
      expect(meaningOf(systemError(code, { syscall }), 'win32')).toEqual(['storage-failed', true]);
  expect(meaningOf(systemError('EPERM', { syscall: 'open' }), 'win32')).toEqual(['storage-denied', false]);
  expect(meaningOf(systemError('EPERM', { syscall: 'rename' }), 'linux')).toEqual(['storage-denied', false]);
});
