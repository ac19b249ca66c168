/** The implementations for other systems, and answers of the system that cannot be provoked, against a C library of the test's own. */
import { closeSync, lstatSync, mkdtempSync, openSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { constants, tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { PosixError } from '../../src/platform/posix-error.ts';
import { createDarwinPosix } from '../../src/platform/posix-darwin.ts';
import { createLinuxPosix } from '../../src/platform/posix-linux.ts';
import { createWindowsPosix } from '../../src/platform/posix-windows.ts';
import { FakeCLibrary } from '../support/fake-c-library.ts';

const { EINTR, EIO, ENODATA, ENOLCK, ENOSYS, ENOTSUP, ERANGE, EWOULDBLOCK } = constants.errno;
const ENOATTR = 93;

const b = (text: string): Buffer => Buffer.from(text);
const withCode = (code: string) => expect.objectContaining({ code }) as PosixError;

let folder: string;
let file: Buffer;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'systems-'));
  file = b(join(folder, 'file'));
  writeFileSync(file, 'content');
});
afterEach(() => rmSync(folder, { recursive: true }));

describe('on Linux', () => {
  it('a file without attributes costs one call', () => {
    const c = new FakeCLibrary({ llistxattr: () => 0 });
    const posix = createLinuxPosix(c);
    for (let i = 0; i < 3; i++) expect(posix.listXattrs(b('/f'))).toEqual([]);
    expect(c.calls).toHaveLength(3);
  });

  it('a list that outgrows its memory is asked for again', () => {
    const list = Buffer.from(Array.from({ length: 30_000 }, (_, i) => `user.${i}\0`).join(''));
    const c = new FakeCLibrary({
      llistxattr: ([path, address, size], library) => {
        expect(library.stringAt(path)).toBe('/f');
        if (Number(size) < list.length) return { errno: ERANGE };
        list.copy(library.at(address));
        return list.length;
      },
    });
    const names = createLinuxPosix(c).listXattrs(b('/f'));
    expect(names).toHaveLength(30_000);
    expect([names[0], names.at(-1)].map(String)).toEqual(['user.0', 'user.29999']);
  });

  it('a value that outgrows its memory is asked for again', () => {
    const c = new FakeCLibrary({
      lgetxattr: ([, name, address, size], library) => {
        expect(library.stringAt(name)).toBe('user.a');
        if (Number(size) < 200_000) return { errno: ERANGE };
        library.at(address).fill('x', 0, 200_000);
        return 200_000;
      },
    });
    expect(createLinuxPosix(c).getXattr(b('/f'), b('user.a'))?.equals(Buffer.alloc(200_000, 'x'))).toBe(true);
  });

  it('network mounts that have no attributes are as if there were none, other errors are not', () => {
    for (const errno of [ENODATA, ENOTSUP]) {
      const posix = createLinuxPosix(new FakeCLibrary({ llistxattr: () => ({ errno }), lgetxattr: () => ({ errno }) }));
      expect(posix.listXattrs(b('/f'))).toEqual([]);
      expect(posix.getXattr(b('/f'), b('user.a'))).toBeUndefined();
    }
    const broken = createLinuxPosix(new FakeCLibrary({ llistxattr: () => ({ errno: EIO }), lgetxattr: () => ({ errno: EIO }) }));
    expect(() => broken.listXattrs(b('/f'))).toThrow(withCode('EIO'));
    expect(() => broken.getXattr(b('/f'), b('user.a'))).toThrow(withCode('EIO'));
  });

  it('a lock goes on after an interruption, is refused while another holds it, and is no matter where there are none', () => {
    const answers = [{ errno: EINTR }, { errno: EINTR }, 0, { errno: EWOULDBLOCK }, { errno: ENOTSUP }, { errno: ENOLCK }, { errno: EIO }];
    for (const create of [createLinuxPosix, createDarwinPosix]) {
      const left = [...answers];
      const posix = create(new FakeCLibrary({ flock: () => left.shift() ?? 0 }));
      expect(posix.tryLock(3)).toBe(true);
      expect(posix.tryLock(3)).toBe(false);
      expect(posix.tryLock(3)).toBe(true);
      if (create === createLinuxPosix) expect(posix.tryLock(3)).toBe(true);
      else expect(() => posix.tryLock(3)).toThrow(withCode('ENOLCK'));
      expect(() => posix.tryLock(3)).toThrow(withCode('EIO'));
    }
    expect(createWindowsPosix().tryLock(3)).toBe(true);
  });

  it('reserving space goes on after an interruption and is not insisted on', () => {
    const answers = [{ errno: EINTR }, { errno: EINTR }, 0];
    const interrupted = new FakeCLibrary({ fallocate: () => answers.shift() ?? 0 });
    const fd = openSync(file, 'r+');
    try {
      expect(createLinuxPosix(interrupted).fallocate(fd, 10)).toBe(true);
      expect(interrupted.calls).toHaveLength(3);
      for (const errno of [ENOTSUP, ENOSYS]) {
        expect(createLinuxPosix(new FakeCLibrary({ fallocate: () => ({ errno }) })).fallocate(fd, 10)).toBe(false);
      }
    } finally {
      closeSync(fd);
    }
  });
});

