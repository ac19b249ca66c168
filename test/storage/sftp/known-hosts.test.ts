import { execFileSync } from 'node:child_process';
import { createHmac } from 'node:crypto';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { HostKeys } from '../../../src/storage/sftp/host-keys.ts';
import { fingerprint, knownKeys, shortType } from '../../../src/storage/sftp/known-hosts.ts';

const folder = mkdtempSync(join(tmpdir(), 'holdfast-known-'));
afterAll(() => rmSync(folder, { recursive: true }));

/** `type base64` of a new key. */
function newKey(type: string): string {
  const file = join(folder, `key-${Math.random()}`);
  execFileSync('ssh-keygen', ['-q', '-t', type, ...(type === 'rsa' ? ['-b', '2048'] : []), '-N', '', '-f', file]);
  return readFileSync(`${file}.pub`, 'utf8').split(' ').slice(0, 2).join(' ');
}

const blobOf = (key: string): Buffer => Buffer.from(key.split(' ')[1]!, 'base64');

let first: string;
let second: string;
let rsa: string;

beforeAll(() => {
  first = newKey('ed25519');
  second = newKey('ed25519');
  rsa = newKey('rsa');
});

const hashed = (name: string): string => {
  const salt = Buffer.from('0123456789abcdefghij');
  return `|1|${salt.toString('base64')}|${createHmac('sha1', salt).update(name).digest('base64')}`;
};

describe('a file of known hosts', () => {
  test.each([
    ['host', 'host', 22],
    ['other,host', 'host', 22],
    ['HOST', 'host', 22],
    ['[host]:2222', 'host', 2222],
    ['*.example', 'host.example', 22],
    ['h?st', 'host', 22],
    ['[*.example]:2222', 'host.example', 2222],
    ['!other.example,*.example', 'host.example', 22],
  ])('%s is about %s at port %d', (hosts, host, port) => {
    expect(knownKeys(`${hosts} ${first}`, host, port)).toMatchObject([{ type: 'ssh-ed25519', line: 1, role: 'own' }]);
  });

  test.each([
    ['host', 'host', 2222],
    ['[host]:2222', 'host', 22],
    ['host', 'host.example', 22],
    ['h.st', 'host', 22],
    ['*.example,!host.example', 'host.example', 22],
    ['|1|xx|yy', 'host', 22],
    ['|2|xx|yy', 'host', 22],
  ])('%s is not about %s at port %d', (hosts, host, port) => {
    expect(knownKeys(`${hosts} ${first}`, host, port)).toEqual([]);
  });

  test('may hide its names, as ssh-keygen -H does', () => {
    expect(knownKeys(`${hashed('host')} ${first}`, 'host', 22)).toHaveLength(1);
    expect(knownKeys(`${hashed('host')} ${first}`, 'other', 22)).toEqual([]);
    const file = join(folder, 'to-hash');
    writeFileSync(file, `[host]:2222,host ${first}\nother ${second}\n`);
    execFileSync('ssh-keygen', ['-q', '-H', '-f', file], { stdio: 'ignore' });
    const text = readFileSync(file, 'utf8');
    expect(text).not.toContain('host');
    for (const port of [22, 2222]) expect(knownKeys(text, 'host', port).map(({ blob }) => blob)).toEqual([blobOf(first)]);
  });

  test('may hold anything else', () => {
    const odd = [
      '# host comment',
      '',
      '   ',
      'host',
      'host ssh-ed25519',
      'host ssh-rsa !!!!',
      `host ssh-rsa ${first.split(' ')[1]}`,
      `@cert-authority host ${first}`,
    ];
    expect(knownKeys([...odd, `\thost\t${second}   a comment\r`, `@revoked host ${rsa}`].join('\n'), 'host', 22)).toMatchObject([
      { line: 8, role: 'authority' },
      { line: 9, role: 'own' },
      { line: 10, role: 'revoked', type: 'ssh-rsa' },
    ]);
  });

  test('fingerprints are those of ssh-keygen', () => {
    const file = join(folder, 'shown.pub');
    writeFileSync(file, rsa);
    const [, shown] = execFileSync('ssh-keygen', ['-lf', file], { encoding: 'utf8' }).split(' ');
    expect(fingerprint(blobOf(rsa))).toBe(shown);
    expect([shortType('ssh-rsa'), shortType('ssh-ed25519'), shortType('ecdsa-sha2-nistp256')]).toEqual(['RSA', 'ED25519', 'ECDSA']);
  });
});

