import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  closeSync,
  ftruncateSync,
  linkSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  rmSync,
  statfsSync,
  statSync,
  symlinkSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import {
  dropPageCache,
  fallocate,
  getXattr,
  listXattrs,
  makeFifo,
  makeNode,
  removeXattr,
  setIoPriority,
  setIoPriorityIdle,
  setTimes,
  setXattr,
  syncFileSystem,
  tryLock,
} from '../../src/platform/posix.ts';
import { PosixError } from '../../src/platform/posix-error.ts';

const b = (text: string): Buffer => Buffer.from(text);
const isRoot = process.getuid?.() === 0;
const onLinux = process.platform === 'linux' ? describe : describe.skip;

let folder: string;
let file: Buffer;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'posix-'));
  file = Buffer.concat([b(`${folder}/`), Buffer.from('caf\xe9', 'latin1')]);
  writeFileSync(file, 'content');
});
afterEach(() => rmSync(folder, { recursive: true }));

/** What Python prints for `expression`, where `p` is the path as bytes. */
function python(expression: string, path: Buffer = file): string {
  const script = `import os,sys,stat; p=bytes.fromhex(sys.argv[1]); print(${expression})`;
  return execFileSync('python3', ['-c', script, path.toString('hex')], { encoding: 'utf8' }).trim();
}

/** The error that `call` throws. */
function errorOf(call: () => unknown): PosixError {
  try {
    call();
  } catch (thrown) {
    if (thrown instanceof PosixError) return thrown;
    throw thrown;
  }
  throw new Error('nothing was thrown');
}

onLinux('extended attributes', () => {
  it('are none on a plain file, folder and symlink', () => {
    symlinkSync('nowhere', join(folder, 'link'));
    for (const path of [file, b(folder), b(join(folder, 'link'))]) expect(listXattrs(path)).toEqual([]);
    expect(getXattr(file, b('user.none'))).toBeUndefined();
  });

  it('are read by Python as they were written, and the other way round', () => {
    setXattr(file, b('user.ours'), Buffer.from([0, 1, 0xff, 0]));
    expect(python("os.getxattr(p, b'user.ours').hex()")).toBe('0001ff00');
    python("os.setxattr(p, b'user.theirs', bytes([9,0,9])) or os.setxattr(p, b'user.empty', b'')");
    expect(listXattrs(file).map(String).sort()).toEqual(['user.empty', 'user.ours', 'user.theirs']);
    expect(getXattr(file, b('user.theirs'))).toEqual(Buffer.from([9, 0, 9]));
    expect(getXattr(file, b('user.empty'))).toEqual(Buffer.alloc(0));
  });

  it('may be empty, replaced and removed', () => {
    setXattr(file, b('user.a'), Buffer.alloc(0));
    expect(python("os.getxattr(p, b'user.a')")).toBe("b''");
    setXattr(file, b('user.a'), b('new'));
    setXattr(file, b('user.b'), b('stays'));
    expect(getXattr(file, b('user.a'))?.toString()).toBe('new');
    removeXattr(file, b('user.a'));
    expect(python('os.listxattr(p)')).toBe("['user.b']");
    expect(errorOf(() => removeXattr(file, b('user.a'))).code).toBe('ENODATA');
  });

  it('have names that need not be UTF-8', () => {
    const name = Buffer.concat([b('user.'), Buffer.from([0xff, 0x0a, 0x22])]);
    setXattr(file, name, b('v'));
    expect(listXattrs(file)).toEqual([name]);
    expect(getXattr(file, name)).toEqual(b('v'));
  });

  it('do not change a copy that was taken before', () => {
    setXattr(file, b('user.a'), b('first'));
    const names = listXattrs(file);
    const value = getXattr(file, b('user.a'));
    setXattr(file, b('user.a'), b('other'));
    removeXattr(file, b('user.a'));
    setXattr(file, b('user.zz'), b('z'));
    listXattrs(file);
    getXattr(file, b('user.zz'));
    expect([names.map(String), value?.toString()]).toEqual([['user.a'], 'first']);
  });

  it.skipIf(!isRoot)('belong to the symlink, not to what it points to', () => {
    const link = b(join(folder, 'link'));
    symlinkSync(file, link);
    setXattr(link, b('trusted.link'), b('of the link'));
    setXattr(file, b('user.file'), b('of the file'));
    expect(listXattrs(link).map(String)).toEqual(['trusted.link']);
    expect(getXattr(link, b('trusted.link'))?.toString()).toBe('of the link');
    expect(getXattr(link, b('user.file'))).toBeUndefined();
    removeXattr(link, b('trusted.link'));
    expect(listXattrs(link)).toEqual([]);
    expect(errorOf(() => setXattr(link, b('user.x'), b('')))).toMatchObject({ code: 'EPERM', syscall: 'lsetxattr' });
  });

  it('are empty where the file system has none', () => {
    expect(listXattrs(b('/proc/self/stat'))).toEqual([]);
    expect(getXattr(b('/proc/self/stat'), b('user.a'))).toBeUndefined();
  });

  it.skipIf(!isRoot)('hold as much as the kernel allows', () => {
    // tmpfs holds trusted attributes of the largest size; ext4 one block.
    const shm = mkdtempSync('/dev/shm/posix-');
    try {
      const value = Buffer.alloc(65_536, 7);
      setXattr(b(shm), b('trusted.large'), value);
      expect(getXattr(b(shm), b('trusted.large'))?.equals(value)).toBe(true);
      const names = Array.from({ length: 200 }, (_, i) => `trusted.${String(i).padStart(240, 'n')}`);
      for (const name of names) setXattr(b(shm), b(name), b('v'));
      expect(listXattrs(b(shm)).map(String).sort()).toEqual([...names, 'trusted.large'].sort());
    } finally {
      rmSync(shm, { recursive: true });
    }
  });
});

