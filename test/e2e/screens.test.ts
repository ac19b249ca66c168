/** History, plans, destinations and settings, as a person uses them. */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { systemClock } from '../../src/platform/clock.ts';
import { connectFolder, createPlan, ended } from '../support/service.ts';
import { tree } from '../support/tree-literal.ts';
import { startHost } from './support/host.ts';
import { gone, openScreen, portraits, seen } from './support/screen.ts';

/** A host with one plan and one backup. */
async function withBackup() {
  const host = await startHost();
  const source = join(host.home, 'Documents');
  tree(source, { 'a.txt': 'a', 'big.iso': 'x'.repeat(1000), sub: { 'b.txt': 'b' } });
  const destination = await connectFolder(host, 'Blue drive');
  const plan = await createPlan(host, source, destination);
  const { id } = await host.client.runs.start({ plan: plan.id });
  const run = await ended(host, id);
  expect(run.status).toBe('succeeded');
  return { ...host, source, destination, plan, run };
}

const until = async (isSo: () => Promise<boolean>): Promise<void> => {
  while (!(await isSo())) await systemClock.sleep(50);
};

test('the history lists runs and snapshots; a run opens to its figures, changes and log, a snapshot can be named, pinned and deleted', async () => {
  const host = await withBackup();
  writeFileSync(join(host.source, 'a.txt'), 'another');
  await ended(host, (await host.client.runs.start({ plan: host.plan.id })).id);
  const page = await openScreen(host.address);
  await page.getByRole('link', { name: 'History' }).click();
  await seen(page.getByRole('option', { name: /Backup/ }));
  await portraits(page, 'history');
  await page.getByText('Figures', { exact: true }).click();
  const duration = page.getByRole('slider', { name: 'How long backups took' });
  await duration.focus();
  const newest = await duration.getAttribute('aria-valuetext');
  await page.keyboard.press('Home');
  await expect.poll(() => duration.getAttribute('aria-valuenow')).toBe('1');
  await page.keyboard.press('End');
  expect(await duration.getAttribute('aria-valuetext')).toBe(newest);
  await page.getByText('As a table').first().click();
  await portraits(page, 'history-figures');
  await page.getByText('Runs', { exact: true }).click();
  await page.getByRole('slider', { name: /Day by day/ }).press('Enter');
  await seen(page.getByText(/^Runs until/));
  await page.getByRole('button', { name: 'Show the newest' }).click();
  await gone(page.getByText(/^Runs until/));
  await page
    .getByRole('option', { name: /Backup/ })
    .first()
    .click();
  await seen(page.getByRole('heading', { name: 'Backup: Documents' }));
  await seen(page.getByRole('option', { name: /a\.txt/ }));
  await seen(page.getByRole('heading', { name: 'Log' }));
  await portraits(page, 'history-run');
  await page.getByRole('link', { name: 'See the snapshot' }).click();
  await page.getByRole('textbox', { name: 'Name' }).fill('Before the trip');
  await page.getByRole('button', { name: 'Save notes' }).click();
  await seen(page.getByRole('heading', { level: 1, name: 'Before the trip' }));
  await page.getByRole('switch', { name: 'Keep this snapshot' }).click();
  await seen(page.getByText('It is kept by a pin.'));
  await portraits(page, 'history-snapshot');
  expect((await host.client.snapshots.list({})).snapshots[0]).toMatchObject({ name: 'Before the trip', pinned: true });
  await page.getByRole('switch', { name: 'Keep this snapshot' }).click();
  await gone(page.getByText('It is kept by a pin.'));
  await page.getByRole('button', { name: 'Delete this snapshot' }).click();
  await seen(page.getByText('will be freed'));
  await page.getByRole('dialog').getByRole('button', { name: 'Delete this snapshot' }).click();
  await gone(page.getByRole('dialog'));
  const [deleting] = (await host.client.runs.list({})).runs;
  expect((await ended(host, deleting.id)).status).toBe('succeeded');
  await page.getByText('Snapshots', { exact: true }).click();
  await seen(page.getByRole('option'));
  await gone(page.getByRole('option', { name: /Before the trip/ }));
  expect((await host.client.snapshots.list({ fresh: true })).total).toBe(1);
});

