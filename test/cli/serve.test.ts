import { readFileSync, writeFileSync } from 'node:fs';
import { get as getPlain, type IncomingMessage } from 'node:http';
import { get } from 'node:https';
import { once } from 'node:events';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { Authority } from '../support/authority.ts';
import { type CliRun, holdfast } from '../support/cli.ts';
import { scratch } from '../support/tree-literal.ts';

interface Served {
  readonly addresses: string[];
  /** Ends it as Ctrl-C does. */
  stop(): Promise<CliRun>;
}

/** A profile, the environment in which all verbs mean it, and what starts its service. */
function profile(): { folder: string; env: Record<string, string>; serve: (...args: string[]) => Promise<Served> } {
  const folder = scratch();
  const env = { HOLDFAST_PROFILE: join(folder, 'profile'), HOLDFAST_SECRETS_FILE: join(folder, 'secrets') };
  const serve = (...args: string[]): Promise<Served> =>
    new Promise((resolve, reject) => {
      let kill: (signal: NodeJS.Signals) => void = () => {};
      let text = '';
      const ended = holdfast(['serve', '--json', ...args], {
        env,
        onOutput: (piece, end) => {
          kill = end;
          text += piece;
          const ready = text.split('\n').find((line) => line.includes('"type":"ready"'));
          if (ready) resolve({ ...(JSON.parse(ready) as { addresses: string[] }), stop });
        },
      });
      const stop = (): Promise<CliRun> => {
        kill('SIGINT');
        return ended;
      };
      onTestFinished(() => stop().then(() => {}));
      ended.then(({ stdout, stderr }) => reject(new Error(`it ended: ${stdout}${stderr}`)), reject);
    });
  return { folder, env, serve };
}

test('prints an address for this computer, where asked, and none by itself', async () => {
  const { serve } = profile();
  const without = await serve();
  expect(without.addresses).toEqual([]);
  await without.stop();
  const first = await serve('--port', '0');
  const [answer] = (await once(getPlain(first.addresses[0], { agent: false }), 'response')) as [IncomingMessage];
  expect([answer.resume().statusCode, answer.headers.location]).toEqual([303, '/']);
  expect((await first.stop()).code).toBe(0);
  const second = await serve('--port', new URL(first.addresses[0]).port);
  expect(second.addresses[0]).not.toBe(first.addresses[0]);
});

test('logins are made on the computer itself, and then other computers come in', async () => {
  const { folder, env, serve } = profile();
  const authority = new Authority(folder);
  const { certificate, key } = authority.sign('nas');
  const listening = ['--listen', '127.0.0.1:0', '--tls-cert', certificate, '--tls-key', key, '--host-name', 'localhost'];
  for (const [args, says] of [
    [listening, 'there is no login yet'],
    [listening.slice(0, 4), 'without encryption'],
    [[...listening.slice(0, 5), certificate, ...listening.slice(6)], 'cannot be used'],
  ] as const) {
    expect(await holdfast(['serve', ...args], { env })).toMatchObject({ code: 1, stdout: '', stderr: expect.stringContaining(says) });
  }
  const login = (...args: string[]): Promise<CliRun> => holdfast(['login', ...args], { env });
  const file = join(folder, 'password');
  writeFileSync(file, 'short\n');
  expect((await login('list')).stderr).toContain('service is not running');
  const local = await serve();
  expect((await login('add', 'anna', '--new-password-file', file)).stderr).toContain('at least 8 characters');
  writeFileSync(file, 'long enough\n');
  expect(await login('add', 'anna', '--new-password-file', file)).toMatchObject({ code: 0, stdout: '“anna” can log in from now on.\n' });
  expect((await login('add', 'anna', '--new-password-file', file)).stderr).toContain('a login “anna” already');
  await local.stop();

  const both = await serve(...listening, '--port', '0');
  expect(both.addresses).toEqual([expect.stringMatching(/^http:\/\/127/), expect.stringMatching(/^https:\/\/localhost:\d+\/$/)]);
  const [answer] = (await once(
    get(new URL('/session', both.addresses[1]), { agent: false, family: 4, ca: readFileSync(authority.certificate) }),
    'response',
  )) as [IncomingMessage];
  expect(answer.resume().statusCode).toBe(401);
  expect((await login('list')).stdout).toMatch(/Name +Since.*\n-+\nanna /);
  expect((await login('revoke')).stdout).toBe('0 sessions have ended.\n');
  expect((await login('revoke', 'bert')).stderr).toContain('no login “bert”');
  expect((await login('remove', 'anna')).stdout).toBe('“anna” cannot log in any more.\n');
});
