import { isUtf8 } from 'node:buffer';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { ZipNames } from '../../../src/engine/export/zip-names.ts';

/** The names of one folder in the ZIP. */
function named(names: readonly Buffer[], isFirst = false): string[] {
  const folder = new ZipNames(isFirst, () => names);
  return names.map((name) => folder.of(name).toString());
}

const one = (name: string | Buffer, isFirst = false): string => named([Buffer.from(name)], isFirst)[0]!;

describe('a name in a ZIP', () => {
  test.each([
    'plain.txt',
    'naïve café',
    '日本語',
    '100%',
    '%41',
    'a:b',
    ' ',
    'trailing. ',
    '.hidden',
    'new\nline',
    'CON',
    '-rf',
    '\u202ertl',
    '*?"<>|',
  ])('stays as it is where every system can tell it apart: %j', (name) => expect(one(name)).toBe(name));

  test.each<[string, Buffer, string]>([
    ['bytes that are not UTF-8', Buffer.from('caf\xe9', 'latin1'), 'caf%E9'],
    ['half a character', Buffer.from([0xe2, 0x82]), '%E2%82'],
    ['a surrogate', Buffer.from([0xed, 0xa0, 0x80, 0x78]), '%ED%A0%80x'],
    ['valid and other bytes', Buffer.concat([Buffer.from('é'), Buffer.of(0xff)]), 'é%FF'],
    ['a backslash', Buffer.from('..\\..\\evil'), '..%5C..%5Cevil'],
    ['a percent sign beside what is replaced', Buffer.from('50% off\\'), '50%25 off%5C'],
    ['three dots', Buffer.from('...'), '%2E%2E%2E'],
    ['dots and blanks, of which Windows makes ".."', Buffer.from('.. .'), '%2E%2E %2E'],
  ])('that holds %s has them written as %XX', (_, name, wanted) => expect(one(name)).toBe(wanted));

  test('that begins like a drive is changed only where the path begins', () => {
    expect(one('C:', true)).toBe('C%3A');
    expect(one('c:autoexec', true)).toBe('c%3Aautoexec');
    expect(one('C:', false)).toBe('C:');
    expect(one('1:2', true)).toBe('1:2');
  });

  test('that would be taken gets a number; the one that was there keeps its name', () => {
    const names = [Buffer.from('a\\'), Buffer.from('a%5C'), Buffer.from('a%5C (2)')];
    expect(named(names)).toEqual(['a%5C (3)', 'a%5C', 'a%5C (2)']);
  });

  test('that gets too long is cut off, and still differs from its neighbours', () => {
    const names = [Buffer.alloc(255, 0xff), Buffer.concat([Buffer.alloc(254, 0xff), Buffer.of(0xfe)]), Buffer.from('%FF'.repeat(85))];
    const [first, second, third] = named(names);
    expect(third).toBe('%FF'.repeat(85));
    expect(first).toBe(`${'%FF'.repeat(83)} (2)`);
    expect(second).toBe(`${'%FF'.repeat(83)} (3)`);
    const tail = [Buffer.from('n'.repeat(254)), Buffer.concat([Buffer.from('n'.repeat(254)), Buffer.of(0xff)])];
    expect(named(tail)).toEqual(['n'.repeat(254), `${'n'.repeat(251)} (2)`]);
  });
});

const anyName = fc
  .oneof(
    fc.uint8Array({ minLength: 1, maxLength: 12 }),
    fc.string({ unit: fc.constantFrom(...'%5C\\. \xe9aF:()2'), minLength: 1, maxLength: 8 }).map((text) => Buffer.from(text, 'latin1')),
    fc.uint8Array({ minLength: 240, maxLength: 255 }),
  )
  .map((bytes) => Buffer.from(bytes.filter((byte) => byte !== 0 && byte !== 0x2f)))
  .filter((name) => name.length > 0 && name.toString() !== '.' && name.toString() !== '..');

test('whatever names a folder holds, those in the ZIP are all different, UTF-8, and lead nowhere', () => {
  fc.assert(
    fc.property(fc.uniqueArray(anyName, { maxLength: 40, selector: (name) => name.toString('latin1') }), fc.boolean(), (names, isFirst) => {
      const zipped = named(names, isFirst);
      expect(new Set(zipped).size).toBe(names.length);
      zipped.forEach((name, i) => {
        expect(Buffer.byteLength(name)).toBeLessThanOrEqual(255);
        expect(name).not.toMatch(/[\\/\0]|^[. ]*\.[. ]*$/);
        if (isFirst) expect(name).not.toMatch(/^[A-Za-z]:/);
        // What was replaced can be turned back, unless it was cut off or numbered.
        const original = names[i]!;
        if (isUtf8(original) && name === original.toString()) return;
        const back = Buffer.concat(
          [...name.matchAll(/%([0-9A-F]{2})|[^%]+/g)].map(([text, hex]) =>
            hex === undefined ? Buffer.from(text) : Buffer.from(hex, 'hex'),
          ),
        );
        if (!/ \(\d+\)$/.test(name) && Buffer.byteLength(name) < 249) expect(back).toEqual(original);
      });
    }),
    { numRuns: 300 },
  );
});
