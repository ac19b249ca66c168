/** What is measured: each work with what it needs, done by one program for one round. */
import { createCipheriv } from 'node:crypto';
import { cpSync, existsSync, mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { idBytes } from '../../src/repository/ids.ts';
import { IndexFileBuilder } from '../../src/repository/index-file.ts';
import { maxEntryBytes, writeEntry } from '../../src/repository/pack.ts';
import { Repository } from '../../src/repository/repository.ts';
import { localTime } from '../../src/repository/tree/go-time.ts';
import { LocalStorage } from '../../src/storage/local.ts';
import type { Storage } from '../../src/storage/storage.ts';
import { changeTree, generatedTree, randomTree, realTree, sizeOf } from './data.ts';
import { type Measured, measure } from './measure.ts';
import { init, password, type Program } from './programs.ts';

export interface Figures extends Measured {
  /** Of the repository, in bytes. */
  readonly size?: number;
  /** Sent to a server. */
  readonly requests?: number;
}

export interface Work {
  readonly name: string;
  /** Highest ratio of the wall times that is wanted; undefined where the figure is only told, from one round. */
  readonly wanted: number | undefined;
  /** Highest wall time of Holdfast that is wanted, in milliseconds, whatever restic takes. */
  readonly wantedMs?: number;
  round(program: Program): Promise<Figures>;
}

export interface Places {
  /** Holds data and repositories. */
  readonly folder: string;
  /** In memory. */
  readonly memory: string;
}

export const clear = (...folders: string[]): void => folders.forEach((each) => rmSync(each, { recursive: true, force: true }));

/** A copy of an empty repository that restic has made: the key of each costs the same. */
async function emptyCopy(folder: string, repository: string): Promise<void> {
  const original = join(folder, 'empty');
  if (!existsSync(original)) await measure(init(original));
  cpSync(original, repository, { recursive: true });
}

/** Calls `make` once for each program. */
function oncePerProgram<T>(make: (program: Program) => Promise<T>): (program: Program) => Promise<T> {
  const made = new Map<string, Promise<T>>();
  return (program) => {
    let known = made.get(program.name);
    if (!known) made.set(program.name, (known = make(program)));
    return known;
  };
}

export function allWorks({ folder, memory }: Places): readonly Work[] {
  const place = (program: Program, name: string): string => join(folder, `${program.name}-${name}`);

  const emptyRepository = async (program: Program, name: string): Promise<string> => {
    const repository = place(program, name);
    clear(repository);
    await emptyCopy(folder, repository);
    return repository;
  };

  const filled = (name: string, source: () => string): ((program: Program) => Promise<string>) =>
    oncePerProgram(async (program) => {
      const repository = await emptyRepository(program, `filled-${name}`);
      await measure(program.backup(repository, source()));
      return repository;
    });

  const real = (): string => realTree(folder);
  const random = (): string => randomTree(folder);
  const filledReal = filled('real', real);
  const filledRandom = filled('random', random);

  const firstBackup = (name: string, source: () => string, wanted: number, inMemory = false): Work => ({
    name,
    wanted,
    async round(program) {
      const repository = inMemory ? join(memory, 'first') : place(program, 'first');
      clear(repository);
      await emptyCopy(folder, repository);
      const measured = await measure(program.backup(repository, source()));
      const { bytes } = sizeOf(repository);
      clear(repository);
      return { ...measured, size: bytes };
    },
  });

  const restore = (name: string, target: (program: Program) => string, wanted: number | undefined): Work => ({
    name,
    wanted,
    async round(program) {
      const repository = await filledReal(program);
      const into = target(program);
      clear(into);
      mkdirSync(into, { recursive: true });
      const measured = await measure(program.restore(repository, into));
      clear(into);
      return measured;
    },
  });

  /** Ten snapshots of a changing tree, the older half forgotten. */
  const halfForgotten = oncePerProgram(async (program) => {
    const source = join(folder, `changing-${program.name}`);
    clear(source);
    const repository = await emptyRepository(program, 'changing');
    for (let day = 0; day < 10; day++) {
      changeTree(source, day);
      await measure(program.backup(repository, source));
    }
    await measure(program.forget(repository, 5));
    return repository;
  });

  const thousand = oncePerProgram(async (program) => {
    const source = join(folder, `small-${program.name}`);
    clear(source);
    changeTree(source, 0);
    const repository = await emptyRepository(program, 'thousand');
    await measure(program.backup(repository, source));
    await addSnapshots(repository, 999);
    return repository;
  });

  /** Works on a copy, so that each round finds the same. */
  const onCopy = (
    name: string,
    of: typeof thousand,
    wanted: number,
    command: (program: Program, repository: string) => ReturnType<Program['prune']>,
  ): Work => ({
    name,
    wanted,
    async round(program) {
      const original = await of(program);
      const repository = place(program, 'copy');
      clear(repository);
      cpSync(original, repository, { recursive: true, preserveTimestamps: true });
      const measured = await measure(command(program, repository));
      clear(repository);
      return measured;
    },
  });

  return [
    firstBackup('first backup, real files', real, 0.8),
    firstBackup('first backup, random files', random, 0.7),
    // Of a fast program the figure before tells mostly how fast the disk is.
    firstBackup('first backup, random files, into memory', random, 0.7, true),
    {
      name: 'nothing changed, opening subtracted',
      wanted: 0.5,
      async round(program) {
        const repository = await filledReal(program);
        const opened = await measure(program.open(repository));
        const measured = await measure(program.backup(repository, real()));
        return { wall: measured.wall - opened.wall, memory: measured.memory };
      },
    },
    restore('restore to memory', () => memory, 0.6),
    restore('restore to disk', (program) => place(program, 'restored'), undefined),
    { name: 'check --read-data, real files', wanted: 0.9, round: async (program) => measure(program.check(await filledReal(program))) },
    { name: 'check --read-data, random files', wanted: 0.9, round: async (program) => measure(program.check(await filledRandom(program))) },
    onCopy('prune after forgetting half of 10', halfForgotten, 1, (program, repository) => program.prune(repository)),
    onCopy('forget half of 1,000 snapshots', thousand, 1, (program, repository) => program.forget(repository, 500)),
    { name: 'list 1,000 snapshots', wanted: 1, round: async (program) => measure(program.snapshots(await thousand(program))) },
    { name: 'ls the latest of 1,000 snapshots', wanted: 1, round: async (program) => measure(program.ls(await thousand(program))) },
  ];
}

/** Sizes at which the cost of a file is told, to show that it does not grow with their number. */
export const generatedSizes = [10_000, 100_000, 1_000_000] as const;

/** First backup of generated files, and then one of the same files unchanged. */
export async function costOfFiles({ folder }: Places, program: Program, count: number): Promise<{ first: Measured; again: Measured }> {
  const source = generatedTree(folder, count);
  const repository = join(folder, `${program.name}-generated`);
  clear(repository);
  await emptyCopy(folder, repository);
  const first = await measure(program.backup(repository, source));
  const again = await measure(program.backup(repository, source));
  clear(repository);
  return { first, again };
}

/**
 * Adds an index of `count` blobs that nothing refers to, in packs of 400, as index files of our own writer. The packs themselves are
 * not made: who only opens a repository does not look for them.
 */
export async function addBlobs(storage: Storage, count: number): Promise<void> {
  const repository = await Repository.open(storage, password);
  const builder = new IndexFileBuilder();
  const ids = createCipheriv('aes-256-ctr', Buffer.alloc(32, 1), Buffer.alloc(16));
  const nextId = (): Buffer => ids.update(Buffer.alloc(idBytes));
  for (let made = 0; made < count; ) {
    const header = Buffer.alloc(400 * maxEntryBytes);
    let end = 0;
    for (let i = 0; i < 400 && made < count; i++, made++)
      end = writeEntry(header, end, 'data', 40_000 + (made % 30_000), 100_000, nextId());
    builder.add(nextId().toString('hex'), header.subarray(0, end));
    if (builder.isFull || made >= count) await repository.saveItem('index', builder.take());
  }
}

/** Copies of the newest snapshot, an hour apart, as a computer that is backed up every hour has them. */
async function addSnapshots(path: string, count: number): Promise<void> {
  const repository = await Repository.open(new LocalStorage(path), password);
  const { id, ...newest } = await repository.findSnapshot('latest');
  const from = Date.parse(newest.time);
  for (let hour = 1; hour <= count; hour++) {
    const time = localTime.format(BigInt(from - hour * 3_600_000) * 1_000_000n);
    await repository.saveSnapshot({ ...newest, time, parent: id });
  }
  await repository.storage.close();
}
