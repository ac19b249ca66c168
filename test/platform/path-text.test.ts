import fc from 'fast-check';
import { expect, test } from 'vitest';
import { pathBytes, pathText } from '../../src/platform/path-text.ts';

test('any bytes come back as they were', () => {
  fc.assert(fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => pathBytes(pathText(Buffer.from(bytes))).equals(bytes)));
});

test('so they do after they crossed as JSON', () => {
  const path = Buffer.from('/caf\xe9/\xff\xed\xb2\x80/ä', 'latin1');
  expect(pathBytes(JSON.parse(JSON.stringify(pathText(path))) as string)).toEqual(path);
});

test('what is UTF-8 reads as it is', () => {
  for (const text of ['/home/me', '文件', '😀 a', '']) {
    expect(pathText(Buffer.from(text))).toBe(text);
    expect(pathBytes(text)).toEqual(Buffer.from(text));
  }
});

test('different texts of ours stand for different bytes, also beside pairs of surrogates', () => {
  expect(pathBytes('😀\udcff😀')).toEqual(Buffer.concat([Buffer.from('😀'), Buffer.of(0xff), Buffer.from('😀')]));
});
