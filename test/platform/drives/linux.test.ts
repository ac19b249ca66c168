import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, mkdirSync, openSync, readFileSync, symlinkSync, writeFileSync, writeSync } from 'node:fs';
import { basename, join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { candidatesFor, liesOn } from '../../../src/platform/drives/drives.ts';
import { LinuxDrives } from '../../../src/platform/drives/linux.ts';
import { LinuxDevices, systemRoots } from '../../../src/platform/drives/linux-devices.ts';
import type { Volume } from '../../../src/platform/drives/volume.ts';
import { canMountDisks } from '../../support/disk.ts';
import { scratch, tree } from '../../support/tree-literal.ts';
import { makeDrive, mountPoints, must } from '../../support/volumes.ts';

const drives = new LinuxDrives();
const uuid = '0b9a6f3c-5d1e-4c7a-9a53-3f5c8f0f7e11';

const knowsBtrfs = process.platform === 'linux' && readFileSync('/proc/filesystems', 'latin1').includes('btrfs');

/** The listed volumes below a folder. */
const listedIn = async (folder: string): Promise<Volume[]> =>
  (await drives.list()).filter(({ mountPoint }) => mountPoint.startsWith(folder));

describe.skipIf(!canMountDisks)('a drive that is plugged in', () => {
  test('is listed with what a person knows it by', async () => {
    const parent = mountPoints();
    const disk = makeDrive('ext4', { label: 'Größe 密', uuid }).mount(join(parent, 'disk'));
    const other = makeDrive('ext4').mount(join(parent, 'other'), 'ro');
    const volumes = await listedIn(parent);
    const usual = { fileSystem: 'ext4', root: '/', isNetwork: false, isRemovable: false };
    expect(volumes).toMatchObject([
      { ...usual, mountPoint: disk, name: 'Größe 密', uuid, isReadOnly: false },
      { ...usual, mountPoint: other, name: '', isReadOnly: true },
    ]);
    expect(volumes[1]!.uuid).toMatch(/^[0-9a-f-]{36}$/);
    expect(volumes[0]!.device).toMatch(/^\/dev\/loop\d+$/);
    expect(volumes[0]!.space!.capacityBytes).toBeGreaterThan(3e6);
    expect(volumes[0]!.space!.capacityBytes).toBeLessThan(4 << 20);
  });

  test('tells how much is free, down to nothing', async () => {
    const parent = mountPoints();
    const disk = makeDrive('ext4').mount(join(parent, 'disk'));
    const before = (await listedIn(parent))[0]!.space!;
    expect(before.freeBytes).toBeLessThanOrEqual(before.capacityBytes);
    const fd = openSync(join(disk, 'filler'), 'w');
    for (const size of [1 << 16, 512])
      expect(() => {
        for (;;) writeSync(fd, Buffer.alloc(size));
      }).toThrow('ENOSPC');
    closeSync(fd);
    expect((await drives.space(disk)).freeBytes).toBe(0);
  });

  test.each(['with spaces', 'tab\there', 'new\nline', 'back\\slash\\040', 'Größe 密码 🙂', '#hash', '-o ro'])(
    'is found at a mount point called %j',
    async (name) => {
      const parent = mountPoints();
      const folder = makeDrive('ext4', { uuid }).mount(join(parent, name));
      expect((await listedIn(parent))[0]!.mountPoint).toBe(folder);
      expect(await drives.identify(join(folder, 'backup'))).toMatchObject({ volume: { uuid, mountPoint: folder }, pathWithin: 'backup' });
      expect(await drives.locate({ uuid, pathWithin: 'backup' })).toEqual([join(folder, 'backup')]);
      await drives.eject((await listedIn(parent))[0]!);
      expect(await listedIn(parent)).toEqual([]);
    },
  );

  test('is recognised at another mount point, and not while it is away', async () => {
    const parent = mountPoints();
    const drive = makeDrive('ext4', { uuid });
    const first = drive.mount(join(parent, 'first'));
    tree(join(first, 'backups/laptop'), { config: 'x' });
    const link = join(parent, 'link');
    symlinkSync(join(first, 'backups'), link);
    const { volume, pathWithin } = await drives.identify(join(link, 'laptop'));
    expect({ uuid: volume.uuid, pathWithin }).toEqual({ uuid, pathWithin: 'backups/laptop' });
    expect(await liesOn(drives, join(first, 'backups/laptop'), uuid)).toBe(true);
    must('umount', first);
    expect(await drives.locate({ uuid, pathWithin })).toEqual([]);
    // The stub: the folder is there, on the system's own disk.
    mkdirSync(join(first, 'backups/laptop'), { recursive: true });
    expect(await liesOn(drives, join(first, 'backups/laptop'), uuid)).toBe(false);
    expect(await liesOn(drives, join(first, 'not/there'), uuid)).toBe(false);
    const second = drive.mount(join(parent, 'second'));
    expect(await drives.locate({ uuid, pathWithin })).toEqual([join(second, 'backups/laptop')]);
  });

  test('is told from its clone by nothing: both are found', async () => {
    const parent = mountPoints();
    const drive = makeDrive('ext4', { uuid, label: 'original' });
    const clone = drive.clone();
    const [one, other] = [drive.mount(join(parent, 'one')), clone.mount(join(parent, 'other'))];
    expect((await listedIn(parent)).map((volume) => [volume.mountPoint, volume.uuid])).toEqual([
      [one, uuid],
      [other, uuid],
    ]);
    expect(await drives.locate({ uuid, pathWithin: 'x' })).toEqual([join(one, 'x'), join(other, 'x')]);
  });

  test('is away as soon as it is pulled out, even while something is still open on it', async () => {
    const parent = mountPoints();
    const folder = makeDrive('ext4', { uuid }).mount(join(parent, 'disk'));
    const fd = openSync(join(folder, 'open'), 'w');
    must('umount', '-l', folder);
    expect(await drives.locate({ uuid, pathWithin: '' })).toEqual([]);
    expect(await liesOn(drives, folder, uuid)).toBe(false);
    expect(await listedIn(parent)).toEqual([]);
    closeSync(fd);
  });

  test('whose device is gone, though still mounted, is away', async () => {
    const parent = mountPoints();
    const folder = makeDrive('ext4', { uuid }).mount(join(parent, 'disk'));
    const sys = scratch();
    const without = new LinuxDrives({ ...systemRoots, sys });
    expect(await without.locate({ uuid, pathWithin: '' })).toEqual([]);
    expect((await without.list()).map(({ mountPoint }) => mountPoint)).not.toContain(folder);
    const gone = await without.fingerprint();
    expect(gone).not.toBe(await drives.fingerprint());
    expect(gone).toBe(await without.fingerprint());
  });

  test('is one volume however often it is bound elsewhere', async () => {
    const parent = mountPoints();
    const folder = makeDrive('ext4', { uuid }).mount(join(parent, 'disk'));
    tree(folder, { backups: { laptop: {} }, other: {} });
    const bound = join(parent, 'bound');
    mkdirSync(bound);
    must('mount', '--bind', join(folder, 'backups'), bound);
    expect((await listedIn(parent)).map(({ mountPoint }) => mountPoint)).toEqual([folder]);
    expect(await drives.identify(join(bound, 'laptop'))).toMatchObject({
      volume: { uuid, root: '/backups' },
      pathWithin: 'backups/laptop',
    });
    expect(await drives.locate({ uuid, pathWithin: 'backups/laptop' })).toEqual([join(folder, 'backups/laptop'), join(bound, 'laptop')]);
    expect(await drives.locate({ uuid, pathWithin: 'backupsnot' })).toEqual([join(folder, 'backupsnot')]);
    must('umount', folder);
    expect(await drives.locate({ uuid, pathWithin: 'backups/laptop' })).toEqual([join(bound, 'laptop')]);
    expect(await drives.locate({ uuid, pathWithin: 'other' })).toEqual([]);
    expect((await listedIn(parent)).map(({ mountPoint, root }) => [mountPoint, root])).toEqual([[bound, '/backups']]);
  });

  test.skipIf(!knowsBtrfs)('is known with btrfs as well, whichever of its subvolumes is mounted', async () => {
    const parent = mountPoints();
    const drive = makeDrive('btrfs', { uuid, label: 'b trfs' });
    const whole = drive.mount(join(parent, 'whole'));
    must('btrfs', '-q', 'subvolume', 'create', join(whole, '@home'));
    must('umount', whole);
    const home = drive.mount(join(parent, 'home'), 'subvol=@home');
    expect(await listedIn(parent)).toMatchObject([{ mountPoint: home, root: '/@home', uuid, name: 'b trfs', fileSystem: 'btrfs' }]);
    const { volume, pathWithin } = await drives.identify(join(home, 'backup'));
    expect({ uuid: volume.uuid, pathWithin }).toEqual({ uuid, pathWithin: '@home/backup' });
    must('umount', home);
    drive.mount(whole);
    expect(await drives.locate({ uuid, pathWithin })).toEqual([join(whole, '@home/backup')]);
  });

  test('is not where another one is mounted over it', async () => {
    const parent = mountPoints();
    const folder = makeDrive('ext4', { uuid }).mount(join(parent, 'place/disk'));
    makeDrive('ext4').mount(join(parent, 'place'));
    mkdirSync(folder);
    expect(await drives.locate({ uuid, pathWithin: '' })).toEqual([]);
    expect((await drives.identify(folder)).volume.uuid).not.toBe(uuid);
    expect((await listedIn(parent)).map(({ mountPoint }) => mountPoint)).toEqual([join(parent, 'place')]);
  });

  test('that is a file for a container, or in memory, is no drive; a folder on an overlay lies on no volume that can be known', async () => {
    const parent = mountPoints();
    const folder = makeDrive('ext4', { uuid }).mount(join(parent, 'disk'));
    tree(folder, { lower: {}, upper: {}, work: {}, hosts: 'x' });
    const [file, over, memory] = ['hosts', 'over', 'memory'].map((name) => join(parent, name)) as [string, string, string];
    writeFileSync(file, '');
    for (const each of [over, memory]) mkdirSync(each);
    must('mount', '--bind', join(folder, 'hosts'), file);
    must('mount', '-t', 'overlay', 'overlay', '-o', `lowerdir=${folder}/lower,upperdir=${folder}/upper,workdir=${folder}/work`, over);
    must('mount', '-t', 'tmpfs', 'tmpfs', memory);
    expect((await listedIn(parent)).map(({ mountPoint }) => mountPoint)).toEqual([folder]);
    expect(await drives.identify(join(over, 'x'))).toMatchObject({ volume: { uuid: undefined, fileSystem: 'overlay' }, pathWithin: 'x' });
    expect((await drives.identify(memory)).volume).toMatchObject({ uuid: undefined, fileSystem: 'tmpfs' });
    expect(await liesOn(drives, join(over, 'x'), uuid)).toBe(false);
  });

  test('is never left by a path that climbs', async () => {
    const parent = mountPoints();
    const folder = makeDrive('ext4', { uuid }).mount(join(parent, 'disk'));
    expect(await drives.locate({ uuid, pathWithin: '../../etc' })).toEqual([join(folder, 'etc')]);
    for (const each of await candidatesFor(drives, { uuid, pathWithin: '../x' })) expect(each).not.toBe(join(parent, 'x'));
  });

  test('with another UUID is a candidate, too, after those with the right one', async () => {
    const parent = mountPoints();
    makeDrive('ext4').mount(join(parent, 'another'));
    makeDrive('ext4', { uuid }).mount(join(parent, 'right'));
    const candidates = await candidatesFor(drives, { uuid, pathWithin: 'backups' });
    expect(candidates[0]).toBe(join(parent, 'right/backups'));
    expect(candidates).toContain(join(parent, 'another/backups'));
    expect(new Set(candidates).size).toBe(candidates.length);
  });
});

// Not mounted, since not every kernel knows FAT.
test.skipIf(!canMountDisks)('a stick with FAT is known by its label and the number that it was given', async () => {
  const device = makeDrive('vfat', { label: 'MY STICK', uuid: '12AB-CD34' }).attach();
  const number = readFileSync(join('/sys/class/block', basename(device), 'dev'), 'latin1').trim();
  expect(await new LinuxDevices(systemRoots).facts(device, number)).toEqual({ name: 'MY STICK', uuid: '12AB-CD34', isRemovable: false });
});

describe.skipIf(!canMountDisks)('ejecting', () => {
  test('names the program that still uses the drive, and works when it has ended', async () => {
    const parent = mountPoints();
    const drive = makeDrive('ext4', { uuid });
    const folder = drive.mount(join(parent, 'disk'));
    writeFileSync(join(folder, 'a'), 'written');
    const user = spawn('sleep', ['1000'], { cwd: folder, stdio: 'ignore' });
    onTestFinished(() => void user.kill());
    await once(user, 'spawn');
    const [volume] = await listedIn(parent);
    await expect(drives.eject(volume!)).rejects.toMatchObject({ code: 'drive-busy', context: { programs: [`sleep (${user.pid})`] } });
    expect(readFileSync(join(folder, 'a'), 'utf8')).toBe('written');
    user.kill();
    await once(user, 'exit');
    await drives.eject(volume!);
    expect(await listedIn(parent)).toEqual([]);
    expect(readFileSync(join(drive.mount(folder), 'a'), 'utf8')).toBe('written');
  });

  test('what is not mounted any more is told', async () => {
    const parent = mountPoints();
    const folder = makeDrive('ext4').mount(join(parent, 'disk'));
    const [volume] = await listedIn(parent);
    must('umount', folder);
    await expect(drives.eject(volume!)).rejects.toMatchObject({ code: 'drive-not-ejected' });
  });
});

describe('a mount point at which nothing is mounted', () => {
  test('of the file system table is told, for paths that exist and such that do not', async () => {
    const root = scratch();
    mkdirSync(join(root, 'my disk/backup'), { recursive: true });
    const fstab = join(root, 'fstab');
    writeFileSync(fstab, `# comment\nUUID=x ${root}/my\\040disk ext4 noauto 0 0\nUUID=y / ext4 defaults 0 1\nUUID=z none swap sw 0 0\n`);
    const table = new LinuxDrives({ ...systemRoots, fstab });
    for (const below of ['my disk', 'my disk/backup', 'my disk/new/one'])
      expect(await table.emptyMountPoint(join(root, below))).toBe(join(root, 'my disk'));
    expect(await table.emptyMountPoint(join(root, 'my disk 2'))).toBeUndefined();
    expect(await table.emptyMountPoint('/')).toBeUndefined();
  });

  test('of a desktop is told while the drive is away', async () => {
    expect(await drives.emptyMountPoint('/media/somebody/My Disk/backup')).toBe('/media/somebody/My Disk');
    expect(await drives.emptyMountPoint('/run/media/somebody/My Disk')).toBe('/run/media/somebody/My Disk');
    expect(await drives.emptyMountPoint('/media/somebody')).toBeUndefined();
    expect(await drives.emptyMountPoint('/home/somebody/media/a/b')).toBeUndefined();
  });

  test.skipIf(!canMountDisks)('is none when the drive is there', async () => {
    const parent = mountPoints();
    const folder = makeDrive('ext4').mount(join(parent, 'disk'));
    const fstab = join(parent, 'fstab');
    writeFileSync(fstab, `UUID=x ${folder} ext4 noauto 0 0\n`);
    const table = new LinuxDrives({ ...systemRoots, fstab });
    expect(await table.emptyMountPoint(join(folder, 'a/b'))).toBeUndefined();
    must('umount', folder);
    expect(await table.emptyMountPoint(join(folder, 'a/b'))).toBe(folder);
  });
});

describe('what the kernel and udev say of a device', () => {
  /** As /proc, /sys and /run/udev show a USB disk, a memory card, an encrypted disk on a USB cable, and an internal one. */
  function recorded(): LinuxDevices {
    const root = scratch();
    const devices = 'sys/devices/pci0000:00/0000:00:14.0';
    const usb = `${devices}/usb2/2-1/2-1:1.0/host6/target6:0:0/6:0:0:0/block/sdb`;
    const put = (path: string, text: string): void => {
      mkdirSync(join(root, path, '..'), { recursive: true });
      writeFileSync(join(root, path), text);
    };
    put(`${usb}/removable`, '0\n');
    put(`${usb}/sdb1/dev`, '8:17\n');
    put('sys/devices/platform/mmc_host/mmc0/mmc0:1/block/mmcblk0/removable', '0\n');
    put('sys/devices/platform/mmc_host/mmc0/mmc0:1/block/mmcblk0/mmcblk0p1/dev', '179:1\n');
    put('sys/devices/pci0000:00/ata1/host0/block/sda/removable', '0\n');
    put('sys/devices/pci0000:00/ata1/host0/block/sda/sda1/dev', '8:1\n');
    put('sys/devices/pci0000:00/ata1/host0/block/sr0/removable', '1\n');
    put('sys/devices/virtual/block/dm-0/dm/name', 'luks\n');
    mkdirSync(join(root, 'sys/devices/virtual/block/dm-0/slaves'));
    mkdirSync(join(root, 'sys/dev/block'), { recursive: true });
    symlinkSync(join(root, usb, 'sdb1'), join(root, 'sys/devices/virtual/block/dm-0/slaves/sdb1'));
    const link = (number: string, target: string): void =>
      symlinkSync(`../../${target.replace(/^sys\//, '')}`, join(root, 'sys/dev/block', number));
    link('8:17', `${usb}/sdb1`);
    link('179:1', 'sys/devices/platform/mmc_host/mmc0/mmc0:1/block/mmcblk0/mmcblk0p1');
    link('8:1', 'sys/devices/pci0000:00/ata1/host0/block/sda/sda1');
    link('11:0', 'sys/devices/pci0000:00/ata1/host0/block/sr0');
    link('253:0', 'sys/devices/virtual/block/dm-0');
    put(
      'run/data/b8:17',
      'S:disk/by-uuid/x\nI:1\nE:ID_FS_LABEL=My_Disk\nE:ID_FS_LABEL_ENC=My\\x20Disk\\x20Größe\nE:ID_FS_UUID=1C08-7F52\nE:ID_FS_UUID_ENC=1C08-7F52\nE:ID_FS_TYPE=exfat\n',
    );
    put('run/data/b8:1', `E:ID_FS_UUID=${uuid}\nE:ID_FS_TYPE=ext4\n`);
    return new LinuxDevices({ ...systemRoots, sys: join(root, 'sys'), udev: join(root, 'run') });
  }

  test('gives label, UUID, and whether it can be unplugged', async () => {
    const devices = recorded();
    const facts = (number: string) => devices.facts('/nowhere/at/all', number);
    expect(await facts('8:17')).toEqual({ name: 'My Disk Größe', uuid: '1C08-7F52', isRemovable: true });
    expect(await facts('179:1')).toEqual({ name: '', uuid: undefined, isRemovable: true });
    expect(await facts('8:1')).toEqual({ name: '', uuid, isRemovable: false });
    expect(await facts('11:0')).toEqual({ name: '', uuid: undefined, isRemovable: true });
    // Encrypted, on the disk with the cable.
    expect(await facts('253:0')).toEqual({ name: '', uuid: undefined, isRemovable: true });
    expect(await facts('9:9')).toEqual({ name: '', uuid: undefined, isRemovable: false });
  });

  test('says whether a device is still there', async () => {
    const devices = recorded();
    const isThere = (device: string, source: string, fileSystem: string) => devices.isThere({ device, source, fileSystem });
    expect(await isThere('8:17', '/dev/sdb1', 'vfat')).toBe(true);
    expect(await isThere('8:33', '/dev/sdc1', 'vfat')).toBe(false);
    // These numbers stand for no device.
    expect(await isThere('0:58', 'nas:/export', 'nfs4')).toBe(true);
    expect(await isThere('0:26', '/dev/null', 'btrfs')).toBe(true);
    expect(await isThere('0:26', '/dev/nowhere', 'btrfs')).toBe(false);
  });
});
