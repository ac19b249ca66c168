/**
 * The rules by which Holdfast is judged. Each function returns if its rule holds and throws an Error that shows the
 * differing lines if not. Nothing here knows Holdfast's code: rsync, Python and restic judge. Run as root, else owners,
 * devices and trusted attributes go unseen.
 */
import { spawn } from 'node:child_process';
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import type { BackupSummary, Restic, ResticSnapshot } from './restic.ts';
import { removeTree } from './tree-literal.ts';

const SHOWN_LINES = 40;
const SHOWN_OF_EACH = SHOWN_LINES / 2;

/**
 * Both folders hold the same: names, types, contents, modes, owners, nanosecond times (of folders and links too), hard
 * links, link targets, device numbers, extended attributes and access lists. Holes in files do not matter (see
 * `expectSparse`). Sockets in `source` are left out, as every backup leaves them out.
 *
 * rsync compares; then a listing made by Python repeats everything but the contents, so that no option of rsync, nor a
 * time or attribute that it treats leniently, hides a difference.
 */
export async function expectSameTree(source: string, restored: string): Promise<void> {
  const listing = JSON.parse(await python(COMPARE_TREES, source, restored)) as { differences: string[]; socketPatterns: string[] };
  const options = ['-aHAXni', '--delete', '--checksum', '--modify-window=-1', '--from0', '--exclude-from=-'];
  const patterns = Buffer.concat(listing.socketPatterns.map((pattern) => Buffer.from(`${pattern}00`, 'hex')));
  const rsync = await runTool('rsync', [...options, '--', `${resolve(source)}/`, `${resolve(restored)}/`], patterns);
  const lines = [...rsync.stdout.split('\n'), ...rsync.stderr.split('\n')].filter(Boolean);
  if (rsync.code !== 0) lines.unshift(`rsync exited with ${rsync.code}`);
  // Of a wholly different tree, some lines of both.
  const first = [...lines.slice(0, SHOWN_OF_EACH).map((line) => `rsync: ${line}`), ...listing.differences.slice(0, SHOWN_OF_EACH)];
  const rest = [...lines.slice(SHOWN_OF_EACH), ...listing.differences.slice(SHOWN_OF_EACH)];
  verdict(`${restored} differs from ${source}`, [...first, ...rest]);
}

/** Every file that has holes in `source` has about as many in `restored`: at most 5% of its size and 1 MiB more is allocated. */
export async function expectSparse(source: string, restored: string): Promise<void> {
  const differences = JSON.parse(await python(COMPARE_HOLES, source, restored)) as string[];
  verdict(`${restored} has lost the holes of ${source}`, differences);
}

export type CleanCheckOptions = {
  /** Checks beside the lock that a killed run has left. */
  noLock?: boolean;
  /** Accepts packs that no index names, which a killed run leaves behind and the next prune removes. */
  unindexedPacks?: boolean;
};

/** `restic check --read-data` exits with 0 and has nothing to remark, not even a hint. */
export async function expectCleanCheck(restic: Restic, options: CleanCheckOptions = {}): Promise<void> {
  const { code, stdout, stderr } = await restic.check({ readData: true, noLock: options.noLock ?? false });
  const lines = [...stdout.split('\n'), ...stderr.split('\n')].filter(Boolean);
  const wellSaid = lines.includes('no errors were found');
  const remarks = lines.filter(
    (line) => REMARK.test(line) && !NO_REMARK.test(line) && !(options.unindexedPacks && UNINDEXED_PACKS.test(line)),
  );
  if (code === 0 && wellSaid && remarks.length === 0 && stderr === '') return;
  verdict(
    `restic check --read-data exited with ${code} and is not content with ${restic.repository}`,
    lines.length > 0 ? lines : ['(no output)'],
  );
}

