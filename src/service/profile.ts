/**
 * A *profile* is one person's Holdfast on one computer: a folder with everything that the service keeps. The usual one is the data
 * folder; HOLDFAST_PROFILE names another.
 */
import { createHash } from 'node:crypto';
import { chmodSync, mkdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { fail } from '../contract/errors.ts';
import { dataFolder } from '../platform/host.ts';
import { watchdogFileIn } from './watchdog/memory.ts';

export interface Profile {
  readonly folder: string;
  readonly stateFile: string;
  /** What snapshots hold; can be built anew at any time. */
  readonly catalogueFile: string;
  /** Held by the one service of this profile. */
  readonly lockFile: string;
  /** Says how the service that runs is reached; for its person's eyes only. */
  readonly accessFile: string;
  /** Where the service listens: a socket's path, or the name of a pipe. */
  readonly socket: string;
  /** Where snapshots go while no destination can be used, if their plan allows it. */
  readonly ownRepository: string;
}

/** What a socket's path may have, in bytes: sun_path of Linux is 108, of macOS 104, both with a NUL. */
const longestSocket = 100;

/** The folder may not exist yet. Throws `home-unknown`. */
export function profileAt(folder: string = process.env.HOLDFAST_PROFILE || dataFolder()): Profile {
  const absolute = resolve(folder);
  const at = (name: string): string => join(absolute, name);
  return {
    folder: absolute,
    stateFile: at('state.db'),
    catalogueFile: at('catalogue.db'),
    lockFile: at('service.lock'),
    accessFile: at('service.json'),
    socket: socketFor(absolute),
    ownRepository: at('this-computer'),
  };
}

/** What changes all the time while a service runs, with what SQLite keeps beside its file. */
export function liveFilesOf({ folder, stateFile, catalogueFile, lockFile, accessFile, ownRepository }: Profile): string[] {
  const databases = [stateFile, catalogueFile].flatMap((file) => [file, `${file}-wal`, `${file}-shm`]);
  const watchdogFile = watchdogFileIn(folder);
  return [...databases, lockFile, accessFile, watchdogFile, `${watchdogFile}.tmp`, join(folder, 'logs'), ownRepository];
}

function socketFor(folder: string): string {
  const name = `holdfast-${createHash('sha256').update(folder).digest('hex').slice(0, 24)}`;
  if (process.platform === 'win32') return `\\\\.\\pipe\\${name}`;
  const own = join(folder, 'service.sock');
  if (Buffer.byteLength(own) <= longestSocket) return own;
  // A folder of its own, since the system's is open to everybody.
  return join(process.env.XDG_RUNTIME_DIR || tmpdir(), name, 's');
}

/** Makes the profile's folder, which only its person may enter. Throws `state-failed`. */
export function makeProfile({ folder }: Profile): void {
  try {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    chmodSync(folder, 0o700);
  } catch (error) {
    fail('state-failed', { path: folder, cause: (error as Error).message }, error);
  }
}
