/** Whether what is at a path is still what was there before. */
import { lstatSync, type Stats } from 'node:fs';

/** Undefined when nothing is there, or nobody may look. */
export function statOf(path: Buffer): Stats | undefined {
  try {
    return lstatSync(path, { throwIfNoEntry: false });
  } catch {
    return undefined;
  }
}

/**
 * Empty for what is not there. A number of an inode is used again soon after the inode is gone, so that it alone says little; what is no
 * folder has another identity after each change.
 */
export function identityOf(stat: Stats | undefined): string {
  if (stat === undefined) return '';
  const { dev, ino, size, mtimeMs, ctimeMs, birthtimeMs } = stat;
  if (!stat.isDirectory()) return `file ${dev} ${ino} ${size} ${mtimeMs} ${ctimeMs}`;
  // Node gives the time of the last change where the file system does not know that of birth.
  return `folder ${dev} ${ino} ${birthtimeMs === ctimeMs ? '' : birthtimeMs}`;
}

/** A folder whose time of birth is known only once is the same. */
export const isSame = (a: string, b: string): boolean =>
  a === b || (/^folder .* $/.test(a) && b.startsWith(a)) || (/^folder .* $/.test(b) && a.startsWith(b));
