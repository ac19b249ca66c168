import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { holdfast } from '../support/cli.ts';
import { OddSftp, oddUser } from '../support/odd-sftp.ts';
import { freePort } from '../support/servers.ts';
import { jsonLines } from '../support/restic.ts';
import { expectBothOnHoldfastsRepository, expectBothOnResticsRepository, type SharedPlace } from '../support/shared-place.ts';
import { passphrase, type Sshd, startSshd } from '../support/sshd.ts';

let sshd: Sshd;
let odd: OddSftp;
let count = 0;
const home = mkdtempSync(join(tmpdir(), 'holdfast-home-'));

beforeAll(async () => {
  sshd = await startSshd();
  odd = await OddSftp.start();
});

afterAll(async () => {
  await sshd.stop();
  await odd.stop();
  rmSync(home, { recursive: true });
});

const env = (): Record<string, string> => ({
  HOME: home,
  // restic runs the ssh that it finds there.
  PATH: `${sshd.bin}:${process.env.PATH}`,
  HOLDFAST_SFTP_KEY_FILE: sshd.lockedKeyFile,
  HOLDFAST_SFTP_KEY_PASSPHRASE: passphrase,
  HOLDFAST_SFTP_KNOWN_HOSTS: sshd.knownHosts,
  HOLDFAST_DEBUG: '1',
});

const shared = (): SharedPlace => ({
  newPlace: () => sshd.place(`new/path-${count++}`),
  env: env(),
  secrets: [passphrase, 'PRIVATE KEY'],
});

describe('a repository on an SSH server', () => {
  test('that restic has made is used by Holdfast, and by restic after it', () => expectBothOnResticsRepository(shared()));
  test('that Holdfast has made is used by restic, and by Holdfast after it', () => expectBothOnHoldfastsRepository(shared()));
});

/** The connection test's last line, and all that was said. */
async function tested(
  place: string,
  given: Record<string, string>,
): Promise<{ summary: Record<string, unknown>; said: string; code: number }> {
  const { stdout, stderr, code } = await holdfast(['--repo', place, '--json', 'test-connection', '--create'], {
    env: { ...env(), ...given },
  });
  return { summary: jsonLines(stdout).at(-1)!, said: stdout + stderr, code };
}

describe('the connection test', () => {
  const odds = { HOLDFAST_SFTP_KEY_FILE: '', HOLDFAST_SFTP_KEY_PASSPHRASE: '', HOLDFAST_SFTP_PASSWORD: oddUser.password };
  const oddPlace = (): string => `sftp://${oddUser.username}@127.0.0.1:${odd.port}//test`;

  test('finds a server that is new, notes its key, and tells it', async () => {
    const own = join(home, 'data', 'known_hosts');
    const { summary, said, code } = await tested(oddPlace(), { ...odds, HOLDFAST_SFTP_KNOWN_HOSTS: own });
    expect(summary).toMatchObject({ verdict: 'empty', location: oddPlace() });
    expect(code).toBe(10);
    expect(said).toContain('for the first time');
    expect(readFileSync(own, 'utf8')).toContain(`[127.0.0.1]:${odd.port} ssh-ed25519`);
    for (const secret of [oddUser.password, encodeURIComponent(oddUser.password)]) expect(said).not.toContain(secret);
  });

  test.each([
    ['a wrong password', { HOLDFAST_SFTP_PASSWORD: 'top-secret-guess' }, 'credentials-refused'],
    ['no password', { HOLDFAST_SFTP_PASSWORD: '' }, 'credentials-missing'],
    ['another host key', { HOLDFAST_SFTP_HOST_KEY: `SHA256:${'A'.repeat(43)}` }, 'host-key-changed'],
  ])('tells of %s, and shows none', async (_, given, code) => {
    const own = join(home, `known-${count++}`);
    const { summary, said } = await tested(oddPlace(), { ...odds, HOLDFAST_SFTP_KNOWN_HOSTS: own, ...given });
    expect(summary).toMatchObject({ verdict: 'unusable', error: { code } });
    expect(said).not.toContain('guess');
    expect(said).not.toContain(oddUser.password);
  });

  test('tells of a server that is not there, and of one that knows another key', async () => {
    const nobody = await tested(`sftp://me@127.0.0.1:${await freePort()}/x`, {});
    expect(nobody.summary).toMatchObject({ verdict: 'unusable', error: { code: 'server-refused' } });
    const stranger = await tested(sshd.place('x'), { HOLDFAST_SFTP_KEY_FILE: sshd.strangerFile });
    expect(stranger.summary).toMatchObject({ verdict: 'unusable', error: { code: 'credentials-refused' } });
  });

  test('shows no password that stands in the address, and says what is wrong with that', async () => {
    const secret = encodeURIComponent(oddUser.password);
    const place = oddPlace().replace(`${oddUser.username}@`, `${oddUser.username}:${secret}@`);
    const own = join(home, `known-${count++}`);
    const { summary, said } = await tested(place, { ...odds, HOLDFAST_SFTP_PASSWORD: '', HOLDFAST_SFTP_KNOWN_HOSTS: own });
    expect(summary).toMatchObject({ verdict: 'empty', location: oddPlace() });
    expect(said).toContain('The password in the address can be seen');
    for (const each of [oddUser.password, secret]) expect(said).not.toContain(each);
  });
});
