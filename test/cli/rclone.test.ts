import { execFileSync, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { systemClock } from '../../src/platform/clock.ts';
import { credentialsFrom } from '../../src/storage/credentials.ts';
import { openPlace } from '../../src/storage/place.ts';
import { holdfast, quickRepositoryAt } from '../support/cli.ts';
import { expectSameTree } from '../support/judge.ts';
import { jsonLines, Restic } from '../support/restic.ts';
import { scratch, tree } from '../support/tree-literal.ts';

/** Process numbers of each rclone whose arguments hold this text. */
const running = (text: string): number[] =>
  execFileSync('ps', ['-eo', 'pid=,args='])
    .toString()
    .split('\n')
    .filter((line) => /^ *\d+ rclone /.test(line) && line.includes(text))
    .map((line) => Number.parseInt(line, 10));

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
  while (running('disk-of-this-test').length > 0) execFileSync('sleep', ['0.1']);
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

test('an rclone that ends under many requests ends none of ours but with an error that says so', async () => {
  const folder = scratch();
  const config = join(folder, 'rclone.conf');
  writeFileSync(config, `[disk-that-ends]\ntype = alias\nremote = ${folder}\n`);
  const credentials = credentialsFrom({ RCLONE_CONFIG: config }, undefined);
  const storage = await openPlace('rclone:disk-that-ends:repo', { clock: systemClock, credentials });
  await storage.create();
  const save = async (text: string): Promise<string> => {
    const bytes = Buffer.from(text.repeat(100_000));
    return storage.save({ kind: 'pack', name: createHash('sha256').update(bytes).digest('hex') }, [bytes]).then(
      () => 'saved',
      (error: unknown) => (error as { code: string }).code,
    );
  };
  for (let round = 0; round < 10; round++) {
    const saves = Promise.all(Array.from({ length: 20 }, (_, i) => save(`${round}-${i} `)));
    await systemClock.sleep(round * 10);
    // One that has just ended by itself is as good as killed.
    spawnSync('kill', ['-KILL', ...running('disk-that-ends').map(String)]);
    for (const outcome of await saves) expect(outcome).toMatch(/^(saved|rclone-failed|connection-lost)$/);
  }
  // That it has been killed may be noticed by the next request only.
  expect(await save('afterwards')).toMatch(/^(saved|rclone-failed|connection-lost)$/);
  expect(await save('at last')).toBe('saved');
  await storage.close();
  expect(running('disk-that-ends')).toEqual([]);
});

test('many requests to an rclone that ends at once all say why', async () => {
  const storage = await openPlace('rclone:no-such-remote:repo', {
    clock: systemClock,
    credentials: credentialsFrom({ RCLONE_CONFIG: join(scratch(), 'none') }, undefined),
  });
  for (let round = 0; round < 5; round++) {
    const loads = await Promise.allSettled(Array.from({ length: 8 }, () => storage.load({ kind: 'config', name: '' })));
    for (const load of loads) expect(load).toMatchObject({ status: 'rejected', reason: { code: 'rclone-failed' } });
  }
  await storage.close();
});
