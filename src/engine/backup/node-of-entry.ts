/** The node of a file system entry as it is now, without content and subtree. */
import { type BigIntStats, readlinkSync } from 'node:fs';
import { getXattr, listXattrs } from '../../platform/posix.ts';
import type { UserNames } from '../../platform/users.ts';
import { type ExtendedAttribute, goMode, type Node, nodeType } from '../../repository/tree/node.ts';

const none: readonly ExtendedAttribute[] = [];

/**
 * `path` is where the entry is, `name` what it is called in its tree, `stat` what `lstat` said of it (for a folder above a
 * source: `stat`). Reads the link's target and, unless told not to, the extended attributes, ACLs among them; throws what the
 * system does.
 */
export function nodeOfEntry(path: Buffer, name: Buffer, stat: BigIntStats, users: UserNames, withXattrs = true): Node {
  const mode = Number(stat.mode);
  const type = nodeType(mode);
  const uid = Number(stat.uid);
  const gid = Number(stat.gid);
  const isDevice = type === 'dev' || type === 'chardev';
  return {
    name,
    type,
    mode: goMode(mode),
    mtimeNs: stat.mtimeNs,
    // restic's default: the access time is not kept, so that reading a file does not change its folder's tree.
    atimeNs: stat.mtimeNs,
    ctimeNs: stat.ctimeNs,
    uid,
    gid,
    user: users.userName(uid),
    group: users.groupName(gid),
    inode: stat.ino,
    deviceId: stat.dev,
    size: type === 'file' ? Number(stat.size) : 0,
    links: type === 'file' || type === 'symlink' || isDevice ? Number(stat.nlink) : 0,
    linkTarget: type === 'symlink' ? readlinkSync(path, { encoding: 'buffer' }) : undefined,
    xattrs: withXattrs ? readXattrs(path) : none,
    genericAttributes: undefined,
    device: isDevice ? stat.rdev : 0n,
    content: null,
    subtree: null,
    error: undefined,
  };
}

function readXattrs(path: Buffer): readonly ExtendedAttribute[] {
  const names = listXattrs(path);
  if (names.length === 0) return none;
  const found: ExtendedAttribute[] = [];
  for (const name of names) {
    // An attribute that vanished since the listing is not there any more.
    const value = getXattr(path, name);
    if (value) found.push({ name, value });
  }
  return found;
}