describe('on macOS', () => {
  it('attributes are those of the symlink itself, with the arguments that macOS wants', () => {
    const c = new FakeCLibrary({
      listxattr: ([path, address, , options], library) => {
        expect([library.stringAt(path), options]).toEqual(['/f', 1]);
        return library.at(address).write('com.apple.FinderInfo\0user.a\0');
      },
      getxattr: ([path, name, address, , position, options], library) => {
        expect([library.stringAt(path), library.stringAt(name), position, options]).toEqual(['/f', 'user.a', 0, 1]);
        return library.at(address).write('value');
      },
      setxattr: ([path, name, value, size, position, options], library) => {
        expect([library.stringAt(path), library.stringAt(name), value, size, position, options]).toEqual(['/f', 'user.a', b('v'), 1, 0, 1]);
        return 0;
      },
      removexattr: ([path, name, options], library) => {
        expect([library.stringAt(path), library.stringAt(name), options]).toEqual(['/f', 'user.a', 1]);
        return { errno: EIO };
      },
    });
    const posix = createDarwinPosix(c);
    expect(posix.listXattrs(b('/f')).map(String)).toEqual(['com.apple.FinderInfo', 'user.a']);
    expect(posix.getXattr(b('/f'), b('user.a'))?.toString()).toBe('value');
    posix.setXattr(b('/f'), b('user.a'), b('v'));
    expect(() => posix.removeXattr(b('/f'), b('user.a'))).toThrow(withCode('EIO'));
  });

  it('a missing attribute is undefined, and a resource fork of any size is read', () => {
    expect(createDarwinPosix(new FakeCLibrary({ getxattr: () => ({ errno: ENOATTR }) })).getXattr(b('/f'), b('a'))).toBeUndefined();
    const fork = 5_000_000;
    const c = new FakeCLibrary({
      getxattr: ([, , address, size], library) => {
        if (size === 0) return fork;
        if (Number(size) < fork) return { errno: ERANGE };
        library.at(address).fill(7, 0, fork);
        return fork;
      },
    });
    expect(createDarwinPosix(c).getXattr(b('/f'), b('com.apple.ResourceFork'))).toSatisfy((value: Buffer) =>
      value.equals(Buffer.alloc(fork, 7)),
    );
    expect(c.calls).toHaveLength(3);
  });

  it('times before 1970 are seconds rounded down and nanoseconds that are not negative', () => {
    const c = new FakeCLibrary({
      utimensat: ([folderFd, path, times, flags], library) => {
        const cells = [0, 8, 16, 24].map((at) => library.at(times).readBigInt64LE(at));
        expect([folderFd, library.stringAt(path), flags, cells]).toEqual([-2, '/f', 0x20, [-1n, 999_999_999n, -2n, 500_000_000n]]);
        return 0;
      },
    });
    createDarwinPosix(c).setTimes(b('/f'), { atimeNs: -1n, mtimeNs: -1_500_000_000n });
  });

  it('nodes take signed device numbers of 32 bits', () => {
    const devices: unknown[] = [];
    const posix = createDarwinPosix(
      new FakeCLibrary({
        mknod: ([, , device]) => {
          devices.push(device);
          return 0;
        },
        mkfifo: () => 0,
      }),
    );
    posix.makeFifo(b('/f'), 0o600);
    for (const device of [0x0300_0002n, 0xff00_0001n, -16_777_215n]) posix.makeNode(b('/f'), 0o020600, device);
    expect(devices).toEqual([0x0300_0002, -16_777_215, -16_777_215]);
    expect(() => posix.makeNode(b('/f'), 0o020600, 1n << 32n)).toThrow(withCode('EINVAL'));
  });

  it('space is reserved for what is missing, and the file made as long', () => {
    const asked: bigint[] = [];
    const c = new FakeCLibrary({
      fcntl: ([, command, type, address], library) => {
        expect([command, type]).toEqual([42, 'uintptr_t']);
        asked.push(library.at(address).readBigInt64LE(16));
        return 0;
      },
    });
    const fd = openSync(file, 'r+');
    try {
      const allocated = statSync(file).blocks * 512;
      expect(createDarwinPosix(c).fallocate(fd, 1_000_000)).toBe(true);
      expect(asked).toEqual([BigInt(1_000_000 - allocated)]);
      expect(statSync(file).size).toBe(1_000_000);
      const unsupported = createDarwinPosix(new FakeCLibrary({ fcntl: () => ({ errno: ENOTSUP }) }));
      expect(unsupported.fallocate(fd, 2_000_000)).toBe(false);
      const full = createDarwinPosix(new FakeCLibrary({ fcntl: () => ({ errno: constants.errno.ENOSPC }) }));
      expect(() => full.fallocate(fd, 2_000_000)).toThrow(withCode('ENOSPC'));
      expect(statSync(file).size).toBe(1_000_000);
    } finally {
      closeSync(fd);
    }
  });

  it('the other calls reach the system with the numbers of macOS', () => {
    const c = new FakeCLibrary({ setiopolicy_np: () => 0, fcntl: () => 0, sync: () => 0 });
    const posix = createDarwinPosix(c);
    const fd = openSync(file, 'r+');
    try {
      expect(posix.setIoPriority('idle', 0)).toBe(true);
      posix.dropPageCache(fd);
      posix.syncFileSystem(fd);
      expect(c.calls).toEqual([
        { name: 'setiopolicy_np', args: [0, 1, 3] },
        { name: 'fcntl', args: [fd, 48, 'int', 1] },
        { name: 'sync', args: [] },
      ]);
    } finally {
      closeSync(fd);
    }
  });
});

