/** Restores of every kind, each compared byte by byte with what was backed up. */
import { randomBytes } from 'node:crypto';
import { mkdirSync, readFileSync, renameSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Page } from 'playwright-core';
import { expect, test } from 'vitest';
import { systemClock } from '../../src/platform/clock.ts';
import { contentOf } from '../support/content-of.ts';
import { Restic } from '../support/restic.ts';
import { connectFolder, createPlan, ended, password } from '../support/service.ts';
import { tree } from '../support/tree-literal.ts';
import { startHost } from './support/host.ts';
import { gone, openScreen, portraits, seen } from './support/screen.ts';

/** Ticks all that is in the folder that is shown and goes on to where it shall go. */
async function takeAll(page: Page, count: number): Promise<void> {
  const list = page.getByRole('listbox', { name: 'Contents of the folder' });
  await seen(list.getByRole('option').nth(count - 1));
  await list.focus();
  await page.keyboard.press('Home');
  for (let index = 0; index < count; index++) {
    await page.keyboard.press(' ');
    await page.keyboard.press('ArrowDown');
  }
  await seen(page.getByText(new RegExp(`^${count} items`)));
  await page.getByRole('button', { name: 'Continue' }).click();
  await page.getByRole('button', { name: 'Continue' }).click();
}

/** What is in the folder, without what a restore keeps to be undone. */
const content = (folder: string): Map<string, string> =>
  new Map([...contentOf(folder, folder)].filter(([path]) => !path.includes('.holdfast-undo-')));

const day = 86_400;

test('each answer to what is there already does to every byte what the dry run says, and is undone to the last one', async () => {
  const host = await startHost();
  const source = tree(join(host.home, 'Documents'), {
    'missing.bin': randomBytes(50_000),
    'newer.txt': 'as backed up',
    'older.txt': 'as backed up, too',
    'same.txt': 'same',
  });
  const plan = await createPlan(host, source, await connectFolder(host, 'Blue drive'));
  expect((await ended(host, (await host.client.runs.start({ plan: plan.id })).id)).status).toBe('succeeded');
  const backedUp = contentOf(source, source);
  const now = systemClock.now() / 1000;
  rmSync(join(source, 'missing.bin'));
  writeFileSync(join(source, 'newer.txt'), 'mine, newer');
  utimesSync(join(source, 'newer.txt'), now + day, now + day);
  writeFileSync(join(source, 'older.txt'), 'mine, older');
  utimesSync(join(source, 'older.txt'), now - day, now - day);
  const mine = contentOf(source, source);
  const pick = (from: Map<string, string>, ...names: string[]): [string, string][] =>
    names.map((name) => [`/${name}`, from.get(`/${name}`)!]);

  const page = await openScreen(host.address);
  const outcomes: [string, RegExp[], [string, string][]][] = [
    [
      'Keep the newer one',
      [/Create.*missing|missing.*Create/, /Keep.*newer|newer.*Keep/, /Replace.*older|older.*Replace/],
      [...pick(backedUp, 'missing.bin', 'older.txt', 'same.txt'), ...pick(mine, 'newer.txt')],
    ],
    ['Replace', [/Replace.*newer|newer.*Replace/, /Replace.*older|older.*Replace/], [...backedUp]],
    [
      'Leave them alone',
      [/Keep.*newer|newer.*Keep/, /Keep.*older|older.*Keep/],
      [...pick(mine, 'newer.txt', 'older.txt'), ...pick(backedUp, 'missing.bin', 'same.txt')],
    ],
  ];
  for (const [choice, said, expected] of outcomes) {
    await page.getByRole('link', { name: 'Restore' }).click();
    await takeAll(page, 4);
    await page.getByRole('radio', { name: choice }).check();
    for (const words of said) await seen(page.getByRole('option', { name: words }));
    await page.getByRole('button', { name: 'Restore 4 items' }).click();
    await seen(page.getByText('Your files are back.'));
    expect(content(source), choice).toEqual(new Map(expected));
    await page.getByRole('button', { name: 'Undo the restore' }).click();
    await page.getByRole('dialog').getByRole('button', { name: 'Undo the restore' }).click();
    await seen(page.getByText('Everything is as it was before.'));
    expect(content(source), `${choice}, undone`).toEqual(mine);
    await page.getByRole('button', { name: 'Restore something else' }).click();
  }

  await takeAll(page, 4);
  await page.getByRole('radio', { name: 'Keep both' }).check();
  await seen(page.getByRole('option', { name: /Put beside/ }));
  await page.getByRole('button', { name: 'Restore 4 items' }).click();
  await seen(page.getByText('Your files are back.'));
  const both = content(source);
  for (const [path, hash] of mine) expect(both.get(path), `${path} stays`).toBe(hash);
  const beside = [...both].filter(([path]) => !mine.has(path) && path !== '/missing.bin').map(([, hash]) => hash);
  expect(beside.toSorted()).toEqual([backedUp.get('/newer.txt')!, backedUp.get('/older.txt')!].toSorted());
  await page.getByRole('button', { name: 'Save receipt' }).click();
  const [download] = await Promise.all([page.waitForEvent('download'), page.getByRole('menuitem', { name: /JSON/ }).click()]);
  expect(JSON.parse(readFileSync(await download.path(), 'utf8'))).toMatchObject({
    holdfast: 'receipt',
    conflicts: 'keep-both',
    created: 1,
    beside: 2,
    compared: { different: 0 },
  });
});

test('when the destination is away, everything comes from another one that has it, and the receipt says so', async () => {
  const host = await startHost();
  const source = tree(join(host.home, 'Documents'), { 'a.bin': randomBytes(400_000), sub: { 'b.bin': randomBytes(200_000) } });
  const blue = await connectFolder(host, 'Blue');
  const green = await host.client.destinations.connect({
    name: 'Green',
    place: join(host.folder, 'Green'),
    password: 'a password',
    create: true,
  });
  const plan = await createPlan(host, source, blue);
  expect((await ended(host, (await host.client.runs.start({ plan: plan.id })).id)).status).toBe('succeeded');
  const secret = join(host.folder, 'password');
  writeFileSync(secret, password);
  await new Restic(green.place, password).must(['copy', '--from-repo', blue.place, '--from-password-file', secret]);
  await host.client.snapshots.list({ fresh: true });
  const backedUp = contentOf(source, source);
  const page = await openScreen(`${host.address}#/restore`);
  await takeAll(page, 2);
  const target = join(host.folder, 'back');
  mkdirSync(target);
  await page.getByRole('radio', { name: 'Into another folder' }).check();
  await page.getByRole('textbox', { name: 'Folder', exact: true }).fill(target);
  await seen(page.getByRole('option', { name: /Create/ }));
  renameSync(blue.place, `${blue.place} away`);
  await page.getByRole('button', { name: 'Restore 2 items' }).click();
  await seen(page.getByText('Your files are back.'));
  expect(content(target)).toEqual(backedUp);
  await portraits(page, 'restore-other-destination');
  const [run] = (await host.client.runs.list({})).runs;
  const receipt = await host.client.restore.receipt({ run: run.id });
  expect(receipt.destination.name).toBe('Green');
  if (receipt.failedDestinations.length > 0) await seen(page.getByText(/could not be read; everything came from Green/));
  await gone(page.getByRole('progressbar'));
});
