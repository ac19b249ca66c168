import type * as NodeCrypto from 'node:crypto';
import { createCipheriv, createDecipheriv, randomBytes, scryptSync } from 'node:crypto';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { poly1305 } from '@noble/ciphers/_poly1305.js';
import fc from 'fast-check';
import { describe, expect, test, vi } from 'vitest';
import { hasCode } from '../../src/contract/errors.ts';
import { type MasterKey, randomMasterKey, Sealer, sealOverhead } from '../../src/repository/crypto.ts';
import { Kernel } from '../../src/repository/kernel/kernel.ts';
import { Restic } from '../support/restic.ts';

/** What the next calls of randomFillSync give instead of random bytes. */
const rigged = vi.hoisted(() => [] as number[][]);
vi.mock('node:crypto', async (original) => {
  const real = await original<typeof NodeCrypto>();
  const randomFillSync = (bytes: Uint8Array): Uint8Array => {
    real.randomFillSync(bytes);
    bytes.set(rigged.shift() ?? []);
    return bytes;
  };
  return { ...real, randomFillSync };
});

const key = randomMasterKey();
const make = (k: MasterKey = key, maxPlain = 100_000): Sealer => new Sealer(k, Kernel.create(), maxPlain);
const sealer = make();
const longKey = { ...key, macR: Buffer.alloc(16, 0xff) };

function sealed(plain: Uint8Array, by = sealer): Buffer {
  const out = Buffer.alloc(plain.length + sealOverhead);
  expect(by.seal(plain, out, 0)).toBe(out.length);
  return out;
}

/** The written format, from other parts: Node's own counter mode and another Poly1305. */
function sealByTheBook(k: MasterKey, iv: Buffer, plain: Uint8Array): Buffer {
  const ciphertext = createCipheriv('aes-256-ctr', k.encrypt, iv).update(plain);
  return Buffer.concat([iv, ciphertext, macByTheBook(k, iv, ciphertext)]);
}
function openByTheBook(k: MasterKey, item: Buffer): Buffer {
  const [iv, ciphertext] = [item.subarray(0, 16), item.subarray(16, -16)];
  expect(item.subarray(-16)).toEqual(macByTheBook(k, iv, ciphertext));
  return createDecipheriv('aes-256-ctr', k.encrypt, iv).update(ciphertext);
}
function macByTheBook(k: MasterKey, iv: Buffer, ciphertext: Buffer): Buffer {
  const s = createCipheriv('aes-128-ecb', k.macK, null).setAutoPadding(false).update(iv);
  return Buffer.from(poly1305(ciphertext, Buffer.concat([k.macR, s])));
}

function refuses(item: Uint8Array, by = sealer): boolean {
  try {
    by.open(item);
    return false;
  } catch (error) {
    if (!hasCode(error, 'item-tampered')) throw error;
    return true;
  }
}

// Around the sizes where blocks, the MAC's vectors, the two ways of encrypting and their pieces begin and end.
const lengths = [0, 1, 15, 16, 17, 63, 64, 255, 256, 257, 4096, 65_535, 65_536, 65_537, 262_144, 262_145, 524_289, 1_500_007];

