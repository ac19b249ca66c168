/**
 * Runs the independent `restic` program, the judge of what Holdfast writes and a writer of what Holdfast must read.
 *
 * Every run has a clean environment: no RESTIC_* variable of the caller, the password in the environment (never in the
 * arguments), no cache, so that every answer comes from the repository itself.
 */
import { spawn } from 'node:child_process';
import { env } from 'node:process';
import { locateRestic } from '../../scripts/test-setup.mjs';
import { replaceKey } from './no-cost-key.ts';

/** What a run of restic gave; any exit code is a result. restic's codes: 0 done, 1 failed, 3 incomplete, 10 no repository, 11 locked, 12 wrong password. */
export type ResticRun = { code: number; stdout: string; stdoutBytes: Buffer; stderr: string };

/** The last line of `restic backup --json`. Sizes in bytes. */
export type BackupSummary = {
  snapshot_id: string;
  files_new: number;
  files_changed: number;
  files_unmodified: number;
  dirs_new: number;
  dirs_changed: number;
  dirs_unmodified: number;
  data_blobs: number;
  tree_blobs: number;
  data_added: number;
  data_added_packed: number;
  total_files_processed: number;
  total_bytes_processed: number;
};

/** A line of `restic snapshots --json`, as far as tests look at it. */
export type ResticSnapshot = {
  id: string;
  short_id: string;
  time: string;
  tree: string;
  paths: string[];
  hostname?: string;
  username?: string;
  parent?: string;
  original?: string;
  tags?: string[];
  excludes?: string[];
  program_version?: string;
};

export type BackupOptions = { force?: boolean; parent?: string; tags?: string[]; host?: string; time?: string; args?: string[] };

export class Restic {
  readonly repository: string;
  readonly password: string;

  /** `repository`: anything restic takes after `--repo`. */
  constructor(repository: string, password: string) {
    this.repository = repository;
    this.password = password;
  }

  /** Runs restic and returns what came out, whatever the exit code. */
  run(args: readonly string[], options: { env?: Record<string, string>; cwd?: string; input?: string | Buffer } = {}): Promise<ResticRun> {
    const environment = cleanEnvironment({ RESTIC_PASSWORD: this.password, ...options.env });
    const child = spawn(resticPath(), ['--repo', this.repository, '--no-cache', ...args], {
      env: environment,
      stdio: ['pipe', 'pipe', 'pipe'],
      ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
    });
    const stdout: Buffer[] = [];
    const stderr: Buffer[] = [];
    child.stdout.on('data', (piece: Buffer) => stdout.push(piece));
    child.stderr.on('data', (piece: Buffer) => stderr.push(piece));
    // restic may end without reading its input: the broken pipe is no error of the run.
    child.stdin.on('error', () => undefined);
    child.stdin.end(options.input ?? '');
    return new Promise((resolve, reject) => {
      child.on('error', reject);
      child.on('close', (code, signal) => {
        const stdoutBytes = Buffer.concat(stdout);
        const words = Buffer.concat(stderr).toString() + (signal ? `ended by ${signal}\n` : '');
        resolve({ code: code ?? 128, stdout: stdoutBytes.toString(), stdoutBytes, stderr: words });
      });
    });
  }

  /** Like `run`, but throws restic's words unless it exits with 0. */
  async must(args: readonly string[], options: Parameters<Restic['run']>[1] = {}): Promise<ResticRun> {
    const result = await this.run(args, options);
    if (result.code !== 0) throw new Error(`restic ${args.join(' ')} exited with ${result.code}:\n${result.stdout}${result.stderr}`);
    return result;
  }

  /**
   * Creates a repository of version 2 in a folder; with `copyChunkerParamsFrom`, one that cuts files as that repository does.
   * Unless restic's `ownKey` is wanted, which costs every run half a second, a key that costs nothing takes its place.
   */
  async init(options: { copyChunkerParamsFrom?: Restic; ownKey?: boolean } = {}): Promise<void> {
    const other = options.copyChunkerParamsFrom;
    const from = other === undefined ? [] : ['--copy-chunker-params', '--from-repo', other.repository];
    await this.must(['init', '--repository-version', '2', ...from], { env: fromEnvironment(other) });
    if (options.ownKey !== true) await replaceKey(this.repository, this.password);
  }