const NO_REMARK = /^no errors were found$/;
// restic's two lines about them, the second being "This is non-critical, you can run `restic prune` to correct this."
const UNINDEXED_PACKS = /^\d+ additional files were found in the repo|^This is non-critical, you can run `restic prune`/;
const REMARK =
  /additional files|non-critical|warn|error|hint|fatal|duplicate|not (referenced|found)|unused|mixed|orphan|missing|damaged|invalid|legacy|rebuild|repair|unlock/i;

/** Restores a snapshot (an ID or `latest`) that contains the folder `source`, with restic, and expects the same tree. */
export async function expectSnapshotRestores(restic: Restic, snapshot: string, source: string): Promise<void> {
  const target = mkdtempSync(join(tmpdir(), 'holdfast-restored-'));
  try {
    await restic.restore(snapshot, target);
    // The full path is rebuilt below the target, so that the source folder's own metadata is judged as well.
    await expectSameTree(source, join(target, resolve(source)));
  } finally {
    removeTree(target);
  }
}

export type NothingNewOptions = {
  /** The ID, or its beginning, of the snapshot to compare with. Default: the newest one of exactly these paths. */
  against?: string;
  /** Folders, besides those above the sources, whose direct entries may have changed meanwhile: absolute paths. */
  allowedTreePaths?: readonly string[];
};

/**
 * restic, reading every byte of the same files again (`backup --force`), cuts, names and encodes them exactly as the
 * repository already holds them: no new data blob, and no new tree blob but those of folders above the sources, which
 * may differ in nothing but their times.
 *
 * Leaves restic's snapshot in the repository and returns its summary: `snapshot_id` names it, for `restic.forget`.
 */
export async function expectNothingNew(restic: Restic, paths: readonly string[], options: NothingNewOptions = {}): Promise<BackupSummary> {
  const sources = paths.map((path) => resolve(path));
  const summary = await restic.backup(sources, { force: true });
  if (summary.data_blobs === 0 && summary.tree_blobs === 0) return summary;
  const snapshots = await restic.snapshots();
  const after = snapshots.find(({ id }) => id === summary.snapshot_id);
  const others = snapshots.filter((snapshot) => snapshot !== after);
  const before = reference(others, sources, options.against);
  if (!after) throw new Error(`restic lost the snapshot ${summary.snapshot_id} it has just made`);
  if (!before) throw new Error(`the repository has no snapshot ${options.against ?? `of ${sources.join(' ')}`} to compare with`);

  const comparison = new TreeComparison(restic, sources, options.allowedTreePaths ?? []);
  await comparison.compare('/', before.tree, after.tree);
  const problems = [...comparison.problems];
  if (summary.data_blobs !== 0) problems.unshift(`${summary.data_blobs} new data blobs, ${summary.data_added} bytes`);
  if (summary.tree_blobs > comparison.changed.length) {
    problems.push(`${summary.tree_blobs} new tree blobs, but only these trees differ: ${comparison.changed.join(' ') || '(none)'}`);
  }
  verdict(`restic backup --force of ${sources.join(' ')} found something new`, problems);
  return summary;
}

function reference(
  snapshots: readonly ResticSnapshot[],
  sources: readonly string[],
  against: string | undefined,
): ResticSnapshot | undefined {
  if (against !== undefined) return snapshots.find(({ id }) => id.startsWith(against));
  const wanted = [...sources].sort().join('\0');
  return snapshots.findLast(({ paths }) => [...paths].sort().join('\0') === wanted);
}

type TreeNode = { name: string; type: string; subtree?: string; [field: string]: unknown };

/** What may differ in the node of a folder above a source: its own entries change its times while tests run. */
const FIELDS_ABOVE_SOURCE = new Set(['mtime', 'atime', 'ctime', 'subtree']);
const SUBTREE_ONLY = new Set(['subtree']);

/** Walks two trees where their IDs differ, so it reads little. Names are compared as they stand in the tree blob (Go-quoted). */
class TreeComparison {
  readonly problems: string[] = [];
  readonly changed: string[] = [];
  readonly #restic: Restic;
  readonly #sources: readonly string[];
  readonly #allowed: readonly string[];

