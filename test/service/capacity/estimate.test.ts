import { describe, expect, test } from 'vitest';
import { priceSchema, type Usage } from '../../../src/contract/cost.ts';
import { compareOf, estimateOf } from '../../../src/service/capacity/estimate.ts';
import { priceOfPlace, shippedPrices } from '../../../src/service/capacity/shipped-prices.ts';

const priced = (id: string) => shippedPrices.find((price) => price.id === id)!;
const gib = 2 ** 30;
const usage = (more: Partial<Usage>): Usage => ({
  bytes: 0,
  objects: 0,
  runsPerMonth: 0,
  storedPerMonth: 0,
  deletedPerMonth: 0,
  writesPerMonth: 0,
  readsPerMonth: 0,
  ...more,
});

// Each expectation was reckoned by hand from the entry's figures.
describe('the cost of a month', () => {
  test('of 500 GiB in S3 Standard with 3,000 uploads and 10,000 reads', () => {
    const { monthly, restore } = estimateOf(
      priced('s3-standard'),
      usage({ bytes: 500 * gib, objects: 21_334, writesPerMonth: 3000, readsPerMonth: 10_000 }),
    );
    // 500 × 0.023; 3 × 0.005 + 10 × 0.0004
    expect(monthly.storage).toBeCloseTo(11.5, 10);
    expect(monthly.requests).toBeCloseTo(0.019, 10);
    expect(monthly.total).toBeCloseTo(11.519, 10);
    // (500 − 100) × 0.09; 21.334 × 0.0004
    expect(restore.egress).toBeCloseTo(36, 10);
    expect(restore.total).toBeCloseTo(36.0085336, 10);
  });

  test('of 1 TB in B2, of which ten gigabytes are free, as is reading it back', () => {
    const { monthly, restore } = estimateOf(priced('b2'), usage({ bytes: 1e12, objects: 40_000, writesPerMonth: 5000 }));
    expect(monthly.total).toBeCloseTo(990 * 0.006, 10);
    expect(restore.egress).toBe(0);
    expect(restore.total).toBeCloseTo(40 * 0.0004, 10);
  });

  test('of 100 GiB in Wasabi is its minimum', () => {
    const { monthly } = estimateOf(priced('wasabi'), usage({ bytes: 100 * gib, objects: 4267 }));
    expect(monthly.storage).toBeCloseTo(0.683, 10);
    expect(monthly.minimum).toBeCloseTo(6.99 - 0.683, 10);
    expect(monthly.total).toBeCloseTo(6.99, 10);
  });

  test('of what is deleted early in Glacier Instant Retrieval is paid for ninety days', () => {
    const { monthly, restore } = estimateOf(priced('s3-glacier-ir'), usage({ bytes: 200 * gib, objects: 8534, deletedPerMonth: 20 * gib }));
    expect(monthly.storage).toBeCloseTo(0.8, 10);
    expect(monthly.early).toBeCloseTo(20 * 0.004 * (90 / 30.4375), 10);
    // 200 × 0.03 retrieved, (200 − 100) × 0.09 sent, 8.534 × 0.01 asked for
    expect(restore.total).toBeCloseTo(6 + 9 + 0.08534, 10);
  });

  test('of objects below the minimum size is that of the minimum', () => {
    const { monthly } = estimateOf(priced('s3-standard-ia'), usage({ bytes: 1e6, objects: 1000 }));
    expect(monthly.storage).toBeCloseTo(((1000 * 131_072) / gib) * 0.0125, 12);
  });

  test('of nothing is nothing, but for a minimum', () => {
    for (const price of shippedPrices) expect(estimateOf(price, usage({})).monthly.total).toBe(price.minimumMonthly);
  });
});

describe('the cheapest class', () => {
  test('for a terabyte that only grows is one that keeps cheaply; one restore a year is counted in', () => {
    const [first, second] = compareOf(shippedPrices, usage({ bytes: 1e12, objects: 40_000, writesPerMonth: 2000 }), 'USD');
    // B2: 990 × 0.006 + a twelfth of 0.016. Archive is a third of that, but reading it back once costs 158 dollars.
    expect(first).toMatchObject({ price: 'b2' });
    expect(first.compared).toBeCloseTo(5.94 + 0.016 / 12, 8);
    expect(second.price).toBe('wasabi');
  });

  test('depends on habits: what is stored and deleted all the time is dear where a minimum is paid', () => {
    const busy = usage({ bytes: 50e9, objects: 2000, deletedPerMonth: 500e9, writesPerMonth: 30_000 });
    const order = compareOf(shippedPrices, busy, 'USD').map(({ price }) => price);
    expect(order.indexOf('s3-standard')).toBeLessThan(order.indexOf('s3-glacier-ir'));
    expect(order.indexOf('gcs-standard')).toBeLessThan(order.indexOf('gcs-archive'));
  });

  test('is looked for in one currency alone', () => {
    const own = { ...priced('b2'), id: 'own', currency: 'EUR', storage: 0 };
    expect(compareOf([...shippedPrices, own], usage({ bytes: 1e12 }), 'EUR').map(({ price }) => price)).toEqual(['own']);
    expect(compareOf([...shippedPrices, own], usage({ bytes: 1e12 }), 'USD').map(({ price }) => price)).not.toContain('own');
  });
});

test('every entry that is delivered is valid, has a name of its own, and says of when it is', () => {
  for (const price of shippedPrices) expect(priceSchema.parse(price)).toEqual(price);
  expect(new Set(shippedPrices.map(({ id }) => id)).size).toBe(shippedPrices.length);
});

test.each([
  ['s3:s3.amazonaws.com/bucket', 's3-standard'],
  ['s3:https://s3.eu-central-1.amazonaws.com/bucket/a', 's3-standard'],
  ['s3:https://s3.us-west-004.backblazeb2.com/bucket', 'b2'],
  ['s3:https://s3.wasabisys.com/bucket', 'wasabi'],
  ['s3:https://0123.r2.cloudflarestorage.com/bucket', 'r2'],
  ['s3:http://nas.local:9000/bucket', undefined],
  ['s3:https://amazonaws.com.example.com/bucket', undefined],
  ['azure:container:/', 'azure-hot'],
  ['gs:bucket:/', 'gcs-standard'],
  ['sftp:me@host:/backup', undefined],
  ['/media/disk', undefined],
  ['C:\\backup', undefined],
])('%s is paid by %s', (place, price) => {
  expect(priceOfPlace(place)).toBe(price);
});
