import { execFileSync } from 'node:child_process';
import { generateKeyPairSync } from 'node:crypto';
import { chmodSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { HoldfastError } from '../../../src/contract/errors.ts';
import { readPrivateKey } from '../../../src/storage/sftp/keys.ts';
import { scratch } from '../../support/tree-literal.ts';

const phrase = 'a pass phrase';

function errorOf(call: () => unknown): HoldfastError {
  try {
    call();
  } catch (error) {
    if (error instanceof HoldfastError) return error;
    throw error;
  }
  throw new Error('the call succeeded');
}

/** The key as ssh-keygen shows its public half, and the file. */
function makeKey(type: 'rsa' | 'ecdsa' | 'ed25519', locked: boolean): { file: string; shown: string } {
  const file = join(scratch('keys'), 'key');
  const { privateKey } =
    type === 'rsa'
      ? generateKeyPairSync('rsa', { modulusLength: 2048 })
      : type === 'ecdsa'
        ? generateKeyPairSync('ec', { namedCurve: 'P-256' })
        : generateKeyPairSync('ed25519');
  const lock = locked ? { cipher: 'aes-256-cbc', passphrase: phrase } : {};
  writeFileSync(file, privateKey.export({ type: 'pkcs8', format: 'pem', ...lock }));
  chmodSync(file, 0o600);
  const shown =
    type === 'ed25519'
      ? `ssh-ed25519 ${sshBlob(privateKey.export({ format: 'jwk' }).x!)}`
      : execFileSync('ssh-keygen', ['-y', '-P', locked ? phrase : '', '-f', file], { encoding: 'utf8' }).trim();
  return { file, shown: shown.split(' ').slice(0, 2).join(' ') };
}

/** Of older versions ssh-keygen itself does not read these. */
const sshBlob = (x: string): string =>
  Buffer.concat([Buffer.from('\0\0\0\x0bssh-ed25519\0\0\0\x20', 'latin1'), Buffer.from(x, 'base64url')]).toString('base64');

test.each([
  ['rsa', false],
  ['rsa', true],
  ['ecdsa', false],
  ['ecdsa', true],
  ['ed25519', false],
  ['ed25519', true],
] as const)('a key of PKCS#8 (%s, locked: %s) is read, and signs', (type, locked) => {
  const { file, shown } = makeKey(type, locked);
  const { key } = readPrivateKey(file, locked ? phrase : undefined);
  expect(`${key.type} ${key.getPublicSSH().toString('base64')}`).toBe(shown);
  const data = Buffer.from('what is signed');
  const signature = key.sign(data);
  expect(Buffer.isBuffer(signature) && key.verify(data, signature)).toBe(true);
  if (!locked) return;
  expect(errorOf(() => readPrivateKey(file, undefined))).toMatchObject({ code: 'private-key-locked', context: { given: false } });
  expect(errorOf(() => readPrivateKey(file, 'another'))).toMatchObject({ code: 'private-key-locked', context: { given: true } });
});

test('a key of another purpose, and one that is damaged, are told, without a word of what they hold', () => {
  const file = join(scratch('keys'), 'key');
  const { privateKey } = generateKeyPairSync('x25519');
  const text = privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
  for (const content of [text, text.replace(/\n..../, '\n****'), '-----BEGIN PRIVATE KEY-----\nc2VjcmV0\n-----END PRIVATE KEY-----\n']) {
    writeFileSync(file, content);
    const error = errorOf(() => readPrivateKey(file, undefined));
    expect(error).toMatchObject({ code: 'input-unreadable' });
    expect(JSON.stringify(error)).not.toContain(text.split('\n')[1]!);
  }
});
