import { createHash, generateKeyPairSync } from 'node:crypto';
import { EventEmitter } from 'node:events';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test, vi } from 'vitest';
import type { UpdateState } from '../../../src/contract/desktop-calls.ts';
import { Updates, type Updater, updatesOf } from '../../../main/electron/updates.ts';
import { signManifest } from '../../../scripts/sign-update.mjs';
import { FakeClock } from '../../support/fake-clock.ts';
import { scratch } from '../../support/tree-literal.ts';

const keys = generateKeyPairSync('ed25519');
const publicKey = keys.publicKey.export({ type: 'spki', format: 'pem' }) as string;
const privateKey = keys.privateKey.export({ type: 'pkcs8', format: 'pem' }) as string;

/** A place with updates, as electron-updater looks at one. */
function make({ version = '0.2.0', content = 'the new program', sign = true, current = '0.1.0' } = {}) {
  const folder = scratch();
  const file = join(folder, 'downloaded');
  const sha512 = createHash('sha512').update('the new program').digest('base64');
  const manifest = { version, files: [{ url: 'Holdfast.AppImage', sha512, size: 15 }], path: 'x', releaseDate: '2026-01-01' };
  const offered = { info: { ...manifest, ...(sign ? { signature: signManifest(manifest, privateKey) } : {}) } as object | null };
  const load = vi.fn(async () => {
    writeFileSync(file, content);
    updater.emit('download-progress', { percent: 41.7 });
    return [file];
  });
  const updater = Object.assign(new EventEmitter(), {
    autoDownload: true,
    autoInstallOnAppQuit: true,
    checkForUpdates: vi.fn(async () => (offered.info ? ({ updateInfo: offered.info } as never) : null)),
    downloadUpdate: load,
    quitAndInstall: vi.fn(),
  });
  const clock = new FakeClock();
  const log: string[] = [];
  const updates = new Updates({
    updater: async () => updater as unknown as Updater,
    publicKey,
    current,
    seenFile: join(folder, 'seen'),
    clock,
    log: (text) => log.push(text),
  });
  const states: UpdateState[] = [];
  updates.onChange((state) => states.push(state));
  const settled = (): Promise<UpdateState> =>
    vi.waitUntil(() => (['ready', 'failed', 'current'].includes(updates.state.is) ? updates.state : undefined), { timeout: 0x7fffffff });
  return { updates, updater, offered, states, settled, file, folder, log, clock };
}

test('a new version is loaded, checked, and installed only when the person says so', async () => {
  const { updates, updater, states, settled, folder } = make();
  expect(updates.state).toEqual({ is: 'idle' });
  await updates.look();
  await settled();
  expect(states).toEqual([
    { is: 'looking' },
    { is: 'loading', version: '0.2.0', percent: 0 },
    { is: 'loading', version: '0.2.0', percent: 41 },
    { is: 'ready', version: '0.2.0' },
  ]);
  expect(updater).toMatchObject({ autoDownload: false, autoInstallOnAppQuit: false });
  expect(updater.quitAndInstall).not.toHaveBeenCalled();
  const ended = vi.fn(async () => expect(updater.quitAndInstall).not.toHaveBeenCalled());
  updates.beforeInstall = ended;
  await updates.install();
  expect(ended).toHaveBeenCalledTimes(1);
  expect(updater.quitAndInstall).toHaveBeenCalledTimes(1);
  expect(readFileSync(join(folder, 'seen'), 'utf8')).toBe('0.2.0');
});

test('nothing is loaded of what is not signed', async () => {
  const { updates, updater, log } = make({ sign: false });
  expect(await updates.look()).toMatchObject({ is: 'failed', error: { code: 'update-refused' } });
  expect(updater.downloadUpdate).not.toHaveBeenCalled();
  expect(log).toHaveLength(1);
  await expect(updates.install()).rejects.toMatchObject({ code: 'update-absent' });
});

test('what was loaded is not installed when it is not what was signed', async () => {
  const { updates, updater, settled } = make({ content: 'the evil program' });
  await updates.look();
  expect(await settled()).toMatchObject({ is: 'failed', error: { code: 'update-refused' } });
  await expect(updates.install()).rejects.toMatchObject({ code: 'update-absent' });
  expect(updater.quitAndInstall).not.toHaveBeenCalled();
});