describe('the key of a server', () => {
  const notes: string[] = [];
  let count = 0;

  function keysOf(theirs: string, pinned: string[] = []): { keys: HostKeys; ownFile: string } {
    const file = join(folder, `theirs-${count}`);
    const ownFile = join(folder, `new-${count++}`, 'known_hosts');
    writeFileSync(file, theirs);
    const onNote = (text: string): void => void notes.push(text);
    const missing = join(folder, 'not', 'there');
    const rules = { host: 'host', port: 2222, server: 'host:2222', location: 'sftp://host:2222/x', pinned, onNote };
    notes.length = 0;
    return { keys: new HostKeys({ ...rules, files: [missing, file, ownFile], ownFile }), ownFile };
  }

  test('is noted and told at first use, and expected from then on', () => {
    const { keys, ownFile } = keysOf('');
    expect(keys.knownTypes()).toEqual([]);
    expect(keys.judge(blobOf(first))).toBeUndefined();
    expect(notes).toHaveLength(1);
    expect(notes[0]).toContain(fingerprint(blobOf(first)));
    expect(notes[0]).toContain(ownFile);
    expect(readFileSync(ownFile, 'utf8')).toBe(`[host]:2222 ${first}\n`);
    expect(keys.judge(blobOf(first))).toBeUndefined();
    expect(keys.knownTypes()).toEqual(['ssh-ed25519']);
    expect(notes).toHaveLength(1);
    expect(keys.judge(blobOf(second))).toMatchObject({ code: 'host-key-changed', retryable: false });
    expect(keys.judge(blobOf(rsa))).toMatchObject({ code: 'host-key-changed' });
    expect(readFileSync(ownFile, 'utf8')).toBe(`[host]:2222 ${first}\n`);
  });

  test('that the person knows is not noted again', () => {
    const { keys } = keysOf(`[host]:2222 ${rsa}\n[host]:2222 ${first}\n`);
    expect(keys.knownTypes()).toEqual(['ssh-rsa', 'ssh-ed25519']);
    expect(keys.judge(blobOf(first))).toBeUndefined();
    expect(keys.judge(blobOf(rsa))).toBeUndefined();
    expect(notes).toEqual([]);
    const error = keys.judge(blobOf(second))!;
    expect(error.code).toBe('host-key-changed');
    for (const words of [fingerprint(blobOf(first)), fingerprint(blobOf(second)), 'Nothing was sent'])
      expect(error.message).toContain(words);
    expect(error.guidance).toContain('line 2 of ');
  });

  test('that is revoked is refused, even if it is known elsewhere', () => {
    const { keys } = keysOf(`@revoked * ${first}\n@revoked [host]:2222 ${second}\n[host]:2222 ${second}\n`);
    expect(keys.judge(blobOf(second))).toMatchObject({ code: 'host-key-revoked', retryable: false });
    // The star stands for a port, too.
    expect(keys.judge(blobOf(first))).toMatchObject({ code: 'host-key-revoked' });
  });

  test('is not trusted at first use where an authority is known for it, but a key that is known is right', () => {
    const authority = `@cert-authority *:2222 ${rsa}\n`;
    const { keys, ownFile } = keysOf(authority);
    const error = keys.judge(blobOf(first))!;
    expect(error).toMatchObject({ code: 'host-key-by-authority', retryable: false });
    for (const words of [fingerprint(blobOf(first)), 'line 1 of ', 'Nothing was sent']) expect(error.message).toContain(words);
    // The authority itself is no server.
    expect(keys.judge(blobOf(rsa))).toMatchObject({ code: 'host-key-by-authority' });
    expect([keys.knownTypes(), notes, existsSync(ownFile)]).toEqual([[], [], false]);
    expect(keysOf(`${authority}[host]:2222 ${first}\n`).keys.judge(blobOf(first))).toBeUndefined();
    expect(keysOf(authority, [fingerprint(blobOf(first))]).keys.judge(blobOf(first))).toBeUndefined();
    expect(keysOf(`@cert-authority other ${rsa}\n`).keys.judge(blobOf(first))).toBeUndefined();
  });

  test('may be the only one that is right, by its fingerprint', () => {
    const { keys } = keysOf(`[host]:2222 ${first}\n`, [fingerprint(blobOf(second))]);
    expect(keys.judge(blobOf(second))).toBeUndefined();
    expect(keys.judge(blobOf(first))).toMatchObject({ code: 'host-key-changed' });
    expect(notes).toEqual([]);
  });

  test('that cannot be noted is told as that, and still the only one for this run', () => {
    const file = join(folder, 'a-file');
    writeFileSync(file, '');
    const ownFile = join(file, 'known_hosts');
    const keys = new HostKeys({
      host: 'host',
      port: 22,
      server: 'host',
      location: 'sftp:host:x',
      files: [ownFile],
      ownFile,
      pinned: [],
      onNote: (text) => void notes.push(text),
    });
    notes.length = 0;
    expect(keys.judge(blobOf(first))).toBeUndefined();
    expect(notes[0]).toContain('could not be noted');
    expect(keys.judge(blobOf(second))).toMatchObject({ code: 'host-key-changed' });
    expect(keys.judge(blobOf(first))).toBeUndefined();
  });

  test('is not taken for new when the file cannot be read', () => {
    const keys = new HostKeys({
      host: 'host',
      port: 22,
      server: 'host',
      location: 'sftp:host:x',
      files: [folder],
      ownFile: join(folder, 'own'),
      pinned: [],
    });
    expect(() => keys.judge(blobOf(first))).toThrow('could not be read');
  });
});
