/**
 * Keeps the catalogue as the repositories are: looks at a destination after each run there, when it is connected or comes back, and some
 * time after the service has begun; enters what is new, newest first, and takes out what is gone. One destination after the other; while
 * runs work it waits, for they come first.
 *
 * What is being read can be given up at any time: it is taken up again with the next look.
 */
import type { CatalogueProgress, CatalogueState } from '../../contract/catalogue.ts';
import { fail, hasCode, type HoldfastError, toHoldfastError } from '../../contract/errors.ts';
import type { Run } from '../../contract/run.ts';
import { withTrees } from '../../engine/listing/read-trees.ts';
import { RunControl } from '../../platform/cancellation.ts';
import type { Destinations } from '../destinations/destinations.ts';
import type { Common, Part } from '../parts.ts';
import type { Desk } from '../runs/desk.ts';
import type { ResidentIndexes } from '../runs/resident-indexes.ts';
import { Catalogue } from './client.ts';
import { enterNew } from './enter.ts';
import { factsOfSnapshot } from './lines.ts';
import type { Answer, Question, QuestionName } from './protocol.ts';

export interface KeeperOptions extends Common {
  readonly file: string;
  readonly destinations: Pick<Destinations, 'open'>;
  readonly desk: Pick<Desk, 'unfinished'>;
  /** Indexes that runs have loaded. */
  readonly indexes: Pick<ResidentIndexes, 'known'>;
}

/** What is known of a destination besides what the catalogue says. */
interface Work {
  readonly state: 'building' | 'waiting' | 'failed';
  readonly entries: number;
  readonly problem: HoldfastError | null;
}

interface Active {
  readonly destination: string;
  readonly control: RunControl;
  readonly done: Promise<void>;
}

/** After the service has begun, so that its start is not held up. */
const firstLookMs = 60_000;
/** Clients are told no more often. */
const tellEveryMs = 250;

export class CatalogueKeeper implements Part {
  readonly #options: KeeperOptions;
  readonly #catalogue: Catalogue;
  readonly #waiting = new Set<string>();
  readonly #work = new Map<string, Work>();
  /** Repositories by destination, as they were when they were seen last. */
  #known = new Map<string, string>();
  #active: Active | undefined;
  #working: Promise<void> | undefined;
  #stopFirstLook: () => void = () => {};
  readonly #watchers = new Set<() => void>();
  #isClosing = false;

  constructor(options: KeeperOptions) {
    const { file, clock } = options;
    this.#options = options;
    this.#catalogue = new Catalogue({ file, clock, onLost: () => this.look() });
    this.#known = this.#repositories();
  }

