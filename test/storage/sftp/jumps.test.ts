/** Servers that are reached through others, on OpenSSH. */
import { randomBytes } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { systemClock } from '../../../src/platform/clock.ts';
import { credentialsFrom } from '../../../src/storage/credentials.ts';
import { openPlace } from '../../../src/storage/place.ts';
import { jumpsTo } from '../../../src/storage/sftp/jumps.ts';
import { sshSettings } from '../../../src/storage/sftp/ssh-config.ts';
import type { Storage } from '../../../src/storage/storage.ts';
import { openCuttingProxy } from '../../support/cutting-proxy.ts';
import { freePort } from '../../support/servers.ts';
import { makeSshHome, type Sshd, startSshd } from '../../support/sshd.ts';
import { codeOf, errorOf, fileFor, listAll } from '../../support/storage-suite.ts';
import { sharedScratch } from '../../support/tree-literal.ts';
import { refuseUnhandledRejections } from '../../support/unhandled.ts';

refuseUnhandledRejections();

const homes = sharedScratch('jumps');
const opened: Storage[] = [];
const servers: Sshd[] = [];
/** Each with keys of its own. */
let gate: Sshd;
let second: Sshd;
let target: Sshd;
let count = 0;

beforeAll(async () => {
  for (let i = 0; i < 3; i++) servers.push(await startSshd());
  [gate, second, target] = servers as [Sshd, Sshd, Sshd];
});

afterEach(async () => {
  for (const each of opened.splice(0)) await each.close();
});

afterAll(async () => {
  for (const each of servers) await each.stop();
});

/** What ssh is told of each server; `target` lies behind what `way` says. */
function homeWith(way: string, more: readonly string[] = []): string {
  const about = (name: string, { port, username, keyFile }: Sshd): string[] => [
    `Host ${name}`,
    'HostName 127.0.0.1',
    `Port ${port}`,
    `User ${username}`,
    `IdentityFile ${keyFile}`,
  ];
  const lines = [...about('gate', gate), ...about('second', second), ...about('target', target), way, ...more];
  const known = [gate, second, target].map(({ knownHosts }) => readFileSync(knownHosts, 'utf8'));
  return makeSshHome(homes, { config: `${lines.join('\n')}\n`, known_hosts: known.join('') });
}

const notes: string[] = [];

async function openSftp(place: string, home: string, env: Record<string, string> = {}): Promise<Storage> {
  const usual = { HOME: home, HOLDFAST_SFTP_KNOWN_HOSTS: join(home, 'own') };
  const made = await openPlace(place, {
    clock: systemClock,
    credentials: credentialsFrom({ ...usual, ...env }, undefined),
    onNote: (text) => void notes.push(text),
  });
  opened.push(made);
  return made;
}

const place = (): string => `sftp:target:${target.folder}/place-${count++}`;
const content = Buffer.from('some content');
const file = fileFor(content);

