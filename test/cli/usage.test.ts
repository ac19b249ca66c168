import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { systemClock } from '../../src/platform/clock.ts';
import { hostIdentity } from '../../src/platform/host.ts';
import { Lock } from '../../src/repository/locks.ts';
import { Repository } from '../../src/repository/repository.ts';
import { LocalStorage } from '../../src/storage/local.ts';
import { Cli, holdfast, quickRepository } from '../support/cli.ts';
import { Restic } from '../support/restic.ts';
import { scratch, tree } from '../support/tree-literal.ts';

const verbs =
  'init backup snapshots ls dump diff find stats restore check forget prune unlock key version tag rewrite migrate mirror export completion man test-connection'.split(
    ' ',
  );
const escapeCode = /\x1b/;

describe('help', () => {
  test('of the program names every verb, the environment and the exit codes', async () => {
    const { code, stdout, stderr } = await holdfast(['--help']);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    for (const word of [...verbs, 'HOLDFAST_REPOSITORY', 'HOLDFAST_PASSWORD_FILE', '130 cancelled']) expect(stdout).toContain(word);
  });

  test.each([...verbs, 'key list', 'key add', 'key remove', 'key change'])('of "%s" has an example', async (verb) => {
    const { code, stdout, stderr } = await holdfast([...verb.split(' '), '--help']);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout).toMatch(new RegExp(`Examples?:\n  .*holdfast.* ${verb}|Examples?:\n(  .*\n)*  .*holdfast.* ${verb.split(' ')[0]}`));
    expect(stdout).toContain('--password-file');
  });
});

describe('wrong usage exits with 1, says what is wrong, and does nothing', () => {
  test.each([
    ['no verb', [], 'No verb'],
    ['an unknown verb', ['frobnicate'], 'Unknown command'],
    ['an unknown option', ['snapshots', '--frob'], 'Unknown option'],
    ['no repository named', ['snapshots'], 'No repository was named'],
    ['another kind of destination', ['--repo', 'swift:host:/path', 'snapshots'], 'cannot use swift'],
    ['no source', ['--repo', 'x', 'backup'], 'No folder or file'],
    ['two strategies', ['--repo', 'x', 'backup', '--full', '--differential', '/etc/hostname'], 'at the same time'],
    ['an unknown strategy', ['--repo', 'x', 'backup', '--strategy', 'best', '/etc/hostname'], '--strategy'],
    ['an unknown preset', ['--repo', 'x', 'backup', '--preset', 'stuff', '/etc/hostname'], 'stuff'],
    ['a pack size beyond reason', ['--repo', 'x', 'backup', '--pack-size', '4096', '/etc/hostname'], '--pack-size'],
    ['a file of patterns that is not there', ['--repo', 'x', 'backup', '--exclude-file', '/nowhere', '/etc/hostname'], '/nowhere'],
    ['a restore to nowhere', ['--repo', 'x', 'restore', 'latest'], 'where to restore to'],
    ['a restore to two places', ['--repo', 'x', 'restore', 'latest', '--target', 'y', '--original'], 'where to restore to'],
    ['a dump of no file', ['--repo', 'x', 'dump', 'latest'], 'which file'],
    ['a forget of nothing', ['--repo', 'x', 'forget'], 'not said which snapshots'],
    ['names together with rules', ['--repo', 'x', 'forget', 'abc', '--keep-last', '1'], 'at the same time'],
    ['a rule that is no number', ['--repo', 'x', 'forget', '--keep-last', 'some'], '--keep-last'],
    ['a subset that is none', ['--repo', 'x', 'check', '--read-data-subset', '9/3'], '9/3'],
    ['key without a verb', ['--repo', 'x', 'key'], 'what to do'],
  ])('%s', async (_, args, says) => {
    const folder = scratch();
    const { code, stdout, stderr } = await holdfast(args, { cwd: folder, env: { HOLDFAST_PASSWORD: 'pw' } });
    expect(stderr).toContain(says);
    expect(stderr).not.toMatch(/\bat .*\.[jt]s:\d/);
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
    expect(readdirSync(folder)).toEqual([]);
  });

  test('with --json it is one object', async () => {
    const { code, stdout, stderr } = await holdfast(['snapshots', '--frob', '--json']);
    expect({ code, stderr }).toEqual({ code: 1, stderr: '' });
    expect(JSON.parse(stdout)).toMatchObject({ type: 'error', code: 'bad-usage', guidance: expect.stringContaining('--help') });
  });
});

