import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Page } from 'playwright-core';
import { expect, test } from 'vitest';
import { ended } from '../support/service.ts';
import { tree } from '../support/tree-literal.ts';
import { connectFolder, type Host, password, startHost } from './support/host.ts';
import { expectAccessible, gone, openScreen, picture, portraits, seen } from './support/screen.ts';

/** A home folder as people have it. */
function furnish(host: Host): void {
  tree(host.home, {
    Documents: { 'letter.txt': 'Dear Anna', 'taxes.pdf': randomBytes(120_000) },
    Pictures: { 'a.jpg': randomBytes(300_000), 'b.jpg': randomBytes(400_000) },
    Desktop: { 'note.txt': 'milk' },
  });
}

async function chooseFolderOfComputer(page: Page, folder: string): Promise<void> {
  await page.getByRole('radio', { name: /This computer/ }).check();
  await page.getByRole('textbox', { name: 'Folder' }).fill(folder);
}

test('three steps and one password lead to a first backup, which is watched to its end; then the kit is saved', async () => {
  const host = await startHost();
  furnish(host);
  const page = await openScreen(host.address);
  let clicks = 0;
  await page.exposeFunction('clicked', () => void clicks++);
  await page.evaluate(() =>
    addEventListener('click', (event) => event.isTrusted && (window as unknown as { clicked: () => void }).clicked(), true),
  );

  await seen(page.getByRole('heading', { name: 'What shall be protected?' }));
  await seen(page.getByRole('checkbox', { name: /Documents/, checked: true }));
  await seen(page.getByText(/120(\.\d)?\skB/));
  await portraits(page, 'first-run-what');
  await page.getByRole('button', { name: 'Continue' }).click();

  await seen(page.getByRole('heading', { name: 'Where to?' }));
  await chooseFolderOfComputer(page, join(host.folder, 'backup'));
  await portraits(page, 'first-run-where');
  await page.getByRole('button', { name: 'Continue' }).click();

  await seen(page.getByRole('heading', { name: 'Choose a password' }));
  await page.getByRole('textbox', { name: 'Password' }).fill('password');
  await seen(page.getByText('Would be guessed at once.'));
  await page.getByRole('textbox', { name: 'Password' }).fill(password);
  await seen(page.getByText(/^Good\.|Very strong\./));
  await portraits(page, 'first-run-protect');
  await page.getByRole('button', { name: 'Start the first backup' }).click();

  await seen(page.getByRole('heading', { name: /Your first backup is/ }));
  expect(clicks).toBeLessThanOrEqual(8);
  const [run] = (await host.client.runs.list({})).runs;
  expect((await ended(host, run.id)).status).toBe('succeeded');
  await seen(page.getByRole('heading', { name: 'Your first backup is done.' }));
  await seen(page.getByText(/\d files, /));
  await portraits(page, 'first-run-done');

  const download = page.waitForEvent('download');
  await page.getByRole('button', { name: 'Save as a file' }).click();
  const file = join(host.folder, 'kit.html');
  await (await download).saveAs(file);
  const kit = readFileSync(file, 'utf8');
  const words = [...kit.matchAll(/<li>(.*?)<\/li>/g)].map((match) => match[1]);
  expect(words).toHaveLength(8);
  expect(kit).toContain(join(host.folder, 'backup'));
  expect(kit).not.toContain(password);
  await seen(page.getByLabel(/^Word \d$/));
  const asked = await page.getByLabel(/^Word \d$/).all();
  expect(asked).toHaveLength(2);
  for (const input of asked) await input.fill('wrong');
  await page.getByRole('button', { name: 'Check' }).click();
  await seen(page.getByText('That is another word.'));
  const labels = await page.getByText(/^Word \d$/).allTextContents();
  for (const label of labels) await page.getByLabel(label).fill(words[Number(label.slice(5)) - 1]);
  await picture(page, 'first-run-kit');
  await page.getByRole('button', { name: 'Check' }).click();
  await seen(page.getByText('Your recovery kit is at hand.'));
  await expectAccessible(page);
  await page.getByRole('button', { name: 'Go to Home' }).click();
  await seen(page.getByRole('heading', { level: 1, name: 'Your files are safe.' }));
  await portraits(page, 'home-all-fine');
});

