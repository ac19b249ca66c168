import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { chmodSync, copyFileSync, mkdirSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { cliProgram } from '../support/cli.ts';
import { expectJson, ready, summaryOf } from '../support/cli-ready.ts';
import { jsonLines } from '../support/restic.ts';
import { tree } from '../support/tree-literal.ts';

describe('snapshots, ls and dump', () => {
  test('list what there is, filtered, and a snapshot is its ID, a unique beginning, or latest', async () => {
    const { src, cli } = await ready();
    tree(src, { one: { f: '1' }, two: { f: '2' } });
    const ids: string[] = [];
    for (const [name, host] of [
      ['one', 'h1'],
      ['two', 'h1'],
      ['two', 'h2'],
      ['two', 'h2'],
    ]) {
      const { stdout } = await cli.must(['--json', 'backup', join(src, name!), '--host', host!, '--tag', `t-${name}`]);
      ids.push(summaryOf(stdout).snapshot as string);
    }
    const listed = async (...args: string[]): Promise<string[]> =>
      jsonLines((await cli.must(['--json', 'snapshots', ...args])).stdout)
        .filter(({ type }) => type === 'snapshot')
        .map(({ id }) => id as string);
    expect(await listed()).toEqual(ids);
    expect(await listed('--host', 'h1')).toEqual(ids.slice(0, 2));
    expect(await listed('--path', join(src, 'two'), '--host', 'h1', '--host', 'h2')).toEqual(ids.slice(1));
    expect(await listed('--tag', 't-one')).toEqual(ids.slice(0, 1));
    expect(await listed('--tag', 't-one,t-two')).toEqual([]);
    expect(await listed('--latest', '1')).toEqual([ids[0], ids[1], ids[3]]);
    const { stdout } = await cli.must(['snapshots']);
    expect(stdout).toContain('4 snapshots');
    for (const id of ids) expect(stdout).toContain(id.slice(0, 8));

    expect((await cli.must(['dump', `${ids[0]!.slice(0, 10)}:${src}/one/f`])).stdout).toBe('1');
    expect((await cli.must(['dump', `latest:${src}/two/f`])).stdout).toBe('2');
    // Five files with only sixteen first digits need not clash, so the clash is made.
    const names = readdirSync(join(cli.repository, 'snapshots'));
    const clash = `${names[0]!.slice(0, 4)}${'0'.repeat(60)}`;
    copyFileSync(join(cli.repository, 'snapshots', names[0]!), join(cli.repository, 'snapshots', clash));
    const ambiguous = await cli.run(['ls', names[0]!.slice(0, 4)]);
    expect(ambiguous.code).toBe(1);
    expect(ambiguous.stderr).toContain('Several snapshots');
    for (const wrong of ['ffffffff', 'nonsense', '']) expect((await cli.run(['ls', `${wrong}:/`])).code).toBe(1);
  });

  test('a damaged snapshot is named, the others are listed, and the exit code is 3', async () => {
    const { src, cli } = await ready();
    tree(src, { f: '1' });
    await cli.must(['backup', src]);
    writeFileSync(join(cli.repository, 'snapshots', 'a'.repeat(64)), 'garbage that is long enough to be looked at');
    const { code, stdout, stderr } = await cli.run(['snapshots']);
    expect(code).toBe(3);
    expect(stderr).toContain('aaaaaaaa');
    expect(stdout).toContain('1 snapshot');
  });

  test('ls gives a line an entry, whatever the names are', async () => {
    const { src, cli } = await ready();
    tree(src, { 'new\nline': '', 'esc\x1b[31m': '', 'tab\t': '', sub: { deep: 'x' } });
    symlinkSync('/tar\nget', join(src, 'link'));
    await cli.must(['backup', src]);
    const { stdout } = await cli.must(['ls', `latest:${src}`]);
    expect(stdout.split('\n').sort()).toEqual(
      ['', 'esc\\x1b[31m', 'link', 'new\\nline', 'sub/', 'sub/deep', 'tab\\t'].map((name) => name && `${src}/${name}`).sort(),
    );
    expect((await cli.must(['ls', '--no-recursive', `latest:${src}`])).stdout).not.toContain('deep');
    const long = (await cli.must(['ls', '--long', `latest:${src}/link`])).stdout;
    expect(long).toMatch(/^lrwxrwxrwx .*link -> \/tar\\nget\n$/);
    expect((await cli.must(['ls', 'latest'])).stdout.startsWith('/')).toBe(true);
    const json = await cli.must(['--json', 'ls', `latest:${src}`]);
    expectJson(json.stdout);
    expect(jsonLines(json.stdout).map(({ path }) => path)).toContain(`${src}/new\nline`);
    expect((await cli.run(['ls', `latest:${src}/none`])).stderr).toContain('holds nothing at');
  });

  test('ls lists more than fits into one batch, in order and once', async () => {
    const { src, cli } = await ready();
    mkdirSync(src);
    for (let i = 0; i < 3000; i++) {
      if (i % 10 === 0) tree(join(src, `d${i}`), { inner: '' });
      else writeFileSync(join(src, `f${i}`), '');
    }
    await cli.must(['backup', src]);
    const ours = (await cli.must(['ls', `latest:${src}`])).stdout.trimEnd().split('\n');
    const found = execFileSync('find', [src, '-mindepth', '1', '-type', 'd', '-printf', '%p/\n', '-o', '-type', 'f', '-print'], {
      maxBuffer: 1 << 24,
    });
    expect(ours.length).toBe(3300);
    expect([...ours].sort()).toEqual(found.toString().trimEnd().split('\n').sort());
    expect(ours.indexOf(`${src}/d0/inner`)).toBe(ours.indexOf(`${src}/d0/`) + 1);
  });

  test('ls lists all but the folders that are damaged, names those, and exits with 3', async () => {
    const { src, cli } = await ready();
    const packs = (): string[] =>
      execFileSync('find', [join(cli.repository, 'data'), '-type', 'f'])
        .toString()
        .trim()
        .split('\n');
    tree(src, { a: { inner: '' } });
    await cli.must(['backup', src]);
    const first = packs();
    tree(src, { b: { other: '' } });
    await cli.must(['backup', src]);
    // The list of the folder "a" is the only thing there that the second snapshot needs.
    for (const pack of first) rmSync(pack);
    const { code, stdout, stderr } = await cli.run(['ls', `latest:${src}`]);
    expect(code).toBe(3);
    expect(stdout).toBe(`${src}/a/\n${src}/b/\n${src}/b/other\n`);
    expect(stderr).toContain(`${src}/a: `);
  });

  test('dump gives a file of many chunks byte for byte, and an empty one', async () => {
    const { src, cli, restic } = await ready();
    const content = Buffer.concat([randomBytes(30_000_000), Buffer.alloc(20_000_000), randomBytes(7)]);
    tree(src, { big: content, empty: '' });
    await cli.must(['backup', src]);
    const dumped = await cli.must(['dump', `latest:${src}/big`]);
    expect(dumped.stdoutBytes.equals(content)).toBe(true);
    expect(dumped.stderr).toBe('');
    expect((await cli.must(['dump', `latest:${src}/empty`])).stdoutBytes.length).toBe(0);
    await restic.backup([src], { force: true });
    expect((await cli.must(['dump', `latest:${src}/big`])).stdoutBytes.equals(content)).toBe(true);
    const folder = await cli.run(['dump', `latest:${src}`]);
    expect(folder.code).toBe(1);
    expect(folder.stderr).toContain('is a folder');
    expect((await cli.run(['--json', 'dump', `latest:${src}/empty`])).code).toBe(1);
  });

  test('dump never gives a wrong byte: a damaged file ends with an error', async () => {
    const { src, cli } = await ready();
    tree(src, { big: randomBytes(5_000_000) });
    await cli.must(['backup', src, '--pack-size', '4']);
    const content = readFileSync(join(src, 'big'));
    const packs = execFileSync('find', [join(cli.repository, 'data'), '-type', 'f', '-size', '+1M'])
      .toString()
      .trim()
      .split('\n');
    for (const pack of packs) {
      const bytes = readFileSync(pack);
      bytes[bytes.length >> 1]! ^= 1;
      chmodSync(pack, 0o600);
      writeFileSync(pack, bytes);
    }
    const { code, stdoutBytes, stderr } = await cli.run(['dump', `latest:${src}/big`]);
    expect(code).toBe(1);
    expect(stderr).toContain('damaged');
    expect(stdoutBytes.length).toBeLessThan(content.length);
    expect(content.subarray(0, stdoutBytes.length).equals(stdoutBytes)).toBe(true);
  });

  test('a reader that goes away ends a listing quietly', async () => {
    const { src, cli } = await ready();
    mkdirSync(src);
    for (let i = 0; i < 3000; i++) writeFileSync(join(src, `a-name-that-is-long-enough-to-fill-the-pipe-${i}`), '');
    await cli.must(['backup', src]);
    const line = `set -o pipefail; "$0" "$1" --repo "$2" ls latest | head -1`;
    const out = execFileSync('bash', ['-c', line, process.execPath, cliProgram, cli.repository], {
      env: { ...process.env, HOLDFAST_PASSWORD: cli.password },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    expect(out.toString().split('\n')).toHaveLength(2);
  });

  test('output that cannot be written is an error', async () => {
    const { src, cli } = await ready();
    tree(src, { f: 'content' });
    await cli.must(['backup', src]);
    const line = `"$0" "$1" --repo "$2" dump "latest:$3/f" 2>&1 >/dev/full; echo "code $?"`;
    const out = execFileSync('bash', ['-c', line, process.execPath, cliProgram, cli.repository, src], {
      env: { ...process.env, HOLDFAST_PASSWORD: cli.password },
    });
    expect(out.toString()).toMatch(/could not be written to the output[^]*code 1\n$/);
  });
});
