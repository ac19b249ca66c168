import { expect, test, vi } from 'vitest';
import { LinuxDrives } from '../../../src/platform/drives/linux.ts';
import type { Volume } from '../../../src/platform/drives/volume.ts';
import { textOf, Variant } from '../../../src/platform/dbus/wire.ts';
import { type Answer, offer, startBus } from '../../support/dbus-service.ts';
import { scratch } from '../../support/tree-literal.ts';

const block = '/org/freedesktop/UDisks2/block_devices/dm_2d1';
const drive = '/org/freedesktop/UDisks2/drives/Stick';

/** A desktop whose UDisks answers as said; the volume it has mounted. */
async function desktop(answers: Readonly<Record<string, Answer>>): Promise<{ volume: Volume; calls: string[] }> {
  const address = await startBus();
  vi.stubEnv('DBUS_SYSTEM_BUS_ADDRESS', address);
  const calls = await offer(
    address,
    'org.freedesktop.UDisks2',
    ({ member = '', body }) =>
      answers[member === 'Get' ? textOf(body[1]) : member] ?? { errorName: 'org.freedesktop.DBus.Error.UnknownMethod' },
  );
  const mountPoint = scratch();
  return {
    calls,
    volume: {
      mountPoint,
      device: '/dev/dm-1',
      name: 'Stick',
      fileSystem: 'vfat',
      uuid: '1',
      root: '/',
      space: undefined,
      isRemovable: true,
      isReadOnly: false,
      isNetwork: false,
    },
  };
}

const done: Answer = { signature: '', body: [] };
const value = (type: string, of: string | boolean): Answer => ({ signature: 'v', body: [new Variant(type, of)] });

test('a drive of the desktop is unmounted and powered down by UDisks', async () => {
  const { volume, calls } = await desktop({ Unmount: done, Drive: value('o', drive), CanPowerOff: value('b', true), PowerOff: done });
  await new LinuxDrives().eject(volume);
  expect(calls).toEqual([
    `Unmount ${block} []`,
    `Get ${block} "org.freedesktop.UDisks2.Block" "Drive"`,
    `Get ${drive} "org.freedesktop.UDisks2.Drive" "CanPowerOff"`,
    `PowerOff ${drive} []`,
  ]);
});

test('one that cannot be powered down, or not now, is ejected all the same', async () => {
  const stays = await desktop({ Unmount: done, Drive: value('o', drive), CanPowerOff: value('b', false) });
  await new LinuxDrives().eject(stays.volume);
  expect(stays.calls.some((call) => call.startsWith('PowerOff'))).toBe(false);
  const refuses = await desktop({
    Unmount: done,
    Drive: value('o', drive),
    CanPowerOff: value('b', true),
    PowerOff: { errorName: 'org.freedesktop.UDisks2.Error.Failed' },
  });
  await new LinuxDrives().eject(refuses.volume);
});

test('one that is busy is told as such', async () => {
  const { volume } = await desktop({ Unmount: { errorName: 'org.freedesktop.UDisks2.Error.DeviceBusy' } });
  await expect(new LinuxDrives().eject(volume)).rejects.toMatchObject({ code: 'drive-busy' });
});

test('what UDisks may not do or does not know is tried with umount', async () => {
  const { volume } = await desktop({ Unmount: { errorName: 'org.freedesktop.UDisks2.Error.NotAuthorized' } });
  await expect(new LinuxDrives().eject(volume)).rejects.toMatchObject({
    code: 'drive-not-ejected',
    context: { cause: expect.stringContaining('not mounted') },
  });
});

test('one that never answers can be given up', async () => {
  const { volume } = await desktop({ Unmount: 'never' });
  const abort = new AbortController();
  const ejected = new LinuxDrives().eject(volume, abort.signal);
  abort.abort();
  await expect(ejected).rejects.toMatchObject({ code: 'cancelled' });
});