test('the keyboard alone is enough', async () => {
  const host = await startHost();
  furnish(host);
  const page = await openScreen(host.address);
  await seen(page.getByRole('checkbox', { name: /Documents/, checked: true }));
  /** Tab until the element that is wanted has the focus. */
  const tabTo = async (name: RegExp): Promise<void> => {
    for (let steps = 0; steps < 60; steps++) {
      await page.keyboard.press('Tab');
      const at = await page.evaluate(() => {
        const element = document.activeElement as HTMLInputElement | null;
        return `${element?.closest('label')?.textContent ?? ''} ${element?.labels?.[0]?.textContent ?? ''} ${element?.textContent ?? ''}`;
      });
      if (name.test(at)) return;
    }
    throw new Error(`no way leads to ${name}`);
  };
  await tabTo(/Continue/);
  await page.keyboard.press('Enter');
  await seen(page.getByRole('heading', { name: 'Where to?' }));
  await tabTo(/Server or cloud|This computer/);
  for (let moves = 0; !(await page.getByRole('radio', { name: /This computer/ }).isChecked()) && moves < 10; moves++)
    await page.keyboard.press('ArrowDown');
  await tabTo(/^\s*Folder/);
  await page.keyboard.type(join(host.folder, 'backup'));
  await page.keyboard.press('Enter');
  await seen(page.getByRole('heading', { name: 'Choose a password' }));
  await tabTo(/Password/);
  await page.keyboard.type(password);
  await page.keyboard.press('Enter');
  await seen(page.getByRole('heading', { name: /Your first backup is/ }));
  const [run] = (await host.client.runs.list({})).runs;
  expect((await ended(host, run.id)).status).toBe('succeeded');
});

test('a place that cannot be used is told with what to do, and nothing that was chosen is lost', async () => {
  const host = await startHost();
  furnish(host);
  const page = await openScreen(host.address);
  await page.getByRole('button', { name: 'Continue' }).click();
  await chooseFolderOfComputer(page, join(host.home, 'Documents', 'letter.txt', 'backup'));
  await page.getByRole('button', { name: 'Continue' }).click();
  await seen(page.getByRole('alert'));
  await picture(page, 'first-run-wrong-place');
  await expectAccessible(page);
  await page.getByRole('button', { name: 'Back' }).click();
  await page.getByRole('checkbox', { name: /Desktop/ }).uncheck();
  await page.getByRole('button', { name: 'Continue' }).click();
  expect(await page.getByRole('textbox', { name: 'Folder' }).inputValue()).toBe(join(host.home, 'Documents', 'letter.txt', 'backup'));
  await page.getByRole('button', { name: 'Back' }).click();
  expect(await page.getByRole('checkbox', { name: /Desktop/ }).isChecked()).toBe(false);
});

test('whoever has a backup already connects it with its password, takes the plans back, and can restore', async () => {
  const old = await startHost();
  furnish(old);
  const destination = await connectFolder(old);
  const plan = await old.client.plans.create({
    name: 'Anna’s papers',
    sources: [{ kind: 'folder', path: join(old.home, 'Documents') }],
    destinations: [{ destination: destination.id, role: 'primary' }],
    schedule: {
      triggers: [],
      strategy: { otherwise: 'incremental' },
      conditions: { onBattery: 'always', onMetered: true },
      zone: 'computer',
    },
  });
  await ended(old, (await old.client.runs.start({ plan: plan.id })).id);
  const place = join(old.folder, 'Blue');

  const host = await startHost();
  const page = await openScreen(host.address);
  await page.getByRole('button', { name: 'I already have a backup' }).click();
  await page.getByRole('textbox', { name: 'Folder' }).fill(place);
  await page.getByRole('textbox', { name: 'Password of the backup' }).fill('wrong');
  await page.getByRole('button', { name: 'Look into it' }).click();
  await seen(page.getByText(/does not open the repository/));
  await portraits(page, 'recover-wrong-password');
  await page.getByRole('textbox', { name: 'Password of the backup' }).fill(password);
  await page.getByRole('button', { name: 'Look into it' }).click();
  await seen(page.getByRole('heading', { name: 'Found it.' }));
  await seen(page.getByText(/Anna’s papers/));
  await portraits(page, 'recover-found');
  await page.getByRole('button', { name: 'Connect' }).click();
  await seen(page.getByRole('heading', { name: 'Your backup is connected.' }));
  expect((await host.client.state()).plans.map(({ name }) => name)).toEqual(['Anna’s papers']);
  await page.getByRole('button', { name: 'Restore files' }).click();
  await gone(page.getByRole('heading', { name: 'Your backup is connected.' }));
});

test('it can be put off, and is not forced on anybody', async () => {
  const host = await startHost();
  furnish(host);
  const page = await openScreen(host.address);
  await page.getByRole('button', { name: 'Later' }).click();
  await seen(page.getByRole('heading', { name: 'Nothing is protected yet.' }));
  await page.getByRole('button', { name: 'Begin' }).click();
  await seen(page.getByRole('heading', { name: 'What shall be protected?' }));
});
