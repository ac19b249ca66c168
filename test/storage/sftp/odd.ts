/** Opening the storage on a server that misbehaves: time passes twenty times as fast for it. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll } from 'vitest';
import { type Clock, systemClock } from '../../../src/platform/clock.ts';
import { HostKeys } from '../../../src/storage/sftp/host-keys.ts';
import type { SftpCredentials } from '../../../src/storage/sftp/sign-in.ts';
import { SftpStorage } from '../../../src/storage/sftp/sftp.ts';
import { oddUser } from '../../support/odd-sftp.ts';

const knownFolder = mkdtempSync(join(tmpdir(), 'holdfast-known-'));
let places = 0;
afterAll(() => rmSync(knownFolder, { recursive: true }));

const hurriedClock: Clock = { ...systemClock, every: (ms, fn) => systemClock.every(ms / 20, fn) };

export interface OddPlace {
  readonly port: number;
  readonly host?: string;
  readonly folder?: string;
  readonly credentials?: Partial<SftpCredentials>;
  readonly ownFile?: string;
  readonly idleMs?: number;
  readonly silentMs?: number;
  readonly connectMs?: number;
}

export function openOdd({
  port,
  host = '127.0.0.1',
  folder = '/place',
  credentials,
  ownFile,
  idleMs = 30_000,
  silentMs = 300,
  connectMs = 300,
}: OddPlace): SftpStorage {
  const location = `sftp://${oddUser.username}@${host}:${port}/${folder}`;
  const server = `${host}:${port}`;
  const file = ownFile ?? join(knownFolder, `${places++}`);
  return new SftpStorage({
    host,
    port,
    server,
    location,
    folder,
    clock: hurriedClock,
    credentials: {
      ...oddUser,
      key: undefined,
      passphrase: undefined,
      agent: undefined,
      namedKeyFiles: [],
      usualKeyFiles: [],
      ...credentials,
    },
    hostKeys: new HostKeys({ host, port, server, location, files: [file], ownFile: file, pinned: [] }),
    jumps: [],
    patience: { connectMs, silentMs, answerMs: 3 * silentMs, idleMs },
  });
}
