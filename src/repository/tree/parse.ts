/**
 * Tree blobs → nodes. White space and unknown fields are tolerated, as restic does; what a tree must never hold is refused, since a
 * restore trusts the names and the order. Source: restic 0.18, Tree.
 */

import { fail } from '../../contract/errors.ts';
import { JsonScanner } from './json-scan.ts';
import type { Node } from './node.ts';
import { NodeReader } from './read-node.ts';

/**
 * The nodes of the tree blob `bytes`, in order. Their buffers are views of `bytes`, which must not change afterwards.
 * `tree` is the blob's ID, for the words of the error.
 *
 * Throws `tree-invalid` for text that is not a whole JSON tree; names that are empty, `.` or `..`, hold `/` or NUL, or are not
 * strictly ascending by their bytes; unknown types; a file without content, a folder without subtree; malformed IDs, times, base64;
 * numbers out of range (a size or link count beyond 2^53 - 1 too).
 */
export function parseTree(bytes: Uint8Array, tree = ''): Node[] {
  const view = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return readTree(new JsonScanner(view, (reason, at) => fail('tree-invalid', { tree, reason: `${reason}, at byte ${at}`, at })));
}

const NODES = Buffer.from('nodes', 'latin1');

const OPEN_BRACE = 0x7b;
const CLOSE_BRACE = 0x7d;
const OPEN_BRACKET = 0x5b;
const CLOSE_BRACKET = 0x5d;
const COLON = 0x3a;
const COMMA = 0x2c;

function readTree(scan: JsonScanner): Node[] {
  let nodes: Node[] | undefined;
  scan.expect(OPEN_BRACE);
  if (!scan.take(CLOSE_BRACE)) {
    do {
      scan.string();
      const isNodes = scan.matches(NODES);
      scan.expect(COLON);
      if (!isNodes) scan.skipValue();
      else if (nodes !== undefined) scan.refuse('it holds two lists');
      else nodes = scan.takeNull() ? [] : readNodes(scan);
    } while (scan.take(COMMA));
    scan.expect(CLOSE_BRACE);
  }
  if (scan.peek() !== -1) scan.refuse('more text follows its end');
  return nodes ?? scan.refuse('it holds no list', 0);
}

function readNodes(scan: JsonScanner): Node[] {
  const reader = new NodeReader(scan);
  const nodes: Node[] = [];
  scan.expect(OPEN_BRACKET);
  if (scan.take(CLOSE_BRACKET)) return nodes;
  let previous: Uint8Array = new Uint8Array(0);
  do {
    const node = reader.node();
    if (compareNames(previous, node.name) >= 0) scan.refuse('names are not in ascending order', scan.pos - node.raw.length);
    previous = node.name;
    nodes.push(node);
  } while (scan.take(COMMA));
  scan.expect(CLOSE_BRACKET);
  return nodes;
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
