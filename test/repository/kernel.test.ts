import { createCipheriv, randomBytes } from 'node:crypto';
import { poly1305 as oracle } from '@noble/ciphers/_poly1305.js';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Kernel } from '../../src/repository/kernel/kernel.ts';

const kernel = Kernel.create();
const hex = (text: string): Buffer => Buffer.from(text.replaceAll(/\s/g, ''), 'hex');

/** A region with the bytes of `content` and 0xee before and behind, to see what is touched that should not be. */
function place(content: Uint8Array): number {
  const region = kernel.alloc(content.length + 128);
  kernel.bytes(region, content.length + 128).fill(0xee);
  kernel.view().set(content, region + 64);
  return region + 64;
}

const read = (address: number, length: number): Buffer => Buffer.from(kernel.bytes(address, length));
const surroundings = (address: number, length: number): Buffer => Buffer.concat([read(address - 64, 64), read(address + length, 64)]);
const untouched = Buffer.alloc(128, 0xee);

describe('memory', () => {
  test('regions are zeroed, apart from one another and from the tables', () => {
    const own = Kernel.create();
    own.initChunker(0x3da3358b4dc173n);
    const first = own.alloc(100);
    const second = own.alloc(1);
    const third = own.alloc(200_000);
    expect(second).toBeGreaterThanOrEqual(first + 100);
    expect(third).toBeGreaterThan(second);
    expect([first, second, third].map((address) => address % 64)).toEqual([0, 0, 0]);
    expect(own.bytes(first, 100).every((byte) => byte === 0)).toBe(true);
    expect(own.bytes(third, 200_000).every((byte) => byte === 0)).toBe(true);
  });

  test('growth keeps what is stored, kills old views, and `view` gives a living one', () => {
    const own = Kernel.create();
    const address = own.alloc(4);
    const old = own.view();
    old.set([1, 2, 3, 4], address);
    own.alloc(10_000_000);
    expect(old.length).toBe(0);
    expect([...own.view().subarray(address, address + 4)]).toEqual([1, 2, 3, 4]);
    expect([...own.bytes(address, 4)]).toEqual([1, 2, 3, 4]);
  });

  test('more than there can be is refused, and what was there remains', () => {
    const own = Kernel.create();
    const address = own.alloc(4);
    own.view()[address] = 7;
    expect(() => own.alloc(2 ** 33)).toThrow(RangeError);
    expect(own.view()[address]).toBe(7);
    expect(own.alloc(4)).toBeGreaterThan(address);
  });

  test('two kernels share nothing', () => {
    const [one, other] = [Kernel.create(), Kernel.create()];
    const address = one.alloc(1);
    expect(other.alloc(1)).toBe(address);
    one.view()[address] = 5;
    expect(other.view()[address]).toBe(0);
  });
});

