import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { type Cli, quickRepository } from '../support/cli.ts';
import { expectJson, ready, summaryOf } from '../support/cli-ready.ts';
import { expectCleanCheck, expectSnapshotRestores } from '../support/judge.ts';
import { jsonLines, type Restic } from '../support/restic.ts';
import { scratch, tree } from '../support/tree-literal.ts';

const filesIn = (folder: string): string[] => execFileSync('find', [folder, '-type', 'f']).toString().split('\n').filter(Boolean).sort();

/** A repository, and another with a copy of its snapshot that cuts files at other places, which matters to no file here but one. */
async function pair(): Promise<{ folder: string; src: string; cli: Cli; other: Cli; restic: Restic; from: string[] }> {
  const { folder, src, cli, restic } = await ready();
  tree(src, { a: randomBytes(300_000), b: 'b', docs: { c: 'c'.repeat(5000) } });
  await cli.must(['backup', src]);
  const other = await quickRepository(join(folder, 'other'), 'another secret');
  const [mine, theirs] = [join(folder, 'mine'), join(folder, 'theirs')];
  writeFileSync(mine, cli.password);
  writeFileSync(theirs, 'another secret');
  await other.must(['copy', '--from-repo', cli.repository, '--from-password-file', mine]);
  return { folder, src, cli, other, restic, from: ['--from', other.repository, '--from-password-file', theirs] };
}

describe('heal', () => {
  test('plans, heals what is gone from another repository, and has nothing to do then', async () => {
    const { src, cli, restic, from } = await pair();
    expect((await cli.must(['heal', '--dry-run'])).stdout).toContain('Nothing is damaged.');
    for (const path of filesIn(join(cli.repository, 'data'))) rmSync(path);
    const before = filesIn(cli.repository);
    const dry = await cli.must(['heal', ...from, '--dry-run']);
    expect(dry.stdout).toContain('Everything can be healed. Nothing was changed.');
    expect(filesIn(cli.repository)).toEqual(before);
    const { stdout } = await cli.must(['heal', ...from, '--keep-in', scratch()]);
    expect(stdout).toMatch(/healed {3}\//);
    expect(stdout).toMatch(/\d+ pieces \(.+\) came from “.*other”\./);
    expect(stdout).toContain('Everything is whole again.');
    await expectCleanCheck(restic);
    await expectSnapshotRestores(restic, 'latest', src);
    expect((await cli.must(['heal', ...from])).stdout).toContain('Nothing is damaged.');
  });

  test('names what is nowhere to be had and exits with 3; takes it from the unchanged file when that is allowed', async () => {
    const { src, cli, restic } = await pair();
    const packs = filesIn(join(cli.repository, 'data'));
    const largest = packs.map((path) => [path, execFileSync('stat', ['-c', '%s', path]).toString()] as const);
    rmSync(largest.sort((a, b) => Number(b[1]) - Number(a[1]))[0]![0]);
    const kept = scratch();
    const run = await cli.run(['--json', 'heal', '--keep-in', kept]);
    expect(run.code).toBe(3);
    expectJson(run.stdout);
    expect(summaryOf(run.stdout)).toMatchObject({ healed: 0, from: [] });
    const lost = jsonLines(run.stdout).filter(({ type }) => type === 'unhealed') as { paths: string[] }[];
    expect(lost.flatMap(({ paths }) => paths)).toContain(join(src, 'a'));
    const healed = await cli.must(['--json', 'heal', '--source', src]);
    expect(summaryOf(healed.stdout)).toMatchObject({ unhealed: 0, from: [{ kind: 'files' }] });
    await expectCleanCheck(restic);
    await expectSnapshotRestores(restic, 'latest', src);
  });

  test('a snapshot that is gone comes back when it is named; another repository that is away is told of', async () => {
    const { folder, cli, restic, from } = await pair();
    const [snapshot] = readdirSync(join(cli.repository, 'snapshots'));
    rmSync(join(cli.repository, 'snapshots', snapshot!));
    const run = await cli.run(['heal', '--from', join(folder, 'nowhere'), '--snapshot', snapshot!]);
    expect(run.code).toBe(3);
    expect(run.stderr).toContain('could not be asked');
    const { stdout } = await cli.must(['heal', ...from, '--snapshot', snapshot!]);
    expect(stdout).toContain(`healed   snapshot ${snapshot!.slice(0, 8)}`);
    expect(await restic.snapshots()).toHaveLength(1);
    await expectCleanCheck(restic);
  });

  test('refuses password files that do not fit the repositories', async () => {
    const { cli } = await pair();
    const { code, stderr } = await cli.run(['heal', '--from', 'x', '--from-password-file', 'a', '--from-password-file', 'b']);
    expect(code).toBe(1);
    expect(stderr).toContain('There are 2 password files for 1 repositories.');
  });
});
