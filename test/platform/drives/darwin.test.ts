import { expect, test } from 'vitest';
import { DarwinDrives, parseDiskutil, parseMounts, type Run } from '../../../src/platform/drives/darwin.ts';

/** Recorded on several Macs (macOS 10.13 to 15) and shared in public bug reports; put together as of one. */
const mountOutput = `/dev/disk1s5s1 on / (apfs, sealed, local, read-only, journaled)
devfs on /dev (devfs, local, nobrowse)
/dev/disk1s4 on /System/Volumes/VM (apfs, local, noexec, journaled, noatime, nobrowse)
/dev/disk1s2 on /System/Volumes/Preboot (apfs, local, journaled, nobrowse)
/dev/disk1s1 on /System/Volumes/Data (apfs, local, journaled, nobrowse)
map auto_home on /System/Volumes/Data/home (autofs, automounted, nobrowse)
/dev/disk6s2 on /Volumes/WDUSBTEMP (ntfs, local, nodev, nosuid, read-only, noowners)
/dev/disk7s1 on /Volumes/on the (move) (hfs, local, journaled)
//me@nas.local/share on /Volumes/share (smbfs, nodev, nosuid, mounted by me)
`;

const diskutilOutput = `**********

   Device Identifier:         disk6
   Device Node:               /dev/disk6
   Whole:                     Yes
   Part of Whole:             disk6
   Volume Name:               Not applicable (no file system)
   Mounted:                   Not applicable (no file system)
   Protocol:                  USB
   Device Location:           External
   Removable Media:           Fixed

**********

   Device Identifier:         disk6s2
   Device Node:               /dev/disk6s2
   Whole:                     No
   Part of Whole:             disk6

   Volume Name:               WDUSBTEMP
   Mounted:                   Yes
   Mount Point:               /Volumes/WDUSBTEMP

   Partition Type:            Microsoft Basic Data
   File System Personality:   NTFS
   Type (Bundle):             ntfs
   Name (User Visible):       Windows NT File System (NTFS)

   OS Can Be Installed:       No
   Media Type:                Generic
   Protocol:                  USB
   SMART Status:              Not Supported
   Volume UUID:               FFCC5E90-000D-445B-B86C-9F8E5C3BC37E
   Disk / Partition UUID:     15ACC6E5-CBD6-4835-A1E0-D1D94A0E222F
   Partition Offset:          210763776 Bytes (411648 512-Byte-Device-Blocks)

   Disk Size:                 2.0 TB (2000153477120 Bytes) (exactly 3906549760 512-Byte-Units)
   Device Location:           External
   Removable Media:           Fixed

**********

   Device Identifier:         disk7s1
   Device Node:               /dev/disk7s1
   Volume Name:               on the (move): 1
   Mounted:                   Yes
   Volume UUID:               7F260B1D-6FE7-3D57-B214-752E66FB410D
   Device Location:           Internal
   Removable Media:           Removable

**********

   Device Identifier:         disk1s1
   Device Node:               /dev/disk1s1
   Volume Name:               Macintosh HD - Data
   Volume UUID:               6A801307-25F8-4385-A686-68D24546146F
   Device Location:           Internal
   Removable Media:           Fixed

**********

   Device Identifier:         disk1s5s1
   Device Node:               /dev/disk1s5s1
   Volume Name:               Macintosh HD
   Volume UUID:               0E239BC6-F960-3107-89CF-1C97F78BB46B
   Device Location:           Internal
   Removable Media:           Fixed

`;

const recorded: Run = async (program) => (program.endsWith('diskutil') ? diskutilOutput : mountOutput);

/** An error as execFile gives it. */
const failing =
  (stderr: string): Run =>
  async (program) =>
    program.endsWith('diskutil') ? Promise.reject(Object.assign(new Error('Command failed'), { stderr, stdout: '' })) : '';

test('reads what is mounted, whatever it is called', () => {
  expect(parseMounts(mountOutput).map(({ device, mountPoint, fileSystem }) => [device, mountPoint, fileSystem])).toEqual([
    ['/dev/disk1s5s1', '/', 'apfs'],
    ['devfs', '/dev', 'devfs'],
    ['/dev/disk1s4', '/System/Volumes/VM', 'apfs'],
    ['/dev/disk1s2', '/System/Volumes/Preboot', 'apfs'],
    ['/dev/disk1s1', '/System/Volumes/Data', 'apfs'],
    ['map auto_home', '/System/Volumes/Data/home', 'autofs'],
    ['/dev/disk6s2', '/Volumes/WDUSBTEMP', 'ntfs'],
    ['/dev/disk7s1', '/Volumes/on the (move)', 'hfs'],
    ['//me@nas.local/share', '/Volumes/share', 'smbfs'],
  ]);
});

