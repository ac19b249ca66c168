/**
 * The tree of files that a backup must bring back exactly: every kind of entry, every kind of name, every kind of time.
 *
 * It is built by Python and setfacl rather than by Node, both because Node cannot (nanosecond times before 1970, extended
 * attributes, device nodes, names that are not UTF-8) and because a fixture that shares no code with Holdfast cannot share
 * its mistakes.
 */
import { spawn } from 'node:child_process';

export type NastyTreeOptions = {
  /** The sparse file spans 5 GB instead of 400 MB. */
  large?: boolean;
  /** Leaves out the folder of 10,000 files, the sparse file and most of the large contents, for tests that copy the tree many times. */
  small?: boolean;
  /** Adds a socket, `special/socket`, which every backup has to leave out. */
  socket?: boolean;
  /** Adds times from 2262 to 2446. restic computes in 64-bit nanoseconds, which end in 2262, so it cannot restore these. */
  farFuture?: boolean;
  /** Determines all contents, times and values. The same seed gives the same tree, but for inodes, ctime and device numbers. */
  seed?: number;
};

/**
 * Builds the tree in `dir`, which is created if absent and must be empty.
 *
 * @returns `leftOut`: the kinds of entry that this machine or user does not allow (for root on ext4: none). Callers that
 *   prove something about every kind assert that it is empty.
 * @throws if Python or setfacl is missing or fails.
 */
export async function buildNastyTree(dir: string, options: NastyTreeOptions = {}): Promise<{ leftOut: string[] }> {
  const python = spawn('/usr/bin/python3', ['-', dir, JSON.stringify({ seed: 1, ...options })], { stdio: ['pipe', 'pipe', 'pipe'] });
  const output: Buffer[] = [];
  const errors: Buffer[] = [];
  python.stdout.on('data', (piece: Buffer) => output.push(piece));
  python.stderr.on('data', (piece: Buffer) => errors.push(piece));
  python.stdin.end(BUILDER);
  const code = await new Promise<number | null>((resolve, reject) => {
    python.on('error', reject);
    python.on('close', resolve);
  });
  if (code !== 0) throw new Error(`building the nasty tree failed (${code}):\n${Buffer.concat(errors).toString()}`);
  return { leftOut: JSON.parse(Buffer.concat(output).toString()) as string[] };
}

