import { execFileSync } from 'node:child_process';
import { chmodSync, existsSync, readdirSync, readFileSync, rmSync, statSync, unlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { randomBytes } from 'node:crypto';
import { describe, expect, onTestFinished, test } from 'vitest';
import { usualSources } from '../../src/cli/start/sources.ts';
import { holdfastStart, quickRepository } from '../support/cli.ts';
import { jsonLines, Restic } from '../support/restic.ts';
import { startRestServer } from '../support/servers.ts';
import { scratch, tree } from '../support/tree-literal.ts';

const dataOf = (home: string): string => join(home, '.local/share/holdfast');

/** The commands that a run printed. */
const commandsIn = (stdout: string): string[] =>
  stdout
    .split('\n')
    .filter((line) => line.startsWith('  '))
    .map((line) => line.trim());

const shell = (command: string, home: string): string =>
  execFileSync('sh', ['-c', command], { cwd: '/', env: { PATH: '/usr/bin:/bin', HOME: home } }).toString();

describe('npm start', () => {
  test('backs the Documents folder up, proves it, and prints commands that work as they stand', async () => {
    const home = join(scratch(), "it's home");
    tree(home, { Documents: { 'letter.txt': 'dear', photo: randomBytes(100_000) }, other: { x: 'x' } });
    const { code, stdout, stderr } = await holdfastStart([], { env: { HOME: home } });
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout).toContain(join(home, 'Documents'));
    expect(stdout).toContain('No errors were found');
    expect(stdout).toContain('same disk');
    expect(stdout).not.toContain('\x1b');
    const file = join(dataOf(home), 'password');
    expect(statSync(file).mode & 0o777).toBe(0o600);
    expect(statSync(dataOf(home)).mode & 0o777).toBe(0o700);
    const password = readFileSync(file, 'utf8').trim();
    expect(password).toMatch(/^[\w-]{32}$/);
    expect(stdout).not.toContain(password);
    const [list, browse, restore] = commandsIn(stdout);
    expect(shell(list!, home)).toContain('1 snapshot');
    expect(shell(browse!, home)).toContain('letter.txt');
    shell(restore!, home);
    const [restored] = readdirSync(home).filter((name) => name.startsWith('holdfast-restored-'));
    execFileSync('diff', ['-r', join(home, 'Documents'), join(home, restored!, home, 'Documents')]);
    expect((await new Restic(join(dataOf(home), 'repository'), password).check({ readData: true })).code).toBe(0);
    const again = await holdfastStart(['--json'], { env: { HOME: home } });
    expect(again.code).toBe(0);
    const lines = jsonLines(again.stdout);
    expect(lines.find(({ strategy }) => strategy !== undefined)).toMatchObject({ strategy: 'incremental', files_unmodified: 2 });
    expect(lines.at(-1)).toMatchObject({ type: 'next', sameDisk: true });
  });

  test('backs up named folders to a named destination, relative to where the person is', async () => {
    const home = scratch();
    tree(home, { work: { a: 'a' }, plays: { b: 'b' } });
    const { code, stdout } = await holdfastStart(['work', 'plays', '--to', 'disk/backup'], { cwd: home, env: { HOME: home } });
    expect(code).toBe(0);
    expect(stdout).toContain(`new repository ${join(home, 'disk/backup')}`);
    const [file] = readdirSync(join(dataOf(home), 'passwords'));
    const password = readFileSync(join(dataOf(home), 'passwords', file!), 'utf8').trim();
    const [snapshot] = await new Restic(join(home, 'disk/backup'), password).snapshots();
    expect(snapshot!.paths).toEqual([join(home, 'plays'), join(home, 'work')]);
    expect(existsSync(join(dataOf(home), 'repository'))).toBe(false);
    expect((await holdfastStart(['work', '--to', 'disk/backup'], { cwd: home, env: { HOME: home } })).stdout).not.toContain(
      'new repository',
    );
  });

  test('a destination that holds other things gets a folder of its own', async () => {
    const home = scratch();
    tree(home, { work: { a: 'a' }, disk: { data: { mine: 'x' } } });
    for (const isNew of [true, false]) {
      const { code, stdout } = await holdfastStart([join(home, 'work'), '--to', join(home, 'disk')], { env: { HOME: home } });
      expect(code).toBe(0);
      expect(stdout.includes('new repository')).toBe(isNew);
    }
    expect(readdirSync(join(home, 'disk')).sort()).toEqual(['data', 'holdfast-backup']);
    expect(readdirSync(join(home, 'disk/data'))).toEqual(['mine']);
  });

  test('a repository that the kept password does not open wants its own', async () => {
    const home = scratch();
    tree(home, { work: { a: 'a' } });
    const { repository, password } = await quickRepository(join(home, 'theirs'), 'their secret');
    const args = [join(home, 'work'), '--to', repository];
    expect((await holdfastStart(args, { env: { HOME: home } })).code).toBe(1);
    expect((await holdfastStart(args, { env: { HOME: home, HOLDFAST_PASSWORD: 'wrong' } })).code).toBe(12);
    const { code, stdout } = await holdfastStart(args, { env: { HOME: home, HOLDFAST_PASSWORD: password } });
    expect(code).toBe(0);
    expect(stdout).not.toContain('--password-file');
    expect(stdout).not.toContain(password);
  });

  test('a first run that was cut off between its steps does not stand in the way', async () => {
    const home = scratch();
    tree(home, { Documents: { a: 'a' } });
    const env = { HOME: home };
    expect((await holdfastStart([], { env })).code).toBe(0);
    const repository = join(dataOf(home), 'repository');
    const password = readFileSync(join(dataOf(home), 'password'));
    // The password is kept, the repository is not there yet.
    rmSync(repository, { recursive: true });
    expect((await holdfastStart([], { env })).code).toBe(0);
    expect(readFileSync(join(dataOf(home), 'password'))).toEqual(password);
    // The key is stored, the config is not.
    for (const kind of ['data', 'index', 'snapshots']) execFileSync('find', [join(repository, kind), '-type', 'f', '-delete']);
    unlinkSync(join(repository, 'config'));
    expect((await holdfastStart([], { env })).code).toBe(0);
    // A repository whose config got lost is never taken for one that was not finished.
    unlinkSync(join(repository, 'config'));
    const { code, stderr } = await holdfastStart([], { env });
    expect(code).toBe(1);
    expect(stderr).toContain('already holds');
  });

  test('backs up to a place on a server, with its credentials in a file, and the commands that it prints work', async () => {
    const user = { username: 'me', password: 'sehr geheim' };
    const server = await startRestServer({ user });
    onTestFinished(() => server.stop());
    const home = scratch();
    const credentials = `HOLDFAST_REST_USERNAME=${user.username}\nHOLDFAST_REST_PASSWORD="${user.password}"\n`;
    tree(home, { work: { a: 'first' }, 'rest credentials': credentials });
    const env = { HOME: home };
    const place = `rest:${server.url}/backup/`;
    const args = ['work', '--to', place, '--credentials-file', 'rest credentials'];
    const first = await holdfastStart(args, { cwd: home, env });
    expect({ code: first.code, stderr: first.stderr }).toEqual({ code: 0, stderr: '' });
    expect(first.stdout).toContain(`new repository ${place}`);
    expect(first.stdout).toContain('No errors were found');
    expect(first.stdout).not.toMatch(/same disk|geheim/);
    const again = await holdfastStart(args, { cwd: home, env });
    expect(again.code).toBe(0);
    expect(again.stdout).not.toContain('new repository');
    const [list, browse, restore] = commandsIn(again.stdout);
    expect(shell(list!, home)).toContain('2 snapshots');
    expect(shell(browse!, home)).toContain('work/a');
    shell(restore!, home);
    const [restored] = readdirSync(home).filter((name) => name.startsWith('holdfast-restored-'));
    expect(readFileSync(join(home, restored!, home, 'work/a'), 'utf8')).toBe('first');
    // A mistyped place makes nothing and keeps no password for it.
    const passwords = readdirSync(join(dataOf(home), 'passwords'));
    expect((await holdfastStart(['work', '--to', 'rest:http://127.0.0.1:9/'], { cwd: home, env })).code).toBe(1);
    expect(readdirSync(join(dataOf(home), 'passwords'))).toEqual(passwords);
  });

  test('damage that the check finds is told, and nothing is called whole', async () => {
    const home = scratch();
    tree(home, { Documents: { a: randomBytes(200_000) } });
    const env = { HOME: home };
    expect((await holdfastStart([], { env })).code).toBe(0);
    const [pack] = execFileSync('find', [join(dataOf(home), 'repository/data'), '-type', 'f', '-size', '+100k'])
      .toString()
      .trim()
      .split('\n');
    const bytes = readFileSync(pack!);
    bytes[5000]! ^= 1;
    chmodSync(pack!, 0o600);
    writeFileSync(pack!, bytes);
    const { code, stdout } = await holdfastStart([], { env });
    expect(code).toBe(1);
    expect(stdout).toContain('DAMAGE');
    expect(stdout).not.toContain('is whole');
  });

  test('missing folders, wrong options and a home without folders are told in words, and nothing is made', async () => {
    const home = scratch();
    for (const [args, says] of [
      [['/nowhere/at/all'], 'No snapshot was made'],
      [['--frob'], 'unknown option'],
      [[], 'no folder that could be backed up'],
    ] as const) {
      const { code, stderr } = await holdfastStart(args, { env: { HOME: home } });
      expect(code).toBe(1);
      expect(stderr).toContain(says);
    }
    expect(readdirSync(home)).toEqual([]);
    expect((await holdfastStart(['--help'])).stdout).toContain('npm start');
  });
});

test('without Documents the visible folders of the home folder are backed up, not its files nor what is hidden', () => {
  const home = scratch();
  tree(home, { Music: {}, Books: {}, '.hidden': {}, 'file.txt': '' });
  expect(usualSources({ platform: 'linux', env: {}, home })).toEqual([join(home, 'Books'), join(home, 'Music')]);
});
