/**
 * A node: one entry of a folder as a snapshot keeps it. A tree is the list of a folder's nodes, a tree blob is its JSON text.
 * Times are bigint nanoseconds since 1970; modes are Go's FileMode, not st_mode; IDs are bytes.
 * Source: restic 0.18, Node; Go, package io/fs (FileMode).
 */

export type NodeType = 'file' | 'dir' | 'symlink' | 'dev' | 'chardev' | 'fifo' | 'socket' | 'irregular';

export interface ExtendedAttribute {
  /** Raw bytes; JSON keeps only the UTF-8 among them. */
  readonly name: Buffer;
  /** restic tells an attribute without value (null) from an empty one. */
  readonly value: Buffer | null;
}

export interface Node {
  /** Raw bytes: need not be UTF-8. */
  name: Buffer;
  type: NodeType;
  /** Go FileMode, unsigned 32 bits; see {@link goMode}. */
  mode: number;
  mtimeNs: bigint;
  atimeNs: bigint;
  ctimeNs: bigint;
  uid: number;
  gid: number;
  user: string;
  group: string;
  /** st_ino, 64 bits. */
  inode: bigint;
  /** st_dev of the file system the entry is on, 64 bits. */
  deviceId: bigint;
  /** Bytes; files only. */
  size: number;
  /** Hard links; 0 on folders, fifos and sockets. */
  links: number;
  /** Raw bytes; symbolic links only. */
  linkTarget: Buffer | undefined;
  xattrs: readonly ExtendedAttribute[];
  /** The JSON object as text, compact and with sorted keys, never `{}`. */
  genericAttributes: string | undefined;
  /** st_rdev, 64 bits; devices only. */
  device: bigint;
  /** A file's data blobs: their IDs one after the other, 32 bytes each; empty for an empty file, null for what is no file. */
  content: Buffer | null;
  /** A folder's tree blob: 32 bytes; null for what is no folder. */
  subtree: Buffer | null;
  error: string | undefined;
  /** The JSON object that the node was parsed from: to be written again, byte for byte, when nothing changed. */
  raw?: Uint8Array;
}

const GO_DIR = 2 ** 31;
const GO_SYMLINK = 1 << 27;
const GO_DEVICE = 1 << 26;
const GO_FIFO = 1 << 25;
const GO_SOCKET = 1 << 24;
const GO_SETUID = 1 << 23;
const GO_SETGID = 1 << 22;
const GO_CHARDEV = 1 << 21;
const GO_STICKY = 1 << 20;
const GO_IRREGULAR = 1 << 19;

const S_SETUID = 0o4000;
const S_SETGID = 0o2000;
const S_STICKY = 0o1000;
const S_TYPE = 0o170000;

const TYPES: Readonly<Record<number, { readonly type: NodeType; readonly goBits: number }>> = {
  0o100000: { type: 'file', goBits: 0 },
  0o040000: { type: 'dir', goBits: GO_DIR },
  0o120000: { type: 'symlink', goBits: GO_SYMLINK },
  0o060000: { type: 'dev', goBits: GO_DEVICE },
  0o020000: { type: 'chardev', goBits: GO_DEVICE | GO_CHARDEV },
  0o010000: { type: 'fifo', goBits: GO_FIFO },
  0o140000: { type: 'socket', goBits: GO_SOCKET },
};
const IRREGULAR = { type: 'irregular', goBits: GO_IRREGULAR } as const;

const S_TYPES: Readonly<Record<NodeType, number>> = {
  file: 0o100000,
  dir: 0o040000,
  symlink: 0o120000,
  dev: 0o060000,
  chardev: 0o020000,
  fifo: 0o010000,
  socket: 0o140000,
  irregular: 0,
};

/** The node type that st_mode tells; a type POSIX does not know is `irregular`. */
export const nodeType = (stMode: number): NodeType => (TYPES[stMode & S_TYPE] ?? IRREGULAR).type;

/** Go's FileMode (unsigned) for an st_mode, with its type bits. */
export function goMode(stMode: number): number {
  let mode = stMode & 0o777;
  if (stMode & S_SETUID) mode |= GO_SETUID;
  if (stMode & S_SETGID) mode |= GO_SETGID;
  if (stMode & S_STICKY) mode |= GO_STICKY;
  return (mode | (TYPES[stMode & S_TYPE] ?? IRREGULAR).goBits) >>> 0;
}

/** st_mode for a node: permissions, setuid, setgid and sticky from its Go FileMode, the type bits from its type. */
export function unixMode(mode: number, type: NodeType): number {
  let stMode = (mode & 0o777) | S_TYPES[type];
  if (mode & GO_SETUID) stMode |= S_SETUID;
  if (mode & GO_SETGID) stMode |= S_SETGID;
  if (mode & GO_STICKY) stMode |= S_STICKY;
  return stMode;
}
