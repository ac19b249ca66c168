import { execFileSync, spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { existsSync, linkSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { cliProgram } from '../support/cli.ts';
import { expectJson, ready, summaryOf } from '../support/cli-ready.ts';
import { jsonLines } from '../support/restic.ts';
import { onTerminal } from '../support/terminal.ts';
import { tree } from '../support/tree-literal.ts';
import { expectSoundZip, pythonZip } from '../support/zip.ts';

const namesIn = async (file: string): Promise<string[]> => (await pythonZip(file)).map(({ name }) => name);

describe('export', () => {
  test('writes what a path holds, selected items, and what patterns choose', async () => {
    const { folder, src, cli } = await ready();
    tree(src, { docs: { 'a.txt': 'a', 'b.jpg': 'b' }, pictures: { 'c.jpg': 'c' }, 'd.txt': 'd' });
    await cli.must(['backup', src]);
    const out = (name: string): string => join(folder, name);
    const { stdout, stderr } = await cli.must(['export', `latest:${src}`, '--output', out('all.zip')]);
    expect(stdout).toMatch(/^Snapshot [0-9a-f]{8} is exported to .*all\.zip: 4 files, 2 folders, 0 links; 4 B, as a ZIP of /);
    expect(stderr).toBe('');
    await expectSoundZip(out('all.zip'));
    expect(await namesIn(out('all.zip'))).toEqual(['d.txt', 'docs/', 'docs/a.txt', 'docs/b.jpg', 'pictures/', 'pictures/c.jpg']);
    await cli.must(['export', `latest:${src}`, 'docs', `${src}/d.txt`, '-o', out('some.zip')]);
    expect(await namesIn(out('some.zip'))).toEqual(['d.txt', 'docs/', 'docs/a.txt', 'docs/b.jpg']);
    await cli.must(['export', `latest:${src}`, '--include', '*.jpg', '--exclude', 'c.*', '--stored', '-o', out('few.zip')]);
    expect(await namesIn(out('few.zip'))).toEqual(['docs/', 'docs/b.jpg']);
    const { stderr: empty } = await cli.must(['export', `latest:${src}`, '--include', 'nothing', '-o', out('none.zip')]);
    expect(empty).toContain('the ZIP is empty');
  });

  test('writes to a pipe, and nothing else there', async () => {
    const { folder, src, cli } = await ready();
    tree(src, { a: randomBytes(6_000_000), b: 'b' });
    await cli.must(['backup', src]);
    const { stdoutBytes, stderr } = await cli.must(['export', `latest:${src}`, '--output', '-']);
    expect(stderr).toMatch(/^Snapshot [0-9a-f]{8} is exported: 2 files/);
    writeFileSync(join(folder, 'piped.zip'), stdoutBytes);
    await expectSoundZip(join(folder, 'piped.zip'));
    await cli.must(['export', `latest:${src}`, '--output', join(folder, 'file.zip')]);
    expect(readFileSync(join(folder, 'file.zip')).equals(stdoutBytes)).toBe(true);
  });

  test('replaces no file unasked', async () => {
    const { folder, src, cli } = await ready();
    tree(src, { a: 'a' });
    await cli.must(['backup', src]);
    const file = join(folder, 'out.zip');
    writeFileSync(file, 'precious');
    const { code, stderr } = await cli.run(['export', 'latest', '--output', file]);
    expect(code).toBe(1);
    expect(stderr).toContain('already exists');
    expect(readFileSync(file, 'utf8')).toBe('precious');
    await cli.must(['export', 'latest', '--output', file, '--force']);
    await expectSoundZip(file);
    expect(readdirSync(folder).sort()).toEqual(['out.zip', 'repo', 'src']);
  });

  test('lists in a dry run what then is in the ZIP, and writes nothing', async () => {
    const { folder, src, cli } = await ready();
    tree(src, { docs: { a: 'aaa' } });
    symlinkSync('docs/a', join(src, 'link'));
    await cli.must(['backup', src]);
    const before = readdirSync(folder);
    const { stdout } = await cli.must(['export', `latest:${src}`, '--dry-run']);
    expect(stdout).toBe('docs/\ndocs/a (3 B)\nlink\nThe ZIP would hold 1 file, 1 folder, 1 link; 3 B. Nothing was written.\n');
    const json = await cli.must(['--json', 'export', `latest:${src}`, '--dry-run']);
    expectJson(json.stdout);
    expect(jsonLines(json.stdout).filter(({ type }) => type === 'entry')).toMatchObject([
      { path: join(src, 'docs'), name: 'docs/', kind: 'dir' },
      { path: join(src, 'docs/a'), name: 'docs/a', kind: 'file', size: 3 },
      { path: join(src, 'link'), name: 'link', kind: 'symlink' },
    ]);
    expect(summaryOf(json.stdout)).toMatchObject({ dryRun: true, files: 1, folders: 1, links: 1, problems: 0 });
    expect(readdirSync(folder)).toEqual(before);
  });

  test('says what a ZIP cannot hold; with something left out the exit code is 3', async () => {
    const { folder, src, cli } = await ready();
    tree(src, { first: 'one file' });
    linkSync(join(src, 'first'), join(src, 'second'));
    writeFileSync(Buffer.concat([Buffer.from(`${src}/caf`), Buffer.of(0xe9)]), 'latin');
    execFileSync('setfattr', ['-n', 'user.note', '-v', 'x', join(src, 'first')]);
    await cli.must(['backup', src]);
    const { stderr } = await cli.must(['export', `latest:${src}`, '-o', join(folder, 'out.zip')]);
    expect(stderr).toContain('caf\\xe9 is called caf%E9 in the ZIP');
    expect(stderr).toContain('2 names of files with several names');
    expect(stderr).toContain('2 items had some');
    execFileSync('mkfifo', [join(src, 'pipe')]);
    await cli.must(['backup', src]);
    const { code, stdout } = await cli.run(['--json', 'export', `latest:${src}`, '-o', join(folder, 'more.zip')]);
    expect(code).toBe(3);
    expectJson(stdout);
    expect(jsonLines(stdout).find(({ type }) => type === 'problem')).toMatchObject({ path: join(src, 'pipe'), kind: 'unsupported' });
    expect(summaryOf(stdout)).toMatchObject({ path: join(folder, 'more.zip'), problems: 1, files: 3, hardLinked: 2, withAttributes: 2 });
    await expectSoundZip(join(folder, 'more.zip'));
  });

  test('leaves a damaged file out, names it, and exits with 3', async () => {
    const { folder, src, cli } = await ready();
    const packs = (): string[] =>
      execFileSync('find', [join(cli.repository, 'data'), '-type', 'f', '-size', '+90k'])
        .toString()
        .trim()
        .split('\n');
    tree(src, { bad: randomBytes(100_000) });
    await cli.must(['backup', src]);
    const [pack] = packs();
    tree(src, { good: randomBytes(100_000) });
    await cli.must(['backup', src]);
    rmSync(pack!);
    const { code, stderr } = await cli.run(['export', `latest:${src}`, '-o', join(folder, 'out.zip')]);
    expect(code).toBe(3);
    expect(stderr).toContain(`${src}/bad: is not in the ZIP`);
    expect(await namesIn(join(folder, 'out.zip'))).toEqual(['good']);
  });

  test('is told in words how it is used wrongly', async () => {
    const { folder, src, cli } = await ready();
    tree(src, { a: 'a' });
    await cli.must(['backup', src]);
    for (const [args, says] of [
      [['latest'], 'which file to write'],
      [['latest', '-o', ''], 'which file to write'],
      [['latest', '-o', '-', '--json'], 'ZIP and JSON'],
      [['latest', '-o', folder], 'it is a folder'],
      [['latest', '-o', join(cli.repository, 'x.zip')], 'the repository itself is there'],
      [['latest:/nope', '-o', join(folder, 'x.zip')], 'holds nothing at'],
      [['latest', 'nope', '-o', join(folder, 'x.zip')], 'holds nothing at'],
      [['latest', '--include', '[', '-o', join(folder, 'x.zip')], 'can never match'],
    ] as const) {
      const { code, stdout, stderr } = await cli.run(['export', ...args]);
      expect(stdout + stderr, args.join(' ')).toContain(says);
      expect(code).toBe(1);
    }
    expect(readdirSync(folder).sort()).toEqual(['repo', 'src']);
  });

  test('fails when the reader of the pipe goes away, or nothing more can be written', async () => {
    const { src, cli } = await ready();
    tree(src, { a: randomBytes(9_000_000) });
    await cli.must(['backup', src]);
    const pipe = (line: string): string =>
      spawnSync('bash', ['-c', line, process.execPath, cliProgram, cli.repository], {
        env: { ...process.env, HOLDFAST_PASSWORD: cli.password },
        encoding: 'utf8',
      }).stdout;
    expect(pipe('"$0" "$1" --repo "$2" export latest -o - 2>&1 >/dev/full; echo "code $?"')).toMatch(/could not be written[^]*code 1\n$/);
    const gone = pipe('{ "$0" "$1" --repo "$2" export latest -o - 2>&1 >&3; echo "code $?"; } 3> >(head -c 100 >/dev/null)');
    expect(gone).toMatch(/the program that reads it has ended[^]*code 1\n$/);
  });

  test('shows no ZIP on a terminal', async () => {
    const { src, cli } = await ready();
    tree(src, { a: 'a' });
    await cli.must(['backup', src]);
    const { code, screen } = await onTerminal(cliProgram, ['--repo', cli.repository, 'export', 'latest', '-o', '-'], {
      env: { HOLDFAST_PASSWORD: cli.password },
    });
    expect(code).toBe(1);
    expect(screen).toContain('A terminal cannot show a ZIP');
  });

  test('that is cancelled leaves nothing', async () => {
    const { folder, src, cli } = await ready();
    tree(src, Object.fromEntries(Array.from({ length: 40 }, (_, i) => [`${i}.bin`, randomBytes(4 << 20)])));
    await cli.must(['backup', src]);
    const file = join(folder, 'out.zip');
    let sent = false;
    const { code, stdout } = await cli.run(['--json', 'export', 'latest', '-o', file], {
      onOutput: (text, kill) => {
        if (!sent && text.includes('"progress"')) kill('SIGINT');
        sent ||= text.includes('"progress"');
      },
    });
    expect(code).toBe(130);
    expect(jsonLines(stdout).at(-1)).toMatchObject({ code: 'cancelled', message: 'Cancelled. No ZIP file was made.' });
    expect(existsSync(file)).toBe(false);
    expect(readdirSync(folder).sort()).toEqual(['repo', 'src']);
    expect(readdirSync(join(cli.repository, 'locks'))).toEqual([]);
  });
});
