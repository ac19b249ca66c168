/** Makes folders and what has no content. */
import { type BigIntStats, chmodSync, lstatSync, mkdirSync, symlinkSync } from 'node:fs';
import { getXattr, makeFifo, makeNode, removeXattr } from '../../platform/posix.ts';
import { type Node, unixMode } from '../../repository/tree/node.ts';

/** Makes a folder that only its owner may use for now. False when somebody else, perhaps another restore, has just made it. */
export function makeFolder(path: Buffer, inherits: boolean): boolean {
  try {
    mkdirSync(path, 0o700);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST' || !lstatSync(path).isDirectory()) throw error;
    return false;
  }
  if (inherits) for (const acl of acls) removeQuietly(path, acl);
  return true;
}

/** An attribute that the new folder did not inherit is not there either. */
function removeQuietly(path: Buffer, name: Buffer): void {
  try {
    removeXattr(path, name);
  } catch {
    // See above.
  }
}

const acls = [Buffer.from('system.posix_acl_default'), Buffer.from('system.posix_acl_access')];

/** Whether what is made in the folder inherits an ACL. */
export function hasDefaultAcl(path: Buffer): boolean {
  try {
    return getXattr(path, acls[0]) !== undefined;
  } catch {
    // What nobody can tell is not worth ending a restore.
    return false;
  }
}

/** Whether the folder's owner, who is not root, cannot work in it. */
export const isClosedToOwner = ({ mode }: BigIntStats): boolean => (Number(mode) & 0o700) !== 0o700;

/** Lets its owner work in such a folder. */
export function openForOwner(path: Buffer, { mode }: BigIntStats): void {
  chmodSync(path, (Number(mode) & 0o7777) | 0o700);
}

/** Makes an entry that has no content. */
export function makeSpecial(path: Buffer, node: Node): void {
  if (node.type === 'symlink') symlinkSync(node.linkTarget ?? Buffer.alloc(0), path);
  else if (node.type === 'fifo') makeFifo(path, 0o600);
  else makeNode(path, unixMode(node.mode, node.type), node.device);
}
