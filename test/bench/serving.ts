/** A service of its own for a measurement, as a person starts it. */
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { profileAt } from '../../src/service/profile.ts';
import { attach, type ServiceClient } from '../../src/service/rpc/client.ts';
import { cliProgram } from '../support/cli.ts';
import { childrenOf, memoryOf, ticksOf, ticksPerSecond } from './process-facts.ts';

export interface Serving {
  readonly client: ServiceClient;
  readonly catalogueFile: string;
  /** Time of the processor that all its processes took so far, in milliseconds. */
  readonly cpu: () => number;
  /** Of all its processes, in bytes. */
  readonly memory: () => number;
}

/** Its profile lies in `folder`, and is the same for the next one there. */
export async function serving<T>(folder: string, use: (serving: Serving) => Promise<T>): Promise<T> {
  const profile = profileAt(join(folder, 'profile'));
  const env = {
    ...process.env,
    HOLDFAST_PROFILE: profile.folder,
    HOLDFAST_SECRETS_FILE: join(folder, 'secrets.json'),
    HOLDFAST_KEYCHAIN: 'off',
  };
  const child = spawn(process.execPath, [cliProgram, 'serve'], { env, stdio: ['ignore', 'pipe', 'inherit'] });
  const gone = new Promise<void>((resolve) => void child.once('exit', () => resolve()));
  await new Promise<void>((resolve, reject) => {
    child.stdout.once('data', () => resolve());
    void gone.then(() => reject(new Error('the service ended')));
  });
  const { client, close } = await attach(profile);
  // The service is the child of its host.
  const processes = (): number[] => [child.pid!, ...childrenOf(child.pid!)];
  try {
    return await use({
      client,
      catalogueFile: profile.catalogueFile,
      cpu: () => (processes().reduce((sum, pid) => sum + ticksOf(pid), 0) / ticksPerSecond) * 1000,
      memory: () => memoryOf(processes()),
    });
  } finally {
    close();
    child.kill('SIGTERM');
    await gone;
  }
}
