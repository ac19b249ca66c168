/** {@link Posix} on macOS 10.13 and later. The contracts are in posix.ts; numbers are from the macOS SDK's headers. */
import { fstatSync, fsyncSync, ftruncateSync } from 'node:fs';
import { constants } from 'node:os';
import { CBuffer, type CLibrary, CString, CTimes, openCLibrary } from './c-library.ts';
import type { IoPriorityClass, Posix } from './posix.ts';
import { PosixError } from './posix-error.ts';

const { EINTR, EINVAL, ENOTSUP, ENOSYS, ERANGE, EWOULDBLOCK } = constants.errno;
/** sys/errno.h: attribute not found. Node has no constant for it. */
const ENOATTR = 93;

// sys/fcntl.h
const AT_FDCWD = -2;
const AT_SYMLINK_NOFOLLOW = 0x20;
const F_PREALLOCATE = 42;
const F_NOCACHE = 48;
const F_ALLOCATEALL = 4;
const F_PEOFPOSMODE = 3;

// sys/file.h
const LOCK_EX = 2;
const LOCK_NB = 4;

// sys/xattr.h
const XATTR_NOFOLLOW = 1;

// sys/resource.h
const IOPOL_TYPE_DISK = 0;
const IOPOL_SCOPE_THREAD = 1;
const ioPolicies: Record<IoPriorityClass, number> = { realtime: 1, 'best-effort': 5, idle: 3 };

const pathMax = 1024;
/** XATTR_MAXNAMELEN + 1. */
const nameMax = 128;
const xattrStart = 65536;

/** `struct fstore`: flags and position mode (32 bits each), offset, length, bytes allocated (64 bits each). */
const fstoreSize = 32;

