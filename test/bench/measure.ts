/** Runs a program and measures it from outside: wall time, and the memory of the whole process at its highest. */
import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { systemClock } from '../../src/platform/clock.ts';

export interface Measured {
  /** Milliseconds. */
  readonly wall: number;
  /** Bytes. */
  readonly memory: number;
}

export interface Command {
  readonly program: string;
  readonly args: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
}

const sampleMs = 10;

/** The kernel's high-water mark of a process; undefined when it has ended. Threads count, child processes do not: neither program has any. */
function highWater(pid: number): number | undefined {
  try {
    const line = /^VmHWM:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'));
    return line ? Number(line[1]) * 1024 : undefined;
  } catch {
    return undefined;
  }
}

/** Throws when the command fails: a figure from a failed run means nothing. */
export async function measure({ program, args, env }: Command): Promise<Measured> {
  const began = systemClock.monotonic();
  const child = spawn(program, args, { env: { ...process.env, ...env }, stdio: ['ignore', 'ignore', 'pipe'] });
  let memory = 0;
  const stop = systemClock.every(sampleMs, () => {
    memory = Math.max(memory, highWater(child.pid!) ?? 0);
  });
  let errors = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => (errors += text));
  const code = await new Promise<number | null>((resolve, reject) => child.once('error', reject).once('close', resolve));
  const wall = systemClock.monotonic() - began;
  stop();
  if (code !== 0) throw new Error(`${program} ${args.join(' ')} ended with ${code}:\n${errors}`);
  return { wall, memory };
}

export const median = (values: readonly number[]): number => {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
};