test('nor when it was replaced between loading and installing', async () => {
  const { updates, updater, settled, file } = make();
  await updates.look();
  await settled();
  writeFileSync(file, 'the evil program');
  await expect(updates.install()).rejects.toMatchObject({ code: 'update-refused' });
  expect(updates.state).toMatchObject({ is: 'failed' });
  expect(updater.quitAndInstall).not.toHaveBeenCalled();
});

test('an old version that is offered again is refused', async () => {
  const { updates, offered, settled, updater } = make({ version: '0.3.0' });
  await updates.look();
  await settled();
  const older = make({ version: '0.2.0' });
  offered.info = older.offered.info;
  const again = new Updates({
    updater: async () => updater as unknown as Updater,
    publicKey,
    current: '0.1.0',
    seenFile: join(make().folder, 'none'),
    clock: new FakeClock(),
    log: () => {},
  });
  expect((await again.look()).is).toBe('loading');
  const seen = join(scratch(), 'seen');
  writeFileSync(seen, '0.3.0');
  const wise = new Updates({
    updater: async () => updater as unknown as Updater,
    publicKey,
    current: '0.1.0',
    seenFile: seen,
    clock: new FakeClock(),
    log: () => {},
  });
  expect(await wise.look()).toMatchObject({ is: 'failed', error: { code: 'update-refused' } });
});

test('the version that runs, no answer, and no network are all calm', async () => {
  expect(await make({ current: '0.2.0' }).updates.look()).toEqual({ is: 'current' });
  const none = make();
  none.offered.info = null;
  expect(await none.updates.look()).toEqual({ is: 'current' });
  const offline = make();
  offline.updater.checkForUpdates.mockRejectedValueOnce(new Error('net::ERR_NAME_NOT_RESOLVED\n  at …'));
  expect(await offline.updates.look()).toMatchObject({
    is: 'failed',
    error: { code: 'update-failed', context: { cause: 'net::ERR_NAME_NOT_RESOLVED' } },
  });
  expect((await offline.updates.look()).is).toBe('loading');
});

test('it looks at once and then each day, until it is stopped', async () => {
  const { updates, updater, clock, settled } = make({ current: '0.2.0' });
  const stop = updates.begin();
  await settled();
  for (let day = 2; day <= 4; day++) {
    await clock.advance(24 * 60 * 60_000);
    await settled();
    expect(updater.checkForUpdates).toHaveBeenCalledTimes(day);
  }
  stop();
  await clock.advance(48 * 60 * 60_000);
  expect(updater.checkForUpdates).toHaveBeenCalledTimes(4);
});

test('a program without its own installer, or without a key, has no updates', async () => {
  const resources = scratch();
  const of = (platform: NodeJS.Platform, env = {}, isPackaged = true) =>
    updatesOf({
      app: { isPackaged, getVersion: () => '0.1.0' },
      platform,
      env,
      folder: scratch(),
      resources,
      clock: new FakeClock(),
      log: () => {},
    }).state.is;
  expect(of('darwin')).toBe('unsupported');
  writeFileSync(join(resources, 'app-update.yml'), '');
  expect(of('darwin')).toBe('unsupported');
  writeFileSync(join(resources, 'update-key.pem'), publicKey);
  expect(of('darwin')).toBe('idle');
  expect(of('win32')).toBe('idle');
  expect(of('win32', {}, false)).toBe('unsupported');
  // A Debian package is the package manager's.
  expect(of('linux')).toBe('unsupported');
  expect(of('linux', { APPIMAGE: '/home/me/Holdfast.AppImage' })).toBe('idle');
  mkdirSync(join(resources, 'x'));
  const none = new Updates({
    updater: undefined,
    publicKey,
    current: '1.0.0',
    seenFile: join(resources, 'x'),
    clock: new FakeClock(),
    log: () => {},
  });
  expect(await none.look()).toEqual({ is: 'unsupported' });
  none.begin()();
});
