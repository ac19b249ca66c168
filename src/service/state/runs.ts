/** Runs, their logs and what they could not read. */
import type { SQLInputValue } from 'node:sqlite';
import { fail } from '../../contract/errors.ts';
import { isFinal, type LogLine, type Run, type RunProblem, runSchema, runStatuses } from '../../contract/run.ts';
import { strategies, type Strategy } from '../../contract/schedule.ts';
import type { Tables } from './tables.ts';

export type NewRun = Pick<
  Run,
  'kind' | 'plan' | 'destination' | 'planName' | 'destinationName' | 'cause' | 'strategy' | 'attempt' | 'created'
>;
export type RunChange = Partial<
  Pick<
    Run,
    | 'destination'
    | 'destinationName'
    | 'status'
    | 'reason'
    | 'started'
    | 'ended'
    | 'snapshot'
    | 'figures'
    | 'error'
    | 'strategy'
    | 'takeovers'
  >
>;

export interface RunFilter {
  readonly plan?: string | undefined;
  readonly destination?: string | undefined;
  readonly kinds?: readonly Run['kind'][] | undefined;
  readonly statuses?: readonly Run['status'][] | undefined;
  /** Only runs with a smaller ID. */
  readonly before?: number | undefined;
  readonly limit: number;
}

/** Columns by field; those in JSON are marked. */
const columns = {
  id: 'id',
  kind: 'kind',
  plan: 'plan',
  destination: 'destination',
  planName: 'plan_name',
  destinationName: 'destination_name',
  cause: 'cause',
  strategy: 'strategy',
  status: 'status',
  reason: 'reason',
  attempt: 'attempt',
  created: 'created',
  started: 'started',
  ended: 'ended',
  snapshot: 'snapshot',
  figures: 'figures',
  error: 'error',
  problems: 'problems',
  takeovers: 'takeovers',
} as const satisfies Record<keyof Run, string>;
const inJson: ReadonlySet<string> = new Set(['figures', 'error', 'takeovers']);

const fields = Object.entries(columns) as [keyof Run, string][];
const selected = Object.values(columns).join(', ');

/** What takes some milliseconds. */
const problemsAtOnce = 1000;
const sweptAtOnce = 5000;

const unfinished = runStatuses.filter((status) => !isFinal(status));

export class RunStore {
  readonly #tables: Tables;

  constructor(tables: Tables) {
    this.#tables = tables;
  }

