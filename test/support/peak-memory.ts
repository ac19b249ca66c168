import { readFileSync } from 'node:fs';

/**
 * The most memory that this process ever had resident, in MB. Not what `resourceUsage` tells: that keeps the peak of the process
 * it was forked from, which for a moment it was a copy of. See proc(5), VmHWM, and getrusage(2).
 */
export const peakMemoryMb = (): number => Number(/^VmHWM:\s*(\d+) kB$/m.exec(readFileSync('/proc/self/status', 'utf8'))![1]) / 1024;
