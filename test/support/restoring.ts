/** Runs restore-process.ts. */
import { type ChildProcess, spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { RestoreReport } from './restore-process.ts';

const program = fileURLToPath(new URL('restore-process.ts', import.meta.url));

export interface RestoringOptions {
  /** Number of the user and group that it runs as. */
  readonly user?: number;
  /** Put before the program, for example `['strace', '-f']`. */
  readonly under?: readonly string[];
}

export interface Restoring {
  readonly process: ChildProcess;
  /** Resolves when it has begun to restore, or has ended. */
  readonly begun: Promise<void>;
  /** Undefined when it was killed; rejects when it failed. */
  readonly report: Promise<RestoreReport | undefined>;
}

/** Begins a restore; `request` as restore-process.ts takes it. */
export function beginRestoring(repository: string, request: object, { user, under = [] }: RestoringOptions = {}): Restoring {
  const [command, ...args] = [...under, process.execPath, program, repository, JSON.stringify(request)];
  const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'pipe'], ...(user === undefined ? {} : { uid: user, gid: user }) });
  let [out, err] = ['', ''];
  let begin: () => void;
  const begun = new Promise<void>((resolve) => (begin = resolve));
  child.stderr.on('data', (piece: Buffer) => (err += piece.toString()));
  child.stdout.on('data', (piece: Buffer) => {
    out += piece.toString();
    if (out.includes('begun')) begin();
  });
  const report = new Promise<RestoreReport | undefined>((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (code, signal) => {
      begin();
      const line = out.split('\n').find((each) => each.startsWith('{'));
      if (line !== undefined) resolve(JSON.parse(line) as RestoreReport);
      else if (signal) resolve(undefined);
      else reject(new Error(`the restore ended with ${code}:\n${err}`));
    });
  });
  return { process: child, begun, report };
}

/** A whole restore in a process of its own. */
export async function restoreElsewhere(repository: string, request: object, options: RestoringOptions = {}): Promise<RestoreReport> {
  const report = await beginRestoring(repository, request, options).report;
  if (!report) throw new Error('the restore was killed');
  return report;
}
