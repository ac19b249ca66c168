/** The snapshots of all destinations as one list, with what a person has noted of them, and the way to what they hold. */
import { fail, hasCode, type HoldfastError, toHoldfastError } from '../../contract/errors.ts';
import type { Computer, SnapshotNotes, SnapshotView } from '../../contract/snapshots.ts';
import type { Book } from '../../engine/browse/book.ts';
import type { Snapshot } from '../../repository/snapshot.ts';
import { kindOf } from '../../storage/place.ts';
import type { Destinations } from '../destinations/destinations.ts';
import type { Common, Part } from '../parts.ts';
import { errorOf } from '../runs/work.ts';
import type { Run } from '../../contract/run.ts';
import { Books } from './books.ts';
import { type Holding, Holdings } from './holdings.ts';
import { type Line, linesOf, viewOf } from './lines.ts';
import { Notes, recallNotes, rememberNotes } from './notes.ts';

export interface LibraryOptions extends Common {
  readonly destinations: Pick<Destinations, 'open' | 'failed' | 'views'>;
  /** A note is stored. */
  readonly onNoted: () => void;
}

export interface ListWish {
  readonly plan?: string | undefined;
  readonly destination?: string | undefined;
  readonly computer?: { readonly hostname: string; readonly username: string } | undefined;
  readonly from?: number | undefined;
  readonly before?: number | undefined;
  readonly pinned?: boolean | undefined;
  readonly fresh?: boolean | undefined;
}

export interface Asked {
  readonly destination: string;
  readonly readAt: number | null;
  readonly error: ReturnType<typeof errorOf> | null;
  readonly damaged: number;
}

/** A destination with the ID of a snapshot there. */
export interface Holder {
  readonly destination: string;
  readonly snapshot: Snapshot;
}

/** About what is wanted, and so the same wherever it is read. */
const ofRequest = ['snapshot-path-not-found', 'snapshot-too-large', 'bad-usage', 'cancelled', 'request-invalid'] as const;

export class Library implements Part {
  readonly books: Books;
  readonly #options: LibraryOptions;
  readonly #holdings: Holdings;
  /** Who waits for the list to change. */
  #waiting: (() => void)[] = [];
  #changes = 0;
  readonly #listeners: (() => void)[] = [];

  constructor(options: LibraryOptions) {
    this.#options = options;
    const { destinations, clock } = options;
    this.books = new Books({ destinations, clock });
    this.#holdings = new Holdings({ ...options, books: this.books, onChange: () => this.#changed() });
  }

  runEnded({ destination, started }: Run): void {
    if (destination !== null && started !== null) this.changed(destination);
  }

  /** Its repository is another one than before. */
  changed(destination: string): void {
    this.books.changed(destination);
    this.#holdings.changed(destination);
  }

  /** Its drive has come or gone, or it is no longer connected. */
  moved(destination: string): void {
    this.books.drop(destination);
    this.#holdings.changed(destination);
  }

  /** What the destinations hold, as far as is known without asking. */
  holdings(): Holding[] {
    return this.#holdings.known();
  }

  /** Asks those destinations that may hold something else than is known, and waits for a while. */
  async askStale(which: (destination: string) => boolean, hasPatience = true): Promise<void> {
    await this.#holdings.askStale(which, hasPatience);
  }

  /** Calls back after each change of a list. */
  onChanged(listener: () => void): void {
    this.#listeners.push(listener);
  }

  async close(): Promise<void> {
    this.#changed();
    await this.books.close();
  }

