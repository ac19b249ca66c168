/** Job: goes on looking where the candidates for a move are; what lies in a folder that is one is not looked at. */
import { joinList } from '../../platform/byte-list.ts';
import type { SharedTableMemory } from '../../repository/shared-table.ts';
import type { WorkerContext } from '../workers/context.ts';
import { MoveTable } from './move-table.ts';
import { type DiffFrame, type WalkedOn, walkOn } from './walk.ts';

export interface CandidatesArgs {
  readonly frames: readonly DiffFrame[];
  readonly moves: SharedTableMemory;
}

export interface FoundCandidates extends WalkedOn {
  /** Candidates that were removed, in the order of their paths, and these paths as a joined list. */
  readonly removed: Uint32Array;
  readonly paths: Uint8Array;
  /** Candidates that were added. */
  readonly added: Uint32Array;
}

const mostFound = 5_000;
const mostPlaces = 100_000;

export function findCandidates({ frames, moves: memory }: CandidatesArgs, context: WorkerContext): FoundCandidates {
  const moves = MoveTable.attach(memory);
  const removed: number[] = [];
  const paths: Buffer[] = [];
  const added: number[] = [];
  let places = 0;
  const walked = walkOn(frames, context, {
    both: () => void places++,
    one: (path, { content, subtree }, side) => {
      places += 1;
      const candidate = subtree ? moves.treeCandidate(subtree) : content ? moves.contentCandidate(content) : -1;
      if (candidate < 0) return 'compare';
      if (side === 2) added.push(candidate);
      else {
        removed.push(candidate);
        paths.push(path);
      }
      return undefined;
    },
    isEnough: () => places >= mostPlaces || removed.length + added.length >= mostFound,
  });
  return { ...walked, removed: Uint32Array.from(removed), paths: joinList(paths), added: Uint32Array.from(added) };
}
