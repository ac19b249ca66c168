import { execFileSync } from 'node:child_process';
import { renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { expectJson, ready, summaryOf } from '../support/cli-ready.ts';
import { jsonLines } from '../support/restic.ts';
import { symlink, tree } from '../support/tree-literal.ts';

const ofType = (stdout: string, type: string): Record<string, unknown>[] => jsonLines(stdout).filter((line) => line.type === type);

/** Two snapshots with a change of each kind between them. */
async function changed() {
  const { src, cli, restic, folder } = await ready();
  tree(src, { 'a.txt': 'one', 'gone\nlast.txt': 'gone', 'old name': 'moves', becomes: 'a file', docs: { 'report.txt': 'r' } });
  const first = summaryOf((await cli.must(['--json', 'backup', src, '--host', 'h1'])).stdout).snapshot as string;
  writeFileSync(join(src, 'a.txt'), 'another');
  rmSync(join(src, 'gone\nlast.txt'));
  renameSync(join(src, 'old name'), join(src, 'new name'));
  rmSync(join(src, 'becomes'));
  symlinkSync('a.txt', join(src, 'becomes'));
  tree(src, { 'esc\x1b[31m': 'added', docs: { 'Report 2.txt': 'longer than the first' } });
  const second = summaryOf((await cli.must(['--json', 'backup', src, '--host', 'h2'])).stdout).snapshot as string;
  return { src, cli, restic, folder, first, second };
}

describe('diff', () => {
  test('says what became of each entry, with sizes, and adds it up', async () => {
    const { src, cli, first, second } = await changed();
    const { stdout, stderr } = await cli.must(['diff', first.slice(0, 12), 'latest']);
    expect(stderr).toBe('');
    const lines = stdout.split('\n');
    expect(lines[0]).toContain(`snapshot ${first.slice(0, 8)} of h1`);
    expect(lines[1]).toContain(`snapshot ${second.slice(0, 8)} of h2`);
    expect(lines.slice(3, 10)).toEqual([
      `M  ${src}/a.txt  (3 B → 7 B)`,
      `T  ${src}/becomes  (file → link)`,
      `+  ${src}/docs/Report 2.txt  (21 B)`,
      `+  ${src}/esc\\x1b[31m  (5 B)`,
      `-  ${src}/gone\\nlast.txt  (4 B)`,
      `R  ${src}/old name → ${src}/new name`,
      '',
    ]);
    expect(stdout).toContain('Added:    2 files, 0 folders, 0 others; 26 B');
    expect(stdout).toContain('Removed:  1 file, 0 folders, 0 others; 4 B');
    expect(stdout).toContain('Moved:    1 file, 0 folders, 0 others; 5 B');
    expect(stdout).toContain('Changed:  1 file, 3 B → 7 B; 1 entry became something else');
    expect(stdout).toMatch(/Only the first {2}needs \d+ blobs: /);
    const some = await cli.must(['diff', first, second, '--path', join(src, 'docs'), '--metadata', '--quick']);
    expect(some.stdout).toContain(`+  ${src}/docs/Report 2.txt`);
    expect(some.stdout).not.toContain('a.txt');
    expect(some.stdout).not.toContain('Only the first');
    const above = await cli.must(['diff', first, second, '--metadata']);
    expect(above.stdout).toMatch(new RegExp(`^U {2}${src}/docs/ {2}\\(.*mtime`, 'm'));
  });

  test('with --json gives objects with both sides, and restic agrees on every modifier', async () => {
    const { src, cli, restic, first, second } = await changed();
    const { stdout } = await cli.must(['--json', 'diff', first, second, '--no-moves']);
    expectJson(stdout);
    const changes = ofType(stdout, 'change');
    const theirs = jsonLines((await restic.must(['diff', '--json', first, second])).stdout);
    expect(changes.map(({ modifier, path }) => `${String(modifier)} ${String(path)}`).sort()).toEqual(
      theirs
        .filter(({ message_type }) => message_type === 'change')
        .map(({ modifier, path }) => `${String(modifier)}${modifier === 'T' ? 'U' : ''} ${String(path)}`)
        .sort(),
    );
    expect(changes.find(({ path }) => path === `${src}/a.txt`)).toMatchObject({
      change: 'content',
      before: { size: 3, kind: 'file' },
      after: { size: 7 },
    });
    const moved = ofType((await cli.must(['--json', 'diff', first, second])).stdout, 'change').find(({ change }) => change === 'moved');
    expect(moved).toMatchObject({ modifier: 'R', from: `${src}/old name`, path: `${src}/new name` });
    const { added, removed } = theirs.find(({ message_type }) => message_type === 'statistics') as Record<string, Record<string, number>>;
    const { blobs } = summaryOf(stdout) as { blobs: Record<string, Record<string, number>> };
    expect([blobs.second!.bytes, blobs.first!.bytes]).toEqual([added!.bytes, removed!.bytes]);
  });

  test('wrong places are told', async () => {
    const { src, cli, first } = await changed();
    for (const [args, says] of [
      [[first, 'ffffffff'], 'no snapshot'],
      [[`${first}:${src}/a.txt`, 'latest'], 'is no folder'],
      [[`${first}:/nowhere`, 'latest'], 'holds nothing at'],
      [[`${first}:${src}`, 'latest', '--path', src], 'both behind a snapshot'],
      [[first], 'issing'],
    ] as const) {
      const { code, stderr } = await cli.run(['diff', ...args]);
      expect(code).toBe(1);
      expect(stderr).toContain(says);
    }
  });
});

describe('find', () => {
  test('lists hits below their snapshots, and says how many', async () => {
    const { src, cli, first, second } = await changed();
    const { stdout, stderr } = await cli.must(['find', '*report*', '--ignore-case', '--type', 'file']);
    const [head, ...lines] = stdout.trimEnd().split('\n');
    expect(head).toContain(`In snapshot ${first.slice(0, 8)} of h1`);
    expect(lines).toEqual([
      `${src}/docs/report.txt`,
      '',
      expect.stringContaining(`In snapshot ${second.slice(0, 8)} of h2`),
      `${src}/docs/Report 2.txt`,
      `${src}/docs/report.txt`,
    ]);
    expect(stderr).toBe('3 hits in 2 of 2 snapshots.\n');
    const reversed = await cli.must(['find', 'report.txt', '--reverse', '--long']);
    expect(reversed.stdout).toMatch(new RegExp(`${second.slice(0, 8)}[^]*-rw.*report.txt[^]*${first.slice(0, 8)}`));
    expect((await cli.must(['find', 'report.txt', '--host', 'h1'])).stderr).toContain('1 hit in 1 of 1 snapshot.');
    expect((await cli.must(['find', 'docs', '--no-contents', '--snapshot', 'latest'])).stderr).toContain('1 hit in 1 of 1');
    expect((await cli.must(['find', '*.txt', '--min-size', '20', '--newer', '1d'])).stdout).toContain('Report 2.txt');
    expect((await cli.must(['find', '*', '--older', '1d'])).stderr).toContain('Nothing was found in 2 snapshots.');
    // Without a pattern, whatever else is asked for decides.
    expect((await cli.must(['find', '--min-size', '20', '--newer', '1d'])).stdout).toContain('Report 2.txt');
    expect((await cli.must(['find', 'esc*'])).stdout).toContain('esc\\x1b[31m');
  });

  test('with --json streams entries with their snapshots, and blobs with their places', async () => {
    const { src, cli, first, second } = await changed();
    const { stdout } = await cli.must(['--json', 'find', 'report.txt']);
    expectJson(stdout);
    expect(ofType(stdout, 'entry').map(({ snapshot, path, size }) => ({ snapshot, path, size }))).toEqual(
      [first, second].map((snapshot) => ({ snapshot, path: `${src}/docs/report.txt`, size: 1 })),
    );
    expect(ofType(stdout, 'snapshot').map(({ id }) => id)).toEqual([first, second]);
    expect(summaryOf(stdout)).toMatchObject({ hits: 2, snapshots: 2, searchedSnapshots: 2, unreadableFolders: 0 });
    const [{ tree: root }] = ofType(stdout, 'snapshot') as { tree: string }[] as [{ tree: string }];
    const trees = await cli.must(['--json', 'find', '--tree', root]);
    expect(ofType(trees.stdout, 'blob')).toEqual([{ type: 'blob', snapshot: first, kind: 'tree', blob: root, path: '/' }]);
    expect((await cli.must(['find', '--tree', root.slice(0, 8)])).stdout).toContain(`folder listing ${root.slice(0, 8)}  /`);
  });

  test.each([
    [['find'], 'not said what to look for'],
    [['find', '--ignore-case'], 'not said what to look for'],
    [['find', '--blob'], 'Name an ID'],
    [['find', '[x'], 'cannot be read'],
    [['find', 'a', '--type', 'thing'], 'no “thing”'],
    [['find', 'a', '--newer', 'soon'], 'is no time'],
    [['find', 'a', '--newer', '2026-02-30'], 'is no time'],
    [['find', 'a', '--min-size', 'big'], 'is no size'],
    [['find', '--blob', 'xyz'], 'not the beginning of an ID'],
    [['find', '--blob', '--tree', 'ab'], 'one kind at a time'],
    [['find', '--blob', 'ab', '--newer', '1d'], 'nothing but IDs'],
    [['find', '--pack', 'abcdef'], 'No pack'],
    [['find', 'a', '--snapshot', 'latest', '--host', 'h'], 'named and chosen'],
  ])('%j is refused', async (args, says) => {
    const { cli } = await ready();
    const { code, stdout, stderr } = await cli.run(args);
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
    expect(stderr).toContain(says);
  });
});

describe('stats', () => {
  test('is a page with what a person wants to know', async () => {
    const { src, cli, first, second } = await changed();
    const { stdout, stderr } = await cli.must(['stats']);
    expect(stderr).toBe('');
    for (const word of ['2 snapshots', 'to restore', 'stored as', 'compressed', 'unused', 'Alone', first.slice(0, 8), second.slice(0, 8)])
      expect(stdout).toContain(word);
    expect(stdout).toContain(`${src} in snapshot ${second.slice(0, 8)}: 5 files, 39 B`);
    expect(stdout).toMatch(new RegExp(`22 B +56.4% +2 +${src}/docs`));
    expect(stdout).toMatch(/\.txt/);
    const below = await cli.must(['stats', 'latest', '--below', join(src, 'docs'), '--top', '1', '--depth', '2']);
    expect(below.stdout).toContain(`${src}/docs (files in it)`);
    const empty = await ready();
    expect((await empty.cli.must(['stats'])).stdout).toBe('No snapshots.\n');
  });

  test('with --json gives objects, and with a mode what restic gives', async () => {
    const { src, cli, restic, first, second } = await changed();
    const { stdout } = await cli.must(['--json', 'stats']);
    expectJson(stdout);
    expect(ofType(stdout, 'snapshot').map(({ id }) => id)).toEqual([first, second]);
    expect(ofType(stdout, 'folder')).toContainEqual(expect.objectContaining({ path: `${src}/docs`, files: 2, bytes: 22, isItself: false }));
    expect(ofType(stdout, 'file-type')).toContainEqual({ type: 'file-type', snapshot: second, extension: '.txt', files: 3, bytes: 29 });
    const raw = JSON.parse((await restic.must(['stats', '--json', '--mode', 'raw-data'])).stdout) as Record<string, number>;
    expect(summaryOf(stdout)).toMatchObject({ snapshots: 2, raw: { blobs: raw.total_blob_count, bytes: raw.total_size }, damaged: 0 });
    for (const mode of ['restore-size', 'files-by-contents', 'blobs-per-file', 'raw-data']) {
      const theirs = JSON.parse((await restic.must(['stats', '--json', '--mode', mode])).stdout) as Record<string, number>;
      const ours = summaryOf((await cli.must(['--json', 'stats', '--mode', mode])).stdout);
      expect(ours).toMatchObject({ mode, snapshots: 2, bytes: theirs.total_size });
      expect([ours.files, ours.blobs]).toEqual([theirs.total_file_count, theirs.total_blob_count]);
      expect((await cli.must(['stats', '--mode', mode])).stdout).toContain(`Mode ${mode}, 2 snapshots`);
    }
    const { code, stderr } = await cli.run(['stats', '--mode', 'raw-data', '--depth', '2']);
    expect(code).toBe(1);
    expect(stderr).toContain('A mode gives no folders');
  });
});

describe('damage', () => {
  test('is named by each of them, and the exit code is 3', async () => {
    const { src, cli } = await ready();
    const packs = (): string[] =>
      execFileSync('find', [join(cli.repository, 'data'), '-type', 'f'])
        .toString()
        .trim()
        .split('\n');
    tree(src, { a: { inner: 'inner' } });
    await cli.must(['backup', src]);
    const before = packs();
    tree(src, { b: { other: 'other' }, link: symlink('b') });
    await cli.must(['backup', src]);
    // The list of the folder "a" is among what both snapshots need; the root of the first is gone, too.
    for (const pack of before) rmSync(pack);
    const found = await cli.run(['find', 'other', '--snapshot', 'latest']);
    expect(found.code).toBe(3);
    expect(found.stdout).toContain(`${src}/b/other`);
    expect(found.stderr).toContain(`${src}/a: `);
    const stats = await cli.run(['stats', 'latest']);
    expect(stats.code).toBe(3);
    expect(stats.stderr).toContain(`${src}/a: `);
    expect(stats.stdout).toContain('1 snapshot');
    const mode = await cli.run(['--json', 'stats', '--mode', 'restore-size']);
    expect(mode.code).toBe(3);
    expect(ofType(mode.stdout, 'problem').length).toBeGreaterThan(1);
    const diff = await cli.run(['diff', 'latest', 'latest']);
    expect(diff.code).toBe(0);
    const snapshots = ofType((await cli.must(['--json', 'snapshots'])).stdout, 'snapshot').map(({ id }) => id as string);
    const both = await cli.run(['diff', ...snapshots]);
    expect(both.code).toBe(3);
    expect(both.stderr).toContain('/: ');
    writeFileSync(join(cli.repository, 'snapshots', 'a'.repeat(64)), 'garbage that is long enough to be looked at');
    for (const verb of [['find', 'other'], ['stats']]) {
      const { code, stderr } = await cli.run(verb);
      expect(code).toBe(3);
      expect(stderr).toContain('aaaaaaaa');
    }
  });
});
