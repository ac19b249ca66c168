/** The SFTP storage on a real server: OpenSSH. */
import { afterAll, afterEach, beforeAll } from 'vitest';
import { systemClock } from '../../../src/platform/clock.ts';
import { credentialsFrom } from '../../../src/storage/credentials.ts';
import { openPlace } from '../../../src/storage/place.ts';
import type { Storage } from '../../../src/storage/storage.ts';
import { type Sshd, startSshd } from '../../support/sshd.ts';
import { describeStorage } from '../../support/storage-suite.ts';
import { refuseUnhandledRejections } from '../../support/unhandled.ts';

refuseUnhandledRejections();

let sshd: Sshd;
let count = 0;
const opened: Storage[] = [];

beforeAll(async () => {
  sshd = await startSshd();
});

afterEach(async () => {
  for (const each of opened.splice(0)) await each.close();
});

afterAll(() => sshd.stop());

async function openSftp(place: string, env: Record<string, string> = {}): Promise<Storage> {
  const usual = { HOME: '/nowhere', HOLDFAST_SFTP_KEY_FILE: sshd.keyFile, HOLDFAST_SFTP_KNOWN_HOSTS: sshd.knownHosts };
  const made = await openPlace(place, { clock: systemClock, credentials: credentialsFrom({ ...usual, ...env }, undefined) });
  opened.push(made);
  return made;
}

describeStorage('SFTP storage on OpenSSH', async () => {
  const place = sshd.place(`a place/äö +&=~'()${count++}`);
  return { storage: await openSftp(place), reopen: () => openSftp(place) };
});
