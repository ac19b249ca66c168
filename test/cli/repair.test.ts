import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { expectJson, ready, summaryOf } from '../support/cli-ready.ts';
import { jsonLines } from '../support/restic.ts';
import { tree } from '../support/tree-literal.ts';

const filesIn = (folder: string): string[] => execFileSync('find', [folder, '-type', 'f']).toString().split('\n').filter(Boolean).sort();

/** The largest pack holds the data, the others folder listings. */
function largestPack(repository: string): string {
  const lines = execFileSync('find', [join(repository, 'data'), '-type', 'f', '-printf', '%s %p\n'])
    .toString()
    .trim()
    .split('\n');
  return lines.sort((a, b) => Number.parseInt(b, 10) - Number.parseInt(a, 10))[0]!.replace(/^\d+ /, '');
}

function change(path: string, edit: (bytes: Buffer) => Buffer): void {
  chmodSync(path, 0o600);
  writeFileSync(path, edit(readFileSync(path)));
}

const flip = (path: string, at: number): void =>
  change(path, (bytes) => {
    bytes[at]! ^= 4;
    return bytes;
  });

describe('repair index', () => {
  test('plans, repairs, and has nothing to do then', async () => {
    const { src, cli, restic } = await ready();
    tree(src, { a: randomBytes(200_000), b: 'b' });
    await cli.must(['backup', src]);
    expect((await cli.must(['repair', 'index'])).stdout).toContain('The index says what the 2 packs hold.');
    for (const path of filesIn(join(cli.repository, 'index'))) rmSync(path);
    const before = filesIn(cli.repository);
    const dry = await cli.must(['repair', 'index', '--dry-run']);
    expect(dry.stdout).toMatch(/add {6}pack [0-9a-f]{8}: \d+ blobs? that no index lists/);
    expect(dry.stdout).toContain('Nothing was changed.');
    expect(filesIn(cli.repository)).toEqual(before);
    const { stdout } = await cli.must(['--json', 'repair', 'index']);
    expectJson(stdout);
    expect(summaryOf(stdout)).toMatchObject({ added: 2, corrected: 0, dropped: 0, stored: 1, removed: 0 });
    expect(jsonLines(stdout).filter(({ type }) => type === 'repair')).toHaveLength(2);
    expect((await restic.check({ readData: true })).code).toBe(0);
    expect((await cli.must(['repair', 'index', '--read-all-packs'])).stdout).toContain('The index says');
  });

  test('exits with 3 and names it when something had to be dropped', async () => {
    const { src, cli } = await ready();
    tree(src, { a: randomBytes(200_000) });
    await cli.must(['backup', src]);
    const pack = largestPack(cli.repository);
    rmSync(pack);
    const { code, stdout } = await cli.run(['repair', 'index']);
    expect(code).toBe(3);
    expect(stdout).toMatch(new RegExp(`drop {5}pack ${basename(pack).slice(0, 8)}: 1 blob \\(it is missing\\)`));
    expect(stdout).toContain('"check" tells');
    expect((await cli.must(['repair', 'index'])).stdout).toContain('The index says');
  });
});

