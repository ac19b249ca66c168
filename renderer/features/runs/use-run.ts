/** One run, live: while it is at work from the service's state, after that as it was stored. */
import { useEffect, useState } from 'react';
import { isFinal, type Run, type RunProgress } from '../../../src/contract/run.ts';
import { api } from '../../api.ts';
import { onServiceEvent, useLive, useService } from '../../live.ts';

export interface LiveRun {
  /** Undefined until it is known. */
  readonly run: Run | undefined;
  readonly progress: RunProgress | undefined;
  readonly hasEnded: boolean;
  readonly error: unknown;
}

/** Follows the run of that number. */
export function useRun(id: number): LiveRun {
  const live = useService(({ runs }) => runs.find((run) => run.id === id));
  const progress = useService((state) => state.progress.find(({ run }) => run === id));
  const isConnected = useLive(({ connection }) => connection === 'open');
  const [stored, setStored] = useState<Run>();
  const [error, setError] = useState<unknown>();
  useEffect(() => {
    setStored(undefined);
    return onServiceEvent((event) => {
      if (event.type === 'run' && event.run.id === id) setStored(event.run);
    });
  }, [id]);
  useEffect(() => {
    if (!isConnected || live) return undefined;
    let isCurrent = true;
    api.runs.get({ id }).then(
      (run) => isCurrent && (setStored(run), setError(undefined)),
      (thrown: unknown) => isCurrent && setError(thrown),
    );
    return () => {
      isCurrent = false;
    };
  }, [id, isConnected, live]);
  const run = live ?? stored;
  return { run, progress, hasEnded: run !== undefined && isFinal(run.status), error: run ? undefined : error };
}
