/**
 * One node of a tree blob: its fields in any order, unknown ones skipped (the node's `raw` keeps them), a later field of the same
 * name wins, `null` is as good as absent. Source: restic 0.18, Node.UnmarshalJSON; Go, encoding/json.
 */

import { unquoteName } from './go-quote.ts';
import { parseTimeBytes, ZERO_TIME_NS } from './go-time.ts';
import type { JsonScanner } from './json-scan.ts';
import type { ExtendedAttribute, Node, NodeType } from './node.ts';
import { IdReader } from './read-ids.ts';

const ascii = (text: string): Buffer => Buffer.from(text, 'latin1');

const XATTR_NAME = ascii('name');
const XATTR_VALUE = ascii('value');

const OPEN_BRACE = 0x7b;
const CLOSE_BRACE = 0x7d;
const OPEN_BRACKET = 0x5b;
const CLOSE_BRACKET = 0x5d;
const COLON = 0x3a;
const COMMA = 0x2c;
const DOT = 0x2e;
const SLASH = 0x2f;

const UINT32_MAX = 0xffff_ffff;
const EMPTY: Buffer = Buffer.alloc(0);
const NO_XATTRS: readonly ExtendedAttribute[] = [];

const TYPES = (['file', 'dir', 'symlink', 'dev', 'chardev', 'fifo', 'socket', 'irregular'] as const satisfies readonly NodeType[]).map(
  (type) => ({ type, word: ascii(type) }),
);

class ParsedNode implements Node {
  name: Buffer = EMPTY;
  type: NodeType = 'file';
  mode = 0;
  mtimeNs = ZERO_TIME_NS;
  atimeNs = ZERO_TIME_NS;
  ctimeNs = ZERO_TIME_NS;
  uid = 0;
  gid = 0;
  user = '';
  group = '';
  inode = 0n;
  deviceId = 0n;
  size = 0;
  links = 0;
  linkTarget: Buffer | undefined = undefined;
  xattrs = NO_XATTRS;
  genericAttributes: string | undefined = undefined;
  device = 0n;
  content: Buffer | null = null;
  subtree: Buffer | null = null;
  error: string | undefined = undefined;
  raw: Uint8Array = EMPTY;
}

/** Reads the value of one field, which is not null, into `node`. */
type ReadField = (reader: NodeReader, node: ParsedNode) => void;

const FIELDS: Readonly<Record<string, ReadField>> = {
  name: (reader, node) => void (node.name = reader.name()),
  type: (reader, node) => void (node.type = reader.type()),
  mode: (reader, node) => void (node.mode = reader.scan.uint(UINT32_MAX)),
  mtime: (reader, node) => void (node.mtimeNs = reader.time()),
  atime: (reader, node) => void (node.atimeNs = reader.time()),
  ctime: (reader, node) => void (node.ctimeNs = reader.time()),
  uid: (reader, node) => void (node.uid = reader.scan.uint(UINT32_MAX)),
  gid: (reader, node) => void (node.gid = reader.scan.uint(UINT32_MAX)),
  user: (reader, node) => void (node.user = reader.repeatedText(reader.lastUser)),
  group: (reader, node) => void (node.group = reader.repeatedText(reader.lastGroup)),
  inode: (reader, node) => void (node.inode = reader.scan.uint64()),
  device_id: (reader, node) => void (node.deviceId = reader.scan.uint64()),
  size: (reader, node) => void (node.size = reader.scan.uint(Number.MAX_SAFE_INTEGER)),
  links: (reader, node) => void (node.links = reader.scan.uint(Number.MAX_SAFE_INTEGER)),
  linktarget: (reader, node) => reader.linkTarget(node),
  linktarget_raw: (reader, node) => reader.rawLinkTarget(node),
  extended_attributes: (reader, node) => void (node.xattrs = reader.xattrs()),
  generic_attributes: (reader, node) => void (node.genericAttributes = reader.genericAttributes()),
  device: (reader, node) => void (node.device = reader.scan.uint64()),
  content: (reader, node) => void (node.content = reader.ids.list()),
  subtree: (reader, node) => void (node.subtree = reader.ids.one()),
  error: (reader, node) => void (node.error = reader.text() || undefined),
};