onLinux('times', () => {
  const set = (path: Buffer, atimeNs: bigint, mtimeNs: bigint): string => {
    setTimes(path, { atimeNs, mtimeNs });
    return python("'%d %d' % (lambda s: (s.st_atime_ns, s.st_mtime_ns))(os.lstat(p))", path);
  };

  it('are stored to the nanosecond, before 1970 and after 2038 too, as Python sees them', () => {
    const times = [
      [0n, 0n],
      [1n, -1n],
      [-1_000_000_000n, -999_999_999n],
      [-1_000_000_001n, -1_500_000_000n],
      [-2_000_000_000_123_456_789n, -86_400_000_000_000n],
      [1_767_323_045_123_456_789n, 1_767_323_045_999_999_999n],
      [2_147_483_648_000_000_001n, 4_294_967_296_123_456_789n],
      [15_000_000_000_999_999_999n, 7_258_118_400_000_000_001n],
    ] as const;
    for (const [i, [atimeNs, mtimeNs]] of times.entries()) {
      const path = b(join(folder, `t${i}`));
      writeFileSync(path, '');
      setTimes(path, { atimeNs, mtimeNs });
    }
    const seen = python(
      `[[str(s.st_atime_ns), str(s.st_mtime_ns)] for s in (os.lstat(p + b'/t%d' % i) for i in range(${times.length}))]`,
      b(folder),
    );
    expect(JSON.parse(seen.replaceAll("'", '"'))).toEqual(times.map((pair) => pair.map(String)));
  });

  it('come back from lstat as they were set', () => {
    const time = fc.bigInt({ min: -2_147_483_647_000_000_000n, max: 15_032_385_535_000_000_000n });
    fc.assert(
      fc.property(time, time, (atimeNs, mtimeNs) => {
        setTimes(file, { atimeNs, mtimeNs });
        expect(lstatSync(file, { bigint: true })).toMatchObject({ atimeNs, mtimeNs });
      }),
    );
  });

  it('are those of the symlink, even of one that leads nowhere', () => {
    const link = b(join(folder, 'link'));
    symlinkSync(file, link);
    const before = lstatSync(file, { bigint: true }).mtimeNs;
    expect(set(link, -5n, -7n)).toBe('-5 -7');
    expect(lstatSync(file, { bigint: true }).mtimeNs).toBe(before);
    symlinkSync('nowhere', join(folder, 'broken'));
    expect(set(b(join(folder, 'broken')), 3n, 4n)).toBe('3 4');
  });

  it('are set on folders', () => {
    mkdirSync(join(folder, 'sub'));
    expect(set(b(join(folder, 'sub')), 123n, -123n)).toBe('123 -123');
  });

  it('are refused when no system can express them', () => {
    const error = errorOf(() => setTimes(file, { atimeNs: 0n, mtimeNs: 10n ** 30n }));
    expect(error).toMatchObject({ code: 'EINVAL', syscall: 'utimensat' });
  });
});

