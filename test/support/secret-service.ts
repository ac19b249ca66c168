/** A real Secret Service (GNOME Keyring) on a message bus of its own, which ends with the test or the suite. */
import { type ChildProcess, execFile, execFileSync, spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { endProcess, spawnBus } from './dbus-service.ts';

export interface SecretServiceOptions {
  /** None: a bus on which no such service runs, nor could be started. Empty: it runs, and has no keyring yet. */
  readonly service?: 'unlocked' | 'empty' | 'none';
  /** Who is asked never answers. Otherwise nobody can be asked, since there is no screen. */
  readonly deafPrompter?: boolean;
}

export interface SecretService {
  /** What a program needs to find it: also HOME and XDG_ folders of its own. */
  readonly env: Readonly<Record<string, string>>;
  lock(): void;
  /** Whether the person was asked something, with `deafPrompter`. */
  wasAsked(): boolean;
  /** Stops the service without ending it: it answers nobody any more. */
  freeze(): void;
  stop(): Promise<void>;
}

const login = '/org/freedesktop/secrets/collection/login';

export async function startSecretService({
  service = 'unlocked',
  deafPrompter = false,
}: SecretServiceOptions = {}): Promise<SecretService> {
  const home = mkdtempSync(join(tmpdir(), 'holdfast-keychain-'));
  const runtime = join(home, 'run');
  const services = join(home, 'services');
  for (const folder of [runtime, services]) mkdirSync(folder, { mode: 0o700 });
  const asked = join(home, 'asked');
  const base = { PATH: process.env.PATH ?? '', HOME: home, XDG_RUNTIME_DIR: runtime, XDG_DATA_HOME: join(home, 'data') };
  const activatable = (name: string, exec: string): void =>
    writeFileSync(join(services, `${name}.service`), `[D-BUS Service]\nName=${name}\nExec=${exec}\n`);
  if (deafPrompter) activatable('org.gnome.keyring.SystemPrompter', `/bin/sh -c "echo $$ > '${asked}'; exec sleep 1000"`);
  const { address, bus } = await spawnBus(services, base);
  const children = [bus];
  const env = { ...base, DBUS_SESSION_BUS_ADDRESS: address };
  let keyring: ChildProcess | undefined;
  if (service !== 'none') {
    const child = spawn('gnome-keyring-daemon', ['--foreground', '--components=secrets', ...(service === 'unlocked' ? ['--unlock'] : [])], {
      env,
      stdio: ['pipe', 'ignore', 'ignore'],
    });
    child.stdin.end(service === 'unlocked' ? 'password of the keyring' : '');
    keyring = child;
    children.push(child);
    const ask = ['call', '--session', '--dest', 'org.freedesktop.DBus', '--object-path', '/'];
    const owned = [...ask, '--method', 'org.freedesktop.DBus.NameHasOwner', 'org.freedesktop.secrets'];
    // It registers its name when it is ready.
    while (!(await promisify(execFile)('gdbus', owned, { env })).stdout.includes('true'));
  }
  return {
    env,
    lock() {
      const method = ['--method', 'org.freedesktop.Secret.Service.Lock', `['${login}']`];
      const object = ['--dest', 'org.freedesktop.secrets', '--object-path', '/org/freedesktop/secrets'];
      execFileSync('gdbus', ['call', '--session', ...object, ...method], { env });
    },
    wasAsked: () => existsSync(asked),
    freeze: () => void keyring?.kill('SIGSTOP'),
    async stop() {
      for (const child of children.reverse()) await endProcess(child);
      if (existsSync(asked)) spawnSync('kill', ['-9', readFileSync(asked, 'utf8').trim()]);
      rmSync(home, { recursive: true, force: true });
    },
  };
}