  begin(): void {
    this.#stopFirstLook = this.#options.clock.every(firstLookMs, () => {
      this.#stopFirstLook();
      this.look();
    });
  }

  runEnded({ destination, kind, status }: Run): void {
    this.runsChanged();
    if (destination !== null && status !== 'skipped' && kind !== 'restore' && kind !== 'drill') this.look(destination);
  }

  /** A run has begun, waits, or has ended. */
  runsChanged(): void {
    const control = this.#active?.control;
    if (!control) return;
    if (this.#isBusy) control.pause();
    else control.resume();
  }

  /** Destinations were connected or removed. */
  destinationsChanged(): void {
    const now = this.#repositories();
    for (const [id, repository] of this.#known) {
      if (now.get(id) === repository) continue;
      this.#waiting.delete(id);
      this.#work.delete(id);
      if (![...now.values()].includes(repository)) void this.#drop(id, repository);
    }
    for (const [id, repository] of now) if (this.#known.get(id) !== repository) this.look(id);
    this.#known = now;
  }

  /** Looks at a destination, or at all of them, as soon as nothing else is to be done. */
  look(destination?: string): void {
    if (this.#isClosing) return;
    for (const id of destination === undefined ? this.#repositories().keys() : [destination]) this.#waiting.add(id);
    this.#working ??= this.#workOff().finally(() => {
      this.#working = undefined;
      // Something may have come in its last moment.
      if (this.#waiting.size > 0) this.look([...this.#waiting][0]);
    });
    this.#tell();
  }

  /**
   * Lets go of a destination, so that its drive can be ejected. What is new there is entered first, unless that has to wait for a run: it
   * may never be there but for its own runs.
   */
  async release(destination: string): Promise<void> {
    const isWanted = (): boolean => this.#waiting.has(destination) || this.#active?.destination === destination;
    while (this.#active && isWanted() && !this.#isBusy && !this.#isClosing) await this.#active.done;
    await this.#giveUp(destination);
  }

  async #giveUp(destination: string): Promise<void> {
    this.#waiting.delete(destination);
    if (this.#active?.destination !== destination) return;
    this.#active.control.cancel();
    await this.#active.done;
  }

  /** Answers from the catalogue. Throws `catalogue-failed`, and what the question throws. */
  ask<N extends QuestionName>(name: N, request: Question<N>): Promise<Answer<N>> {
    return this.#catalogue.ask(name, request, new Map(this.#destinations()));
  }

  /** Somebody looks at snapshots, and may soon have questions: the first of them is not to wait for the thread and the disk. */
  warm(): void {
    if (this.#isClosing || this.#catalogue.isAwake) return;
    // Whoever asks hears of what is wrong.
    this.#catalogue.run('warm', { destinations: this.#destinations() }).catch(() => {});
  }

  #destinations(): (readonly [string, string])[] {
    return [...this.#repositories()].map(([id, repository]) => [repository, id]);
  }

  /** Throws `catalogue-failed`. */
  async state(): Promise<CatalogueState> {
    const { repositories, bytes } = await this.#catalogue.run('states', undefined);
    const destinations = [...this.#repositories()].map(([destination, repository]): CatalogueProgress => {
      const known = repositories.find((each) => each.repository === repository);
      const work = this.#work.get(destination);
      const { code, message, guidance } = work?.problem ?? {};
      return {
        destination,
        state: work?.state ?? (this.#waiting.has(destination) ? 'waiting' : known && known.checkedAt !== null ? 'complete' : 'unknown'),
        snapshots: known?.snapshots ?? 0,
        totalSnapshots: known?.total ?? 0,
        entries: work?.entries ?? 0,
        checkedAt: known?.checkedAt ?? null,
        problem: code && message && guidance ? { code, message, guidance } : null,
      };
    });
    return { destinations, bytes };
  }

  /** The state now, and when it has changed; ends when `signal` is aborted. */
  async *watch(signal: AbortSignal | undefined): AsyncGenerator<CatalogueState, void, void> {
    const { clock } = this.#options;
    let wake = Promise.withResolvers<void>();
    const changed = (): void => wake.resolve();
    this.#watchers.add(changed);
    signal?.addEventListener('abort', changed, { once: true });
    try {
      while (!signal?.aborted && !this.#isClosing) {
        wake = Promise.withResolvers<void>();
        yield await this.state();
        await wake.promise;
        if (!signal?.aborted && !this.#isClosing) await clock.sleep(tellEveryMs, signal).catch(() => {});
      }
    } finally {
      signal?.removeEventListener('abort', changed);
      this.#watchers.delete(changed);
    }
  }

  /** Compares the catalogue with all that a destination holds; what differs is built anew. Throws what opening throws. */
  async check(destination: string): Promise<{ snapshots: number; wrong: string[] }> {
    const { besides, destinations } = this.#options;
    return besides.run(async (control) => {
      const repository = await destinations.open(destination, { signal: control.signal });
      try {
        const wrong: string[] = [];
        const snapshots = await repository.snapshots(() => {});
        await withTrees(repository, control, async (reading) => {
          for (const snapshot of snapshots) {
            reading.begin(snapshot);
            const facts = factsOfSnapshot(snapshot);
            const args = { polynomial: repository.config.chunker_polynomial, facts };
            if (!(await this.#catalogue.run('check', args, { source: reading }))) wrong.push(facts.key);
          }
        });
        if (wrong.length > 0) this.look(destination);
        return { snapshots: snapshots.length, wrong };
      } finally {
        await repository.storage.close().catch(() => {});
      }
    });
  }

  async close(): Promise<void> {
    this.#isClosing = true;
    this.#stopFirstLook();
    this.#waiting.clear();
    this.#active?.control.cancel();
    for (const wake of this.#watchers) wake();
    await this.#working;
    await this.#catalogue.close();
  }

  get #isBusy(): boolean {
    return this.#options.desk.unfinished().some(({ status }) => status === 'running');
  }

  #repositories(): Map<string, string> {
    return new Map(this.#options.state.destinations().map(({ id, repository }) => [id, repository]));
  }

  async #drop(destination: string, repository: string): Promise<void> {
    await this.#giveUp(destination);
    await this.#catalogue.run('drop', { repository }).catch((error: unknown) => this.#note(error));
    this.#tell();
  }

  async #workOff(): Promise<void> {
    for (let [id] = this.#waiting; id !== undefined && !this.#isClosing; [id] = this.#waiting) {
      this.#waiting.delete(id);
      if (!this.#repositories().has(id)) continue;
      const control = new RunControl();
      const { promise, resolve } = Promise.withResolvers<void>();
      this.#active = { destination: id, control, done: promise };
      this.runsChanged();
      this.#set(id, { state: 'building', entries: 0, problem: null });
      try {
        await control.checkpointAsync();
        await this.#lookAt(id, control);
        this.#set(id, undefined);
      } catch (error) {
        this.#set(id, this.#failed(id, toHoldfastError(error)));
      } finally {
        control.release();
        this.#active = undefined;
        resolve();
      }
    }
  }

  /** How it stands when a look has failed; undefined: as the catalogue knows it. */
  #failed(destination: string, error: HoldfastError): Work | undefined {
    if (hasCode(error, 'cancelled')) return undefined;
    if (hasCode(error, 'destination-not-plugged-in')) return { state: 'waiting', entries: 0, problem: null };
    if (!this.#repositories().has(destination)) return undefined;
    this.#note(error);
    return { state: 'failed', entries: 0, problem: error };
  }

  #note(error: unknown): void {
    this.#options.onNote(`The catalogue: ${toHoldfastError(error).message}`);
  }

  async #lookAt(destination: string, control: RunControl): Promise<void> {
    const repository = await this.#options.destinations.open(destination, { signal: control.signal });
    try {
      // What vanished while it was read shows only in a second look.
      const entering = {
        control,
        catalogue: this.#catalogue,
        loaded: () => this.#options.indexes.known(destination)?.look(repository),
        onProgress: (entries: number) => this.#set(destination, { state: 'building', entries, problem: null }),
        onEntered: () => this.#tell(),
        onNote: (error: unknown) => this.#note(error),
      };
      for (let again = true; again; ) again = await enterNew(repository, entering);
      await this.#catalogue.run('complete', { repository: repository.config.id, at: this.#options.clock.now() });
    } finally {
      await repository.storage.close().catch(() => {});
    }
    this.#tell();
    await this.#catalogue.run('index', undefined);
  }

  #set(destination: string, work: Work | undefined): void {
    if (work) this.#work.set(destination, work);
    else this.#work.delete(destination);
    this.#tell();
  }

  #tell(): void {
    for (const changed of this.#watchers) changed();
  }

  /** Throws `destination-not-found`. */
  refresh(destination: string | undefined): void {
    if (destination !== undefined && !this.#repositories().has(destination)) fail('destination-not-found', { destination });
    this.look(destination);
  }
}
