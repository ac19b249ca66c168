import { chmodSync, existsSync, lstatSync, mkdirSync, readFileSync, readdirSync, readlinkSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import type { Repository } from '../../../src/repository/repository.ts';
import { backup, makeRepository, restore, type RestoreSettings } from '../../support/engine.ts';
import { factsOf } from '../../support/file-facts.ts';
import { expectSameTree } from '../../support/judge.ts';
import { scratch, sharedScratch, symlink, tree } from '../../support/tree-literal.ts';

const dir = sharedScratch('selection');
const source = join(dir, 'source');
const path = Buffer.from(source);
const odd = Buffer.concat([Buffer.from('odd '), Buffer.of(0xff, 0xe9)]);
let repository: Repository;
let first: string;

beforeAll(async () => {
  tree(source, {
    'a.txt': 'a',
    link: symlink('sub'),
    sub: { 'b.txt': 'b', deep: { 'c.txt': 'c', 'd.txt': 'd' } },
    other: { 'e.txt': 'e' },
  });
  mkdirSync(Buffer.concat([Buffer.from(`${source}/`), odd]));
  writeFileSync(Buffer.concat([Buffer.from(`${source}/`), odd, Buffer.from('/'), odd]), 'odd');
  chmodSync(join(source, 'sub'), 0o711);
  repository = await makeRepository(join(dir, 'repository'));
  first = (await backup(repository, source)).snapshot;
  writeFileSync(join(source, 'a.txt'), 'newer a');
  await backup(repository, source);
});

const oddName = odd.toString('latin1');
const restored = async (settings: RestoreSettings): Promise<string[]> => {
  const target = scratch('selected');
  const { problems } = await restore(repository, target, settings);
  expect(problems).toEqual([]);
  return [...factsOf(target).keys()];
};
const below = (...names: string[]): Buffer => Buffer.from(join(source, ...names));

describe('a path in the snapshot', () => {
  test('of a folder puts its content into the target, which becomes that folder if it is new', async () => {
    const target = join(scratch('path'), 'new', 'target');
    await restore(repository, target, { path: below('sub') });
    await expectSameTree(join(source, 'sub'), target);
    expect(lstatSync(target).mode & 0o777).toBe(0o711);
  });

  test('into a folder that holds something leaves that folder itself as it is', async () => {
    const target = tree(scratch('path'), { 'mine.txt': 'mine' });
    await restore(repository, target, { path: below('sub') });
    expect(lstatSync(target).mode & 0o777).toBe(0o700);
  });

  test.each<[string, Buffer, string[]]>([
    ['file', below('sub', 'b.txt'), ['b.txt']],
    ['link, which is not followed', below('link'), ['link']],
    ['file in a folder, both not UTF-8', Buffer.concat([below(), Buffer.from('/'), odd, Buffer.from('/'), odd]), [oddName]],
    ['folder that is not UTF-8', Buffer.concat([below(), Buffer.from('/'), odd]), [oddName]],
    ['folder with slashes too many', Buffer.from(`//${join(source, 'sub')}//deep///`), ['c.txt', 'd.txt']],
    ['folder without the first slash', Buffer.from(join(source, 'other').slice(1)), ['e.txt']],
  ])('may be that of a %s', async (_, path, expected) => {
    expect(await restored({ path })).toEqual(expected);
  });

  test('of the root means everything', async () => {
    expect(await restored({ path: Buffer.from('/') })).toEqual(await restored({}));
  });

  test.each(['nothing', 'sub/nothing', 'a.txt/below', 'link/b.txt', '../source/a.txt', 'sub/../a.txt', './a.txt'])(
    'that does not exist is an error: %s',
    async (name) => {
      const target = join(scratch('path'), 'target');
      await expect(restore(repository, target, { path: Buffer.from(`${source}/${name}`) })).rejects.toMatchObject({
        code: 'snapshot-path-not-found',
      });
      expect(existsSync(target)).toBe(false);
    },
  );
});

describe('selected entries', () => {
  const items = (...names: (string | Buffer)[]) => ({ path, items: names.map((name) => Buffer.from(name as string)) });

  test.each<[string, ReturnType<typeof items>, string[]]>([
    ['one file', items('a.txt'), ['a.txt']],
    ['several', items('a.txt', 'sub/deep/d.txt', 'other'), ['a.txt', 'other', 'other/e.txt', 'sub', 'sub/deep', 'sub/deep/d.txt']],
    ['a folder and something in it', items('sub', 'sub/deep/c.txt'), ['sub', 'sub/b.txt', 'sub/deep', 'sub/deep/c.txt', 'sub/deep/d.txt']],
    [
      'something in a folder and that folder',
      items('sub/deep/c.txt', 'sub'),
      ['sub', 'sub/b.txt', 'sub/deep', 'sub/deep/c.txt', 'sub/deep/d.txt'],
    ],
    ['the same twice', items('a.txt', 'a.txt'), ['a.txt']],
    ['a link', items('link'), ['link']],
    ['full paths', items(join(source, 'sub', 'b.txt'), 'a.txt'), ['a.txt', 'sub', 'sub/b.txt']],
    [
      'the folder itself',
      items(source),
      [
        'a.txt',
        'link',
        oddName,
        `${oddName}/${oddName}`,
        'other',
        'other/e.txt',
        'sub',
        'sub/b.txt',
        'sub/deep',
        'sub/deep/c.txt',
        'sub/deep/d.txt',
      ],
    ],
  ])('%s', async (_, settings, expected) => {
    expect(await restored(settings)).toEqual(expected);
  });

  test('that are not UTF-8', async () => {
    expect(await restored({ path, items: [Buffer.concat([odd, Buffer.from('/'), odd])] })).toEqual([oddName, `${oddName}/${oddName}`]);
  });

  test('of the whole snapshot keep their full paths', async () => {
    const target = scratch('selected');
    await restore(repository, target, { items: [below('sub', 'b.txt')] });
    expect(readFileSync(join(target, source, 'sub', 'b.txt'), 'utf8')).toBe('b');
    expect(readdirSync(join(target, source))).toEqual(['sub']);
  });

  test('one that does not exist is an error before anything is written', async () => {
    const target = join(scratch('selected'), 'target');
    await expect(restore(repository, target, items('a.txt', 'sub/nothing'))).rejects.toMatchObject({ code: 'snapshot-path-not-found' });
    expect(existsSync(target)).toBe(false);
  });

  test('have the metadata of their folders', async () => {
    const target = scratch('selected');
    await restore(repository, target, items('sub/deep/c.txt'));
    for (const name of ['sub', 'sub/deep', 'sub/deep/c.txt']) {
      const [wanted, found] = [lstatSync(join(source, name)), lstatSync(join(target, name))];
      expect([found.mode, found.mtimeMs]).toEqual([wanted.mode, wanted.mtimeMs]);
    }
  });
});

describe('the snapshot', () => {
  test('is the newest, or the one that is named', async () => {
    const target = scratch('snapshot');
    const settings = { path, items: [Buffer.from('a.txt')] };
    await restore(repository, target, { ...settings, snapshot: first.slice(0, 8) });
    expect(readFileSync(join(target, 'a.txt'), 'utf8')).toBe('a');
    await restore(repository, target, settings);
    expect(readFileSync(join(target, 'a.txt'), 'utf8')).toBe('newer a');
  });

  test('must exist', async () => {
    await expect(restore(repository, join(dir, 'no target'), { snapshot: '00000000' })).rejects.toMatchObject({
      code: 'snapshot-not-found',
    });
    expect(existsSync(join(dir, 'no target'))).toBe(false);
  });
});

describe('the target', () => {
  test('may be a link to a folder, or lie behind one', async () => {
    const work = tree(scratch('target'), { real: {} });
    symlinkSync('real', join(work, 'link'));
    await restore(repository, join(work, 'link'), { path });
    await restore(repository, join(work, 'link', 'further', 'in'), { path });
    expect(readlinkSync(join(work, 'link'))).toBe('real');
    expect(readFileSync(join(work, 'real', 'a.txt'), 'utf8')).toBe('newer a');
    expect(readFileSync(join(work, 'real', 'further', 'in', 'a.txt'), 'utf8')).toBe('newer a');
  });

  test('must be a folder, not a file, nothing below a file, no dangling link, and not the repository or inside it, also by a link', async () => {
    const work = tree(scratch('target'), { file: 'file', dangling: symlink('nowhere'), link: symlink(join(dir, 'repository')) });
    const before = [...factsOf(join(dir, 'repository')).keys()];
    for (const target of [
      join(work, 'file'),
      join(work, 'file', 'below'),
      join(work, 'dangling'),
      join(work, 'dangling', 'below'),
      join(dir, 'repository'),
      join(dir, 'repository', 'new'),
      join(work, 'link'),
      join(work, 'link', 'new'),
    ])
      await expect(restore(repository, target, { path }), target).rejects.toMatchObject({ code: 'target-unusable' });
    expect([...factsOf(join(dir, 'repository')).keys()]).toEqual(before);
    expect(readFileSync(join(work, 'file'), 'utf8')).toBe('file');
  });
});