/** Length and first letter tell the known fields apart; the rest of the name is then compared. */
const fieldSlot = (length: number, first: number): number => length * 32 + (first & 31);

interface Field {
  readonly word: Buffer;
  readonly read: ReadField;
}

/** Names of this length and more are unknown. */
const LONGEST_FIELD = 32;

/** The fields that are read; all others are skipped. */
export type FieldSet = readonly (Field | undefined)[];

/** The fields with these names in the stored JSON, and those that tell what a node is. */
export function fieldSet(names: readonly string[]): FieldSet {
  const table: (Field | undefined)[] = Array.from({ length: fieldSlot(LONGEST_FIELD, 0) }, () => undefined);
  for (const name of new Set([...names, 'name', 'type', 'content', 'subtree']))
    table[fieldSlot(name.length, name.charCodeAt(0))] = { word: ascii(name), read: FIELDS[name] };
  return table;
}

const allFields = fieldSet(Object.keys(FIELDS));

/** What tells whether an entry has changed since it was stored. */
export const identifyingFields: FieldSet = fieldSet(['size', 'mtime', 'ctime', 'inode', 'device_id']);

/** A text that was read before, and where: neighbours mostly have the same owner. */
interface LastText {
  start: number;
  end: number;
  text: string;
}

/** Reads the nodes of one tree blob; keeps what neighbours have in common. */
export class NodeReader {
  readonly scan: JsonScanner;
  readonly lastUser: LastText = { start: 0, end: 0, text: '' };
  readonly lastGroup: LastText = { start: 0, end: 0, text: '' };
  #lastTimeStart = 0;
  #lastTimeEnd = -1;
  #lastTime = 0n;
  #hasType = false;
  #hasRawTarget = false;
  readonly ids: IdReader;
  readonly #fields: FieldSet;

  constructor(scan: JsonScanner, fields: FieldSet = allFields) {
    this.scan = scan;
    this.#fields = fields;
    this.ids = new IdReader(scan);
  }

  /** The next value as a node, which has a sound name, a type, and content or subtree where it needs them. */
  node(): ParsedNode {
    const { scan } = this;
    const node = new ParsedNode();
    this.#hasType = false;
    this.#hasRawTarget = false;
    scan.expect(OPEN_BRACE);
    const start = scan.pos - 1;
    if (!scan.take(CLOSE_BRACE)) {
      do this.#field(node);
      while (scan.take(COMMA));
      scan.expect(CLOSE_BRACE);
    }
    if (node.name.length === 0) scan.refuse('an entry has no name', start);
    if (!this.#hasType) scan.refuse('an entry has no type', start);
    if (node.type === 'file' && node.content === null) scan.refuse('a file has no content', start);
    if (node.type === 'dir' && node.subtree === null) scan.refuse('a folder has no subtree', start);
    node.raw = scan.bytes.subarray(start, scan.pos);
    return node;
  }

  #field(node: ParsedNode): void {
    const { scan } = this;
    scan.string();
    const read = this.#reader();
    scan.expect(COLON);
    if (read === undefined) scan.skipValue();
    else if (!scan.takeNull()) read(this, node);
  }

