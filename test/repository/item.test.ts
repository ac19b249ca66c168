import { randomBytes } from 'node:crypto';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { randomMasterKey, Sealer, sealOverhead } from '../../src/repository/crypto.ts';
import { openItem, sealItem } from '../../src/repository/item.ts';
import { Kernel } from '../../src/repository/kernel/kernel.ts';
import { compress } from '../../src/repository/zstd.ts';

const sealer = new Sealer(randomMasterKey(), Kernel.create(), 1 << 16);

function seal(plain: Uint8Array): Buffer {
  const out = Buffer.alloc(plain.length + sealOverhead);
  sealer.seal(plain, out, 0);
  return out;
}

const refuses = (plain: Uint8Array): void =>
  expect(() => openItem(sealer, seal(plain))).toThrowError(expect.objectContaining({ code: 'item-tampered' }));

test('an item is opened as it was sealed, raw or compressed', () => {
  fc.assert(
    fc.property(fc.dictionary(fc.string(), fc.jsonValue()), fc.boolean(), (value, compressed) => {
      const text = Buffer.from(JSON.stringify(value));
      expect(openItem(sealer, sealItem(sealer, text, { compressed })).equals(text)).toBe(true);
    }),
  );
});

test('the plaintext of an item is raw JSON, or byte 2 and a frame', () => {
  const text = Buffer.from(JSON.stringify(Array.from({ length: 1000 }, () => 'again')));
  const raw = sealer.openCopy(sealItem(sealer, text, { compressed: false }));
  expect(Buffer.from(raw).equals(text)).toBe(true);
  const packed = sealer.openCopy(sealItem(sealer, text, { compressed: true }));
  expect(packed[0]).toBe(2);
  expect(Buffer.from(packed.subarray(1)).equals(compress(text))).toBe(true);
});

test('lists and objects are read raw, as the oldest programs wrote them', () => {
  expect(openItem(sealer, seal(Buffer.from('[1]'))).toString()).toBe('[1]');
  expect(openItem(sealer, seal(Buffer.from('{"a":1}'))).toString()).toBe('{"a":1}');
});

test('unknown encodings, empty plaintexts and damaged frames are refused', () => {
  refuses(Buffer.alloc(0));
  refuses(Buffer.from('"text"'));
  refuses(Buffer.of(1, 0x7b, 0x7d));
  refuses(Buffer.of(2));
  refuses(Buffer.concat([Buffer.of(2), randomBytes(50)]));
  refuses(Buffer.concat([Buffer.of(2), compress(Buffer.from('{"a":1}')).subarray(0, -1)]));
});

test('an opened item is a copy that the next one does not overwrite', () => {
  const one = openItem(sealer, sealItem(sealer, Buffer.from('{"one":1}'), { compressed: false }));
  openItem(sealer, sealItem(sealer, Buffer.from('{"two":2}'), { compressed: false }));
  expect(one.toString()).toBe('{"one":1}');
});