describe('a server behind others', () => {
  test.each([
    ['two of them', () => homeWith('ProxyJump gate,second'), {}],
    ['one that itself lies behind one', () => homeWith('ProxyJump second', ['Host second', 'ProxyJump gate']), {}],
    ['one by its number', () => homeWith(`ProxyJump ssh://${gate.username}@127.0.0.1:${gate.port}`), {}],
    ['what the environment says', () => homeWith('ProxyJump nowhere.invalid'), { HOLDFAST_SFTP_JUMP: 'second' }],
    ['none, as the environment says', () => homeWith('ProxyJump nowhere.invalid'), { HOLDFAST_SFTP_JUMP: 'none' }],
    ['none, as the first setting says', () => homeWith('ProxyJump none', ['ProxyJump nowhere.invalid', 'ProxyCommand x']), {}],
  ])('is reached through %s', async (_, home, env) => {
    // The key of one is shown to another as well: each knows its own alone.
    for (const each of [gate, second])
      writeFileSync(join(each.folder, '../authorized'), readFileSync(`${target.keyFile}.pub`), { flag: 'a' });
    const storage = await openSftp(place(), home(), { HOLDFAST_SFTP_KEY_FILE: target.keyFile, ...env });
    await storage.create();
    const large = randomBytes(5_000_000);
    await storage.save(fileFor(large), [large]);
    expect(large.equals(await storage.load(fileFor(large)))).toBe(true);
    expect(notes).toEqual([]);
  });

  test('is not reached when the one in between does not know the key, is not there, or is another one', async () => {
    const stranger = await openSftp(place(), homeWith(`ProxyJump ${gate.username}@127.0.0.1:${gate.port}`));
    const refused = await errorOf(stranger.size(file));
    expect(refused).toMatchObject({ code: 'credentials-missing', retryable: false });
    expect(refused.message).toContain(`127.0.0.1:${gate.port} wants a key`);
    const nobody = await freePort();
    expect(await errorOf((await openSftp(place(), homeWith(`ProxyJump 127.0.0.1:${nobody}`))).size(file))).toMatchObject({
      code: 'server-refused',
      context: { server: `127.0.0.1:${nobody}` },
    });
    const home = homeWith('ProxyJump gate');
    writeFileSync(join(home, '.ssh/known_hosts'), `[127.0.0.1]:${gate.port} ${readFileSync(`${gate.strangerFile}.pub`, 'utf8')}`);
    expect(await codeOf((await openSftp(place(), home)).size(file))).toBe('host-key-changed');
  });

  test('that nobody runs, or that the one in between may not reach, is told as that', async () => {
    const nobody = await freePort();
    const gone = await openSftp(`sftp://127.0.0.1:${nobody}//x`, homeWith('Host 127.0.0.1', ['ProxyJump gate']));
    const error = await errorOf(gone.size(file));
    expect(error).toMatchObject({ code: 'server-refused', retryable: true, context: { server: `127.0.0.1:${nobody}` } });
    expect(error.message).toContain(`asked by 127.0.0.1:${gate.port}`);
    const strict = await startSshd(['AllowTcpForwarding no']);
    try {
      const home = homeWith(`ProxyJump 127.0.0.1:${strict.port}`);
      const storage = await openSftp(place(), home, { HOLDFAST_SFTP_KEY_FILE: strict.keyFile });
      const denied = await errorOf(storage.size(file));
      expect(denied).toMatchObject({ code: 'server-not-understood', retryable: false });
      expect(denied.message).toContain(`lets nobody through to 127.0.0.1:${target.port}`);
    } finally {
      await strict.stop();
    }
  });

  test('is lost with the way to the one in between, and reached again when that is back', async () => {
    const proxy = await openCuttingProxy(gate.port);
    try {
      proxy.fate = () => ({ after: 2_000_000, direction: 'up' });
      const home = homeWith(`ProxyJump 127.0.0.1:${proxy.port}`);
      const storage = await openSftp(place(), home, { HOLDFAST_SFTP_KEY_FILE: gate.keyFile });
      // Only the one in between is new, and it is told.
      writeFileSync(join(target.folder, '../authorized'), readFileSync(`${gate.keyFile}.pub`), { flag: 'a' });
      notes.length = 0;
      await storage.create();
      expect(notes).toEqual([expect.stringContaining(`127.0.0.1:${proxy.port} is connected to for the first time`)]);
      const large = randomBytes(5_000_000);
      expect(await codeOf(storage.save(fileFor(large), [large]))).toBe('connection-lost');
      proxy.fate = () => undefined;
      await storage.save(fileFor(large), [large]);
      expect(await listAll(storage, 'pack')).toHaveLength(1);
      await storage.close();
    } finally {
      await proxy.close();
    }
  });
});

describe('what ssh’s configuration says about the way', () => {
  const way = (home: string, host: string): unknown => jumpsTo(host, sshSettings(home, host).way, home);

  test('is refused where it is a program, a circle, or cannot be read', () => {
    const circle = makeSshHome(homes, {
      config: 'Host a\nProxyJump b\nHost b\nProxyJump a\nHost c\nProxyCommand nc %h %p\nHost d\nProxyJump c',
    });
    expect(() => way(circle, 'a')).toThrow('circle');
    for (const host of ['c', 'd']) expect(() => way(circle, host)).toThrow('by a program (ProxyCommand)');
    for (const odd of ['a,,b', 'a b', 'host:0', 'host:99999', 'us er@host', '%h', '[::1'])
      expect(() => jumpsTo('host', { jumps: odd }, circle), odd).toThrow('is not written as one');
  });

  test('names users, ports and numbers', () => {
    const home = makeSshHome(homes, { config: 'Host gate\nHostName Gate.Example\nPort 2200\nUser me\nIdentityFile ~/.ssh/own' });
    expect(jumpsTo('host', { jumps: 'gate, you@[::1]:23,ssh://GATE:24' }, home)).toEqual([
      { host: 'gate.example', port: 2200, username: 'me', keyFiles: [join(home, '.ssh/own')] },
      { host: '::1', port: 23, username: 'you', keyFiles: [] },
      { host: 'gate.example', port: 24, username: 'me', keyFiles: [join(home, '.ssh/own')] },
    ]);
  });
});