  add(run: NewRun, status: Run['status'] = 'waiting', reason: Run['reason'] = null): Run {
    const ended = isFinal(status) ? run.created : null;
    const values = { ...run, status, reason, ended };
    const names = Object.keys(values) as (keyof typeof values)[];
    const { lastInsertRowid } = this.#tables.run(
      `INSERT INTO runs (${names.map((name) => columns[name]).join(', ')}) VALUES (${names.map(() => '?').join(', ')})`,
      ...names.map((name) => values[name]),
    );
    return this.get(Number(lastInsertRowid));
  }

  /** A run of another profile's history, under a number of its own here. */
  takeOver({ id: _id, ...run }: Run): void {
    const names = Object.keys(run) as (keyof typeof run)[];
    this.#tables.run(
      `INSERT INTO runs (${names.map((name) => columns[name]).join(', ')}) VALUES (${names.map(() => '?').join(', ')})`,
      ...names.map((name) => stored(name, run[name])),
    );
  }

  change(id: number, change: RunChange): Run {
    const names = Object.keys(change) as (keyof RunChange)[];
    this.#tables.run(
      `UPDATE runs SET ${names.map((name) => `${columns[name]} = ?`).join(', ')} WHERE id = ?`,
      ...names.map((name) => stored(name, change[name])),
      id,
    );
    return this.get(id);
  }

  /** Throws `run-not-found`. */
  get(id: number): Run {
    const [row] = this.#tables.all(`SELECT ${selected} FROM runs WHERE id = ?`, id);
    return row ? runOf(row) : fail('run-not-found', { run: id });
  }

  /** Newest first. */
  list({ plan, destination, kinds, statuses, before, limit }: RunFilter): Run[] {
    const where: string[] = [];
    const values: SQLInputValue[] = [];
    const add = (text: string, ...more: SQLInputValue[]): void => {
      where.push(text);
      values.push(...more);
    };
    if (plan !== undefined) add('plan = ?', plan);
    if (destination !== undefined) add('destination = ?', destination);
    if (before !== undefined) add('id < ?', before);
    for (const [column, wanted] of [
      ['kind', kinds],
      ['status', statuses],
    ] as const) {
      if (wanted) add(`${column} IN (${wanted.map(() => '?').join(', ')})`, ...wanted);
    }
    const condition = where.length > 0 ? `WHERE ${where.join(' AND ')}` : '';
    return this.#tables.all(`SELECT ${selected} FROM runs ${condition} ORDER BY id DESC LIMIT ?`, ...values, limit).map(runOf);
  }

  /** Those that have not ended, oldest first. */
  unfinished(): Run[] {
    return this.list({ statuses: unfinished, limit: 10_000 }).reverse();
  }

  /** The newest run of a plan to a destination that ended with a snapshot; undefined when none did. Asked often: each part is the end of one index. */
  lastSuccess(plan: string, destination: string): Run | undefined {
    const newest = `SELECT MAX(id) AS id FROM runs WHERE plan = ?1 AND destination = ?2 AND kind = 'backup' AND status =`;
    const [row] = this.#tables.all(
      `SELECT ${selected} FROM runs WHERE id = (SELECT MAX(id) FROM (${newest} 'succeeded' UNION ALL ${newest} 'completed-with-warnings'))`,
      plan,
      destination,
    );
    return row && runOf(row);
  }

  /** When the newest backup of each strategy that ended well was started. */
  successes(plan: string): Partial<Record<Strategy, number>> {
    const newest = `SELECT MAX(id) AS id FROM runs WHERE plan = ?1 AND kind = 'backup' AND strategy = ?2 AND status =`;
    const found = strategies.flatMap((strategy) => {
      const [row] = this.#tables.all(
        `SELECT started FROM runs WHERE id = (SELECT MAX(id) FROM (${newest} 'succeeded' UNION ALL ${newest} 'completed-with-warnings'))`,
        plan,
        strategy,
      );
      return row ? [[strategy, Number(row.started)]] : [];
    });
    return Object.fromEntries(found);
  }

  log(run: number, line: LogLine): void {
    this.#tables.run('INSERT INTO run_log (run, at, level, text) VALUES (?, ?, ?, ?)', run, line.at, line.level, line.text);
  }

  /** Lines after the row `after`, with the row of the last one. */
  logOf(run: number, after: number, limit: number): { lines: LogLine[]; next: number | null } {
    const rows = this.#tables.all(
      'SELECT rowid, at, level, text FROM run_log WHERE run = ? AND rowid > ? ORDER BY rowid LIMIT ?',
      run,
      after,
      limit,
    );
    const lines = rows.map(({ at, level, text }) => ({ at: Number(at), level: level as LogLine['level'], text: String(text) }));
    return { lines, next: rows.length === limit ? Number(rows.at(-1)!.rowid) : null };
  }

  /** A person wants it to wait, or no more; noted with the run, so that it holds whatever becomes of this process. */
  hold(id: number, isHeld: boolean): void {
    this.#tables.run('UPDATE runs SET held_by_person = ? WHERE id = ?', isHeld ? 1 : 0, id);
  }

  isHeldByPerson(id: number): boolean {
    return this.#tables.all('SELECT id FROM runs WHERE id = ? AND held_by_person = 1', id).length > 0;
  }

  /**
   * Stores some of a run's problems, from the `from`th on, so few that nobody waits for them; returns how many are stored by then. Nobody
   * sees them before the run has ended with them; those of a run that never does are swept up ({@link sweep}).
   */
  storeProblems(id: number, problems: readonly RunProblem[], from: number): number {
    const next = problems.slice(from, from + problemsAtOnce);
    this.#tables.together(() => {
      for (const { path, code, message } of next)
        this.#tables.run('INSERT INTO run_problems (run, path, code, message) VALUES (?, ?, ?, ?)', id, path, code, message);
    });
    return from + next.length;
  }

  /** Its `problems` are stored. All of it or nothing. */
  end(id: number, change: RunChange, problems: number): Run {
    return this.#tables.together(() => {
      this.#tables.run('UPDATE runs SET problems = ? WHERE id = ?', problems, id);
      return this.change(id, change);
    });
  }

  /** Ends a run that its process did not survive, and adds the one that takes it up, which is asked for the same; both or nothing. */
  interrupt(id: number, at: number, next: NewRun | undefined, isPaused: boolean): { ended: Run; successor: Run | undefined } {
    return this.#tables.together(() => {
      const ended = this.change(id, { status: 'interrupted', ended: at });
      const successor = next && this.add(next, isPaused ? 'paused' : 'waiting');
      if (successor && isPaused) this.#tables.run('UPDATE runs SET held_by_person = 1 WHERE id = ?', successor.id);
      if (successor)
        this.#tables.run('INSERT INTO run_details (run, request) SELECT ?, request FROM run_details WHERE run = ?', successor.id, id);
      return { ended, successor };
    });
  }

  problemsOf(run: number, after: number, limit: number): { problems: RunProblem[]; next: number | null } {
    const rows = this.#tables.all(
      `SELECT rowid, path, code, message FROM run_problems
       WHERE run = ?1 AND rowid > ?2 AND (SELECT problems FROM runs WHERE id = ?1) > 0 ORDER BY rowid LIMIT ?3`,
      run,
      after,
      limit,
    );
    const problems = rows.map(({ path, code, message }) => ({ path: String(path), code: String(code), message: String(message) }));
    return { problems, next: rows.length === limit ? Number(rows.at(-1)!.rowid) : null };
  }

  /**
   * Removes runs that ended before `before`, oldest first and no more than `most`, but for the newest successful one of each plan on each
   * destination, by which it is told how old a backup is. Returns how many went.
   */
  thin(before: number, most: number): number {
    const old = this.#tables
      .all(
        `SELECT id FROM runs AS old WHERE ended < ? AND (status NOT IN ('succeeded', 'completed-with-warnings') OR EXISTS (
           SELECT 1 FROM runs AS newer WHERE newer.plan IS old.plan AND newer.destination IS old.destination AND newer.kind = old.kind
             AND newer.status IN ('succeeded', 'completed-with-warnings') AND newer.id > old.id))
         ORDER BY ended LIMIT ?`,
        before,
        most,
      )
      .map(({ id }) => Number(id));
    let gone = 0;
    for (const id of old) {
      // The others go the next times.
      if (this.#sweepProblems(id) >= sweptAtOnce) break;
      gone += Number(this.#tables.run('DELETE FROM runs WHERE id = ?', id).changes);
    }
    return gone;
  }

  /** Removes some of the problems of runs that did not live to end with them. */
  sweep(): void {
    const [left] = this.#tables.all(
      `SELECT id FROM runs WHERE status IN ('interrupted', 'cancelled') AND problems = 0 AND EXISTS (SELECT 1 FROM run_problems WHERE run = runs.id)
       LIMIT 1`,
    );
    if (left) this.#sweepProblems(Number(left.id));
  }

  #sweepProblems(run: number): number {
    const { changes } = this.#tables.run(
      'DELETE FROM run_problems WHERE rowid IN (SELECT rowid FROM run_problems WHERE run = ? LIMIT ?)',
      run,
      sweptAtOnce,
    );
    return Number(changes);
  }
}

function stored(name: string, value: unknown): SQLInputValue {
  return inJson.has(name) && value !== null ? JSON.stringify(value) : (value as SQLInputValue);
}

function runOf(row: Record<string, unknown>): Run {
  const run = Object.fromEntries(
    fields.map(([field, column]) => [field, inJson.has(field) && row[column] !== null ? JSON.parse(row[column] as string) : row[column]]),
  );
  if (run.takeovers === null) delete run.takeovers;
  return runSchema.parse(run);
}
