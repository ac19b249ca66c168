/** The desktop app begins here. */
import { mkdirSync } from 'node:fs';
import { homedir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { app, powerMonitor } from 'electron';
import { systemClock } from '../../src/platform/clock.ts';
import { LogFile } from '../../src/service/log-file.ts';
import { profileAt } from '../../src/service/profile.ts';
import { registerAppScheme } from './app-scheme.ts';
import { hiddenFlag, loginItemsOf } from './login-item.ts';
import { carryService } from './service-process.ts';
import { Shell } from './shell.ts';
import { hasTray } from './tray-host.ts';
import { updatesOf } from './updates.ts';

const { platform, env } = process;
const profile = profileAt();
const folder = join(profile.folder, 'desktop');
mkdirSync(folder, { recursive: true, mode: 0o700 });
// What Chromium keeps, and the lock of the single instance: one app for each profile, like one service.
app.setPath('userData', folder);
app.setName('Holdfast');
if (platform === 'win32') app.setAppUserModelId('io.github.holdfast.Holdfast');
app.enableSandbox();
registerAppScheme();

/** dist/, in which this file lies in a folder of its own. */
const dist = dirname(dirname(fileURLToPath(import.meta.url)));
const isHidden = process.argv.includes(hiddenFlag) || (platform === 'darwin' && app.getLoginItemSettings().wasOpenedAtLogin);
const logFile = new LogFile(folder, systemClock);
const log = (text: string): void => logFile.write(text);

if (app.requestSingleInstanceLock()) void begin();
// The one that runs shows itself.
else app.quit();

async function begin(): Promise<void> {
  await app.whenReady();
  const shell = new Shell({
    app,
    profile,
    clock: systemClock,
    platform,
    folder,
    interfaceFolder: join(dist, 'renderer'),
    preload: join(dist, 'desktop/preload.cjs'),
    assets: join(dist, 'assets'),
    startService: (onNotice) =>
      carryService({
        clock: systemClock,
        // Threads and native code do not run from within the archive.
        program: join(dist, 'service.js').replace(/\bapp\.asar(?=[/\\])/, 'app.asar.unpacked'),
        version: app.getVersion(),
        env: { ...env, HOLDFAST_PROFILE: profile.folder },
        atLogin: isHidden,
        onNotice,
        onNote: log,
      }),
    hasTray: () => hasTray(platform, env),
    loginItems: loginItemsOf({
      app,
      platform,
      env,
      home: homedir(),
      isPackaged: app.isPackaged,
      program: env.APPIMAGE ?? process.execPath,
    }),
    updates: updatesOf({ app, platform, env, folder, resources: process.resourcesPath, clock: systemClock, log }),
    isHidden,
    isDeveloping: !app.isPackaged,
    log,
  });
  // The system waits for a moment; what runs is interrupted cleanly in it.
  powerMonitor.on('shutdown', () => void shell.end());
  process.on('SIGTERM', () => void shell.end());
  await shell.begin();
}
