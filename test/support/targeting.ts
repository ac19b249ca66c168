/** Runs target-process.ts. */
import { type ChildProcess, spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { TargetReport } from './target-process.ts';

const program = fileURLToPath(new URL('target-process.ts', import.meta.url));

export interface TargetOptions {
  /** Number of the user and group that it runs as. */
  readonly user?: number;
  /** Put before the program, for example `['strace', '-f']`. */
  readonly under?: readonly string[];
}

export interface TargetRun {
  readonly child: ChildProcess;
  /** Resolves when it begins, or has ended. */
  readonly begun: Promise<void>;
  /** Undefined when it was killed; rejects when it failed. */
  readonly report: Promise<TargetReport | undefined>;
}

/** Begins a run; `request` as target-process.ts takes it. */
export function beginTarget(
  verb: 'restore' | 'mirror' | 'undo',
  folder: string,
  request: object,
  { user, under = [] }: TargetOptions = {},
): TargetRun {
  const [command, ...args] = [...under, process.execPath, program, verb, folder, JSON.stringify(request)];
  const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'pipe'], ...(user === undefined ? {} : { uid: user, gid: user }) });
  let [out, err] = ['', ''];
  const { promise: begun, resolve: begin } = Promise.withResolvers<void>();
  child.stderr.on('data', (piece: Buffer) => (err += piece.toString()));
  child.stdout.on('data', (piece: Buffer) => {
    out += piece.toString();
    if (out.includes('ready')) begin();
  });
  const report = new Promise<TargetReport | undefined>((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (code, signal) => {
      begin();
      const line = out.split('\n').find((each) => each.startsWith('{'));
      if (line !== undefined) resolve(JSON.parse(line) as TargetReport);
      // strace ends as what it traces does, or with 128 and the signal's number.
      else if (signal || code === 137) resolve(undefined);
      else reject(new Error(`the ${verb} ended with ${code}:\n${err}`));
    });
  });
  return { child, begun, report };
}

/** A whole run in a process of its own. */
export async function runTarget(...args: Parameters<typeof beginTarget>): Promise<TargetReport> {
  const report = await beginTarget(...args).report;
  if (!report) throw new Error(`the ${args[0]} was killed`);
  return report;
}

/** Kills the process just before its nth call of this kind, in whichever thread. */
export const killAt = (call: string, nth: number): string[] => [
  'strace',
  '-f',
  '-qq',
  '-o',
  '/dev/null',
  '-e',
  `trace=${call}`,
  '-e',
  `inject=${call}:signal=SIGKILL:when=${nth}`,
];
