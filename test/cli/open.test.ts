import { statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { expect, test } from 'vitest';
import { startForBrowsers } from '../support/browser.ts';
import { cliProgram, holdfast } from '../support/cli.ts';
import { startService } from '../support/service.ts';
import { scratch } from '../support/tree-literal.ts';

const program = join(dirname(cliProgram), cliProgram.endsWith('.ts') ? 'open.ts' : 'open.js');

test('without a desktop the app is a service for a browser, whose secrets are in a file where there is no keychain', async () => {
  const profile = join(scratch(), 'profile');
  let status = 0;
  let said = '';
  const { code, stdout } = await holdfast([], {
    program,
    env: { HOLDFAST_PROFILE: profile, HOLDFAST_KEYCHAIN: 'off', HOLDFAST_PORT: '0', DISPLAY: '', WAYLAND_DISPLAY: '' },
    onOutput: (text, kill) => {
      said += text;
      const address = /In a browser: (\S+)\n/.exec(said)?.[1];
      if (address === undefined || status !== 0) return;
      status = -1;
      void fetch(address, { redirect: 'manual' }).then((answer) => {
        status = answer.status;
        kill('SIGTERM');
      });
    },
  });
  expect(status).toBe(303);
  expect(stdout).toContain(`passwords are kept in ${join(profile, 'secrets.json')}`);
  expect(stdout).toContain('Open this address in a browser of this computer.');
  expect(stdout).toContain('The service has ended.');
  expect(code).toBe(0);
  expect(statSync(profile).mode & 0o777).toBe(0o700);
});

test('started a second time it opens the interface of the service that runs, and says when that has none', async () => {
  const { profile, port } = await startForBrowsers({ files: scratch() });
  const env = { HOLDFAST_PROFILE: profile.folder, HOLDFAST_KEYCHAIN: 'off', DISPLAY: '', WAYLAND_DISPLAY: '' };
  const { code, stdout } = await holdfast([], { program, env });
  expect(code).toBe(0);
  expect(stdout).toContain('Holdfast runs already.');
  const address = /In a browser: (\S+)\n/.exec(stdout)![1];
  expect(new URL(address).port).toBe(String(port));
  expect((await fetch(address, { redirect: 'manual' })).status).toBe(303);
  const without = await startService();
  const refused = await holdfast([], { program, env: { ...env, HOLDFAST_PROFILE: without.profile.folder } });
  expect(refused.code).toBe(1);
  expect(refused.stderr).toContain('Holdfast runs already, without an interface for browsers. Your backups go on.');
});
