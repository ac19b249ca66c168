/** Whether a folder changed though nobody had told of it: its tree in the parent snapshot beside the one that a full scan made. */
import type { Node } from '../../repository/tree/node.ts';
import { parseNode, parseTree } from '../../repository/tree/parse.ts';
import { type Visit, visitOf } from './changed-folders.ts';

/**
 * @param before text of the parent's tree
 * @param names ascending, with their nodes (JSON)
 * @param visit what is known of the folder, which is neither changed nor whole
 */
export function hasMissedChange(
  before: Uint8Array,
  names: readonly Uint8Array[],
  nodes: readonly (string | Uint8Array)[],
  visit: Visit | undefined,
): boolean {
  const old = parseTree(before);
  if (old.length !== names.length) return true;
  return old.some((node, i) => {
    if (!node.name.equals(names[i])) return true;
    const raw = nodes[i];
    const bytes = typeof raw === 'string' ? Buffer.from(raw) : raw;
    if (Buffer.compare(bytes, node.raw!) === 0) return false;
    const below = visitOf(visit, node.name);
    const isKnown = node.type === 'dir' && (below?.isChanged === true || below?.isWhole === true);
    return !isKnown && isOther(node, parseNode(bytes));
  });
}

const compared = ['type', 'mode', 'uid', 'gid', 'inode', 'size', 'device'] as const;

/**
 * Whether more differs than what no event tells of: the names of owner and group, the number of the device, and how many other names a
 * file has, which changes the change time as well.
 */
function isOther(a: Node, b: Node): boolean {
  return (
    compared.some((field) => a[field] !== b[field]) ||
    a.mtimeNs !== b.mtimeNs ||
    !areSame(a.content, b.content) ||
    !areSame(a.linkTarget, b.linkTarget) ||
    a.xattrs.length !== b.xattrs.length ||
    a.xattrs.some(({ name, value }, i) => !name.equals(b.xattrs[i].name) || !areSame(value, b.xattrs[i].value))
  );
}

const areSame = (a: Uint8Array | null | undefined, b: Uint8Array | null | undefined): boolean =>
  a && b ? Buffer.compare(a, b) === 0 : !a === !b;
