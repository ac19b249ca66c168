import { randomBytes } from 'node:crypto';
import { readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { Cli, holdfast, quickRepository, quickRepositoryAt } from '../support/cli.ts';
import { expectJson, summaryOf } from '../support/cli-ready.ts';
import { expectSameTree } from '../support/judge.ts';
import { jsonLines, Restic } from '../support/restic.ts';
import { type RunningServer, startRcloneRestic, startRestServer } from '../support/servers.ts';
import { scratch, tree } from '../support/tree-literal.ts';

const user = { username: 'me', password: 'very?secret/wörd' };
const env = { RESTIC_REST_USERNAME: user.username, RESTIC_REST_PASSWORD: user.password };
/** As it may show up somewhere. */
const secrets = [user.password, encodeURIComponent(user.password), Buffer.from(`${user.username}:${user.password}`).toString('base64')];
const password = 'correct horse';

const servers: Record<string, RunningServer> = {};

beforeAll(async () => {
  servers['rest-server'] = await startRestServer({ user });
  servers['rclone serve restic'] = await startRcloneRestic({ user });
});

afterAll(async () => {
  for (const server of Object.values(servers)) await server.stop();
});

// On rest-server every verb is tried in every-kind.test.ts.
describe.each(['rclone serve restic'])('a repository on %s', (name) => {
  test('is filled, looked at, restored, checked, thinned out and pruned by every verb, and restic agrees', async () => {
    const place = `rest:${servers[name]!.url}/all-verbs/`;
    expect((await new Cli(place, password).run(['snapshots'], { env })).code).toBe(10);
    const cli = await quickRepositoryAt(place, env, password);
    const restic = new Restic(place, password);
    const folder = scratch();
    const src = join(folder, 'src');
    const said: string[] = [];
    const must = async (...args: string[]): Promise<string> => {
      const { stdout, stderr } = await cli.must(args, { env });
      said.push(stdout, stderr);
      return stdout;
    };
    expect((await cli.run(['init'], { env })).stderr).toContain('already holds');
    tree(src, { a: randomBytes(3_000_000), b: { c: 'hello', d: randomBytes(100_000) } });
    const first = summaryOf(await must('--json', 'backup', src)).snapshot as string;
    writeFileSync(join(src, 'a'), randomBytes(3_000_000));
    await must('backup', src);
    expect(await must('snapshots')).toContain('2 snapshots');
    expect(await must('ls', `latest:${src}`)).toContain('c');
    expect(await must('dump', `latest:${src}/b/c`)).toBe('hello');
    await must('restore', `latest:${src}`, '--target', join(folder, 'back'), '--verify');
    await expectSameTree(src, join(folder, 'back'));
    expect(await must('check', '--read-data')).toContain('read and proved');
    expectJson(await must('--json', 'forget', first));
    await must('prune', '--max-unused', '0');
    await must('check', '--read-data');
    await must('key', 'list');
    await must('unlock');
    const { stdout, stderr, code } = await restic.run(['check', '--read-data'], { env });
    expect({ code, stdout: stdout + stderr }).toMatchObject({ code: 0, stdout: expect.stringContaining('no errors were found') });
    await restic.must(['backup', '--quiet', src], { env });
    expect(await must('snapshots')).toContain('2 snapshots');
    for (const text of said) for (const secret of secrets) expect(text).not.toContain(secret);
  });
});

describe.each([
  ['rest-server', startRestServer],
  ['rclone serve restic', startRcloneRestic],
] as const)('a repository on %s that only takes additions', (_, start) => {
  test('is backed up to and restored from, and says why nothing is removed, before anything is written for it', async () => {
    const server = await start({ appendOnly: true });
    onTestFinished(() => server.stop());
    const cli = await quickRepositoryAt(`rest:${server.url}/append/`, {}, password);
    const folder = scratch();
    const src = tree(join(folder, 'src'), { a: randomBytes(300_000) });
    await cli.must(['backup', src]);
    writeFileSync(join(src, 'a'), randomBytes(300_000));
    await cli.must(['backup', src]);
    await cli.must(['check', '--read-data']);
    await cli.must(['restore', `latest:${src}`, '--target', join(folder, 'back')]);
    await expectSameTree(src, join(folder, 'back'));
    const files = (): string[] => readdirSync(server.folder, { recursive: true, encoding: 'utf8' }).sort();
    const before = files();
    for (const args of [
      ['forget', 'latest', '--force'],
      ['forget', '--keep-last', '1'],
      ['forget', '--keep-last', '1', '--prune'],
      ['prune', '--max-unused', '0'],
    ]) {
      const { code, stderr } = await cli.run(args);
      expect(stderr).toContain('only takes additions');
      expect(code).toBe(1);
      expect(files()).toEqual(before);
    }
    await cli.must(['snapshots']);
    expect((await new Restic(cli.repository, password).check({ readData: true })).code).toBe(0);
  });

  test('is copied to and from, and what is there already is not copied again', async () => {
    const server = await start({ appendOnly: true });
    onTestFinished(() => server.stop());
    const folder = scratch();
    const near = await quickRepository(join(folder, 'near'));
    const src = tree(join(folder, 'src'), { a: randomBytes(300_000), b: 'b' });
    await near.must(['backup', src]);
    writeFileSync(join(src, 'a'), randomBytes(300_000));
    await near.must(['backup', src]);
    // Their chunks are cut at other places: what is copied is cut anew.
    const far = await quickRepositoryAt(`rest:${server.url}/copies/`, {}, password);
    const fromEnv = { HOLDFAST_FROM_PASSWORD: near.password };
    const copy = (...args: string[]): Promise<Awaited<ReturnType<Cli['must']>>> =>
      far.must(['--json', 'copy', '--from-repo', near.repository, ...args], { env: fromEnv });
    const planned = summaryOf((await copy('--dry-run')).stdout);
    expect(planned).toMatchObject({ dryRun: true });
    expect(summaryOf((await copy()).stdout)).toMatchObject({ copied: 2 });
    const files = (): string[] => readdirSync(server.folder, { recursive: true, encoding: 'utf8' }).sort();
    const before = files();
    expect(before.filter((name) => name.includes('locks/'))).toEqual([]);
    expect(summaryOf((await copy()).stdout)).toMatchObject({ copied: 0, storedBytes: 0 });
    expect(files()).toEqual(before);
    const restic = new Restic(far.repository, password);
    expect(await restic.snapshots()).toHaveLength(2);
    expect((await restic.check({ readData: true })).code).toBe(0);
    await far.must(['restore', `latest:${src}`, '--target', join(folder, 'back'), '--verify']);
    await expectSameTree(src, join(folder, 'back'));
    // And back, into a repository that is empty.
    const third = await quickRepository(join(folder, 'third'));
    await third.must(['copy', '--from-repo', far.repository], { env: { HOLDFAST_FROM_PASSWORD: password } });
    expect((await new Restic(third.repository, third.password).check({ readData: true })).code).toBe(0);
    // What would have to remove something says why not, before anything is written for it.
    const copied = files();
    for (const args of [
      ['tag', 'latest', '--add', 'x'],
      ['rewrite', 'latest', '--exclude', 'b', '--forget'],
      ['repair', 'snapshots', '--forget', 'latest'],
      ['repair', 'packs', '--damaged'],
    ]) {
      const { code, stderr } = await far.run(args);
      expect({ args, code, isSaid: stderr.includes('only takes additions') }).toEqual({ args, code: 1, isSaid: true });
      expect(files()).toEqual(copied);
    }
  });
});

describe('what opens a server', () => {
  const open = (place: string, args: readonly string[], given: Record<string, string> = {}): ReturnType<typeof holdfast> =>
    holdfast(['--repo', place, ...args, 'snapshots'], { env: { HOLDFAST_PASSWORD: password, ...given } });

  let place: string;
  beforeAll(async () => {
    place = `rest:${servers['rest-server']!.url}/opening/`;
    const { stdout } = await new Cli(place, password).must(['init'], { env });
    expect(stdout).toContain(place);
  });

  test('comes from the environment, by either name, or from a file, which wins', async () => {
    const file = join(scratch(), 'credentials');
    writeFileSync(file, `# for the server\nexport HOLDFAST_REST_USERNAME=${user.username}\nRESTIC_REST_PASSWORD="${user.password}"\n`);
    const own = { HOLDFAST_REST_USERNAME: user.username, HOLDFAST_REST_PASSWORD: user.password };
    expect((await open(place, [], own)).code).toBe(0);
    expect((await open(place, ['--credentials-file', file], { ...own, HOLDFAST_REST_PASSWORD: 'other' })).code).toBe(0);
    expect((await open(place, [], { HOLDFAST_CREDENTIALS_FILE: file })).code).toBe(0);
  });

  test('is asked for in words when it is missing, and refused in words when it is wrong', async () => {
    const missing = await open(place, []);
    expect(missing.code).toBe(1);
    expect(missing.stderr).toContain('wants a user name and a password');
    expect(missing.stderr).toContain('HOLDFAST_REST_USERNAME');
    const wrong = await open(place, [], { ...env, RESTIC_REST_PASSWORD: 'guessed' });
    expect(wrong.code).toBe(1);
    expect(wrong.stderr).toContain('does not accept');
    expect(wrong.stderr).not.toContain('guessed');
  });

  test('may stand in the address, and is never shown', async () => {
    const inside = place.replace('://', `://${user.username}:${encodeURIComponent(user.password)}@`);
    for (const args of [['snapshots'], ['--json', 'snapshots'], ['ls', 'latest'], ['--json', 'check'], ['init'], ['--json', 'init']]) {
      const { stdout, stderr } = await new Cli(inside, password).run(args, { env: { HOLDFAST_DEBUG: '1' } });
      for (const secret of secrets) expect(stdout + stderr).not.toContain(secret);
      if (args[0] !== '--json') expect(stderr).toContain('better name it in the environment');
    }
    for (const broken of [
      'rest:https://me:topsecret@',
      'rest:htps://me:topsecret@h/',
      'rest:http://me:top#secret@h/',
      'rest:me:topsecret@h',
    ]) {
      const { code, stdout, stderr } = await open(broken, [], { HOLDFAST_DEBUG: '1' });
      expect({ code, leaks: (stdout + stderr).includes('top') }).toEqual({ code: 1, leaks: false });
    }
  });

  test('is refused in words when its file cannot be read or is none', async () => {
    const file = join(scratch(), 'credentials');
    expect((await open(place, ['--credentials-file', file])).stderr).toContain('could not be read');
    writeFileSync(file, 'GOOD=1\nmy password\n');
    const { stderr } = await open(place, ['--credentials-file', file]);
    expect(stderr).toContain('Line 2');
    expect(stderr).not.toContain('my password');
  });
});

test('a server that is not there is given up after some seconds, and is not taken for an empty place', async () => {
  const place = 'rest:http://127.0.0.1:9/path/';
  const { code, stdout } = await holdfast(['--repo', place, '--json', 'snapshots'], { env: { HOLDFAST_PASSWORD: password } });
  expect(code).toBe(1);
  expect(jsonLines(stdout).at(-1)).toMatchObject({ type: 'error', code: 'server-refused', retryable: true });
});