describe('places and passwords', () => {
  test('a folder that is not there, and one without a repository, exit with 10', async () => {
    const folder = scratch();
    tree(folder, { some: { 'file.txt': 'hello' } });
    for (const place of ['nowhere', 'some']) {
      const { code, stderr } = await holdfast(['--repo', join(folder, place), 'snapshots'], { env: { HOLDFAST_PASSWORD: 'pw' } });
      expect(code).toBe(10);
      expect(stderr).toContain('There is no backup repository');
    }
    expect(readdirSync(folder)).toEqual(['some']);
  });

  test('a wrong password exits with 12 and is not printed', async () => {
    const cli = await quickRepository(join(scratch(), 'repo'));
    const { code, stdout, stderr } = await new Cli(cli.repository, 'guess-4711').run(['snapshots']);
    expect(code).toBe(12);
    expect(stdout + stderr).not.toContain('guess-4711');
  });

  test('no password and nobody to ask exits with 1 and says how to give it', async () => {
    const cli = await quickRepository(join(scratch(), 'repo'));
    const { code, stderr } = await holdfast(['--repo', cli.repository, 'snapshots']);
    expect(code).toBe(1);
    expect(stderr).toContain('--password-file');
  });

  test('the password comes from the file that is named, then the variable, then the file of the variable', async () => {
    const folder = scratch();
    const { repository, password } = await quickRepository(join(folder, 'repo'), 'pass word');
    const right = join(folder, 'right');
    const wrong = join(folder, 'wrong');
    writeFileSync(right, `\ufeff${password}\r\n`);
    writeFileSync(wrong, 'something else\n');
    const codeOf = async (args: string[], env: Record<string, string>): Promise<number> =>
      (await holdfast([...args, 'snapshots'], { env: { HOLDFAST_REPOSITORY: repository, ...env } })).code;
    expect(await codeOf(['--password-file', right], { HOLDFAST_PASSWORD: 'wrong' })).toBe(0);
    expect(await codeOf([], { HOLDFAST_PASSWORD: password, HOLDFAST_PASSWORD_FILE: wrong })).toBe(0);
    expect(await codeOf([], { HOLDFAST_PASSWORD_FILE: right })).toBe(0);
    expect(await codeOf(['--password-file', wrong], { HOLDFAST_PASSWORD: password })).toBe(12);
    expect(await codeOf(['--password-file', join(folder, 'none')], {})).toBe(1);
    writeFileSync(wrong, '\n');
    expect(await codeOf(['--password-file', wrong], {})).toBe(1);
  });

  test('a repository of version 1 is refused in words', async () => {
    const folder = join(scratch(), 'repo');
    const restic = new Restic(folder, 'pw');
    await restic.must(['init', '--repository-version', '1']);
    const { code, stderr } = await new Cli(folder, 'pw').run(['backup', '/etc/hostname']);
    expect(code).toBe(1);
    expect(stderr).toContain('format version 1');
    expect(stderr).toContain('holdfast migrate');
  });

  test('a repository that another program has for itself exits with 11', async () => {
    const folder = scratch();
    const cli = await quickRepository(join(folder, 'repo'));
    tree(folder, { src: { a: 'a' } });
    const repository = await Repository.open(new LocalStorage(cli.repository), cli.password);
    const lock = await Lock.acquire(repository, { ...hostIdentity(), pid: process.pid }, true, systemClock);
    const { code, stderr } = await cli.run(['backup', join(folder, 'src')]);
    expect(code).toBe(11);
    expect(stderr).toContain(`process ${process.pid}`);
    const kept = await cli.must(['unlock']);
    expect(kept.stdout).toContain('no lock to remove');
    expect(kept.stderr).toContain('left in place');
    await cli.must(['unlock', '--remove-all']);
    await cli.must(['backup', join(folder, 'src')]);
    await lock.release();
  });

  test('HOLDFAST_DEBUG shows where an error came from, and only it does', async () => {
    const args = ['--repo', join(scratch(), 'none'), 'snapshots'];
    expect((await holdfast(args)).stderr).not.toMatch(/\n\s+at /);
    expect((await holdfast(args, { env: { HOLDFAST_DEBUG: '1' } })).stderr).toMatch(/\n\s+at /);
  });
});

describe('init', () => {
  test('makes a repository that restic opens, and never a second one', async () => {
    const folder = join(scratch(), 'deep/er/repo');
    const cli = new Cli(folder, 'sesame-open');
    const { stdout, stderr } = await cli.must(['init']);
    expect(stdout).toContain(folder);
    expect(stdout + stderr).not.toContain('sesame-open');
    await new Restic(folder, 'sesame-open').must(['snapshots']);
    const config = readFileSync(join(folder, 'config'));
    const again = await new Cli(folder, 'other').run(['init']);
    expect(again.code).toBe(1);
    expect(again.stderr).toContain('already holds');
    expect(readFileSync(join(folder, 'config'))).toEqual(config);
  });

  test('takes the chunker parameters of another repository', async () => {
    const folder = scratch();
    const first = await quickRepository(join(folder, 'first'), 'one');
    const file = join(folder, 'one.txt');
    writeFileSync(file, 'one\n');
    const second = new Cli(join(folder, 'second'), 'two');
    await second.must(['init', '--from-repo', first.repository, '--from-password-file', file, '--copy-chunker-params']);
    const polynomial = async ({ repository, password }: Cli): Promise<unknown> =>
      (JSON.parse((await new Restic(repository, password).cat('config')).toString()) as { chunker_polynomial: string }).chunker_polynomial;
    expect(await polynomial(second)).toBe(await polynomial(first));
    expect((await new Cli(join(folder, 'third'), 'x').run(['init', '--copy-chunker-params'])).code).toBe(1);
    expect((await new Cli(join(folder, 'third'), 'x').run(['init', '--from-repo', first.repository])).code).toBe(1);
    expect(readdirSync(folder).sort()).toEqual(['first', 'one.txt', 'second']);
  });

  test('of a folder that is not writable fails in words', async () => {
    const folder = scratch();
    writeFileSync(join(folder, 'file'), '');
    mkdirSync(join(folder, 'x'));
    const { code, stderr } = await new Cli(join(folder, 'file/repo'), 'pw').run(['init']);
    expect(code).toBe(1);
    expect(stderr).toMatch(/^holdfast: .+\n.+\n$/);
    expect(stderr).not.toMatch(escapeCode);
  });
});
