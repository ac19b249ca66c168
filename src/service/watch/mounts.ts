/** What is mounted where (Linux), as far as it decides how a folder can be watched. */
import { readFileSync } from 'node:fs';
import { parseMountinfo } from '../../platform/drives/mountinfo.ts';

export interface Mount {
  /** Absolute, its bytes as latin1. */
  readonly path: string;
  /** As the kernel calls it: ext4, nfs4, fuse.sshfs. */
  readonly type: string;
  /** Differs between two mounts, also of the same place one after the other. */
  readonly id: string;
}

/** The mounts of this process; empty on systems that do not tell. */
export function systemMounts(): string {
  try {
    return readFileSync('/proc/self/mountinfo', 'latin1');
  } catch {
    return '';
  }
}

/** @param text of /proc/PID/mountinfo, its bytes as latin1 */
export const parseMounts = (text: string): Mount[] =>
  parseMountinfo(Buffer.from(text, 'latin1')).map(({ id, device, root, mountPoint, fileSystem }) => ({
    path: Buffer.from(mountPoint).toString('latin1'),
    type: fileSystem,
    id: `${id} ${device} ${root}`,
  }));

export const isWithin = (path: string, folder: string): boolean => path === folder || folder === '/' || path.startsWith(`${folder}/`);

/** The mount that `path` is on: the last of those with the longest path, since it lies over the others. */
export function mountOf(mounts: readonly Mount[], path: string): Mount | undefined {
  let best: Mount | undefined;
  for (const mount of mounts) {
    if (isWithin(path, mount.path) && (best === undefined || mount.path.length >= best.path.length)) best = mount;
  }
  return best;
}

/** Others change their files without this kernel's knowledge; it tells only what this computer does there. */
const unwatchable =
  /^(?:nfs\d?|cifs|smb\d?|smbfs|ncpfs|afs|coda|ceph|glusterfs|lustre|gpfs|ocfs2|gfs2|9p|virtiofs|vboxsf|vmhgfs|prl_fs|davfs|fuse\..*|fuse)$/;

/** Made of no files that anyone would back up, and always changing. */
const virtual =
  /^(?:proc|sysfs|devtmpfs|devpts|cgroup2?|securityfs|debugfs|tracefs|pstore|bpf|configfs|mqueue|hugetlbfs|autofs|binfmt_misc|efivarfs|rpc_pipefs|nsfs)$/;

export type Watching = 'watch' | 'poll' | 'ignore';

/** FUSE file systems that hold a local disk tell of all changes, since they all go through this computer. */
const localFuse = /^fuse(?:blk|\.(?:ntfs|ntfs-3g|exfat|encfs|gocryptfs|cryfs|lxcfs|mergerfs|bindfs|ext2|fuse-overlayfs))$/;

export function watchingOf(type: string): Watching {
  if (virtual.test(type)) return 'ignore';
  return unwatchable.test(type) && !localFuse.test(type) ? 'poll' : 'watch';
}
