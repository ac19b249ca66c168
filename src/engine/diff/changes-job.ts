/** Job: the next changes between two folders, in the order of their paths. */
import type { SharedTableMemory } from '../../repository/shared-table.ts';
import type { Node } from '../../repository/tree/node.ts';
import type { WorkerContext } from '../workers/context.ts';
import { type ChangeBatch, ChangeBatchBuilder } from './change.ts';
import { differingMetadata } from './metadata.ts';
import { addEntry, type EntryFigures, noEntries } from './figures.ts';
import { MoveTable, type Side } from './move-table.ts';
import { type DiffFrame, type DiffVisitor, type FrameState, type WalkedOn, walkOn } from './walk.ts';

export interface ChangesArgs {
  readonly frames: readonly DiffFrame[];
  /** Settled; undefined when moves do not matter. */
  readonly moves: SharedTableMemory | undefined;
  /** Whether changes of nothing but metadata are told; they are counted in any case. */
  readonly metadata: boolean;
  readonly atMost: number;
}

export interface FoundChanges extends WalkedOn {
  readonly batch: ChangeBatch;
  readonly figures: EntryFigures;
}

const mostPlaces = 100_000;

export function findChanges({ frames, moves, metadata, atMost }: ChangesArgs, context: WorkerContext): FoundChanges {
  const changes = new Changes(moves && MoveTable.attach(moves), metadata, atMost);
  const walked = walkOn(frames, context, changes);
  return { ...walked, batch: changes.batch.take(), figures: changes.figures };
}

class Changes implements DiffVisitor {
  readonly batch = new ChangeBatchBuilder();
  readonly figures = noEntries();
  readonly #moves: MoveTable | undefined;
  readonly #metadata: boolean;
  readonly #atMost: number;
  #places = 0;

  constructor(moves: MoveTable | undefined, metadata: boolean, atMost: number) {
    this.#moves = moves;
    this.#metadata = metadata;
    this.#atMost = atMost;
  }

  isEnough(): boolean {
    return this.batch.length >= this.#atMost || this.#places >= mostPlaces;
  }

  both(path: Buffer, before: Node, after: Node): void {
    this.#places += 1;
    const metadata = differingMetadata(before, after);
    const { figures } = this;
    if (before.type !== after.type) {
      figures.retyped += 1;
      this.batch.add({ kind: 'type', path, before, after, metadata });
    } else if (before.content && after.content && !before.content.equals(after.content)) {
      figures.content.files += 1;
      figures.content.bytesBefore += before.size;
      figures.content.bytesAfter += after.size;
      this.batch.add({ kind: 'content', path, before, after, metadata });
    } else if (metadata !== 0) {
      figures.metadataOnly += 1;
      if (this.#metadata) this.batch.add({ kind: 'metadata', path, before, after, metadata });
    }
  }

  one(path: Buffer, node: Node, side: Side, state: FrameState): FrameState | undefined {
    this.#places += 1;
    const { figures, batch } = this;
    if (state === 'moved') {
      addEntry(figures.moved, node);
      return 'moved';
    }
    const candidate = state === 'compare' ? this.#candidate(node) : -1;
    if (candidate >= 0 && this.#moves!.claim(candidate, side)) {
      // It is told where it is now.
      if (side === 1) return undefined;
      addEntry(figures.moved, node);
      batch.add({ kind: 'moved', path, after: node, move: candidate });
      return 'moved';
    }
    if (side === 1) {
      addEntry(figures.removed, node);
      batch.add({ kind: 'removed', path, before: node });
    } else {
      addEntry(figures.added, node);
      batch.add({ kind: 'added', path, after: node });
    }
    return candidate >= 0 ? 'plain' : state;
  }

  #candidate({ content, subtree }: Node): number {
    if (!this.#moves) return -1;
    return subtree ? this.#moves.treeCandidate(subtree) : content ? this.#moves.contentCandidate(content) : -1;
  }
}
