/** The worker's part of a restore that comes last: a folder's times and mode are set when nothing more is put into it. */
import { splitList } from '../../platform/byte-list.ts';
import { parseNode } from '../../repository/tree/parse.ts';
import { UndoLog, type UndoTask } from '../undo/log.ts';
import type { WorkerContext } from '../workers/context.ts';
import { applyMetadata } from './metadata.ts';
import type { RestoreProblem } from './walk-task.ts';

export interface FoldersTask {
  /** When an undo is recorded: it has to know which folders the run made. */
  readonly undo: UndoTask | undefined;
  /** Joined list: path, node as JSON, whether the run made it; each before what is in it. */
  readonly met: Uint8Array;
}

/** Job: sets the metadata of folders, the deepest first. A cancelled run does it too, so that no folder stays half made. */
export function finishFolders({ met, undo }: FoldersTask, context: WorkerContext): RestoreProblem[] {
  const problems: RestoreProblem[] = [];
  const items = splitList(met);
  if (undo) UndoLog.of(undo, context).made(items.filter((_, i) => i % 3 === 0 && items[i + 2][0] === 1));
  for (let i = items.length - 3; i >= 0; i -= 3) {
    const details = applyMetadata(items[i], parseNode(items[i + 1]), items[i + 2][0] !== 1);
    for (const detail of details) problems.push({ path: new Uint8Array(items[i]), kind: 'metadata', detail });
  }
  return problems;
}
