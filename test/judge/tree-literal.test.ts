import { existsSync, lstatSync, readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { buildNastyTree } from '../support/nasty-tree.ts';
import { file, scratch, symlink, tree } from '../support/tree-literal.ts';

const made: string[] = [];

afterAll(() => {
  expect(made).toHaveLength(2);
  expect(made.filter((dir) => existsSync(dir))).toEqual([]);
});

test('a tree literal becomes the files, folders, links and modes that it shows', () => {
  const dir = scratch('literal');
  made.push(dir);
  const bytes = Buffer.of(0, 255, 10);
  const written = tree(join(dir, 'new'), {
    docs: { 'a.txt': 'hello', 'b.bin': bytes, target: 'a file of that name', none: {} },
    link: symlink('docs/a.txt'),
    odd: symlink(Buffer.of(0xff)),
    secret: file('s', { mode: 0o4600 }),
  });
  expect(readFileSync(join(written, 'link'), 'utf8')).toBe('hello');
  expect(readFileSync(join(written, 'docs/b.bin'))).toEqual(bytes);
  expect(readlinkSync(join(written, 'odd'), 'buffer')).toEqual(Buffer.of(0xff));
  expect(lstatSync(join(written, 'secret')).mode & 0o7777).toBe(0o4600);
  expect(readdirSync(join(written, 'docs')).sort()).toEqual(['a.txt', 'b.bin', 'none', 'target']);
});

test('a scratch folder vanishes after its test, whatever it holds', async () => {
  const dir = scratch('nasty');
  made.push(dir);
  await buildNastyTree(join(dir, 'nasty'), { small: true, socket: true });
  expect(readdirSync(join(dir, 'nasty')).length).toBeGreaterThan(10);
});
