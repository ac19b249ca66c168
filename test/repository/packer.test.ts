import { randomBytes } from 'node:crypto';
import { constants, zstdCompressSync } from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { BlobEncoder, decodeBlob } from '../../src/repository/blob-codec.ts';
import { randomMasterKey, Sealer, sealOverhead } from '../../src/repository/crypto.ts';
import { sha256 } from '../../src/repository/ids.ts';
import { Kernel } from '../../src/repository/kernel/kernel.ts';
import { headerRange, maxHeaderBytes, readEntries } from '../../src/repository/pack.ts';
import { type FinishedPack, finishPack, headerBytes, Packer } from '../../src/repository/packer.ts';

const sealer = new Sealer(randomMasterKey(), Kernel.create(), 9 << 20);
const MiB = 1 << 20;

interface Made {
  readonly packer: Packer;
  readonly packs: FinishedPack[];
  readonly taken: number[];
}

function make(packSize: number, corruptBlob?: number): Made {
  const packs: FinishedPack[] = [];
  const taken: number[] = [];
  const take = (bytes: number): ArrayBuffer => {
    taken.push(bytes);
    return new ArrayBuffer(bytes);
  };
  const encoder = new BlobEncoder(sealer, corruptBlob === undefined ? undefined : { corruptBlob });
  return { packer: new Packer('data', packSize, encoder, sealer, take, (pack) => packs.push(pack)), packs, taken };
}

/** The blobs of a pack, read by the book: name, header, entries, blobs without a gap. */
function contentOf(pack: { id: Buffer; bytes: Uint8Array; header: Buffer }): Buffer[] {
  const bytes = Buffer.from(pack.bytes);
  expect(sha256(bytes)).toEqual(pack.id);
  const { offset: headerAt, length } = headerRange(bytes.subarray(-4), bytes.length);
  expect(Buffer.from(sealer.open(bytes.subarray(headerAt, headerAt + length))).equals(pack.header)).toBe(true);
  expect(length).toBeLessThanOrEqual(maxHeaderBytes);
  const blobs: Buffer[] = [];
  const sum = readEntries(pack.header, (type, offset, sealed, plain, header, idAt) => {
    expect(type).toBe('data');
    blobs.push(Buffer.from(decodeBlob(sealer, bytes.subarray(offset, offset + sealed), header.subarray(idAt, idAt + 32), plain, 'data')));
  });
  expect(sum).toBe(headerAt);
  expect(bytes.length).toBe(sum + pack.header.length + 36);
  return blobs;
}

