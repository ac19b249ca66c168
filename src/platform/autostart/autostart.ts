/** Installs the service as a program that the system starts for its person, and takes it away again. */
import { execFile } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join, posix } from 'node:path';
import { fail } from '../../contract/errors.ts';
import { agentLabel, launchAgent } from './launch-agent.ts';
import { scheduledTask } from './scheduled-task.ts';
import { systemdUnit } from './systemd-unit.ts';

export interface Ran {
  /** 127: there is no such program. */
  readonly code: number;
  /** What it said, on both outputs. */
  readonly text: string;
}

/** Runs a program of the system to its end. Never rejects. */
export type RunProgram = (program: string, args: readonly string[]) => Promise<Ran>;

export const runProgram: RunProgram = (program, args) =>
  new Promise((resolve) => {
    execFile(program, [...args], { windowsHide: true, env: { ...process.env, LC_ALL: 'C' } }, (error, stdout, stderr) => {
      const code = error === null ? 0 : typeof error.code === 'number' ? error.code : 127;
      resolve({ code, text: `${stdout}${stderr}`.trim() || (error?.message ?? '') });
    });
  });

export interface AutostartSurroundings {
  readonly platform: NodeJS.Platform;
  /** Absolute. */
  readonly home: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly uid: number;
  /** As Windows writes it: `COMPUTER\name`. */
  readonly user: string;
  readonly run: RunProgram;
}

export interface Autostart {
  /** Where it is written down. */
  readonly file: string;
  /** Writes it down and starts the service, now and from then on. Throws `autostart-absent`, `autostart-failed`; then nothing is left. */
  install(command: readonly string[]): Promise<void>;
  /** Ends the service and removes what `install` has made; false when there is nothing. Throws as `install`. */
  uninstall(): Promise<boolean>;
}

/** Throws `autostart-absent` on other systems. */
export function autostartOf(surroundings: AutostartSurroundings): Autostart {
  const { platform } = surroundings;
  if (platform === 'linux') return systemd(surroundings);
  if (platform === 'darwin') return launchd(surroundings);
  if (platform === 'win32') return taskScheduler(surroundings);
  return fail('autostart-absent', { cause: `it is unknown how ${platform} does` });
}

const unit = 'holdfast.service';

function systemd({ env, home, run }: AutostartSurroundings): Autostart {
  const config = env.XDG_CONFIG_HOME && posix.isAbsolute(env.XDG_CONFIG_HOME) ? env.XDG_CONFIG_HOME : posix.join(home, '.config');
  const file = posix.join(config, 'systemd/user', unit);
  const systemctl = async (...args: string[]): Promise<void> => must(await run('systemctl', ['--user', ...args]));
  /** Containers have no systemd, or none for persons. */
  const look = async (): Promise<void> => {
    const { code, text } = await run('systemctl', ['--user', 'show', '--property=Version']);
    if (code !== 0) fail('autostart-absent', { cause: firstLine(text) });
  };
  return {
    file,
    async install(command) {
      await look();
      await written(file, systemdUnit(command), async () => {
        await systemctl('daemon-reload');
        await systemctl('enable', unit);
        // One that runs is another one by now.
        await systemctl('restart', unit);
      }).catch(async (error: unknown) => {
        // What is left of the attempt; where there was a unit before, it is as it was.
        if (!existsSync(file)) await run('systemctl', ['--user', 'disable', '--now', unit]);
        await run('systemctl', ['--user', 'daemon-reload']);
        throw error;
      });
    },
    async uninstall() {
      if (!existsSync(file)) return false;
      await look();
      await systemctl('disable', '--now', unit);
      remove(file);
      await systemctl('daemon-reload');
      return true;
    },
  };
}

function launchd({ home, uid, run }: AutostartSurroundings): Autostart {
  const file = posix.join(home, 'Library/LaunchAgents', `${agentLabel}.plist`);
  const domain = `gui/${uid}`;
  const bootout = (): Promise<Ran> => run('/bin/launchctl', ['bootout', `${domain}/${agentLabel}`]);
  return {
    file,
    install: (command) =>
      written(file, launchAgent(command), async () => {
        // An older one, where there is one.
        await bootout();
        must(await run('/bin/launchctl', ['bootstrap', domain, file]));
      }),
    async uninstall() {
      if (!existsSync(file)) return false;
      // Where it does not run there is nothing to end.
      await bootout();
      remove(file);
      return true;
    },
  };
}

const taskName = 'Holdfast';

function taskScheduler({ env, home, user, run }: AutostartSurroundings): Autostart {
  // The scheduler keeps a copy of its own.
  const file = join(env.TEMP || home, 'holdfast-task.xml');
  const schtasks = (...args: string[]): Promise<Ran> => run('schtasks.exe', args);
  return {
    file: taskName,
    async install(command) {
      try {
        // With a mark for the order of bytes, without which it is not taken.
        save(file, Buffer.from(`\uFEFF${scheduledTask(command, user)}`, 'utf16le'));
        must(await schtasks('/Create', '/TN', taskName, '/XML', file, '/F'));
      } finally {
        rmSync(file, { force: true });
      }
      must(await schtasks('/Run', '/TN', taskName));
    },
    async uninstall() {
      if ((await schtasks('/Query', '/TN', taskName)).code !== 0) return false;
      await schtasks('/End', '/TN', taskName);
      must(await schtasks('/Delete', '/TN', taskName, '/F'));
      return true;
    },
  };
}

/** Writes `file` and calls `start`; when that fails, what was there before is there again. */
async function written(file: string, text: string, start: () => Promise<void>): Promise<void> {
  const before = existsSync(file) ? readFileSync(file) : undefined;
  save(file, Buffer.from(text));
  try {
    await start();
  } catch (error) {
    if (before) save(file, before);
    else rmSync(file, { force: true });
    throw error;
  }
}

function save(file: string, content: Buffer): void {
  try {
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(`${file}.tmp`, content);
    renameSync(`${file}.tmp`, file);
  } catch (error) {
    fail('autostart-failed', { cause: (error as Error).message }, error);
  }
}

function remove(file: string): void {
  try {
    rmSync(file);
  } catch (error) {
    fail('autostart-failed', { cause: (error as Error).message }, error);
  }
}

function must({ code, text }: Ran): void {
  if (code !== 0) fail('autostart-failed', { cause: firstLine(text) || `it ended with ${code}` });
}

const firstLine = (text: string): string => text.split('\n')[0].trim();