  async backup(paths: readonly string[], options: BackupOptions = {}): Promise<BackupSummary> {
    const args = ['backup', '--json', '--quiet'];
    if (options.force) args.push('--force');
    if (options.parent !== undefined) args.push('--parent', options.parent);
    if (options.host !== undefined) args.push('--host', options.host);
    if (options.time !== undefined) args.push('--time', options.time);
    for (const tag of options.tags ?? []) args.push('--tag', tag);
    const { stdout } = await this.must([...args, ...(options.args ?? []), '--', ...paths]);
    const summary = jsonLines(stdout).find((line) => line.message_type === 'summary');
    if (!summary) throw new Error(`restic backup gave no summary:\n${stdout}`);
    return summary as unknown as BackupSummary;
  }

  /** `snapshot`: an ID, `latest`, or either followed by `:PATH`, whose content then goes straight into `target`. */
  restore(snapshot: string, target: string, args: readonly string[] = []): Promise<ResticRun> {
    return this.must(['restore', snapshot, '--quiet', '--target', target, ...args]);
  }

  /** Checks the repository. Any exit code is a result: see `expectCleanCheck` for the verdict. */
  check(options: { readData?: boolean; noLock?: boolean } = {}): Promise<ResticRun> {
    return this.run(['check', ...(options.readData ? ['--read-data'] : []), ...(options.noLock ? ['--no-lock'] : [])]);
  }

  /** All snapshots, oldest first, or those that `args` select. Takes no lock, which would cost 200 ms. */
  async snapshots(args: readonly string[] = []): Promise<ResticSnapshot[]> {
    return JSON.parse((await this.must(['snapshots', '--json', '--no-lock', ...args])).stdout) as ResticSnapshot[];
  }

  forget(args: readonly string[]): Promise<ResticRun> {
    return this.must(['forget', ...args]);
  }

  prune(args: readonly string[] = []): Promise<ResticRun> {
    return this.must(['prune', ...args]);
  }

  /** Copies snapshots (all, unless some are named) from another repository into this one. */
  copyFrom(other: Restic, snapshots: readonly string[] = []): Promise<ResticRun> {
    return this.must(['copy', '--from-repo', other.repository, ...snapshots], { env: fromEnvironment(other) });
  }

  /** For example `rewrite(['--exclude', '*.tmp', 'latest'])`; restic 0.17 or newer. */
  rewrite(args: readonly string[]): Promise<ResticRun> {
    return this.must(['rewrite', ...args]);
  }

  /** All blobs the index knows. */
  async listBlobs(): Promise<{ type: 'data' | 'tree'; id: string }[]> {
    const { stdout } = await this.must(['list', 'blobs', '--no-lock']);
    return stdout
      .split('\n')
      .filter(Boolean)
      .map((line) => line.split(' '))
      .map(([type, id]) => ({ type: type as 'data' | 'tree', id: id! }));
  }

  /** The decrypted bytes of `cat config`, `cat blob ID`, `cat snapshot ID`, … */
  async cat(...what: string[]): Promise<Buffer> {
    return (await this.must(['cat', '--no-lock', ...what])).stdoutBytes;
  }
}

/** The path of the judge. Throws if the machine was not made ready by scripts/test-setup.mjs. */
export function resticPath(): string {
  located ??= locateRestic();
  if (!located) throw new Error('No restic on this machine. Run: node scripts/test-setup.mjs');
  return located.path;
}

/** The parsed lines of `--json` output. */
export function jsonLines(text: string): Record<string, unknown>[] {
  return text
    .split('\n')
    .filter((line) => line.startsWith('{'))
    .map((line) => JSON.parse(line) as Record<string, unknown>);
}

let located: ReturnType<typeof locateRestic>;

function fromEnvironment(other: Restic | undefined): Record<string, string> {
  return other === undefined ? {} : { RESTIC_FROM_PASSWORD: other.password };
}

function cleanEnvironment(added: Record<string, string>): NodeJS.ProcessEnv {
  const kept = Object.entries(env).filter(([name]) => !name.startsWith('RESTIC_'));
  return { ...Object.fromEntries(kept), LC_ALL: 'C', ...added };
}