test('a plan is changed: its excludes show what they leave out, its schedule the next times, its retention what stays', async () => {
  const host = await withBackup();
  const page = await openScreen(host.address);
  await page.getByRole('link', { name: 'Plans' }).click();
  await seen(page.getByRole('heading', { name: 'Documents' }));
  await portraits(page, 'plans');
  await page.getByRole('link', { name: 'Documents' }).click();
  await page.getByRole('textbox', { name: 'Names and paths' }).fill('*.iso');
  await page.getByRole('button', { name: 'Show exactly what is left out, and why' }).click();
  await seen(page.getByRole('option', { name: /big\.iso/ }));
  await page.getByRole('button', { name: 'Add a time or an occasion' }).click();
  await page.getByRole('menuitem', { name: 'Every day' }).click();
  await seen(page.getByRole('heading', { name: 'The next times' }));
  await page.getByRole('button', { name: 'Show every snapshot that is kept, and why' }).click();
  await seen(page.getByText('Kept: 1. Removed: 0.'));
  await portraits(page, 'plans-edit');
  await page.getByRole('button', { name: 'Save plan' }).click();
  await seen(page.getByText('“Documents” was saved.'));
  const [plan] = (await host.client.state()).plans;
  expect(plan).toMatchObject({ excludes: { patterns: ['*.iso'] }, schedule: { triggers: [{ kind: 'daily', at: '12:00' }] } });
});

test('a plan that lacks something says what, and is deleted with the choice about its snapshots', async () => {
  const host = await withBackup();
  const page = await openScreen(host.address);
  await page.getByRole('link', { name: 'Plans' }).click();
  await page.getByRole('button', { name: 'New plan' }).click();
  await page.getByRole('button', { name: 'Save plan' }).click();
  await seen(page.getByText('Give it a name, such as “Documents”.'));
  await seen(page.getByText('Choose at least one folder to protect.'));
  await page.getByRole('link', { name: 'All plans' }).click();
  await page.getByRole('link', { name: 'Documents' }).click();
  await page.getByRole('button', { name: 'Delete plan' }).click();
  await page.getByRole('radio', { name: 'Delete its snapshots, too' }).check();
  await page.getByRole('dialog').getByRole('button', { name: 'Delete plan and snapshots' }).click();
  await seen(page.getByText('was deleted with 1 snapshots'));
  expect((await host.client.state()).plans).toEqual([]);
});

test('a destination is tested, connected, renamed, given another password, and disconnected', async () => {
  const host = await withBackup();
  const page = await openScreen(host.address);
  const place = join(host.folder, 'second');
  mkdirSync(place);
  await page.getByRole('link', { name: 'Destinations' }).click();
  await seen(page.getByText('used by Documents'));
  await portraits(page, 'destinations');
  await page.getByRole('button', { name: 'Connect a destination' }).click();
  await page.getByRole('textbox', { name: 'Folder' }).fill(place);
  await page.getByRole('button', { name: 'Test' }).click();
  await seen(page.getByText('The place can be used.'));
  await portraits(page, 'destinations-add');
  await page.getByRole('textbox', { name: 'Password of the backup' }).fill('a good password 7');
  await page.getByRole('textbox', { name: 'Once more, for a new backup' }).fill('a good password 7');
  await page.getByRole('button', { name: 'Connect', exact: true }).click();
  await seen(page.getByText('is connected.'));
  await page.getByRole('button', { name: 'Rename' }).click();
  await page.getByRole('dialog').getByRole('textbox', { name: 'Name' }).fill('Green drive');
  await page.keyboard.press('Enter');
  await seen(page.getByRole('heading', { level: 1, name: 'Green drive' }));
  await page.getByRole('button', { name: 'Change password' }).click();
  const dialog = page.getByRole('dialog');
  await dialog.getByRole('textbox', { name: 'The password until now' }).fill('wrong');
  await dialog.getByRole('textbox', { name: 'The new password', exact: true }).fill('another good one 8');
  await dialog.getByRole('textbox', { name: 'The new password once more' }).fill('another good one 8');
  await dialog.getByRole('button', { name: 'Change password' }).click();
  await seen(dialog.getByRole('alert'));
  await portraits(page, 'destinations-wrong-password');
  await dialog.getByRole('textbox', { name: 'The password until now' }).fill('a good password 7');
  await dialog.getByRole('button', { name: 'Change password' }).click();
  await seen(page.getByText('The password was changed.'));
  await portraits(page, 'destinations-one');
  await page.getByRole('button', { name: 'Disconnect' }).click();
  await page.getByRole('dialog').getByRole('button', { name: 'Disconnect' }).click();
  await seen(page.getByText('What it holds is as it was.'));
  expect((await host.client.state()).destinations.map(({ id }) => id)).toEqual([host.destination.id]);
});

