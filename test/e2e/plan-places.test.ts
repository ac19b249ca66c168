/** Where a plan's backups go: the order, what each destination is for, and the step that is missing for three copies. */
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { createPlan, ended } from '../support/service.ts';
import { tree } from '../support/tree-literal.ts';
import { connectFolder, type Host, startHost } from './support/host.ts';
import { openScreen, portraits, seen } from './support/screen.ts';

const planWith = (host: Host, destination: { readonly id: string }) =>
  createPlan(host, tree(join(host.home, 'Documents'), { a: 'a' }), destination);

test('destinations are put into order by drag and by the keyboard, are said in plain words, and have rules of their own', async () => {
  const host = await startHost();
  const [blue, green, attic] = [await connectFolder(host, 'Blue'), await connectFolder(host, 'Green'), await connectFolder(host, 'Attic')];
  const plan = await planWith(host, blue);
  const page = await openScreen(host.address);
  await page.getByRole('link', { name: 'Plans' }).click();
  await page.getByRole('link', { name: 'Documents' }).click();
  for (const name of ['Green', 'Attic']) {
    await page.getByRole('button', { name: 'Add a destination' }).click();
    await page.getByRole('menuitem', { name }).click();
  }
  await seen(page.getByText('Takes over by itself when “Blue” cannot be used.'));
  const handle = (name: string) => page.getByRole('button', { name: `Place of ${name} in the order` });
  await handle('Green').focus();
  await page.keyboard.press('ArrowUp');
  await seen(page.getByText('Takes over by itself when “Green” cannot be used.'));
  expect(await page.evaluate(() => document.activeElement?.getAttribute('aria-label'))).toContain('Green');
  // Down past the last one.
  await handle('Blue').scrollIntoViewIfNeeded();
  const [from, to] = [(await handle('Blue').boundingBox())!, (await handle('Attic').boundingBox())!];
  await page.mouse.move(from.x + 12, from.y + 16);
  await page.mouse.down();
  await page.mouse.move(to.x + 12, to.y + 30, { steps: 5 });
  await page.mouse.up();
  await seen(page.getByText('Takes over by itself when “Attic” cannot be used.'));
  await page.getByRole('combobox', { name: 'Role of Blue' }).click();
  await page.getByRole('option', { name: 'Copy' }).click();
  await seen(page.getByText('Is given a copy after each backup.'));
  await page.getByRole('button', { name: 'Rules of Blue' }).click();
  await page.getByRole('switch', { name: 'Keep other snapshots on Blue than elsewhere' }).press('Space');
  await page.getByRole('combobox', { name: 'When Blue is given its copy' }).click();
  await page.getByRole('option', { name: 'Copied once a day' }).click();
  await seen(page.getByText(/Is given a copy .*03:00.*Keeps snapshots by rules of its own/));
  await portraits(page, 'plans-places');
  await page.getByRole('button', { name: 'Save plan' }).click();
  await seen(page.getByText('“Documents” was saved.'));
  expect((await host.client.state()).plans[0]!.destinations).toEqual([
    { destination: green.id, role: 'primary' },
    { destination: attic.id, role: 'standby' },
    { destination: blue.id, role: 'copy', retention: plan.retention, schedule: [{ kind: 'daily', at: '03:00' }] },
  ]);
});

test('one button on Home leads to the copy that is missing, with all of it filled in', async () => {
  const host = await startHost();
  const blue = await connectFolder(host, 'Blue');
  const plan = await planWith(host, blue);
  expect((await ended(host, (await host.client.runs.start({ plan: plan.id })).id)).status).toBe('succeeded');
  const page = await openScreen(host.address);
  await page.getByRole('button', { name: 'Add a place elsewhere' }).click();
  await seen(
    page
      .getByRole('combobox', { name: 'Kind' })
      .or(page.getByRole('textbox', { name: 'Server' }))
      .or(page.getByText('SFTP')),
  );
  // A place elsewhere is not at hand in a test: a folder leads on in the same way.
  await page.getByText('Drive or folder', { exact: true }).click();
  await page.getByRole('textbox', { name: 'Folder' }).fill(join(host.folder, 'second'));
  await page.getByRole('textbox', { name: 'Password of the backup' }).fill('a good password 7');
  await page.getByRole('textbox', { name: 'Once more, for a new backup' }).fill('a good password 7');
  await page.getByRole('button', { name: 'Connect', exact: true }).click();
  await seen(page.getByText('A copy is added below. It begins when you save the plan.'));
  await seen(page.getByText('Is given a copy after each backup.'));
  await portraits(page, 'plans-missing-copy');
  await page.getByRole('button', { name: 'Save plan' }).click();
  await seen(page.getByText('“Documents” was saved.'));
  expect((await host.client.state()).plans[0]!.destinations.map(({ role }) => role)).toEqual(['primary', 'copy']);
});
