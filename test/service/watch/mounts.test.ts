import { describe, expect, test } from 'vitest';
import { mountOf, parseMounts, systemMounts, watchingOf } from '../../../src/service/watch/mounts.ts';

const text = `22 27 0:21 / /proc rw,relatime - proc proc rw
27 1 254:1 / / rw,relatime shared:1 - ext4 /dev/vda1 rw
40 27 0:40 / /media/u/My\\040Disk rw,nosuid shared:2 master:3 - fuse.sshfs u@host:/ rw
41 27 0:41 / /mnt rw - nfs4 host:/x rw
42 41 0:42 / /mnt rw - tmpfs tmpfs rw
broken line
`;

describe('mounts', () => {
  test.each([
    ['/home/u', 'ext4'],
    ['/media/u/My Disk/photos', 'fuse.sshfs'],
    ['/media/u/My Disk', 'fuse.sshfs'],
    ['/media/u/My Disks', 'ext4'],
    ['/mnt/a', 'tmpfs'],
    ['/proc/1', 'proc'],
  ])('%s is on %s', (path, type) => {
    expect(mountOf(parseMounts(text), path)?.type).toBe(type);
  });

  test.each([
    ['ext4', 'watch'],
    ['btrfs', 'watch'],
    ['overlay', 'watch'],
    ['fuseblk', 'watch'],
    ['fuse.gocryptfs', 'watch'],
    ['nfs', 'poll'],
    ['nfs4', 'poll'],
    ['cifs', 'poll'],
    ['smb3', 'poll'],
    ['9p', 'poll'],
    ['fuse.rclone', 'poll'],
    ['proc', 'ignore'],
    ['cgroup2', 'ignore'],
  ])('of the type %s: %s', (type, expected) => {
    expect(watchingOf(type)).toBe(expected);
  });

  test('of this system can be read', () => {
    expect(mountOf(parseMounts(systemMounts()), '/proc/self')?.type).toBe('proc');
  });
});
