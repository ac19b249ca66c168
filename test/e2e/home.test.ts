import { randomBytes } from 'node:crypto';
import { renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { Plan } from '../../src/contract/plan.ts';
import { usualSchedule } from '../../src/contract/schedule.ts';
import { ended } from '../support/service.ts';
import { tree } from '../support/tree-literal.ts';
import { connectFolder, type Host, startHost } from './support/host.ts';
import { gone, openScreen, portraits, seen } from './support/screen.ts';

/** A plan that runs by hand, of a few files. */
async function planOf(host: Host, destination: { readonly id: string }, name = 'Documents'): Promise<Plan> {
  const source = tree(join(host.home, name), {
    'letter.txt': 'Dear Anna',
    photos: { 'a.jpg': randomBytes(200_000), 'b.jpg': randomBytes(300_000) },
  });
  return host.client.plans.create({
    name,
    sources: [{ kind: 'folder', path: source }],
    destinations: [{ destination: destination.id, role: 'primary' }],
    schedule: { ...usualSchedule, triggers: [{ kind: 'daily', at: '12:00' }] },
  });
}

test('Home is asked to back up, shows it at work, and then says that all is safe', async () => {
  const host = await startHost();
  await planOf(host, await connectFolder(host));
  const page = await openScreen(host.address);
  await seen(page.getByRole('heading', { name: 'Documents' }));
  await seen(page.getByRole('heading', { level: 1, name: 'Your files are not backed up yet.' }));
  await portraits(page, 'home-before');
  await page.getByRole('button', { name: 'Back up now' }).click();
  const runs = await host.client.runs.list({});
  await ended(host, runs.runs[0].id);
  await seen(page.getByRole('heading', { level: 1, name: /safe/ }));
  await seen(page.getByText(/Last backup|recovery kit|Without this computer/));
  await portraits(page, 'home-safe');
});

test('in Chinese every word of it is Chinese', async () => {
  const host = await startHost();
  const plan = await planOf(host, await connectFolder(host));
  await ended(host, (await host.client.runs.start({ plan: plan.id })).id);
  const page = await openScreen(host.address, { language: 'zh-CN' });
  await seen(page.getByText(/您的文件是安全的/));
  await portraits(page, 'home-safe-zh');
});

test('what is paused is said, and one button resumes it', async () => {
  const host = await startHost();
  const plan = await planOf(host, await connectFolder(host));
  await ended(host, (await host.client.runs.start({ plan: plan.id })).id);
  await host.client.pause.set({ for: 'resumed' });
  const page = await openScreen(host.address);
  await seen(page.getByRole('heading', { level: 1, name: /Backups are paused/ }));
  await portraits(page, 'home-paused');
  await page.getByRole('button', { name: 'Resume' }).click();
  await gone(page.getByRole('heading', { level: 1, name: /Backups are paused/ }));
  expect((await host.client.state()).pause).toBeNull();
});

test('a destination that cannot be used is named, with what happened and what to do', async () => {
  const host = await startHost();
  const destination = await connectFolder(host);
  const plan = await planOf(host, destination);
  await ended(host, (await host.client.runs.start({ plan: plan.id })).id);
  renameSync(join(host.folder, 'Blue'), join(host.folder, 'elsewhere'));
  writeFileSync(join(host.folder, 'Blue'), 'no folder');
  const page = await openScreen(host.address);
  await seen(page.getByRole('heading', { name: 'Documents' }));
  await host.client.destinations.look({ id: destination.id });
  await seen(page.getByText(/“Blue” cannot be used|The last backup of “Documents” failed/));
  await portraits(page, 'home-failing');
});
