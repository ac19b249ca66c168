/** The verbs that ask the catalogue. */
import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { catalogued } from '../support/catalogued.ts';
import { type CliRun, holdfast } from '../support/cli.ts';
import { jsonLines } from '../support/restic.ts';
import { connectFolder, createPlan, ended, startService } from '../support/service.ts';
import { scratch, tree } from '../support/tree-literal.ts';

test('history, search, protected and usage answer from the catalogue of the service', async () => {
  const folder = scratch();
  const service = await startService({ folder });
  const { client, profile } = service;
  const run = (...args: string[]): Promise<CliRun> => holdfast(args, { env: { HOLDFAST_PROFILE: profile.folder, HOME: folder } });
  const disk = await connectFolder(service);
  const source = tree(join(folder, 'docs'), { 'a.txt': 'one', big: { 'Ünïque 报告.bin': 'x'.repeat(5000) }, 'left.tmp': '' });
  const plan = await createPlan(service, source, disk, { excludes: { patterns: ['*.tmp'] } });
  const backUp = async (): Promise<void> => void (await ended(service, (await client.runs.start({ plan: plan.id })).id));
  await backUp();
  writeFileSync(join(source, 'a.txt'), 'two, longer');
  rmSync(join(source, 'big'), { recursive: true });
  await backUp();
  await catalogued(service, 2);

  const history = await run('history', join(source, 'a.txt'));
  expect([history.code, history.stderr]).toEqual([0, '']);
  expect(history.stdout.split('\n').filter((line) => line.includes('Documents'))).toEqual([
    expect.stringMatching(/11 B .* the newest snapshot .* 1 .*Documents .*repo/),
    expect.stringMatching(/3 B .* 1 .*Documents .*repo/),
  ]);
  const json = jsonLines((await run('history', join(source, 'a.txt'), '--json')).stdout);
  expect(json.map(({ type, size }) => [type, size])).toEqual([
    ['version', 11],
    ['version', 3],
    ['summary', undefined],
  ]);
  expect((await run('history', join(source, 'never'))).stderr).toContain('knows no snapshot');

  const found = await run('search', '报告');
  expect(found.stdout).toContain(join(source, 'big/Ünïque 报告.bin'));
  expect(
    (await run('search', 'ÜNÏQUE', '--min-size', '4K', '--type', 'file', '--within', source, '--newer', '2020-01-01')).stdout,
  ).toContain('报告');
  expect((await run('search', '报告', '--max-size', '4K')).stderr).toContain('Nothing of that name');
  expect((await run('search', '*.txt', '--plan', 'Documents', '--to', 'repo', '--most', '1')).stdout).toContain(join(source, 'a.txt'));
  expect((await run('search', 'x', '--type', 'nonsense')).code).toBe(1);

  const yes = await run('protected', join(source, 'a.txt'));
  expect([yes.code, yes.stdout]).toEqual([0, expect.stringContaining('Yes, it is protected')]);
  const left = await run('protected', join(source, 'left.tmp'));
  expect([left.code, left.stdout]).toEqual([1, expect.stringContaining('(*.tmp)')]);
  expect((await run('protected', folder)).code).toBe(3);
  expect((await run('protected', '/somewhere/else')).code).toBe(1);

  const usage = await run('usage', source);
  expect(usage.stdout).toMatch(/11 B in 1 file/);
  const { snapshots } = await client.catalogue.snapshots({});
  const before = await run('usage', source, '--snapshot', snapshots[1]!.snapshot.slice(0, 10));
  expect(
    before.stdout
      .split('\n')
      .slice(2)
      .filter((line) => line.includes(source)),
  ).toEqual([expect.stringMatching(/4\.88 KiB .*1 .*big\/$/), expect.stringMatching(/3 B .*1 .*a\.txt$/)]);
  expect((await run('usage')).stdout).toContain('/ in snapshot');
  expect((await run('usage', join(source, 'never'))).code).toBe(1);
  const status = await run('catalogue', 'status');
  expect([status.code, status.stdout]).toEqual([0, expect.stringMatching(/: the catalogue knows it \(2 of 2 snapshots are in it/)]);
  const check = await run('catalogue', 'check', disk.name);
  expect([check.code, check.stdout]).toEqual([0, expect.stringContaining('says of 2 snapshots')]);
  // Whoever has no service is told how to get one.
  const nobody = await holdfast(['search', 'x'], { env: { HOLDFAST_PROFILE: join(scratch(), 'none') } });
  expect([nobody.code, nobody.stderr]).toEqual([1, expect.stringContaining('holdfast serve')]);
});