onLinux('FIFOs and nodes', () => {
  it('FIFOs are made with their permissions, less the umask', () => {
    const fifo = Buffer.concat([b(`${folder}/`), Buffer.from([0xfe])]);
    makeFifo(fifo, 0o644);
    expect(python('stat.filemode(os.lstat(p).st_mode)', fifo)).toBe('prw-r--r--');
    expect(errorOf(() => makeFifo(fifo, 0o600))).toMatchObject({ code: 'EEXIST', syscall: 'mkfifo' });
  });

  it.skipIf(!isRoot).each([
    ['character', 0o020000, 'crw-------', 1, 3],
    ['block', 0o060000, 'brw-------', 7, 250],
    ['large', 0o060000, 'brw-------', 4095, 1_048_575],
  ])('a %s device keeps its numbers', (name, type, mode, major, minor) => {
    const node = b(join(folder, name));
    makeNode(node, type | 0o600, BigInt(python(`os.makedev(${major}, ${minor})`)));
    expect(python("'%s %d %d' % (lambda s: (stat.filemode(s.st_mode), os.major(s.st_rdev), os.minor(s.st_rdev)))(os.lstat(p))", node)).toBe(
      `${mode} ${major} ${minor}`,
    );
    const { rdev } = lstatSync(node, { bigint: true });
    const copy = b(join(folder, 'copy'));
    makeNode(copy, type | 0o600, rdev);
    expect(lstatSync(copy, { bigint: true }).rdev).toBe(rdev);
  });

  it('a device that the kernel cannot express is refused', () => {
    for (const device of [-1n, 1n << 32n, 1n << 63n]) {
      expect(errorOf(() => makeNode(b(join(folder, 'x')), 0o020600, device))).toMatchObject({ code: 'EINVAL', syscall: 'mknod' });
    }
  });
});