describe('Poly1305', () => {
  const out = place(Buffer.alloc(16));

  function tagOf(message: Uint8Array, key: Uint8Array): string {
    const [m, k] = [place(message), place(key)];
    kernel.poly1305(m, message.length, k, out);
    expect(surroundings(out, 16)).toEqual(untouched);
    expect(read(m, message.length)).toEqual(Buffer.from(message));
    expect(read(k, 32)).toEqual(Buffer.from(key));
    return read(out, 16).toString('hex');
  }

  const zero = '00000000000000000000000000000000';
  const ones = 'ffffffffffffffffffffffffffffffff';
  const one = '01000000000000000000000000000000';
  const two = '02000000000000000000000000000000';
  const carry = '01000000000000000400000000000000';
  const carryMessage = 'e33594d7505e43b9 0000000000000000 3394d7505e4379cd 0100000000000000 0000000000000000 0000000000000000';
  const jabberwocky =
    "'Twas brillig, and the slithy toves\nDid gyre and gimble in the wabe:\nAll mimsy were the borogoves,\nAnd the mome raths outgrabe.";
  const published: [string, string, string, string][] = [
    [
      'section 2.5.2',
      '85d6be7857556d337f4452fe42d506a8 0103808afb0db2fd4abff6af4149f51b',
      Buffer.from('Cryptographic Forum Research Group').toString('hex'),
      'a8061dc1305136c6c22b8baf0c0127a9',
    ],
    ['A.3 #1, all zero', zero + zero, zero.repeat(4), zero],
    [
      'A.3 #4',
      '1c9240a5eb55d38af333888604f6b5f0 473917c1402b80099dca5cbc207075c0',
      Buffer.from(jabberwocky).toString('hex'),
      '4541669a7eaaee61e708dc7cbcc5eb62',
    ],
    ['A.3 #5, a sum of 2^130-2', two + zero, ones, '03000000000000000000000000000000'],
    ['A.3 #6, s overflows', two + ones, two, '03000000000000000000000000000000'],
    ['A.3 #7, a sum of 2^130-5 and more', one + zero, `${ones} f0${ones.slice(2)} 11${zero.slice(2)}`, '05000000000000000000000000000000'],
    ['A.3 #8, a sum of 2^130-5', one + zero, `${ones} fbfefefefefefefefefefefefefefefe ${'01'.repeat(16)}`, zero],
    ['A.3 #9, a sum of 2^130-6', two + zero, `fd${ones.slice(2)}`, `fa${ones.slice(2)}`],
    [
      'A.3 #10, carries in the middle',
      carry + zero,
      `${carryMessage} ${one} ${zero}`.replace(` ${zero}`, ''),
      '14000000000000005500000000000000',
    ],
    ['A.3 #11, carries in the middle', carry + zero, carryMessage, '13000000000000000000000000000000'],
  ];
  test.each(published)('is that of RFC 8439, %s', (_, key, message, tag) => {
    expect(tagOf(hex(message), hex(key))).toBe(tag);
  });

  test('is s for an empty message', () => {
    expect(tagOf(Buffer.alloc(0), hex(ones + carry))).toBe(carry);
  });

  test('equals an independent one for every length up to 1,100 and some long ones', () => {
    const message = randomBytes(3_000_000);
    const key = randomBytes(32);
    const m = place(message);
    const k = place(key);
    for (const length of [...Array(1101).keys(), 4095, 4096, 4097, 65536, 1_000_003, 3_000_000]) {
      kernel.poly1305(m, length, k, out);
      expect(read(out, 16), `length ${length}`).toEqual(Buffer.from(oracle(message.subarray(0, length), key)));
    }
  });

  test('equals an independent one where limbs are full or empty, in all lanes', () => {
    const edge = fc.constantFrom(0x00, 0xff, 0xfe, 0xfb, 0xfa, 0x01, 0x03, 0x80, 0x7f);
    const bytes = (length: number) =>
      fc.oneof(
        edge.map((byte) => Buffer.alloc(length, byte)),
        fc.array(edge, { minLength: length, maxLength: length }).map((list) => Buffer.from(list)),
        fc.uint8Array({ minLength: length, maxLength: length }).map((list) => Buffer.from(list)),
      );
    const message = fc.integer({ min: 0, max: 700 }).chain(bytes);
    fc.assert(
      fc.property(message, bytes(16), bytes(16), (m, r, s) => {
        const key = Buffer.concat([r, s]);
        expect(tagOf(m, key)).toBe(Buffer.from(oracle(m, key)).toString('hex'));
      }),
      { numRuns: 1500 },
    );
  });

  test('long messages of full limbs do not overflow under the largest r', () => {
    for (const byte of [0xff, 0x00, 0xfe]) {
      const message = Buffer.alloc(300_001, byte);
      const key = hex(ones + ones);
      expect(tagOf(message, key)).toBe(Buffer.from(oracle(message, key)).toString('hex'));
    }
  });

  test('carries from the top limb through full lower ones when lanes are added', () => {
    // With r = 1 the sum is that of the blocks. Their tops overflow; what comes back meets 52 bits that are all, or nearly, set.
    const key = hex(one + zero);
    for (let below = 0; below < 64; below++) {
      const message = Buffer.alloc(256);
      for (let block = 0; block < 16; block++) message.fill(0xff, block * 16 + 13, block * 16 + 16);
      message.writeBigUInt64LE((1n << 53n) - 1n - BigInt(below), 0);
      expect(tagOf(message, key), `${below} below`).toBe(Buffer.from(oracle(message, key)).toString('hex'));
    }
  });

  test('does not depend on where the message lies', () => {
    const message = randomBytes(777);
    const key = randomBytes(32);
    const wanted = Buffer.from(oracle(message, key));
    const [region, k] = [kernel.alloc(1000), place(key)];
    for (let shift = 0; shift < 17; shift++) {
      kernel.view().set(message, region + shift);
      kernel.poly1305(region + shift, message.length, k, out);
      expect(read(out, 16)).toEqual(wanted);
    }
  });
});

