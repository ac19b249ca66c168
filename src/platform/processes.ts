/** Whether other processes of this computer still run. */
import { readFileSync } from 'node:fs';

/** The largest process number that any system gives. */
const largestPid = 0x7fff_ffff;

/**
 * Whether the process `pid` runs on this computer. One that belongs to somebody else runs too. A zombie (ended, but not yet collected
 * by its parent, as stays behind in containers without an init) does not. What cannot be a process number does not.
 */
export function isProcessAlive(pid: number): boolean {
  // kill(2) takes 0 and negative numbers for groups of processes: these must never reach it.
  if (!Number.isInteger(pid) || pid <= 0 || pid > largestPid) return false;
  try {
    process.kill(pid, 0);
  } catch (thrown) {
    return (thrown as NodeJS.ErrnoException).code === 'EPERM';
  }
  return !isZombie(pid);
}

function isZombie(pid: number): boolean {
  if (process.platform !== 'linux') return false;
  try {
    // "pid (name) state …": the name may hold anything, parentheses too (proc_pid_stat(5)).
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
    const state = stat.charAt(stat.lastIndexOf(')') + 2);
    return state === 'Z' || state === 'X';
  } catch {
    return false;
  }
}