onLinux('open files', () => {
  let fd: number;
  beforeEach(() => {
    fd = openSync(file, 'r+');
  });
  afterEach(() => closeSync(fd));

  it('reserve their space and become as long as asked, but never shorter', () => {
    expect(fallocate(fd, 1_000_000)).toBe(true);
    expect(statSync(file).size).toBe(1_000_000);
    expect(statSync(file).blocks * 512).toBeGreaterThanOrEqual(1_000_000);
    expect(python("open(p,'rb').read() == b'content' + bytes(999993)")).toBe('True');
    expect(fallocate(fd, 10)).toBe(true);
    expect(fallocate(fd, 0)).toBe(true);
    expect(statSync(file).size).toBe(1_000_000);
  });

  it.skipIf(!isRoot).each(['ext4', 'tmpfs'])('give back what they got when there is not enough space on %s', (kind) => {
    const mount = join(folder, 'small');
    mkdirSync(mount);
    if (kind === 'ext4') {
      const image = join(folder, 'image');
      execFileSync('truncate', ['-s', '8M', image]);
      execFileSync('mkfs.ext4', ['-q', image]);
      execFileSync('mount', ['-o', 'loop', image, mount]);
    } else {
      execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=8M', 'none', mount]);
    }
    try {
      const path = join(mount, 'file');
      writeFileSync(path, 'content');
      const small = openSync(path, 'r+');
      syncFileSystem(small);
      const free = statfsSync(mount).bfree;
      expect(errorOf(() => fallocate(small, 20_000_000))).toMatchObject({ code: 'ENOSPC', syscall: 'fallocate' });
      syncFileSystem(small);
      closeSync(small);
      expect(statSync(path).size).toBe(7);
      expect(statfsSync(mount).bfree).toBe(free);
    } finally {
      execFileSync('umount', ['-l', mount]);
    }
  });

  it('are dropped from the page cache', () => {
    ftruncateSync(fd, 0);
    writeSync(fd, Buffer.alloc(1 << 20, 1));
    syncFileSystem(fd);
    const cachedPages = (): number => {
      const script = `import ctypes,mmap,sys
libc=ctypes.CDLL(None,use_errno=True); f=open(bytes.fromhex(sys.argv[1]),'rb')
libc.mmap.restype=ctypes.c_void_p; libc.mmap.argtypes=[ctypes.c_void_p,ctypes.c_size_t,ctypes.c_int,ctypes.c_int,ctypes.c_int,ctypes.c_long]
a=libc.mmap(None,1<<20,1,1,f.fileno(),0); v=(ctypes.c_ubyte*256)()
assert libc.mincore(ctypes.c_void_p(a),ctypes.c_size_t(1<<20),v)==0
print(sum(x&1 for x in v))`;
      return Number(execFileSync('python3', ['-c', script, file.toString('hex')], { encoding: 'utf8' }));
    };
    expect(cachedPages()).toBe(256);
    dropPageCache(fd);
    expect(cachedPages()).toBe(0);
  });

  it('are locked for one descriptor at a time, here and elsewhere, until it is closed or its process is killed', async () => {
    const other = openSync(file, 'r');
    expect([tryLock(fd), tryLock(fd), tryLock(other)]).toEqual([true, true, false]);
    const script = `import fcntl,sys,time
f=open(bytes.fromhex(sys.argv[1]))
fcntl.flock(f,fcntl.LOCK_EX); print('held',flush=True); time.sleep(1000)`;
    const holder = spawn('python3', ['-c', script, file.toString('hex')], { stdio: ['ignore', 'pipe', 'inherit'] });
    closeSync(fd);
    await once(holder.stdout, 'data');
    expect(tryLock(other)).toBe(false);
    holder.kill('SIGKILL');
    await once(holder, 'close');
    expect(tryLock(other)).toBe(true);
    closeSync(other);
    fd = openSync(file, 'r+');
  });

  it('that are not open are an error', () => {
    const closed = openSync(file, 'r');
    expect(errorOf(() => tryLock(1_000_000))).toMatchObject({ code: 'EBADF', syscall: 'flock' });
    closeSync(closed);
    expect(errorOf(() => dropPageCache(closed))).toMatchObject({ code: 'EBADF', syscall: 'posix_fadvise' });
    expect(() => fallocate(closed, 1)).toThrow(expect.objectContaining({ code: 'EBADF' }));
    expect(errorOf(() => syncFileSystem(closed))).toMatchObject({ code: 'EBADF', syscall: 'syncfs' });
  });
});

onLinux('the disk priority', () => {
  it('is that of the thread', async () => {
    const script = `
      const { parentPort } = await import('node:worker_threads');
      const { execFileSync } = await import('node:child_process');
      const { readlinkSync } = await import('node:fs');
      const { setIoPriority, setIoPriorityIdle } = await import(${JSON.stringify(new URL('../../src/platform/posix.ts', import.meta.url).href)});
      const own = () => execFileSync('ionice', ['-p', readlinkSync('/proc/thread-self').split('/').pop()], { encoding: 'utf8' }).trim();
      const seen = [];
      setIoPriority('best-effort', 6); seen.push(own());
      setIoPriority('best-effort', 99); seen.push(own());
      setIoPriorityIdle(); seen.push(own());
      parentPort.postMessage(seen);`;
    const worker = new Worker(new URL(`data:text/javascript,${encodeURIComponent(script)}`));
    const [seen] = (await once(worker, 'message')) as [string[]];
    expect(seen).toEqual(['best-effort: prio 6', 'best-effort: prio 7', 'idle']);
    expect(execFileSync('ionice', ['-p', String(process.pid)], { encoding: 'utf8' })).not.toContain('idle');
  });

  it('is set on this thread, too', () => {
    expect(setIoPriorityIdle()).toBe(true);
    expect(setIoPriority('best-effort', 4)).toBe(true);
  });
});

