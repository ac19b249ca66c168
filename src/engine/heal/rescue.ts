/**
 * Brings single blobs from other repositories while somebody reads from one that turns out to be damaged: nothing is opened before the
 * first is missed, and the next repository is asked when one cannot be, or does not hold it.
 */
import { type HoldfastError, hasCode, toHoldfastError } from '../../contract/errors.ts';
import { decodeBlob } from '../../repository/blob-codec.ts';
import { BlobIndex, type BlobType, emptyLocation } from '../../repository/blob-index.ts';
import type { Repository } from '../../repository/repository.ts';
import { loadIndex } from '../index/load.ts';
import type { RunOptions } from '../run.ts';
import { isDamage } from '../trees/damage-codes.ts';
import { WorkerPool } from '../workers/pool.ts';
import type { HealSource } from './request.ts';

interface Opened {
  readonly repository: Repository;
  readonly index: BlobIndex;
}

export class Rescue {
  readonly #sources: readonly HealSource[];
  readonly #options: Pick<RunOptions, 'control'>;
  readonly #opened = new Map<HealSource, Promise<Opened | undefined>>();
  readonly #tallies = new Map<string, number>();
  /** Repositories that could not be asked, by name. */
  readonly unavailable = new Map<string, HoldfastError>();

  /** In the order in which they are asked; whoever gives them closes them. */
  constructor(sources: readonly HealSource[], options: Pick<RunOptions, 'control'>) {
    this.#sources = sources;
    this.#options = options;
  }

  /** Blobs that came, by the name of the repository that gave them. */
  get tallies(): ReadonlyMap<string, number> {
    return this.#tallies;
  }

  /** The plaintext, proved by its hash; undefined when no repository that can be asked holds it. Throws `cancelled`. */
  readonly blob = async (type: BlobType, id: Uint8Array): Promise<Uint8Array | undefined> => {
    for (const source of this.#sources) {
      let opened = this.#opened.get(source);
      if (!opened) this.#opened.set(source, (opened = this.#open(source)));
      const place = await opened;
      const plain = place && (await this.#load(place, source, type, id));
      if (!plain) continue;
      this.#tallies.set(source.name, (this.#tallies.get(source.name) ?? 0) + 1);
      return plain;
    }
    return undefined;
  };

  async #open(source: HealSource): Promise<Opened | undefined> {
    const control = this.#options.control.part();
    try {
      const repository = await source.open();
      const index = BlobIndex.create();
      const pool = new WorkerPool(repository, { control, index, threads: 1 });
      try {
        await loadIndex(repository, pool);
      } finally {
        await pool.close();
      }
      return { repository, index };
    } catch (error) {
      this.#failed(source, error);
      return undefined;
    } finally {
      control.release();
    }
  }

  async #load({ repository, index }: Opened, source: HealSource, type: BlobType, id: Uint8Array): Promise<Uint8Array | undefined> {
    const location = emptyLocation();
    if (!index.locate(id, 0, type, location)) return undefined;
    try {
      const name = index.packId(location.pack).toString('hex');
      const { offset, length } = location;
      const sealed = await repository.storage.load(
        { kind: 'pack', name, holds: type === 'tree' ? 'trees' : undefined },
        { offset, length },
      );
      return Buffer.from(decodeBlob(repository.sealer, sealed, id, location.uncompressedLength, type));
    } catch (error) {
      // Damaged there, too.
      if (!isDamage(error)) this.#failed(source, error);
      return undefined;
    }
  }

  #failed(source: HealSource, thrown: unknown): void {
    const error = toHoldfastError(thrown);
    if (hasCode(error, 'cancelled')) throw error;
    this.unavailable.set(source.name, error);
    this.#opened.set(source, Promise.resolve(undefined));
  }
}
