/** A headless host as it is delivered, in a process of its own that can be killed, with a home folder and a profile of its own. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { execPath } from 'node:process';
import { onTestFinished } from 'vitest';
import type { DestinationView } from '../../../src/contract/destination.ts';
import { systemClock } from '../../../src/platform/clock.ts';
import { isProcessAlive } from '../../../src/platform/processes.ts';
import { attach, type ServiceClient } from '../../../src/service/rpc/client.ts';
import { profileAt } from '../../../src/service/profile.ts';
import { cliProgram } from '../../support/cli.ts';
import { scratch } from '../../support/tree-literal.ts';

export interface Host {
  /** Holds the home folder `home` and the profile `profile`. */
  readonly folder: string;
  readonly home: string;
  /** With the token, as it is printed. */
  readonly address: string;
  /** All that are printed. */
  readonly addresses: readonly string[];
  readonly port: number;
  readonly pid: number;
  /** A client of the test's own, over the private socket. */
  readonly client: ServiceClient;
  /**
   * Kills the service alone, which the host starts again. `meanwhile` is called when it is dead. Resolves to a client of the one that takes its
   * place: `client` has lost its service.
   */
  killService(meanwhile: () => Promise<void>): Promise<ServiceClient>;
  /** Ends it, as a person does with Ctrl-C, or as a power cut does. */
  end(signal?: 'SIGTERM' | 'SIGKILL'): Promise<void>;
}

export interface HostSetup {
  /** To begin again where another one was. */
  readonly folder?: string;
  /** 0, the default: any that is free. */
  readonly port?: number;
  /** Without a file for its secrets there is no keychain either. */
  readonly hasSecrets?: boolean;
  /** Further options of "serve". */
  readonly more?: readonly string[];
  /** What the environment says besides. */
  readonly env?: Readonly<Record<string, string>>;
}

/** Starts a host on a fresh profile; secrets are in a file. It ends with the test. */
export async function startHost({
  folder = scratch('e2e'),
  port = 0,
  hasSecrets = true,
  more = [],
  env = {},
}: HostSetup = {}): Promise<Host> {
  const home = join(folder, 'home');
  const profile = join(folder, 'profile');
  mkdirSync(home, { recursive: true });
  const secrets = hasSecrets ? ['--secrets-file', join(folder, 'secrets.json')] : [];
  const args = ['--json', 'serve', '--port', String(port), '--profile', profile, ...secrets, ...more];
  const child = spawn(execPath, [cliProgram, ...args], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...cleanEnvironment(), HOME: home, XDG_CONFIG_HOME: join(home, '.config'), XDG_CACHE_HOME: join(folder, 'cache'), ...env },
  });
  const end = async (signal: 'SIGTERM' | 'SIGKILL' = 'SIGTERM'): Promise<void> => {
    if (child.exitCode !== null || child.signalCode !== null) return;
    const gone = once(child, 'exit');
    const service = signal === 'SIGKILL' ? await served() : undefined;
    child.kill(signal);
    await gone;
    // A service outlives the host that was killed beside it; a power cut takes both.
    if (signal === 'SIGKILL' && service !== undefined) await killed(service);
  };
  onTestFinished(() => end());
  /** Set once there is a client. */
  const attached: { client?: ServiceClient } = {};
  /** The service's process; undefined before there is one, or when it does not answer any more. */
  const served = async (): Promise<number | undefined> =>
    attached.client?.service.info().then(
      ({ pid }) => pid,
      () => undefined,
    );
  const addresses = await readyAddresses(child);
  const [address] = addresses;
  const connect = async (): Promise<ServiceClient> => {
    const { client, close } = await attach(profileAt(profile));
    onTestFinished(() => close());
    attached.client = client;
    return client;
  };
  const killService = async (meanwhile: () => Promise<void>): Promise<ServiceClient> => {
    await killed((await served())!);
    await meanwhile();
    for (;;) {
      try {
        return await connect();
      } catch {
        await systemClock.sleep(50);
      }
    }
  };
  const client = await connect();
  for (const each of addresses) profiles.set(each, profile);
  return { folder, home, address, addresses, port: Number(new URL(address).port), pid: child.pid!, client, killService, end };
}

async function killed(pid: number): Promise<void> {
  if (isProcessAlive(pid)) process.kill(pid, 'SIGKILL');
  while (isProcessAlive(pid)) await systemClock.sleep(10);
}

function cleanEnvironment(): NodeJS.ProcessEnv {
  return Object.fromEntries(Object.entries(process.env).filter(([name]) => !/^(HOLDFAST_|XDG_|DBUS_)/.test(name)));
}

/** The addresses that the host prints when it is ready; what it says instead is the reason of the failure. */
async function readyAddresses(child: ChildProcess): Promise<readonly string[]> {
  let said = '';
  child.stderr!.on('data', (piece: Buffer) => (said += piece.toString()));
  const lines = createInterface({ input: child.stdout! });
  for await (const line of lines) {
    const object = JSON.parse(line) as { type: string; addresses?: string[] };
    if (object.type === 'ready') {
      // What follows is read, too, or the host would wait for a reader.
      child.stdout!.resume();
      return object.addresses!;
    }
    said += `${line}\n`;
  }
  throw new Error(`the host did not start: ${said}`);
}

/** By address, for whoever comes another way than by the browser. */
const profiles = new Map<string, string>();
export const profileOf = (address: string): string | undefined => profiles.get(address);

/** A destination in a new folder of the host's, so that there is something already and the first run does not come by itself. */
export const connectFolder = ({ folder, client }: Host, name = 'Blue'): Promise<DestinationView> =>
  client.destinations.connect({ name, place: join(folder, name), password, create: true });

export const password = 'correct horse battery staple';
