/** Everything that matters without a mouse: the focus is always seen, and goes where the person looks next. */
import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { createPlan, ended } from '../support/service.ts';
import { tree } from '../support/tree-literal.ts';
import { connectFolder, password, startHost } from './support/host.ts';
import { expectFocusAt, tabTo } from './support/keyboard.ts';
import { gone, openScreen, seen } from './support/screen.ts';

test('the first run needs no mouse, from the first question to the saved kit', async () => {
  const host = await startHost();
  tree(host.home, { Documents: { 'letter.txt': 'Dear Anna' }, Pictures: { 'a.jpg': randomBytes(30_000) } });
  const page = await openScreen(host.address);
  await seen(page.getByRole('checkbox', { name: /Documents/, checked: true }));
  await expectFocusAt(page, /What shall be protected/);
  await tabTo(page, /Pictures/);
  await page.keyboard.press('Space');
  await seen(page.getByRole('checkbox', { name: /Pictures/, checked: false }));
  await page.keyboard.press('Space');
  await tabTo(page, /Continue/);
  await page.keyboard.press('Enter');
  await expectFocusAt(page, /Where to/);
  await tabTo(page, /Server or cloud|This computer/);
  for (let moves = 0; !(await page.getByRole('radio', { name: /This computer/ }).isChecked()) && moves < 10; moves++)
    await page.keyboard.press('ArrowDown');
  await tabTo(page, /^\s*Folder/);
  await page.keyboard.type(join(host.folder, 'backup'));
  await page.keyboard.press('Enter');
  await expectFocusAt(page, /Choose a password/);
  await tabTo(page, /Password/);
  await page.keyboard.type(password);
  await page.keyboard.press('Enter');
  await expectFocusAt(page, /Your first backup is/);
  const [run] = (await host.client.runs.list({})).runs;
  expect((await ended(host, run.id)).status).toBe('succeeded');
  await tabTo(page, /Save as a file/);
  const [download] = await Promise.all([page.waitForEvent('download'), page.keyboard.press('Enter')]);
  const words = [...readFileSync(await download.path(), 'utf8').matchAll(/<li>(.*?)<\/li>/g)].map((match) => match[1]);
  await seen(page.getByText(/^Word \d$/));
  for (const label of await page.getByText(/^Word \d$/).allTextContents()) {
    await tabTo(page, new RegExp(`^${label}`));
    await page.keyboard.type(words[Number(label.slice(5)) - 1]);
  }
  await page.keyboard.press('Enter');
  await seen(page.getByText('Your recovery kit is at hand.'));
  await tabTo(page, /Go to Home/);
  await page.keyboard.press('Enter');
  await expectFocusAt(page, /Your files are safe/);
});

test('a file is restored without a mouse, and the restore undone; dialogs take the focus and give it back', async () => {
  const host = await startHost();
  const source = tree(join(host.home, 'Documents'), { 'letter.txt': 'Dear Anna', 'other.txt': 'other', deep: { 'inner.txt': 'inner' } });
  const plan = await createPlan(host, source, await connectFolder(host));
  await ended(host, (await host.client.runs.start({ plan: plan.id })).id);
  tree(source, { 'letter.txt': 'spoiled' });
  const page = await openScreen(host.address);
  await seen(page.getByRole('heading', { name: 'Documents' }));
  await tabTo(page, /Skip to the content/);
  await page.keyboard.press('Enter');
  expect(await page.evaluate(() => document.activeElement?.id)).toBe('main');
  await page.keyboard.press('Shift+Tab');
  for (let steps = 0; steps < 20; steps++) {
    if (await page.evaluate(() => document.activeElement?.textContent === 'Restore')) break;
    await page.keyboard.press('Shift+Tab');
  }
  await page.keyboard.press('Enter');
  await seen(page.getByRole('option', { name: /letter\.txt/ }));
  await expectFocusAt(page, /Documents/);
  await tabTo(page, /^Contents of the folder/);
  // Into the folder and back, then to the file.
  await page.keyboard.press('Home');
  await page.keyboard.press('Enter');
  await seen(page.getByRole('option', { name: /inner\.txt/ }));
  await page.keyboard.press('Backspace');
  await seen(page.getByRole('option', { name: /letter\.txt/ }));
  await page.keyboard.press('Home');
  await page.keyboard.press('ArrowDown');
  await page.keyboard.press('Space');
  await seen(page.getByText(/^One item/));
  for (const heading of [/One item, as on/, /Where should the item go/]) {
    for (let steps = 0; steps < 40; steps++) {
      if (await page.evaluate(() => document.activeElement?.textContent === 'Continue')) break;
      await page.keyboard.press('Shift+Tab');
    }
    await page.keyboard.press('Enter');
    await expectFocusAt(page, heading);
    await tabTo(page, heading.source.startsWith('One') ? /Continue/ : /Back to where it was/);
  }
  await tabTo(page, /Keep the newer|Keep both|Replace|Leave them/);
  for (let moves = 0; !(await page.getByRole('radio', { name: 'Replace' }).isChecked()) && moves < 5; moves++)
    await page.keyboard.press('ArrowDown');
  await seen(page.getByRole('option', { name: /Replace/ }));
  for (let steps = 0; steps < 40; steps++) {
    if (await page.evaluate(() => document.activeElement?.textContent === 'Restore one item')) break;
    await page.keyboard.press('Shift+Tab');
  }
  await page.keyboard.press('Enter');
  await seen(page.getByText('Your files are back.'));
  expect(readFileSync(join(source, 'letter.txt'), 'utf8')).toBe('Dear Anna');
  await tabTo(page, /Undo the restore/);
  await page.keyboard.press('Enter');
  await expectFocusAt(page, /Cancel/);
  await page.keyboard.press('Escape');
  await gone(page.getByRole('dialog'));
  await expectFocusAt(page, /Undo the restore/);
  await page.keyboard.press('Enter');
  await expectFocusAt(page, /Cancel/);
  await tabTo(page, /^Undo the restore/);
  await page.keyboard.press('Enter');
  await seen(page.getByText('Everything is as it was before.'));
  expect(readFileSync(join(source, 'letter.txt'), 'utf8')).toBe('spoiled');
});

test('whoever wants less motion has none that lasts', async () => {
  const host = await startHost();
  const page = await openScreen(host.address);
  await seen(page.getByRole('heading', { level: 1 }));
  // Everywhere in these tests less motion is asked for; here it is looked whether that is heeded.
  const longest = await page.evaluate(() =>
    Math.max(
      0,
      ...[...document.querySelectorAll('*')].flatMap((element) => {
        const { transitionDuration, animationDuration } = getComputedStyle(element);
        return `${transitionDuration},${animationDuration}`
          .split(',')
          .map((each) => Number.parseFloat(each) * (each.trim().endsWith('ms') ? 1 : 1000));
      }),
    ),
  );
  expect(longest).toBeLessThanOrEqual(1);
});
