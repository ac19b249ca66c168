/** What Linux tells of a process that goes on. See proc_pid_stat(5). */
import { readFileSync } from 'node:fs';

/** Linux counts the time of processes in these (sysconf(_SC_CLK_TCK)). */
export const ticksPerSecond = 100;

/** User and system time, in ticks. */
export function ticksOf(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1].split(' ');
  return Number(fields[11]) + Number(fields[12]);
}

/** Processes that it has started. */
export const childrenOf = (pid: number): number[] =>
  readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').split(' ').filter(Boolean).map(Number);

/** Of all of them, in bytes; what they share, such as Node itself, counts once. See proc_pid_smaps_rollup(5). */
export function memoryOf(processes: readonly number[]): number {
  const each = processes.map((pid) => {
    const text = readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8');
    const kB = (name: string): number => Number(new RegExp(`^${name}:\\s+(\\d+) kB$`, 'm').exec(text)![1]);
    const own = kB('Private_Clean') + kB('Private_Dirty');
    return { own, shared: kB('Rss') - own };
  });
  return (each.reduce((sum, { own }) => sum + own, 0) + Math.max(...each.map(({ shared }) => shared))) * 1024;
}
