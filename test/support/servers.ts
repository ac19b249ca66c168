/**
 * Real servers for tests, each on a loopback port of its own, with its data in a scratch folder. They are asked until they
 * answer, and stopped by whoever started them.
 */
import { spawn } from 'node:child_process';
import { createHash, randomInt } from 'node:crypto';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { locateRestServer } from '../../scripts/test-setup.mjs';
import { systemClock } from '../../src/platform/clock.ts';

export interface RunningServer {
  /** `http://127.0.0.1:4711`, without a slash at the end. */
  readonly url: string;
  readonly port: number;
  /** The folder that it serves. */
  readonly folder: string;
  /** What it has said so far. */
  said(): string;
  stop(): Promise<void>;
}

export interface ServerUser {
  readonly username: string;
  readonly password: string;
}

export interface ServerOptions {
  readonly user?: ServerUser | undefined;
  readonly appendOnly?: boolean | undefined;
  readonly tls?: { readonly certificate: string; readonly key: string } | undefined;
  readonly extra?: readonly string[] | undefined;
}

/** Ports below those that systems hand out by themselves (Linux: from 32768), so that no other program is given one of them meanwhile. */
const ports = { first: 12_000, count: 20_000 };
/** Each process that runs tests at the same time as others has ports of its own. */
const pools = 8;
let nextPort = randomInt(ports.count / pools);

/** A port that nobody listens on, and that no other test is given soon. */
export async function freePort(): Promise<number> {
  const pool = Number(process.env.VITEST_POOL_ID ?? 0) % pools;
  for (;;) {
    nextPort = (nextPort + 1) % (ports.count / pools);
    const port = ports.first + nextPort * pools + pool;
    if (await canListen(port)) return port;
  }
}

const canListen = (port: number): Promise<boolean> =>
  new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(false));
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)));
  });

const answers = (port: number): Promise<boolean> =>
  new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    socket.once('connect', () => resolve(true));
    socket.once('error', () => resolve(false));
    socket.once('close', () => resolve(false));
    socket.on('connect', () => socket.destroy());
  });

export interface Start {
  readonly program: string;
  readonly args: (port: number, folder: string) => readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  readonly secure?: boolean | undefined;
}

/** Starts a program that serves a new scratch folder, and waits until it accepts connections. */
export async function startServer({ program, args, env = {}, secure }: Start): Promise<RunningServer> {
  const scratch = mkdtempSync(join(tmpdir(), 'holdfast-server-'));
  const folder = join(scratch, 'data');
  mkdirSync(folder);
  const port = await freePort();
  const child = spawn(program, [...args(port, folder)], {
    env: { PATH: process.env.PATH, HOME: scratch, LC_ALL: 'C', ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
    cwd: scratch,
  });
  let words = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (piece: Buffer) => (words += piece.toString()));
  const ended = new Promise<void>((resolve) => {
    child.once('error', (error) => {
      words += error.message;
      resolve();
    });
    child.once('close', () => resolve());
  });
  let isEnded = false;
  void ended.then(() => (isEnded = true));
  while (!(await answers(port))) {
    if (isEnded) throw new Error(`${program} did not start:\n${words}`);
    await systemClock.sleep(20);
  }
  return {
    url: `${secure ? 'https' : 'http'}://127.0.0.1:${port}`,
    port,
    folder,
    said: () => words,
    async stop() {
      child.kill('SIGTERM');
      await ended;
      rmSync(scratch, { recursive: true, force: true });
    },
  };
}

/** The form of passwords that every server of these reads. */
export const htpasswd = ({ username, password }: ServerUser): string =>
  `${username}:{SHA}${createHash('sha1').update(password).digest('base64')}\n`;

/** restic's own rest-server: refuses to replace files, and such as do not have the hash that is their name. */
export function startRestServer({ user, appendOnly, tls, extra = [] }: ServerOptions = {}): Promise<RunningServer> {
  const program = locateRestServer();
  if (program === undefined) throw new Error('No rest-server on this machine. Run: node scripts/test-setup.mjs');
  return startServer({
    program,
    secure: tls !== undefined,
    args: (port, folder) => {
      const users = join(folder, '..', 'users');
      if (user) writeFileSync(users, htpasswd(user));
      return [
        '--path',
        folder,
        `--listen=127.0.0.1:${port}`,
        ...(user ? ['--htpasswd-file', users] : ['--no-auth']),
        ...(appendOnly ? ['--append-only'] : []),
        ...(tls ? ['--tls', '--tls-cert', tls.certificate, '--tls-key', tls.key] : []),
        ...extra,
      ];
    },
  });
}

/** rclone serving a folder by the same protocol: replaces files without a word and checks nothing. */
export function startRcloneRestic({ user, appendOnly, extra = [] }: ServerOptions = {}): Promise<RunningServer> {
  return startServer({
    program: 'rclone',
    args: (port, folder) => [
      'serve',
      'restic',
      folder,
      `--config=${join(folder, '..', 'none')}`,
      `--addr=127.0.0.1:${port}`,
      ...(user ? ['--user', user.username, '--pass', user.password] : []),
      ...(appendOnly ? ['--append-only'] : []),
      ...extra,
    ],
  });
}