test('settings count at once, and diagnostics hold no secret', async () => {
  const host = await withBackup();
  const page = await openScreen(host.address);
  await page.getByRole('link', { name: 'Settings' }).click();
  await seen(page.getByText('Look and language'));
  await portraits(page, 'settings');
  await page.getByRole('textbox', { name: 'Upload at most' }).fill('nonsense');
  await page.keyboard.press('Enter');
  await seen(page.getByRole('alert'));
  await page.getByRole('textbox', { name: 'Upload at most' }).fill('2M');
  await page.keyboard.press('Enter');
  await until(async () => (await host.client.state()).settings.limitUpload === '2M');
  await page.getByRole('button', { name: 'For 1 hour' }).click();
  await seen(page.getByText(/Backups are paused until/));
  await page.getByRole('button', { name: 'Resume' }).click();
  await seen(page.getByText('Backups run by themselves.'));
  const [download] = await Promise.all([page.waitForEvent('download'), page.getByRole('button', { name: 'Save diagnostics' }).click()]);
  expect(readFileSync(await download.path(), 'utf8')).not.toContain('Documents/');
  await page.getByRole('button', { name: 'Show', exact: true }).click();
  await seen(page.getByText('restic repositories of version 2'));
  await seen(page.getByText('react-dom'));
  await page.getByRole('link', { name: 'Settings' }).first().click();
  await page.getByText('Dark', { exact: true }).click();
  await until(() => page.evaluate(() => document.documentElement.dataset['mantineColorScheme'] === 'dark'));
});

test('any path is told whether it is protected, by which plan and rule, and where the newest copy is', async () => {
  const host = await withBackup();
  const { id, ...input } = host.plan;
  await host.client.plans.change({ id, plan: { ...input, excludes: { ...input.excludes, patterns: ['*.iso'] } } });
  const page = await openScreen(host.address);
  await page.getByRole('link', { name: 'Plans' }).click();
  await page.getByRole('link', { name: 'Is a file protected?' }).click();
  await page.getByRole('textbox', { name: 'File or folder' }).fill(join(host.source, 'sub/b.txt'));
  await seen(page.getByText(/^Yes:/));
  await seen(page.getByText(/“Blue drive” holds it/));
  await portraits(page, 'protected');
  await page.getByRole('textbox', { name: 'File or folder' }).fill(join(host.source, 'big.iso'));
  await seen(page.getByText(/left out by “\*\.iso”/));
  await page.getByRole('textbox', { name: 'File or folder' }).fill('/etc/passwd');
  await seen(page.getByText('No: /etc/passwd is not protected.'));
  await page.getByRole('option', { name: 'Documents' }).click();
  await seen(page.getByRole('option', { name: 'a.txt' }));
  await seen(page.getByText(new RegExp(`^(Yes|Partly): .*Documents`)));
});

