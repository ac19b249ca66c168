import { createHash, randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Kernel, maxChunkLength, minChunkLength } from '../../src/repository/kernel/kernel.ts';
import { mod, parsePolynomial, randomPolynomial } from '../../src/repository/polynomial.ts';
import { Restic } from '../support/restic.ts';

const kernel = Kernel.create();
const region = kernel.alloc(32 * 1024 * 1024);
const ofRestic = 0x3da3358b4dc173n;

/**
 * The rule as it is written down, without a rolling hash: the fingerprint of 64 bytes is Σ byte[i]·x^(8·(63-i)) mod P, here
 * its low 20 bits, each term from a table made by long division.
 */
class Rule {
  readonly #terms: Int32Array;

  constructor(polynomial: bigint) {
    this.#terms = new Int32Array(64 * 256);
    for (let i = 0; i < 64; i++) {
      for (let byte = 0; byte < 256; byte++) {
        this.#terms[i * 256 + byte] = Number(mod(BigInt(byte) << BigInt(8 * (63 - i)), polynomial) & 0xfffffn);
      }
    }
  }

  /** The low 20 bits of the fingerprint of the 64 bytes before `end`. */
  fingerprint(data: Uint8Array, end: number): number {
    let sum = 0;
    for (let i = 0; i < 64; i++) sum ^= this.#terms[i * 256 + data[end - 64 + i]!]!;
    return sum;
  }

  chunks(data: Uint8Array): number[] {
    const lengths: number[] = [];
    for (let start = 0, length = 0; start < data.length; start += length) {
      length = Math.min(minChunkLength, data.length - start);
      const end = Math.min(maxChunkLength, data.length - start);
      while (length < end && this.fingerprint(data, start + length) !== 0) length++;
      lengths.push(length);
    }
    return lengths;
  }
}

/** The kernel's chunks of `data`, of which all bytes are there from the beginning. */
function chunks(data: Uint8Array): number[] {
  kernel.view().set(data, region);
  const lengths: number[] = [];
  for (let start = 0, length = 0; start < data.length; start += length) {
    kernel.resetChunk();
    length = kernel.findCut(region + start, data.length - start) || data.length - start;
    lengths.push(length);
  }
  return lengths;
}

/** Bytes of which none is a cut, but where 64 zeros end at `cutAt`: their fingerprint is 0. */
function withCutAt(cutAt: number, length: number): Buffer {
  return Buffer.alloc(length, 1).fill(0, cutAt - 64, cutAt);
}

const sum = (list: number[]): number => list.reduce((a, b) => a + b, 0);

describe('the rule', () => {
  const polynomials = [ofRestic, randomPolynomial(), randomPolynomial()];
  test.each(polynomials)('cuts random bytes where the written rule does (%#)', (polynomial) => {
    kernel.initChunker(polynomial);
    const data = randomBytes(12_000_000);
    expect(chunks(data)).toEqual(new Rule(polynomial).chunks(data));
  });

  test('cuts bytes of little variety where the written rule does', () => {
    kernel.initChunker(ofRestic);
    const data = randomBytes(10_000_000).map((byte) => (byte & 3 ? 0x20 : byte));
    expect(chunks(data)).toEqual(new Rule(ofRestic).chunks(data));
  });

  test('cuts zeros at 512 KiB', () => {
    kernel.initChunker(randomPolynomial());
    expect(chunks(Buffer.alloc(2_000_000))).toEqual([524_288, 524_288, 524_288, 427_136]);
    expect(chunks(Buffer.alloc(524_288))).toEqual([524_288]);
  });

  test('an empty file has no chunk and a small one is one chunk', () => {
    kernel.initChunker(ofRestic);
    expect(chunks(Buffer.alloc(0))).toEqual([]);
    for (const length of [1, 63, 64, 65, 524_287]) expect(chunks(Buffer.alloc(length))).toEqual([length]);
  });

  test('cuts at 8 MiB where the bytes give no reason to', () => {
    kernel.initChunker(ofRestic);
    expect(new Rule(ofRestic).fingerprint(Buffer.alloc(64, 1), 64)).not.toBe(0);
    kernel.view().fill(1, region, region + 20_000_000);
    kernel.resetChunk();
    expect(kernel.findCut(region, maxChunkLength - 1)).toBe(0);
    expect(kernel.findCut(region, maxChunkLength)).toBe(maxChunkLength);
    kernel.resetChunk();
    expect(kernel.findCut(region, 20_000_000)).toBe(maxChunkLength);
    expect(chunks(Buffer.alloc(20_000_000, 1))).toEqual([maxChunkLength, maxChunkLength, 20_000_000 - 2 * maxChunkLength]);
  });

  // The first and last positions, and those where the lanes and blocks of the implementation begin and end.
  const lane = 2048;
  const offsets = [0, 1, 63, 64, 65, ...[1, 2, 3, 4, 5, 8].flatMap((n) => [n * lane - 1, n * lane, n * lane + 1])];
  const last = [2, 1, 0].map((before) => maxChunkLength - before);
  test.each([...offsets.map((offset) => minChunkLength + offset), ...last])('sees a cut at length %i', (length) => {
    kernel.initChunker(ofRestic);
    const data = withCutAt(length, length + 9000);
    kernel.view().set(data, region);
    kernel.resetChunk();
    expect(kernel.findCut(region, data.length)).toBe(length);
    kernel.resetChunk();
    expect(kernel.findCut(region, length)).toBe(length);
    kernel.resetChunk();
    expect(kernel.findCut(region, length - 1)).toBe(0);
    expect(kernel.findCut(region, length)).toBe(length);
  });

  test('takes the first of several cuts in one block, whichever lane sees it first', () => {
    kernel.initChunker(ofRestic);
    for (const [first, second] of [
      [2000, 2100],
      [100, 6000],
      [4090, 4100],
      [6143, 6144 + 64],
      [1999, 8100],
    ] as const) {
      const data = withCutAt(minChunkLength + first, minChunkLength + 20_000);
      data.fill(0, minChunkLength + second - 64, minChunkLength + second);
      expect(chunks(data)[0]).toBe(minChunkLength + first);
    }
  });

  test('no cut before 512 KiB counts', () => {
    kernel.initChunker(ofRestic);
    expect(chunks(withCutAt(minChunkLength - 1, 600_000))).toEqual([600_000]);
    expect(chunks(withCutAt(1000, 600_000))).toEqual([600_000]);
  });

  test('neither bytes before the chunk nor bytes behind what is available matter', () => {
    kernel.initChunker(ofRestic);
    const data = randomBytes(9_000_000);
    const wanted = new Rule(ofRestic).chunks(data)[0]!;
    for (const byte of [0, 0xff]) {
      kernel.view().fill(byte, region, region + 10_000_000);
      kernel.view().set(data.subarray(0, wanted), region + 4096);
      kernel.resetChunk();
      expect(kernel.findCut(region + 4096, wanted)).toBe(wanted);
    }
  });
});

