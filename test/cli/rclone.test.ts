import { execFileSync } from 'node:child_process';
import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { holdfast, quickRepositoryAt } from '../support/cli.ts';
import { expectSameTree } from '../support/judge.ts';
import { jsonLines, Restic } from '../support/restic.ts';
import { scratch, tree } from '../support/tree-literal.ts';

/** Processes of this name whose arguments hold this text. */
const running = (text: string): number =>
  execFileSync('ps', ['-eo', 'args'])
    .toString()
    .split('\n')
    .filter((line) => line.startsWith('rclone ') && line.includes(text)).length;

test('a repository on a remote of rclone is used by the verbs, read by restic, and leaves no rclone behind', async () => {
  const folder = scratch();
  const config = join(folder, 'rclone.conf');
  writeFileSync(config, `[disk-of-this-test]\ntype = alias\nremote = ${folder}\n`);
  const env = { RCLONE_CONFIG: config };
  const cli = await quickRepositoryAt('rclone:disk-of-this-test:repo', env);
  const src = tree(join(folder, 'src'), { a: 'a', b: { c: 'c'.repeat(100_000) } });
  await cli.must(['backup', src], { env });
  expect((await cli.must(['snapshots'], { env })).stdout).toContain('1 snapshot');
  await cli.must(['restore', `latest:${src}`, '--target', join(folder, 'back')], { env });
  await expectSameTree(src, join(folder, 'back'));
  await cli.must(['check', '--read-data'], { env });
  await cli.must(['forget', 'latest', '--force', '--prune'], { env });
  expect((await cli.must(['test-connection'], { env })).stdout).toContain('The connection works');
  expect(existsSync(join(folder, 'repo/config'))).toBe(true);
  expect((await new Restic(cli.repository, cli.password).run(['check'], { env })).code).toBe(0);
  while (running('disk-of-this-test') > 0) execFileSync('sleep', ['0.1']);
});

test('an rclone that is not there, and a remote that it does not know, are told apart', async () => {
  const env = { HOLDFAST_PASSWORD: 'pw', RCLONE_CONFIG: join(scratch(), 'none') };
  const codeOf = async (place: string, more: Record<string, string> = {}): Promise<unknown> =>
    jsonLines((await holdfast(['--repo', place, '--json', 'snapshots'], { env: { ...env, ...more } })).stdout).at(-1);
  expect(await codeOf('rclone:disk:repo', { HOLDFAST_RCLONE: '/nowhere/rclone' })).toMatchObject({ code: 'program-missing' });
  expect(await codeOf('rclone:no-such-remote:repo')).toMatchObject({
    code: 'rclone-failed',
    message: expect.stringContaining("didn't find section"),
  });
  expect(await codeOf('rclone:')).toMatchObject({ code: 'bad-usage' });
});
