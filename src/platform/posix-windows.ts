/**
 * {@link Posix} with what Node alone can do: for Windows, and for systems without an implementation of their own. The contracts are in
 * posix.ts. Windows' own attributes (creation time, file attributes, security descriptors) are no extended attributes and not here.
 */
import { fstatSync, fsyncSync, ftruncateSync, futimesSync, lutimesSync } from 'node:fs';
import { constants } from 'node:os';
import type { Posix } from './posix.ts';
import { PosixError } from './posix-error.ts';

const { EINVAL, ENOSYS, ENOTSUP } = constants.errno;

function withoutNul(path: Buffer, syscall: string): void {
  if (path.includes(0)) throw new PosixError(EINVAL, syscall, path);
}

export function createWindowsPosix(): Posix {
  return {
    listXattrs(path) {
      withoutNul(path, 'listxattr');
      return [];
    },

    getXattr(path) {
      withoutNul(path, 'getxattr');
      return undefined;
    },

    setXattr(path) {
      throw new PosixError(ENOTSUP, 'setxattr', path);
    },

    removeXattr(path) {
      throw new PosixError(ENOTSUP, 'removexattr', path);
    },

    setTimes(path, { atimeNs, mtimeNs }) {
      withoutNul(path, 'utimes');
      lutimesSync(path, decimalSeconds(atimeNs), decimalSeconds(mtimeNs));
    },

    setTimesOfOpen(fd, { atimeNs, mtimeNs }) {
      futimesSync(fd, decimalSeconds(atimeNs), decimalSeconds(mtimeNs));
    },

    makeFifo(path) {
      throw new PosixError(ENOSYS, 'mkfifo', path);
    },

    makeNode(path) {
      throw new PosixError(ENOSYS, 'mknod', path);
    },

    setIoPriority() {
      return false;
    },

    dropPageCache() {},

    fallocate(fd, length) {
      if (fstatSync(fd).size < length) ftruncateSync(fd, length);
      return true;
    },

    syncFileSystem(fd) {
      fsyncSync(fd);
    },

    tryLock() {
      return true;
    },
  };
}

/** As a string, because Node takes a negative number for "now" but a negative string as it is. */
function decimalSeconds(ns: bigint): string {
  const size = ns < 0n ? -ns : ns;
  const fraction = String(size % 1_000_000_000n).padStart(9, '0');
  return `${ns < 0n ? '-' : ''}${size / 1_000_000_000n}.${fraction}`;
}
