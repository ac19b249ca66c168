import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { type Autostart, autostartOf, type Ran, runProgram } from '../../../src/platform/autostart/autostart.ts';
import { systemdUnit } from '../../../src/platform/autostart/systemd-unit.ts';
import { failureOf } from '../../support/failure-of.ts';
import { scratch } from '../../support/tree-literal.ts';

const command = ['/opt/node', '/opt/cli.js', 'serve'];

interface Recorded {
  readonly autostart: Autostart;
  readonly home: string;
  /** What was run, with the files that were there then. */
  readonly ran: string[];
}

/** A system whose programs do nothing but answer; `answers` says how, for those that begin with a text. */
function system(platform: NodeJS.Platform, answers: Readonly<Record<string, Ran>> = {}, env: Record<string, string> = {}): Recorded {
  const home = scratch();
  const ran: string[] = [];
  const run = async (program: string, args: readonly string[]): Promise<Ran> => {
    const line = [program, ...args].join(' ').replaceAll(home, '~');
    ran.push(line);
    return Object.entries(answers).find(([begin]) => line.startsWith(begin))?.[1] ?? { code: 0, text: '' };
  };
  return { autostart: autostartOf({ platform, home, env: { TEMP: home, ...env }, uid: 501, user: 'PC\\u', run }), home, ran };
}

const everything = (folder: string): string[] =>
  readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((name) => /[^/]\.\w+$/.test(name));
const noBus: Ran = { code: 1, text: 'Failed to connect to bus: No medium found\nmore' };

describe('systemd', () => {
  test('gets a unit, is told of it and starts it; all of it goes again', async () => {
    const { autostart, home, ran } = system('linux');
    await autostart.install(command);
    expect(autostart.file).toBe(join(home, '.config/systemd/user/holdfast.service'));
    expect(readFileSync(autostart.file, 'utf8')).toBe(systemdUnit(command));
    expect(ran.splice(0)).toEqual([
      'systemctl --user show --property=Version',
      'systemctl --user daemon-reload',
      'systemctl --user enable holdfast.service',
      'systemctl --user restart holdfast.service',
    ]);
    expect(await autostart.uninstall()).toBe(true);
    expect(everything(home)).toEqual([]);
    expect(ran.splice(0)).toEqual([
      'systemctl --user show --property=Version',
      'systemctl --user disable --now holdfast.service',
      'systemctl --user daemon-reload',
    ]);
    expect(await autostart.uninstall()).toBe(false);
    expect(ran).toEqual([]);
  });

  test('has its units where XDG_CONFIG_HOME says, if that is a place', async () => {
    const folder = scratch();
    expect(system('linux', {}, { XDG_CONFIG_HOME: folder }).autostart.file).toBe(join(folder, 'systemd/user/holdfast.service'));
    const { autostart, home } = system('linux', {}, { XDG_CONFIG_HOME: 'config' });
    expect(autostart.file.startsWith(home)).toBe(true);
  });

  test.each([
    ['without one for persons', noBus],
    ['without the program', { code: 127, text: 'spawn systemctl ENOENT' }],
  ])('%s says what is missing, and nothing is written', async (_, answer) => {
    const { autostart, home } = system('linux', { 'systemctl --user show': answer });
    await expect(autostart.install(command)).rejects.toMatchObject({
      code: 'autostart-absent',
      context: { cause: answer.text.split('\n')[0] },
    });
    expect(readdirSync(home)).toEqual([]);
  });

  test.each(['daemon-reload', 'enable', 'restart'])('when %s fails, nothing is left', async (verb) => {
    const { autostart, home, ran } = system('linux', { [`systemctl --user ${verb}`]: { code: 1, text: 'it is masked' } });
    await expect(autostart.install(command)).rejects.toMatchObject({ code: 'autostart-failed', context: { cause: 'it is masked' } });
    expect(everything(home)).toEqual([]);
    expect(ran.slice(-2)).toEqual(['systemctl --user disable --now holdfast.service', 'systemctl --user daemon-reload']);
  });

  test('an older unit is as it was when the new one is not taken', async () => {
    const { autostart, ran } = system('linux', { 'systemctl --user enable': { code: 1, text: 'no' } });
    mkdirSync(join(autostart.file, '..'), { recursive: true });
    writeFileSync(autostart.file, 'older');
    expect(await failureOf(autostart.install(command))).toBe('autostart-failed');
    expect(readFileSync(autostart.file, 'utf8')).toBe('older');
    expect(ran.join()).not.toContain('disable');
  });

  test('a unit that cannot be removed from systemd stays', async () => {
    const { autostart } = system('linux', { 'systemctl --user disable': noBus });
    await autostart.install(command);
    expect(await failureOf(autostart.uninstall())).toBe('autostart-failed');
    expect(existsSync(autostart.file)).toBe(true);
  });

  test('a folder that cannot be written to is named', async () => {
    const { autostart, home } = system('linux');
    writeFileSync(join(home, '.config'), 'a file');
    await expect(autostart.install(command)).rejects.toMatchObject({
      code: 'autostart-failed',
      context: { cause: expect.stringContaining('.config') },
    });
  });
});