// String.raw: the escapes below are Python's.
const BUILDER = String.raw`
import errno, json, os, random, socket, stat, struct, subprocess, sys

root = os.fsencode(sys.argv[1])
options = json.loads(sys.argv[2])
rng = random.Random(options['seed'])
is_root = os.geteuid() == 0
left_out = []
fixed_times = {}
os.umask(0o022)
os.makedirs(root, exist_ok=True)
assert not os.listdir(root), 'the folder is not empty'
os.chdir(root)

def folder(path):
    os.makedirs(path, exist_ok=True)
    return path

def write(path, data=b''):
    with open(path, 'wb') as file:
        file.write(data)
    return path

def attempt(kind, action, *args, **kwargs):
    try:
        action(*args, **kwargs)
    except OSError as error:
        if error.errno not in (errno.EPERM, errno.EACCES, errno.ENOTSUP, errno.EINVAL):
            raise
        if kind not in left_out:
            left_out.append(kind)

# Contents
folder(b'content')
write(b'content/empty')
write(b'content/one byte', b'x')
large = rng.randbytes((3 if options.get('small') else 20) << 20)
write(b'content/random', large)
# The same bytes behind another beginning: content-defined chunks must meet again.
write(b'content/random, shifted', b'one more beginning' + large[:6 << 20])
write(b'content/zeros 3 MB', bytes(3 << 20))
write(b'content/text 4 MB', b''.join(b'%08d the quick brown fox %d\n' % (i, rng.getrandbits(12)) for i in range(110000)))
for size in (4095, 4096, 4097, 524287, 524288, 524289) + (() if options.get('small') else ((8 << 20) - 1, 8 << 20, (8 << 20) + 1)):
    write(b'content/size %d' % size, rng.randbytes(size))
write(b'content/zstd magic', b'\x28\xb5\x2f\xfd' + rng.randbytes(100))

# Hard links
folder(b'links/a'); folder(b'links/b/deep')
write(b'links/a/first', b'one file, four names')
os.link(b'links/a/first', b'links/a/second')
os.link(b'links/a/first', b'links/b/third')
os.link(b'links/a/first', b'links/b/deep/fourth')
write(b'links/b/empty'); os.link(b'links/b/empty', b'links/a/empty')
write(b'links/b/big', rng.randbytes(3 << 20)); os.link(b'links/b/big', b'links/a/big')
write(b'links/equal content 1', b'equal, not linked'); write(b'links/equal content 2', b'equal, not linked')

# Symbolic links
folder(b'symlinks/target folder')
write(b'symlinks/target', b'target')
for name, target in (
    (b'relative', b'target'), (b'absolute', b'/etc/hostname'), (b'dangling', b'no/such/file'), (b'to folder', b'target folder'),
    (b'trailing slash', b'target folder/'), (b'parent', b'../content/one byte'), (b'itself', b'itself'), (b'not UTF-8', b'caf\xe9\xff\xfe'),
    (b'newline', b'two\nlines'), (b'quotes', b'a"b\\c\'d<>&'), (b'separator', '\u2028\u00a0\u200b'.encode()), (b'long', b'long/' * 800), (b'dot', b'.'),
    (b'outside', b'../../../../../../etc/passwd'),
):
    os.symlink(target, b'symlinks/' + name)

# Special files
folder(b'special')
os.mkfifo(b'special/fifo', 0o640)
for name, kind, major, minor in ((b'null', stat.S_IFCHR, 1, 3), (b'loop', stat.S_IFBLK, 7, 0), (b'large minor', stat.S_IFBLK, 259, 70000), (b'large major', stat.S_IFCHR, 4000, 1000000)):
    attempt('devices', os.mknod, b'special/' + name, kind | 0o660, os.makedev(major, minor))
if options.get('socket'):
    os.chdir(b'special')
    socket.socket(socket.AF_UNIX).bind('socket')
    os.chdir(root)

# Owners: before modes, since chown clears setuid
folder(b'owners')
for uid, gid in ((0, 0), (1, 1), (54321, 54322), (65534, 65534), (4294967293, 2147483648)):
    attempt('owners', os.chown, write(b'owners/%d-%d' % (uid, gid), b'owned'), uid, gid)
attempt('owners', os.chown, folder(b'owners/folder'), 54321, 0)
os.symlink(b'nowhere', b'owners/symlink')
attempt('owners', os.lchown, b'owners/symlink', 54321, 54322)
attempt('owners', os.chown, write(b'owners/setuid', b'setuid of another'), 54321, 54322)
attempt('owners', os.chmod, b'owners/setuid', 0o6755)

# Modes
folder(b'modes')
for mode in (0o400, 0o444, 0o600, 0o666, 0o755, 0o777, 0o1644, 0o2755, 0o4755, 0o7777, 0o4644):
    os.chmod(write(b'modes/%04o' % mode, b'%o' % mode), mode)
for mode in (0o700, 0o1777, 0o2775, 0o555, 0o7777):
    path = folder(b'modes/folder %04o' % mode)
    write(path + b'/inside', b'in %o' % mode)
    os.chmod(path, mode)
if is_root:
    for mode in (0o000, 0o111, 0o200):
        os.chmod(write(b'modes/%04o' % mode, b'unreadable'), mode)
    write(folder(b'modes/folder 0000') + b'/inside', b'behind a closed door')
    os.chmod(b'modes/folder 0000', 0)
    os.chmod(b'special/fifo', 0o000)
else:
    left_out.append('unreadable files')

# Extended attributes
folder(b'xattrs')
def attribute(path, name, value, kind='extended attributes'):
    attempt(kind, os.setxattr, path, name, value, follow_symlinks=False)
path = write(b'xattrs/several', b'with attributes')
attribute(path, b'user.empty', b'')
attribute(path, b'user.binary', bytes(range(256)))
attribute(path, b'user.text', 'Grüße, 世界 <&>'.encode())
attribute(path, b'user.zero', b'\0')
attribute(path, b'user.name "with" \\ strange\tletters', b'name')
attribute(write(b'xattrs/large'), b'user.large', rng.randbytes(3000))
for i in range(30):
    attribute(write(b'xattrs/many', b''), b'user.n%d' % i, b'%d' % i)
attribute(folder(b'xattrs/folder'), b'user.folder', b'on a folder')
attribute(b'links/a/first', b'user.shared', b'by all names')
os.symlink(b'several', b'xattrs/symlink')
if is_root:
    attribute(path, b'trusted.holdfast', b'trusted\xff', 'trusted attributes')
    attribute(b'xattrs/folder', b'trusted.folder', b'', 'trusted attributes')
    attribute(b'xattrs/symlink', b'trusted.symlink', b'on the link itself', 'trusted attributes')
    # A file capability (cap_net_bind_service), which any later chown would remove.
    write(b'xattrs/capability', b'program')
    attempt('owners', os.chown, b'xattrs/capability', 54321, 54322)
    os.chmod(b'xattrs/capability', 0o755)
    attribute(b'xattrs/capability', b'security.capability', struct.pack('<5I', 0x02000001, 1 << 10, 0, 0, 0), 'capabilities')
else:
    left_out += ['trusted attributes', 'capabilities']

# Access control lists
folder(b'acls/folder/inside')
for name in (b'acls/file', b'acls/masked', b'acls/folder/inside/file'):
    write(name, b'with a list')
def acl(*args):
    result = subprocess.run([b'setfacl', *args], capture_output=True)
    if result.returncode != 0:
        if b'not supported' not in result.stderr:
            raise RuntimeError(result.stderr.decode())
        if 'access control lists' not in left_out:
            left_out.append('access control lists')
acl(b'-m', b'u:54321:rw,g:54322:r,u:0:rwx', b'acls/file')
acl(b'-m', b'u:54321:rwx,m::r', b'acls/masked')
acl(b'-m', b'u:54321:rx', b'-m', b'd:u:54321:rwx,d:g:1:r,d:m::rx', b'acls/folder')
acl(b'-m', b'd:u:1:r', b'acls/folder/inside')
write(b'acls/folder/inherits', b'born under a default list')

# Names
folder(b'names')
for name in (
    b'new\nline', b'\n', b'"double"', b"'single'", b'back\\slash', b'tab\there', b'del\x7f', b'bell\x07\x08\x0b\x0c\r', b'\x1b[31mred',
    b'literal \\n', b'literal \\x41', b'\\u00e9', b'<>&', b'100%25', b'$HOME', b'*?[a]{b,c}', b'-rf', b'--delete', b'~', b'#hash', b'!bang', b';semi|pipe',
    b' leading', b'trailing ', b' ', b'trailing.', b'...', b'..x', b'.hidden', b'CON', b'a:b', b'*', b'exclude me', b'\x01\x02\x03\x1f',
    b'caf\xe9', b'\xff\xfe', b'\xe2\x82', b'\xc0\xaf', b'\xed\xa0\x80', b'ok\x80ok', b'\xf0\x9f\x98', b'\xf4\x90\x80\x80',
    b'n' * 255, 'é'.encode() * 127 + b'x', b'\xff' * 255, b'\n' * 255,
) + tuple(text.encode() for text in (
    '\U0001f600', '\U0001f468\u200d\U0001f469\u200d\U0001f467', '世界', '한글', 'עברית', '\u202ertl', '\u2028', '\u2029', '\u0085', '\u00a0', '\u00ad', '\u200b', '\ufeff', '\ufffd',
    '\ue000', '\U000e0001', '\U0010ffff', '\ufdd0', '\u0378', '\uff5e', 'e\u0301', '\u00e9', '\u212b', '\u00c5', 'ı', 'ß', 'ẞ', 'A', 'a', '\u2003', '\u3000',
)):
    write(b'names/' + name, name)
# Folders whose order depends on whether '/' takes part in the comparison.
for name in (b'sub', b'sub-x', b'sub.y', b'sub0', b'sub x', b'sub\xff', 'sub\uff5e'.encode(), 'sub\U0001f600'.encode()):
    write(folder(b'names/folders/' + name) + b'/file', name)
write(folder(b'names/\xff folder\n') + b'/\xfe file', b'bytes all the way')

# Depth
path = b'deep'
for level in range(60):
    folder(path)
    write(path + b'/file', b'level %d' % level)
    path += b'/level %02d of the deep, deep, deep tree' % level
folder(path)
folder(b'empty folder')

# Times: of files, symbolic links and folders alike
folder(b'times')
SECOND = 10 ** 9
instants = {
    b'1901': -2147483648 * SECOND + 1, b'before the moon': -14182940 * SECOND - 123456789, b'one ns before 1970': -1, b'1970': 0, b'one ns after 1970': 1,
    b'one s before 1970': -SECOND, b'half': SECOND // 2, b'ms': 1234567890123 * 10 ** 6, b'us': 1234567890123456 * 10 ** 3, b'ns': 1234567890123456789,
    b'trailing zeros': 1600000000120000000, b'last ns': 1599999999999999999, b'summer': 1720000000 * SECOND + 7, b'gap': 1711846800 * SECOND,
    b'2038': 2147483647999999999, b'2039': 2147483648 * SECOND + 1, b'2106': 4294967296 * SECOND + 999999999, b'2262': 2 ** 63 - 1 - SECOND,
}
if options.get('farFuture'):
    instants.update({b'2262, past 64 bits': 2 ** 63 + 1, b'2400': 13569465600 * SECOND + 123456789, b'2446': 15032385535 * SECOND + 999999999})
for name, instant in instants.items():
    for path in (write(b'times/file ' + name, name), folder(b'times/folder ' + name), b'times/symlink ' + name):
        if b'symlink' in path:
            os.symlink(b'file ' + name, path)
        fixed_times[path] = instant

# Bulk
if not options.get('small'):
    folder(b'many')
    for i in range(10000):
        write(b'many/%05d' % i, b'' if i % 100 == 0 else rng.randbytes(rng.randrange(1, 400)))
    size = 5_000_000_000 if options.get('large') else 400 << 20
    with open(b'content/sparse', 'wb') as file:
        for offset in (0, 4096 * 7, 1 << 20, (8 << 20) + 5, size // 3, size // 2 + 12345, size - (20 << 20)):
            file.seek(offset)
            file.write(rng.randbytes(70000))
        file.truncate(size)
    with open(b'content/hole only', 'wb') as file:
        file.truncate(12 << 20)

# All times last, folders after what they hold. The walk is sorted so that the seed alone decides.
def stamp(path):
    instant = fixed_times.get(path)
    if instant is None:
        instant = rng.randrange(10 ** 9, 17 * 10 ** 8) * SECOND + rng.randrange(SECOND)
    os.utime(path, ns=(instant, instant), follow_symlinks=False)

def walk(path):
    with os.scandir(path) as entries:
        for entry in sorted(entries, key=lambda entry: entry.name):
            below = entry.name if path == b'.' else path + b'/' + entry.name
            if entry.is_dir(follow_symlinks=False):
                walk(below)
            else:
                stamp(below)
    stamp(path)

walk(b'.')
json.dump(left_out, sys.stdout)
`;
