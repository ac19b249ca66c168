import { expect, test } from 'vitest';
import { readChallenges, readParameters } from '../../../src/storage/http/challenges.ts';

const read = (header: string): unknown => readChallenges(header).map(({ scheme, parameters }) => [scheme, Object.fromEntries(parameters)]);

test.each([
  ['', []],
  ['Basic', [['basic', {}]]],
  ['Basic realm="a, b=\\"c\\""', [['basic', { realm: 'a, b="c"' }]]],
  [
    'Negotiate, Basic realm=x',
    [
      ['negotiate', {}],
      ['basic', { realm: 'x' }],
    ],
  ],
  [
    'Negotiate YIIabc==, BASIC Realm = "x" , charset="UTF-8"',
    [
      ['negotiate', {}],
      ['basic', { realm: 'x', charset: 'UTF-8' }],
    ],
  ],
  [
    'Digest realm="r", qop="auth,auth-int", algorithm=SHA-256, nonce="n==", Digest realm="r", nonce="m", stale=TRUE, , Basic realm="b"',
    [
      ['digest', { realm: 'r', qop: 'auth,auth-int', algorithm: 'SHA-256', nonce: 'n==' }],
      ['digest', { realm: 'r', nonce: 'm', stale: 'TRUE' }],
      ['basic', { realm: 'b' }],
    ],
  ],
  ['Digest nonce="first", nonce="second"', [['digest', { nonce: 'first' }]]],
  ['Digest nonce="never closed', [['digest', {}]]],
  ['"what is this"', []],
] as const)('%s is read', (header, expected) => {
  expect(read(header)).toEqual(expected);
});

test('a header of parameters alone is read', () => {
  expect(Object.fromEntries(readParameters('nextnonce="abc", qop=auth, nc=00000001'))).toEqual({
    nextnonce: 'abc',
    qop: 'auth',
    nc: '00000001',
  });
  expect(readParameters('').size).toBe(0);
});

test('a header of any length is read in time that grows with it alone', () => {
  expect(readChallenges(`Digest ${'a'.repeat(100_000)}`)).toHaveLength(1);
  expect(readChallenges(`Digest nonce="${'\\'.repeat(100_001)}`)).toHaveLength(1);
  expect(readChallenges('Basic, '.repeat(10_000))).toHaveLength(10_000);
});
