import { systemClock } from '../../src/platform/clock.ts';
import { cpSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { parseTimeText } from '../../src/cli/dates.ts';
import { keepConfig } from '../../src/engine/migrate/config-copies.ts';
import { Cli, quickRepository } from '../support/cli.ts';
import { expectJson, ready, summaryOf } from '../support/cli-ready.ts';
import { password, resticOn } from '../support/engine.ts';
import { expectCleanCheck } from '../support/judge.ts';
import { jsonLines } from '../support/restic.ts';
import { scratch, sharedScratch, tree } from '../support/tree-literal.ts';
import { makeVersion1 } from '../support/version-1.ts';

describe('tag', () => {
  test('shows what changes, changes it, and nothing in a dry run', async () => {
    const { src, cli, restic } = await ready();
    tree(src, { a: 'a' });
    await cli.must(['backup', src, '--tag', 'one']);
    await cli.must(['backup', src, '--tag', 'two']);
    const dry = await cli.must(['tag', '--add', 'kept', '--tag', 'one', '--dry-run']);
    expect(dry.stdout).toContain('1 snapshot would change');
    expect(dry.stdout).toContain('Nothing was changed');
    expect((await restic.snapshots()).flatMap(({ tags }) => tags)).not.toContain('kept');
    const { stdout } = await cli.must(['--json', 'tag', '--add', 'kept,more', '--tag', 'one']);
    expectJson(stdout);
    expect(jsonLines(stdout).find(({ type }) => type === 'snapshot')).toMatchObject({
      action: 'change',
      newTags: expect.arrayContaining(['kept']),
    });
    expect(summaryOf(stdout)).toMatchObject({ unchanged: 0, damaged: 0, changed: [{ old: expect.any(String), new: expect.any(String) }] });
    expect((await cli.must(['tag', '--add', 'kept', '--tag', 'kept'])).stdout).toContain(
      '0 snapshots changed. 1 snapshot had these tags already.',
    );
    await cli.must(['tag', '--set', '', 'latest']);
    expect((await restic.snapshots(['--tag', 'two'])).length).toBe(0);
    await expectCleanCheck(restic);
  });

  test('prints tags that a terminal would act on as text', async () => {
    const { src, cli } = await ready();
    tree(src, { a: 'a' });
    await cli.must(['backup', src]);
    const { stdout } = await cli.must(['tag', '--add', '\x1b[31mred\n']);
    expect(stdout).toContain('\\x1b[31mred');
    expect(stdout).not.toContain('\x1b');
  });

  test('names a snapshot that cannot be read, changes the others, and exits with 3', async () => {
    const { src, cli } = await ready();
    tree(src, { a: 'a' });
    await cli.must(['backup', src]);
    writeFileSync(join(cli.repository, 'snapshots', 'ab'.repeat(32)), 'no snapshot');
    const { code, stdout, stderr } = await cli.run(['tag', '--add', 'x']);
    expect(code).toBe(3);
    expect(stdout).toContain('1 snapshot changed');
    expect(stderr).toContain('abababab stays as it is');
  });

  test.each([
    ['without a tag', ['tag'], 'which tags'],
    ['with tags to set and to add', ['tag', '--set', 'a', '--add', 'b'], 'at the same time'],
    ['of named snapshots and a filter', ['tag', '--add', 'a', 'latest', '--host', 'x'], 'named and chosen'],
    ['of a snapshot that is not there', ['tag', '--add', 'a', 'nonsense'], 'no snapshot nonsense'],
  ])('%s is refused', async (_, args, says) => {
    const { cli } = await ready();
    const { code, stdout, stderr } = await cli.run(args);
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
    expect(stderr).toContain(says);
  });
});

describe('rewrite', () => {
  let untouched: Cli;
  const place = sharedScratch('rewriting');
  beforeAll(async () => {
    untouched = await quickRepository(join(place, 'repo'));
    await untouched.must(['backup', tree(join(place, 'src'), { a: 'a' })]);
  });

  test('shows what is left out, makes successors, and nothing in a dry run', async () => {
    const { src, folder, cli, restic } = await ready();
    tree(src, { 'a.txt': 'a', secret: { key: 'k' }, 'x\x1b.tmp': 't' });
    await cli.must(['backup', src]);
    const patterns = join(folder, 'patterns');
    writeFileSync(patterns, '# mine\nsecret/\n');
    const args = ['--exclude-file', patterns, '--iexclude', '*.TMP'];
    const dry = await cli.must(['rewrite', ...args, '--dry-run']);
    expect(dry.stdout).toContain(`${src}/secret/ and all that is in it`);
    expect(dry.stdout).toContain('x\\x1b.tmp (1 B)');
    expect(dry.stdout).toContain('1 snapshot would be rewritten. Nothing was changed.');
    expect(await restic.snapshots()).toHaveLength(1);
    const { stdout } = await cli.must(['--json', 'rewrite', ...args]);
    expectJson(stdout);
    expect(jsonLines(stdout).filter(({ type }) => type === 'entry')).toMatchObject([
      { action: 'leave-out', path: `${src}/secret`, kind: 'dir' },
      { action: 'leave-out', path: `${src}/x\x1b.tmp`, kind: 'file', size: 1 },
    ]);
    expect(summaryOf(stdout)).toMatchObject({ unchanged: 0, notRewritten: 0, changed: [expect.anything()] });
    expect((await restic.snapshots(['--tag', 'rewrite'])).length).toBe(1);
    expect((await cli.must(['ls', 'latest'])).stdout).toContain('a.txt');
    await cli.must(['rewrite', ...args, '--forget', '--new-host', 'desktop']);
    await cli.must(['prune', '--max-unused', '0']);
    for (const { hostname } of await restic.snapshots()) expect(hostname).toBe('desktop');
    expect((await restic.must(['ls', 'latest'])).stdout).not.toContain('secret');
    await expectCleanCheck(restic);
  });

  test('takes presets, hosts and times', async () => {
    const { src, cli, restic } = await ready();
    tree(src, { 'a.txt': 'a', '.cache': { c: 'c' }, node_modules: { m: 'm' } });
    await cli.must(['backup', src]);
    await cli.must(['rewrite', '--preset', 'caches', '--preset', 'node_modules', '--new-time', '2020-01-02 03:04:05', '--forget']);
    const times = (await restic.snapshots()).map(({ time }) => time.slice(0, 19));
    expect(times).toEqual(['2020-01-02T03:04:05']);
    const { stdout } = await restic.must(['ls', 'latest']);
    expect([stdout.includes('a.txt'), stdout.includes('.cache'), stdout.includes('node_modules')]).toEqual([true, false, false]);
  });

  test('of what holds damage names it, does the rest, and exits with 3', async () => {
    const { src, cli } = await ready();
    tree(src, { 'a.tmp': 'a', b: 'b' });
    await cli.must(['backup', src]);
    writeFileSync(join(cli.repository, 'snapshots', 'ab'.repeat(32)), 'no snapshot');
    const { code, stdout, stderr } = await cli.run(['rewrite', '--exclude', '*.tmp']);
    expect(code).toBe(3);
    expect(stdout).toContain('1 snapshot rewritten');
    expect(stderr).toContain('abababab stays as it is');
  });

  test.each([
    ['of nothing', ['rewrite'], 'not said what to change'],
    ['by a pattern that can never match', ['rewrite', '--exclude', '[a'], 'can never match'],
    ['to no time', ['rewrite', '--new-time', 'yesterday'], '--new-time'],
    ['to a day that is none', ['rewrite', '--new-time', '2026-02-30 01:02:03'], '--new-time'],
    ['to an empty host', ['rewrite', '--new-host', ''], '--new-host'],
    ['that leaves nothing', ['rewrite', '--exclude', '*', '--forget'], 'nothing but empty folders'],
  ])('%s is refused', async (_, args, says) => {
    const snapshots = join(untouched.repository, 'snapshots');
    const before = readdirSync(snapshots);
    const { code, stderr } = await untouched.run(args);
    expect(code).toBe(1);
    expect(stderr).toContain(says);
    expect(before).toHaveLength(1);
    expect(readdirSync(snapshots)).toEqual(before);
  });
});

const typed = (text: string): string => parseTimeText(text, '--x', systemClock);

test('times that people type are those of this computer’s zone, or say theirs', () => {
  expect(typed('2026-01-31 12:34:56').slice(0, 19)).toBe('2026-01-31T12:34:56');
  expect(typed(' 2026-01-31T12:34 ').slice(0, 19)).toBe('2026-01-31T12:34:00');
  const instant = Date.parse('2026-01-31T12:34:56.5Z');
  for (const same of ['2026-01-31T12:34:56.5Z', '2026-01-31T14:34:56.5+02:00']) expect(Date.parse(typed(same))).toBe(instant);
  for (const wrong of ['', 'now', '2026-13-01 00:00:00', '2026-02-30', '2026-01-31 25:00:00', '2026-02-29 00:00:00'])
    expect(() => typed(wrong)).toThrow('--x');
});

describe('migrate', () => {
  const made = join(sharedScratch('migrate'), 'repo');
  beforeAll(() => makeVersion1(made, [tree(join(made, '..', 'src'), { a: 'a' })]));

  function version1(): { cli: Cli; env: Record<string, string>; src: string; copies: string } {
    const folder = scratch('migrate');
    const src = tree(join(folder, 'src'), { a: 'a' });
    cpSync(made, join(folder, 'repo'), { recursive: true });
    const data = join(folder, 'data');
    mkdirSync(data);
    return {
      cli: new Cli(join(folder, 'repo'), password),
      env: { XDG_DATA_HOME: data },
      src,
      copies: join(data, 'holdfast/config-copies'),
    };
  }

  test('says what it means, upgrades the repository, and does nothing a second time', async () => {
    const { cli, env, src, copies } = version1();
    const refused = await cli.run(['snapshots'], { env });
    expect(refused.stderr).toContain('"holdfast migrate"');
    const dry = await cli.must(['migrate', '--dry-run'], { env });
    expect(dry.stdout).toContain('restic older than');
    expect(dry.stdout).toContain('would be upgraded from format version 1 to 2. Nothing was changed.');
    expect((await cli.run(['snapshots'], { env })).code).toBe(1);
    const { stdout } = await cli.must(['--json', 'migrate'], { env });
    expectJson(stdout);
    expect(summaryOf(stdout)).toMatchObject({ version: 1, target: 2, isNeeded: true, errors: 0 });
    expect(readdirSync(copies)).toEqual([]);
    await cli.must(['backup', src], { env });
    await expectCleanCheck(resticOn(cli.repository));
    const again = await cli.must(['migrate'], { env });
    expect(again.stdout).toBe('The repository has format version 2 already. Nothing was changed.\n');
    expect((await cli.must(['migrate', '--dry-run'], { env })).stdout).toBe(again.stdout);
  });

  test('refuses a repository that is damaged, and says what is', async () => {
    const { cli, env } = version1();
    const packs = readdirSync(join(cli.repository, 'data'), { recursive: true, encoding: 'utf8' }).filter((name) => name.length > 60);
    for (const pack of packs) rmSync(join(cli.repository, 'data', pack));
    for (const args of [['migrate'], ['migrate', '--dry-run']]) {
      const { code, stdout } = await cli.run(args, { env });
      expect(code).toBe(1);
      expect(stdout).toContain('DAMAGE');
    }
    expect((await cli.run(['snapshots'], { env })).stderr).toContain('version 1');
  });

  test('finds the copy of a config that was lost on the way, and only there where one was kept', async () => {
    const { cli, env, copies } = version1();
    await keepConfig(copies, readFileSync(join(cli.repository, 'config')));
    rmSync(join(cli.repository, 'config'));
    expect((await cli.run(['migrate'], { env: { ...env, XDG_DATA_HOME: scratch('none') } })).code).toBe(10);
    await cli.must(['migrate'], { env });
    expect((await cli.must(['snapshots'], { env })).stdout).toContain('1 snapshot');
    await expectCleanCheck(resticOn(cli.repository));
  });

  test('of a place without a repository exits with 10', async () => {
    const { env } = version1();
    expect((await new Cli(join(scratch('migrate'), 'none'), 'pw').run(['migrate'], { env })).code).toBe(10);
    const half = join(scratch('migrate'), 'half');
    cpSync(import.meta.dirname, half, { recursive: true });
    expect((await new Cli(half, 'pw').run(['migrate'], { env })).code).toBe(10);
  });
});
