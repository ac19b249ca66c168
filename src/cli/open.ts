/**
 * The app in a browser, for `npm start` where the desktop shell cannot be had: opens the interface of the service that runs already, else
 * runs the service for browsers of this computer, and opens the address that it prints, where there is a screen.
 */
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { exitAtOnce } from '../platform/exit.ts';
import { SystemKeychain } from '../platform/keychain/keychain.ts';
import { HoldfastError } from '../contract/errors.ts';
import { readAccess } from '../service/access.ts';
import { profileAt } from '../service/profile.ts';
import { attach } from '../service/rpc/client.ts';
import { secretsVariable } from './serve-options.ts';

const { env, platform } = process;

/** Beside the bundle, or beside this source. */
const program = fileURLToPath(new URL(import.meta.url.endsWith('.ts') ? './main.ts' : './cli.js', import.meta.url));

/** A file for secrets, where the computer has no keychain and the person names no other one. */
async function ownSecretsFile(): Promise<string | undefined> {
  if ((env[secretsVariable] ?? '') !== '') return undefined;
  const state = await new SystemKeychain({ platform, env }).state();
  return state.kind === 'absent' ? join(profileAt().folder, 'secrets.json') : undefined;
}

/** The system's program that opens an address; undefined where nobody would see it. */
function opener(): readonly string[] | undefined {
  if (platform === 'darwin') return ['open'];
  if (platform === 'win32') return ['explorer.exe'];
  return (env.DISPLAY ?? '') !== '' || (env.WAYLAND_DISPLAY ?? '') !== '' ? ['xdg-open'] : undefined;
}

function openInBrowser(address: string): void {
  const command = opener();
  if (!command) return console.log('Open this address in a browser of this computer. It is another one each time.');
  const child = spawn(command[0], [...command.slice(1), address], { stdio: 'ignore', detached: true });
  // The address is printed in any case.
  child.on('error', () => {});
  child.unref();
}

/** Opens what runs already. Undefined when nothing does; else an exit code. */
async function openRunning(): Promise<number | undefined> {
  const profile = profileAt();
  try {
    (await attach(profile)).close();
  } catch (error) {
    // Of another version: whoever starts this one is told so by the service that cannot start.
    if (error instanceof HoldfastError) return undefined;
    throw error;
  }
  const [address] = readAccess(profile)?.addresses ?? [];
  if (address === undefined) {
    console.error('Holdfast runs already, without an interface for browsers. Your backups go on.');
    console.error('End it with "holdfast service stop" (or quit the desktop app), then start it again here.');
    return 1;
  }
  console.log('Holdfast runs already.');
  console.log(`In a browser: ${address}`);
  openInBrowser(address);
  return 0;
}

async function main(): Promise<number> {
  const running = await openRunning();
  if (running !== undefined) return running;
  const file = await ownSecretsFile();
  if (file !== undefined) console.log(`This computer has no keychain, so passwords are kept in ${file}, which only you can read.`);
  const args = ['serve', '--port', env.HOLDFAST_PORT ?? '4711', ...(file === undefined ? [] : ['--secrets-file', file])];
  const child = spawn(process.execPath, [program, ...args], { stdio: ['inherit', 'pipe', 'inherit'] });
  const pass = (signal: NodeJS.Signals): void => void child.kill(signal);
  // A terminal gives Ctrl-C to the service itself, too.
  process.on('SIGINT', () => process.stdin.isTTY || pass('SIGINT'));
  process.on('SIGTERM', pass);
  const ended = new Promise<number>((resolve) => child.once('exit', (code) => resolve(code ?? 1)));
  for await (const line of createInterface({ input: child.stdout })) {
    console.log(line);
    const address = /^In a browser: (\S+)$/.exec(line)?.[1];
    if (address !== undefined) openInBrowser(address);
  }
  return ended;
}

exitAtOnce(await main());
