import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { bytesOfId, idBytes, isId, readHexId, sha256 } from '../../src/repository/ids.ts';

const some = '00112233445566778899aabbccddeeff0123456789abcdeffedcba9876543210';

test('an ID goes from bytes to hex and back', () => {
  fc.assert(
    fc.property(fc.uint8Array({ minLength: idBytes, maxLength: idBytes }), (bytes) => {
      const id = Buffer.from(bytes);
      const hex = id.toString('hex');
      expect(isId(hex)).toBe(true);
      expect(bytesOfId(hex)).toEqual(id);
      const out = Buffer.alloc(34);
      expect(readHexId(Buffer.from(`"${hex}"`), 1, out, 1)).toBe(true);
      expect(out).toEqual(Buffer.concat([Buffer.of(0), id, Buffer.of(0)]));
    }),
  );
});

test('in listings upper case is read, as restic does; as a file name it is refused', () => {
  const out = Buffer.alloc(32);
  expect(readHexId(Buffer.from(some.toUpperCase()), 0, out, 0)).toBe(true);
  expect(out.toString('hex')).toBe(some);
  expect(isId(some.toUpperCase())).toBe(false);
});

test('an ID with a missing, a further or a foreign digit is refused', () => {
  const out = Buffer.alloc(32);
  expect(readHexId(Buffer.from(some), 1, out, 0)).toBe(false);
  for (const wrong of [some.slice(1), `${some}0`, `${some}\n`, '', undefined, null, 7, [some]]) expect(isId(wrong)).toBe(false);
  for (let at = 0; at < 64; at++) {
    for (const wrong of ['g', '/', ':', '@', 'G', '`', ' ', '\0', '\xff']) {
      const text = some.slice(0, at) + wrong + some.slice(at + 1);
      expect(isId(text)).toBe(false);
      expect(readHexId(Buffer.from(text, 'latin1'), 0, out, 0)).toBe(false);
    }
  }
});

test('sha256 is SHA-256, of views too', () => {
  const bytes = Buffer.from('…holdfast…');
  expect(sha256(bytes.subarray(3, -3))).toEqual(createHash('sha256').update('holdfast').digest());
  expect(sha256(Buffer.alloc(0)).toString('hex')).toBe('e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855');
});
