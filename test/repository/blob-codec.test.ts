import { randomBytes } from 'node:crypto';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { BlobEncoder, decodeBlob, openContent } from '../../src/repository/blob-codec.ts';
import { randomMasterKey, Sealer, sealOverhead } from '../../src/repository/crypto.ts';
import { sha256 } from '../../src/repository/ids.ts';
import { Kernel } from '../../src/repository/kernel/kernel.ts';
import { compress } from '../../src/repository/zstd.ts';

const sealer = new Sealer(randomMasterKey(), Kernel.create(), 1 << 16);

function encode(
  plain: Uint8Array,
  encoder = new BlobEncoder(sealer),
  id: Uint8Array = sha256(plain),
): { sealed: Buffer; uncompressed: number } {
  const content = encoder.compress(plain);
  const out = Buffer.alloc(content.length + sealOverhead);
  expect(encoder.seal(id, content, out, 0)).toBe(out.length);
  return { sealed: out, uncompressed: encoder.uncompressedLength };
}

const seal = (plain: Uint8Array): Buffer => {
  const out = Buffer.alloc(plain.length + sealOverhead);
  sealer.seal(plain, out, 0);
  return out;
};

const failure = (code: string): unknown => expect.objectContaining({ code });

test('what was sealed comes back as it was, once it is proved to be the blob', () => {
  const [text, short] = [Buffer.alloc(5000, 'text'), Buffer.from('x')];
  for (const plain of [text, short]) {
    const { sealed, uncompressed } = encode(plain);
    const content = Buffer.from(openContent(sealer, sealed, sha256(plain), uncompressed, 'data'));
    expect(content).toEqual(uncompressed > 0 ? compress(plain) : plain);
    expect(() => openContent(sealer, sealed, sha256(Buffer.from('another')), uncompressed, 'data')).toThrow(failure('item-tampered'));
  }
  const { sealed } = encode(text);
  expect(() => openContent(sealer, sealed, sha256(text), text.length - 1, 'data')).toThrow(failure('item-tampered'));
});

test('a blob is decoded as it was encoded', () => {
  const compressible = fc.uint8Array({ maxLength: 50 }).map((piece) => Buffer.concat(Array.from({ length: 40 }, () => piece)));
  fc.assert(
    fc.property(
      fc.oneof(fc.uint8Array({ minLength: 1, maxLength: 3000 }), compressible),
      fc.constantFrom('data' as const, 'tree' as const),
      (plain, type) => {
        const { sealed, uncompressed } = encode(plain);
        expect(Buffer.compare(decodeBlob(sealer, sealed, sha256(plain), uncompressed, type), plain)).toBe(0);
      },
    ),
  );
});

test('only what becomes smaller is stored compressed', () => {
  const random = randomBytes(5000);
  expect(encode(random)).toMatchObject({ uncompressed: 0, sealed: { length: 5000 + sealOverhead } });
  const { sealed, uncompressed } = encode(Buffer.alloc(5000, 'ab'));
  expect(uncompressed).toBe(5000);
  expect(sealed.length).toBeLessThan(200);
});

test('a bit that flips while encoding is noticed before anybody relies on the blob', () => {
  for (const plain of [randomBytes(1000), Buffer.alloc(1000, 'x'), randomBytes(1)]) {
    const encoder = new BlobEncoder(sealer, { corruptBlob: 2 });
    encode(randomBytes(10), encoder);
    expect(() => encode(plain, encoder)).toThrowError(failure('encoding-failed'));
    encode(plain, encoder);
  }
});

test('a blob whose ID is not its hash is never stored: the content changed between hashing and storing', () => {
  expect(() => encode(Buffer.from('changed'), new BlobEncoder(sealer), sha256(Buffer.from('before')))).toThrowError(
    failure('encoding-failed'),
  );
});

test('the error names the blob and keeps the reason', () => {
  const id = sha256(Buffer.from('before'));
  try {
    encode(Buffer.from('changed'), new BlobEncoder(sealer), id);
    expect.unreachable();
  } catch (error) {
    expect(error).toMatchObject({ context: { blob: id.toString('hex') }, cause: { code: 'item-tampered' } });
  }
});

test('every flipped bit of a stored blob is noticed', () => {
  const plain = Buffer.from('a stored blob, a stored blob, a stored blob, a stored blob');
  const { sealed, uncompressed } = encode(plain);
  for (let bit = 0; bit < sealed.length * 8; bit++) {
    const damaged = Buffer.from(sealed);
    damaged[bit >> 3] ^= 1 << (bit & 7);
    expect(() => decodeBlob(sealer, damaged, sha256(plain), uncompressed, 'data')).toThrowError(failure('item-tampered'));
  }
});

test('another blob, another length and a wrong claim of compression are refused', () => {
  const plain = Buffer.alloc(300, 'abc');
  const { sealed, uncompressed } = encode(plain);
  const decode = (bytes: Uint8Array, length: number): unknown => decodeBlob(sealer, bytes, sha256(plain), length, 'data');
  expect(() => decode(encode(randomBytes(300)).sealed, 0)).toThrowError(failure('item-tampered'));
  for (const wrong of [0, uncompressed - 1, uncompressed + 1, 1])
    expect(() => decode(sealed, wrong)).toThrowError(failure('item-tampered'));
  expect(() => decode(sealed.subarray(0, 40), uncompressed)).toThrowError(failure('item-tampered'));
  expect(() => decode(Buffer.alloc(0), 0)).toThrowError(failure('item-tampered'));
});

test('an absurd length of a hostile index is refused before memory is taken', () => {
  const bomb = seal(compress(Buffer.alloc(100 << 20)));
  const before = process.memoryUsage().arrayBuffers;
  expect(() => decodeBlob(sealer, bomb, randomBytes(32), 100 << 20, 'data')).toThrowError(failure('item-tampered'));
  expect(() => decodeBlob(sealer, bomb, randomBytes(32), 2 ** 32 - 1, 'tree')).toThrowError(failure('item-tampered'));
  expect(() => decodeBlob(sealer, bomb, randomBytes(32), 1000, 'tree')).toThrowError(failure('item-tampered'));
  expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(16 << 20);
});