describe('counter blocks', () => {
  /** AES-256-CTR through the kernel's counters and XOR. */
  function encrypt(key: Buffer, iv: Buffer, plain: Buffer, first = 0): Buffer {
    const blocks = Math.ceil(plain.length / 16);
    const counters = place(Buffer.alloc(blocks * 16));
    kernel.counterBlocks(place(iv), first, blocks, counters);
    expect(surroundings(counters, blocks * 16)).toEqual(untouched);
    const ecb = createCipheriv('aes-256-ecb', key, null).setAutoPadding(false);
    const keystream = place(ecb.update(read(counters, blocks * 16)));
    const target = place(plain);
    kernel.xorInto(target, keystream, plain.length);
    expect(surroundings(target, plain.length)).toEqual(untouched);
    return read(target, plain.length);
  }
  const ctr = (key: Buffer, iv: Buffer, plain: Buffer): Buffer => createCipheriv('aes-256-ctr', key, iv).update(plain);

  const ivs = [
    'ffffffffffffffffffffffffffffffff',
    'fffffffffffffffffffffffffffffff0',
    '0000000000000000ffffffffffffffff',
    '0123456789abcdeffffffffffffffffe',
    '00000000ffffffffffffffffffffffff',
    '000000000000000000000000ffffffff',
    '00000000000000000000000000000000',
    '80000000000000008000000000000000',
  ];
  test.each(ivs)('count as aes-256-ctr does from %s', (iv) => {
    const key = randomBytes(32);
    const plain = randomBytes(5000);
    expect(encrypt(key, hex(iv), plain)).toEqual(ctr(key, hex(iv), plain));
  });

  test('begin at any block', () => {
    const one = (iv: string, first: number): string => {
      const counters = place(Buffer.alloc(16));
      kernel.counterBlocks(place(hex(iv)), first, 1, counters);
      return read(counters, 16).toString('hex');
    };
    expect(one('00000000000000000000000000000001', 5)).toBe('00000000000000000000000000000006');
    expect(one('00000000000000000000000000000001', 0xffffffff)).toBe('00000000000000000000000100000000');
    expect(one('0000000000000000ffffffff00000001', 0xffffffff)).toBe('00000000000000010000000000000000');
    expect(one('ffffffffffffffffffffffff00000001', 0xffffffff)).toBe('00000000000000000000000000000000');
    expect(one('ffffffffffffffffffffffffffffffff', 0x80000000)).toBe('0000000000000000000000007fffffff');
  });

  test('with XOR, make aes-256-ctr of any IV, block and length', () => {
    const bytes = (length: number) => fc.uint8Array({ minLength: length, maxLength: length }).map((list) => Buffer.from(list));
    fc.assert(
      fc.property(bytes(32), bytes(16), fc.uint8Array({ maxLength: 300 }), fc.nat(20), (key, iv, list, first) => {
        const plain = Buffer.from(list);
        const whole = ctr(key, iv, Buffer.concat([Buffer.alloc(first * 16), plain]));
        expect(encrypt(key, iv, plain, first)).toEqual(whole.subarray(first * 16));
      }),
    );
  });
});

describe('XOR and comparison', () => {
  test('XOR covers exactly its length at any alignment', () => {
    const left = randomBytes(400);
    const right = randomBytes(400);
    for (let length = 0; length <= 200; length++) {
      const [a, b] = [place(left) + (length % 7), place(right) + (length % 5)];
      kernel.xorInto(a, b, length);
      const wanted = Buffer.from(left);
      for (let i = 0; i < length; i++) wanted[i + (length % 7)]! ^= right[i + (length % 5)]!;
      expect(read(a - (length % 7), 400)).toEqual(wanted);
    }
  });

  test('comparison sees every single bit', () => {
    const content = randomBytes(16);
    const [a, b] = [place(content), place(content)];
    expect(kernel.equal(a, b, 16)).toBe(true);
    expect(kernel.equal(a, b, 0)).toBe(true);
    for (let bit = 0; bit < 128; bit++) {
      kernel.view()[b + (bit >> 3)]! ^= 1 << (bit & 7);
      expect(kernel.equal(a, b, 16)).toBe(false);
      kernel.view()[b + (bit >> 3)]! ^= 1 << (bit & 7);
    }
    expect(kernel.equal(a, b, 16)).toBe(true);
  });
});
