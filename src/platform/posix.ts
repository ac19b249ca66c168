/**
 * What Node's own file system functions lack, by direct calls into the system.
 *
 * - Paths are bytes without a terminating NUL (a NUL within is refused with EINVAL). Nothing here follows a symlink at the path's end.
 * - What fails throws a {@link PosixError}, of the same shape as Node's (`code`, `errno`, `syscall`, `path`).
 * - The first call loads the native part for the calling thread; importing this module loads nothing. Every thread may use it.
 * - `native-missing` is thrown when the native part of this installation does not load.
 * - What a system cannot do is said at each function; systems other than Linux (64 bits) and macOS do what Node alone can.
 */
import { createDarwinPosix } from './posix-darwin.ts';
import { createLinuxPosix } from './posix-linux.ts';
import { createWindowsPosix } from './posix-windows.ts';

/** The kernel's classes of disk access, most urgent first. */
export type IoPriorityClass = 'realtime' | 'best-effort' | 'idle';

/** Nanoseconds since 1970 (UTC); negative before. */
export interface FileTimes {
  readonly atimeNs: bigint;
  readonly mtimeNs: bigint;
}

export interface Posix {
  /**
   * The names of the extended attributes of what is at `path`, in the system's order, ACLs included (`system.posix_acl_…`). Empty where
   * the file system has none. One system call when there are none, which is the common case. Windows: always empty.
   */
  listXattrs(path: Buffer): Buffer[];

  /** The value of an extended attribute; undefined when there is no such attribute, or the file system has none at all. */
  getXattr(path: Buffer, name: Buffer): Buffer | undefined;

  /** Creates or replaces an extended attribute. Windows: ENOTSUP. */
  setXattr(path: Buffer, name: Buffer, value: Buffer): void;

  /** Removes an extended attribute; ENODATA (macOS: ENOATTR) when there is none. Windows: ENOTSUP. */
  removeXattr(path: Buffer, name: Buffer): void;

  /**
   * Sets both times of what is at `path` to the nanosecond, as far as the file system stores them. Windows: to the microsecond at best,
   * since it goes through Node's numbers.
   */
  setTimes(path: Buffer, times: FileTimes): void;

  /** As {@link setTimes}, for an open file. `path` is for the error. */
  setTimesOfOpen(fd: number, times: FileTimes, path: Buffer): void;

  /** Creates a FIFO. `mode` holds the permission bits, from which the system takes off the umask. Windows: ENOSYS. */
  makeFifo(path: Buffer, mode: number): void;

  /**
   * Creates a node. `mode` holds the type (S_IFBLK, S_IFCHR, S_IFIFO, S_IFSOCK or S_IFREG) and the permission bits, from which the system
   * takes off the umask; `device` is the raw `rdev` as `lstat` gives it, 0 where it has no meaning. EINVAL when the system cannot express
   * the device. Windows: ENOSYS.
   */
  makeNode(path: Buffer, mode: number, device: bigint): void;

  /**
   * Sets the disk priority of the **calling thread** (each worker calls it for itself). `level` runs from 0, most urgent, to 7 and counts
   * within the class; macOS and the idle class have no levels. Returns false where the system has no such thing (Windows).
   */
  setIoPriority(ioClass: IoPriorityClass, level: number): boolean;

  /**
   * Asks the system to forget what it caches of the open file, so that the next read comes from the disk. Pages not written yet are kept:
   * fsync first. macOS: reads through this descriptor bypass the cache from now on. Windows: nothing.
   */
  dropPageCache(fd: number): void;

  /**
   * Reserves space so that the file can hold `length` bytes, and makes it that long if it is shorter (the new part reads as zeros).
   * Throws ENOSPC, with the file as long as before, when there is not enough; other programs may find the disk full for a moment then, so
   * compare with the free space first. Returns false, with nothing changed, where the file system cannot reserve. Windows:
   * lengthens the file.
   */
  fallocate(fd: number, length: number): boolean;

  /**
   * Brings everything written to the file system that holds the open file onto its disk. macOS: starts that for all file systems and
   * waits for this file. Windows: this file only.
   */
  syncFileSystem(fd: number): void;

  /**
   * Locks the open file for this descriptor alone; false when another one, in whichever process, has locked it. The lock ends with the
   * descriptor, also when the process is killed. Of file systems that know no locks, and of Windows, everybody gets one: true.
   */
  tryLock(fd: number): boolean;
}

let implementation: Posix | undefined;

function posix(): Posix {
  implementation ??= choose();
  return implementation;
}

function choose(): Posix {
  // On 32-bit Linux `struct timespec` and `off_t` have two layouts each; nothing that Holdfast is shipped for is one.
  const has64Bits = process.arch !== 'arm' && process.arch !== 'ia32';
  if (process.platform === 'linux' && has64Bits) return createLinuxPosix();
  if (process.platform === 'darwin') return createDarwinPosix();
  return createWindowsPosix();
}

/** See {@link Posix.listXattrs}. */
export const listXattrs: Posix['listXattrs'] = (path) => posix().listXattrs(path);

/** See {@link Posix.getXattr}. */
export const getXattr: Posix['getXattr'] = (path, name) => posix().getXattr(path, name);

/** See {@link Posix.setXattr}. */
export const setXattr: Posix['setXattr'] = (path, name, value) => posix().setXattr(path, name, value);

/** See {@link Posix.removeXattr}. */
export const removeXattr: Posix['removeXattr'] = (path, name) => posix().removeXattr(path, name);

/** See {@link Posix.setTimes}. */
export const setTimes: Posix['setTimes'] = (path, times) => posix().setTimes(path, times);

/** See {@link Posix.setTimesOfOpen}. */
export const setTimesOfOpen: Posix['setTimesOfOpen'] = (fd, times, path) => posix().setTimesOfOpen(fd, times, path);

/** See {@link Posix.makeFifo}. */
export const makeFifo: Posix['makeFifo'] = (path, mode) => posix().makeFifo(path, mode);

/** See {@link Posix.makeNode}. */
export const makeNode: Posix['makeNode'] = (path, mode, device) => posix().makeNode(path, mode, device);

/** See {@link Posix.setIoPriority}. */
export const setIoPriority: Posix['setIoPriority'] = (ioClass, level) => posix().setIoPriority(ioClass, level);

/** Lets the calling thread read and write only when nobody else wants the disk. See {@link Posix.setIoPriority}. */
export const setIoPriorityIdle = (): boolean => posix().setIoPriority('idle', 0);

/** See {@link Posix.dropPageCache}. */
export const dropPageCache: Posix['dropPageCache'] = (fd) => posix().dropPageCache(fd);

/** See {@link Posix.fallocate}. */
export const fallocate: Posix['fallocate'] = (fd, length) => posix().fallocate(fd, length);

/** See {@link Posix.syncFileSystem}. */
export const syncFileSystem: Posix['syncFileSystem'] = (fd) => posix().syncFileSystem(fd);

/** See {@link Posix.tryLock}. */
export const tryLock: Posix['tryLock'] = (fd) => posix().tryLock(fd);
