/** Backups that a person starts: when one does not begin, or fails, that is told on whatever screen they are. */
import type { Run } from '../../../src/contract/run.ts';
import { api } from '../../api.ts';
import { onServiceEvent } from '../../live.ts';
import { tellError } from '../../ui/messages.ts';

/** Those that have not ended yet. */
const started = new Set<number>();

/** Starts a backup of the plan, to one of its destinations where that is given. Throws what `runs.start` throws. */
export async function startBackup(what: { readonly plan: string; readonly destination?: string }): Promise<void> {
  const { id } = await api.runs.start(what);
  started.add(id);
  // It may have ended before this page knew its number.
  tellEnd(await api.runs.get({ id }));
}

function tellEnd({ id, ended, status, error }: Run): void {
  if (ended === null || !started.delete(id)) return;
  if (error && (status === 'failed' || status === 'skipped')) tellError(error);
}

onServiceEvent((event) => {
  if (event.type === 'run') tellEnd(event.run);
});
