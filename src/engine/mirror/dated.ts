/** A mirror's folder of a day, to which what is no longer in the snapshot is moved, under the names that it had. */
import { type BigIntStats, lstatSync, mkdirSync } from 'node:fs';
import { joinPath, parentPath } from '../../platform/byte-paths.ts';
import type { Node } from '../../repository/tree/node.ts';
import type { FolderKeeper } from '../restore/keeping.ts';

export interface DatedTask {
  /** Of the day, within {@link DatedTask.own}. It is made when something comes into it. */
  readonly folder: Uint8Array;
  /** The mirror's own folder, which must be there. */
  readonly own: Uint8Array;
  /** The mirror. */
  readonly root: Uint8Array;
  /** Files that are replaced by another version are kept, too. */
  readonly replaced: boolean;
}

export function datedKeeper({ folder, own, root, replaced }: DatedTask): FolderKeeper {
  const keepOf = (path: Buffer): Buffer => {
    const keep = joinPath(Buffer.from(folder), path.subarray(root.length + (root.length === 1 ? 0 : 1)));
    // A mirror whose disk is gone is not made anew in the empty place.
    lstatSync(Buffer.from(own));
    mkdirSync(parentPath(keep), { recursive: true, mode: 0o700 });
    return keep;
  };
  return {
    defers: false,
    makes: (path: Buffer, existing: BigIntStats | undefined, node: Node) =>
      existing && (replaced || existing.isDirectory() || node.type === 'dir') ? keepOf(path) : undefined,
    takes: keepOf,
    facts: () => {},
  };
}
