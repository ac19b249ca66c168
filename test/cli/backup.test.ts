import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { chmodSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { cliProgram } from '../support/cli.ts';
import { expectJson, ready, summaryOf } from '../support/cli-ready.ts';
import { jsonLines } from '../support/restic.ts';
import { tree } from '../support/tree-literal.ts';

const isRoot = process.getuid?.() === 0;

describe('backup', () => {
  test('stores folders that restic restores, and says how much', async () => {
    const { folder, src, cli, restic } = await ready();
    tree(src, { 'a.txt': 'hello', sub: { 'b.bin': randomBytes(100_000) } });
    const { stdout, stderr } = await cli.must(['backup', src, '--tag', 'home,daily', '--tag', 'x', '--host', 'laptop']);
    expect(stderr).toBe('');
    expect(stdout).toContain('2 files, 97.7 KiB');
    expect(stdout).not.toContain('\x1b');
    const [snapshot] = await restic.snapshots();
    expect(snapshot).toMatchObject({ hostname: 'laptop', paths: [src], tags: ['home', 'daily', 'x', 'strategy=full'] });
    await restic.restore('latest', join(folder, 'out'));
    execFileSync('diff', ['-r', src, join(folder, 'out', src)]);
  });

  test('with --json every line is an object, and the last one the summary', async () => {
    const { src, cli } = await ready();
    tree(src, { a: 'a', b: 'b' });
    const { stdout, stderr } = await cli.must(['--json', 'backup', src]);
    expect(stderr).toBe('');
    expectJson(stdout);
    const lines = jsonLines(stdout);
    expect(lines.at(-1)).toMatchObject({ type: 'summary', strategy: 'full', files_new: 2, problems: 0 });
    expect(lines.some(({ type }) => type === 'progress')).toBe(true);
  });

  test('two sources of the same name are both stored, under their own paths', async () => {
    const { src, cli } = await ready();
    tree(src, { one: { docs: { f: '1' } }, two: { docs: { f: '2' } } });
    await cli.must(['backup', join(src, 'one/docs'), join(src, 'two/docs')]);
    expect((await cli.must(['dump', `latest:${src}/one/docs/f`])).stdout).toBe('1');
    expect((await cli.must(['dump', `latest:${src}/two/docs/f`])).stdout).toBe('2');
  });

  test('a source that is missing is named, the others are stored, and the exit code is 3', async () => {
    const { folder, src, cli } = await ready();
    tree(src, { a: 'a' });
    const { code, stdout, stderr } = await cli.run(['backup', src, join(folder, 'gone')]);
    expect(code).toBe(3);
    expect(stderr).toContain(`${join(folder, 'gone')}: is not there`);
    expect(stdout).toContain('is stored');
    const none = await cli.run(['backup', join(folder, 'gone')]);
    expect(none.code).toBe(1);
    expect(none.stderr).toContain('No snapshot was made');
  });

  test('a file that cannot be read is named and the exit code is 3', async () => {
    const { src, cli } = await ready();
    tree(src, { good: 'a', bad: 'b' });
    chmodSync(join(src, 'bad'), 0);
    // The administrator may read every file, but for this process's memory: nothing lies at its start.
    const bad = isRoot ? `/proc/${process.pid}/mem` : join(src, 'bad');
    const { code, stdout, stderr } = await cli.run(['backup', src, bad]);
    expect(code).toBe(3);
    expect(stderr).toContain(`${bad}: could not be read`);
    expect(stdout).toContain('is stored');
  });

  test('a destination inside the source is left out with a note', async () => {
    const { folder, cli } = await ready();
    tree(folder, { 'a.txt': 'a' });
    const { stderr } = await cli.must(['backup', folder]);
    expect(stderr).toContain('It is left out');
    const { stdout } = await cli.must(['ls', 'latest']);
    expect(stdout).toContain(`${folder}/a.txt`);
    expect(stdout).not.toContain(`${folder}/repo`);
  });

  test('a source inside the destination is refused', async () => {
    const { cli } = await ready();
    const { code, stderr } = await cli.run(['backup', join(cli.repository, 'keys')]);
    expect(code).toBe(1);
    expect(stderr).toContain('lies inside the destination');
  });

  test('leaves out what patterns, files of patterns, presets, tags and sizes say', async () => {
    const { folder, src, cli } = await ready();
    tree(src, {
      'keep.txt': '1',
      'A.TMP': '1',
      'b.log': '1',
      'c.OLD': '1',
      big: Buffer.alloc(3000),
      cached: { 'CACHEDIR.TAG': 'Signature: 8a477f597d28d172789f06886806bc55\n', x: '1' },
      hidden: { '.nobackup': '', x: '1' },
      node_modules: { x: '1' },
    });
    writeFileSync(join(folder, 'patterns'), '# comment\n*.log\r\n');
    await cli.must([
      'backup',
      src,
      '--exclude-file',
      join(folder, 'patterns'),
      '--iexclude=*.old',
      '--preset=temporary',
      '--preset=node_modules',
      '--exclude-caches',
      '--exclude-if-present=.nobackup',
      '--exclude-larger-than=2K',
    ]);
    const { stdout } = await cli.must(['ls', '--no-recursive', `latest:${src}`]);
    expect(
      stdout
        .split('\n')
        .filter(Boolean)
        .map((line) => line.slice(src.length + 1)),
    ).toEqual(['cached/', 'hidden/', 'keep.txt'].filter((name) => stdout.includes(name)));
    for (const gone of ['A.TMP', 'b.log', 'c.OLD', 'big', 'node_modules']) expect(stdout).not.toContain(gone);
  });

  test('the strategy decides what a snapshot is compared with', async () => {
    const { src, cli } = await ready();
    tree(src, { a: 'a' });
    const run = async (...args: string[]): Promise<Record<string, unknown>> =>
      summaryOf((await cli.must(['--json', 'backup', src, ...args])).stdout);
    const first = await run('--differential');
    expect(first).toMatchObject({ strategy: 'full', files_new: 1 });
    const second = await run();
    expect(second).toMatchObject({ strategy: 'incremental', parent: first.snapshot, files_unmodified: 1 });
    expect(await run('--strategy', 'differential')).toMatchObject({ strategy: 'differential', parent: first.snapshot });
    expect(await run('--full')).toMatchObject({ strategy: 'full' });
  });

  test('names that are not UTF-8 can be given as arguments and in lists', async () => {
    const { folder, src, cli } = await ready();
    mkdirSync(src);
    const name = Buffer.concat([Buffer.from(`${src}/caf`), Buffer.from([0xe9, 0x0a, 0xff])]);
    writeFileSync(name, 'odd');
    writeFileSync(join(src, 'plain'), 'even');
    const list = Buffer.concat([name, Buffer.from([0])]);
    await cli.must(['backup', '--files-from-raw', '-'], { input: list });
    writeFileSync(join(folder, 'list'), `${join(src, 'plain')}\r\n\n`);
    await cli.must(['backup', '--files-from', join(folder, 'list')]);
    // Python, since Node cannot pass such arguments on.
    const script =
      'import subprocess, sys; b = bytes.fromhex(sys.argv[1]); sys.exit(subprocess.call([a.encode() for a in sys.argv[2:]] + [b"latest:" + b]))';
    await cli.must(['backup', src]);
    const env = { ...process.env, HOLDFAST_PASSWORD: cli.password };
    const dumped = execFileSync(
      '/usr/bin/python3',
      ['-c', script, name.toString('hex'), process.execPath, cliProgram, '--repo', cli.repository, 'dump'],
      { env },
    );
    expect(dumped.toString()).toBe('odd');
  });
});
