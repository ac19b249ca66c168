/**
 * A folder's entries in short, as the catalogue wants them: what a tree blob says without what only a restore needs, in a form that is
 * written and read without an object for each entry.
 *
 * An entry is, in little-endian: type (u8, its place in `nodeTypes`), permissions (u16), size (f64), time of change (f64 seconds since
 * 1970, rounded down, and u32 nanoseconds), mark of the content (u16 and u32, 48 bits), length of the name (u32), the name, and of a
 * folder the ID of its tree.
 */
import { hash } from 'node:crypto';
import { idBytes } from '../../repository/ids.ts';
import { type Node, type NodeType, unixMode } from '../../repository/tree/node.ts';

/** In the order of their numbers, which are stored: new ones go to the end. */
export const nodeTypes = ['file', 'dir', 'symlink', 'dev', 'chardev', 'fifo', 'socket', 'irregular'] as const satisfies readonly NodeType[];
export const folderType = nodeTypes.indexOf('dir');
const typeNumbers = new Map<NodeType, number>(nodeTypes.map((type, number) => [type, number]));

const fixedBytes = 1 + 2 + 8 + 8 + 4 + 6 + 4;
const billion = 1_000_000_000n;

/** The fields of a stored node that a listing needs. */
export const listingFields = ['mode', 'mtime', 'size', 'linktarget', 'linktarget_raw', 'device'];

/** Collects entries. */
export class ListingWriter {
  #bytes = Buffer.allocUnsafeSlow(64 << 10);
  #length = 0;

  get length(): number {
    return this.#length;
  }

  add(node: Node): void {
    const { name, subtree } = node;
    const isFolder = subtree !== null;
    let at = this.#room(fixedBytes + name.length + (isFolder ? idBytes : 0));
    const bytes = this.#bytes;
    bytes[at] = typeNumbers.get(node.type)!;
    bytes.writeUInt16LE(unixMode(node.mode, node.type) & 0o7777, at + 1);
    bytes.writeDoubleLE(node.type === 'file' ? node.size : 0, at + 3);
    const nanos = ((node.mtimeNs % billion) + billion) % billion;
    bytes.writeDoubleLE(Number((node.mtimeNs - nanos) / billion), at + 11);
    bytes.writeUInt32LE(Number(nanos), at + 19);
    bytes.writeUIntLE(contentMark(node), at + 23, 6);
    bytes.writeUInt32LE(name.length, at + 29);
    at += fixedBytes;
    bytes.set(name, at);
    if (isFolder) bytes.set(subtree, at + name.length);
  }

  /** Takes back what was written behind this length. */
  cut(length: number): void {
    this.#length = length;
  }

  /** All of it, in memory of its own. */
  take(): Uint8Array<ArrayBuffer> {
    const taken = new Uint8Array(this.#bytes.subarray(0, this.#length));
    this.#length = 0;
    return taken;
  }

  #room(bytes: number): number {
    const at = this.#length;
    this.#length += bytes;
    if (this.#length > this.#bytes.length) {
      const larger = Buffer.allocUnsafeSlow(Math.max(this.#bytes.length * 2, this.#length));
      larger.set(this.#bytes.subarray(0, at));
      this.#bytes = larger;
    }
    return at;
  }
}

/** Tells contents apart: 48 bits of a hash of what the file is made of, where the link leads to, or what the device is. */
function contentMark({ type, content, linkTarget, device }: Node): number {
  if (type === 'file' && content !== null) {
    if (content.length === 0) return 0;
    return (content.length === idBytes ? content : hash('sha256', content, 'buffer')).readUIntLE(0, 6);
  }
  if (type === 'symlink' && linkTarget) return hash('sha256', linkTarget, 'buffer').readUIntLE(0, 6);
  return type === 'dev' || type === 'chardev' ? Number(device & 0xffff_ffff_ffffn) : 0;
}

/** Goes through a listing: its fields are those of the entry that `next` came to. */
export class ListingReader {
  readonly #bytes: Buffer;
  #at = 0;
  type = 0;
  mode = 0;
  size = 0;
  seconds = 0;
  nanos = 0;
  mark = 0;
  /** A view. */
  name: Buffer = Buffer.alloc(0);
  /** A view; of a folder. */
  tree: Buffer | undefined;

  constructor(bytes: Uint8Array) {
    this.#bytes = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  /** False at the end. */
  next(): boolean {
    const bytes = this.#bytes;
    let at = this.#at;
    if (at >= bytes.length) return false;
    this.type = bytes[at];
    this.mode = bytes.readUInt16LE(at + 1);
    this.size = bytes.readDoubleLE(at + 3);
    this.seconds = bytes.readDoubleLE(at + 11);
    this.nanos = bytes.readUInt32LE(at + 19);
    this.mark = bytes.readUIntLE(at + 23, 6);
    const length = bytes.readUInt32LE(at + 29);
    at += fixedBytes;
    this.name = bytes.subarray(at, at + length);
    at += length;
    const isFolder = this.type === folderType;
    this.tree = isFolder ? bytes.subarray(at, at + idBytes) : undefined;
    this.#at = isFolder ? at + idBytes : at;
    return true;
  }
}
