/** What a destination holds, costs and may cost, the table of prices, and moving, as a person uses them. */
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { systemClock } from '../../src/platform/clock.ts';
import { profileAt } from '../../src/service/profile.ts';
import { StateStore } from '../../src/service/state/store.ts';
import { createPlan, ended } from '../support/service.ts';
import { tree } from '../support/tree-literal.ts';
import { connectFolder, startHost } from './support/host.ts';
import { gone, openScreen, picture, portraits, seen } from './support/screen.ts';

const day = 86_400_000;

/** A host whose destination was measured on each of the last sixty days. */
async function withHistory() {
  const before = await startHost();
  const source = tree(join(before.home, 'Documents'), { 'a.txt': 'a', b: { 'c.txt': 'c' } });
  const destination = await connectFolder(before, 'Blue drive');
  const plan = await createPlan(before, source, destination);
  expect((await ended(before, (await before.client.runs.start({ plan: plan.id })).id)).status).toBe('succeeded');
  await before.client.capacity.measure({ destination: destination.id });
  await before.end();
  const state = new StateStore(profileAt(join(before.folder, 'profile')).stateFile, systemClock);
  const now = systemClock.now();
  // Today, too: what the host has measured just now would end a history of gigabytes with a few bytes.
  for (let back = 60; back >= 0; back--) {
    const at = now - back * day;
    const wobble = (back % 7) * 4e8;
    const sample = { day: new Date(at).toISOString().slice(0, 10), at, bytes: 214e9 - back * 1.1e9 - wobble, packs: 9000, snapshots: 42 };
    state.sizes.save(destination.repository, { ...sample, freeBytes: 180e9 });
  }
  state.close();
  const host = await startHost({ folder: before.folder });
  return { ...host, destination, plan };
}

test('a destination shows its size, growth and cost; a price is chosen, a budget set, and the table of prices changed', async () => {
  const host = await withHistory();
  const page = await openScreen(host.address);
  await page.getByRole('link', { name: 'Destinations' }).click();
  await page.getByRole('link', { name: /Blue drive/ }).click();
  await seen(page.getByText(/full in about 5 months \(about 4 months to about 7 months\)/));
  await page.getByRole('combobox', { name: 'Paid by' }).click();
  await page.getByRole('option', { name: 'Amazon S3 Standard', exact: true }).click();
  await seen(page.getByText(/^about \$4\.5\d/));
  await seen(page.getByText(/Backblaze B2: about .* a month/));
  await page.getByRole('button', { name: 'Set a budget' }).click();
  await page.getByRole('textbox', { name: 'At most this much a month (USD)' }).fill('5');
  await portraits(page, 'capacity-budget');
  await page.getByRole('button', { name: 'Save budget' }).click();
  await gone(page.getByRole('dialog'));
  await seen(page.getByText(/nearly used up/));
  await portraits(page, 'capacity');
  await page.getByRole('heading', { name: 'Cost' }).scrollIntoViewIfNeeded();
  await picture(page, 'capacity-cost');
  await page.getByRole('link', { name: 'See and change prices' }).click();
  await page.getByRole('button', { name: 'Change Backblaze B2' }).click();
  await page.getByRole('textbox', { name: 'A GB and month' }).fill('0.007');
  await portraits(page, 'prices-form');
  await page.getByRole('button', { name: 'Save price' }).click();
  await gone(page.getByRole('dialog'));
  await seen(page.getByText('changed', { exact: true }));
  await portraits(page, 'prices');
  expect((await host.client.prices.list()).find(({ id }) => id === 'b2')).toMatchObject({ storage: 0.007, origin: 'changed' });
  await page.getByRole('button', { name: 'As delivered' }).click();
  await gone(page.getByText('changed', { exact: true }));
  await page.getByRole('link', { name: 'Home' }).click();
  await seen(page.getByText('comes near its budget'));
  const chinese = await openScreen(host.address, { language: 'zh-CN', size: 'medium', theme: 'dark' });
  await chinese.getByRole('link', { name: '备份位置' }).click();
  await chinese.getByRole('link', { name: /Blue drive/ }).click();
  await seen(chinese.getByText(/约 5 个月后装满/));
  await picture(chinese, 'capacity-zh-medium-dark');
  await chinese.getByRole('heading', { name: '费用' }).scrollIntoViewIfNeeded();
  await picture(chinese, 'capacity-zh-cost-dark');
});

test('a destination and a plan are moved from their pages; the run is shown', async () => {
  const host = await startHost();
  const source = tree(join(host.home, 'Documents'), { 'a.txt': 'a' });
  const destination = await connectFolder(host, 'Blue drive');
  const next = await connectFolder(host, 'Green drive');
  const plan = await createPlan(host, source, destination);
  await ended(host, (await host.client.runs.start({ plan: plan.id })).id);
  const page = await openScreen(host.address);
  await page.getByRole('link', { name: 'Destinations' }).click();
  await page.getByRole('link', { name: /Blue drive/ }).click();
  await page.getByRole('button', { name: 'Move', exact: true }).click();
  await page.getByRole('textbox', { name: 'Folder' }).fill(join(host.folder, 'Red drive'));
  await portraits(page, 'move-destination');
  await page.getByRole('button', { name: 'Begin moving' }).click();
  await seen(page.getByText(/From now on that is the destination/));
  await portraits(page, 'move-run');
  expect((await host.client.state()).destinations[0].place).toBe(join(host.folder, 'Red drive'));
  await page.getByRole('link', { name: 'Plans' }).click();
  await page.getByRole('link', { name: 'Documents' }).click();
  await page.getByRole('button', { name: 'Move to another destination' }).click();
  await page.getByRole('combobox', { name: 'To', exact: true }).click();
  await page.getByRole('option', { name: 'Green drive' }).click();
  await page.getByRole('checkbox', { name: 'Delete its snapshots on the old destination afterwards' }).check();
  await portraits(page, 'move-plan');
  await page.getByRole('button', { name: 'Begin moving' }).click();
  await seen(page.getByText(/were let go on the old destination/));
  expect((await host.client.state()).plans[0].destinations).toEqual([{ destination: next.id, role: 'primary' }]);
});
