/**
 * What the service remembers. Every change is durable when the call returns. Each call throws `state-failed` when the file cannot be
 * read or written; then nothing of the change was made.
 */
import type { z } from 'zod';
import { fail } from '../../contract/errors.ts';
import { type Destination, destinationSchema } from '../../contract/destination.ts';
import { type Plan, planSchema } from '../../contract/plan.ts';
import type { Run } from '../../contract/run.ts';
import { type Settings, type SettingsChange, settingsSchema } from '../../contract/settings.ts';
import type { Clock } from '../../platform/clock.ts';
import { openDatabase } from './database.ts';
import { RunBriefs } from './run-briefs.ts';
import { RunDetails } from './run-details.ts';
import { type NewRun, RunStore } from './runs.ts';
import { SizeStore } from './sizes.ts';
import { Tables } from './tables.ts';

/** A row that a defect or another hand has made unreadable costs that row, not the service. */
export type OnUnreadable = (what: string, error: Error) => void;

export class StateStore {
  readonly runs: RunStore;
  readonly runBriefs: RunBriefs;
  readonly runDetails: RunDetails;
  readonly sizes: SizeStore;
  /** Whether there was no state before. */
  readonly isNew: boolean;
  readonly keptAside: string | undefined;
  readonly #tables: Tables;
  readonly #onUnreadable: OnUnreadable;

  /** Throws `state-newer`, `state-failed`. */
  constructor(file: string, clock: Pick<Clock, 'now'>, onUnreadable: OnUnreadable = () => {}) {
    const { database, isNew, keptAside } = openDatabase(file, clock);
    this.isNew = isNew;
    this.keptAside = keptAside;
    this.#tables = new Tables(database, file);
    this.#onUnreadable = onUnreadable;
    this.runs = new RunStore(this.#tables);
    this.runBriefs = new RunBriefs(this.#tables);
    this.runDetails = new RunDetails(this.#tables);
    this.sizes = new SizeStore(this.#tables);
  }

  close(): void {
    this.#tables.close();
  }

  settings(): Settings {
    const found: Record<string, unknown> = {};
    for (const { name, value } of this.#tables.all('SELECT name, value FROM settings')) {
      const schema = (settingsSchema.shape as Readonly<Record<string, z.ZodType | undefined>>)[String(name)];
      const parsed = schema?.safeParse(parsedJson(value));
      if (parsed?.success) found[String(name)] = parsed.data;
    }
    return settingsSchema.parse(found);
  }

  changeSettings(change: SettingsChange): Settings {
    this.#tables.together(() => {
      for (const [name, value] of Object.entries(change)) {
        if (value === undefined) continue;
        this.#tables.run('INSERT OR REPLACE INTO settings (name, value) VALUES (?, ?)', name, JSON.stringify(value));
      }
    });
    return this.settings();
  }

  plans(): Plan[] {
    return this.#values('plans', (value) => planSchema.parse(value));
  }

  /** Throws `plan-not-found`. */
  plan(id: string): Plan {
    return this.plans().find((plan) => plan.id === id) ?? fail('plan-not-found', { plan: id });
  }

  savePlan(plan: Plan): void {
    this.#save('plans', plan);
  }

  removePlan(id: string): void {
    this.#tables.run('DELETE FROM plans WHERE id = ?', id);
  }

  destinations(): Destination[] {
    return this.#values('destinations', (value) => destinationSchema.parse(value));
  }

  /** Throws `destination-not-found`. */
  destination(id: string): Destination {
    return this.destinations().find((destination) => destination.id === id) ?? fail('destination-not-found', { destination: id });
  }

  saveDestination(destination: Destination): void {
    this.#save('destinations', destination);
  }

  removeDestination(id: string): void {
    this.#tables.run('DELETE FROM destinations WHERE id = ?', id);
  }

  /** A run with what it is asked for; both or nothing. */
  addTask(run: NewRun, request: unknown): Run {
    return this.#tables.together(() => {
      const added = this.runs.add(run);
      this.runDetails.saveRequest(added.id, request);
      return added;
    });
  }

  /** All of it or nothing, with what `andAlso` remembers. Runs keep neither their numbers nor their logs. */
  takeOver(
    what: { settings: Settings; plans: readonly Plan[]; destinations: readonly Destination[]; runs: readonly Run[] },
    andAlso: () => void = () => {},
  ): void {
    this.#tables.together(() => {
      andAlso();
      for (const [name, value] of Object.entries(what.settings))
        this.#tables.run('INSERT OR REPLACE INTO settings (name, value) VALUES (?, ?)', name, JSON.stringify(value));
      for (const destination of what.destinations) this.#save('destinations', destination);
      for (const plan of what.plans) this.#save('plans', plan);
      for (const run of what.runs.toReversed()) this.runs.takeOver(run);
    });
  }

  /** What was kept under this name; undefined when nothing was. */
  recall(name: string): unknown {
    const [row] = this.#tables.all('SELECT value FROM memory WHERE name = ?', name);
    return row && parsedJson(row.value);
  }

  remember(name: string, value: unknown): void {
    this.#tables.run('INSERT OR REPLACE INTO memory (name, value) VALUES (?, ?)', name, JSON.stringify(value));
  }

  forget(name: string): void {
    this.#tables.run('DELETE FROM memory WHERE name = ?', name);
  }

  #values<T>(table: 'plans' | 'destinations', parse: (value: unknown) => T): T[] {
    return this.#tables.all(`SELECT id, value FROM ${table} ORDER BY position, id`).flatMap(({ id, value }) => {
      try {
        return [parse(JSON.parse(String(value)))];
      } catch (error) {
        this.#onUnreadable(`${table} ${String(id)}`, error as Error);
        return [];
      }
    });
  }

  #save(table: 'plans' | 'destinations', value: { readonly id: string }): void {
    this.#tables.run(
      `INSERT INTO ${table} (id, position, value) VALUES (?1, (SELECT COALESCE(MAX(position), 0) + 1 FROM ${table}), ?2)
       ON CONFLICT (id) DO UPDATE SET value = excluded.value`,
      value.id,
      JSON.stringify(value),
    );
  }
}

/** Undefined for what is no JSON. */
function parsedJson(text: unknown): unknown {
  try {
    return JSON.parse(String(text));
  } catch {
    return undefined;
  }
}