test('a plan is made from nothing: its folder is found in the tree, its destinations are put in order, and it backs up', async () => {
  const host = await withBackup();
  const green = await host.client.destinations.connect({
    name: 'Green',
    place: join(host.folder, 'green'),
    password: 'a password',
    create: true,
  });
  const films = tree(join(host.home, 'Films'), { 'film.mp4': 'x'.repeat(5000), deep: { 'second.mp4': 'y' } });
  const page = await openScreen(`${host.address}#/plans`);
  await page.getByRole('button', { name: 'New plan' }).click();
  await page.getByRole('textbox', { name: 'Name' }).first().fill('Films');
  await page.getByRole('button', { name: 'Add a folder…' }).click();
  const picker = page.getByRole('dialog');
  await picker.getByRole('option', { name: 'Films' }).click();
  await seen(picker.getByRole('option', { name: 'deep' }));
  await page.keyboard.press('Enter');
  await seen(picker.getByText('No folders in here. This folder itself can be used.'));
  await picker.getByRole('button', { name: 'One folder up' }).click();
  await seen(picker.getByRole('option', { name: 'deep' }));
  await picker.getByRole('button', { name: 'Use this folder' }).click();
  await gone(picker);
  await seen(page.getByText(/^2 files, 5(\.0)?\skB$/));
  const add = page.getByRole('button', { name: 'Add a destination' });
  if (await page.getByText('Blue drive', { exact: true }).isHidden()) {
    await add.click();
    await page.getByRole('menuitem', { name: 'Blue drive' }).click();
  }
  await add.click();
  await page.getByRole('menuitem', { name: 'Green' }).click();
  await page.getByRole('button', { name: 'Place of Green in the order' }).press('ArrowUp');
  await page.getByRole('button', { name: 'Save plan' }).click();
  await seen(page.getByText('“Films” was saved.'));
  const plan = (await host.client.state()).plans.find(({ name }) => name === 'Films')!;
  expect(plan.sources).toEqual([{ kind: 'folder', path: films }]);
  expect(plan.destinations[0]).toMatchObject({ destination: green.id, role: 'primary' });
  expect(plan.destinations[1]).toMatchObject({ destination: host.destination.id });
  await page.getByRole('button', { name: 'Back up now' }).last().click();
  await until(async () => (await host.client.runs.list({ plan: plan.id })).runs.some(({ status }) => status === 'succeeded'));
});

test('each setting changes the service, and says what a browser cannot do', async () => {
  const host = await withBackup();
  const page = await openScreen(`${host.address}#/settings`);
  const becomes = (wanted: object): Promise<void> =>
    until(async () => {
      const { settings } = await host.client.state();
      return Object.entries(wanted).every(([name, value]) => settings[name as keyof typeof settings] === value);
    });
  for (const [name, part] of [
    ['Notifications', 'notifications'],
    ['Step back for other programs', 'gentle'],
  ] as const) {
    await page.getByRole('switch', { name }).press('Space');
    await becomes({ [part]: false });
    await page.getByRole('switch', { name }).press('Space');
    await becomes({ [part]: true });
  }
  for (const [name, typed, wanted] of [
    ['Processor cores', '2', { threads: 2 }],
    ['Processor cores', '', { threads: null }],
    ['Upload at most', '08:00-18:00=500K,2M', { limitUpload: '08:00-18:00=500K,2M' }],
    ['Download at most', '3M', { limitDownload: '3M' }],
    ['Download at most', '', { limitDownload: null }],
    ['Keep the history of runs for', '90', { keepRunsDays: 90 }],
  ] as const) {
    await page.getByRole('textbox', { name }).fill(typed);
    await page.keyboard.press('Tab');
    await becomes(wanted);
  }
  for (const [name, isPaused] of [
    ['For 1 hour', true],
    ['Resume', false],
    ['Until tomorrow', true],
    ['Resume', false],
    ['Until I resume', true],
    ['Resume', false],
  ] as const) {
    await page.getByRole('button', { name }).click();
    await until(async () => ((await host.client.state()).pause !== null) === isPaused);
  }
  for (const [name, theme] of [
    ['Dark', 'dark'],
    ['Light', 'light'],
  ] as const) {
    await page.getByText(name, { exact: true }).click();
    await becomes({ theme });
  }
  await page.getByRole('combobox', { name: 'Language' }).click();
  await page.getByRole('option', { name: '简体中文' }).click();
  await becomes({ language: 'zh-CN' });
  await seen(page.getByRole('link', { name: '设置' }));
  await page.getByRole('combobox', { name: '语言' }).click();
  await page.getByRole('option', { name: 'English' }).click();
  await seen(page.getByText('Start when I log in'));
  await seen(page.getByText(/“holdfast service install” lets it start by itself/));
});
