import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { jsonBytes, jsonString } from '../../../src/repository/tree/go-json.ts';

describe('a Go JSON string', () => {
  it('leaves what Go leaves, escapes what Go 1.24 escapes', () => {
    expect(jsonString("plain ~ äöü €  /'")).toBe('"plain ~ äöü €  /\'"');
    expect(jsonString('"\\')).toBe('"\\"\\\\"');
    expect(jsonString('\b\f\n\r\t')).toBe('"\\b\\f\\n\\r\\t"');
    expect(jsonString('\u0000\u0001\u0007\u000b\u001b\u001f')).toBe('"\\u0000\\u0001\\u0007\\u000b\\u001b\\u001f"');
    expect(jsonString('<a href="x">&')).toBe('"\\u003ca href=\\"x\\"\\u003e\\u0026"');
    expect(jsonString('\u2027\u2028\u2029\u202a')).toBe('"\u2027\\u2028\\u2029\u202a"');
    expect(jsonString('\u007f\u0080\u00a0\ufeff\ufffd\uffff\u{1f600}')).toBe('"\u007f\u0080\u00a0\ufeff\ufffd\uffff\u{1f600}"');
  });

  it('writes half a surrogate pair as \\ufffd', () => {
    expect(jsonString('a\ud800b\udc00<')).toBe('"a\\ufffdb\\ufffd\\u003c"');
    expect(jsonString('\udc00\ud800')).toBe('"\\ufffd\\ufffd"');
  });

  it('writes each byte that is not UTF-8 as \\ufffd, and a true U+FFFD as itself', () => {
    expect(jsonBytes(Buffer.from('616263ff64fe', 'hex'))).toBe('"abc\\ufffdd\\ufffd"');
    expect(jsonBytes(Buffer.from('e282', 'hex'))).toBe('"\\ufffd\\ufffd"');
    expect(jsonBytes(Buffer.from('f09f98', 'hex'))).toBe('"\\ufffd\\ufffd\\ufffd"');
    expect(jsonBytes(Buffer.from('eda080', 'hex'))).toBe('"\\ufffd\\ufffd\\ufffd"');
    expect(jsonBytes(Buffer.from('c0af', 'hex'))).toBe('"\\ufffd\\ufffd"');
    expect(jsonBytes(Buffer.from('f4908080', 'hex'))).toBe('"\\ufffd\\ufffd\\ufffd\\ufffd"');
    expect(jsonBytes(Buffer.from('efbfbdff', 'hex'))).toBe('"\ufffd\\ufffd"');
    expect(jsonBytes(Buffer.alloc(0))).toBe('""');
  });

  it('is JSON that means the text', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        expect(JSON.parse(jsonString(text))).toBe(text);
        expect(jsonBytes(Buffer.from(text, 'utf8'))).toBe(jsonString(text));
      }),
    );
  });

  it('is JSON for any bytes', () => {
    fc.assert(fc.property(fc.uint8Array(), (bytes) => void JSON.parse(jsonBytes(Buffer.from(bytes)))));
  });
});
