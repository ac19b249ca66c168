/** The SFTP storage on a real server: OpenSSH. */
import { execFileSync, spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { execPath } from 'node:process';
import { fileURLToPath } from 'node:url';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { systemClock } from '../../../src/platform/clock.ts';
import { credentialsFrom } from '../../../src/storage/credentials.ts';
import { openPlace } from '../../../src/storage/place.ts';
import type { Storage } from '../../../src/storage/storage.ts';
import { makeSshHome, passphrase, type Sshd, startSshd } from '../../support/sshd.ts';
import { codeOf, describeStorage, errorOf, fileFor, listAll, sha256 } from '../../support/storage-suite.ts';
import { refuseUnhandledRejections } from '../../support/unhandled.ts';

refuseUnhandledRejections();

const project = fileURLToPath(new URL('../../..', import.meta.url)).replace(/\/$/, '');

let sshd: Sshd;
let count = 0;
const opened: Storage[] = [];

beforeAll(async () => {
  sshd = await startSshd();
});

afterEach(async () => {
  for (const each of opened.splice(0)) await each.close();
});

afterAll(async () => {
  await sshd.stop();
  rmSync(homes, { recursive: true });
});

const homes = mkdtempSync(join(tmpdir(), 'holdfast-homes-'));
const homeWith = (files: Readonly<Record<string, string>>): string => makeSshHome(homes, files);

const notes: string[] = [];

async function openSftp(place: string, env: Record<string, string> = {}): Promise<Storage> {
  const usual = { HOME: '/nowhere', HOLDFAST_SFTP_KEY_FILE: sshd.keyFile, HOLDFAST_SFTP_KNOWN_HOSTS: sshd.knownHosts };
  const made = await openPlace(place, {
    clock: systemClock,
    credentials: credentialsFrom({ ...usual, ...env }, undefined),
    onNote: (text) => void notes.push(text),
  });
  opened.push(made);
  return made;
}

describeStorage('SFTP storage on OpenSSH', async () => {
  const place = sshd.place(`a place/äö +&=~'()${count++}`);
  return { storage: await openSftp(place), reopen: () => openSftp(place) };
});

const content = Buffer.from('some content');
const file = fileFor(content);

/** What is there when one has been let in: nothing. */
const letIn = async (env: Record<string, string>, place = sshd.place('nothing there')): Promise<string> =>
  codeOf((await openSftp(place, env)).size(file));

describe('one is let in', () => {
  const noKey = { HOLDFAST_SFTP_KEY_FILE: '' };

  test('by a key under a passphrase', async () => {
    const env = { HOLDFAST_SFTP_KEY_FILE: sshd.lockedKeyFile, HOLDFAST_SFTP_KEY_PASSPHRASE: passphrase };
    expect(await letIn(env)).toBe('storage-gone');
  });

  test.each(['', 'a guess'])('but not by one whose passphrase is "%s"', async (guess) => {
    const env = { HOLDFAST_SFTP_KEY_FILE: sshd.lockedKeyFile, HOLDFAST_SFTP_KEY_PASSPHRASE: guess };
    const error = await errorOf(openSftp(sshd.place('x'), env));
    expect(error).toMatchObject({ code: 'private-key-locked', retryable: false });
    expect(error.message).toContain(guess === '' ? 'none was given' : 'does not open it');
    expect(JSON.stringify(error)).not.toContain('a guess');
  });

  test('but not by a key that is none', async () => {
    for (const key of ['/nowhere/key', sshd.knownHosts, `${sshd.keyFile}.pub`, sshd.folder])
      expect((await errorOf(openSftp(sshd.place('x'), { HOLDFAST_SFTP_KEY_FILE: key }))).code).toBe('input-unreadable');
  });

  test('but not by a key that the server does not know', async () => {
    const storage = await openSftp(sshd.place('x'), { HOLDFAST_SFTP_KEY_FILE: sshd.strangerFile });
    const error = await errorOf(storage.size(file));
    expect(error).toMatchObject({ code: 'credentials-refused', retryable: false });
    expect(error.message).toContain(`the key ${sshd.strangerFile}`);
  });

  test('but not without anything', async () => {
    const error = await errorOf((await openSftp(sshd.place('x'), noKey)).size(file));
    expect(error).toMatchObject({ code: 'credentials-missing', retryable: false });
    expect(error.message).toContain('wants a key');
  });

  test.each(['ed25519', 'ecdsa', 'rsa'])('by a key of type %s that lies in the home folder, also under a passphrase', async (type) => {
    const home = homeWith({});
    const key = join(home, '.ssh', `id_${type}`);
    execFileSync('ssh-keygen', ['-q', '-t', type, '-N', passphrase, '-f', key]);
    const authorized = join(sshd.folder, '..', 'authorized');
    writeFileSync(authorized, readFileSync(`${key}.pub`), { flag: 'a' });
    expect(await letIn({ ...noKey, HOME: home, HOLDFAST_SFTP_KEY_PASSPHRASE: passphrase })).toBe('storage-gone');
    // One that is locked is as if it were not there.
    expect(await letIn({ ...noKey, HOME: home })).toBe('credentials-missing');
  });

  test('by ssh-agent, whose first keys are strangers', async () => {
    const socket = join(homes, 'agent');
    const told = execFileSync('ssh-agent', ['-s', '-a', socket], { encoding: 'utf8' });
    try {
      const env = { ...noKey, SSH_AUTH_SOCK: socket };
      expect(await letIn(env)).toBe('credentials-refused');
      for (const key of [sshd.strangerFile, sshd.keyFile])
        execFileSync('ssh-add', ['-q', key], { env: { SSH_AUTH_SOCK: socket }, stdio: 'ignore' });
      expect(await letIn(env)).toBe('storage-gone');
      // A key that is named is the only one.
      expect(await letIn({ ...env, HOLDFAST_SFTP_KEY_FILE: sshd.strangerFile })).toBe('credentials-refused');
    } finally {
      process.kill(Number(/SSH_AGENT_PID=(\d+)/.exec(told)?.[1]));
    }
    // An agent that is gone is passed over.
    const home = homeWith({ id_ed25519: readFileSync(sshd.keyFile, 'utf8') });
    expect(await letIn({ ...noKey, SSH_AUTH_SOCK: socket, HOME: home })).toBe('storage-gone');
  });

  test('after too many keys not any more', async () => {
    const home = homeWith({});
    for (const type of ['ed25519', 'ecdsa', 'rsa'])
      execFileSync('ssh-keygen', ['-q', '-t', type, '-N', '', '-f', join(home, '.ssh', `id_${type}`)]);
    const strict = await startSshd(['MaxAuthTries 2']);
    try {
      const storage = await openSftp(strict.place('x'), { ...noKey, HOME: home, HOLDFAST_SFTP_KNOWN_HOSTS: strict.knownHosts });
      const error = await errorOf(storage.size(file));
      expect(error).toMatchObject({ code: 'credentials-refused' });
      expect(error.message).toContain('Too many authentication failures');
    } finally {
      await strict.stop();
    }
  });
});

describe('the configuration of ssh', () => {
  const noKey = { HOLDFAST_SFTP_KEY_FILE: '' };
  const config = (...lines: readonly string[]): string => ['# mine', 'Host other', '  Port 1', ...lines].join('\n');

  test('says what a short name stands for, and which key it wants', async () => {
    const lines = [
      'Host n?s !nos',
      `  HostName=127.0.0.1`,
      `\tport ${sshd.port}`,
      `User "${sshd.username}"`,
      '  IdentityFile ~/.ssh/for-nas',
    ];
    const home = homeWith({
      config: config(...lines, 'Match all', 'Port 2', 'Host *', 'Port 3'),
      'for-nas': readFileSync(sshd.keyFile, 'utf8'),
    });
    const env = { ...noKey, HOME: home };
    expect(await letIn(env, `sftp:nas:${sshd.folder}/nothing there`)).toBe('storage-gone');
    // What is said in the address wins.
    expect(await letIn(env, 'sftp://nas:1/x')).toBe('server-refused');
    expect(await letIn(env, 'sftp:nobody@nas:x')).toBe('credentials-refused');
    const storage = await openSftp('sftp:nas:x', env);
    expect(storage.location).toBe('sftp:nas:x');
  });
});

describe('the host key of a server', () => {
  test.each(['ed25519', 'ecdsa', 'rsa'])('of type %s is asked for when it is the one that is known', async (type) => {
    const known = homeWith({
      known_hosts: `[127.0.0.1]:${sshd.port} ${readFileSync(join(sshd.folder, '..', `host_${type}.pub`), 'utf8')}`,
    });
    expect(await letIn({ HOME: known, HOLDFAST_SFTP_KNOWN_HOSTS: join(known, 'own') })).toBe('storage-gone');
    expect(existsSync(join(known, 'own'))).toBe(false);
  });

  test('is noted at first use, told, and expected from then on', async () => {
    const home = homeWith({});
    const own = join(home, 'new', 'known_hosts');
    notes.length = 0;
    expect(await letIn({ HOME: home, HOLDFAST_SFTP_KNOWN_HOSTS: own })).toBe('storage-gone');
    expect(notes).toHaveLength(1);
    expect(notes[0]).toContain(sshd.fingerprint('ed25519'));
    expect(await letIn({ HOME: home, HOLDFAST_SFTP_KNOWN_HOSTS: own })).toBe('storage-gone');
    expect(notes).toHaveLength(1);
    // ssh understands what was noted.
    const found = execFileSync('ssh-keygen', ['-F', `[127.0.0.1]:${sshd.port}`, '-f', own], { encoding: 'utf8' });
    expect(found).toContain('ssh-ed25519');
  });

  test('that is another one than known is refused, before anything is sent', async () => {
    const stranger = readFileSync(`${sshd.strangerFile}.pub`, 'utf8');
    const home = homeWith({ known_hosts: `# mine\n[127.0.0.1]:${sshd.port} ${stranger}` });
    const storage = await openSftp(sshd.place('x'), { HOME: home, HOLDFAST_SFTP_KNOWN_HOSTS: join(home, 'own') });
    const error = await errorOf(storage.size(file));
    expect(error).toMatchObject({ code: 'host-key-changed', retryable: false });
    expect(error.message).toContain(sshd.fingerprint('ed25519'));
    expect(error.guidance).toContain(`line 2 of ${join(home, '.ssh', 'known_hosts')}`);
    expect(existsSync(join(home, 'own'))).toBe(false);
  });

  test('can be given by its fingerprint', async () => {
    const home = homeWith({});
    const env = { HOME: home, HOLDFAST_SFTP_KNOWN_HOSTS: join(home, 'own') };
    expect(await letIn({ ...env, HOLDFAST_SFTP_HOST_KEY: sshd.fingerprint('ed25519') })).toBe('storage-gone');
    const odd = `SHA256:${'A'.repeat(43)}`;
    expect(await letIn({ ...env, HOLDFAST_SFTP_HOST_KEY: odd })).toBe('host-key-changed');
    expect((await errorOf(openSftp(sshd.place('x'), { ...env, HOLDFAST_SFTP_HOST_KEY: 'MD5:1234' }))).code).toBe('bad-usage');
    expect(existsSync(join(home, 'own'))).toBe(false);
  });
});

describe('on OpenSSH', () => {
  test('new keys are agreed on in the middle of a transfer', async () => {
    const often = await startSshd(['RekeyLimit 1M', 'MaxSessions 2']);
    try {
      const env = { HOLDFAST_SFTP_KEY_FILE: often.keyFile, HOLDFAST_SFTP_KNOWN_HOSTS: often.knownHosts };
      const storage = await openSftp(often.place('often'), env);
      await storage.create();
      const contents = Array.from({ length: 6 }, () => randomBytes(5_000_000));
      await Promise.all(contents.map((each) => storage.save(fileFor(each), [each])));
      const back = await Promise.all(contents.map((each) => storage.load(fileFor(each))));
      expect(back.map((each) => sha256(each))).toEqual(contents.map((each) => sha256(each)));
      await storage.close();
    } finally {
      await often.stop();
    }
  });

  test('a storage that nobody closes does not keep the program alive', () => {
    const program = `
      const { openPlace } = await import('${project}/src/storage/place.ts');
      const { credentialsFrom } = await import('${project}/src/storage/credentials.ts');
      const { systemClock } = await import('${project}/src/platform/clock.ts');
      const storage = await openPlace(process.argv[1], { clock: systemClock, credentials: credentialsFrom(process.env, undefined) });
      await storage.create();
      console.log('made');`;
    const env = { HOME: '/nowhere', HOLDFAST_SFTP_KEY_FILE: sshd.keyFile, HOLDFAST_SFTP_KNOWN_HOSTS: sshd.knownHosts };
    const { status, stdout, stderr } = spawnSync(execPath, ['--input-type=module', '-e', program, sshd.place('left open')], {
      env,
      encoding: 'utf8',
      timeout: 30_000,
    });
    expect({ status, stdout, stderr }).toEqual({ status: 0, stdout: 'made\n', stderr: '' });
  });

  test('a path without a slash in front begins where one is let in', async () => {
    const { username, port, folder } = sshd;
    const storage = await openSftp(`sftp://${username}@127.0.0.1:${port}/some/where`);
    await storage.create();
    await storage.save(file, [content]);
    expect(readFileSync(join(folder, 'some/where/data', file.name.slice(0, 2), file.name)).equals(content)).toBe(true);
    expect(readdirSync(join(folder, 'some/where')).sort()).toEqual(['data', 'index', 'keys', 'locks', 'snapshots']);
  });

  test('a disk that goes away is never taken for empty, and not written into', async () => {
    const storage = await openSftp(sshd.place('disk/repository'));
    await storage.create();
    await storage.save(file, [content]);
    renameSync(join(sshd.folder, 'disk'), join(sshd.folder, 'away'));
    mkdirSync(join(sshd.folder, 'disk/repository'), { recursive: true });
    for (const call of [
      () => listAll(storage, 'pack'),
      () => listAll(storage, 'snapshot'),
      () => storage.load(file),
      () => storage.remove(file),
      () => storage.save(fileFor(Buffer.of(1)), []),
    ])
      expect(await codeOf(call())).toBe('storage-gone');
    expect(readdirSync(join(sshd.folder, 'disk/repository'))).toEqual([]);
    renameSync(join(sshd.folder, 'away/repository'), join(sshd.folder, 'disk/back'));
    expect(await listAll(await openSftp(sshd.place('disk/back')), 'pack')).toHaveLength(1);
  });

  test('links to files and folders are followed', async () => {
    const storage = await openSftp(sshd.place('linked'));
    await storage.create();
    await storage.save(file, [content]);
    const shard = join(sshd.folder, 'linked/data', file.name.slice(0, 2));
    renameSync(join(shard, file.name), join(sshd.folder, 'elsewhere'));
    symlinkSync(join(sshd.folder, 'elsewhere'), join(shard, file.name));
    symlinkSync(join(sshd.folder, 'nowhere'), join(shard, `${file.name.slice(0, 2)}${'0'.repeat(62)}`));
    expect(await listAll(storage, 'pack')).toEqual([{ name: file.name, size: content.length }]);
  });

  test('two storages that save the same at the same time harm nothing, and one config wins', async () => {
    const storages = await Promise.all([0, 1, 2].map(() => openSftp(sshd.place('shared'))));
    await Promise.all(storages.map((each) => each.create()));
    const results = await Promise.allSettled(
      storages.map((each, n) => each.save({ kind: 'config', name: '' }, [Buffer.from(`config ${n}`)])),
    );
    expect(results.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
    await Promise.allSettled(storages.map((each) => each.save(file, [content])));
    expect(content.equals(await storages[0]!.load(file))).toBe(true);
    expect(readdirSync(join(sshd.folder, 'shared')).filter((name) => name.includes('tmp'))).toEqual([]);
  });

  test('the clock of the server is told after a save, and agrees', async () => {
    const storage = await openSftp(sshd.place('clock'));
    await storage.create();
    await storage.save(file, [content]);
    expect(Math.abs(storage.clockSkewMs!)).toBeLessThan(5000);
  });
});
