import { join } from 'node:path';
import { expect, test } from 'vitest';
import { StateStore } from '../../../src/service/state/store.ts';
import { systemClock } from '../../../src/platform/clock.ts';
import { parseCopy, readCopy } from '../../../src/service/settings-copy/copy.ts';
import { seededBytes, seededRandom } from '../../support/seeded.ts';
import { connectFolder, createPlan, ended, type RunningService, startService } from '../../support/service.ts';
import { scratch, tree } from '../../support/tree-literal.ts';

const day = 86_400_000;

async function withBackup(service: RunningService) {
  const source = tree(join(service.folder, 'src'), { a: seededBytes(seededRandom(1), 3_000_000) });
  const destination = await connectFolder(service);
  const plan = await createPlan(service, source, destination);
  const run = await ended(service, (await service.client.runs.start({ plan: plan.id })).id);
  expect(run.status).toBe('succeeded');
  return { destination: destination.id, plan, run, source };
}

test('a destination is measured after its first run, and its plans share what is stored there', async () => {
  const service = await startService();
  const { destination, plan, run } = await withBackup(service);
  const measured = await service.client.capacity.measure({ destination });
  expect(measured.samples).toHaveLength(1);
  const { now, plans, forecast, growth, cost, budgets } = measured;
  expect(now!.bytes).toBeGreaterThan(run.figures!.bytesStored);
  expect(now).toMatchObject({ snapshots: 1 });
  expect(now!.freeBytes).toBeGreaterThan(0);
  expect(plans).toEqual([{ plan: plan.id, name: 'Documents', bytes: run.figures!.bytesStored, share: 1 }]);
  // One day tells no growth.
  expect({ forecast, growth, cost, budgets }).toEqual({ forecast: { state: 'unknown' }, growth: null, cost: null, budgets: [] });
});

test('what a destination held on many days tells how it grows and when it is full; a price, what it costs', async () => {
  const folder = scratch();
  const before = await startService({ folder });
  const { destination } = await withBackup(before);
  const { repository } = (await before.client.state()).destinations[0];
  await before.close();
  const state = new StateStore(before.profile.stateFile, systemClock);
  const now = systemClock.now();
  for (let back = 60; back > 0; back--) {
    const at = now - back * day;
    const sample = { day: new Date(at).toISOString().slice(0, 10), at, packs: 4000, snapshots: 9, freeBytes: 300e9 };
    state.sizes.save(repository, { ...sample, bytes: 100e9 - back * 1e9 });
  }
  state.close();
  const { client } = await startService({ folder, keeper: before.keeper });
  const known = await client.capacity.of({ destination });
  expect(known.growth!.likely / 1e9).toBeCloseTo(30.4375, 3);
  const named = await client.capacity.setPrice({ destination, price: 'b2' });
  expect(named.cost).toMatchObject({ isGuessed: false, estimate: { price: 'b2', currency: 'USD' } });
  expect(named.compared.length).toBeGreaterThan(10);
  const passed = await client.capacity.setBudget({ destination, budget: { bytes: 1e9, money: { amount: 1e6, currency: 'USD' } } });
  expect(passed.budgets.map(({ unit, level }) => [unit, level])).toEqual([
    ['bytes', passed.now!.bytes > 1e9 ? 'passed' : 'fine'],
    ['money', 'fine'],
  ]);
});

test('a budget that is passed is told once, is a reason on the first screen, and keeps no backup from being made', async () => {
  const service = await startService();
  const { client, notices } = service;
  const { destination, plan } = await withBackup(service);
  await client.capacity.measure({ destination });
  await client.capacity.setBudget({ destination, budget: { bytes: 1_000_000, money: null } });
  expect(notices.filter((notice) => notice.includes('budget'))).toEqual([
    expect.stringMatching(/^raised budget-passed: “repo” holds 2\.8\d MiB; you allow 977 KiB\.$/),
  ]);
  expect((await client.home.facts()).reasons).toContainEqual(
    expect.objectContaining({
      code: 'budget-passed',
      level: 'attention',
      destination,
      action: expect.objectContaining({ code: 'look-at-destination' }) as unknown,
    }),
  );
  expect((await ended(service, (await client.runs.start({ plan: plan.id })).id)).status).toBe('succeeded');
  expect(notices.filter((notice) => notice.includes('budget'))).toHaveLength(1);
  await client.capacity.setBudget({ destination, budget: { bytes: 1e9, money: null } });
  expect(notices.at(-1)).toMatch(/^solved budget-passed/);
  expect((await client.state()).alarms).toEqual([]);
});

test('prices are changed, made and set back; what is no price is refused', async () => {
  const { client } = await startService();
  const table = await client.prices.list();
  const b2 = table.find(({ id }) => id === 'b2')!;
  expect(b2.origin).toBe('shipped');
  const { origin: _, ...price } = b2;
  await client.prices.set({ ...price, storage: 0.007 });
  const own = { ...price, id: 'box', provider: 'My box', name: '1 TB', currency: 'EUR', minimumMonthly: 3.2, storage: 0 };
  const changed = await client.prices.set(own);
  expect(changed.find(({ id }) => id === 'b2')).toMatchObject({ storage: 0.007, origin: 'changed' });
  expect(changed.at(-1)).toEqual({ ...own, origin: 'own' });
  expect(await client.prices.reset({ id: 'box' })).toHaveLength(table.length);
  expect(await client.prices.reset({})).toEqual(table);
  await expect(client.prices.set({ ...price, storage: -1 })).rejects.toMatchObject({ code: 'request-invalid' });
  await expect(client.prices.set({ ...price, id: 'none' })).rejects.toMatchObject({ code: 'request-invalid' });
});

test('a budget of money wants a price in its currency', async () => {
  const service = await startService();
  const { client } = service;
  const { id: destination } = await connectFolder(service);
  const budget = { bytes: null, money: { amount: 5, currency: 'EUR' } };
  await expect(client.capacity.setBudget({ destination, budget })).rejects.toMatchObject({ code: 'request-invalid' });
  await client.capacity.setPrice({ destination, price: 'b2' });
  await expect(client.capacity.setBudget({ destination, budget })).rejects.toMatchObject({ code: 'request-invalid' });
  await expect(client.capacity.setPrice({ destination, price: 'gone' })).rejects.toMatchObject({ code: 'request-invalid' });
  await client.capacity.setBudget({ destination, budget: { bytes: null, money: { amount: 5, currency: 'USD' } } });
});

test('sizes, prices and budgets travel in the copy of the settings; one from before there were any says nothing', async () => {
  const service = await startService();
  const { client, profile } = service;
  const { destination } = await withBackup(service);
  await client.capacity.measure({ destination });
  await client.capacity.setPrice({ destination, price: 'r2' });
  const { repository } = (await client.state()).destinations[0];
  const { capacity, ...older } = readCopy(profile)!;
  expect(capacity.terms[repository]).toMatchObject({ price: 'r2' });
  expect(capacity.sizes[repository]).toHaveLength(1);
  expect(parseCopy(Buffer.from(JSON.stringify(older)))!.capacity).toEqual({ prices: {}, terms: {}, sizes: {} });
  const damaged = { ...older, capacity: { sizes: { x: [{ day: 'no' }] }, terms: 7 } };
  expect(parseCopy(Buffer.from(JSON.stringify(damaged)))!.capacity).toEqual({ prices: {}, terms: {}, sizes: {} });
});
