import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { holdfast, quickRepositoryAt } from '../support/cli.ts';
import { expectJson, summaryOf } from '../support/cli-ready.ts';
import { jsonLines } from '../support/restic.ts';
import { startRestServer } from '../support/servers.ts';
import { scratch } from '../support/tree-literal.ts';

const user = { username: 'me', password: 'server secret' };
const env = { RESTIC_REST_USERNAME: user.username, RESTIC_REST_PASSWORD: user.password };

test('test-connection says for people and for programs whether a place can be used, and what is wrong', async () => {
  const server = await startRestServer({ user });
  onTestFinished(() => server.stop());
  const place = `rest:${server.url}/place/`;
  const empty = await holdfast(['--repo', place, 'test-connection'], { env });
  expect(empty.stdout).toContain('no repository is there yet');
  expect(empty.code).toBe(10);
  const cli = await quickRepositoryAt(place, env);

  const people = await cli.must(['test-connection'], { env });
  expect(people.stdout).toContain('A repository is there, made by');
  expect(people.stdout).toContain('The password opens the repository');
  expect(people.stdout).toContain('The connection works.');
  const unread = await holdfast(['--repo', place, 'test-connection', '--no-write'], { env });
  expect(unread.code).toBe(0);
  expect(unread.stdout).toContain('No password was given');

  const { stdout } = await cli.must(['--json', 'test-connection'], { env });
  expectJson(stdout);
  expect(summaryOf(stdout)).toMatchObject({ verdict: 'ready', location: place, repository: { isOwn: true } });

  const refused = await cli.run(['--json', 'test-connection'], { env: { ...env, RESTIC_REST_PASSWORD: 'a guess' } });
  expect(refused.code).toBe(1);
  expect(jsonLines(refused.stdout).find(({ type }) => type === 'step')).toMatchObject({
    step: 'reach',
    result: 'failed',
    error: { code: 'credentials-refused' },
  });
  expect(summaryOf(refused.stdout)).toMatchObject({ verdict: 'unusable', error: { code: 'credentials-refused' } });
  const wrong = await cli.run(['test-connection'], { env: { ...env, HOLDFAST_PASSWORD: 'wrong' } });
  expect(wrong.code).toBe(12);
  expect(wrong.stdout).toContain('FAILED');
  for (const text of [people, refused, wrong]) expect(text.stdout + text.stderr).not.toMatch(/server secret|a guess/);
});

test('test-connection of a folder that is not there can make it', async () => {
  const folder = join(scratch(), 'new');
  expect((await holdfast(['--repo', folder, 'test-connection'])).stdout).toContain('not there yet');
  const made = await holdfast(['--repo', folder, 'test-connection', '--create']);
  expect(made.stdout).toContain('ready for a repository');
  expect(made.code).toBe(10);
});