describe('repair packs and repair snapshots', () => {
  test('save what can be had, keep the damaged pack in the current folder, and store snapshots without what is lost', async () => {
    const { folder, src, cli, restic } = await ready();
    tree(src, { 'a\n\x1b[2Jb': randomBytes(3_000_000), small: 'small', other: randomBytes(50_000) });
    await cli.must(['backup', src]);
    const pack = largestPack(cli.repository);
    flip(pack, 1000);
    const id = basename(pack);
    const here = join(folder, 'here');
    mkdirSync(here);
    const dry = await cli.run(['repair', 'packs', '--damaged', '-n'], { cwd: here });
    expect([dry.code, readdirSync(here)]).toEqual([3, []]);
    expect(dry.stdout).toContain(`Pack ${id.slice(0, 8)}`);
    const { code, stdout, stderr } = await cli.run(['repair', 'packs', id.slice(0, 10)], { cwd: here });
    expect(code).toBe(3);
    expect(stderr).toMatch(/Piece of data [0-9a-f]{8} is lost: it harms /);
    expect(stderr).toContain('a\\n\\x1b[2Jb');
    expect(stdout).toContain(`A copy of the damaged pack is kept as ${join(here, `pack-${id}`)}.`);
    expect(readdirSync(here)).toEqual([`pack-${id}`]);
    expect(existsSync(pack)).toBe(false);
    const nothing = await cli.must(['repair', 'packs', '--damaged', '--keep-in', join(folder, 'nowhere')]);
    expect(nothing.stdout).toContain('there is nothing to repair');
    expect(existsSync(join(folder, 'nowhere'))).toBe(false);

    const plan = await cli.run(['repair', 'snapshots', '--dry-run']);
    expect(plan.code).toBe(3);
    expect(plan.stderr).toContain(`${src}/a\\n\\x1b[2Jb: 1 of its `);
    expect(await restic.snapshots()).toHaveLength(1);
    const made = await cli.run(['--json', 'repair', 'snapshots', '--forget', 'latest']);
    expect(made.code).toBe(3);
    expectJson(made.stdout);
    const problem = jsonLines(made.stdout).find(({ type }) => type === 'problem')!;
    expect(problem).toMatchObject({ kind: 'content', path: `${src}/a\n\x1b[2Jb` });
    const [snapshot] = await restic.snapshots();
    expect(summaryOf(made.stdout)).toMatchObject({
      repairs: 1,
      losses: 1,
      stored: { [snapshot!.original!]: snapshot!.id },
      removed: [snapshot!.original],
    });
    expect((await restic.check({ readData: true })).code).toBe(0);
    expect((await cli.must(['repair', 'snapshots'])).stdout).toContain('1 snapshot looked at; it lacks nothing.');
    expect((await cli.must(['check', '--read-data'])).stdout).toContain('No errors were found');
  });

  test('are refused in clear words when used wrongly, or when the index must be repaired first', async () => {
    const { src, cli } = await ready();
    tree(src, { a: 'a' });
    await cli.must(['backup', src]);
    for (const args of [
      ['packs'],
      ['packs', 'ab', '--damaged'],
      ['packs', 'zz'],
      ['packs', '--damaged', '--keep-in', ''],
      ['snapshots', 'ffff'],
      [],
      ['nonsense'],
    ]) {
      const { code, stderr } = await cli.run(['repair', ...args]);
      expect(code, args.join(' ')).toBe(1);
      expect(stderr).toMatch(/^holdfast: .+\.\n.+\.\n$/);
    }
    for (const path of filesIn(join(cli.repository, 'data'))) change(path, (bytes) => bytes.subarray(0, -9));
    rmSync(largestPack(cli.repository));
    const { code, stderr } = await cli.run(['repair', 'snapshots']);
    expect(code).toBe(3);
    expect(stderr).toContain('what is in it is lost');
    for (const path of filesIn(join(cli.repository, 'index'))) flip(path, 20);
    const refused = await cli.run(['repair', 'snapshots', '--forget']);
    expect(refused.code).toBe(1);
    expect(refused.stderr).toContain('Run "holdfast repair index" first');
  });

  test('a damaged snapshot is named and stays until it is named', async () => {
    const { src, cli, restic } = await ready();
    tree(src, { a: 'a' });
    await cli.must(['backup', src]);
    await cli.must(['backup', src]);
    const [path] = filesIn(join(cli.repository, 'snapshots'));
    flip(path!, 30);
    const { code, stderr } = await cli.run(['repair', 'snapshots', '--forget']);
    expect(code).toBe(3);
    expect(stderr).toContain('It stays.');
    expect(filesIn(join(cli.repository, 'snapshots'))).toHaveLength(2);
    await cli.run(['repair', 'snapshots', '--forget', basename(path!).slice(0, 12)]);
    expect(filesIn(join(cli.repository, 'snapshots'))).toHaveLength(1);
    expect((await restic.check()).code).toBe(0);
  });
});

describe('recover', () => {
  test('says that nothing is orphaned, or makes a snapshot of what is', async () => {
    const { folder, src, cli, restic } = await ready();
    tree(src, { a: 'a', 'odd \x07 name': 'odd' });
    await cli.must(['backup', src]);
    expect((await cli.must(['recover'])).stdout).toContain('Nothing is orphaned');
    await cli.must(['forget', 'latest', '--force']);
    const dry = await cli.must(['recover', '--dry-run']);
    expect(dry.stdout).toMatch(/^[0-9a-f]{8} {2}1 entry: /m);
    expect(await restic.snapshots()).toHaveLength(0);
    const { stdout } = await cli.must(['--json', 'recover']);
    expectJson(stdout);
    const [snapshot] = await restic.snapshots();
    expect(snapshot).toMatchObject({ tags: ['recovered'], paths: ['/recover'] });
    expect(summaryOf(stdout)).toMatchObject({ folders: 1, missing: 0, snapshot: snapshot!.id });
    const [made] = jsonLines(stdout).filter(({ type }) => type === 'repair') as [{ path: string }];
    await cli.must(['restore', `latest:${made.path}`, '--target', join(folder, 'restored')]);
    expect(readFileSync(join(folder, 'restored', src, 'odd \x07 name'), 'utf8')).toBe('odd');
    expect((await restic.check({ readData: true })).code).toBe(0);
  });
});