test('reads what diskutil knows of each device, with values that hold colons', () => {
  const devices = parseDiskutil(diskutilOutput);
  expect([...devices.keys()]).toEqual(['/dev/disk6', '/dev/disk6s2', '/dev/disk7s1', '/dev/disk1s1', '/dev/disk1s5s1']);
  expect(devices.get('/dev/disk7s1')!.get('Volume Name')).toBe('on the (move): 1');
});

test('lists what the Finder shows, with names and UUIDs; a disk on a cable can be unplugged', async () => {
  const volumes = await new DarwinDrives(recorded).list();
  expect(volumes).toMatchObject([
    {
      mountPoint: '/',
      device: '/dev/disk1s5s1',
      name: 'Macintosh HD',
      fileSystem: 'apfs',
      uuid: '0E239BC6-F960-3107-89CF-1C97F78BB46B',
      isRemovable: false,
      isReadOnly: true,
      isNetwork: false,
    },
    {
      mountPoint: '/Volumes/WDUSBTEMP',
      device: '/dev/disk6s2',
      name: 'WDUSBTEMP',
      fileSystem: 'ntfs',
      uuid: 'FFCC5E90-000D-445B-B86C-9F8E5C3BC37E',
      isRemovable: true,
      isReadOnly: true,
      isNetwork: false,
    },
    {
      mountPoint: '/Volumes/on the (move)',
      device: '/dev/disk7s1',
      name: 'on the (move): 1',
      fileSystem: 'hfs',
      uuid: '7F260B1D-6FE7-3D57-B214-752E66FB410D',
      isRemovable: true,
      isReadOnly: false,
      isNetwork: false,
    },
    {
      mountPoint: '/Volumes/share',
      device: '//me@nas.local/share',
      name: '',
      fileSystem: 'smbfs',
      uuid: undefined,
      isRemovable: false,
      isReadOnly: false,
      isNetwork: true,
    },
  ]);
});

test('finds a place again, and tells the folder that a drive left behind', async () => {
  const drives = new DarwinDrives(recorded);
  const place = await drives.identify('/Volumes/WDUSBTEMP/backups/laptop');
  expect(place).toMatchObject({ volume: { name: 'WDUSBTEMP' }, pathWithin: 'backups/laptop' });
  expect(await drives.locate({ uuid: place.volume.uuid!, pathWithin: place.pathWithin })).toEqual(['/Volumes/WDUSBTEMP/backups/laptop']);
  expect(await drives.locate({ uuid: 'another', pathWithin: '' })).toEqual([]);
  expect(await drives.emptyMountPoint('/Volumes/WDUSBTEMP/x')).toBeUndefined();
  expect(await drives.emptyMountPoint('/Volumes/Gone/x')).toBe('/Volumes/Gone');
  expect(await drives.emptyMountPoint('/nowhere/at/all')).toBeUndefined();
});

test('what lies on the internal disk lies on its data volume, which outlives updates of the system', async () => {
  const drives = new DarwinDrives(recorded);
  const { volume, pathWithin } = await drives.identify('/nowhere/backups');
  expect({ name: volume.name, pathWithin }).toEqual({ name: 'Macintosh HD - Data', pathWithin: 'nowhere/backups' });
  expect(await drives.locate({ uuid: volume.uuid!, pathWithin })).toEqual(['/System/Volumes/Data/nowhere/backups']);
});

test('a listing that fails is an error, never an empty list', async () => {
  await expect(new DarwinDrives(failing('diskutil: gone')).list()).rejects.toThrow('Command failed');
});

test('ejects, and names who keeps the drive busy', async () => {
  const [, stick] = await new DarwinDrives(recorded).list();
  const calls: string[] = [];
  await new DarwinDrives(async (program, args) => {
    calls.push([program, ...args].join(' '));
    return '';
  }).eject(stick!);
  expect(calls).toEqual(['/bin/sync', '/usr/sbin/diskutil eject /Volumes/WDUSBTEMP']);
  const busy = failing('Volume failed to eject: dissented by PID 437 (/System/Library/Spotlight/mds)\n');
  await expect(new DarwinDrives(busy).eject(stick!)).rejects.toMatchObject({
    code: 'drive-busy',
    context: { programs: ['/System/Library/Spotlight/mds (437)'] },
  });
  const other = failing('Failed to find disk /Volumes/WDUSBTEMP\n');
  await expect(new DarwinDrives(other).eject(stick!)).rejects.toMatchObject({ code: 'drive-not-ejected' });
});