describe('a packer', () => {
  test('gives packs that hold every blob once, in order, whatever the sizes', () => {
    const blob = fc.oneof(
      fc.uint8Array({ minLength: 1, maxLength: 200 }),
      fc.integer({ min: 1, max: 40_000 }).map((n) => randomBytes(n)),
      fc.integer({ min: 1, max: 3 * MiB }).map((n) => Buffer.alloc(n, 'z')),
    );
    fc.assert(
      fc.property(fc.array(blob, { maxLength: 30 }), fc.constantFrom(1, 1000, 50_000), (blobs, packSize) => {
        const { packer, packs } = make(packSize);
        for (const plain of blobs) packer.add(sha256(plain), plain);
        packer.finish();
        packer.finish();
        const out = packs.flatMap(contentOf);
        expect(out.length).toBe(blobs.length);
        expect(out.every((plain, i) => Buffer.compare(plain, blobs[i]!) === 0)).toBe(true);
      }),
      { numRuns: 40 },
    );
  });

  test('takes a blob that is compressed already as it is, and refuses one that is not what its ID says', () => {
    const { packer, packs } = make(4 * MiB);
    const plain = Buffer.alloc(50_000, 'frame');
    // No frame that we would make ourselves.
    const frame = zstdCompressSync(plain, { params: { [constants.ZSTD_c_compressionLevel]: 19, [constants.ZSTD_c_checksumFlag]: 1 } });
    expect(packer.addFrame(sha256(plain), frame, plain.length)).toBe(frame.length + sealOverhead);
    packer.add(sha256(Buffer.from('plain')), Buffer.from('plain'));
    for (const [id, length] of [
      [sha256(frame), plain.length],
      [sha256(plain), plain.length - 1],
    ] as const)
      expect(() => packer.addFrame(id, frame, length)).toThrow(expect.objectContaining({ code: 'encoding-failed' }));
    packer.finish();
    expect(contentOf(packs[0]!)).toEqual([plain, Buffer.from('plain')]);
    expect(Buffer.from(packs[0]!.bytes).includes(frame)).toBe(false);
    readEntries(packs[0]!.header, (_type, offset, length, uncompressed) => {
      if (offset > 0) return;
      expect([length, uncompressed]).toEqual([frame.length + sealOverhead, plain.length]);
      expect(Buffer.from(sealer.open(packs[0]!.bytes.subarray(0, length)))).toEqual(frame);
    });
  });

  test('ends a pack when it has reached its size, at most one usual blob above or below it', () => {
    const { packer, packs, taken } = make(4 * MiB);
    for (let i = 0; i < 40; i++) {
      const plain = randomBytes(MiB / 2 + i * 30_000);
      packer.add(sha256(plain), plain);
    }
    packer.finish();
    expect(packs.length).toBeGreaterThan(8);
    for (const { bytes } of packs.slice(0, -1)) {
      expect(bytes.length).toBeGreaterThan(4 * MiB - 1.8 * MiB);
      expect(bytes.length).toBeLessThan(5 * MiB);
    }
    // Every buffer can take the next pack too.
    expect(new Set(taken)).toEqual(new Set([5 * MiB]));
  });

  test('a blob that is larger than a pack gets one of its own', () => {
    const { packer, packs } = make(100_000);
    const sizes = [10, 8 * MiB, 20];
    for (const size of sizes) {
      const plain = randomBytes(size);
      packer.add(sha256(plain), plain);
    }
    packer.finish();
    expect(packs.map((pack) => contentOf(pack).map((plain) => plain.length))).toEqual([[10], [8 * MiB], [20]]);
  });

  test('never makes a header that restic would refuse to read', () => {
    const { packer, packs } = make(128 * MiB);
    const sealed = new Uint8Array(sealOverhead + 1);
    const id = randomBytes(32);
    const enough = Math.ceil(maxHeaderBytes / 41) + 10;
    for (let i = 0; i < enough; i++) packer.addSealed(id, sealed, 1);
    expect(packs.length).toBe(1);
    const [{ bytes, header }] = packs as [FinishedPack];
    expect(headerRange(Buffer.from(bytes.subarray(-4)), bytes.length).length).toBeLessThanOrEqual(16 * MiB);
    expect(header.length).toBeGreaterThan(16 * MiB - 200);
  });

  test('a blob that was encoded wrongly is not in the pack, and those around it are whole', () => {
    const { packer, packs } = make(MiB, 2);
    const blobs = ['one', 'two', 'three'].map((text) => Buffer.from(text));
    packer.add(sha256(blobs[0]!), blobs[0]!);
    expect(() => packer.add(sha256(blobs[1]!), blobs[1]!)).toThrowError(expect.objectContaining({ code: 'encoding-failed' }));
    packer.add(sha256(blobs[2]!), blobs[2]!);
    packer.finish();
    expect(packs.flatMap(contentOf).map(String)).toEqual(['one', 'three']);
  });

  test('gives up what it has not filled, without a header, and is empty afterwards', () => {
    const { packer, packs } = make(MiB);
    expect(packer.takeUnfinished()).toBeUndefined();
    const plain = Buffer.from('left over');
    const length = packer.add(sha256(plain), plain);
    const unfinished = packer.takeUnfinished()!;
    expect(unfinished).toMatchObject({ type: 'data', body: { length } });
    expect(packer.takeUnfinished()).toBeUndefined();
    packer.finish();
    expect(packs).toEqual([]);
    const buffer = Buffer.from(new ArrayBuffer(length + headerBytes(unfinished.header)));
    buffer.set(unfinished.body);
    expect(contentOf(finishPack(sealer, buffer, length, unfinished.header)).map(String)).toEqual(['left over']);
  });

  test('packs sealed blobs byte by byte, as copying and pruning do', () => {
    const first = make(MiB);
    const plain = Buffer.alloc(5000, 'copy me');
    first.packer.add(sha256(plain), plain);
    const from = first.packer.takeUnfinished()!;
    const second = make(MiB);
    second.packer.addSealed(sha256(plain), from.body, plain.length);
    second.packer.finish();
    expect(Buffer.from(second.packs[0]!.bytes.subarray(0, from.body.length)).equals(Buffer.from(from.body))).toBe(true);
    expect(contentOf(second.packs[0]!)[0]!.equals(plain)).toBe(true);
  });
});
