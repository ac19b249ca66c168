/**
 * Tree blobs → nodes. White space and unknown fields are tolerated, as restic does; what a tree must never hold is refused, since a
 * restore trusts the names and the order. Source: restic 0.18, Tree.
 */

import { fail } from '../../contract/errors.ts';
import { JsonScanner } from './json-scan.ts';
import type { Node } from './node.ts';
import { type FieldSet, NodeReader } from './read-node.ts';

/**
 * The nodes of the tree blob `bytes`, in order. Their buffers are views of `bytes`, which must not change afterwards.
 * `tree` is the blob's ID, for the words of the error. Throws as {@link TreeReader} does.
 */
export function parseTree(bytes: Uint8Array, tree = ''): Node[] {
  const reader = new TreeReader(bytes, tree);
  const nodes: Node[] = [];
  for (let node = reader.next(); node; node = reader.next()) nodes.push(node);
  return nodes;
}

const NODES = Buffer.from('nodes', 'latin1');

const OPEN_BRACE = 0x7b;
const CLOSE_BRACE = 0x7d;
const OPEN_BRACKET = 0x5b;
const CLOSE_BRACKET = 0x5d;
const COLON = 0x3a;
const COMMA = 0x2c;

/**
 * Reads a tree blob one node at a time, so that a folder of any number of entries takes little more memory than its text.
 *
 * Its functions throw `tree-invalid` for text that is not a whole JSON tree; names that are empty, `.` or `..`, hold `/` or NUL, or
 * are not strictly ascending by their bytes; unknown types; a file without content, a folder without subtree; malformed IDs, times,
 * base64; numbers out of range (a size or link count beyond 2^53 - 1 too); each when they come to it.
 */
export class TreeReader {
  readonly #scan: JsonScanner;
  readonly #nodes: NodeReader;
  #previous: Uint8Array = new Uint8Array(0);
  #state: 'new' | 'in list' | 'done' = 'new';

  /** As for {@link parseTree}. `fields`: those that the caller looks at, beside name, type and `raw`; the others stay empty. */
  constructor(bytes: Uint8Array, tree: string, fields?: FieldSet) {
    const view = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.#scan = new JsonScanner(view, (reason, at) => fail('tree-invalid', { tree, reason: `${reason}, at byte ${at}`, at }));
    this.#nodes = new NodeReader(this.#scan, fields);
  }

  /** The next node; undefined behind the last one, once the whole text is found to be sound. */
  next(): Node | undefined {
    const scan = this.#scan;
    if (this.#state === 'new') this.#begin();
    if (this.#state === 'done') return undefined;
    const node = this.#nodes.node();
    if (compareNames(this.#previous, node.name) >= 0) scan.refuse('names are not in ascending order', scan.pos - node.raw.length);
    this.#previous = node.name;
    if (!scan.take(COMMA)) {
      scan.expect(CLOSE_BRACKET);
      this.#end();
    }
    return node;
  }

  /** Goes to the first node. */
  #begin(): void {
    const scan = this.#scan;
    scan.expect(OPEN_BRACE);
    if (scan.take(CLOSE_BRACE)) scan.refuse('it holds no list', 0);
    while (!this.#isNodes()) {
      scan.skipValue();
      if (!scan.take(COMMA)) {
        scan.expect(CLOSE_BRACE);
        if (scan.peek() !== -1) scan.refuse('more text follows its end');
        scan.refuse('it holds no list', 0);
      }
    }
    if (scan.takeNull()) {
      this.#end();
      return;
    }
    scan.expect(OPEN_BRACKET);
    if (scan.take(CLOSE_BRACKET)) this.#end();
    else this.#state = 'in list';
  }

  /** Reads a field's name up to its value. */
  #isNodes(): boolean {
    const scan = this.#scan;
    scan.string();
    const isNodes = scan.matches(NODES);
    scan.expect(COLON);
    return isNodes;
  }

  /** Reads what follows the list. */
  #end(): void {
    const scan = this.#scan;
    this.#state = 'done';
    while (scan.take(COMMA)) {
      if (this.#isNodes()) scan.refuse('it holds two lists');
      scan.skipValue();
    }
    scan.expect(CLOSE_BRACE);
    if (scan.peek() !== -1) scan.refuse('more text follows its end');
  }
}

/** The order of names: by their bytes. */
function compareNames(a: Uint8Array, b: Uint8Array): number {
  const shorter = Math.min(a.length, b.length);
  for (let i = 0; i < shorter; i++) {
    if (a[i] !== b[i]) return a[i] - b[i];
  }
  return a.length - b.length;
}

/** One node from its JSON object (a node's `raw`). Throws `tree-invalid`. */
export function parseNode(raw: Uint8Array): Node {
  const view = Buffer.from(raw.buffer, raw.byteOffset, raw.byteLength);
  return new NodeReader(new JsonScanner(view, (reason, at) => fail('tree-invalid', { tree: '', reason, at }))).node();
}
