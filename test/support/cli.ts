/**
 * Runs the command line as a program of its own: the bundle `dist/cli.js` when it was made from the sources as they are
 * (as `npm test` sees to), else the sources themselves.
 */
import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { execPath } from 'node:process';
import { fileURLToPath } from 'node:url';
import { systemClock } from '../../src/platform/clock.ts';
import { hostIdentity } from '../../src/platform/host.ts';
import { Repository } from '../../src/repository/repository.ts';
import { credentialsFrom } from '../../src/storage/credentials.ts';
import { LocalStorage } from '../../src/storage/local.ts';
import { openPlace } from '../../src/storage/place.ts';
import { noCost, replaceKeyIn } from './no-cost-key.ts';
import { whenTestsEnd } from './tree-literal.ts';

const project = fileURLToPath(new URL('../..', import.meta.url));

// The build script is plain JavaScript, since it runs before anything is installed; hence its type is stated here.
const buildScript = new URL('../../scripts/build.mjs', import.meta.url).href;
const { currentBundle, bundleStamp }: { currentBundle: () => string; bundleStamp: string } = await import(buildScript);

const stamp = join(project, 'dist', bundleStamp);
const isBuilt = existsSync(stamp) && readFileSync(stamp, 'utf8') === currentBundle();

export const cliProgram = join(project, isBuilt ? 'dist/cli.js' : 'src/cli/main.ts');
export const startProgram = join(project, isBuilt ? 'dist/start.js' : 'src/cli/start.ts');

export interface CliRun {
  /** 128 + the signal's number when one ended it. */
  code: number;
  stdout: string;
  stdoutBytes: Buffer;
  stderr: string;
}

export interface CliOptions {
  readonly env?: Readonly<Record<string, string>>;
  readonly input?: string | Buffer;
  readonly cwd?: string;
  readonly program?: string;
  readonly onStart?: (pid: number) => void;
  /** Called with each piece of output as it comes; `kill` sends a signal. */
  readonly onOutput?: (text: string, kill: (signal: NodeJS.Signals) => void) => void;
}

/** Runs `holdfast` with these arguments in an environment without HOLDFAST_* variables of the caller. */
export function holdfast(args: readonly string[], options: CliOptions = {}): Promise<CliRun> {
  const child = spawn(execPath, [options.program ?? cliProgram, ...args], {
    env: cleanEnvironment(options.env ?? {}),
    stdio: ['pipe', 'pipe', 'pipe'],
    ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
  });
  if (child.pid !== undefined) options.onStart?.(child.pid);
  const stdout: Buffer[] = [];
  const stderr: Buffer[] = [];
  const kill = (signal: NodeJS.Signals): void => void child.kill(signal);
  child.stdout.on('data', (piece: Buffer) => {
    stdout.push(piece);
    options.onOutput?.(piece.toString(), kill);
  });
  child.stderr.on('data', (piece: Buffer) => {
    stderr.push(piece);
    options.onOutput?.(piece.toString(), kill);
  });
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

/** Runs `npm start`'s program. */
export const holdfastStart = (args: readonly string[], options: CliOptions = {}): Promise<CliRun> =>
  holdfast(args, { ...options, program: startProgram });

/** A repository and its password, to run verbs on. */
export class Cli {
  readonly repository: string;
  readonly password: string;

  constructor(repository: string, password: string) {
    this.repository = repository;
    this.password = password;
  }

  /** Where Holdfast keeps data of its own when it runs here, not in the home of whoever tests. */
  get data(): string {
    return `${this.repository}.data`;
  }

  run(args: readonly string[], options: CliOptions = {}): Promise<CliRun> {
    const env = { HOLDFAST_PASSWORD: this.password, XDG_DATA_HOME: this.data, ...options.env };
    return holdfast(['--repo', this.repository, ...args], { ...options, env });
  }

  /** Like `run`, but throws the program's words unless it exits with 0. */
  async must(args: readonly string[], options: CliOptions = {}): Promise<CliRun> {
    const result = await this.run(args, options);
    if (result.code !== 0) throw new Error(`holdfast ${args.join(' ')} exited with ${result.code}:\n${result.stdout}${result.stderr}`);
    return result;
  }
}

/** Of the programs that this process runs: nothing of another test is in it. */
const caches = mkdtempSync(join(tmpdir(), 'holdfast-caches-'));
whenTestsEnd(() => rmSync(caches, { recursive: true, force: true }));

export function cleanEnvironment(added: Readonly<Record<string, string>>): NodeJS.ProcessEnv {
  const kept = Object.entries(process.env).filter(([name]) => !/^(HOLDFAST_|XDG_|NODE_OPTIONS$|VITEST)/.test(name));
  // Nothing comes into the keychain of whoever tests.
  return { ...Object.fromEntries(kept), HOLDFAST_CACHE_FOLDER: caches, HOLDFAST_KEYCHAIN: 'off', ...added };
}

/** A new repository in `folder` whose key costs nothing, so that tests do not wait for it. */
export async function quickRepository(folder: string, password = 'correct horse'): Promise<Cli> {
  const storage = new LocalStorage(folder);
  await Repository.init(storage, password, hostIdentity(), systemClock, { cost: noCost });
  await storage.close();
  return new Cli(folder, password);
}

/** The same at any place, opened with these credentials, for a test that runs the verbs with `env`. */
export async function quickRepositoryAt(place: string, env: Readonly<Record<string, string>>, password = 'correct horse'): Promise<Cli> {
  const storage = await openPlace(place, { clock: systemClock, credentials: credentialsFrom(env, undefined) });
  await Repository.init(storage, password, hostIdentity(), systemClock, { cost: noCost });
  await storage.close();
  return new Cli(place, password);
}

/** The same password opens the repository at a place with a key that costs nothing, and with no other. */
export async function quickKeyAt(place: string, env: Readonly<Record<string, string>>, password: string): Promise<void> {
  await replaceKeyIn(await openPlace(place, { clock: systemClock, credentials: credentialsFrom(env, undefined) }), password);
}
