import { closeSync, ftruncateSync, lstatSync, openSync, readFileSync, statSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { backup, makeRepository, restore } from '../../support/engine.ts';
import { expectSameTree, expectSparse } from '../../support/judge.ts';
import { scratch, tree } from '../../support/tree-literal.ts';

const data = Buffer.from(Array.from({ length: 200_000 }, (_, i) => i * 31).join(' '));

function sparseFile(path: string, size: number, pieces: readonly [number, Buffer][]): void {
  const fd = openSync(path, 'w');
  ftruncateSync(fd, size);
  for (const [at, bytes] of pieces) writeSync(fd, bytes, 0, bytes.length, at);
  closeSync(fd);
}

test('holes are made again wherever zeros stand, and every byte is right', async () => {
  const dir = scratch('sparse');
  const source = tree(join(dir, 'source'), {
    'small zeros': Buffer.alloc(100_000),
    'written zeros': Buffer.alloc(12 << 20),
    'no zeros': data,
    'one zero': Buffer.alloc(1),
    empty: '',
  });
  sparseFile(join(source, 'nothing but a hole'), 20 << 20, []);
  sparseFile(join(source, 'ends in a hole'), 30 << 20, [[0, data]]);
  sparseFile(join(source, 'begins with a hole'), (25 << 20) + data.length, [[25 << 20, data]]);
  sparseFile(join(source, 'unaligned'), 22_222_222, [
    [4097, data],
    [11_111_111, data],
    [22_222_221, Buffer.from('!')],
  ]);
  const repository = await makeRepository(join(dir, 'repository'));
  await backup(repository, source);
  // Some of it is there, without holes, longer or shorter.
  const place = join(dir, 'target');
  const target = tree(join(place, source), {
    'ends in a hole': Buffer.alloc(40 << 20, 'x'),
    unaligned: Buffer.alloc(22_222_222, 'y'),
    'no zeros': 'short',
  });
  const { problems } = await restore(repository, place, { sparse: true, verify: true });
  expect(problems).toEqual([]);
  for (const name of ['small zeros', 'written zeros', 'nothing but a hole']) {
    expect(lstatSync(join(target, name)).blocks, name).toBe(0);
    expect(readFileSync(join(target, name)).equals(readFileSync(join(source, name))), name).toBe(true);
  }
  await expectSparse(source, target);
  await expectSameTree(source, target);
  // Without the option, nothing is a hole that was not one by itself.
  const plain = join(dir, 'plain');
  await restore(repository, plain, { path: Buffer.from(source) });
  expect(statSync(join(plain, 'written zeros')).blocks * 512).toBeGreaterThanOrEqual(12 << 20);
  await expectSameTree(source, plain);
});
