/** Who runs Holdfast on which computer, and where that person's folders are. */
import { readFileSync } from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';
import { fail } from '../contract/errors.ts';
import { systemUserNames } from './users.ts';

/** What snapshots and locks say about who wrote them. */
export interface HostIdentity {
  readonly hostname: string;
  readonly username: string;
  /** 0 on Windows, as restic writes it. */
  readonly uid: number;
  readonly gid: number;
}

/** The identity of this process. The name is '' when the process runs under a number that belongs to no account. */
export function hostIdentity(): HostIdentity {
  const uid = process.getuid?.() ?? 0;
  return { hostname: os.hostname(), username: ownName(uid), uid, gid: process.getgid?.() ?? 0 };
}

function ownName(uid: number): string {
  try {
    return os.userInfo().username;
  } catch {
    return systemUserNames().userName(uid);
  }
}

/** What decides where folders are; a parameter so that every system's rules can be tested on any. */
export interface HostSurroundings {
  readonly platform: NodeJS.Platform;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** The person's home folder, '' when there is none. */
  readonly home: string;
}

export function systemSurroundings(): HostSurroundings {
  return { platform: process.platform, env: process.env, home: homeFolder() };
}

/** `os.homedir()` takes HOME as it is; an empty or relative one would put the data into whatever folder one happens to be in. */
function homeFolder(): string {
  for (const find of [os.homedir, () => os.userInfo().homedir]) {
    try {
      const home = find();
      if (path.isAbsolute(home)) return home;
    } catch {
      // No HOME, or no account for this number.
    }
  }
  return '';
}

/**
 * Where Holdfast keeps what it must not lose (embedded repository, state): `$XDG_DATA_HOME/holdfast` or `~/.local/share/holdfast`;
 * macOS `~/Library/Application Support/Holdfast`; Windows `%LOCALAPPDATA%\Holdfast`. It may not exist yet.
 * @throws home-unknown
 */
export function dataFolder(host: HostSurroundings = systemSurroundings()): string {
  if (host.platform === 'win32') return path.win32.join(localAppData(host), 'Holdfast');
  if (host.platform === 'darwin') return path.posix.join(home(host), 'Library/Application Support/Holdfast');
  return path.posix.join(xdgFolder(host, 'XDG_DATA_HOME', '.local/share'), 'holdfast');
}

/**
 * Where Holdfast keeps what it can make again: `$XDG_CACHE_HOME/holdfast` or `~/.cache/holdfast`; macOS `~/Library/Caches/Holdfast`;
 * Windows `%LOCALAPPDATA%\Holdfast\Cache`. It may not exist yet.
 * @throws home-unknown
 */
export function cacheFolder(host: HostSurroundings = systemSurroundings()): string {
  if (host.platform === 'win32') return path.win32.join(localAppData(host), 'Holdfast', 'Cache');
  if (host.platform === 'darwin') return path.posix.join(home(host), 'Library/Caches/Holdfast');
  return path.posix.join(xdgFolder(host, 'XDG_CACHE_HOME', '.cache'), 'holdfast');
}

/**
 * The person's Documents folder: on Linux what user-dirs.dirs says (its name is translated there), else `~/Documents`. It may not exist.
 * @throws home-unknown
 */
export function documentsFolder(host: HostSurroundings = systemSurroundings()): string {
  return personalFolder('documents', host) ?? path.posix.join(home(host), 'Documents');
}

/**
 * The folder that `name` stands for in the text of user-dirs.dirs: a shell fragment whose values are `"$HOME/…"` or `"/…"` with
 * backslash escapes (user-dirs.dirs(5)); the last line counts. The home folder itself means that there is no such folder: undefined.
 */
function userDirectory(text: string, name: string, homePath: string): string | undefined {
  let found: string | undefined;
  for (const line of text.split('\n')) {
    const match = /^\s*(\w+)\s*=\s*"((?:[^"\\]|\\.)*)"/.exec(line);
    if (match?.[1] !== name) continue;
    const value = (match[2] as string).replace(/\\(.)/g, '$1');
    const inHome = value === '$HOME' || value.startsWith('$HOME/');
    if (!inHome && !value.startsWith('/')) continue;
    found = path.posix.join(inHome ? homePath + value.slice('$HOME'.length) : value, '.').replace(/(?<=.)\/+$/, '');
  }
  return found === homePath.replace(/(?<=.)\/+$/, '') ? undefined : found;
}

/** A folder of the XDG base directory specification, which says that relative values are to be ignored. */
function xdgFolder(host: HostSurroundings, variable: string, usual: string): string {
  const value = host.env[variable];
  return value && path.posix.isAbsolute(value) ? value : path.posix.join(home(host), usual);
}

function localAppData(host: HostSurroundings): string {
  const value = host.env.LOCALAPPDATA;
  return value && path.win32.isAbsolute(value) ? value : path.win32.join(home(host), 'AppData', 'Local');
}

function home(host: HostSurroundings): string {
  if (host.home === '') fail('home-unknown');
  return host.home;
}

export type PersonalFolderKind = 'documents' | 'pictures' | 'desktop' | 'downloads' | 'music' | 'videos';

/** How they are called in user-dirs.dirs, where nothing else is said, and on macOS. */
const personalNames: Readonly<Record<PersonalFolderKind, { readonly xdg: string; readonly usual: string; readonly darwin?: string }>> = {
  documents: { xdg: 'XDG_DOCUMENTS_DIR', usual: 'Documents' },
  pictures: { xdg: 'XDG_PICTURES_DIR', usual: 'Pictures' },
  desktop: { xdg: 'XDG_DESKTOP_DIR', usual: 'Desktop' },
  downloads: { xdg: 'XDG_DOWNLOAD_DIR', usual: 'Downloads' },
  music: { xdg: 'XDG_MUSIC_DIR', usual: 'Music' },
  videos: { xdg: 'XDG_VIDEOS_DIR', usual: 'Videos', darwin: 'Movies' },
};

/**
 * A folder of the person's own, by the name that it has in the person's language; it may not exist. Undefined when the system says that
 * there is no such folder.
 * @throws home-unknown
 */
export function personalFolder(kind: PersonalFolderKind, host: HostSurroundings = systemSurroundings()): string | undefined {
  const { xdg, usual, darwin = usual } = personalNames[kind];
  if (host.platform === 'win32') return path.win32.join(home(host), usual);
  if (host.platform === 'darwin') return path.posix.join(home(host), darwin);
  let dirs: string;
  try {
    dirs = readFileSync(path.posix.join(xdgFolder(host, 'XDG_CONFIG_HOME', '.config'), 'user-dirs.dirs'), 'utf8');
  } catch {
    return path.posix.join(home(host), usual);
  }
  if (!dirs.includes(xdg)) return path.posix.join(home(host), usual);
  return userDirectory(dirs, xdg, home(host));
}
