import { expect, test } from 'vitest';
import { Variant } from '../../../src/platform/dbus/wire.ts';
import { hasTray } from '../../../main/electron/tray-host.ts';
import { offer, startBus } from '../../support/dbus-service.ts';

test('macOS and Windows always have a place for the icon', async () => {
  expect(await hasTray('darwin', {})).toBe(true);
  expect(await hasTray('win32', {})).toBe(true);
});

test('a Linux session without a bus has none; nor has one whose bus is gone', async () => {
  expect(await hasTray('linux', {})).toBe(false);
  expect(await hasTray('linux', { DBUS_SESSION_BUS_ADDRESS: 'unix:path=/nowhere/bus' })).toBe(false);
});

test('a desktop that shows no icons, as GNOME, has none', async () => {
  expect(await hasTray('linux', { DBUS_SESSION_BUS_ADDRESS: await startBus() })).toBe(false);
});

test.each([true, false])('one that watches for icons has one when somebody shows them: %s', async (isShown) => {
  const address = await startBus();
  const calls = await offer(address, 'org.kde.StatusNotifierWatcher', () => ({ signature: 'v', body: [new Variant('b', isShown)] }));
  expect(await hasTray('linux', { DBUS_SESSION_BUS_ADDRESS: address })).toBe(isShown);
  expect(calls).toEqual(['Get /StatusNotifierWatcher "org.kde.StatusNotifierWatcher" "IsStatusNotifierHostRegistered"']);
});