describe('sealing and opening', () => {
  test.each(lengths)('%i bytes follow the written format and come back', (length) => {
    const plain = randomBytes(length);
    const item = sealed(plain);
    expect(openByTheBook(key, item).equals(plain)).toBe(true);
    expect(Buffer.from(sealer.open(item)).equals(plain)).toBe(true);
  });

  const ivs = ['ff'.repeat(16), `${'ff'.repeat(15)}f0`, `${'00'.repeat(8)}${'ff'.repeat(8)}`, `01${'ff'.repeat(15)}`, '00'.repeat(16)];
  test.each(ivs)('opens items of other programs whose counter begins at %s', (iv) => {
    for (const length of [0, 1, 100, 5000, 65_536, 70_000, 600_000]) {
      const plain = randomBytes(length);
      expect(Buffer.from(sealer.open(sealByTheBook(key, Buffer.from(iv, 'hex'), plain))).equals(plain)).toBe(true);
    }
  });

  test('any bytes come back, under any key, whether or not r is clamped', () => {
    const bytes = (length: number) => fc.uint8Array({ minLength: length, maxLength: length }).map((list) => Buffer.from(list));
    fc.assert(
      fc.property(bytes(32), bytes(16), bytes(16), fc.uint8Array({ maxLength: 2000 }), (encrypt, macK, macR, plain) => {
        const k = { encrypt, macK, macR };
        const item = sealed(plain, make(k, 500));
        expect(openByTheBook(k, item)).toEqual(Buffer.from(plain));
        expect(Buffer.from(make(k, 0).open(item))).toEqual(Buffer.from(plain));
      }),
      { numRuns: 60 },
    );
    const item = sealed(Buffer.from('unclamped'), make(longKey));
    expect(openByTheBook(longKey, item).toString()).toBe('unclamped');
  });

  test('an item is written where it is wanted and nowhere else', () => {
    const out = Buffer.alloc(200, 0xee);
    expect(sealer.seal(Buffer.from('hello'), out, 50)).toBe(37);
    expect(Buffer.from(sealer.open(out.subarray(50, 87))).toString()).toBe('hello');
    expect(out.subarray(0, 50)).toEqual(Buffer.alloc(50, 0xee));
    expect(out.subarray(87)).toEqual(Buffer.alloc(113, 0xee));
  });

  test('an item may replace its own plaintext', () => {
    const plain = randomBytes(70_000);
    const both = Buffer.alloc(plain.length + 100);
    plain.copy(both, 20);
    const length = sealer.seal(both.subarray(20, 20 + plain.length), both, 3);
    expect(Buffer.from(sealer.open(both.subarray(3, 3 + length))).equals(plain)).toBe(true);
  });

  test('too little room is refused before anything is written', () => {
    const out = Buffer.alloc(100, 0xee);
    for (const [length, offset] of [
      [69, 0],
      [10, 59],
      [0, 69],
      [1, -1],
    ] as const) {
      expect(() => sealer.seal(Buffer.alloc(length), out, offset)).toThrow(RangeError);
    }
    expect(out).toEqual(Buffer.alloc(100, 0xee));
  });

  test('what was opened is overwritten by the next call, but a copy is not', () => {
    const [first, second] = [sealed(Buffer.from('first')), sealed(Buffer.from('other'))];
    const kept = sealer.openCopy(first);
    const view = sealer.open(first);
    sealer.open(second);
    expect(Buffer.from(kept).toString()).toBe('first');
    expect(Buffer.from(view).toString()).toBe('other');
  });

  test('what was opened may be sealed again at once', () => {
    for (const length of [100, 70_000]) {
      const plain = randomBytes(length);
      const again = sealed(sealer.open(sealed(plain)));
      expect(Buffer.from(sealer.open(again)).equals(plain)).toBe(true);
    }
  });

  test('two sealers in one kernel do not disturb each other', () => {
    const kernel = Kernel.create();
    const [one, other] = [new Sealer(key, kernel, 10), new Sealer(longKey, kernel, 10)];
    const [a, b] = [sealed(Buffer.from('one'), one), sealed(Buffer.from('other'), other)];
    expect(Buffer.from(one.open(a)).toString()).toBe('one');
    expect(Buffer.from(other.open(b)).toString()).toBe('other');
    expect(refuses(a, other)).toBe(true);
  });
});

describe('items longer than foreseen', () => {
  test('are sealed and opened, and smaller ones after them', () => {
    const small = make(key, 0);
    for (const length of [1, 1000, 3_000_000, 20, 4_000_000]) {
      const plain = randomBytes(length);
      expect(Buffer.from(small.open(sealed(plain, small))).equals(plain)).toBe(true);
      expect(Buffer.from(make(key, 0).open(sealed(plain))).equals(plain)).toBe(true);
    }
  });

  test('may lie in the memory that moves because of them', () => {
    const kernel = Kernel.create();
    const small = new Sealer(key, kernel, 0);
    const plain = randomBytes(2_000_000);
    const region = kernel.alloc(5_000_000);
    kernel.view().set(plain, region);
    const length = small.seal(kernel.bytes(region, plain.length), kernel.bytes(region, 5_000_000), 2_500_000);
    const item = kernel.bytes(region + 2_500_000, length);
    expect(openByTheBook(key, Buffer.from(item)).equals(plain)).toBe(true);

    const other = new Sealer(key, kernel, 0);
    expect(Buffer.from(other.open(kernel.bytes(region + 2_500_000, length))).equals(plain)).toBe(true);
  });
});

