/**
 * A service in a process of its own, to be killed. Its profile, and its secrets in a file, are those of the folder that it is given.
 *
 *     node service-process.ts FOLDER [held|free [HOSTNAME]]
 *
 * In a held one no lock ever settles: a run that works goes on working. It says to be on the computer HOSTNAME.
 */
import { join } from 'node:path';
import { systemClock } from '../../src/platform/clock.ts';
import { systemDrives } from '../../src/platform/drives/drives.ts';
import { exitAtOnce } from '../../src/platform/exit.ts';
import { hostIdentity } from '../../src/platform/host.ts';
import { hostService } from '../../src/service/host.ts';
import { readPower } from '../../src/service/machine/power-watch.ts';
import { profileAt } from '../../src/service/profile.ts';
import { SecretsFile } from '../../src/service/secrets-file.ts';
import { holdingClock } from './holding-clock.ts';

const [folder, held, hostname] = process.argv.slice(2);
const isHeld = held === 'held';
const { promise: stopped, resolve: onStop } = Promise.withResolvers<void>();
const hosted = await hostService({
  profile: profileAt(join(folder, 'profile')),
  clock: isHeld ? holdingClock(systemClock).clock : systemClock,
  identity: { ...hostIdentity(), ...(hostname ? { hostname } : {}) },
  drives: systemDrives(),
  readPower,
  keeper: new SecretsFile(join(folder, 'secrets.json')),
  version: '0.0.0',
  onStop,
  onNote: (text) => console.error(text),
});
console.log('ready');
await stopped;
await hosted.close();
exitAtOnce(0);
