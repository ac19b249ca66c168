/** The service in a process of the desktop shell: the same as `holdfast serve`, ended by the shell. */
import { systemClock } from '../../src/platform/clock.ts';
import { systemDrives } from '../../src/platform/drives/drives.ts';
import { exitAtOnce } from '../../src/platform/exit.ts';
import { hostIdentity } from '../../src/platform/host.ts';
import { SystemKeychain } from '../../src/platform/keychain/keychain.ts';
import { favourSmallMemory } from '../../src/platform/memory.ts';
import { yieldToOthers } from '../../src/platform/priority.ts';
import { hostService } from '../../src/service/host.ts';
import { readPower } from '../../src/service/machine/power-watch.ts';
import { profileAt } from '../../src/service/profile.ts';
import { SecretsFile } from '../../src/service/secrets-file.ts';
import { SecretsKeychain } from '../../src/service/secrets-keychain.ts';
import { HostLink } from '../../src/service/watchdog/host-link.ts';
import { type HostChannel, messageOf, type ToService } from '../../src/service/watchdog/messages.ts';

const { parentPort, env } = process;
const [version, ...flags] = process.argv.slice(2);
const { promise: stopped, resolve: onStop } = Promise.withResolvers<void>();
const profile = profileAt();
const channel: HostChannel = {
  send: (message) => parentPort.postMessage(message),
  listen: (listener) =>
    parentPort.on('message', ({ data }) => {
      const message = messageOf<ToService>(data);
      if (message) listener(message);
    }),
  // This process ends with the shell.
  onLost: () => {},
};
const host = new HostLink({ channel, clock: systemClock, profile: profile.folder, onStop });

favourSmallMemory();
const secretsFile = env.HOLDFAST_SECRETS_FILE;
try {
  const hosted = await hostService({
    profile,
    clock: systemClock,
    host,
    identity: hostIdentity(),
    keeper: secretsFile ? new SecretsFile(secretsFile) : new SecretsKeychain(new SystemKeychain({ platform: process.platform, env })),
    drives: systemDrives(),
    readPower,
    version,
    atLogin: flags.includes('--at-login'),
    onStop,
    onNote: (text) => console.error(text),
  });
  if (hosted.service.state.settings().gentle) yieldToOthers();
  await stopped;
  await hosted.close();
  exitAtOnce(0);
} catch (error) {
  // The shell has been told why it could not start, and ends this process; anything else is in its log.
  console.error(error);
}
