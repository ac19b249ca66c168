import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isPrintable } from '../../../src/repository/tree/go-printable.ts';
import { quotedNameJson, quoteName, unquoteName } from '../../../src/repository/tree/go-quote.ts';

const quote = (text: string): string => quoteName(Buffer.from(text, 'utf8'));
const unquote = (quoted: string): string | undefined => unquoteName(Buffer.from(quoted, 'utf8'))?.toString('hex');
const hex = (text: string): string => Buffer.from(text, 'utf8').toString('hex');

describe('a quoted name', () => {
  it('keeps what is printable', () => {
    expect(quote("Ünïcode – €, 日本語, 😀, e\u0301, ~'<>&")).toBe("Ünïcode – €, 日本語, 😀, e\u0301, ~'<>&");
  });

  it("uses Go's escapes for quotes and control characters", () => {
    expect(quote('"\\\x07\b\t\n\v\f\r')).toBe('\\"\\\\\\a\\b\\t\\n\\v\\f\\r');
    expect(quote('\x01\x1b\x7f')).toBe('\\x01\\x1b\\x7f');
  });

  it('escapes what is valid but not printable by its code point', () => {
    expect(quote('\u0080\u00a0\u00ad\u200b\u2028\u2029\u3000\ufeff\ue000\uffff')).toBe(
      '\\u0080\\u00a0\\u00ad\\u200b\\u2028\\u2029\\u3000\\ufeff\\ue000\\uffff',
    );
    expect(quote('\u{e0001}\u{f0000}\u{10ffff}')).toBe('\\U000e0001\\U000f0000\\U0010ffff');
  });

  it('escapes each byte that is not UTF-8', () => {
    expect(quoteName(Buffer.from('61ff62c328e282eda080c0aff5', 'hex'))).toBe('a\\xffb\\xc3(\\xe2\\x82\\xed\\xa0\\x80\\xc0\\xaf\\xf5');
    expect(quote('\ufffd')).toBe('\ufffd');
  });

  it('follows Unicode 15 as Go 1.24 does, not the newer Unicode of the engine', () => {
    expect(isPrintable(0x1fae8)).toBe(true); // shaking face: 15.0
    expect(isPrintable(0x2ebf0)).toBe(false); // CJK extension I: 15.1
    expect(isPrintable(0x1fae9)).toBe(false); // face with bags under eyes: 16.0
    expect(isPrintable(0x088f)).toBe(false); // 17.0
    let printable = 0;
    for (let codePoint = 0; codePoint <= 0x10ffff; codePoint++) printable += isPrintable(codePoint) ? 1 : 0;
    expect(printable).toBe(148_998); // 149,186 characters of Unicode 15.0 less formats, spaces other than U+0020 and separators
  });

  it('is escaped once more as JSON', () => {
    expect(quotedNameJson(Buffer.from('a.txt'))).toBe('"a.txt"');
    expect(quotedNameJson(Buffer.from('<&>"\\\n'))).toBe('"\\u003c\\u0026\\u003e\\\\\\"\\\\\\\\\\\\n"');
    expect(quotedNameJson(Buffer.from('ff', 'hex'))).toBe('"\\\\xff"');
    expect(quotedNameJson(Buffer.from('\u2028'))).toBe('"\\\\u2028"');
    expect(quotedNameJson(Buffer.from('\x7f'))).toBe('"\\\\x7f"');
  });

  it('gives back any bytes', () => {
    const bytes = fc.oneof(
      fc.uint8Array(),
      fc.string({ unit: 'binary' }).map((text) => Buffer.from(text, 'utf8')),
    );
    fc.assert(
      fc.property(bytes, (name) => {
        const quoted = quoteName(name);
        expect(unquote(quoted)).toBe(Buffer.from(name).toString('hex'));
        expect(JSON.parse(quotedNameJson(Buffer.from(name)))).toBe(quoted);
      }),
      { numRuns: 500 },
    );
  });
});

describe('unquoting', () => {
  it("reads every escape of Go's, also those that quoting never writes", () => {
    expect(unquote('\\x41\\u0041\\U00000041\\101')).toBe('41414141');
    expect(unquote('\\377\\000\\xFf')).toBe('ff00ff');
    expect(unquote('\\u20AC\\U0001f600')).toBe(hex('€😀'));
    expect(unquote('\x01\x7f\u00a0')).toBe('017fc2a0');
  });

  it.each([
    '"',
    'a"b',
    '\n',
    '\\',
    'a\\',
    "\\'",
    '\\z',
    '\\x',
    '\\x4',
    '\\x4g',
    '\\u004',
    '\\ud800',
    '\\udfff',
    '\\U00110000',
    '\\Uffffffff',
    '\\U0000d800',
    '\\400',
    '\\08',
    '\\1',
    '\\12',
    '\\8',
    '\\X41',
    '\\é',
    '\\n"',
  ])('refuses %j as Go does', (quoted) => {
    expect(unquote(quoted)).toBeUndefined();
  });

  it('reads a bare byte that is not UTF-8 as U+FFFD', () => {
    expect(unquoteName(Buffer.from('61ff5c6e', 'hex'))?.toString('hex')).toBe('61efbfbd0a');
    expect(unquoteName(Buffer.from('ffff', 'hex'))?.toString('hex')).toBe('efbfbdefbfbd');
  });

  it('returns or refuses, whatever it is given', () => {
    const pieces = fc.array(fc.constantFrom('\\', 'x', 'u', 'U', '0', '7', 'f', '"', 'a', 'é', '\n', '\\x', '\\u00', '\\U0001'));
    fc.assert(
      fc.property(pieces, (parts) => {
        const bytes = unquoteName(Buffer.from(parts.join('')));
        if (bytes !== undefined) expect(unquoteName(Buffer.from(quoteName(bytes)))).toEqual(bytes);
      }),
      { numRuns: 500 },
    );
  });
});
