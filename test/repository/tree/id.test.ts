import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { idCount, idFromHex, idsToHex, idToHex, readHexId } from '../../../src/repository/tree/id.ts';

const SOME = '00112233445566778899aabbccddeeff0123456789abcdeffedcba9876543210';

describe('an ID', () => {
  it('goes from hex to bytes and back', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 32, maxLength: 32 }), (bytes) => {
        const id = Buffer.from(bytes);
        expect(idFromHex(idToHex(id))).toEqual(id);
        const out = Buffer.alloc(34);
        expect(readHexId(Buffer.from(`"${idToHex(id)}"`), 1, out, 1)).toBe(true);
        expect(out.subarray(1, 33)).toEqual(id);
      }),
    );
  });

  it('is read in upper case too', () => {
    const out = Buffer.alloc(32);
    expect(readHexId(Buffer.from(SOME.toUpperCase()), 0, out, 0)).toBe(true);
    expect(out.toString('hex')).toBe(SOME);
  });

  it('is refused when a digit is missing or is none', () => {
    const out = Buffer.alloc(32);
    expect(idFromHex(SOME.slice(1))).toBeUndefined();
    expect(idFromHex(`${SOME}0`)).toBeUndefined();
    expect(readHexId(Buffer.from(SOME), 1, out, 0)).toBe(false);
    for (let at = 0; at < 64; at++) {
      for (const wrong of ['g', '/', ':', '@', 'G', '`', ' ', '\0', '\xff']) {
        const text = SOME.slice(0, at) + wrong + SOME.slice(at + 1);
        expect(idFromHex(text)).toBeUndefined();
        expect(readHexId(Buffer.from(text, 'latin1'), 0, out, 0)).toBe(false);
      }
    }
  });

  it('stands in a list without an object of its own', () => {
    const list = Buffer.from(SOME + SOME.replaceAll('0', 'f'), 'hex');
    expect(idCount(list)).toBe(2);
    expect(idsToHex(list)).toEqual([SOME, SOME.replaceAll('0', 'f')]);
    expect(idToHex(list, 32)).toBe(SOME.replaceAll('0', 'f'));
    expect(idsToHex(Buffer.alloc(0))).toEqual([]);
  });
});
