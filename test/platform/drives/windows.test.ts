import { expect, test } from 'vitest';
import { parseVolumes, WindowsDrives } from '../../../src/platform/drives/windows.ts';

/** Values as public bug reports show them, in the form that ConvertTo-Json gives. */
const output = JSON.stringify({
  buses: [
    { Letter: 'C', Bus: 'NVMe' },
    { Letter: 'E', Bus: 'USB' },
    { Letter: 'F', Bus: 'USB' },
  ],
  volumes: [
    {
      DeviceID: 'C:',
      DriveType: 3,
      FileSystem: 'NTFS',
      Size: 510979805184,
      FreeSpace: 46720376832,
      VolumeName: 'maicra',
      VolumeSerialNumber: '3E1F5A02',
      Access: 0,
      ProviderName: null,
    },
    {
      DeviceID: 'D:',
      DriveType: 5,
      FileSystem: null,
      Size: null,
      FreeSpace: null,
      VolumeName: null,
      VolumeSerialNumber: null,
      Access: null,
      ProviderName: null,
    },
    {
      DeviceID: 'E:',
      DriveType: 2,
      FileSystem: 'NTFS',
      Size: 7812935680,
      FreeSpace: 3975397376,
      VolumeName: 'USBKEY',
      VolumeSerialNumber: '9C5B21D7',
      Access: 0,
      ProviderName: null,
    },
    {
      DeviceID: 'F:',
      DriveType: 3,
      FileSystem: 'exFAT',
      Size: 2000153473024,
      FreeSpace: 1999983046656,
      VolumeName: '',
      VolumeSerialNumber: '0A0B0C0D',
      Access: 0,
      ProviderName: null,
    },
    {
      DeviceID: 'Z:',
      DriveType: 4,
      FileSystem: 'NTFS',
      Size: 1000,
      FreeSpace: 10,
      VolumeName: 'share',
      VolumeSerialNumber: '11112222',
      Access: 0,
      ProviderName: '\\\\nas\\share',
    },
  ],
});

test('lists drives with a medium; a disk on a cable can be unplugged, a share has no UUID', () => {
  const facts = parseVolumes(`\ufeff${output}\r\n`).map(({ mountPoint, device, name, uuid, isRemovable, isNetwork }) => [
    mountPoint,
    device,
    name,
    uuid,
    isRemovable,
    isNetwork,
  ]);
  expect(facts).toEqual([
    ['C:\\', 'C:', 'maicra', '3E1F5A02', false, false],
    ['E:\\', 'E:', 'USBKEY', '9C5B21D7', true, false],
    ['F:\\', 'F:', '', '0A0B0C0D', true, false],
    ['Z:\\', '\\\\nas\\share', 'share', undefined, false, true],
  ]);
  expect(parseVolumes(output)[0]!.space).toEqual({ capacityBytes: 510979805184, freeBytes: 46720376832 });
  expect(parseVolumes(output)[3]!.space).toBeUndefined();
});

test('finds a place again under another letter', async () => {
  const moved = new WindowsDrives(async () => output.replaceAll('E:', 'G:'));
  expect(await moved.locate({ uuid: '9C5B21D7', pathWithin: 'backups/laptop' })).toEqual(['G:\\backups\\laptop']);
});

test('a listing that fails, or is none, is an error, never an empty list', async () => {
  await expect(new WindowsDrives(async () => '').list()).rejects.toThrow('JSON');
  await expect(new WindowsDrives(async () => Promise.reject(new Error('Access denied'))).list()).rejects.toThrow('Access denied');
});

test('ejects, and says when the drive is still there', async () => {
  const stick = parseVolumes(output)[1]!;
  let script = '';
  await new WindowsDrives(async (text) => {
    script = text;
    return 'gone\r\n';
  }).eject(stick);
  expect(script).toContain("ParseName('E:')");
  await expect(new WindowsDrives(async () => 'busy\r\n').eject(stick)).rejects.toMatchObject({ code: 'drive-busy' });
  await expect(new WindowsDrives(async () => Promise.reject(new Error('no\nway'))).eject(stick)).rejects.toMatchObject({
    code: 'drive-not-ejected',
    context: { cause: 'no' },
  });
  await expect(new WindowsDrives(async () => 'gone').eject({ ...stick, mountPoint: "E'; Remove-Item C:\\" })).rejects.toMatchObject({
    code: 'drive-not-ejected',
  });
});
