/**
 * An entry of a snapshot as people and programs look at it: a node with its path, without what only a restore needs.
 * Entries cross from workers in batches: the facts as plain objects, all paths and link targets as one list of bytes.
 */
import { joinList, splitList } from '../platform/byte-list.ts';
import { type Node, type NodeType, unixMode } from '../repository/tree/node.ts';

export interface EntryFacts {
  readonly type: NodeType;
  /** st_mode: type, permissions, setuid, setgid and sticky. */
  readonly mode: number;
  /** Bytes; 0 for what is no file. */
  readonly size: number;
  readonly uid: number;
  readonly gid: number;
  /** '' where the name was unknown. */
  readonly user: string;
  readonly group: string;
  /** Nanoseconds since 1970. */
  readonly mtimeNs: bigint;
  readonly atimeNs: bigint;
  readonly ctimeNs: bigint;
  readonly inode: bigint;
  /** Hard links. */
  readonly links: number;
}

export interface Entry extends EntryFacts {
  /** Absolute, within the snapshot. */
  readonly path: Buffer;
  /** Of a symbolic link. */
  readonly linkTarget: Buffer | undefined;
}

export const factsOf = (node: Node): EntryFacts => ({
  type: node.type,
  mode: unixMode(node.mode, node.type),
  size: node.size,
  uid: node.uid,
  gid: node.gid,
  user: node.user,
  group: node.group,
  mtimeNs: node.mtimeNs,
  atimeNs: node.atimeNs,
  ctimeNs: node.ctimeNs,
  inode: node.inode,
  links: node.links,
});

/** Many entries in one message. */
export interface EntryBatch {
  readonly facts: readonly EntryFacts[];
  /** A joined list (byte-list.ts): of each entry the path, then the target of the link (empty for what is none). */
  readonly names: Uint8Array<ArrayBuffer>;
}

/** Collects a batch. */
export class EntryBatchBuilder {
  readonly #facts: EntryFacts[] = [];
  readonly #names: Uint8Array[] = [];

  get length(): number {
    return this.#facts.length;
  }

  add(path: Buffer, node: Node): void {
    this.#facts.push(factsOf(node));
    this.#names.push(path, node.linkTarget ?? nothing);
  }

  take(): EntryBatch {
    return { facts: this.#facts, names: joinList(this.#names) };
  }
}

const nothing = new Uint8Array(0);

export function entriesOf(batch: EntryBatch): Entry[] {
  const names = splitList(batch.names);
  return batch.facts.map((facts, i) => ({
    ...facts,
    path: names[i * 2],
    linkTarget: facts.type === 'symlink' ? names[i * 2 + 1] : undefined,
  }));
}
