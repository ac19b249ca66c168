/** What becomes of an entry: compares what the snapshot holds with what is there, as the policy says. */
import { type BigIntStats, lstatSync, readlinkSync } from 'node:fs';
import { joinPath } from '../../platform/byte-paths.ts';
import type { Node } from '../../repository/tree/node.ts';
import type { WorkerContext } from '../workers/context.ts';
import type { BesideNames } from './beside.ts';
import { holdsContent } from './content.ts';
import { type Action, decide, type OverwritePolicy, typeOf } from './policy.ts';

export class Comparison {
  readonly #policy: OverwritePolicy;
  readonly #context: WorkerContext;

  constructor(policy: OverwritePolicy, context: WorkerContext) {
    this.#policy = policy;
    this.#context = context;
  }

  /** What becomes of an entry, of which `stat` says what is at its place; never `compare`. */
  actionFor(node: Node, place: Buffer, stat: BigIntStats | undefined): Exclude<Action, 'compare'> {
    const policy = this.#policy;
    const other = policy === 'keep-both' ? 'beside' : 'replace';
    const action = decide(node, stat, policy);
    // The name of a file that has others must not change them with it.
    if (
      stat &&
      stat.nlink > 1n &&
      node.type === 'file' &&
      node.links <= 1 &&
      policy !== 'keep-both' &&
      (action === 'compare' || action === 'same')
    )
      return 'replace';
    if (action === 'compare') return this.holds(node, place, stat!) ? 'same' : other;
    return action === other && stat && this.#isSame(node, place, stat) ? 'same' : action;
  }

  /** What an earlier run has restored in the folder `path` under another name than the node's. */
  restoredBefore(path: Buffer, names: BesideNames, node: Node): { path: Buffer; stat: BigIntStats } | undefined {
    for (const name of names.restoredBefore(node.name)) {
      const place = joinPath(path, name);
      const stat = lstatSync(place, { bigint: true, throwIfNoEntry: false });
      if (stat && (node.type === 'file' ? this.holds(node, place, stat) : this.#isSame(node, place, stat))) return { path: place, stat };
    }
    return undefined;
  }

  /** Whether at `place` is a file with the node's content. One that cannot be read counts as another. */
  holds(node: Node, place: Buffer, stat: BigIntStats): boolean {
    if (!stat.isFile() || stat.size !== BigInt(node.size)) return false;
    try {
      return holdsContent(place, node, this.#context) === true;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'EACCES') return false;
      throw error;
    }
  }

  /** For what has no content. */
  #isSame(node: Node, place: Buffer, stat: BigIntStats): boolean {
    if (node.type === 'file' || typeOf(stat) !== node.type) return false;
    if (node.type === 'symlink') return readlinkSync(place, { encoding: 'buffer' }).equals(node.linkTarget ?? Buffer.alloc(0));
    return node.type === 'fifo' || stat.rdev === node.device;
  }
}
