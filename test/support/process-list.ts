/** What every user of this computer can see of a program and of those that it starts: their arguments. */
import { readFileSync } from 'node:fs';
import { systemClock } from '../../src/platform/clock.ts';

const everyMs = 25;

/** Notes the arguments of a process and all below it until the returned function is called, which gives them. */
export function watchArguments(pid: number): () => string[] {
  const seen = new Set<string>();
  const look = (each: number): void => {
    try {
      const text = readFileSync(`/proc/${each}/cmdline`, 'utf8').replaceAll('\0', ' ').trim();
      if (text !== '') seen.add(text);
      for (const child of readFileSync(`/proc/${each}/task/${each}/children`, 'utf8').split(' ')) if (child !== '') look(Number(child));
    } catch {
      // It has ended.
    }
  };
  look(pid);
  const stop = systemClock.every(everyMs, () => look(pid));
  return () => {
    stop();
    return [...seen];
  };
}