  constructor(restic: Restic, sources: readonly string[], allowed: readonly string[]) {
    this.#restic = restic;
    this.#sources = sources;
    this.#allowed = allowed;
  }

  async compare(path: string, before: string, after: string): Promise<void> {
    if (before === after) return;
    this.changed.push(path);
    const [old, fresh] = await Promise.all([this.#nodes(before), this.#nodes(after)]);
    let explained = false;
    for (const name of new Set([...old.keys(), ...fresh.keys()])) {
      const below = join(path, name);
      const a = old.get(name);
      const b = fresh.get(name);
      if (JSON.stringify(a) === JSON.stringify(b)) continue;
      explained = true;
      if (!this.#allowed.includes(path)) this.#report(below, a, b);
      if (a?.subtree !== undefined && b?.subtree !== undefined) await this.compare(below, a.subtree, b.subtree);
    }
    if (explained) return;
    this.problems.push(`${path}: the same entries are encoded as other bytes (tree ${before.slice(0, 8)}, restic's ${after.slice(0, 8)})`);
  }

  #report(path: string, before: TreeNode | undefined, after: TreeNode | undefined): void {
    if (!before || !after) {
      this.problems.push(`${path}: only in the ${before ? 'repository' : 'new snapshot'}`);
      return;
    }
    const aboveSource = this.#sources.some((source) => source.startsWith(`${path}/`));
    const ignored = aboveSource ? FIELDS_ABOVE_SOURCE : SUBTREE_ONLY;
    const shown = (node: TreeNode) => JSON.stringify(node, (key, value: unknown) => (ignored.has(key) ? undefined : value));
    if (shown(before) === shown(after)) return;
    const fields = [...new Set([...Object.keys(before), ...Object.keys(after)])].filter((field) => !ignored.has(field));
    const differing = fields.filter((field) => JSON.stringify(before[field]) !== JSON.stringify(after[field]));
    if (differing.length === 0) this.problems.push(`${path}: the fields stand in another order`);
    for (const field of differing) {
      this.problems.push(`${path}: ${field} is ${clip(before[field])} in the repository, ${clip(after[field])} for restic`);
    }
  }

  async #nodes(id: string): Promise<Map<string, TreeNode>> {
    const { nodes } = JSON.parse((await this.#restic.cat('blob', id)).toString()) as { nodes: TreeNode[] };
    return new Map(nodes.map((node) => [node.name, node]));
  }
}

function clip(value: unknown): string {
  const text = JSON.stringify(value) ?? 'absent';
  return text.length > 200 ? `${text.slice(0, 200)}…` : text;
}

function verdict(title: string, lines: readonly string[]): void {
  if (lines.length === 0) return;
  const more = lines.length > SHOWN_LINES ? [`… and ${lines.length - SHOWN_LINES} more`] : [];
  throw new Error([`${title}:`, ...lines.slice(0, SHOWN_LINES), ...more].join('\n  '));
}

type ToolRun = { code: number | null; stdout: string; stderr: string };

function runTool(command: string, args: readonly string[], input: string | Buffer): Promise<ToolRun> {
  const child = spawn(command, args, { stdio: ['pipe', 'pipe', 'pipe'], env: { ...process.env, LC_ALL: 'C' } });
  const stdout: Buffer[] = [];
  const stderr: Buffer[] = [];
  child.stdout.on('data', (piece: Buffer) => stdout.push(piece));
  child.stderr.on('data', (piece: Buffer) => stderr.push(piece));
  // A tool that fails early closes its input: its exit code tells more than the broken pipe.
  child.stdin.on('error', () => undefined);
  child.stdin.end(input);
  return new Promise((done, reject) => {
    child.on('error', reject);
    child.on('close', (code) => done({ code, stdout: Buffer.concat(stdout).toString(), stderr: Buffer.concat(stderr).toString() }));
  });
}

async function python(script: string, ...args: string[]): Promise<string> {
  const { code, stdout, stderr } = await runTool('/usr/bin/python3', ['-', ...args], script);
  if (code !== 0) throw new Error(`the comparison of ${args.join(' and ')} failed:\n${stderr}`);
  return stdout;
}

const COMPARE_TREES = String.raw`
import json, os, stat, sys

KINDS = {stat.S_IFREG: 'file', stat.S_IFDIR: 'folder', stat.S_IFLNK: 'symlink', stat.S_IFIFO: 'fifo', stat.S_IFCHR: 'chardev', stat.S_IFBLK: 'blockdev', stat.S_IFSOCK: 'socket'}

def listing(root):
    entries, groups = {}, {}
    def add(path, full):
        info = os.lstat(full)
        kind = KINDS[stat.S_IFMT(info.st_mode)]
        facts = {'type': kind, 'mode': oct(stat.S_IMODE(info.st_mode)), 'owner': '%d:%d' % (info.st_uid, info.st_gid), 'mtime': info.st_mtime_ns}
        facts['attributes'] = {repr(name): repr(os.getxattr(full, name, follow_symlinks=False)) for name in sorted(os.listxattr(full, follow_symlinks=False))}
        if kind in ('file', 'symlink'):
            facts['size'] = info.st_size
        if kind == 'symlink':
            facts['target'] = repr(os.readlink(full))
        if kind in ('chardev', 'blockdev'):
            facts['device'] = '%d:%d' % (os.major(info.st_rdev), os.minor(info.st_rdev))
        if kind != 'folder' and info.st_nlink > 1:
            facts['hard link of'] = repr(groups.setdefault((info.st_dev, info.st_ino), path))
        entries[path] = facts
        if kind == 'folder':
            for name in sorted(os.listdir(full)):
                add(path + b'/' + name, full + b'/' + name)
    add(b'.', root)
    return entries

source, restored = (listing(os.fsencode(path)) for path in sys.argv[1:3])
# The lone survivor of a group of links is like a file that never had another name within the tree.
for entries in (source, restored):
    names = [facts['hard link of'] for facts in entries.values() if 'hard link of' in facts]
    for facts in entries.values():
        if 'hard link of' in facts and names.count(facts['hard link of']) == 1:
            del facts['hard link of']
differences, patterns = [], []
for path in sorted(set(source) | set(restored)):
    a, b = source.get(path), restored.get(path)
    if a and a['type'] == 'socket' and b is None:
        # rsync takes a backslash as an escape only in patterns that hold a wildcard.
        pattern = path[1:]
        if any(letter in pattern for letter in b'*?['):
            for letter in (b'\\', b'*', b'?', b'['):
                pattern = pattern.replace(letter, b'\\' + letter)
        patterns.append(pattern.hex())
    elif a is None or b is None:
        differences.append('%r: %s' % (path, 'missing' if b is None else 'not in the source'))
    else:
        for fact in sorted(set(a) | set(b)):
            if a.get(fact) != b.get(fact):
                differences.append('%r: %s is %s, not %s' % (path, fact, b.get(fact), a.get(fact)))
json.dump({'differences': differences, 'socketPatterns': patterns}, sys.stdout)
`;

const COMPARE_HOLES = String.raw`
import json, os, stat, sys

source, restored = (os.fsencode(path) for path in sys.argv[1:3])
differences = []
for folder, _, names in os.walk(source):
    for name in names:
        path = os.path.join(folder, name)
        info = os.lstat(path)
        if stat.S_ISREG(info.st_mode) and info.st_blocks * 512 < info.st_size:
            there = os.path.relpath(path, source)
            allocated = os.lstat(os.path.join(restored, there)).st_blocks * 512
            if allocated > info.st_blocks * 512 + info.st_size // 20 + (1 << 20):
                differences.append('%r: %d of %d bytes are allocated, %d in the source' % (there, allocated, info.st_size, info.st_blocks * 512))
json.dump(differences, sys.stdout)
`;
