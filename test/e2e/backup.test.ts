/** A backup at work, as the person watches it at Home: paused, continued, cancelled, and through the end of the service. */
import { randomBytes } from 'node:crypto';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import type { Page } from 'playwright-core';
import { expect, test } from 'vitest';
import type { Plan } from '../../src/contract/plan.ts';
import { systemClock } from '../../src/platform/clock.ts';
import { createPlan, ended } from '../support/service.ts';
import { tree } from '../support/tree-literal.ts';
import { connectFolder, type Host, startHost } from './support/host.ts';
import { gone, openScreen, picture, portraits, seen } from './support/screen.ts';

/** A plan of so much that its backup can be watched, 600 MB. */
async function longPlan(host: Host): Promise<Plan> {
  const source = join(host.home, 'Documents');
  tree(source, Object.fromEntries(Array.from({ length: 30 }, (_, index) => [`film ${index}.mp4`, randomBytes(20_000_000)])));
  return createPlan(host, source, await connectFolder(host, 'Blue drive'));
}

/** How far it is, from 0 to 100; waits until there is something to tell. */
async function progressBeyond(page: Page, percent: number): Promise<void> {
  await page.waitForFunction(
    (wanted) => Number(document.querySelector('[role="progressbar"]')?.getAttribute('aria-valuenow') ?? -1) > wanted,
    percent,
  );
}

test('a backup is watched from Home to its end: how far, how fast, how long yet; it is paused, continued, cancelled and begun again', async () => {
  const host = await startHost();
  await longPlan(host);
  const page = await openScreen(host.address);
  await page.getByRole('button', { name: 'Back up now' }).click();
  await seen(page.getByRole('heading', { level: 1, name: 'Your first backup is running.' }));
  await seen(page.getByText(/Backing up to “Blue drive” ·.*600\sMB.*\/s.*left/));
  await picture(page, 'home-running');
  await page.getByRole('button', { name: 'Pause', exact: true }).click();
  await seen(page.getByText(/^Paused: what is stored is kept ·.*600\sMB$/));
  const [first] = (await host.client.runs.list({})).runs;
  expect(first.status).toBe('paused');
  await portraits(page, 'home-run-paused');
  await page.getByRole('button', { name: 'Resume' }).click();
  await seen(page.getByText(/Backing up to “Blue drive”/));
  await page.getByRole('button', { name: 'Cancel' }).click();
  await seen(page.getByText('Cancelled. What was stored is kept and used by the next run.'));
  expect((await ended(host, first.id)).status).toBe('cancelled');
  await gone(page.getByRole('progressbar'));
  await page.getByRole('button', { name: 'Back up now' }).click();
  await seen(page.getByRole('heading', { level: 1, name: /Your files are safe\./ }));
  await gone(page.getByRole('progressbar'));
  const [second] = (await host.client.runs.list({})).runs;
  expect(second.status).toBe('succeeded');
});

test('when the service is killed at work the interface says so, connects again, and the run goes on to its end by itself', async () => {
  const host = await startHost();
  const { destinations } = await longPlan(host);
  const page = await openScreen(host.address);
  await page.getByRole('button', { name: 'Back up now' }).click();
  await progressBeyond(page, 5);
  const { place } = (await host.client.state()).destinations.find(({ id }) => id === destinations[0]!.destination)!;
  const packs = () =>
    readdirSync(join(place, 'data'), { recursive: true, withFileTypes: true }).filter((each) => each.isFile() && each.name.length === 64);
  while (packs().length === 0) await systemClock.sleep(20);
  const [killed] = (await host.client.runs.list({})).runs;
  const client = await host.killService(async () => {
    await seen(page.getByText('Connecting…').or(page.getByText('Service not running')));
    await picture(page, 'home-service-killed');
  });
  await seen(page.getByText(/Backing up to “Blue drive”/));
  await seen(page.getByRole('heading', { level: 1, name: /Your files are safe\./ }));
  const { runs } = await client.runs.list({});
  expect(runs.map(({ status, cause }) => [status, cause])).toEqual([
    ['succeeded', 'resumed'],
    ['interrupted', 'person'],
  ]);
  expect(runs[1].id).toBe(killed.id);
  // The pack of 16 MiB that was stored before is not stored again.
  expect(runs[0].figures?.bytesStored).toBeLessThan(590_000_000);
  await page.getByRole('link', { name: 'History' }).click();
  await seen(page.getByRole('option', { name: /interrupted/i }));
});
