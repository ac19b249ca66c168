/** What Linux tells of a process that goes on. See proc_pid_stat(5). */
import { readFileSync } from 'node:fs';

/** Linux counts the time of processes in these (sysconf(_SC_CLK_TCK)). */
export const ticksPerSecond = 100;

/** User and system time, in ticks. */
export function ticksOf(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1].split(' ');
  return Number(fields[11]) + Number(fields[12]);
}

export const residentBytes = (pid: number): number =>
  Number(/^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))![1]) * 1024;