onLinux('errors', () => {
  it('have the shape of those of node:fs', () => {
    const path = join(folder, 'none');
    let fromNode: unknown;
    try {
      lstatSync(path);
    } catch (thrown) {
      fromNode = thrown;
    }
    const { code, errno } = fromNode as NodeJS.ErrnoException;
    const calls: [string, () => unknown][] = [
      ['llistxattr', () => listXattrs(b(path))],
      ['lgetxattr', () => getXattr(b(path), b('user.a'))],
      ['lsetxattr', () => setXattr(b(path), b('user.a'), b(''))],
      ['lremovexattr', () => removeXattr(b(path), b('user.a'))],
      ['utimensat', () => setTimes(b(path), { atimeNs: 0n, mtimeNs: 0n })],
      ['mkfifo', () => makeFifo(b(join(path, 'x')), 0o600)],
      ['mknod', () => makeNode(b(join(path, 'x')), 0o010600, 0n)],
    ];
    for (const [syscall, call] of calls) {
      const shown = syscall === 'mkfifo' || syscall === 'mknod' ? join(path, 'x') : path;
      expect(errorOf(call)).toMatchObject({
        code,
        errno,
        syscall,
        path: shown,
        message: `ENOENT: no such file or directory, ${syscall} '${shown}'`,
      });
    }
  });

  it('show a name that is not UTF-8 by its bytes', () => {
    expect(errorOf(() => makeFifo(Buffer.concat([file, b('/x')]), 0o600)).message).toBe(
      `ENOTDIR: not a directory, mkfifo '${folder}/caf\\xe9/x'`,
    );
  });

  it('refuse a NUL instead of taking the part before it', () => {
    const path = Buffer.concat([file, b('\0tail')]);
    const times = { atimeNs: 0n, mtimeNs: 0n };
    for (const call of [
      () => listXattrs(path),
      () => getXattr(path, b('user.a')),
      () => setXattr(path, b('user.a'), b('')),
      () => setXattr(file, b('user.a\0b'), b('')),
      () => getXattr(file, b('user.a\0b')),
      () => removeXattr(path, b('user.a')),
      () => setTimes(path, times),
      () => makeFifo(path, 0o600),
      () => makeNode(path, 0o010600, 0n),
    ]) {
      expect(errorOf(call).code).toBe('EINVAL');
    }
    expect(listXattrs(file)).toEqual([]);
  });

  it('tell of paths that are too long or empty', () => {
    expect(errorOf(() => listXattrs(Buffer.alloc(4096, 'a'))).code).toBe('ENAMETOOLONG');
    expect(errorOf(() => listXattrs(Buffer.alloc(100_000, 'a'))).code).toBe('ENAMETOOLONG');
    expect(errorOf(() => setXattr(file, Buffer.alloc(5000, 'a'), b(''))).code).toBe('ERANGE');
    expect(errorOf(() => listXattrs(Buffer.alloc(0))).code).toBe('ENOENT');
    expect(listXattrs(file)).toEqual([]);
  });

  it('name every error number that the system has', () => {
    expect(new PosixError(122, 'write')).toMatchObject({ code: 'EDQUOT', errno: -122 });
    expect(new PosixError(95, 'x').code).toMatch(/^E(OP)?NOTSUPP?$/);
    expect(new PosixError(0, 'x').code).toBe('UNKNOWN');
    expect(new PosixError(4000, 'x').code).toBe('UNKNOWN');
  });
});

onLinux('threads', () => {
  it('do not disturb each other', async () => {
    const workers = [0, 1, 2].map((index) => new Worker(new URL('./posix-worker.ts', import.meta.url), { workerData: { folder, index } }));
    const failures = await Promise.all(workers.map(async (worker) => (await once(worker, 'message'))[0] as string[]));
    expect(failures).toEqual([[], [], []]);
  });

  it('load the native part only when it is called', () => {
    const module = JSON.stringify(new URL('../../src/platform/posix.ts', import.meta.url).href);
    const script = `
      const { listXattrs } = await import(${module});
      const { readFileSync } = await import('node:fs');
      const loaded = () => readFileSync('/proc/self/maps', 'utf8').includes('koffi');
      const before = loaded();
      listXattrs(Buffer.from('/'));
      console.log(before, loaded());`;
    expect(execFileSync(process.execPath, ['--input-type=module', '-e', script], { encoding: 'utf8' })).toBe('false true\n');
  });
});

onLinux('hard links', () => {
  it('share attributes and times', () => {
    const other = b(join(folder, 'other'));
    linkSync(file, other);
    setXattr(file, b('user.a'), b('shared'));
    setTimes(file, { atimeNs: 1n, mtimeNs: 2n });
    expect(getXattr(other, b('user.a'))?.toString()).toBe('shared');
    expect(lstatSync(other, { bigint: true }).mtimeNs).toBe(2n);
  });
});
