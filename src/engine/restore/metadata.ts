/** Gives a restored entry the owner, mode, extended attributes and times of its node. */
import { chmodSync, lchownSync } from 'node:fs';
import { setTimes, setXattr, listXattrs, removeXattr } from '../../platform/posix.ts';
import { type Node, unixMode } from '../../repository/tree/node.ts';

const isRoot = process.getuid?.() === 0;

/** What could not be set, in words. */
export type MetadataProblems = string[];

/**
 * Sets everything that the system lets this user set, times last. `isNew` says that the entry was just made, so that it has
 * no attributes that must go. Only root can give files away: anybody else's files stay their own, which is no problem to
 * report, as with every archiver.
 */
export function applyMetadata(path: Buffer, node: Node, isNew: boolean): MetadataProblems {
  const problems: MetadataProblems = [];
  const attempt = (what: string, act: () => void): void => {
    try {
      act();
    } catch (error) {
      problems.push(`${what}: ${(error as Error).message}`);
    }
  };
  // Ownership first: giving a file away clears setuid and capabilities.
  if (isRoot) attempt('owner', () => lchownSync(path, node.uid, node.gid));
  // An attribute of the user can be written only while the file can be; ACLs and the system's own may come after the mode.
  if (!isNew) attempt('extended attributes', () => removeForeign(path, node));
  for (const { name, value } of node.xattrs) if (isUsers(name)) attempt(`attribute ${name.toString()}`, () => setXattr(path, name, value ?? empty));
  if (node.type !== 'symlink') attempt('mode', () => chmodSync(path, unixMode(node.mode, node.type) & 0o7777));
  for (const { name, value } of node.xattrs) if (!isUsers(name)) attempt(`attribute ${name.toString()}`, () => setXattr(path, name, value ?? empty));
  attempt('times', () => setTimes(path, { atimeNs: node.atimeNs, mtimeNs: node.mtimeNs }));
  return problems;
}

const empty = Buffer.alloc(0);
const users = Buffer.from('user.');

const isUsers = (name: Buffer): boolean => name.subarray(0, users.length).equals(users);

/** Security labels belong to the system that the entry is on, not to what was backed up. */
const systems = ['security.selinux', 'security.ima', 'security.evm', 'com.apple.provenance'];

function removeForeign(path: Buffer, node: Node): void {
  for (const name of listXattrs(path)) {
    if (node.xattrs.some((wanted) => wanted.name.equals(name)) || systems.includes(name.toString())) continue;
    removeXattr(path, name);
  }
}
