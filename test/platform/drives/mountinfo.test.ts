import { expect, test } from 'vitest';
import { parseMountinfo } from '../../../src/platform/drives/mountinfo.ts';

const parse = (text: string) => parseMountinfo(Buffer.from(text));

test('reads the mounts of a desktop: subvolumes, a USB stick, shares, and what programs mount', () => {
  const text = String.raw`29 1 0:26 /@ / rw,relatime shared:1 - btrfs /dev/mapper/luks-root rw,ssd,space_cache=v2,subvolid=256,subvol=/@
92 29 0:26 /@home /home rw,relatime shared:47 - btrfs /dev/mapper/luks-root rw,ssd,subvol=/@home
512 29 8:17 / /run/media/me/My\040Stick rw,nosuid,nodev,relatime shared:283 - vfat /dev/sdb1 rw,uid=1000,errors=remount-ro
530 29 0:58 / /mnt/nas rw,relatime shared:290 - nfs4 nas.lan:/export/a\040b rw,vers=4.2,addr=192.0.2.7
531 29 0:59 / /mnt/no\134thing\012new ro,relatime - cifs //nas/share rw,vers=3.1.1
540 29 7:3 / /snap/core/1 ro,nodev,relatime shared:5 master:1 propagate_from:2 - squashfs /dev/loop3 ro,errors=continue
`;
  expect(parse(text)).toEqual([
    { id: 29, device: '0:26', root: '/@', mountPoint: '/', fileSystem: 'btrfs', source: '/dev/mapper/luks-root', isReadOnly: false },
    {
      id: 92,
      device: '0:26',
      root: '/@home',
      mountPoint: '/home',
      fileSystem: 'btrfs',
      source: '/dev/mapper/luks-root',
      isReadOnly: false,
    },
    {
      id: 512,
      device: '8:17',
      root: '/',
      mountPoint: '/run/media/me/My Stick',
      fileSystem: 'vfat',
      source: '/dev/sdb1',
      isReadOnly: false,
    },
    { id: 530, device: '0:58', root: '/', mountPoint: '/mnt/nas', fileSystem: 'nfs4', source: 'nas.lan:/export/a b', isReadOnly: false },
    { id: 531, device: '0:59', root: '/', mountPoint: '/mnt/no\\thing\nnew', fileSystem: 'cifs', source: '//nas/share', isReadOnly: true },
    { id: 540, device: '7:3', root: '/', mountPoint: '/snap/core/1', fileSystem: 'squashfs', source: '/dev/loop3', isReadOnly: true },
  ]);
});

test('a file system that became read-only is told from a mount that is', () => {
  expect(parse('1 0 8:1 / / rw - ext4 /dev/sda1 ro,errors=remount-ro\n')[0]!.isReadOnly).toBe(true);
  expect(parse('1 0 8:1 / / rw - ext4 /dev/sda1 rw,errors=remount-ro\n')[0]!.isReadOnly).toBe(false);
});

test('names in UTF-8 are kept, others are left out, and so is what is no line of it', () => {
  const bytes = Buffer.concat([
    Buffer.from('1 0 8:1 / /media/Größe\\040密 rw - ext4 /dev/sda1 rw\n'),
    Buffer.from('2 0 8:2 / /media/\xff rw - ext4 /dev/sda2 rw\nnonsense\n3 0 8:3 / /x rw - ext4\n\n', 'latin1'),
  ]);
  expect(parseMountinfo(bytes).map(({ mountPoint }) => mountPoint)).toEqual(['/media/Größe 密']);
});