describe('on Windows', () => {
  const posix = createWindowsPosix();

  it('there are no extended attributes, and setting one says so', () => {
    expect(posix.listXattrs(file)).toEqual([]);
    expect(posix.getXattr(file, b('a'))).toBeUndefined();
    expect(() => posix.setXattr(file, b('a'), b('v'))).toThrow(withCode('ENOTSUP'));
    expect(() => posix.removeXattr(file, b('a'))).toThrow(withCode('ENOTSUP'));
    expect(() => posix.listXattrs(b('a\0b'))).toThrow(withCode('EINVAL'));
  });

  it.each([0n, -1_500_000_000n, -500_000_000n, 1_767_323_045_250_000_000n, 4_294_967_296_500_000_000n])(
    'the time %s goes through Node, before 1970 too',
    (ns) => {
      symlinkSync('nowhere', join(folder, 'link'));
      for (const path of [file, b(join(folder, 'link'))]) {
        posix.setTimes(path, { atimeNs: ns, mtimeNs: ns });
        const { mtimeNs } = lstatSync(path, { bigint: true });
        expect(Math.abs(Number(mtimeNs - ns))).toBeLessThanOrEqual(1000);
      }
    },
  );

  it('files are lengthened and synced, and what does not exist there is said', () => {
    const fd = openSync(file, 'r+');
    try {
      expect(posix.fallocate(fd, 100)).toBe(true);
      expect(posix.fallocate(fd, 10)).toBe(true);
      expect(statSync(file).size).toBe(100);
      posix.syncFileSystem(fd);
      posix.dropPageCache(fd);
    } finally {
      closeSync(fd);
    }
    expect(posix.setIoPriority('idle', 0)).toBe(false);
    expect(() => posix.makeFifo(b('x'), 0o600)).toThrow(withCode('ENOSYS'));
    expect(() => posix.makeNode(b('x'), 0o600, 0n)).toThrow(withCode('ENOSYS'));
  });
});
