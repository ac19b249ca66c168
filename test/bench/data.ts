/** The data that is measured with: real files of this machine, and generated ones. Each is made once for a folder. */
import { execFileSync } from 'node:child_process';
import { createCipheriv } from 'node:crypto';
import { appendFileSync, closeSync, existsSync, mkdirSync, openSync, renameSync, rmSync, writeFileSync, writeSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';

/** Deterministic bytes that no compressor makes smaller. */
function randomBytes(seed: number, length: number): Buffer {
  const key = Buffer.alloc(32);
  key.writeUInt32LE(seed, 4);
  return createCipheriv('aes-256-ctr', key, Buffer.alloc(16)).update(Buffer.alloc(length));
}

/** `make` fills the folder; one that was cut off counts as not made. */
function madeOnce(target: string, make: (unfinished: string) => void): string {
  if (existsSync(target)) return target;
  make(emptied(`${target}.unfinished`));
  renameSync(`${target}.unfinished`, target);
  return target;
}

/** The same for what takes waiting. */
export async function madeOnceAsync(target: string, make: (unfinished: string) => Promise<void>): Promise<string> {
  if (existsSync(target)) return target;
  await make(emptied(`${target}.unfinished`));
  renameSync(`${target}.unfinished`, target);
  return target;
}

function emptied(folder: string): string {
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  return folder;
}

/** Where real files are taken from, in this order, until there are enough. */
const origins = ['/usr', join(homedir(), '.rustup'), join(homedir(), '.cargo'), join(homedir(), '.pyenv'), '/opt', homedir()];
const enough = { files: 150_000, bytes: 2_000_000_000 };

export interface Size {
  readonly files: number;
  /** Of the files' content. */
  readonly bytes: number;
}

/** Files below `folder`, and their bytes. */
export function sizeOf(folder: string): Size {
  const command = `find "$1" -type f -printf '%s\\n' | awk '{ files += 1; bytes += $1 } END { printf "%d %.0f", files, bytes }'`;
  const [files, bytes] = execFileSync('sh', ['-c', command, 'sh', folder], { encoding: 'utf8' }).split(' ').map(Number);
  return { files, bytes };
}

/** Copies of this machine's own files below 1 MiB, with their folders and links: many small files, real content. */
export const realTree = (folder: string): string =>
  madeOnce(join(folder, 'real'), (target) => {
    const copy = `[ -d "$1" ] || exit 0
      find "$1" -xdev \\( -type d -o -type l -o -type f -size -1024k \\) -print0 | tar -cf - --null --no-recursion -T - | tar -xf - -C "$2"`;
    for (const origin of origins) {
      execFileSync('sh', ['-c', copy, 'sh', origin, target], { stdio: ['ignore', 'ignore', 'ignore'] });
      const { files, bytes } = sizeOf(target);
      if (files >= enough.files && bytes >= enough.bytes) return;
    }
  });

/** 1.5 GB in files of 3 to 6 MB that do not compress. */
export const randomTree = (folder: string): string =>
  madeOnce(join(folder, 'random'), (target) => {
    for (let i = 0, total = 0; total < 1_500_000_000; i++) {
      const length = 3_000_000 + ((i * 7_919_333) % 3_000_000);
      writeFileSync(join(target, `random-${i}.bin`), randomBytes(i + 1, length));
      total += length;
    }
  });

/** `count` files of some lines of text each, 50 in a folder. */
export const generatedTree = (folder: string, count: number): string =>
  madeOnce(join(folder, `generated-${count}`), (target) => {
    let place = target;
    for (let i = 0; i < count; i++) {
      if (i % 50 === 0) mkdirSync((place = join(target, `a${Math.floor(i / 5000)}`, `b${Math.floor(i / 50)}`)), { recursive: true });
      const fd = openSync(join(place, `file ${i}.txt`), 'w');
      writeSync(fd, `Line of file ${i}, which nothing else holds: ${(i * 2_654_435_761) % 4_294_967_296}\n`.repeat(1 + (i % 23)));
      closeSync(fd);
    }
  });

/** `count` files of a few bytes each, 50 in a folder, so that what looks at all of them has nothing else to do. */
export const tinyTree = (folder: string, count: number): string =>
  madeOnce(join(folder, `tiny-${count}`), (target) => {
    for (let i = 0; i < count; i++) {
      const place = tinyFolder(target, i);
      if (i % tinyInEach === 0) mkdirSync(place, { recursive: true });
      writeFileSync(join(place, `file ${i % tinyInEach}`), `${i}`);
    }
  });

const tinyInEach = 50;
const tinyFolder = (tree: string, i: number): string => {
  const folder = Math.floor(i / tinyInEach);
  return join(tree, String(folder % 200), String(folder));
};

/** Changes some files of such a tree of `count`, far from each other; others in each round. */
export function changeTinyTree(tree: string, count: number, changes: number, round: number): void {
  for (let n = 0; n < changes; n++)
    appendFileSync(join(tinyFolder(tree, Math.floor((n * count) / changes)), `file ${round % tinyInEach}`), 'more');
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
