/**
 * Capacities: how much destinations hold, how they grow, what they cost, and how their budgets stand.
 *
 * A destination is measured after runs that may have changed it, and once a day while an enabled plan uses it, at most every six hours:
 * far storages are paid by the listing. Between two measurements the figures of runs say what has come.
 */
import type { Budget, BudgetState, Capacity, SizeSample } from '../../contract/capacity.ts';
import type { Price, PriceView, Usage } from '../../contract/cost.ts';
import type { Destination } from '../../contract/destination.ts';
import { fail, toHoldfastError } from '../../contract/errors.ts';
import type { Run } from '../../contract/run.ts';
import { computerZone } from '../../platform/time-zone.ts';
import type { Destinations } from '../destinations/destinations.ts';
import type { Common, Part } from '../parts.ts';
import { DAY, dayOf, wallAt } from '../schedule/zone.ts';
import type { RunBrief } from '../state/run-briefs.ts';
import { budgetStates } from './budgets.ts';
import { compareOf, estimateOf } from './estimate.ts';
import { forecastOf, growthOf } from './growth.ts';
import { measure } from './measure.ts';
import { changeTerms, keepPrice, pricesIn, resetPrices, termsOf } from './memory.ts';
import { priceOfPlace } from './shipped-prices.ts';
import { firstsOf, storedSince, usageOf } from './usage.ts';

export interface CapacitiesOptions extends Pick<Common, 'state' | 'clock' | 'besides' | 'onNote'> {
  readonly destinations: Pick<Destinations, 'open'>;
  /** Whether a destination's drive is there, as far as can be told without trying. */
  readonly isThere: (destination: string) => boolean;
  /** What the settings' copy takes along has changed. */
  readonly onStored: () => void;
  /** There is something new to look at: a size, a price, or a budget. */
  readonly onChange: () => void;
}

const hourMs = 3_600_000;
const againMs = 6 * hourMs;
const dailyMs = 24 * hourMs;
const defaultCurrency = 'USD';
/** Kinds of runs that leave a destination as large as it was. */
const reading: ReadonlySet<Run['kind']> = new Set(['check', 'drill', 'restore', 'undo']);
/** After these it is measured in any case, for it may be much smaller. */
const shrinking: ReadonlySet<Run['kind']> = new Set(['prune', 'forget']);

export class Capacities implements Part {
  readonly #options: CapacitiesOptions;
  readonly #measuring = new Map<string, Promise<void>>();
  readonly #triedAt = new Map<string, number>();
  #stop: () => void = () => {};

  constructor(options: CapacitiesOptions) {
    this.#options = options;
  }

  begin(): void {
    this.#stop = this.#options.clock.every(hourMs, () => this.#lookAtAll());
  }

  close(): void {
    this.#stop();
  }

