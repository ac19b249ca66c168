import { expect, test } from 'vitest';
import { newConfig, parseConfig, withVersion } from '../../src/repository/config.ts';
import { isIrreducible, parsePolynomial } from '../../src/repository/polynomial.ts';

const text = (value: unknown): Buffer => Buffer.from(JSON.stringify(value));
const codeOf = (value: Buffer): string => {
  try {
    parseConfig(value);
    return 'accepted';
  } catch (error) {
    return (error as { code: string }).code;
  }
};

test('a new config has an ID of its own and an irreducible polynomial', () => {
  const [one, two] = [newConfig(), newConfig()];
  expect(one.id).toMatch(/^[0-9a-f]{64}$/);
  expect(one.id).not.toBe(two.id);
  expect(one.chunker_polynomial).not.toBe(two.chunker_polynomial);
  expect(isIrreducible(parsePolynomial(one.chunker_polynomial))).toBe(true);
});

test('a new config takes over the polynomial of another repository', () => {
  const { chunker_polynomial: polynomial } = newConfig();
  expect(newConfig(polynomial).chunker_polynomial).toBe(polynomial);
  expect(() => newConfig('12345')).toThrowError(expect.objectContaining({ code: 'bad-polynomial' }));
});

test('a config survives being stored, in the order in which restic writes it', () => {
  const config = newConfig();
  expect(parseConfig(text(config))).toEqual(config);
  expect(Object.keys(config)).toEqual(['version', 'id', 'chunker_polynomial']);
  expect(parseConfig(text({ ...config, foreign: { field: 1 } }))).toEqual(config);
});

test('other versions are refused by their number, everything else as damaged', () => {
  const config = newConfig();
  expect(codeOf(text({ ...config, version: 1 }))).toBe('repository-version');
  expect(codeOf(text({ ...config, version: 3 }))).toBe('repository-version');
  expect(codeOf(text({ version: 3 }))).toBe('repository-version');
  expect(codeOf(text({ ...config, chunker_polynomial: '21' }))).toBe('bad-polynomial');
  const damaged = [
    null,
    5,
    'text',
    [],
    {},
    { ...config, version: '2' },
    { ...config, id: 'x' },
    { ...config, id: config.id.toUpperCase() },
  ];
  for (const wrong of [...damaged, { ...config, chunker_polynomial: 7 }]) expect(codeOf(text(wrong))).toBe('config-invalid');
  for (const wrong of ['', '{', '\xff']) expect(codeOf(Buffer.from(wrong, 'latin1'))).toBe('config-invalid');
});

test('version 1 is read where it is asked for, and nowhere else', () => {
  const old = { ...newConfig(), version: 1 as const };
  expect(parseConfig(text(old), [1, 2])).toEqual(old);
  expect(() => parseConfig(text({ ...old, version: 3 }), [1, 2])).toThrowError(expect.objectContaining({ code: 'repository-version' }));
  expect(() => parseConfig(text(newConfig()), [1])).toThrowError(expect.objectContaining({ code: 'repository-version' }));
});

test('another version changes nothing else, not even what nobody here knows', () => {
  const old = { ...newConfig(), version: 1 as const, foreign: { field: [1] } };
  expect(JSON.parse(withVersion(text(old), 2).toString())).toEqual({ ...old, version: 2 });
  expect(withVersion(text(old), 1).equals(text({ ...old }))).toBe(true);
});
