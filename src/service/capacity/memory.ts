/** What a person has said of prices and budgets: kept in the state, and in the copy of the settings. */
import { z } from 'zod';
import { type Budget, budgetSchema, sizeSampleSchema } from '../../contract/capacity.ts';
import { type Price, priceSchema, type PriceView } from '../../contract/cost.ts';
import type { StateStore } from '../state/store.ts';
import { shippedPrices } from './shipped-prices.ts';

const pricesName = 'prices';
const termsName = 'prices and budgets of repositories';

const noBudget: Budget = { bytes: null, money: null };

/** Of a repository; `by-place` and `none` are no entries of the table. */
const termsSchema = z.strictObject({
  price: z.string().default('by-place'),
  budget: budgetSchema.default(noBudget),
});
export type Terms = z.infer<typeof termsSchema>;

type Memory = Pick<StateStore, 'recall' | 'remember'>;

/** What is unreadable costs itself alone. */
const lenientRecord = <T extends z.ZodType>(schema: T) =>
  z
    .record(z.string(), z.unknown())
    .catch({})
    .transform((all) => {
      const read = Object.entries(all).flatMap(([key, value]): [string, z.infer<T>][] => {
        const { success, data } = schema.safeParse(value);
        return success ? [[key, data]] : [];
      });
      return Object.fromEntries(read) as Record<string, z.infer<T>>;
    });

const pricesSchema = lenientRecord(priceSchema);
const allTermsSchema = lenientRecord(termsSchema);

/** Those of Holdfast first, in their order, then one's own by name. */
export function pricesIn(state: Pick<StateStore, 'recall'>): PriceView[] {
  const said = pricesSchema.parse(state.recall(pricesName) ?? {});
  const shipped = shippedPrices.map((price): PriceView => {
    const changed = said[price.id];
    return changed ? { ...changed, origin: 'changed' } : { ...price, origin: 'shipped' };
  });
  const own = Object.values(said)
    .filter(({ id }) => !shippedPrices.some((price) => price.id === id))
    .sort((a, b) => (`${a.provider} ${a.name}` < `${b.provider} ${b.name}` ? -1 : 1));
  return [...shipped, ...own.map((price): PriceView => ({ ...price, origin: 'own' }))];
}

export function keepPrice(state: Memory, price: Price): void {
  state.remember(pricesName, { ...pricesSchema.parse(state.recall(pricesName) ?? {}), [price.id]: price });
}

/** Undefined: all. */
export function resetPrices(state: Memory, id: string | undefined): void {
  const { [id ?? '']: _, ...others } = pricesSchema.parse(state.recall(pricesName) ?? {});
  state.remember(pricesName, id === undefined ? {} : others);
}

export const termsOf = (state: Pick<StateStore, 'recall'>, repository: string): Terms =>
  allTermsSchema.parse(state.recall(termsName) ?? {})[repository] ?? termsSchema.parse({});

export function changeTerms(state: Memory, repository: string, change: Partial<Terms>): void {
  const all = allTermsSchema.parse(state.recall(termsName) ?? {});
  state.remember(termsName, { ...all, [repository]: { ...termsSchema.parse(all[repository] ?? {}), ...change } });
}

/** A year of days, and the firsts of the months before: what goes into the copy of the settings of each repository. */
const copiedDays = 366;
const copiedMost = 600;

const copiedSchema = z.object({
  prices: pricesSchema.default({}),
  terms: allTermsSchema.default({}),
  sizes: lenientRecord(z.array(sizeSampleSchema).max(copiedMost)).default({}),
});

/** For the copy of the settings; what is not there is as if nobody had said anything. */
export const capacityCopySchema = copiedSchema.catch({ prices: {}, terms: {}, sizes: {} }).default({ prices: {}, terms: {}, sizes: {} });
type CapacityCopy = z.infer<typeof copiedSchema>;

export function capacityCopyOf(state: Pick<StateStore, 'recall' | 'sizes' | 'destinations'>): CapacityCopy {
  const sizes = state.destinations().map(({ repository }) => {
    const all = state.sizes.of(repository);
    const recent = all.slice(-copiedDays);
    const older = all.slice(0, -copiedDays).filter(({ day }, i, list) => day.slice(0, 7) !== list[i - 1]?.day.slice(0, 7));
    return [repository, [...older, ...recent].slice(-copiedMost)] as const;
  });
  return {
    prices: pricesSchema.parse(state.recall(pricesName) ?? {}),
    terms: allTermsSchema.parse(state.recall(termsName) ?? {}),
    sizes: Object.fromEntries(sizes),
  };
}

/** What is known here already goes before what the copy says. */
export function takeCapacityOver(state: Memory & Pick<StateStore, 'sizes'>, { prices, terms, sizes }: CapacityCopy): void {
  state.remember(pricesName, { ...prices, ...pricesSchema.parse(state.recall(pricesName) ?? {}) });
  state.remember(termsName, { ...terms, ...allTermsSchema.parse(state.recall(termsName) ?? {}) });
  for (const [repository, samples] of Object.entries(sizes)) {
    const known = new Set(state.sizes.of(repository).map(({ day }) => day));
    for (const sample of samples) if (!known.has(sample.day)) state.sizes.save(repository, sample);
  }
}