  /** What reads the field whose name was read last; undefined if the field is unknown. */
  #reader(): ReadField | undefined {
    const { scan } = this;
    if (scan.escaped) {
      const name = scan.stringBytes();
      const field = name.length < LONGEST_FIELD ? this.#fields[fieldSlot(name.length, name[0])] : undefined;
      return field?.word.equals(name) ? field.read : undefined;
    }
    const length = scan.end - scan.start;
    const field = length < LONGEST_FIELD ? this.#fields[fieldSlot(length, scan.bytes[scan.start])] : undefined;
    return field !== undefined && scan.matches(field.word) ? field.read : undefined;
  }

  name(): Buffer {
    const { scan } = this;
    scan.string();
    const at = scan.start;
    const name = unquoteName(scan.stringBytes()) ?? scan.refuse('a name is malformed', at);
    for (let i = 0; i < name.length; i++) {
      if (name[i] === SLASH || name[i] === 0) scan.refuse('a name holds a character that no name can hold', at);
    }
    const isDots = name[0] === DOT && (name.length === 1 || (name.length === 2 && name[1] === DOT));
    if (isDots || name.length === 0) scan.refuse('a name is empty, “.” or “..”', at);
    return name;
  }

  type(): NodeType {
    this.scan.string();
    this.#hasType = true;
    for (const { type, word } of TYPES) {
      if (this.scan.matches(word)) return type;
    }
    return this.scan.refuse('an entry has an unknown type', this.scan.start);
  }

  /** A time; the same text as the time before it is not read twice. */
  time(): bigint {
    const { scan } = this;
    scan.string();
    const { bytes, start, end } = scan;
    if (!sameBytes(bytes, this.#lastTimeStart, this.#lastTimeEnd, start, end)) {
      this.#lastTime = parseTimeBytes(bytes, start, end) ?? scan.refuse('a time is malformed', start);
      this.#lastTimeStart = start;
      this.#lastTimeEnd = end;
    }
    return this.#lastTime;
  }

  text(): string {
    this.scan.string();
    return this.scan.stringBytes().toString('utf8');
  }

  repeatedText(last: LastText): string {
    const { scan } = this;
    scan.string();
    const { start, end } = scan;
    if (!sameBytes(scan.bytes, last.start, last.end, start, end)) {
      last.text = scan.stringBytes().toString('utf8');
      last.start = start;
      last.end = end;
    }
    return last.text;
  }

  linkTarget(node: ParsedNode): void {
    this.scan.string();
    if (!this.#hasRawTarget) node.linkTarget = this.scan.stringBytes();
  }

  rawLinkTarget(node: ParsedNode): void {
    node.linkTarget = this.#base64();
    this.#hasRawTarget = true;
  }

  #base64(): Buffer {
    const { scan } = this;
    scan.string();
    const text = scan.stringBytes().toString('latin1');
    if (text.length % 4 !== 0 || !/^[A-Za-z0-9+/]*={0,2}$/.test(text)) scan.refuse('base64 is malformed', scan.start);
    return Buffer.from(text, 'base64');
  }

  xattrs(): readonly ExtendedAttribute[] {
    const { scan } = this;
    scan.expect(OPEN_BRACKET);
    if (scan.take(CLOSE_BRACKET)) return NO_XATTRS;
    const xattrs: ExtendedAttribute[] = [];
    do xattrs.push(this.#xattr());
    while (scan.take(COMMA));
    scan.expect(CLOSE_BRACKET);
    return xattrs;
  }

  #xattr(): ExtendedAttribute {
    const { scan } = this;
    let name: Buffer = EMPTY;
    let value: Buffer | null = null;
    scan.expect(OPEN_BRACE);
    if (!scan.take(CLOSE_BRACE)) {
      do {
        scan.string();
        const isName = scan.matches(XATTR_NAME);
        const isValue = scan.matches(XATTR_VALUE);
        scan.expect(COLON);
        if (!isName && !isValue) {
          scan.skipValue();
        } else if (!scan.takeNull()) {
          if (isValue) {
            value = this.#base64();
          } else {
            scan.string();
            name = scan.stringBytes();
          }
        }
      } while (scan.take(COMMA));
      scan.expect(CLOSE_BRACE);
    }
    if (name.length === 0) scan.refuse('an extended attribute has no name');
    return { name, value };
  }

  genericAttributes(): string | undefined {
    const { scan } = this;
    if (scan.peek() !== OPEN_BRACE) scan.refuse('the generic attributes are no object');
    const start = scan.pos;
    scan.skipValue();
    const text = scan.bytes.toString('utf8', start, scan.pos);
    return /^\{\s*\}$/.test(text) ? undefined : text;
  }
}

function sameBytes(bytes: Uint8Array, startA: number, endA: number, startB: number, endB: number): boolean {
  const length = endA - startA;
  if (endB - startB !== length) return false;
  for (let i = length - 1; i >= 0; i--) {
    if (bytes[startA + i] !== bytes[startB + i]) return false;
  }
  return true;
}
