/** A folder that a walk could not go through, while it goes on with the others. */
import { type ErrorJSON, fail, hasCode, type HoldfastError } from '../../contract/errors.ts';
import type { WorkerContext } from '../workers/context.ts';
import { isDamage } from './damage-codes.ts';

/** A folder whose tree cannot be read, or not to its end: it is known, what is in it is not. */
export interface FolderProblem {
  readonly path: Uint8Array;
  readonly error: ErrorJSON;
}

/** In bytes; twice what Linux takes. Walks hold the path of each folder on the way, which must not add up to gigabytes. */
export const longestPath = 8192;

export const tooDeep = (tree: Uint8Array): never =>
  fail('tree-invalid', { tree: Buffer.from(tree).toString('hex'), reason: 'it lies deeper than any path leads' });

/** Whether an error is about this one tree, so that a walk goes on: when the destination itself is gone, it must not. */
export const isTreeDamage = (error: unknown, context: WorkerContext): error is HoldfastError =>
  isDamage(error) && !hasCode(error, 'key-invalid') && (!error.retryable || context.answers());
