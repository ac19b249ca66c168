/** The whole shell, with a real service in a real process beside it. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { MessagePort } from 'node:worker_threads';
import { beforeEach, expect, onTestFinished, test, vi } from 'vitest';
import { loginItemsOf } from '../../../main/electron/login-item.ts';
import { type CarriedService } from '../../../main/electron/service-connection.ts';
import { carryService } from '../../../main/electron/service-process.ts';
import { Shell } from '../../../main/electron/shell.ts';
import { Updates } from '../../../main/electron/updates.ts';
import { systemClock } from '../../../src/platform/clock.ts';
import { readAccess } from '../../../src/service/access.ts';
import { profileAt } from '../../../src/service/profile.ts';
import { attach, clientOverPort, type ServiceClient } from '../../../src/service/rpc/client.ts';
import * as electron from '../../support/fake-electron.ts';
import { connectFolder, createPlan, ended, repositoryAt, startService } from '../../support/service.ts';
import { scratch, tree } from '../../support/tree-literal.ts';

const root = join(import.meta.dirname, '../../..');
const { app, BrowserWindow, Tray, Notification, dialog, powerMonitor, powerSaveBlocker, nativeTheme, utilityProcess } = electron;

beforeEach(() => {
  for (const emitter of [app, powerMonitor, nativeTheme, electron.ipcMain]) emitter.removeAllListeners();
  electron.ipcMain.handlers.clear();
  for (const list of [BrowserWindow.all, Tray.all, Notification.all, dialog.asked, utilityProcess.started]) list.length = 0;
  powerSaveBlocker.held.clear();
  app.quits = 0;
  dialog.button = 0;
  nativeTheme.themeSource = 'system';
});

const until = <T>(what: () => T | undefined | false): Promise<T> => vi.waitUntil(what, { timeout: 0x7fffffff, interval: 20 }) as Promise<T>;

async function start({ folder = scratch(), hasTray = true, isHidden = false } = {}) {
  const profile = profileAt(join(folder, 'profile'));
  const log: string[] = [];
  const updates = new Updates({
    updater: undefined,
    publicKey: undefined,
    current: '0.1.0',
    seenFile: join(folder, 'seen'),
    clock: systemClock,
    log: () => {},
  });
  const shell = new Shell({
    app: app as never,
    profile,
    clock: systemClock,
    platform: 'linux',
    folder,
    interfaceFolder: join(folder, 'interface'),
    preload: '/preload.cjs',
    assets: join(root, 'assets'),
    startService: (onNotice): CarriedService =>
      carryService({
        clock: systemClock,
        program: join(root, 'dist/service.js'),
        version: '0.1.0',
        env: { ...process.env, HOLDFAST_PROFILE: profile.folder, HOLDFAST_SECRETS_FILE: join(folder, 'secrets.json') },
        atLogin: isHidden,
        onNotice,
        onNote: (text) => log.push(text),
      }),
    hasTray: async () => hasTray,
    loginItems: loginItemsOf({ app: app as never, platform: 'linux', env: {}, home: folder, isPackaged: false, program: '/x' }),
    updates,
    isHidden,
    isDeveloping: false,
    log: (text) => log.push(text),
  });
  await shell.begin();
  onTestFinished(async () => {
    await shell.end();
    for (const { child } of utilityProcess.started) child.kill('SIGKILL');
  });
  const client = async (): Promise<ServiceClient> => {
    const attached = await attach(profile);
    onTestFinished(() => attached.close());
    return attached.client;
  };
  const line = (): string => Tray.all[0].menu!.items[0].label!;
  const choose = (id: string): void => Tray.all[0].menu!.items.find((item) => item.id === id)!.click!();
  return { shell, folder, profile, log, client, line, choose, window: () => BrowserWindow.all[0] };
}

/** A plan over a real folder and a real repository. */
async function withPlan(shell: Awaited<ReturnType<typeof start>>) {
  const client = await shell.client();
  const source = tree(shell.folder, { files: { 'a.txt': 'hello', 'b.txt': 'world' } });
  const destination = await connectFolder({ folder: shell.folder, client });
  return { client, plan: await createPlan({ client }, join(source, 'files'), destination) };
}