export function createDarwinPosix(c: CLibrary = openCLibrary()): Posix {
  const listxattr = c.func('listxattr', 'intptr_t', ['uintptr_t', 'uintptr_t', 'size_t', 'int']);
  const getxattr = c.func('getxattr', 'intptr_t', ['uintptr_t', 'uintptr_t', 'uintptr_t', 'size_t', 'uint', 'int']);
  const setxattr = c.func('setxattr', 'int', ['uintptr_t', 'uintptr_t', 'void *', 'size_t', 'uint', 'int']);
  const removexattr = c.func('removexattr', 'int', ['uintptr_t', 'uintptr_t', 'int']);
  const utimensat = c.func('utimensat', 'int', ['int', 'uintptr_t', 'uintptr_t', 'int']);
  const futimens = c.func('futimens', 'int', ['int', 'uintptr_t']);
  const mkfifo = c.func('mkfifo', 'int', ['uintptr_t', 'uint16_t']);
  const mknod = c.func('mknod', 'int', ['uintptr_t', 'uint16_t', 'int']);
  const setiopolicy = c.func('setiopolicy_np', 'int', ['int', 'int', 'int']);
  // Variadic, which on Apple silicon is another way of passing arguments.
  const fcntl = c.func('fcntl', 'int', ['int', 'int', '...']);
  const sync = c.func('sync', 'void', []);
  const flock = c.func('flock', 'int', ['int', 'int']);

  const pathString = new CString(c, pathMax);
  const nameString = new CString(c, nameMax);
  const found = new CBuffer(c, xattrStart);
  const cTimes = new CTimes(c);
  const fstore = c.memory(fstoreSize);

  return {
    listXattrs(path) {
      const cPath = pathString.put(path, 'listxattr', path);
      for (;;) {
        const length = listxattr(cPath, found.address, found.size, XATTR_NOFOLLOW);
        if (length === 0) return [];
        if (length > 0) return found.copyStrings(length);
        const error = c.errno();
        if (error === ENOTSUP || error === ENOATTR) return [];
        if (error !== ERANGE) throw new PosixError(error, 'listxattr', path);
        found.grow(2 * found.size);
      }
    },

    getXattr(path, name) {
      const cPath = pathString.put(path, 'getxattr', path);
      const cName = nameString.put(name, 'getxattr', path);
      for (;;) {
        const length = getxattr(cPath, cName, found.address, found.size, 0, XATTR_NOFOLLOW);
        if (length >= 0) return found.copy(length);
        const error = c.errno();
        if (error === ENOATTR || error === ENOTSUP) return undefined;
        if (error !== ERANGE) throw new PosixError(error, 'getxattr', path);
        // Resource forks reach gigabytes: ask for the size instead of doubling towards it.
        found.grow(Math.max(2 * found.size, getxattr(cPath, cName, 0, 0, 0, XATTR_NOFOLLOW)));
      }
    },

    setXattr(path, name, value) {
      const cPath = pathString.put(path, 'setxattr', path);
      const cName = nameString.put(name, 'setxattr', path);
      if (setxattr(cPath, cName, value, value.length, 0, XATTR_NOFOLLOW) !== 0) throw new PosixError(c.errno(), 'setxattr', path);
    },

    removeXattr(path, name) {
      const cPath = pathString.put(path, 'removexattr', path);
      const cName = nameString.put(name, 'removexattr', path);
      if (removexattr(cPath, cName, XATTR_NOFOLLOW) !== 0) throw new PosixError(c.errno(), 'removexattr', path);
    },

    setTimes(path, { atimeNs, mtimeNs }) {
      const cPath = pathString.put(path, 'utimensat', path);
      const times = cTimes.put(atimeNs, mtimeNs, path);
      if (utimensat(AT_FDCWD, cPath, times, AT_SYMLINK_NOFOLLOW) !== 0) throw new PosixError(c.errno(), 'utimensat', path);
    },

    setTimesOfOpen(fd, { atimeNs, mtimeNs }, path) {
      if (futimens(fd, cTimes.put(atimeNs, mtimeNs, path)) !== 0) throw new PosixError(c.errno(), 'futimens', path);
    },

    makeFifo(path, mode) {
      if (mkfifo(pathString.put(path, 'mkfifo', path), mode) !== 0) throw new PosixError(c.errno(), 'mkfifo', path);
    },

    makeNode(path, mode, device) {
      // dev_t is a signed 32-bit number here; `lstat` gives it sign-extended or not, depending on who widened it.
      if (device < -0x8000_0000n || device > 0xffff_ffffn) throw new PosixError(EINVAL, 'mknod', path);
      const cPath = pathString.put(path, 'mknod', path);
      if (mknod(cPath, mode, Number(BigInt.asIntN(32, device))) !== 0) throw new PosixError(c.errno(), 'mknod', path);
    },

    setIoPriority(ioClass) {
      if (setiopolicy(IOPOL_TYPE_DISK, IOPOL_SCOPE_THREAD, ioPolicies[ioClass]) !== 0) throw new PosixError(c.errno(), 'setiopolicy_np');
      return true;
    },

    dropPageCache(fd) {
      if (fcntl(fd, F_NOCACHE, 'int', 1) === -1) throw new PosixError(c.errno(), 'fcntl');
    },

    fallocate(fd, length) {
      const { size, blocks } = fstatSync(fd);
      // F_PREALLOCATE counts from the end of what is allocated.
      const missing = length - Math.max(size, blocks * 512);
      if (missing > 0) {
        fstore.bytes.fill(0);
        fstore.bytes.writeUInt32LE(F_ALLOCATEALL, 0);
        fstore.bytes.writeInt32LE(F_PEOFPOSMODE, 4);
        fstore.bytes.writeBigInt64LE(BigInt(missing), 16);
        if (fcntl(fd, F_PREALLOCATE, 'uintptr_t', fstore.address) === -1) {
          const error = c.errno();
          if (error === ENOTSUP || error === ENOSYS || error === EINVAL) return false;
          throw new PosixError(error, 'fcntl');
        }
      }
      if (size < length) ftruncateSync(fd, length);
      return true;
    },

    syncFileSystem(fd) {
      sync();
      fsyncSync(fd);
    },

    tryLock(fd) {
      for (;;) {
        if (flock(fd, LOCK_EX | LOCK_NB) === 0) return true;
        const error = c.errno();
        if (error === EWOULDBLOCK) return false;
        if (error === ENOTSUP || error === EINVAL) return true;
        if (error !== EINTR) throw new PosixError(error, 'flock');
      }
    },
  };
}
