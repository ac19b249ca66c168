/** What a run's work tells of its progress, as clients are told. */
import type { RunProgress } from '../../contract/run.ts';
import type { Progress } from '../../engine/run.ts';

/** What is not known, or says nothing, is left out. */
export const runProgress = (
  run: number,
  { phase, items, bytes, totalItems, totalBytes, bytesPerSecond, secondsLeft, path }: Progress,
): RunProgress => ({
  run,
  phase,
  items,
  bytes,
  bytesPerSecond,
  ...(totalItems === undefined ? {} : { totalItems }),
  ...(totalBytes === undefined ? {} : { totalBytes }),
  ...(secondsLeft === undefined ? {} : { secondsLeft }),
  ...(path === '' ? {} : { path }),
});
