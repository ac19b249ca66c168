/**
 * What to do with an entry that exists already where a node shall be restored.
 *
 * - `always`: what is there becomes what the snapshot holds. Content that is the same already is compared, not written.
 * - `if-changed`: as `always`, but a file of the same size and modification time counts as the same.
 * - `if-newer`: only what is older than the snapshot's is replaced.
 * - `never`: what is there stays.
 * - `keep-both`: what is there stays, and what differs from it is restored beside it under another name (see beside.ts).
 */
import type { BigIntStats } from 'node:fs';
import { type Node, nodeType, type NodeType } from '../../repository/tree/node.ts';

export const overwritePolicies = ['always', 'if-changed', 'if-newer', 'never', 'keep-both'] as const;
export type OverwritePolicy = (typeof overwritePolicies)[number];

/**
 * - `create`: nothing is there. `replace`: what is there goes. `beside`: it stays and the restored one gets another name.
 * - `compare`: a file of the same size; its content decides between `replace` (or `beside`) and `same`.
 * - `same`: the content is there; only metadata is set. `keep`: nothing is touched.
 */
export type Action = 'create' | 'replace' | 'beside' | 'compare' | 'same' | 'keep';

/**
 * `existing` is what `lstat` says of the place, undefined when nothing is there. Not asked when both are folders, which are
 * always merged.
 */
export function decide(node: Node, existing: BigIntStats | undefined, policy: OverwritePolicy): Action {
  if (!existing) return 'create';
  if (policy === 'never') return 'keep';
  if (policy === 'if-newer' && node.mtimeNs <= existing.mtimeNs) return 'keep';
  const isFile = node.type === 'file' && existing.isFile();
  if (isFile && existing.size === BigInt(node.size))
    return policy === 'if-changed' && existing.mtimeNs === node.mtimeNs ? 'same' : 'compare';
  return policy === 'keep-both' ? 'beside' : 'replace';
}

export const typeOf = (stat: BigIntStats): NodeType => nodeType(Number(stat.mode));