test('it starts a service, follows its state, backs up from the tray, tells when it is done, and ends the service with itself', async () => {
  const shell = await start();
  expect(shell.window().webContents.mainFrame.url).toBe('app://holdfast/index.html');
  await until(() => shell.line() === 'Nothing is backed up yet');
  const { client } = await withPlan(shell);
  await until(() => shell.line() === 'The first backup has not been made yet');
  shell.window().close();
  shell.choose('backup');
  const told = await until(() => Notification.all.find(({ title }) => title === 'Documents is backed up'));
  await until(() => shell.line() === 'Your files are safe · last backup just now');
  // No stay in the middle of standby any more.
  expect(powerSaveBlocker.held.size).toBe(0);
  told.emit('click', {});
  expect(shell.window()).toMatchObject({ visible: true, focused: true });
  expect(shell.window().webContents.sent.at(-1)).toEqual({ channel: 'holdfast:go', value: '/history/runs/1' });
  shell.choose('pause-hour');
  await until(() => shell.line().startsWith('Paused until'));
  expect(Tray.all[0].image.path).toContain('paused');
  shell.choose('resume');
  await until(() => shell.line().startsWith('Your files are safe'));
  await client.settings.change({ language: 'zh-CN', theme: 'dark' });
  await until(() => shell.line().startsWith('文件安全'));
  expect(nativeTheme.themeSource).toBe('dark');
  expect(electron.Menu.application!.items[0].label).toBe('文件');
  const [service] = utilityProcess.started;
  shell.choose('quit');
  await until(() => app.quits === 1);
  expect(service.child.exitCode).toBe(0);
  expect(existsSync(shell.profile.accessFile)).toBe(false);
});

test('the page reaches the service by its port', async () => {
  const shell = await start();
  await until(() => shell.line() === 'Nothing is backed up yet');
  const { webContents } = shell.window();
  electron.ipcMain.emit('holdfast:port', { sender: webContents, senderFrame: webContents.mainFrame });
  const port = webContents.sent.find(({ channel }) => channel === 'holdfast:port')!.ports![0] as MessagePort;
  const page = clientOverPort(port);
  expect((await page.service.info()).pid).toBe(utilityProcess.started[0].child.pid);
  // The private socket's rights are the page's: it is the person at the computer.
  expect(await page.logins.list()).toEqual([]);
  port.close();
});

test('a service that was killed is started again, and what the tray shows catches up', async () => {
  const shell = await start();
  await until(() => shell.line() === 'Nothing is backed up yet');
  utilityProcess.started[0].child.kill('SIGKILL');
  await until(() => utilityProcess.started.length === 2 && readAccess(shell.profile)?.pid === utilityProcess.started[1].child.pid);
  await withPlan(shell);
  await until(() => shell.line() === 'The first backup has not been made yet');
});

test('it attaches to a service that runs already, starts none, and leaves it running', async () => {
  const service = await startService();
  const shell = await start({ folder: service.folder });
  await until(() => shell.line() === 'Nothing is backed up yet');
  expect(utilityProcess.started).toHaveLength(0);
  await shell.shell.end();
  expect(app.quits).toBe(1);
  expect((await service.client.service.info()).pid).toBe(process.pid);
});

test('when that one ends, the shell carries the service itself', async () => {
  const service = await startService();
  const shell = await start({ folder: service.folder });
  await until(() => shell.line() === 'Nothing is backed up yet');
  await service.close();
  await until(() => utilityProcess.started.length === 1);
  await until(() => shell.line() === 'Nothing is backed up yet' && existsSync(shell.profile.accessFile));
});

test('a service that cannot start is said, and tried again', async () => {
  const folder = scratch();
  const profile = profileAt(join(folder, 'profile'));
  // A state of a version to come is not touched.
  const first = await startService({ folder });
  await first.close();
  const { DatabaseSync } = await import('node:sqlite');
  const database = new DatabaseSync(profile.stateFile);
  database.exec('PRAGMA user_version = 9999');
  database.close();
  const shell = await start({ folder });
  await until(() => shell.line() === 'Not running: no backups are made');
  expect(Tray.all[0].image.path).toContain('attention');
  expect(shell.log.join('\n')).toMatch(/newer/);
  await until(() => utilityProcess.started.length === 2);
});

