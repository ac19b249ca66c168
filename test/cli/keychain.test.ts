import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { SystemKeychain } from '../../src/platform/keychain/keychain.ts';
import { repositoryPasswordName } from '../../src/platform/keychain/names.ts';
import { holdfast, holdfastStart, quickRepository } from '../support/cli.ts';
import { jsonLines } from '../support/restic.ts';
import { startSecretService } from '../support/secret-service.ts';
import { scratch, tree } from '../support/tree-literal.ts';

/** A person with a keychain, and what a run of a program needs to find both. */
async function person() {
  const service = await startSecretService();
  onTestFinished(() => service.stop());
  const home = scratch();
  tree(home, { Documents: { 'letter.txt': 'dear' } });
  const env = { ...service.env, HOME: home, XDG_DATA_HOME: join(home, 'data'), HOLDFAST_KEYCHAIN: '' };
  const data = join(home, 'data/holdfast');
  return { service, home, env, file: join(data, 'password'), repository: join(data, 'repository') };
}

const commandsIn = (stdout: string): string[] =>
  stdout
    .split('\n')
    .filter((line) => line.startsWith('  '))
    .map((line) => line.trim());

describe('npm start on a computer with a keychain', () => {
  test('keeps the password there, and the commands that it prints find it', async () => {
    const { env, file, service } = await person();
    const { code, stdout, stderr } = await holdfastStart([], { env });
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout).toContain('kept in the keychain');
    expect(stdout).not.toContain('--password-file');
    expect(existsSync(file)).toBe(false);
    const [list] = commandsIn(stdout);
    expect(execFileSync('sh', ['-c', list!], { env }).toString()).toContain('1 snapshot');
    const again = await holdfastStart(['--json'], { env });
    expect(jsonLines(again.stdout).at(-1)).toMatchObject({ type: 'next', inKeychain: true });
    service.lock();
    // Nobody is there to unlock it.
    const locked = await holdfastStart([], { env });
    expect(locked.code).toBe(1);
    expect(locked.stderr).toContain('keychain of this computer is locked');
  });

  test('takes over the password file of an earlier version', async () => {
    const { env, file, repository } = await person();
    expect((await holdfastStart([], { env: { ...env, HOLDFAST_KEYCHAIN: 'off' } })).stdout).toContain(`kept in ${file}`);
    const password = readFileSync(file, 'utf8').trim();
    expect((await holdfastStart([], { env })).stdout).toContain('kept in the keychain');
    expect(existsSync(file)).toBe(false);
    // What is given explicitly comes first.
    expect(
      (await holdfast(['--repo', repository, 'snapshots'], { env: { ...env, HOLDFAST_PASSWORD: password, HOLDFAST_KEYCHAIN: 'off' } }))
        .code,
    ).toBe(0);
    expect((await holdfast(['--repo', repository, 'snapshots'], { env: { ...env, HOLDFAST_PASSWORD: 'wrong' } })).code).toBe(12);
    expect((await holdfast(['--repo', repository, 'snapshots'], { env })).code).toBe(0);
    // Another way to the same folder.
    expect((await holdfast(['--repo', 'data/../data/holdfast/repository/', 'snapshots'], { env, cwd: env.HOME })).code).toBe(0);
  });

  test('leaves the password in its file, and says why, while the keychain is locked', async () => {
    const { env, file, service } = await person();
    service.lock();
    for (const isNew of [true, false]) {
      const { code, stdout } = await holdfastStart([], { env });
      expect(code).toBe(0);
      expect(stdout.includes('new repository')).toBe(isNew);
      expect(stdout).toContain(`kept in ${file}`);
      expect(stdout).toContain('nobody has unlocked it');
      expect(existsSync(file)).toBe(true);
    }
  });

  test('never moves a password that does not open the repository', async () => {
    const { env, file } = await person();
    expect((await holdfastStart([], { env: { ...env, HOLDFAST_KEYCHAIN: 'off' } })).code).toBe(0);
    const password = readFileSync(file, 'utf8').trim();
    writeFileSync(file, 'another one');
    const { code, stdout } = await holdfastStart([], { env: { ...env, HOLDFAST_PASSWORD: password } });
    expect(code).toBe(0);
    expect(stdout).not.toContain('kept in');
    expect(readFileSync(file, 'utf8')).toBe('another one');
  });
});

test('a password in the keychain that does not open the repository is a wrong password', async () => {
  const { env, home, service } = await person();
  const { repository } = await quickRepository(join(home, 'backup'), 'the right one');
  process.env.DBUS_SESSION_BUS_ADDRESS = service.env.DBUS_SESSION_BUS_ADDRESS;
  await new SystemKeychain().set(repositoryPasswordName(repository), 'another one');
  expect((await holdfast(['--repo', repository, 'snapshots'], { env })).code).toBe(12);
});
