/** What some runs are asked for beyond plan and destination, and what they leave: both as data of their kind. */
import type { Tables } from './tables.ts';

export class RunDetails {
  readonly #tables: Tables;

  constructor(tables: Tables) {
    this.#tables = tables;
  }

  /** The run must be there. */
  saveRequest(run: number, request: unknown): void {
    this.#tables.run(
      'INSERT INTO run_details (run, request) VALUES (?1, ?2) ON CONFLICT (run) DO UPDATE SET request = excluded.request',
      run,
      JSON.stringify(request),
    );
  }

  saveReceipt(run: number, receipt: unknown): void {
    this.#tables.run(
      'INSERT INTO run_details (run, receipt) VALUES (?1, ?2) ON CONFLICT (run) DO UPDATE SET receipt = excluded.receipt',
      run,
      JSON.stringify(receipt),
    );
  }

  /** Undefined when there is none. */
  request(run: number): unknown {
    return this.#get('request', run);
  }

  receipt(run: number): unknown {
    return this.#get('receipt', run);
  }

  /** The newest, with their runs: newest first. */
  receipts(limit: number): { run: number; plan: string | null; receipt: unknown }[] {
    return this.#tables
      .all(
        `SELECT runs.id, runs.plan, receipt FROM run_details JOIN runs ON runs.id = run_details.run
         WHERE receipt IS NOT NULL ORDER BY runs.id DESC LIMIT ?`,
        limit,
      )
      .map(({ id, plan, receipt }) => ({ run: Number(id), plan: plan as string | null, receipt: JSON.parse(String(receipt)) as unknown }));
  }

  #get(column: 'request' | 'receipt', run: number): unknown {
    const [row] = this.#tables.all(`SELECT ${column} AS value FROM run_details WHERE run = ?`, run);
    return typeof row?.value === 'string' ? (JSON.parse(row.value) as unknown) : undefined;
  }
}
