/** What a program asks of the system, as `strace -f -y` records it: each call with its place in the order of events. */
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';

/** A finished system call that did not fail. `start` and `end` are lines of the trace: a.end < b.start means "a was over when b began". */
export interface Call {
  readonly name: string;
  readonly text: string;
  readonly start: number;
  readonly end: number;
}

/** Whether processes can be traced here. */
export const canTrace = (): boolean => process.platform === 'linux' && spawnSync('strace', ['-f', 'true']).status === 0;

/** Runs the command, writes its trace of these calls to `log`, and returns what it printed. Throws when it fails. */
export function traced(log: string, calls: readonly string[], command: readonly string[]): string {
  const args = ['-f', '-y', '-s', '300', '-o', log, '-e', `trace=${calls.join(',')}`, ...command];
  const { status, stdout, stderr } = spawnSync('strace', args, { encoding: 'utf8' });
  if (status !== 0) throw new Error(`${command.join(' ')} exited with ${status}:\n${stdout}${stderr}`);
  return stdout;
}

/** Reads a trace; a call that another thread's interrupts is split into two lines there. */
export function readTrace(log: string): Call[] {
  const calls: Call[] = [];
  const unfinished = new Map<string, { text: string; start: number }>();
  for (const [line, whole] of readFileSync(log, 'utf8').split('\n').entries()) {
    const [, thread = '', text = ''] = /^(\d+) +(.*)$/.exec(whole) ?? [];
    if (text.endsWith('<unfinished ...>')) {
      unfinished.set(thread, { text: text.slice(0, -'<unfinished ...>'.length), start: line });
      continue;
    }
    const resumed = /^<\.\.\. \w+ resumed>(.*)$/.exec(text);
    const begun = resumed ? unfinished.get(thread) : undefined;
    const full = begun ? begun.text + resumed![1]! : text;
    const name = /^(\w+)\(/.exec(full)?.[1];
    if (name !== undefined && !/= -1 /.test(full)) calls.push({ name, text: full, start: begun?.start ?? line, end: line });
  }
  return calls;
}