  /** Newest first. */
  async list(wish: ListWish): Promise<{ snapshots: SnapshotView[]; asked: Asked[] }> {
    const holdings = await this.#holdings.all(wish.fresh);
    const { plan, destination, computer, from = -Infinity, before = Infinity, pinned } = wish;
    const snapshots = this.#views(linesOf(holdings)).filter(
      (view) =>
        (plan === undefined || view.plan === plan) &&
        (destination === undefined || view.holders.some((holder) => holder.destination === destination)) &&
        (computer === undefined || (view.hostname === computer.hostname && view.username === computer.username)) &&
        view.time >= from &&
        view.time < before &&
        (pinned === undefined || view.pinned === pinned),
    );
    return { snapshots, asked: holdings.map(askedOf) };
  }

  /** By its key, or any ID that it has. Throws `snapshot-not-found`. */
  async get(id: string): Promise<SnapshotView> {
    const [view] = this.#views([await this.line(id)]);
    return view!;
  }

  async previous(id: string): Promise<SnapshotView | null> {
    const line = await this.line(id);
    const [view] = this.#views([line]);
    const others = this.#views(linesOf(this.#holdings.known())).filter((each) => each.time < view!.time && each.key !== view!.key);
    const paths = (each: SnapshotView): string => JSON.stringify([each.hostname, each.username, each.paths.toSorted()]);
    const isSame = (each: SnapshotView): boolean => (view!.plan === null ? paths(each) === paths(view!) : each.plan === view!.plan);
    return others.find(isSame) ?? null;
  }

  async computers(): Promise<{ computers: Computer[]; asked: Asked[] }> {
    const { snapshots, asked } = await this.list({});
    return { computers: computersOf(snapshots), asked };
  }

  /** Throws `snapshot-not-found`, `state-failed`. */
  async annotate(id: string, change: { [K in keyof SnapshotNotes]?: SnapshotNotes[K] | undefined }): Promise<SnapshotView> {
    const { state, onNoted } = this.#options;
    const line = await this.line(id);
    const notes = new Notes(recallNotes(state));
    const { snapshot } = line.holders[0]!;
    const before = notes.of(snapshot);
    const { pinned = before.pinned, name = before.name, comment = before.comment } = change;
    rememberNotes(state, notes.with(line.key, snapshot, { pinned, name, comment }));
    onNoted();
    this.#changed();
    return this.get(line.key);
  }

  /** Throws `snapshot-not-found`: once all destinations were asked. */
  async line(id: string): Promise<Line> {
    const find = (): Line | undefined =>
      linesOf(this.#holdings.known()).find(({ key, holders }) => key === id || holders.some(({ snapshot }) => snapshot.id === id));
    const known = find();
    if (known) return known;
    await this.#holdings.all();
    return find() ?? fail('snapshot-not-found', { snapshot: id.slice(0, 8) });
  }

  /** Those that hold a snapshot; the one that should be asked first comes first. Throws `snapshot-not-found`. */
  async holders(id: string, destination?: string): Promise<Holder[]> {
    const line = await this.line(id);
    const views = this.#options.destinations.views();
    const rank = (each: string): number => {
      const view = views.find((other) => other.id === each);
      const states = { connected: 0, unknown: 1, failing: 4, 'not-plugged-in': 6 } as const;
      const kind = view && kindOf(view.place)?.kind;
      return (view ? states[view.now.state] : 8) + (kind === undefined || kind === 'local' ? 0 : 2);
    };
    const wanted = line.holders.filter((holder) => destination === undefined || holder.destination === destination);
    if (wanted.length === 0) return fail('snapshot-not-found', { snapshot: id.slice(0, 8) });
    return wanted.toSorted((a, b) => rank(a.destination) - rank(b.destination));
  }

  /** Reads in a repository that holds the snapshot: the next one when the first fails. Throws `snapshot-unreachable` when all do, or what the only one throws. */
  async read<T>(id: string, destination: string | undefined, work: (book: Book, holder: Holder) => Promise<T>): Promise<T> {
    return this.tryEach(await this.holders(id, destination), (holder) => this.books.use(holder.destination, (book) => work(book, holder)));
  }

  /** As {@link read}, for whoever opens the repository in another way. */
  async tryEach<T>(
    holders: readonly Holder[],
    work: (holder: Holder) => Promise<T>,
    onFailed: (holder: Holder, error: HoldfastError) => void = () => {},
  ): Promise<T> {
    let failure: HoldfastError | undefined;
    for (const holder of holders) {
      try {
        return await work(holder);
      } catch (thrown) {
        const error = toHoldfastError(thrown);
        if (ofRequest.some((code) => hasCode(error, code))) throw error;
        if (!failure || hasCode(failure, 'destination-not-plugged-in')) failure = error;
        onFailed(holder, error);
      }
    }
    if (holders.length === 1 || !hasCode(failure, 'destination-not-plugged-in')) throw failure as HoldfastError;
    const names = new Map(this.#options.state.destinations().map(({ id, name }) => [id, name]));
    return fail('snapshot-unreachable', {
      destinations: holders.map(({ destination }) => names.get(destination) ?? destination).join(', '),
    });
  }

  /** Once at once, then after each change. */
  async *changes(signal: AbortSignal | undefined): AsyncGenerator<{ number: number }, void, void> {
    const ended = (): void => this.#wake();
    signal?.addEventListener('abort', ended, { once: true });
    try {
      for (let told: number | undefined; !signal?.aborted; ) {
        if (told === this.#changes) await new Promise<void>((resolve) => this.#waiting.push(resolve));
        else yield { number: (told = this.#changes) };
      }
    } finally {
      signal?.removeEventListener('abort', ended);
    }
  }

  #views(lines: readonly Line[]): SnapshotView[] {
    const { state, identity } = this.#options;
    const [plans, notes] = [state.plans(), new Notes(recallNotes(state))];
    return lines.map((line) => viewOf(line, plans, identity, notes));
  }

  #changed(): void {
    this.#changes += 1;
    for (const listener of this.#listeners) listener();
    this.#wake();
  }

  #wake(): void {
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const resolve of waiting) resolve();
  }
}

const askedOf = ({ destination, readAt, error, damaged }: Holding): Asked => ({
  destination: destination.id,
  readAt,
  error: error ? errorOf(error) : null,
  damaged,
});

/** Those of this person on this computer first, then by the newest snapshot. `snapshots` are newest first. */
export function computersOf(snapshots: readonly Pick<SnapshotView, 'hostname' | 'username' | 'isOwn' | 'time'>[]): Computer[] {
  const groups = Map.groupBy(snapshots, ({ hostname, username }) => JSON.stringify([hostname, username]));
  return [...groups.values()]
    .map((group): Computer => {
      const { hostname, username, isOwn, time: last } = group[0]!;
      return { hostname, username, isOwn, snapshots: group.length, first: group.at(-1)!.time, last };
    })
    .sort((a, b) => Number(b.isOwn) - Number(a.isOwn) || b.last - a.last);
}
