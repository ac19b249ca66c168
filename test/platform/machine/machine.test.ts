import { describe, expect, test } from 'vitest';
import { Variant } from '../../../src/platform/dbus/wire.ts';
import { byCostType, networkMetered } from '../../../src/platform/machine/network.ts';
import { linuxPower, parsePmset, parseWindowsBatteries, powerState } from '../../../src/platform/machine/power.ts';
import { offer, startBus } from '../../support/dbus-service.ts';
import { scratch, tree, type TreeLiteral } from '../../support/tree-literal.ts';

const supply = (facts: Readonly<Record<string, string>>): TreeLiteral =>
  Object.fromEntries(Object.entries(facts).map(([name, text]) => [name, `${text}\n`]));

describe('the power of a computer', () => {
  const laptop = { type: 'Battery', present: '1', scope: 'System', capacity: '87', energy_full: '50000000' };

  test.each<[string, TreeLiteral, unknown]>([
    ['without a battery is mains', {}, { source: 'mains', percent: undefined }],
    [
      'with a mouse is mains',
      { hid: supply({ type: 'Battery', scope: 'Device', status: 'Discharging', capacity: '40' }) },
      { source: 'mains', percent: undefined },
    ],
    [
      'that was unplugged is its battery',
      { AC: supply({ type: 'Mains', online: '0' }), BAT0: supply({ ...laptop, status: 'Discharging' }) },
      { source: 'battery', percent: 87 },
    ],
    [
      'that is charged is mains',
      { AC: supply({ type: 'Mains', online: '1' }), BAT0: supply({ ...laptop, status: 'Charging' }) },
      { source: 'mains', percent: 87 },
    ],
    [
      'that is held at a threshold is mains',
      { AC: supply({ type: 'Mains', online: '1' }), BAT0: supply({ ...laptop, status: 'Not charging' }) },
      { source: 'mains', percent: 87 },
    ],
    [
      'that drains its battery all the same is the battery',
      { AC: supply({ type: 'Mains', online: '1' }), BAT0: supply({ ...laptop, status: 'Discharging' }) },
      { source: 'battery', percent: 87 },
    ],
    [
      'of two batteries counts both by their size',
      {
        BAT0: supply({ ...laptop, capacity: '100', status: 'Full' }),
        BAT1: supply({ ...laptop, capacity: '0', energy_full: '150000000', status: 'Discharging' }),
      },
      { source: 'battery', percent: 25 },
    ],
    ['whose battery says nothing is unknown', { BAT0: supply({ type: 'Battery' }) }, { source: 'unknown', percent: undefined }],
    [
      'whose battery was taken out is mains',
      { AC: supply({ type: 'Mains', online: '1' }), BAT0: supply({ ...laptop, present: '0' }) },
      { source: 'mains', percent: undefined },
    ],
  ])('%s', async (_, folder, state) => {
    expect(await linuxPower(tree(scratch(), folder))).toEqual(state);
  });

  test('of this very computer is told without failing, and unknown where its tools are not', async () => {
    expect(['mains', 'battery', 'unknown']).toContain((await powerState()).source);
    expect(await powerState('darwin')).toEqual({ source: 'unknown', percent: undefined });
    expect(await powerState('win32')).toEqual({ source: 'unknown', percent: undefined });
  });

  test('is read from what macOS and Windows print', () => {
    const onBattery =
      "Now drawing from 'Battery Power'\n -InternalBattery-0 (id=4653155)\t87%; discharging; 5:36 remaining present: true\n";
    expect(parsePmset(onBattery)).toEqual({ source: 'battery', percent: 87 });
    expect(
      parsePmset("Now drawing from 'AC Power'\n -InternalBattery-0 (id=4653155)\t100%; charged; 0:00 remaining present: true\n"),
    ).toEqual({ source: 'mains', percent: 100 });
    expect(parsePmset("Now drawing from 'AC Power'\n")).toEqual({ source: 'mains', percent: undefined });
    expect(parsePmset('No power sources\n')).toEqual({ source: 'unknown', percent: undefined });
    expect(parseWindowsBatteries('[{"BatteryStatus":1,"EstimatedChargeRemaining":42}]')).toEqual({ source: 'battery', percent: 42 });
    expect(parseWindowsBatteries('{"BatteryStatus":2,"EstimatedChargeRemaining":99}')).toEqual({ source: 'mains', percent: 99 });
    expect(parseWindowsBatteries('[]')).toEqual({ source: 'mains', percent: undefined });
  });
});

describe('whether the network is metered', () => {
  const name = 'org.freedesktop.NetworkManager';
  const on = (address: string) => ({ platform: 'linux' as const, env: { DBUS_SYSTEM_BUS_ADDRESS: address } });

  test.each([
    [0, 'unknown'],
    [1, 'yes'],
    [2, 'no'],
    [3, 'yes'],
    [4, 'no'],
    [99, 'unknown'],
  ])('is what NetworkManager says: %i is %s', async (value, metered) => {
    const address = await startBus();
    const calls = await offer(address, name, () => ({ signature: 'v', body: [new Variant('u', value)] }));
    expect(await networkMetered(undefined, on(address))).toBe(metered);
    expect(calls).toEqual([`Get /org/freedesktop/NetworkManager "${name}" "Metered"`]);
  });

  test('is unknown without it, without a bus, and when it answers with an error', async () => {
    const address = await startBus();
    expect(await networkMetered(undefined, on(address))).toBe('unknown');
    expect(await networkMetered(undefined, on('unix:path=/nowhere'))).toBe('unknown');
    await offer(address, name, () => ({ errorName: 'org.freedesktop.DBus.Error.AccessDenied' }));
    expect(await networkMetered(undefined, on(address))).toBe('unknown');
    expect(await networkMetered(undefined, { platform: 'darwin', env: {} })).toBe('unknown');
  });

  test('is not waited for by whoever has cancelled', async () => {
    const address = await startBus();
    const abort = new AbortController();
    await offer(address, name, () => {
      abort.abort();
      return 'never';
    });
    await expect(networkMetered(abort.signal, on(address))).rejects.toMatchObject({ code: 'cancelled' });
  });

  test('is read from what Windows prints', () => {
    expect(['Unrestricted\r\n', 'Fixed', 'Variable', 'Unknown', ''].map(byCostType)).toEqual(['no', 'yes', 'yes', 'unknown', 'unknown']);
  });
});
