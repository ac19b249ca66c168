/** Runs in short: what figures and strips of days are made of, read by the thousand. */
import type { Run, RunStatus } from '../../contract/run.ts';
import type { Tables } from './tables.ts';

export interface RunBrief {
  readonly id: number;
  readonly kind: Run['kind'];
  readonly plan: string | null;
  readonly destination: string | null;
  readonly status: RunStatus;
  readonly reason: Run['reason'];
  readonly created: number;
  readonly started: number | null;
  readonly ended: number;
  /** 0 where the run has no figures. Sizes in bytes. */
  readonly files: number;
  readonly bytes: number;
  readonly bytesAdded: number;
  readonly bytesStored: number;
}

export class RunBriefs {
  readonly #tables: Tables;

  constructor(tables: Tables) {
    this.#tables = tables;
  }

  /** Those that ended at `since` or later, oldest first. */
  ended(since: number, { plan, destination }: { plan?: string | undefined; destination?: string | undefined } = {}): RunBrief[] {
    const figure = (name: string): string => `COALESCE(json_extract(figures, '$.${name}'), 0)`;
    return this.#tables.all(
      `SELECT id, kind, plan, destination, status, reason, created, started, ended, ${figure('files')} AS files, ${figure('bytes')} AS bytes,
         ${figure('bytesAdded')} AS bytesAdded, ${figure('bytesStored')} AS bytesStored
       FROM runs WHERE ended >= ?1 AND (?2 IS NULL OR plan = ?2) AND (?3 IS NULL OR destination = ?3) ORDER BY ended, id`,
      since,
      plan ?? null,
      destination ?? null,
    ) as unknown as RunBrief[];
  }

  /** When the oldest backup of a plan that is known, and that made a snapshot, ended. */
  firstBackup(plan: string): number | undefined {
    const [row] = this.#tables.all(
      `SELECT MIN(ended) AS ended FROM runs WHERE plan = ? AND kind = 'backup' AND status IN ('succeeded', 'completed-with-warnings')`,
      plan,
    );
    return row?.ended === null || row === undefined ? undefined : Number(row.ended);
  }
}
