/** Gives a restored entry the owner, mode, extended attributes and times of its node. */
import { type BigIntStats, chmodSync, fchmodSync, fchownSync, lchownSync } from 'node:fs';
import { getXattr, listXattrs, removeXattr, setTimes, setTimesOfOpen, setXattr } from '../../platform/posix.ts';
import { type ExtendedAttribute, type Node, unixMode } from '../../repository/tree/node.ts';

const ownUid = process.getuid?.();
const isRoot = ownUid === 0;
/** Groups that this user may give files to. */
const ownGroups: ReadonlySet<number> = new Set(process.getgroups?.());

const S_ISUID = 0o4000;
const S_ISGID = 0o2000;

/** What applies to an entry's properties. */
export type Described = Pick<Node, 'type' | 'mode' | 'uid' | 'gid' | 'xattrs' | 'atimeNs' | 'mtimeNs'>;

/** What could not be set, in words. */
export type MetadataProblems = string[];

/**
 * Sets everything that the system lets this user set, times last. `existing` is what `lstat` said of an entry that was there
 * before: what is right already is left alone, so that the entry does not look changed, and foreign attributes go. `true`
 * stands for an entry that was just made where it may have inherited some. Only root can give files away: anybody else's
 * files stay their own (and in their groups), which is no problem to report, as with every archiver. `fd` is the entry when it
 * is open, which saves looking it up again and again.
 */
export function applyMetadata(path: Buffer, node: Described, existing: BigIntStats | boolean, fd?: number): MetadataProblems {
  const problems: MetadataProblems = [];
  const attempt = (what: string, act: () => void): void => {
    try {
      act();
    } catch (error) {
      problems.push(`${what}: ${(error as Error).message}`);
    }
  };
  const stat = typeof existing === 'object' ? existing : undefined;
  const mode = modeFor(node);
  const hasOwner = stat && hasOwnerOf(stat, node);
  let hasMode = stat && (node.type === 'symlink' || (Number(stat.mode) & 0o7777) === mode);
  // Ownership first: giving a file away clears setuid and capabilities.
  if (!hasOwner && isRoot) {
    attempt('owner', () => (fd === undefined ? lchownSync(path, node.uid, node.gid) : fchownSync(fd, node.uid, node.gid)));
    hasMode = false;
  } else if (!hasOwner && ownGroups.has(node.gid)) {
    chgrpQuietly(path, node.gid);
    hasMode = false;
  }
  // An attribute of the user can be written only while the file can be; ACLs and the system's own may come after the mode.
  if (stat?.isFile() && !isRoot && (Number(stat.mode) & 0o200) === 0 && (node.xattrs.length > 0 || listXattrs(path).length > 0)) {
    attempt('mode', () => chmodSync(path, 0o600));
    hasMode = false;
  }
  const wanted = existing === false ? node.xattrs : missingXattrs(path, node, attempt);
  const set = ({ name, value }: ExtendedAttribute): void =>
    attempt(`attribute ${name.toString()}`, () => setXattr(path, name, value ?? empty));
  for (const attribute of wanted) if (isUsers(attribute.name)) set(attribute);
  if (node.type !== 'symlink' && !hasMode) attempt('mode', () => (fd === undefined ? chmodSync(path, mode) : fchmodSync(fd, mode)));
  for (const attribute of wanted) if (!isUsers(attribute.name)) set(attribute);
  if (!hasOwner || !hasMode || wanted.length > 0 || stat?.mtimeNs !== node.mtimeNs) {
    const times = { atimeNs: node.atimeNs, mtimeNs: node.mtimeNs };
    attempt('times', () => (fd === undefined ? setTimes(path, times) : setTimesOfOpen(fd, times, path)));
  }
  return problems;
}

/** Whether an existing entry has all that {@link applyMetadata} would set; false when nobody can tell. */
export function hasMetadata(path: Buffer, node: Described, stat: BigIntStats): boolean {
  if (!hasOwnerOf(stat, node) || stat.mtimeNs !== node.mtimeNs) return false;
  if (node.type !== 'symlink' && (Number(stat.mode) & 0o7777) !== modeFor(node)) return false;
  try {
    const names = listXattrs(path).filter((name) => !systems.includes(name.toString()));
    return (
      names.length === node.xattrs.filter(({ name }) => !systems.includes(name.toString())).length &&
      node.xattrs.every(({ name, value }) => getXattr(path, name)?.equals(value ?? empty) === true)
    );
  } catch {
    return false;
  }
}

/** Whether the owner is right already, as far as this user can set it. */
function hasOwnerOf(stat: BigIntStats, node: Described): boolean {
  const sameGroup = Number(stat.gid) === node.gid;
  return isRoot ? Number(stat.uid) === node.uid && sameGroup : sameGroup || !ownGroups.has(node.gid);
}

/** The node's permission bits, as far as this user may give them. */
function modeFor(node: Described): number {
  const mode = unixMode(node.mode, node.type) & 0o7777;
  if (isRoot || node.type === 'dir') return mode;
  // A program that ran as its owner must not run as whoever restores it; `cp -p` does the same.
  return mode & ~((node.uid === ownUid ? 0 : S_ISUID) | (ownGroups.has(node.gid) ? 0 : S_ISGID));
}

/** That somebody else's file stays in its group is no problem either. */
function chgrpQuietly(path: Buffer, gid: number): void {
  try {
    lchownSync(path, -1, gid);
  } catch {
    // See above.
  }
}

const empty = Buffer.alloc(0);
const users = Buffer.from('user.');

const isUsers = (name: Buffer): boolean => name.subarray(0, users.length).equals(users);

/** Security labels belong to the system that the entry is on, not to what was backed up. */
const systems = ['security.selinux', 'security.ima', 'security.evm', 'com.apple.provenance'];

/** Removes what the node does not have and returns what the entry does not have yet. */
function missingXattrs(path: Buffer, node: Described, attempt: (what: string, act: () => void) => void): readonly ExtendedAttribute[] {
  const had = new Set<ExtendedAttribute>();
  attempt('extended attributes', () => {
    for (const name of listXattrs(path)) {
      const wanted = node.xattrs.find((attribute) => attribute.name.equals(name));
      if (!wanted && !systems.includes(name.toString())) removeXattr(path, name);
      else if (wanted && getXattr(path, name)?.equals(wanted.value ?? empty)) had.add(wanted);
    }
  });
  return had.size === 0 ? node.xattrs : node.xattrs.filter((attribute) => !had.has(attribute));
}