  runEnded({ kind, destination: id, started }: Run): void {
    if (id === null || started === null || reading.has(kind)) return;
    if (shrinking.has(kind) || this.#isOld(id, againMs)) this.#measureQuietly(id);
  }

  /** Resolves when nothing is open in the destination. */
  async release(destination: string): Promise<void> {
    await this.#measuring.get(destination);
  }

  /** Throws `destination-not-found`. */
  of(id: string): Capacity {
    const { state, clock } = this.#options;
    const destination = state.destination(id);
    const now = clock.now();
    const { repository } = destination;
    const samples = state.sizes.of(repository);
    const runs = state.runBriefs.ended(0, { destination: id });
    const last = samples.at(-1);
    const prices = pricesIn(state);
    const terms = termsOf(state, repository);
    const price = priceFor(destination, terms.price, prices);
    const usage = last ? usageFor(destination, samples, runs, now) : null;
    const growth = growthOf(samples, firstsOf(runs));
    const since = last ? storedSince(runs, last.at) : 0;
    const free = last?.freeBytes === undefined || last.freeBytes === null ? null : Math.max(0, last.freeBytes - since);
    return {
      destination: id,
      samples,
      now: last ? { measuredAt: last.at, bytes: last.bytes + since, snapshots: last.snapshots, freeBytes: free } : null,
      growth,
      forecast: forecastOf(growth, free, now),
      plans: this.#shares(runs),
      usage,
      price: terms.price,
      cost: price && usage ? { estimate: estimateOf(price, usage), isGuessed: terms.price === 'by-place' } : null,
      compared: usage ? compareOf(prices, usage, price?.currency ?? defaultCurrency) : [],
      budget: terms.budget,
      budgets: usage ? budgetStates(terms.budget, usage, growth, price, now) : [],
    };
  }

  /** Measures a destination now. Throws `destination-not-found` and what opening throws. */
  async measure(id: string): Promise<Capacity> {
    this.#options.state.destination(id);
    await this.#measure(id);
    return this.of(id);
  }

  /** Throws `request-invalid` for a budget of money where nothing is paid in that currency. */
  setBudget(id: string, budget: Budget): Capacity {
    const { state } = this.#options;
    const destination = state.destination(id);
    if (budget.money) {
      const price = priceFor(destination, termsOf(state, destination.repository).price, pricesIn(state));
      if (price?.currency !== budget.money.currency)
        fail('request-invalid', {
          problem: price
            ? `“${destination.name}” is paid in ${price.currency}, not in ${budget.money.currency}`
            : `it is not known what “${destination.name}” is paid by; choose its price first`,
        });
    }
    changeTerms(state, destination.repository, { budget });
    return this.#changed(id);
  }

  /** `by-place`, `none`, or an entry of the table. Throws `request-invalid` for another one. */
  setPrice(id: string, price: string): Capacity {
    const { state } = this.#options;
    const { repository } = state.destination(id);
    const isKnown = price === 'by-place' || price === 'none' || pricesIn(state).some((each) => each.id === price);
    if (!isKnown) fail('request-invalid', { problem: `there is no price “${price}”` });
    changeTerms(state, repository, { price });
    return this.#changed(id);
  }

  prices(): PriceView[] {
    return pricesIn(this.#options.state);
  }

  keepPrice(price: Price): PriceView[] {
    if (price.id === 'by-place' || price.id === 'none') fail('request-invalid', { problem: `a price cannot be called “${price.id}”` });
    keepPrice(this.#options.state, price);
    return this.#pricesChanged();
  }

  /** Undefined: all of them. */
  resetPrices(id: string | undefined): PriceView[] {
    resetPrices(this.#options.state, id);
    return this.#pricesChanged();
  }

  /** The budgets of all destinations that need a word. */
  budgets(): { destination: Destination; state: BudgetState }[] {
    const { state } = this.#options;
    return state.destinations().flatMap((destination) => {
      const { budget } = termsOf(state, destination.repository);
      if (budget.bytes === null && budget.money === null) return [];
      return this.of(destination.id)
        .budgets.filter(({ level }) => level !== 'fine')
        .map((each) => ({ destination, state: each }));
    });
  }

  #shares(runs: readonly RunBrief[]): Capacity['plans'] {
    const names = new Map(this.#options.state.plans().map(({ id, name }) => [id, name]));
    const sums = new Map<string, number>();
    for (const { plan, bytesStored } of runs)
      if (plan !== null && names.has(plan) && bytesStored > 0) sums.set(plan, (sums.get(plan) ?? 0) + bytesStored);
    const all = [...sums.values()].reduce((sum, each) => sum + each, 0);
    return [...sums]
      .map(([plan, bytes]) => ({ plan, name: names.get(plan)!, bytes, share: bytes / all }))
      .sort((a, b) => b.bytes - a.bytes);
  }

  #changed(id: string): Capacity {
    this.#options.onStored();
    this.#options.onChange();
    return this.of(id);
  }

  #pricesChanged(): PriceView[] {
    this.#options.onStored();
    this.#options.onChange();
    return this.prices();
  }

  /** Whether the last measurement is so old; or there is none. A clock that was set back makes none younger than new. */
  #isOld(id: string, ageMs: number): boolean {
    const { state, clock } = this.#options;
    const destination = state.destinations().find((each) => each.id === id);
    const last = destination && state.sizes.last(destination.repository);
    return last === undefined || Math.abs(clock.now() - last.at) >= ageMs;
  }

  #lookAtAll(): void {
    const { state, clock, isThere } = this.#options;
    try {
      const used = new Set(
        state.plans().flatMap(({ enabled, destinations }) => (enabled ? destinations.map((each) => each.destination) : [])),
      );
      const now = clock.now();
      for (const { id, ejectAfterRun } of state.destinations()) {
        // A drive that is ejected is measured after its runs alone.
        if (!used.has(id) || ejectAfterRun || !isThere(id) || !this.#isOld(id, dailyMs)) continue;
        if (Math.abs(now - (this.#triedAt.get(id) ?? -Infinity)) < dailyMs) continue;
        this.#measureQuietly(id);
      }
      state.sizes.thin(now);
    } catch (error) {
      this.#options.onNote(toHoldfastError(error).message);
    }
  }

  /** A destination that cannot be reached is measured another time. */
  #measureQuietly(id: string): void {
    this.#triedAt.set(id, this.#options.clock.now());
    this.#measure(id).catch(() => {});
  }

  #measure(id: string): Promise<void> {
    const known = this.#measuring.get(id);
    if (known) return known;
    const done = this.#options.besides.run(async (control) => {
      const { state, clock, destinations, onChange } = this.#options;
      const { repository: wanted } = state.destination(id);
      const repository = await destinations.open(id, { signal: control.signal });
      let sample: SizeSample;
      try {
        const at = clock.now();
        sample = await measure(repository, { at, day: dayAt(at) }, control);
      } finally {
        await repository.storage.close().catch(() => {});
      }
      state.sizes.save(wanted, sample);
      onChange();
    });
    this.#measuring.set(id, done);
    const end = (): void => void this.#measuring.delete(id);
    done.then(end, end);
    return done;
  }
}

const dayAt = (at: number): string => new Date(dayOf(wallAt(computerZone(), at)) * DAY * 1000).toISOString().slice(0, 10);

function priceFor({ place }: Destination, said: string, prices: readonly PriceView[]): PriceView | undefined {
  const id = said === 'by-place' ? priceOfPlace(place) : said;
  return prices.find((price) => price.id === id);
}

const usageFor = ({ place }: Destination, samples: readonly SizeSample[], runs: readonly RunBrief[], now: number): Usage =>
  usageOf(samples, runs, /^[a-z][a-z0-9]+:/.test(place), now);
