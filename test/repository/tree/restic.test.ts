/**
 * restic as the judge: what it stores for the nastiest folder is read and written again byte for byte, and what we make of the same
 * folder ourselves, from lstat alone, is the same tree with the same ID.
 */

import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { formatNode, formatTree } from '../../../src/repository/tree/format.ts';
import { isPrintable } from '../../../src/repository/tree/go-printable.ts';
import { localOffset, TimeFormat } from '../../../src/repository/tree/go-time.ts';
import { goMode, type Node, nodeType } from '../../../src/repository/tree/node.ts';
import { parseTree } from '../../../src/repository/tree/parse.ts';
import { buildNastyTree } from '../../support/nasty-tree.ts';
import { jsonLines, Restic } from '../../support/restic.ts';

const base = mkdtempSync(join(tmpdir(), 'holdfast-tree-'));
const folder = join(base, 'files');
const restic = new Restic(join(base, 'repository'), 'secret');
afterAll(() => rmSync(base, { recursive: true, force: true }));

const SMALLEST_CUT = 512 * 1024;
const sha256 = (bytes: Uint8Array): Buffer => createHash('sha256').update(bytes).digest();
const within = (path: Buffer, name: Buffer): Buffer => Buffer.concat([path, Buffer.from('/'), name]);

/** Names that hold every code point at which "printable" begins or ends, sixty to a name. */
function boundaryNames(): Buffer[] {
  const points: number[] = [];
  for (let point = 0x81; point <= 0x10ffff; point++) {
    if (isPrintable(point) !== isPrintable(point - 1)) points.push(point - 1, point);
  }
  const isCharacter = (point: number): boolean => point < 0xd800 || point > 0xdfff;
  const characters = points.filter(isCharacter).map((point) => String.fromCodePoint(point));
  return Array.from({ length: Math.ceil(characters.length / 60) }, (_, n) => Buffer.from(characters.slice(n * 60, n * 60 + 60).join('')));
}

function addNames(path: string): void {
  mkdirSync(path);
  const texts = [
    '<&>',
    '"',
    '\\',
    "'",
    ' ',
    '\n',
    '\u2028',
    '\u2029',
    '\u00a0',
    '\ufeff',
    '\ufffd',
    '\ue000',
    '\u{10ffff}',
    '😀',
    '𠀀',
    'e\u0301',
    '\\x41',
  ];
  const bytes = ['ff', 'c080', 'eda080', 'f4908080', 'e282', '61f09f98', 'efbfbdff', '01', '7f', 'c285'];
  const low = Array.from({ length: 126 }, (_, n) => n + 1).filter((byte) => byte !== 0x2f && byte !== 0x2e);
  const names = [
    ...boundaryNames(),
    ...texts.map((text) => Buffer.from(text)),
    ...bytes.map((hex) => Buffer.from(hex, 'hex')),
    Buffer.from(low),
  ];
  for (const [n, name] of names.entries()) {
    writeFileSync(within(Buffer.from(path), Buffer.concat([Buffer.from(`${n} `), name])), '');
    symlinkSync(name, within(Buffer.from(path), Buffer.concat([Buffer.from(`link ${n} `), name])));
  }
}

/** What Node cannot tell of the files below `folder`: owners' names and extended attributes, by the hex of the path. */
interface Facts {
  user: string;
  group: string;
  xattrs: [name: string, value: string][];
}
function readFacts(): Record<string, Facts> {
  const program = String.raw`
import grp, json, os, pwd, sys
def named(find, number):
    try: return find(number)[0]
    except KeyError: return ''
facts = {}
def add(path):
    s = os.lstat(path)
    names = os.listxattr(path, follow_symlinks=False)
    facts[path.hex()] = {'user': named(pwd.getpwuid, s.st_uid), 'group': named(grp.getgrgid, s.st_gid),
        'xattrs': [(os.fsencode(n).hex(), os.getxattr(path, n, follow_symlinks=False).hex()) for n in names]}
for root, folders, files in os.walk(os.fsencode(sys.argv[1])):
    for name in folders + files: add(os.path.join(root, name))
json.dump(facts, sys.stdout)`;
  const output = execFileSync('/usr/bin/python3', ['-c', program, folder], { maxBuffer: 1 << 28 });
  return JSON.parse(output.toString()) as Record<string, Facts>;
}

/** The node of `path` made from the file system alone; null for a socket. Big files' content, which is cut into chunks, comes from `theirs`. */
function nodeOf(path: Buffer, name: Buffer, facts: Facts, theirs: Map<string, Node>, time: TimeFormat): Node | null {
  const stat = lstatSync(path, { bigint: true });
  const type = nodeType(Number(stat.mode));
  if (type === 'socket') return null;
  const hasLinks = type === 'file' || type === 'symlink' || type === 'dev' || type === 'chardev';
  return {
    name,
    type,
    mode: goMode(Number(stat.mode)),
    mtimeNs: stat.mtimeNs,
    atimeNs: stat.mtimeNs,
    ctimeNs: stat.ctimeNs,
    uid: Number(stat.uid),
    gid: Number(stat.gid),
    user: facts.user,
    group: facts.group,
    inode: stat.ino,
    deviceId: BigInt.asUintN(64, stat.dev),
    size: type === 'file' ? Number(stat.size) : 0,
    links: hasLinks ? Number(stat.nlink) : 0,
    linkTarget: type === 'symlink' ? readlinkSync(path, 'buffer') : undefined,
    xattrs: facts.xattrs.map(([key, value]) => ({ name: Buffer.from(key, 'hex'), value: Buffer.from(value, 'hex') })),
    genericAttributes: undefined,
    device: type === 'dev' || type === 'chardev' ? BigInt.asUintN(64, stat.rdev) : 0n,
    content: type === 'file' ? contentOf(path, Number(stat.size), theirs) : null,
    subtree: type === 'dir' ? sha256(treeOf(path, theirs, time)) : null,
    error: undefined,
  };
}

