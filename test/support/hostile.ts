/** What the tests of hostile and damaged repositories share. */
import { execFile } from 'node:child_process';
import { lstatSync, readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { hastyClock } from './hasty-clock.ts';
import type { VerbReport } from './hostile-process.ts';

/** For suites of hundreds of runs on small repositories, where starting threads takes most of the time. */
export const hasty = { clock: hastyClock, threads: 1 } as const;

/**
 * Everything below `folder` but what is in `except`, in words: contents, link targets, modes, owners, times of change (which
 * nobody can set back) and numbers of names. Two inventories are equal when nothing was touched in between.
 */
export function inventory(folder: string, except?: string): string[] {
  const lines: string[] = [];
  const walk = (path: string): void => {
    for (const name of readdirSync(path).sort()) {
      const place = join(path, name);
      if (place === except) continue;
      const stat = lstatSync(place, { bigint: true });
      const content = stat.isFile() ? readFileSync(place, 'latin1') : stat.isSymbolicLink() ? readlinkSync(place) : '';
      lines.push([place, stat.mode, stat.uid, stat.gid, stat.ino, stat.nlink, stat.mtimeNs, stat.ctimeNs, content].join(' '));
      if (stat.isDirectory()) walk(place);
    }
  };
  walk(folder);
  return lines;
}

/** A zstd frame without content size, of bytes as they are and of runs of one byte, which cost 4 bytes for each 128 KiB (RFC 8878, 3.1.1). */
export function zstdFrame(pieces: readonly (Uint8Array | { readonly byte: number; readonly count: number })[]): Buffer {
  const largest = 128 << 10;
  const blocks: { type: 0 | 1; size: number; content: Uint8Array }[] = [];
  for (const piece of pieces) {
    const length = piece instanceof Uint8Array ? piece.length : piece.count;
    for (let at = 0; at < length; at += largest) {
      const size = Math.min(largest, length - at);
      if (piece instanceof Uint8Array) blocks.push({ type: 0, size, content: piece.subarray(at, at + size) });
      else blocks.push({ type: 1, size, content: Uint8Array.of(piece.byte) });
    }
  }
  const window = 0x38;
  const out: Uint8Array[] = [Buffer.of(0x28, 0xb5, 0x2f, 0xfd, 0, window)];
  blocks.forEach(({ type, size, content }, i) => {
    const header = Buffer.alloc(3);
    header.writeUIntLE((size << 3) | (type << 1) | (i === blocks.length - 1 ? 1 : 0), 0, 3);
    out.push(header, content);
  });
  return Buffer.concat(out);
}

/** What a verb in a process of its own gave; see hostile-process.ts. */
export interface VerbRun {
  readonly report: VerbReport;
  /** The most memory that the process had at any time, in MB. */
  readonly maxMB: number;
}

/** Runs a verb of the engine in a process with a small heap. Rejects when the process dies. */
export async function runVerb(verb: 'ls' | 'plan' | 'restore' | 'check', repository: string, target = ''): Promise<VerbRun> {
  const program = fileURLToPath(new URL('hostile-process.ts', import.meta.url));
  const { stdout } = await promisify(execFile)(process.execPath, ['--max-old-space-size=512', program, verb, repository, target], {
    maxBuffer: 1 << 26,
  });
  return JSON.parse(stdout) as VerbRun;
}
