/** Being let in by a password, on a server that takes what a test wants it to take. */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeEach, expect, test } from 'vitest';
import type { HoldfastError } from '../../../src/contract/errors.ts';
import { type PrivateKey, readPrivateKey } from '../../../src/storage/sftp/keys.ts';
import type { SftpCredentials } from '../../../src/storage/sftp/sign-in.ts';
import { OddSftp, oddUser } from '../../support/odd-sftp.ts';
import { fileFor } from '../../support/storage-suite.ts';
import { refuseUnhandledRejections } from '../../support/unhandled.ts';
import { openOdd } from './odd.ts';

refuseUnhandledRejections();

const folder = mkdtempSync(join(tmpdir(), 'holdfast-keys-'));
execFileSync('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-f', join(folder, 'key')]);
const key: PrivateKey = readPrivateKey(join(folder, 'key'), undefined);
const publicKey = Buffer.from(readFileSync(join(folder, 'key.pub'), 'utf8').split(' ')[1]!, 'base64');

let server: OddSftp;
/** What was tried, in its order. */
const attempts: string[] = [];

beforeEach(async () => {
  server = await OddSftp.start();
  attempts.length = 0;
});

afterEach(() => server.stop());
afterAll(() => rmSync(folder, { recursive: true }));

async function errorWith(credentials: Partial<SftpCredentials>): Promise<HoldfastError> {
  const storage = openOdd({ port: server.port, credentials });
  const error: unknown = await storage.size(fileFor(Buffer.of())).catch((thrown: unknown) => thrown);
  await storage.close();
  return error as HoldfastError;
}

/** What tells that one was let in: the folder is not there. */
const letIn = 'storage-gone';

test('a dialogue that asks for the password is answered', async () => {
  server.methods = ['keyboard-interactive'];
  server.admit = (attempt) => {
    attempts.push(attempt.method);
    if (attempt.method !== 'keyboard-interactive') return attempt.reject(server.methods);
    attempt.prompt(
      [
        { prompt: 'Name: ', echo: true },
        { prompt: 'Password: ', echo: false },
      ],
      (answers) => {
        if (answers[0] === '' && answers[1] === oddUser.password) attempt.accept();
        else attempt.reject(server.methods);
      },
    );
  };
  expect((await errorWith({})).code).toBe(letIn);
  expect(attempts).toEqual(['none', 'keyboard-interactive']);
  expect(await errorWith({ password: 'wrong' })).toMatchObject({ code: 'credentials-refused', retryable: false });
});

test('a server that wants a key and then the password gets both', async () => {
  let isHalfIn = false;
  server.admit = (attempt) => {
    attempts.push(attempt.method);
    if (attempt.method === 'publickey' && attempt.key.data.equals(publicKey)) {
      if (!attempt.signature) return attempt.accept();
      isHalfIn = true;
      return attempt.reject(['password'], true);
    }
    if (attempt.method === 'password' && isHalfIn && attempt.password === oddUser.password) return attempt.accept();
    attempt.reject(isHalfIn ? ['password'] : ['publickey']);
  };
  expect((await errorWith({ key })).code).toBe(letIn);
  expect(attempts).toEqual(['none', 'publickey', 'publickey', 'password']);
  isHalfIn = false;
  const error = await errorWith({ key, password: undefined });
  expect(error.code).toBe('credentials-refused');
  expect(error.message).toContain('it takes password');
});

test('the password is offered only where it is taken, and each thing once', async () => {
  server.methods = ['publickey'];
  server.admit = (attempt) => {
    attempts.push(attempt.method);
    attempt.reject(server.methods);
  };
  const error = await errorWith({});
  expect(error).toMatchObject({ code: 'credentials-missing', retryable: false });
  expect(error.message).toContain('a key of me');
  expect(attempts).toEqual(['none']);
  server.methods = ['password', 'publickey', 'keyboard-interactive'];
  attempts.length = 0;
  expect((await errorWith({ key })).code).toBe('credentials-refused');
  expect(attempts).toEqual(['none', 'publickey', 'password', 'keyboard-interactive']);
});

test('who needs nothing gives nothing', async () => {
  server.admit = (attempt) => {
    attempts.push(attempt.method);
    attempt.accept();
  };
  expect((await errorWith({})).code).toBe(letIn);
  expect(attempts).toEqual(['none']);
});

test('a password that has to be changed first is told as that', async () => {
  server.admit = (attempt) => {
    if (attempt.method === 'password') attempt.requestChange('Your password has expired', () => {});
    else attempt.reject(['password']);
  };
  const error = await errorWith({});
  expect(error).toMatchObject({ code: 'credentials-refused', retryable: false });
  expect(error.message).toContain('changed');
});

test('credentials that expire in the middle are told as that by the next connection', async () => {
  const storage = openOdd({ port: server.port });
  await storage.create();
  server.admit = (attempt) => attempt.reject(['password']);
  expect(await storage.size(fileFor(Buffer.of())).catch((error: HoldfastError) => error.code)).toBe('file-not-found');
  server.breakAll();
  const codes: string[] = [];
  for (let n = 0; n < 3; n++)
    codes.push(
      await storage.size(fileFor(Buffer.of())).then(
        () => '',
        (error: HoldfastError) => error.code,
      ),
    );
  expect(codes.at(-1)).toBe('credentials-refused');
  await storage.close();
});
