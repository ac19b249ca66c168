/** Starts the real S3 server of the tests, OpenStack Swift: see swift-server.py. */
import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { Authority } from './authority.ts';

const program = fileURLToPath(new URL('swift-server.py', import.meta.url));

/** Memory, where the system offers it as a folder with extended attributes, which Swift needs. */
const scratchFolder = existsSync('/dev/shm') ? '/dev/shm' : tmpdir();

/** Who may do everything. */
export const swiftKeys = { AWS_ACCESS_KEY_ID: 'test:tester', AWS_SECRET_ACCESS_KEY: 'testing' } as const;
/** Who may do nothing, and whoever has an account of their own. */
export const guestKeys = { AWS_ACCESS_KEY_ID: 'test:guest', AWS_SECRET_ACCESS_KEY: 'guesting' } as const;
export const otherKeys = { AWS_ACCESS_KEY_ID: 'other:tester', AWS_SECRET_ACCESS_KEY: 'testing2' } as const;

export class Swift {
  /** `http://127.0.0.1:4711`, and the same server by TLS. */
  readonly http: string;
  readonly https: string;
  /** The file of the authority that has signed the server's certificate. */
  readonly authority: string;
  readonly #child: ChildProcess;
  readonly #lines: AsyncIterator<string>;
  readonly #folder: string;

  private constructor(
    child: ChildProcess,
    lines: AsyncIterator<string>,
    folder: string,
    authority: string,
    ports: { http: number; https: number },
  ) {
    this.#child = child;
    this.#lines = lines;
    this.#folder = folder;
    this.authority = authority;
    this.http = `http://127.0.0.1:${ports.http}`;
    this.https = `https://127.0.0.1:${ports.https}`;
  }

  static async start(): Promise<Swift> {
    const folder = mkdtempSync(join(scratchFolder, 'holdfast-swift-'));
    const authority = new Authority(join(folder, 'authority'));
    const { certificate, key } = authority.sign('server', { names: 'DNS:localhost,DNS:storage.googleapis.com,IP:127.0.0.1' });
    // Debian's own Python is the one that knows Debian's modules.
    const child = spawn('/usr/bin/python3', [program, folder, certificate, key], {
      stdio: ['pipe', 'pipe', 'pipe'],
      env: { PATH: process.env.PATH, HOME: folder, LC_ALL: 'C.UTF-8', PYTHONDONTWRITEBYTECODE: '1' },
    });
    let words = '';
    child.stderr.on('data', (piece: Buffer) => (words += piece.toString()));
    child.stdin.on('error', () => undefined);
    const lines = createInterface(child.stdout)[Symbol.asyncIterator]();
    const first = await lines.next();
    if (first.done) {
      rmSync(folder, { recursive: true, force: true });
      throw new Error(`Swift did not start. Run: node scripts/test-setup.mjs\n${words}`);
    }
    return new Swift(child, lines, folder, authority.certificate, JSON.parse(first.value) as { http: number; https: number });
  }

  /** How many requests of each method came so far. */
  async requests(): Promise<Record<string, number>> {
    this.#child.stdin?.write('\n');
    return JSON.parse((await this.#lines.next()).value as string) as Record<string, number>;
  }

  async stop(): Promise<void> {
    const ended = new Promise((resolve) => this.#child.once('close', resolve));
    this.#child.stdin?.end();
    await ended;
    rmSync(this.#folder, { recursive: true, force: true });
  }
}
