/**
 * Reads what can be read of a folder's listing that is authentic and yet not as it should be: written so by a program with a
 * defect. Entries that are sound are kept whatever stands beside them.
 */
import { fail, hasCode } from '../../contract/errors.ts';
import { unquoteName } from '../../repository/tree/go-quote.ts';
import { JsonScanner } from '../../repository/tree/json-scan.ts';
import type { Node } from '../../repository/tree/node.ts';
import { parseNode, parseTree } from '../../repository/tree/parse.ts';
import { type NodePatch, patchNode } from '../../repository/tree/patch-node.ts';

/** What a folder's listing holds that no entry can be made of, or not a whole one. */
export interface EntryFault {
  /** Undefined when not even that can be read. */
  readonly name: Buffer | undefined;
  readonly reason: string;
}

export interface LenientTree {
  /** Ascending by name; every node has its `raw`. */
  readonly nodes: readonly Node[];
  /** Empty when the listing is sound. */
  readonly faults: readonly EntryFault[];
}

const openBrace = 0x7b;
const openBracket = 0x5b;
const closeBracket = 0x5d;
const colon = 0x3a;
const comma = 0x2c;
const noContent = Buffer.alloc(0);

/** `bytes` must not change afterwards. `emptyTree`: the ID of the listing that stands for one that is not named at all. */
export function readTreeLeniently(bytes: Buffer, emptyTree: Uint8Array): LenientTree {
  try {
    return { nodes: parseTree(bytes), faults: [] };
  } catch (error) {
    if (!hasCode(error, 'tree-invalid')) throw error;
    const faults: EntryFault[] = [];
    const nodes: Node[] = [];
    for (const raw of rawNodes(bytes, faults)) {
      const node = readNode(raw, emptyTree, faults);
      if (node) nodes.push(node);
    }
    nodes.sort((a, b) => a.name.compare(b.name));
    const unique = nodes.filter((node, i) => {
      const isFirst = i === 0 || !nodes[i - 1].name.equals(node.name);
      if (!isFirst) faults.push({ name: node.name, reason: 'there is another entry of that name' });
      return isFirst;
    });
    // Whatever made it unsound, it is written anew.
    if (faults.length === 0) faults.push({ name: undefined, reason: String(error.context.reason) });
    return { nodes: unique, faults };
  }
}

/** The entries' JSON, up to where the text is cut off or no JSON any more. */
function* rawNodes(bytes: Buffer, faults: EntryFault[]): Generator<Buffer> {
  const scan = new JsonScanner(bytes, (reason, at) => fail('tree-invalid', { tree: '', reason, at }));
  try {
    scan.expect(openBrace);
    do {
      scan.string();
      const isNodes = scan.stringBytes().equals(Buffer.from('nodes'));
      scan.expect(colon);
      if (!isNodes || scan.peek() !== openBracket) {
        scan.skipValue();
        continue;
      }
      scan.expect(openBracket);
      if (scan.take(closeBracket)) continue;
      do {
        scan.peek();
        const start = scan.pos;
        scan.skipValue();
        yield bytes.subarray(start, scan.pos);
      } while (scan.take(comma));
      scan.expect(closeBracket);
    } while (scan.take(comma));
  } catch (error) {
    if (!hasCode(error, 'tree-invalid')) throw error;
    faults.push({ name: undefined, reason: String(error.context.reason) });
  }
}

function readNode(raw: Buffer, emptyTree: Uint8Array, faults: EntryFault[]): Node | undefined {
  let reason = '';
  const tries: readonly (NodePatch | undefined)[] = [undefined, { content: noContent, size: 0 }, { subtree: emptyTree }];
  for (const patch of tries) {
    try {
      const node = parseNode(patch ? patchNode(raw, patch) : raw);
      if (patch && node.type !== (patch.content ? 'file' : 'dir')) continue;
      if (patch) faults.push({ name: node.name, reason });
      return node;
    } catch (error) {
      if (!hasCode(error, 'tree-invalid')) throw error;
      reason ||= String(error.context.reason);
    }
  }
  faults.push({ name: nameOf(raw), reason });
  return undefined;
}

/** The name in an entry of which not much else can be read. */
function nameOf(raw: Buffer): Buffer | undefined {
  const scan = new JsonScanner(raw, (reason, at) => fail('tree-invalid', { tree: '', reason, at }));
  try {
    scan.expect(openBrace);
    do {
      scan.string();
      const isName = scan.stringBytes().equals(Buffer.from('name'));
      scan.expect(colon);
      if (isName) {
        scan.string();
        return unquoteName(scan.stringBytes());
      }
      scan.skipValue();
    } while (scan.take(comma));
  } catch (error) {
    if (!hasCode(error, 'tree-invalid')) throw error;
  }
  return undefined;
}
