/** What an undo run does: brings back what a restore has replaced, and removes what it has made. */
import { z } from 'zod';
import { executeUndo } from '../../engine/undo/undo.ts';
import { displayPath } from '../../platform/byte-paths.ts';
import { counted } from '../../platform/sizes.ts';
import type { Common } from '../parts.ts';
import type { TaskJob } from '../runs/task.ts';
import type { Outcome } from '../runs/work.ts';
import { problemOf, undoFolderOf } from './restore-job.ts';

const requestSchema = z.strictObject({ id: z.string() });

export async function workOnUndo({ run, options, log }: TaskJob, { state, profile }: Pick<Common, 'state' | 'profile'>): Promise<Outcome> {
  const { id } = requestSchema.parse(state.runDetails.request(run.id));
  const { figures, kept, problems } = await executeUndo(undoFolderOf(profile), id, options);
  const { putBack, removed, set } = figures;
  log('info', `${counted(putBack, 'entry', 'entries')} put back, ${removed} removed, of ${set} the properties set back.`);
  for (const { path, other } of kept)
    log(
      'info',
      `${displayPath(Buffer.from(path))} was changed since the restore: it stays${other ? ` as ${displayPath(Buffer.from(other))}` : ''}.`,
    );
  return {
    change: { status: problems.length > 0 ? 'completed-with-warnings' : 'succeeded' },
    problems: problems.map((problem) => {
      const { path, code, message } = problemOf(problem);
      return { path, code, message };
    }),
  };
}
