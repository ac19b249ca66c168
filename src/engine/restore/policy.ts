/**
 * What to do with an entry that exists already where a node shall be restored.
 *
 * - `always`: what is there becomes what the snapshot holds. Content that is the same already is compared, not written.
 * - `if-changed`: as `always`, but a file of the same size and modification time counts as the same.
 * - `if-newer`: only what is older than the snapshot's is replaced.
 * - `never`: what is there stays.
 * - `keep-both`: what is there stays, and a different file is restored beside it under another name.
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

/** `existing` is what `lstat` says of the place, undefined when nothing is there. Folders are not asked about when both are. */
export function decide(node: Node, existing: BigIntStats | undefined, policy: OverwritePolicy): Action {
  if (!existing) return 'create';
  if (policy === 'never') return 'keep';
  if (policy === 'if-newer' && node.mtimeNs <= existing.mtimeNs) return 'keep';
  const isFile = node.type === 'file' && existing.isFile();
  if (isFile && existing.size === BigInt(node.size)) return policy === 'if-changed' && existing.mtimeNs === node.mtimeNs ? 'same' : 'compare';
  return policy === 'keep-both' ? 'beside' : 'replace';
}

export const typeOf = (stat: BigIntStats): NodeType => nodeType(Number(stat.mode));

/** `name (restored 2026-11-20 14.05).ext`: another name for a file that is restored beside one that exists; at most 255 bytes. */
export function besideName(name: Buffer, stamp: string, attempt: number): Buffer {
  const dot = name.lastIndexOf(0x2e);
  const stem = dot > 0 ? name.subarray(0, dot) : name;
  const extension = dot > 0 && name.length - dot <= 20 ? name.subarray(dot) : Buffer.alloc(0);
  const addition = Buffer.from(attempt === 0 ? ` (restored ${stamp})` : ` (restored ${stamp}, ${attempt + 1})`);
  const base = extension.length > 0 ? stem : name;
  return Buffer.concat([base.subarray(0, 255 - addition.length - extension.length), addition, extension]);
}