describe('data that comes in pieces', () => {
  const data = randomBytes(7_000_000);
  const wanted = new Rule(ofRestic).chunks(data);

  function chunksOfPieces(sizes: readonly number[], move: boolean): number[] {
    const lengths: number[] = [];
    const pieces = sizes.values();
    kernel.resetChunk();
    for (let start = 0, available = 0, round = 0; start < data.length; round++) {
      // A chunk may lie elsewhere at every call, with rubbish behind what is there.
      const address = move ? region + (round % 3) * 9_000_001 : region;
      kernel.view().set(data.subarray(start, start + available), address);
      kernel.view().fill(round, address + available, address + available + 100);
      let length = kernel.findCut(address, available);
      if (length === 0 && start + available < data.length) {
        available = Math.min(available + (pieces.next().value ?? 300_000), data.length - start);
        continue;
      }
      length ||= available;
      lengths.push(length);
      start += length;
      available -= length;
      kernel.resetChunk();
    }
    return lengths;
  }

  test('gives the same chunks, wherever it is split and moved', () => {
    kernel.initChunker(ofRestic);
    expect(sum(wanted)).toBe(data.length);
    const size = fc.oneof(fc.integer({ min: 1, max: 3000 }), fc.integer({ min: 1, max: 900_000 }));
    fc.assert(
      fc.property(fc.array(size, { maxLength: 40 }), fc.boolean(), (sizes, move) => {
        expect(chunksOfPieces(sizes, move)).toEqual(wanted);
      }),
      { numRuns: 25 },
    );
  });

  test('gives the same chunk when the bytes around its end come one by one', () => {
    kernel.initChunker(ofRestic);
    kernel.view().set(data, region);
    kernel.resetChunk();
    const cut = wanted[0]!;
    for (let available = cut - 300; available < cut; available++) expect(kernel.findCut(region, available)).toBe(0);
    expect(kernel.findCut(region, cut)).toBe(cut);
  });
});

describe('restic, the judge', () => {
  const folder = mkdtempSync(join(tmpdir(), 'holdfast-chunker-'));
  const restic = new Restic(join(folder, 'repository'), 'chunker');
  const files: Record<string, Buffer> = {
    random: randomBytes(30_000_000),
    zeros: Buffer.alloc(1_200_000),
    constant: Buffer.alloc(9_000_000, 1),
    text: Buffer.from('All mimsy were the borogoves, and the mome raths outgrabe.\n'.repeat(40_000)),
    small: randomBytes(524_287),
    least: randomBytes(524_288),
    empty: Buffer.alloc(0),
  };
  const contents = new Map<string, string[]>();
  let polynomial = 0n;

  beforeAll(async () => {
    await restic.init();
    for (const [name, content] of Object.entries(files)) writeFileSync(join(folder, name), content);
    await restic.backup(Object.keys(files).map((name) => join(folder, name)));
    const config = JSON.parse((await restic.cat('config')).toString()) as { chunker_polynomial: string };
    polynomial = parsePolynomial(config.chunker_polynomial);
    for (const { type, id } of await restic.listBlobs()) {
      if (type !== 'tree') continue;
      const { nodes } = JSON.parse((await restic.cat('blob', id)).toString()) as {
        nodes: { name: string; type: string; content: string[] }[];
      };
      for (const node of nodes) if (node.type === 'file') contents.set(node.name, node.content);
    }
  });
  afterAll(() => rmSync(folder, { recursive: true }));

  test.each(Object.keys(files))('cut the file "%s" into the same chunks', (name) => {
    const data = files[name]!;
    kernel.initChunker(polynomial);
    let start = 0;
    const ids = chunks(data).map((length) => {
      const id = createHash('sha256')
        .update(data.subarray(start, start + length))
        .digest('hex');
      start += length;
      return id;
    });
    expect(ids).toEqual(contents.get(name));
  });

  test('would not agree under another polynomial', () => {
    kernel.initChunker(polynomial);
    const ours = chunks(files.random!);
    kernel.initChunker(randomPolynomial());
    expect(chunks(files.random!)).not.toEqual(ours);
  });
});