test('quitting in the middle of a run is asked about; at any other time it is done', async () => {
  const shell = await start();
  await until(() => shell.line() === 'Nothing is backed up yet');
  const { client, plan } = await withPlan(shell);
  // The very moment when the run is known to be at work.
  const { start: keepAwake } = powerSaveBlocker;
  vi.spyOn(powerSaveBlocker, 'start').mockImplementation((kind) => {
    app.quit();
    return keepAwake(kind);
  });
  const run = await client.runs.start({ plan: plan.id });
  await until(() => dialog.asked.length === 1);
  expect(dialog.asked[0]).toMatchObject({ buttons: ['Keep running', 'Quit'], defaultId: 0, cancelId: 0 });
  expect((await ended({ client }, run.id)).status).toBe('succeeded');
  expect(app.quits).toBe(0);
  await until(() => powerSaveBlocker.held.size === 0);
  app.quit();
  await until(() => app.quits === 1);
  expect(dialog.asked).toHaveLength(1);
});

test('who quits all the same finds the run interrupted, and gone on with by the next service', async () => {
  const shell = await start();
  await until(() => shell.line() === 'Nothing is backed up yet');
  const { client, plan } = await withPlan(shell);
  dialog.button = 1;
  const { start: keepAwake } = powerSaveBlocker;
  const asked = vi.spyOn(powerSaveBlocker, 'start').mockImplementation((kind) => {
    app.quit();
    return keepAwake(kind);
  });
  await client.runs.start({ plan: plan.id }).catch(() => {});
  await until(() => app.quits === 1);
  asked.mockRestore();
  expect(powerSaveBlocker.held.size).toBe(0);
  for (const emitter of [app, powerMonitor, nativeTheme, electron.ipcMain]) emitter.removeAllListeners();
  electron.ipcMain.handlers.clear();
  Tray.all.length = 0;
  const next = await start({ folder: shell.folder });
  await until(() => next.line() === 'Your files are safe · last backup just now');
});

test('at login nothing is shown; starting it a second time shows the window', async () => {
  const shell = await start({ isHidden: true });
  await until(() => shell.line() === 'Nothing is backed up yet');
  expect(BrowserWindow.all).toHaveLength(0);
  app.emit('second-instance');
  expect(shell.window().visible).toBe(true);
  shell.window().close();
  app.emit('activate');
  expect(shell.window().visible).toBe(true);
});

test('without a tray the window stays in reach, which is said once', async () => {
  const shell = await start({ hasTray: false });
  expect(Tray.all).toHaveLength(0);
  shell.window().close();
  expect(shell.window()).toMatchObject({ minimized: true, destroyed: false });
  expect(Notification.all.map(({ title }) => title)).toEqual(['Holdfast goes on backing up']);
  app.emit('second-instance');
  shell.window().close();
  expect(Notification.all).toHaveLength(1);
  expect(JSON.parse(readFileSync(join(shell.folder, 'window.json'), 'utf8'))).toMatchObject({ isMaximized: false });
});

test('the computer’s news reach the service', async () => {
  const shell = await start();
  await until(() => shell.line() === 'Nothing is backed up yet');
  for (const news of ['suspend', 'resume', 'on-battery', 'on-ac']) powerMonitor.emit(news);
  const log = join(shell.profile.folder, 'logs/service.log');
  await until(() => existsSync(log) && readFileSync(log, 'utf8').includes('on-ac'));
  expect(readFileSync(log, 'utf8').match(/The computer: [\w-]+/g)).toEqual(
    ['suspend', 'resume', 'on-battery', 'on-ac'].map((news) => `The computer: ${news}`),
  );
});

test('“Back up now” with nothing to back up opens the window', async () => {
  const shell = await start({ isHidden: true });
  await until(() => shell.line() === 'Nothing is backed up yet');
  electron.Menu.application!.items[0].submenu!.find(({ label }) => label === 'Back up now')!.click!();
  await until(() => BrowserWindow.all.length === 1);
  await repositoryAt(join(shell.folder, 'unused'));
});
