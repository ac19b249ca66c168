import { statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { expect, test } from 'vitest';
import { cliProgram, holdfast } from '../support/cli.ts';
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
