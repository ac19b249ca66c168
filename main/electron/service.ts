/** The service in a process of the desktop shell: the same as `holdfast serve`, ended by the shell. */
import { toHoldfastError } from '../../src/contract/errors.ts';
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
import type { FromService, ToService } from './service-process.ts';

const { parentPort, env } = process;
const [version, ...flags] = process.argv.slice(2);
const say = (message: FromService): void => parentPort.postMessage(message);
const { promise: stopped, resolve: onStop } = Promise.withResolvers<void>();
parentPort.on('message', ({ data }) => {
  if ((data as ToService).kind === 'stop') onStop();
});

favourSmallMemory();
const secretsFile = env.HOLDFAST_SECRETS_FILE;
try {
  const hosted = await hostService({
    profile: profileAt(),
    clock: systemClock,
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
  say({ kind: 'ready' });
  await stopped;
  await hosted.close();
  exitAtOnce(0);
} catch (error) {
  // The shell ends this process when it has heard that: what it says on its way out might be lost.
  say({ kind: 'failed', error: toHoldfastError(error).toJSON() });
}
