/** How large repositories were: one measurement a day, under the repository's ID, so that it outlives a move. */
import { type SizeSample, sizeSampleSchema } from '../../contract/capacity.ts';
import type { Tables } from './tables.ts';

/** Days of two years; of what is older, one measurement a month stays. */
const keptDays = 731;
const dayMs = 86_400_000;

export class SizeStore {
  readonly #tables: Tables;

  constructor(tables: Tables) {
    this.#tables = tables;
  }

  /** Takes the place of another one of the same day. */
  save(repository: string, { day, at, bytes, packs, snapshots, freeBytes }: SizeSample): void {
    this.#tables.run(
      `INSERT OR REPLACE INTO sizes (repository, day, at, bytes, packs, snapshots, free) VALUES (?, ?, ?, ?, ?, ?, ?)`,
      repository,
      day,
      at,
      bytes,
      packs,
      snapshots,
      freeBytes,
    );
  }

  /** Oldest first. */
  of(repository: string): SizeSample[] {
    return this.#tables
      .all('SELECT day, at, bytes, packs, snapshots, free AS freeBytes FROM sizes WHERE repository = ? ORDER BY day', repository)
      .flatMap((row) => sizeSampleSchema.safeParse(row).data ?? []);
  }

  last(repository: string): SizeSample | undefined {
    const [row] = this.#tables.all(
      'SELECT day, at, bytes, packs, snapshots, free AS freeBytes FROM sizes WHERE repository = ? ORDER BY day DESC LIMIT 1',
      repository,
    );
    return sizeSampleSchema.safeParse(row).data;
  }

  /** Removes what is older than two years at the time `now`, but for the first of each month. */
  thin(now: number): void {
    const before = new Date(now - keptDays * dayMs).toISOString().slice(0, 10);
    this.#tables.run(
      `DELETE FROM sizes WHERE day < ?1 AND EXISTS
         (SELECT 1 FROM sizes AS first WHERE first.repository = sizes.repository AND substr(first.day, 1, 7) = substr(sizes.day, 1, 7) AND first.day < sizes.day)`,
      before,
    );
  }
}