describe('what was not sealed with this key', () => {
  test.each([0, 1, 45, 300])('every single flipped bit of an item of %i bytes is refused', (length) => {
    const item = sealed(randomBytes(length));
    for (let bit = 0; bit < item.length * 8; bit++) {
      item[bit >> 3]! ^= 1 << (bit & 7);
      expect(refuses(item), `bit ${bit}`).toBe(true);
      item[bit >> 3]! ^= 1 << (bit & 7);
    }
    expect(refuses(item)).toBe(false);
  });

  test('a flipped bit anywhere in a long item is refused', () => {
    const item = sealed(randomBytes(300_000));
    fc.assert(
      fc.property(fc.nat(item.length * 8 - 1), (bit) => {
        const changed = Buffer.from(item);
        changed[bit >> 3]! ^= 1 << (bit & 7);
        expect(refuses(changed)).toBe(true);
      }),
    );
  });

  test('shortened and lengthened items are refused', () => {
    const item = sealed(randomBytes(100));
    for (let length = 0; length < item.length; length++) {
      expect(refuses(item.subarray(0, length))).toBe(true);
      expect(refuses(item.subarray(item.length - length))).toBe(true);
    }
    expect(refuses(Buffer.concat([item, Buffer.alloc(1)]))).toBe(true);
    expect(refuses(Buffer.concat([item, item]))).toBe(true);
  });

  test('zeros and random bytes are refused', () => {
    for (const length of [32, 33, 1000]) {
      expect(refuses(Buffer.alloc(length))).toBe(true);
      expect(refuses(randomBytes(length))).toBe(true);
    }
  });

  test('an item of another key is refused, whichever part differs', () => {
    const item = sealed(Buffer.from('secret'));
    const flip = (part: Buffer): Buffer => Buffer.from(part).fill(part[5]! ^ 1, 5, 6);
    expect(refuses(item, make({ ...key, macK: flip(key.macK) }))).toBe(true);
    expect(refuses(item, make({ ...key, macR: flip(key.macR) }))).toBe(true);
    expect(refuses(item, make(randomMasterKey()))).toBe(true);
    // The MAC does not cover the encryption key: such an item opens, to nothing sensible.
    expect(Buffer.from(make({ ...key, encrypt: randomBytes(32) }).open(item)).toString()).not.toBe('secret');
  });

  test('a refused item leaves the next ones alone', () => {
    const item = sealed(Buffer.from('good'));
    expect(refuses(randomBytes(500))).toBe(true);
    expect(Buffer.from(sealer.open(item)).toString()).toBe('good');
  });
});

describe('initialization vectors', () => {
  test('are never used twice', () => {
    const out = Buffer.alloc(sealOverhead);
    const seen = new Set<string>();
    for (let i = 0; i < 5000; i++) {
      sealer.seal(Buffer.alloc(0), out, 0);
      seen.add(out.toString('hex', 0, 16));
      expect(refuses(out)).toBe(false);
    }
    expect(seen.size).toBe(5000);
  });

  test('differ between sealers of one key', () => {
    expect(sealed(Buffer.alloc(0), make()).subarray(0, 16)).not.toEqual(sealed(Buffer.alloc(0), make()).subarray(0, 16));
  });

  test('are never zero, even if the random source says so', () => {
    rigged.push([...Array(48).fill(0), 7, ...Array(15).fill(0)] as number[]);
    const item = sealed(Buffer.from('hello'), make());
    expect(item.toString('hex', 0, 16)).toBe('07000000000000000000000000000000');
    expect(openByTheBook(key, item).toString()).toBe('hello');
  });
});

test('a new master key is random and of the right sizes', () => {
  const [a, b] = [randomMasterKey(), randomMasterKey()];
  expect([a.encrypt, a.macK, a.macR].map((part) => part.length)).toEqual([32, 16, 16]);
  expect(a.encrypt.equals(b.encrypt) || a.macK.equals(b.macK) || a.macR.equals(b.macR)).toBe(false);
});

test('what restic has sealed opens: its key file, then its config', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'holdfast-crypto-'));
  try {
    const restic = new Restic(join(folder, 'repository'), 'pass word');
    await restic.init();
    const [name] = readdirSync(join(restic.repository, 'keys'));
    const file = JSON.parse(readFileSync(join(restic.repository, 'keys', name!), 'utf8')) as Record<'salt' | 'data', string> &
      Record<'N' | 'r' | 'p', number>;
    const derived = scryptSync(restic.password, Buffer.from(file.salt, 'base64'), 64, { N: file.N, r: file.r, p: file.p, maxmem: 2 ** 30 });
    const user = make({ encrypt: derived.subarray(0, 32), macK: derived.subarray(32, 48), macR: derived.subarray(48) });
    const master = JSON.parse(Buffer.from(user.open(Buffer.from(file.data, 'base64'))).toString()) as {
      mac: Record<'k' | 'r', string>;
      encrypt: string;
    };
    const [encrypt, macK, macR] = [master.encrypt, master.mac.k, master.mac.r].map((text) => Buffer.from(text, 'base64'));
    const config = make({ encrypt: encrypt!, macK: macK!, macR: macR! }).open(readFileSync(join(restic.repository, 'config')));
    expect(JSON.parse(Buffer.from(config).toString())).toEqual(JSON.parse((await restic.cat('config')).toString()));
  } finally {
    rmSync(folder, { recursive: true });
  }
});
