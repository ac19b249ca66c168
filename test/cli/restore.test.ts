import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { expectJson, ready } from '../support/cli-ready.ts';
import { jsonLines } from '../support/restic.ts';
import { tree } from '../support/tree-literal.ts';

/** What is in a folder, but for what an undo of the restore needs. */
const own = (folder: string): string[] => readdirSync(folder).filter((name) => !name.startsWith('.holdfast-undo-'));

describe('restore', () => {
  test('rebuilds full paths, or puts the content of a path into the target', async () => {
    const { folder, src, cli } = await ready();
    tree(src, { docs: { a: 'a', sub: { b: 'b' } } });
    await cli.must(['backup', src]);
    await cli.must(['restore', 'latest', '--target', join(folder, 'whole')]);
    execFileSync('diff', ['-r', src, join(folder, 'whole', src)]);
    const { stdout } = await cli.must(['restore', `latest:${src}/docs`, '--target', join(folder, 'part'), '--verify']);
    execFileSync('diff', ['-r', join(src, 'docs'), join(folder, 'part')]);
    expect(stdout).toContain('Verified');
    await cli.must(['restore', `latest:${src}/docs`, 'sub', '--target', join(folder, 'item')]);
    expect(readdirSync(join(folder, 'item'))).toEqual(['sub']);
  });

  test('a dry run lists what a restore then does, and does nothing', async () => {
    const { folder, src, cli } = await ready();
    tree(src, { a: 'a', b: 'b' });
    await cli.must(['backup', src]);
    const target = join(folder, 'out');
    const { stdout } = await cli.must(['--json', 'restore', `latest:${src}`, '--target', target, '--dry-run']);
    expectJson(stdout);
    expect(existsSync(target)).toBe(false);
    const planned = jsonLines(stdout)
      .filter(({ type }) => type === 'entry')
      .map(({ path, action }) => [path, action]);
    expect(planned).toEqual([
      [join(target, 'a'), 'create'],
      [join(target, 'b'), 'create'],
    ]);
    await cli.must(['restore', `latest:${src}`, '--target', target]);
    expect(readdirSync(target)).toEqual(['a', 'b']);
  });

  test('--original puts files back, keeps both if wanted, and deletes only when told', async () => {
    const { src, cli } = await ready();
    tree(src, { a: 'old', b: 'b' });
    await cli.must(['backup', src]);
    tree(src, { a: 'new and longer', extra: 'x' });
    rmSync(join(src, 'b'));
    await cli.must(['restore', `latest:${src}`, '--original', '--overwrite', 'keep-both']);
    expect(readFileSync(join(src, 'a'), 'utf8')).toBe('new and longer');
    expect(own(src)).toHaveLength(4);
    await cli.must(['restore', `latest:${src}`, '--original', '--delete']);
    expect(own(src)).toEqual(['a', 'b']);
    expect(readFileSync(join(src, 'a'), 'utf8')).toBe('old');
  });

  test('a path that the snapshot does not hold restores nothing', async () => {
    const { folder, src, cli } = await ready();
    tree(src, { a: 'a' });
    await cli.must(['backup', src]);
    const { code, stderr } = await cli.run(['restore', `latest:${src}/nope`, '--target', join(folder, 'out')]);
    expect(code).toBe(1);
    expect(stderr).toContain('holds nothing at');
    expect(existsSync(join(folder, 'out'))).toBe(false);
  });
});
