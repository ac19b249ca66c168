import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import {
  cacheFolder,
  dataFolder,
  documentsFolder,
  hostIdentity,
  type HostSurroundings,
  systemSurroundings,
} from '../../src/platform/host.ts';

let home: string;
beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), 'home-'));
});
afterEach(() => rmSync(home, { recursive: true }));

const linux = (env: Record<string, string> = {}): HostSurroundings => ({ platform: 'linux', env, home });
const mac: HostSurroundings = { platform: 'darwin', env: { XDG_DATA_HOME: '/x' }, home: '/Users/u' };

describe('the identity', () => {
  it('is what the system tells', () => {
    const tell = (...command: [string, ...string[]]): string => execFileSync(command[0], command.slice(1), { encoding: 'utf8' }).trim();
    expect(hostIdentity()).toEqual({
      hostname: tell('uname', '-n'),
      username: tell('id', '-un'),
      uid: Number(tell('id', '-u')),
      gid: Number(tell('id', '-g')),
    });
  });

  it.skipIf(process.getuid?.() !== 0)('has no name, and no home, when the number belongs to no account', () => {
    const module = JSON.stringify(new URL('../../src/platform/host.ts', import.meta.url).href);
    const script = `const { hostIdentity, systemSurroundings } = await import(${module});
      process.setgid(54321); process.setuid(54321); delete process.env.HOME;
      const { username, uid, gid } = hostIdentity();
      console.log(JSON.stringify([username, uid, gid, systemSurroundings().home]));`;
    const output = execFileSync(process.execPath, ['--input-type=module', '-e', script], { encoding: 'utf8' });
    expect(JSON.parse(output)).toEqual(['', 54321, 54321, '']);
  });
});

describe('the folders on Linux', () => {
  it('are the usual ones', () => {
    expect(dataFolder(linux())).toBe(`${home}/.local/share/holdfast`);
    expect(cacheFolder(linux())).toBe(`${home}/.cache/holdfast`);
    expect(documentsFolder(linux())).toBe(`${home}/Documents`);
  });

  it('follow the XDG variables unless they are relative or empty', () => {
    expect(dataFolder(linux({ XDG_DATA_HOME: '/d' }))).toBe('/d/holdfast');
    expect(cacheFolder(linux({ XDG_CACHE_HOME: '/c/' }))).toBe('/c/holdfast');
    for (const value of ['', 'd', './d']) expect(dataFolder(linux({ XDG_DATA_HOME: value }))).toBe(`${home}/.local/share/holdfast`);
  });

  it.each([
    ['XDG_DOCUMENTS_DIR="$HOME/Dokumente"', '~/Dokumente'],
    ['XDG_DOCUMENTS_DIR="/srv/docs/"', '/srv/docs'],
    ['  XDG_DOCUMENTS_DIR = "$HOME/a \\"b\\" \\$c"  ', '~/a "b" $c'],
    ['#XDG_DOCUMENTS_DIR="/no"\nXDG_MUSIC_DIR="/music"', '~/Documents'],
    ['XDG_DOCUMENTS_DIR="/first"\nXDG_DOCUMENTS_DIR="/last"', '/last'],
    ['XDG_DOCUMENTS_DIR="$HOME/"', '~/Documents'],
    ['XDG_DOCUMENTS_DIR="$HOME"', '~/Documents'],
    ['XDG_DOCUMENTS_DIR="relative"', '~/Documents'],
    ['XDG_DOCUMENTS_DIR="$HOMEWORK/x"', '~/Documents'],
    ['XDG_DOCUMENTS_DIR="unfinished', '~/Documents'],
    ['', '~/Documents'],
  ])('take Documents from user-dirs.dirs: %s', (text, expected) => {
    mkdirSync(join(home, '.config'));
    writeFileSync(join(home, '.config/user-dirs.dirs'), text);
    expect(documentsFolder(linux())).toBe(expected.replace('~', home));
  });

  it('are those of this account by default', () => {
    expect(systemSurroundings().home).toMatch(/^\//);
    expect(dataFolder()).toMatch(/\/holdfast$/);
  });

  it('need no home folder when the variables name them, and say so when they do', () => {
    const homeless: HostSurroundings = { platform: 'linux', env: { XDG_DATA_HOME: '/d' }, home: '' };
    expect(dataFolder(homeless)).toBe('/d/holdfast');
    expect(() => cacheFolder(homeless)).toThrow(expect.objectContaining({ code: 'home-unknown' }));
    expect(() => documentsFolder(homeless)).toThrow(expect.objectContaining({ code: 'home-unknown' }));
  });
});

describe('the folders elsewhere', () => {
  it('are where macOS keeps such things', () => {
    expect(dataFolder(mac)).toBe('/Users/u/Library/Application Support/Holdfast');
    expect(cacheFolder(mac)).toBe('/Users/u/Library/Caches/Holdfast');
    expect(documentsFolder(mac)).toBe('/Users/u/Documents');
  });

  it('are where Windows keeps such things', () => {
    const windows: HostSurroundings = { platform: 'win32', env: { LOCALAPPDATA: 'D:\\Local' }, home: 'C:\\Users\\u' };
    expect(dataFolder(windows)).toBe('D:\\Local\\Holdfast');
    expect(cacheFolder(windows)).toBe('D:\\Local\\Holdfast\\Cache');
    expect(documentsFolder(windows)).toBe('C:\\Users\\u\\Documents');
    expect(dataFolder({ ...windows, env: {} })).toBe('C:\\Users\\u\\AppData\\Local\\Holdfast');
  });
});
