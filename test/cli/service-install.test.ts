import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { execPath, getuid, platform } from 'node:process';
import { expect, test } from 'vitest';
import { cleanEnvironment, cliProgram, holdfast } from '../support/cli.ts';
import { scratch } from '../support/tree-literal.ts';

test('without a systemd for persons, as in a container, it says what to do instead, and changes nothing', async () => {
  const home = scratch();
  const env = { HOME: home, XDG_RUNTIME_DIR: join(home, 'nothing') };
  const { code, stderr, stdout } = await holdfast(['service', 'install'], { env });
  expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
  expect(stderr).toMatch(/nothing that starts the service by itself \(.+\)\. Nothing was changed\.\nLet whatever starts programs here/);
  expect(await holdfast(['service', 'uninstall'], { env })).toMatchObject({
    code: 0,
    stdout: 'The service was not installed. Nothing was changed.\n',
  });
  expect(readdirSync(home)).toEqual([]);
});

test('options with which the service could never start are refused', async () => {
  const env = { HOME: scratch() };
  expect((await holdfast(['service', 'install', '--listen', '0.0.0.0'], { env })).stderr).toContain('without encryption');
  expect((await holdfast(['service', 'install', '--listen', 'https://x'], { env })).stderr).toContain('no address to listen on');
  expect((await holdfast(['serve', '--host-name', 'https://nas'], { env })).stderr).toContain('no name of a computer');
  expect((await holdfast(['service', 'install', '--port', '70000'], { env })).stderr).toContain('no port');
});

// In a room of its own: processes and mounts that nobody else sees, and that end with it.
test.skipIf(platform !== 'linux' || getuid?.() !== 0)('a real systemd starts it, starts it anew, ends it and forgets it', () => {
  const home = join(scratch(), 'a %h "home"');
  const script = `
    set -e
    # What other tests have mounted would stay in use here after they have unmounted it.
    findmnt -rno TARGET | tac | grep '^${tmpdir()}/' | while read -r place; do umount -l "$(printf %b "$place")" || true; done
    mount -t tmpfs tmpfs /run && mkdir -p /run/systemd/system /run/user/0
    mkdir "$HOME" && cd "$HOME"
    /lib/systemd/systemd --user >/dev/null 2>&1 &
    until systemctl --user show --property=Version >/dev/null 2>&1; do sleep 0.1; done
    holdfast() { "${execPath}" "${cliProgram}" "$@"; }
    pid() { holdfast status --json | grep -o '"pid":[0-9]*'; }
    until_running() { until pid >/dev/null; do sleep 0.1; done; }
    holdfast service install --at-login --port 0 --secrets-file secrets
    until_running
    one=$(pid)
    holdfast service install --secrets-file secrets >/dev/null 2>&1
    until [ "$(pid)" != "$one" ] && pid >/dev/null; do sleep 0.1; done
    systemctl --user is-enabled holdfast.service
    holdfast service uninstall
    holdfast status || echo "status exits with $?"
    find . -name '*holdfast*.service'
  `;
  const env = cleanEnvironment({ HOME: home, XDG_RUNTIME_DIR: '/run/user/0', HOLDFAST_PROFILE: join(home, 'profile $x') });
  const room = ['--mount', '--pid', '--fork', '--kill-child', '--mount-proc', 'sh', '-c', script];
  const { status, stdout, stderr } = spawnSync('unshare', room, { env, encoding: 'utf8' });
  expect(stdout.split('\n'), stderr).toEqual([
    `The service is installed (${home}/.config/systemd/user/holdfast.service) and starts whenever you log in.`,
    'enabled',
    'The service has ended, and nothing starts it any more.',
    'status exits with 1',
    '',
  ]);
  expect(stderr).toContain('loginctl enable-linger');
  expect(status).toBe(0);
  expect(existsSync(join(home, 'profile $x', 'state.db'))).toBe(true);
});
