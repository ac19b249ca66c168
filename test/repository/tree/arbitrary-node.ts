/** Nodes for property tests: every field over its whole range, as far as the format can hold it without loss. */

import fc from 'fast-check';
import type { Node } from '../../../src/repository/tree/node.ts';

const NS = 10n ** 9n;
const uint64 = fc.oneof(
  fc.bigInt(0n, 2n ** 64n - 1n),
  fc.constantFrom(0n, 1n, 2n ** 53n + 1n, 999_999_999_999_999n, 10n ** 15n, 2n ** 64n - 1n),
);
const uint32 = fc.oneof(fc.nat(), fc.constantFrom(0, 0xffff_ffff, 0x8000_0000));
const safeCount = fc.oneof(fc.maxSafeNat(), fc.constantFrom(0, Number.MAX_SAFE_INTEGER));
const time = fc.bigInt(-62_167_100_000n * NS, 253_402_200_000n * NS);
const text = fc.string({ unit: 'binary' });
const bytes = (max: number, min = 0): fc.Arbitrary<Buffer> =>
  fc.uint8Array({ minLength: min, maxLength: max }).map((array) => Buffer.from(array));

/** Any name a file system could have, often with bytes that need an escape. */
export const arbitraryName: fc.Arbitrary<Buffer> = fc
  .oneof(
    bytes(12, 1),
    fc.string({ unit: 'binary', minLength: 1 }).map((name) => Buffer.from(name)),
    fc.string({ minLength: 1 }).map((name) => Buffer.from(name)),
  )
  .map((name) => Buffer.from(name.map((byte) => (byte === 0 || byte === 0x2f ? 0x5f : byte))))
  .filter((name) => !['.', '..'].includes(name.toString('latin1')));

export const arbitraryNode: fc.Arbitrary<Node> = fc
  .record({
    name: arbitraryName,
    type: fc.constantFrom('file', 'dir', 'symlink', 'dev', 'chardev', 'fifo', 'socket', 'irregular' as const),
    mode: uint32,
    mtimeNs: time,
    atimeNs: time,
    ctimeNs: time,
    uid: uint32,
    gid: uint32,
    user: text,
    group: text,
    inode: uint64,
    deviceId: uint64,
    size: safeCount,
    links: safeCount,
    linkTarget: fc.option(bytes(20, 1), { nil: undefined }),
    xattrs: fc.array(fc.record({ name: text.filter(Boolean).map((name) => Buffer.from(name)), value: fc.option(bytes(20)) }), {
      maxLength: 3,
    }),
    genericAttributes: fc.option(
      fc.dictionary(text, fc.jsonValue(), { minKeys: 1 }).map((value) => JSON.stringify(value)),
      { nil: undefined },
    ),
    device: uint64,
    content: fc.option(fc.nat({ max: 5 }).chain((count) => bytes(count * 32, count * 32))),
    subtree: fc.option(bytes(32, 32)),
    error: fc.option(text.filter(Boolean), { nil: undefined }),
  })
  .map((node) => ({
    ...node,
    atimeNs: node.uid % 2 ? node.mtimeNs : node.atimeNs,
    content: node.content ?? (node.type === 'file' ? Buffer.alloc(0) : null),
    subtree: node.subtree ?? (node.type === 'dir' ? Buffer.alloc(32, 7) : null),
  }));

/** Nodes of one folder: with different names, in the order of a tree. */
export const arbitraryNodes: fc.Arbitrary<Node[]> = fc
  .uniqueArray(arbitraryNode, { selector: (node) => node.name.toString('latin1'), maxLength: 6 })
  .map((nodes) => nodes.sort((a, b) => Buffer.compare(a.name, b.name)));
