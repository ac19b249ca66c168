/** The data that is measured with: real files of this machine, and generated ones that do not compress. */
import { execFileSync } from 'node:child_process';
import { createCipheriv } from 'node:crypto';
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** Deterministic bytes that no compressor makes smaller. */
function randomBytes(seed: number, length: number): Buffer {
  const key = Buffer.alloc(32, seed & 0xff);
  key.writeUInt32LE(seed, 4);
  return createCipheriv('aes-256-ctr', key, Buffer.alloc(16)).update(Buffer.alloc(length));
}

/** A copy of the machine's own /usr: many small files, real content. */
export function realTree(folder: string): string {
  const target = join(folder, 'real');
  if (existsSync(target)) return target;
  mkdirSync(target, { recursive: true });
  execFileSync('cp', ['-a', '/usr/.', target]);
  return target;
}

/** 1.5 GB in files of 3 to 6 MB that do not compress. */
export function randomTree(folder: string): string {
  const target = join(folder, 'random');
  if (existsSync(target)) return target;
  mkdirSync(target, { recursive: true });
  for (let i = 0, total = 0; total < 1_500_000_000; i++) {
    const length = 3_000_000 + ((i * 7_919_333) % 3_000_000);
    writeFileSync(join(target, `random-${i}.bin`), randomBytes(i + 1, length));
    total += length;
  }
  return target;
}

/** Changes a hundredth of a small tree, as a day's work does. */
export function changeTree(folder: string, day: number): void {
  for (let i = 0; i < 2000; i++) {
    if (day > 0 && (i * 31 + day) % 100 !== 0) continue;
    const place = join(folder, `d${i % 40}`);
    mkdirSync(place, { recursive: true });
    writeFileSync(join(place, `f${i}`), randomBytes(i * 1000 + day, 20_000 + ((i * 7919) % 180_000)));
  }
}

/** Bytes that a folder's files take, as `du` counts them. */
export const sizeOf = (folder: string): number => Number(execFileSync('du', ['-sb', folder], { encoding: 'utf8' }).split('\t')[0]);
