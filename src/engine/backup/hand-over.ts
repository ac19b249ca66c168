/**
 * What a run has in memory when its destination fails, for the next destination: sealed blobs that were not stored, and what was read of
 * files. So nothing that is in memory is read again.
 *
 * Blobs are sealed with the key of the repository that they were meant for; a worker opens each, proves that it is whole, and seals it anew
 * without compressing it again. Repositories that cut files in another way have no use for any of it.
 */
import type { BigIntStats } from 'node:fs';
import { openContent } from '../../repository/blob-codec.ts';
import { type MasterKey, Sealer } from '../../repository/crypto.ts';
import { readEntries } from '../../repository/pack.ts';
import type { FinishedPack, UnfinishedPack } from '../../repository/packer.ts';
import type { Repository } from '../../repository/repository.ts';
import { isDamage } from '../trees/damage-codes.ts';
import type { WorkerContext } from '../workers/context.ts';
import type { WorkerPool } from '../workers/pool.ts';
import { type FileRead, FilesRead, KnownFiles } from './files-read.ts';

/** For what all workers of a run have read, in bytes: about a hundred thousand files of one chunk. */
const mostNotes = 8 << 20;
/** For the longest usual blob. */
const sealerBytes = (8 << 20) + (64 << 10);

/** Sealed blobs with the plaintext of their header. */
interface CarriedPack {
  readonly key: MasterKey;
  readonly body: Uint8Array;
  readonly header: Uint8Array;
}

/** One for a run, whatever the number of its destinations: each leaves in it what it has when it fails, and takes what is there. */
export class HandOver {
  #polynomial: string | undefined;
  #packs: CarriedPack[] = [];
  #files: Uint8Array[] = [];
  /** Of the destination at work: what is about to be stored. */
  #held: CarriedPack[] = [];

  /** How many bytes of sealed blobs wait for the next destination. */
  get bytes(): number {
    return this.#packs.reduce((sum, { body }) => sum + body.length, 0);
  }

  /** What the workers of a destination are to know, and how much each may note. */
  files(repository: Repository, workers: number): { known: SharedArrayBuffer; most: number } {
    this.#forgetOthers(repository);
    const length = this.#files.reduce((sum, { byteLength }) => sum + byteLength, 0);
    const known = new SharedArrayBuffer(length);
    let at = 0;
    for (const each of this.#files) {
      new Uint8Array(known).set(each, at);
      at += each.byteLength;
    }
    return { known, most: Math.floor(mostNotes / workers) };
  }

  /** Stores the blobs that the repository lacks. Throws what storing throws; what is not stored by then stays here. */
  async bring(pool: WorkerPool, repository: Repository): Promise<void> {
    this.#forgetOthers(repository);
    this.#held = [];
    for (let pack = this.#packs[0]; pack; pack = this.#packs[0]) {
      await pool.run('bringPack', pack);
      this.#packs.shift();
    }
  }

  /** A pack whose storing has failed. */
  keep(repository: Repository, { bytes, header }: FinishedPack): void {
    this.#packs.push({ key: repository.key, body: bytes, header });
  }

  /** What is about to be stored, and is not in the workers any more. */
  hold(repository: Repository, unfinished: readonly UnfinishedPack[]): void {
    this.#held = unfinished.map(({ body, header }) => ({ key: repository.key, body, header }));
  }

  /** Takes what is left from the workers of a destination that has failed, once they rest. */
  async take(pool: WorkerPool, repository: Repository): Promise<void> {
    this.#polynomial = repository.config.chunker_polynomial;
    this.#packs.push(...this.#held);
    this.#held = [];
    for (const { unfinished, notes } of await pool.runOnRemains('leaveOver', undefined)) {
      for (const { body, header } of unfinished) this.#packs.push({ key: repository.key, body, header });
      if (notes.byteLength > 0) this.#files.push(notes);
    }
    // What the workers have noted holds what they were told before, as far as they came.
    while (this.#files.length > 1 && this.#files.reduce((sum, { byteLength }) => sum + byteLength, 0) > mostNotes) this.#files.shift();
  }

  #forgetOthers({ config }: Repository): void {
    if (this.#polynomial === undefined || this.#polynomial === config.chunker_polynomial) return;
    this.#packs = [];
    this.#files = [];
    this.#polynomial = undefined;
  }
}

const sealersName = 'sealers of other repositories';
const filesName = 'files read';

/** Job: stores those blobs of a pack, sealed for another repository, that are not known. What is damaged is left out: it is read again. */
export function bringPack({ key, body, header }: CarriedPack, context: WorkerContext): void {
  const sealers = (context.state.get(sealersName) ?? new Map<string, Sealer>()) as Map<string, Sealer>;
  context.state.set(sealersName, sealers);
  const name = JSON.stringify(key, (_, value: unknown) => (value instanceof Uint8Array ? Buffer.from(value).toString('hex') : value));
  let sealer = sealers.get(name);
  if (!sealer) sealers.set(name, (sealer = new Sealer(key, context.kernel, sealerBytes)));
  readEntries(Buffer.from(header), (type, offset, length, plainLength, entries, idAt) => {
    context.control.checkpoint();
    const id = Buffer.from(entries.subarray(idAt, idAt + 32));
    if (context.index.has(id, 0, type)) return;
    try {
      // In memory of its own: both sealers may use the same.
      const content = Buffer.from(openContent(sealer, body.subarray(offset, offset + length), id, plainLength, type));
      if (plainLength > 0) context.storeFrame(type, id, content, plainLength);
      else context.store(type, id, content);
    } catch (error) {
      if (!isDamage(error)) throw error;
    }
  });
}

/** Job: gives up what this worker has not given away yet, and what it has noted. */
export function leaveOver(_: undefined, context: WorkerContext): { unfinished: UnfinishedPack[]; notes: Uint8Array<ArrayBuffer> } {
  const unfinished = context.takeUnfinished();
  const notes = filesOf(context)?.read.take() ?? new Uint8Array();
  context.transfer.push(notes.buffer);
  return { unfinished, notes };
}

interface WorkerFiles {
  readonly known: KnownFiles;
  readonly read: FilesRead;
}

/** Prepares a worker; a second scan of the same run goes on with what is there. */
export function beginFiles(files: { readonly known: SharedArrayBuffer; readonly most: number } | undefined, context: WorkerContext): void {
  if (!files || context.state.has(filesName)) return;
  context.state.set(filesName, { known: new KnownFiles(files.known), read: new FilesRead(files.most) } satisfies WorkerFiles);
}

const filesOf = (context: WorkerContext): WorkerFiles | undefined => context.state.get(filesName) as WorkerFiles | undefined;

/** What was read of the file for another destination, as far as all of it is known to this repository. */
export function readBefore(context: WorkerContext, path: Buffer, stat: BigIntStats): FileRead | undefined {
  const read = filesOf(context)?.known.find(path, stat);
  if (!read) return undefined;
  for (let at = 0; at < read.content.length; at += 32) if (!context.index.has(read.content, at, 'data')) return undefined;
  return read;
}

/** Notes what was read of a file, for the next destination. */
export const noteRead = (context: WorkerContext, path: Buffer, stat: BigIntStats, read: FileRead): void =>
  filesOf(context)?.read.note(path, stat, read);
