/**
 * What the destinations hold: the list of snapshots of each, as it is now, or as it was when the destination could last be reached. The
 * lists are kept in files beside the other caches: they can be lost, and snapshots never change, so that only new ones are read.
 */
import { mkdirSync, readFileSync } from 'node:fs';
import { rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import type { Destination } from '../../contract/destination.ts';
import { hasCode, type HoldfastError, toHoldfastError } from '../../contract/errors.ts';
import { parseSnapshot, type Snapshot } from '../../repository/snapshot.ts';
import type { Repository } from '../../repository/repository.ts';
import type { Common } from '../parts.ts';
import type { Books } from './books.ts';

export interface HoldingsOptions extends Pick<Common, 'state' | 'clock' | 'cacheFolder' | 'onNote'> {
  readonly books: Books;
  /** A list may be another one now. */
  readonly onChange: () => void;
}

export interface Holding {
  readonly destination: Destination;
  /** Oldest first. */
  readonly snapshots: readonly Snapshot[];
  /** When they were read; null: never. */
  readonly readAt: number | null;
  /** Why they could not be read the last time; undefined when they could. */
  readonly error: HoldfastError | undefined;
  readonly damaged: number;
}

interface Shelf {
  snapshots: readonly Snapshot[];
  readAt: number | null;
  triedAt: number | undefined;
  error: HoldfastError | undefined;
  damaged: number;
  isStale: boolean;
  reading: Promise<void> | undefined;
}

/** After so long others may have added some. */
const freshMs = 5 * 60_000;
/** A destination that failed is not asked again before. */
const againMs = 30_000;
/** How long somebody waits for a destination of which something is known, and for one of which nothing is. */
const waitMs = 1500;
const firstWaitMs = 20_000;
const parallel = 8;

const fileSchema = z.object({ readAt: z.number(), damaged: z.number().default(0), snapshots: z.array(z.looseObject({ id: z.string() })) });

export class Holdings {
  readonly #options: HoldingsOptions;
  readonly #shelves = new Map<string, Shelf>();

  constructor(options: HoldingsOptions) {
    this.#options = options;
  }

  /** `anew`: each is asked, however little time has passed. */
  async all(anew = false): Promise<Holding[]> {
    const destinations = this.#options.state.destinations();
    await Promise.all(
      destinations.map(async (destination) => {
        const shelf = this.#shelf(destination);
        await this.#wait(this.#ask(destination, shelf, anew), anew || shelf.readAt === null ? firstWaitMs : waitMs);
      }),
    );
    return destinations.map((destination) => this.#holding(destination));
  }

  /** Asks those that may hold something else than is known, or could not be read the last time. */
  async askStale(which: (destination: string) => boolean, hasPatience: boolean): Promise<void> {
    const asked = this.#options.state.destinations().filter(({ id }) => which(id));
    await Promise.all(
      asked.map(async (destination) => {
        const shelf = this.#shelf(destination);
        if (!shelf.isStale && shelf.readAt !== null && !shelf.error) return;
        await this.#wait(this.#ask(destination, shelf, false), hasPatience ? firstWaitMs : waitMs);
      }),
    );
  }

  /** As far as is known without asking. */
  known(): Holding[] {
    return this.#options.state.destinations().map((destination) => this.#holding(destination));
  }

  /** Something happened there. */
  changed(destination: string): void {
    const shelf = this.#shelves.get(destination);
    if (!shelf) return;
    shelf.isStale = true;
    shelf.triedAt = undefined;
    this.#options.onChange();
  }

  forget(destination: string): void {
    this.#shelves.delete(destination);
    this.#options.onChange();
  }

  #holding(destination: Destination): Holding {
    const { snapshots, readAt, error, damaged } = this.#shelf(destination);
    return { destination, snapshots, readAt, error, damaged };
  }

  #shelf(destination: Destination): Shelf {
    let shelf = this.#shelves.get(destination.id);
    if (!shelf) this.#shelves.set(destination.id, (shelf = this.#fromFile(destination)));
    return shelf;
  }

  async #wait(reading: Promise<void> | undefined, ms: number): Promise<void> {
    if (!reading) return;
    const patience = new AbortController();
    const enough = this.#options.clock.sleep(ms, patience.signal).catch(() => {});
    await Promise.race([reading, enough]);
    patience.abort();
  }

  /** Undefined when there is no need to ask. */
  #ask(destination: Destination, shelf: Shelf, anew: boolean): Promise<void> | undefined {
    if (shelf.reading) return shelf.reading;
    const now = this.#options.clock.now();
    const age = (at: number | null | undefined): number => (at === null || at === undefined ? Infinity : Math.abs(now - at));
    const isWanted = anew || shelf.isStale || shelf.error !== undefined || age(shelf.readAt) > freshMs;
    if (!isWanted || (!anew && shelf.error && age(shelf.triedAt) < againMs)) return undefined;
    shelf.triedAt = now;
    shelf.isStale = false;
    shelf.reading = this.#read(destination, shelf).finally(() => (shelf.reading = undefined));
    return shelf.reading;
  }

  async #read(destination: Destination, shelf: Shelf): Promise<void> {
    const { books, clock, onChange } = this.#options;
    const before = new Set(shelf.snapshots.map(({ id }) => id));
    const errorBefore = shelf.error?.code;
    try {
      const { snapshots, damaged } = await books.use(destination.id, ({ repository }) => readSnapshots(repository, shelf.snapshots));
      const isOther = snapshots.length !== before.size || snapshots.some(({ id }) => !before.has(id));
      Object.assign(shelf, { snapshots, damaged, readAt: clock.now(), error: undefined } satisfies Partial<Shelf>);
      await this.#toFile(destination, shelf);
      if (isOther || errorBefore !== undefined) onChange();
    } catch (thrown) {
      shelf.error = toHoldfastError(thrown);
      if (shelf.error.code !== errorBefore) onChange();
    }
  }

  #fileOf({ repository }: Destination): string {
    return join(this.#options.cacheFolder, 'snapshots', `${repository}.json`);
  }

  #fromFile(destination: Destination): Shelf {
    const shelf: Shelf = {
      snapshots: [],
      readAt: null,
      triedAt: undefined,
      error: undefined,
      damaged: 0,
      isStale: true,
      reading: undefined,
    };
    try {
      const kept = fileSchema.parse(JSON.parse(readFileSync(this.#fileOf(destination), 'utf8')));
      const snapshots = kept.snapshots.map(({ id, ...fields }) => parseSnapshot(id, Buffer.from(JSON.stringify(fields))));
      return { ...shelf, snapshots, readAt: kept.readAt, damaged: kept.damaged };
    } catch {
      return shelf;
    }
  }

  async #toFile(destination: Destination, { snapshots, readAt, damaged }: Shelf): Promise<void> {
    const file = this.#fileOf(destination);
    try {
      mkdirSync(join(this.#options.cacheFolder, 'snapshots'), { recursive: true, mode: 0o700 });
      await writeFile(`${file}.tmp`, JSON.stringify({ readAt, damaged, snapshots }), { mode: 0o600 });
      await rename(`${file}.tmp`, file);
    } catch (error) {
      this.#options.onNote(`The list of snapshots of “${destination.name}” could not be kept (${(error as Error).message}).`);
    }
  }
}

/** Those that are known already are not read again. Throws what the storage throws. */
async function readSnapshots(repository: Repository, known: readonly Snapshot[]): Promise<{ snapshots: Snapshot[]; damaged: number }> {
  const byId = new Map(known.map((snapshot) => [snapshot.id, snapshot]));
  const names = await repository.names('snapshot');
  const snapshots: Snapshot[] = [];
  let [next, damaged] = [0, 0];
  const read = async (): Promise<void> => {
    while (next < names.length) {
      const id = names[next++]!;
      try {
        snapshots.push(byId.get(id) ?? (await repository.snapshot(id)));
      } catch (error) {
        if (hasCode(error, 'file-not-found')) continue;
        if (!hasCode(error, 'item-tampered') && !hasCode(error, 'snapshot-invalid')) throw error;
        damaged += 1;
      }
    }
  };
  await Promise.all(Array.from({ length: parallel }, read));
  snapshots.sort((a, b) => Date.parse(a.time) - Date.parse(b.time) || (a.id < b.id ? -1 : 1));
  return { snapshots, damaged };
}
