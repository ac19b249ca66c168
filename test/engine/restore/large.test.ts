import { linkSync, lstatSync, mkdirSync, readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { MemoryStorage } from '../../../src/storage/memory.ts';
import { backup, makeRepository, problemLines, restore } from '../../support/engine.ts';
import { factsOf } from '../../support/file-facts.ts';
import { fileNode, folderNode, Forge } from '../../support/forge.ts';
import { expectSameTree } from '../../support/judge.ts';
import { restoreElsewhere } from '../../support/restoring.ts';
import { seededBytes, seededRandom } from '../../support/seeded.ts';
import { scratch, tree } from '../../support/tree-literal.ts';

const random = seededRandom(13);
const numbered = (count: number, content: (i: number) => string | Buffer) =>
  Object.fromEntries(Array.from({ length: count }, (_, i) => [`${String(i).padStart(6, '0')}.txt`, content(i)]));

describe('many names of one file', () => {
  test('are one file again, also when they are written in many segments', async () => {
    const dir = scratch('links');
    const source = join(dir, 'source');
    tree(source, {
      first: 'one file, a thousand names',
      large: seededBytes(random, 4 << 20),
      empty: '',
      others: numbered(300, (i) => `other ${i}`),
    });
    for (let f = 0; f < 10; f++) {
      mkdirSync(join(source, `folder ${f}`));
      for (let i = 0; i < 100; i++) linkSync(join(source, 'first'), join(source, `folder ${f}`, `${i}`));
      for (const name of ['large', 'empty']) linkSync(join(source, name), join(source, `folder ${f}`, name));
    }
    const repository = await makeRepository(join(dir, 'repository'));
    await backup(repository, source);
    const target = join(dir, 'target');
    const { problems, figures, verified } = await restore(repository, target, {
      path: Buffer.from(source),
      segmentFiles: 20,
      verify: true,
    });
    expect(problems).toEqual([]);
    await expectSameTree(source, target);
    expect(lstatSync(join(target, 'first')).nlink).toBe(1001);
    // Their content is needed once.
    expect(figures.bytes).toBe(
      26 + (4 << 20) + readdirSync(join(source, 'others')).reduce((sum, name) => sum + lstatSync(join(source, 'others', name)).size, 0),
    );
    expect(verified!.entries).toBe(factsOf(source).size - 11);
  });

  test('of which the first cannot be put in its place are still restored', async () => {
    const dir = scratch('links');
    const source = tree(join(dir, 'source'), { a: 'one file', 'in the way': { x: 'x' } });
    linkSync(join(source, 'a'), join(source, 'b'));
    linkSync(join(source, 'a'), join(source, 'c'));
    const repository = await makeRepository(join(dir, 'repository'));
    await backup(repository, source);
    const target = tree(join(dir, 'target'), { a: { full: { of: 'things' } } });
    const { problems } = await restore(repository, target, { path: Buffer.from(source), segmentFiles: 1 });
    expect(problemLines(problems)).toEqual([`failed: ${join(target, 'a')}`]);
    expect(readFileSync(join(target, 'b'), 'utf8')).toBe('one file');
    expect(lstatSync(join(target, 'b')).ino).toBe(lstatSync(join(target, 'c')).ino);
  });

  test('whose data is lost are each named, and never given what stood at the first', async () => {
    const forge = new Forge(await makeRepository(new MemoryStorage()));
    const good = forge.data('good');
    const more = { links: 3, inode: 77, device_id: 1, size: 5 };
    await forge.snapshot(
      forge.tree(['a', 'b', 'c'].map((name) => fileNode(name, ['00'.repeat(32)], more)).concat(fileNode('d', [good], { size: 4 }))),
    );
    const target = tree(scratch('links'), { a: 'older' });
    const { problems } = await restore(forge.repository, target);
    expect(problemLines(problems)).toEqual(['a', 'b', 'c'].map((name) => `damaged: ${join(target, name)}`));
    expect([...factsOf(target).keys()]).toEqual(['a', 'd']);
    expect(readFileSync(join(target, 'a'), 'utf8')).toBe('older');
  });

  test('are not one file only because a snapshot gives two files the same number', async () => {
    const forge = new Forge(await makeRepository(new MemoryStorage()));
    const more = { links: 2, inode: 77, device_id: 1, size: 5 };
    await forge.snapshot(forge.tree([fileNode('a', [forge.data('first')], more), fileNode('b', [forge.data('other')], more)]));
    const target = scratch('links');
    expect((await restore(forge.repository, target)).problems).toEqual([]);
    expect([readFileSync(join(target, 'a'), 'utf8'), readFileSync(join(target, 'b'), 'utf8')]).toEqual(['first', 'other']);
  });
});

describe('much of the same', () => {
  test('a blob that a file holds a thousand times is written to each of its places', async () => {
    const forge = new Forge(await makeRepository(new MemoryStorage()));
    const [one, two] = [forge.data('ab'.repeat(500)), forge.data('the other')];
    const content = [...Array.from({ length: 1000 }, () => one), two, one];
    await forge.snapshot(forge.tree([fileNode('once', [one], { size: 1000 }), fileNode('repeated', content, { size: 1_001_009 })]));
    const target = scratch('repeated');
    const { problems, verified } = await restore(forge.repository, target, { verify: true });
    expect(problems).toEqual([]);
    expect(verified!.bytes).toBe(1_002_009);
    expect(readFileSync(join(target, 'repeated'), 'utf8')).toBe(`${'ab'.repeat(500_000)}the other${'ab'.repeat(500)}`);
    expect(readFileSync(join(target, 'once'), 'utf8')).toBe('ab'.repeat(500));
  });

  test('what many files share is read once, and neighbours are read together', async () => {
    const dir = scratch('shared');
    const shared = seededBytes(random, 3000);
    const source = tree(join(dir, 'source'), {
      same: numbered(400, () => shared),
      own: numbered(400, (i) => `own ${i}`),
      'a.bin': seededBytes(random, 3 << 20),
    });
    tree(source, { 'b.bin': readFileSync(join(source, 'a.bin')) });
    const storage = new MemoryStorage();
    const repository = await makeRepository(storage);
    await backup(repository, source);
    storage.operations.length = 0;
    expect((await restore(repository, join(dir, 'target'), { path: Buffer.from(source) })).problems).toEqual([]);
    await expectSameTree(source, join(dir, 'target'));
    const loads = storage.operations.flatMap((operation) =>
      operation.kind === 'load' && operation.file.kind === 'pack' ? [operation] : [],
    );
    const ranges = loads.map(({ file, range }) => `${file.name} ${range!.offset} ${range!.length}`);
    expect(new Set(ranges).size).toBe(ranges.length);
    // Trees are read one by one.
    const trees = dir.split('/').length + 3;
    expect(loads.length).toBeLessThan(2 * trees + 10);
  });

  test('a size in the snapshot that is not that of the content is said, and the content is what counts', async () => {
    const forge = new Forge(await makeRepository(new MemoryStorage()));
    const [one, two] = [forge.data('first '), forge.data('second')];
    await forge.snapshot(
      forge.tree([
        fileNode('huge', [one, two], { size: 1e15 }),
        fileNode('large', [one], { size: 7 }),
        fileNode('short', [one, two], { size: 2 }),
      ]),
    );
    const target = scratch('sizes');
    const { problems } = await restore(forge.repository, target, { sparse: true });
    expect(problemLines(problems)).toEqual(['huge', 'large', 'short'].map((name) => `metadata: ${join(target, name)}`));
    expect(['huge', 'large', 'short'].map((name) => readFileSync(join(target, name), 'utf8'))).toEqual([
      'first second',
      'first ',
      'first second',
    ]);
  });
});

describe('very many files', () => {
  test('10,000 in one folder, and 50,000 in all, need little memory', async () => {
    const dir = scratch('many');
    const folder = join(dir, 'repository');
    const forge = new Forge(await makeRepository(folder));
    const content = Array.from({ length: 4000 }, (_, i) => forge.data(`content ${i} ${'.'.repeat(i % 300)}`));
    const files = (count: number, from: number) =>
      forge.tree(
        Array.from({ length: count }, (_, i) => {
          const which = (from + i) % content.length;
          return fileNode(`file ${String(i).padStart(5, '0')}`, [content[which]!], { size: `content ${which} `.length + (which % 300) });
        }),
      );
    const folders = Array.from({ length: 40 }, (_, f) => folderNode(`folder ${String(f).padStart(2, '0')}`, files(1000, f * 977)));
    await forge.snapshot(forge.tree([...folders, folderNode('large', files(10_000, 0))]));
    const target = join(dir, 'target');
    const { problems, figures, maxMB } = await restoreElsewhere(folder, { target });
    expect(problems).toEqual([]);
    expect(figures.create).toBe(50_041);
    expect(readdirSync(join(target, 'large')).length).toBe(10_000);
    expect(readFileSync(join(target, 'folder 07', 'file 00123'), 'utf8')).toMatch(/^content 2962 \.+$/);
    expect(maxMB).toBeLessThan(400);
  });

  test('a huge file that is mostly a hole comes back as such', async () => {
    const gigabyte = process.env.HOLDFAST_LONG === '1' ? 2 ** 30 : 2 ** 26;
    const dir = scratch('huge');
    const source = tree(join(dir, 'source'), {});
    const { execFileSync } = await import('node:child_process');
    execFileSync(
      'sh',
      ['-c', `truncate -s ${6 * gigabyte} huge && printf end | dd of=huge bs=1 seek=${5 * gigabyte} conv=notrunc status=none`],
      { cwd: source },
    );
    await backup(await makeRepository(join(dir, 'repository')), source);
    const target = join(dir, 'target');
    const { problems, maxMB } = await restoreElsewhere(join(dir, 'repository'), { target, path: source, sparse: true, verify: true });
    expect(problems).toEqual([]);
    expect(lstatSync(join(target, 'huge'))).toMatchObject({ size: 6 * gigabyte });
    expect(lstatSync(join(target, 'huge')).blocks).toBeLessThan(100);
    expect(maxMB).toBeLessThan(400);
    await expectSameTree(source, target);
  });
});