function contentOf(path: Buffer, size: number, theirs: Map<string, Node>): Buffer {
  if (size === 0) return Buffer.alloc(0);
  if (size < SMALLEST_CUT) return sha256(readFileSync(path));
  return theirs.get(path.toString('hex'))?.content ?? Buffer.alloc(0);
}

let facts: Record<string, Facts>;

function treeOf(path: Buffer, theirs: Map<string, Node>, time: TimeFormat): Buffer {
  const names = readdirSync(path, 'buffer').sort(Buffer.compare);
  const nodes = names.map((name) => {
    const child = within(path, name);
    return nodeOf(child, name, facts[child.toString('hex')], theirs, time);
  });
  return formatTree(nodes.filter((node) => node !== null).map((node) => formatNode(node, time)));
}

/** The trees of a snapshot by their IDs, and the nodes by the hex of their paths; three levels, since each tree costs a run of restic. */
async function readSnapshot(root: string): Promise<{ trees: Map<string, Buffer>; nodes: Map<string, Node> }> {
  const trees = new Map<string, Buffer>();
  const nodes = new Map<string, Node>();
  const visit = async (id: string, path: Buffer, level: number): Promise<void> => {
    const blob = trees.get(id) ?? (await restic.cat('blob', id));
    trees.set(id, blob);
    for (const node of parseTree(blob, id)) {
      const child = within(path, node.name);
      nodes.set(child.toString('hex'), node);
      if (node.subtree && level < 3) await visit(node.subtree.toString('hex'), child, level + 1);
    }
  };
  await visit(root, Buffer.from(folder), 1);
  return { trees, nodes };
}

/** The ID of our own tree of the folder. */
const rootOf = (theirs: Map<string, Node>, time: TimeFormat): string => sha256(treeOf(Buffer.from(folder), theirs, time)).toString('hex');

/** Backs the folder up in the time zone `zone` and returns the ID of its tree. */
async function backup(zone: string): Promise<{ root: string; time: TimeFormat }> {
  vi.stubEnv('TZ', zone);
  const { stdout } = await restic.must(['backup', '--json', '--quiet', '--force', '.'], { cwd: folder });
  const summary = jsonLines(stdout).find((line) => line.message_type === 'summary');
  const [snapshot] = await restic.snapshots([String(summary?.snapshot_id)]);
  return { root: snapshot.tree, time: new TimeFormat(localOffset) };
}

/** Files from 1901, when some offsets were no whole minutes: restic's texts are wrong by seconds then, and ours right. */
const OLD = ['file 1901', 'folder 1901', 'symlink 1901'];
const moveOld = (from: string, to: string): void => OLD.forEach((name) => renameSync(join(from, name), join(to, name)));

beforeAll(async () => {
  await buildNastyTree(folder, { small: true, socket: true, farFuture: true });
  addNames(join(folder, 'more names'));
  facts = readFacts();
  await restic.init();
});

describe("restic's trees of the nastiest folder", () => {
  it('are written again byte for byte from what was read, and are what we make of the files ourselves', async () => {
    moveOld(join(folder, 'times'), base);
    const { root, time } = await backup('Asia/Kathmandu');
    const { trees, nodes } = await readSnapshot(root);
    expect(trees.size).toBeGreaterThan(20);
    expect(nodes.size).toBeGreaterThan(400);
    for (const blob of trees.values()) {
      const again = formatTree(parseTree(blob).map((node) => formatNode(node, time)));
      if (!again.equals(blob)) expect(again.toString()).toBe(blob.toString());
    }
    for (const [path, theirs] of nodes) {
      const ours = nodeOf(Buffer.from(path, 'hex'), theirs.name, facts[path], nodes, time);
      expect(ours && formatNode(ours, time)).toBe(Buffer.from(theirs.raw ?? []).toString());
    }
    expect(rootOf(nodes, time)).toBe(root);

    // In another zone only the texts of the times differ. These are zones of which the system and the engine know the same.
    for (const zone of ['America/St_Johns', 'Europe/London', 'Australia/Lord_Howe']) {
      const there = await backup(zone);
      expect(`${zone} ${rootOf(nodes, there.time)}`).toBe(`${zone} ${there.root}`);
    }

    moveOld(base, join(folder, 'times'));
    const inUtc = await backup('UTC');
    expect(rootOf(nodes, inUtc.time)).toBe(inUtc.root);
  });
});
