/**
 * What differs between two folders, entry by entry. Changes cross from workers in batches, like entries (see entry.ts).
 *
 * - An entry is *added* or *removed* when only one of the two has its path.
 * - Its *content* changed when both are files and their lists of blobs differ; its *type* when a file became a link and so on; else
 *   only its *metadata*, which is everything that a restore would set.
 * - It *moved* when a removed and an added entry are the same: files with the same content that is not empty, or folders with the
 *   same tree. Of a folder that moved nothing else is told.
 */
import type { Node } from '../../repository/tree/node.ts';
import { type Entry, type EntryBatch, EntryBatchBuilder, entriesOf } from '../entry.ts';
import { type MetadataField, metadataFields } from './metadata.ts';

export const changeKinds = ['added', 'removed', 'content', 'metadata', 'type', 'moved'] as const;
export type ChangeKind = (typeof changeKinds)[number];

export interface Change {
  readonly kind: ChangeKind;
  /** Within the second snapshot; of what was removed, within the first. */
  readonly path: Buffer;
  /** Where it was in the first snapshot; only of what moved. */
  readonly from: Buffer | undefined;
  /** Undefined for what was added or moved. */
  readonly before: Entry | undefined;
  /** Undefined for what was removed. */
  readonly after: Entry | undefined;
  /** What else differs when both have the path; of a folder, its own properties and not what it holds. */
  readonly metadata: readonly MetadataField[];
  /** The content differs and nothing else does, not even a time: either somebody set the times back, or the disk changed it. */
  readonly isSuspicious: boolean;
}

/** Many changes in one message. */
export interface ChangeBatch {
  /** Numbers of {@link changeKinds}. */
  readonly kinds: Uint8Array;
  /** Bits of {@link metadataFields}. */
  readonly metadata: Uint32Array;
  /** Of what moved: its number in the table of moves; of others 0. */
  readonly moves: Uint32Array;
  /** Of those that have one, in their order. */
  readonly before: EntryBatch;
  readonly after: EntryBatch;
}

export interface NewChange {
  readonly kind: ChangeKind;
  readonly path: Buffer;
  readonly before?: Node | undefined;
  readonly after?: Node | undefined;
  readonly metadata?: number;
  readonly move?: number;
}

/** Collects a batch. */
export class ChangeBatchBuilder {
  readonly #kinds: number[] = [];
  readonly #metadata: number[] = [];
  readonly #moves: number[] = [];
  readonly #before = new EntryBatchBuilder();
  readonly #after = new EntryBatchBuilder();

  get length(): number {
    return this.#kinds.length;
  }

  add({ kind, path, before, after, metadata = 0, move = 0 }: NewChange): void {
    this.#kinds.push(changeKinds.indexOf(kind));
    this.#metadata.push(metadata);
    this.#moves.push(move);
    if (before) this.#before.add(path, before);
    if (after) this.#after.add(path, after);
  }

  take(): ChangeBatch {
    return {
      kinds: Uint8Array.from(this.#kinds),
      metadata: Uint32Array.from(this.#metadata),
      moves: Uint32Array.from(this.#moves),
      before: this.#before.take(),
      after: this.#after.take(),
    };
  }
}

/**
 * `inFirst` gives the path in the first snapshot for one in the second, where they are compared. `from` tells the earlier path of what
 * moved, in the same terms, and is asked in the order of the changes.
 */
export function changesOf(batch: ChangeBatch, inFirst: (path: Buffer) => Buffer, from: (move: number) => Buffer): Change[] {
  const befores = entriesOf(batch.before).map((entry) => ({ ...entry, path: inFirst(entry.path) }));
  const afters = entriesOf(batch.after);
  let [nextBefore, nextAfter] = [0, 0];
  return Array.from(batch.kinds, (number, i) => {
    const kind = changeKinds[number];
    const before = kind === 'added' || kind === 'moved' ? undefined : befores[nextBefore++];
    const after = kind === 'removed' ? undefined : afters[nextAfter++];
    return {
      kind,
      path: (after ?? before)!.path,
      from: kind === 'moved' ? inFirst(from(batch.moves[i])) : undefined,
      before,
      after,
      metadata: metadataFields.filter((_, bit) => (batch.metadata[i] & (1 << bit)) !== 0),
      isSuspicious: kind === 'content' && batch.metadata[i] === 0,
    };
  });
}
