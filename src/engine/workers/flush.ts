/** Job: gives up the packs that are not full. */
import type { UnfinishedPack } from '../../repository/packer.ts';
import type { WorkerContext } from './context.ts';

export const flush = (_: undefined, context: WorkerContext): UnfinishedPack[] => context.takeUnfinished();