test('launchd gets an agent, in place of an older one; it goes again', async () => {
  const { autostart, home, ran } = system('darwin', { '/bin/launchctl bootout': { code: 3, text: 'No such process' } });
  await autostart.install(command);
  expect(everything(home)).toEqual(['Library/LaunchAgents/holdfast.service.plist']);
  expect(await autostart.uninstall()).toBe(true);
  expect(await autostart.uninstall()).toBe(false);
  expect(everything(home)).toEqual([]);
  expect(ran).toEqual([
    '/bin/launchctl bootout gui/501/holdfast.service',
    '/bin/launchctl bootstrap gui/501 ~/Library/LaunchAgents/holdfast.service.plist',
    '/bin/launchctl bootout gui/501/holdfast.service',
  ]);
  const refusing = system('darwin', { '/bin/launchctl bootstrap': { code: 5, text: 'Bootstrap failed: 5' } });
  expect(await failureOf(refusing.autostart.install(command))).toBe('autostart-failed');
  expect(everything(refusing.home)).toEqual([]);
});

test('Windows gets a task from a file that does not stay', async () => {
  const { autostart, home, ran } = system('win32');
  await autostart.install(command);
  expect(await autostart.uninstall()).toBe(true);
  expect(everything(home)).toEqual([]);
  expect(ran).toEqual([
    'schtasks.exe /Create /TN Holdfast /XML ~/holdfast-task.xml /F',
    'schtasks.exe /Run /TN Holdfast',
    'schtasks.exe /Query /TN Holdfast',
    'schtasks.exe /End /TN Holdfast',
    'schtasks.exe /Delete /TN Holdfast /F',
  ]);
  expect(await system('win32', { 'schtasks.exe /Query': { code: 1, text: '' } }).autostart.uninstall()).toBe(false);
  const refusing = system('win32', { 'schtasks.exe /Create': { code: 1, text: 'ERROR: Access is denied.' } });
  await expect(refusing.autostart.install(command)).rejects.toMatchObject({ context: { cause: 'ERROR: Access is denied.' } });
  expect(everything(refusing.home)).toEqual([]);
});

test('another system is named', () => {
  expect(() => system('freebsd')).toThrow(expect.objectContaining({ code: 'autostart-absent' }));
});

test('programs are run for real, and one that is not there is no surprise', async () => {
  expect(await runProgram('sh', ['-c', 'echo out; echo err >&2; exit 3'])).toEqual({ code: 3, text: 'out\nerr' });
  expect(await runProgram('holdfast-no-such-program', [])).toMatchObject({ code: 127, text: expect.stringContaining('ENOENT') });
});
