/**
 * The coordinator's end of storing: makes packs durable, notes them in the index, and writes index files, in this order.
 * A blob counts as stored only after the storage has acknowledged its pack.
 */
import type { Clock } from '../platform/clock.ts';
import type { BlobIndex } from '../repository/blob-index.ts';
import { sealOverhead } from '../repository/crypto.ts';
import { IndexFileBuilder } from '../repository/index-file.ts';
import type { Lock } from '../repository/locks.ts';
import { holdsTrees, maxHeaderBytes, readEntries } from '../repository/pack.ts';
import { type FinishedPack, finishPack, headerBytes, type UnfinishedPack } from '../repository/packer.ts';
import type { Repository } from '../repository/repository.ts';

/** The first checkpoint comes early, so that a short run that is cut off loses little; then they come less and less often. */
const firstCheckpointMs = 20_000;
const longestCheckpointMs = 10 * 60_000;

export class PackStore {
  readonly #repository: Repository;
  readonly #index: BlobIndex;
  readonly #lock: Pick<Lock, 'ensure'>;
  readonly #clock: Clock;
  readonly #packSize: number;
  #builder = new IndexFileBuilder();
  /** Empty; takes what comes while the other is being written. */
  #spare: IndexFileBuilder | undefined;
  #writing: Promise<void> = Promise.resolve();
  #checkpointMs = firstCheckpointMs;
  #lastCheckpoint: number;
  /** Bytes of packs stored so far. */
  storedBytes = 0;
  storedPacks = 0;
  /** Names of the index files that it has written. */
  readonly indexFiles: string[] = [];

  /** `packSize` in bytes; default the repository's. */
  constructor(repository: Repository, index: BlobIndex, lock: Pick<Lock, 'ensure'>, clock: Clock, packSize = repository.packSize) {
    this.#repository = repository;
    this.#index = index;
    this.#lock = lock;
    this.#clock = clock;
    this.#packSize = packSize;
    this.#lastCheckpoint = clock.monotonic();
  }

  /** Resolves when the pack is durable; its buffer may be used again then. */
  readonly store = async (pack: FinishedPack): Promise<void> => {
    await this.#lock.ensure();
    const name = pack.id.toString('hex');
    await this.#repository.storage.save({ kind: 'pack', name, holds: holdsTrees(pack.header) ? 'trees' : undefined }, [pack.bytes]);
    this.storedBytes += pack.bytes.length;
    this.storedPacks += 1;
    this.note(pack.id, pack.header);
    const due = this.#clock.monotonic() - this.#lastCheckpoint >= this.#checkpointMs;
    if (due) this.#checkpointMs = Math.min(longestCheckpointMs, this.#checkpointMs * 2);
    if (due || this.#builder.isFull) await this.flushIndex();
  };

  /** Notes a pack that is in the storage: `header` is its opened header. */
  note(id: Buffer, header: Buffer): void {
    const number = this.#index.pack(id);
    readEntries(header, (type, offset, length, plain, bytes, at) => this.#index.add(number, bytes, at, type, offset, length, plain));
    this.#builder.add(id.toString('hex'), header);
  }

  /** Stores what the workers have not filled, joined to as few packs as the pack size allows. */
  async storeUnfinished(unfinished: readonly UnfinishedPack[]): Promise<void> {
    const { sealer } = this.#repository;
    const packSize = this.#packSize;
    for (const type of ['data', 'tree'] as const) {
      let group: UnfinishedPack[] = [];
      let size = 0;
      let header = 0;
      const finish = async (): Promise<void> => {
        if (group.length > 0) await this.store(joinUnfinished(sealer, group));
        group = [];
        size = 0;
        header = 0;
      };
      for (const pack of unfinished) {
        if (pack.type !== type) continue;
        if (size + pack.body.length > packSize || header + pack.header.length + sealOverhead > maxHeaderBytes) await finish();
        group.push(pack);
        size += pack.body.length;
        header += pack.header.length;
      }
      await finish();
    }
  }

  /** Writes an index file for all packs that none names yet. Resolves when it is durable. */
  async flushIndex(): Promise<void> {
    this.#lastCheckpoint = this.#clock.monotonic();
    // One after the other, and each caller learns of its own failure.
    this.#writing = this.#writing
      .catch(() => {})
      .then(async () => {
        if (this.#builder.isEmpty) return;
        const writing = this.#builder;
        this.#builder = this.#spare ?? new IndexFileBuilder();
        this.#spare = undefined;
        try {
          await this.#lock.ensure();
          this.indexFiles.push(await this.#repository.saveItem('index', writing.text()));
        } catch (error) {
          // Still to be named by an index file: a later call may succeed.
          this.#builder.join(writing);
          throw error;
        } finally {
          writing.clear();
          this.#spare = writing;
        }
      });
    await this.#writing;
  }
}

function joinUnfinished(sealer: Repository['sealer'], group: readonly UnfinishedPack[]): FinishedPack {
  const header = Buffer.concat(group.map((pack) => pack.header));
  const size = group.reduce((sum, pack) => sum + pack.body.length, 0);
  const [first, ...others] = group;
  // Each came in a buffer with room for a whole pack.
  const roomy = first.body.byteOffset === 0 && first.body.buffer.byteLength >= size + headerBytes(header);
  const buffer = Buffer.from(roomy ? first.body.buffer : new ArrayBuffer(size + headerBytes(header)));
  if (!roomy) buffer.set(first.body, 0);
  let at = first.body.length;
  for (const { body } of others) {
    buffer.set(body, at);
    at += body.length;
  }
  return finishPack(sealer, buffer, size, header);
}
