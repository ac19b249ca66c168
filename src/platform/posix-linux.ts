/** {@link Posix} on 64-bit Linux, with glibc or musl. The contracts are in posix.ts. */
import { fstatSync, ftruncateSync } from 'node:fs';
import { constants } from 'node:os';
import { CBuffer, type CLibrary, CString, CTimes, openCLibrary } from './c-library.ts';
import type { IoPriorityClass, Posix } from './posix.ts';
import { PosixError } from './posix-error.ts';

const { EINTR, EINVAL, ENODATA, ENOLCK, ENOSYS, ENOTSUP, ERANGE, EWOULDBLOCK } = constants.errno;

// fcntl.h
const AT_FDCWD = -100;
const AT_SYMLINK_NOFOLLOW = 0x100;
const POSIX_FADV_DONTNEED = 4;

// sys/file.h
const LOCK_EX = 2;
const LOCK_NB = 4;

// linux/ioprio.h
const IOPRIO_WHO_PROCESS = 1;
const ioClassBits: Record<IoPriorityClass, number> = { realtime: 1 << 13, 'best-effort': 2 << 13, idle: 3 << 13 };
const lowestIoLevel = 7;

/** linux/limits.h: PATH_MAX, XATTR_NAME_MAX + 1, and the largest list or value that the kernel gives today. */
const pathMax = 4096;
const nameMax = 256;
const xattrMax = 65536;

/** What is tried first: the kernel allocates as much as it is offered, so offering the maximum costs three times the call's time. */
const xattrUsual = 4096;

/**
 * System calls without a function in libc (mknod has one since glibc 2.33 only), by architecture; the others share the generic table
 * (asm-generic/unistd.h).
 */
const syscallNumbers =
  process.arch === 'x64'
    ? { mknodat: 259, ioprio_set: 251 }
    : process.arch === 'ppc64'
      ? { mknodat: 288, ioprio_set: 273 }
      : { mknodat: 33, ioprio_set: 30 };

export function createLinuxPosix(c: CLibrary = openCLibrary()): Posix {
  const llistxattr = c.func('llistxattr', 'intptr_t', ['uintptr_t', 'uintptr_t', 'size_t']);
  const lgetxattr = c.func('lgetxattr', 'intptr_t', ['uintptr_t', 'uintptr_t', 'uintptr_t', 'size_t']);
  const lsetxattr = c.func('lsetxattr', 'int', ['uintptr_t', 'uintptr_t', 'void *', 'size_t', 'int']);
  const lremovexattr = c.func('lremovexattr', 'int', ['uintptr_t', 'uintptr_t']);
  const utimensat = c.func('utimensat', 'int', ['int', 'uintptr_t', 'uintptr_t', 'int']);
  const futimens = c.func('futimens', 'int', ['int', 'uintptr_t']);
  const mkfifo = c.func('mkfifo', 'int', ['uintptr_t', 'uint']);
  const mknodat = c.func('syscall', 'long', ['long', 'int', 'uintptr_t', 'uint', 'uint']);
  const ioprioSet = c.func('syscall', 'long', ['long', 'int', 'int', 'int']);
  const posixFadvise = c.func('posix_fadvise', 'int', ['int', 'int64_t', 'int64_t', 'int']);
  const fallocate = c.func('fallocate', 'int', ['int', 'int', 'int64_t', 'int64_t']);
  const syncfs = c.func('syncfs', 'int', ['int']);
  const flock = c.func('flock', 'int', ['int', 'int']);

  const pathString = new CString(c, pathMax);
  const nameString = new CString(c, nameMax);
  const usual = new CBuffer(c, xattrUsual);
  const large = new CBuffer(c, xattrMax);
  const cTimes = new CTimes(c);

  return {
    listXattrs(path) {
      const cPath = pathString.put(path, 'llistxattr', path);
      for (let into = usual; ; into = large) {
        const length = llistxattr(cPath, into.address, into.size);
        if (length === 0) return [];
        if (length > 0) return into.copyStrings(length);
        const error = c.errno();
        // Network mounts answer ENODATA for "none can be had" (as restic handles it, node_xattr.go).
        if (error === ENOTSUP || error === ENODATA) return [];
        if (error !== ERANGE) throw new PosixError(error, 'llistxattr', path);
        if (into === large) large.grow(2 * large.size);
      }
    },

    getXattr(path, name) {
      const cPath = pathString.put(path, 'lgetxattr', path);
      const cName = nameString.put(name, 'lgetxattr', path);
      for (let into = usual; ; into = large) {
        const length = lgetxattr(cPath, cName, into.address, into.size);
        if (length >= 0) return into.copy(length);
        const error = c.errno();
        if (error === ENODATA || error === ENOTSUP) return undefined;
        if (error !== ERANGE) throw new PosixError(error, 'lgetxattr', path);
        if (into === large) large.grow(2 * large.size);
      }
    },

    setXattr(path, name, value) {
      const cPath = pathString.put(path, 'lsetxattr', path);
      const cName = nameString.put(name, 'lsetxattr', path);
      if (lsetxattr(cPath, cName, value, value.length, 0) !== 0) throw new PosixError(c.errno(), 'lsetxattr', path);
    },

    removeXattr(path, name) {
      const cPath = pathString.put(path, 'lremovexattr', path);
      const cName = nameString.put(name, 'lremovexattr', path);
      if (lremovexattr(cPath, cName) !== 0) throw new PosixError(c.errno(), 'lremovexattr', path);
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
      // The kernel's 32-bit device numbers equal the low half of libc's 64-bit ones, whose high half it cannot express.
      if (device < 0n || device > 0xffff_ffffn) throw new PosixError(EINVAL, 'mknod', path);
      const cPath = pathString.put(path, 'mknod', path);
      if (mknodat(syscallNumbers.mknodat, AT_FDCWD, cPath, mode, Number(device)) !== 0) throw new PosixError(c.errno(), 'mknod', path);
    },

    setIoPriority(ioClass, level) {
      const bits = ioClassBits[ioClass] | (ioClass === 'idle' ? 0 : Math.min(Math.max(Math.trunc(level), 0), lowestIoLevel));
      // 0: the calling thread.
      if (ioprioSet(syscallNumbers.ioprio_set, IOPRIO_WHO_PROCESS, 0, bits) !== 0) throw new PosixError(c.errno(), 'ioprio_set');
      return true;
    },

    dropPageCache(fd) {
      const error = posixFadvise(fd, 0, 0, POSIX_FADV_DONTNEED);
      if (error !== 0) throw new PosixError(error, 'posix_fadvise');
    },

    fallocate(fd, length) {
      if (length === 0) return true;
      const { size } = fstatSync(fd);
      for (;;) {
        if (fallocate(fd, 0, 0, length) === 0) return true;
        const error = c.errno();
        if (error === ENOTSUP || error === ENOSYS) return false;
        if (error === EINTR) continue;
        // ext4 keeps what it could reserve, which would leave the disk full.
        if (fstatSync(fd).size > size) ftruncateSync(fd, size);
        throw new PosixError(error, 'fallocate');
      }
    },

    syncFileSystem(fd) {
      if (syncfs(fd) !== 0) throw new PosixError(c.errno(), 'syncfs');
    },

    tryLock(fd) {
      for (;;) {
        if (flock(fd, LOCK_EX | LOCK_NB) === 0) return true;
        const error = c.errno();
        if (error === EWOULDBLOCK) return false;
        if (error === ENOTSUP || error === ENOSYS || error === ENOLCK || error === EINVAL) return true;
        if (error !== EINTR) throw new PosixError(error, 'flock');
      }
    },
  };
}
