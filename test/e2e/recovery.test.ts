/** The bad days: no keychain, a kit that is wanted back, another computer. */
import { randomBytes } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { contentOf } from '../support/content-of.ts';
import { createPlan, ended } from '../support/service.ts';
import { symlink, tree } from '../support/tree-literal.ts';
import { connectFolder, type Host, password, startHost } from './support/host.ts';
import { expectAccessible, gone, openScreen, portraits, seen } from './support/screen.ts';

test('without a keychain the first run says what is missing before it makes anything, and goes on when there is a place for secrets', async () => {
  const host = await startHost({ hasSecrets: false });
  tree(host.home, { Documents: { 'letter.txt': 'Dear Anna' } });
  const place = join(host.folder, 'backup');
  const tryIt = async (address: string) => {
    const page = await openScreen(address);
    await page.getByRole('button', { name: 'Continue' }).click();
    await page.getByRole('radio', { name: /This computer/ }).check();
    await page.getByRole('textbox', { name: 'Folder' }).fill(place);
    await page.getByRole('button', { name: 'Continue' }).click();
    await page.getByRole('textbox', { name: 'Password' }).fill(password);
    await page.getByRole('button', { name: 'Start the first backup' }).click();
    return page;
  };
  const page = await tryIt(host.address);
  await seen(page.getByRole('alert').getByText('This computer has no keychain that Holdfast can use.'));
  await seen(page.getByText('Start Holdfast with a file for its secrets that only you can read.'));
  await portraits(page, 'first-run-no-keychain');
  expect(existsSync(join(place, 'config')), 'no repository is left that nobody could open').toBe(false);
  await host.end();
  const again = await tryIt((await startHost({ folder: host.folder })).address);
  await seen(again.getByRole('heading', { name: /^Your first backup is/ }));
});

/** Files of every kind that a person has, in two folders, backed up to a folder. */
async function withBackup(): Promise<Host & { readonly sources: readonly string[] }> {
  const host = await startHost();
  tree(host.home, {
    Documents: { 'letter.txt': 'Dear Anna', 'été 照片': { 'note.txt': 'inside' }, empty: {}, link: symlink('letter.txt') },
    Pictures: { 'a.jpg': randomBytes(300_000), 'again.jpg': randomBytes(70_000), nothing: '' },
  });
  const sources = [join(host.home, 'Documents'), join(host.home, 'Pictures')];
  const plan = await createPlan(host, sources[0], await connectFolder(host), {
    name: 'Mine',
    sources: sources.map((path) => ({ kind: 'folder', path })),
  });
  expect((await ended(host, (await host.client.runs.start({ plan: plan.id })).id)).status).toBe('succeeded');
  return { ...host, sources };
}

test('the kit is printed on paper that holds all that is needed, saved, and leads another computer to settings, plans and every byte', async () => {
  const old = await withBackup();
  const page = await openScreen(old.address);
  await page.getByRole('button', { name: 'Save the recovery kit' }).click();
  await seen(page.getByRole('heading', { level: 1, name: /Recovery kit/ }));
  const printed = Promise.withResolvers<string>();
  await page.exposeFunction('printed', printed.resolve);
  await page.evaluate(() => {
    const tell = (window as unknown as { printed: (html: string) => void }).printed;
    new MutationObserver((changes) => {
      for (const { addedNodes } of changes) for (const node of addedNodes) if (node instanceof HTMLIFrameElement) tell(node.srcdoc);
    }).observe(document.body, { childList: true });
  });
  await page.getByRole('button', { name: 'Print' }).click();
  const paper = await page.context().newPage();
  await paper.setContent(await printed.promise);
  await paper.emulateMedia({ media: 'print' });
  await seen(paper.getByText(join(old.folder, 'Blue'), { exact: true }));
  await seen(paper.getByText('Install Holdfast on another computer'));
  await expectAccessible(paper);
  const pdf = await paper.pdf({ format: 'A4' });
  expect(pdf.toString('latin1').match(/\/Type\s*\/Page\b/g), 'one sheet').toHaveLength(1);
  const words = await paper.locator('ol li').allTextContents();
  expect(words).toHaveLength(8);

  const file = join(old.folder, 'kit.html');
  const [download] = await Promise.all([page.waitForEvent('download'), page.getByRole('button', { name: 'Save as a file' }).click()]);
  await download.saveAs(file);
  expect(readFileSync(file, 'utf8')).not.toContain(password);
  const labels = await page.getByText(/^Word \d$/).allTextContents();
  expect(labels).toHaveLength(2);
  // One right, one of another place on the page.
  await page.getByLabel(labels[0]).fill(words[Number(labels[0].slice(5)) - 1].toUpperCase());
  await page.getByLabel(labels[1]).fill(words[Number(labels[1].slice(5)) % 8]);
  await page.getByRole('button', { name: 'Check' }).click();
  await seen(page.getByText('That is another word.'));
  expect(await page.getByText('That is another word.').count()).toBe(1);
  await page.getByLabel(labels[1]).fill(words[Number(labels[1].slice(5)) - 1]);
  await page.getByRole('button', { name: 'Check' }).click();
  await seen(page.getByText('Your recovery kit is at hand.'));
  await page.getByRole('link', { name: 'Home' }).click();
  await gone(page.getByText('Save the recovery kit'));

  // The old computer is gone; what it had is known.
  const had = contentOf(old.home, old.home);
  await old.end('SIGKILL');
  const host = await startHost();
  const fresh = await openScreen(host.address);
  await fresh.getByRole('button', { name: 'I already have a backup' }).click();
  const choose = fresh.locator('input[type=file]');
  await choose.setInputFiles({ name: 'letter.html', mimeType: 'text/html', buffer: Buffer.from('<p>Dear Anna</p>') });
  await seen(fresh.getByRole('alert').getByText(/“letter\.html” is no recovery kit/));
  await choose.setInputFiles(file);
  await gone(fresh.getByRole('alert'));
  expect(await fresh.getByRole('textbox', { name: 'Folder', exact: true }).inputValue()).toBe(join(old.folder, 'Blue'));
  await fresh.getByRole('textbox', { name: 'Password of the backup' }).fill('of another backup');
  await fresh.getByRole('button', { name: 'Look into it' }).click();
  await seen(fresh.getByRole('alert').getByText(/does not open the repository/));
  await fresh.getByRole('textbox', { name: 'Password of the backup' }).fill(password);
  await fresh.getByRole('button', { name: 'Look into it' }).click();
  await seen(fresh.getByRole('radio', { name: / on .*Mine/, checked: true }));
  await fresh.getByRole('button', { name: 'Connect' }).click();
  await seen(fresh.getByRole('heading', { name: 'Your backup is connected.' }));
  await seen(fresh.getByText('One plan is back.').or(fresh.getByText('1 plan is back.')));
  const { plans } = await host.client.state();
  expect(plans.map(({ name, sources }) => [name, sources.length])).toEqual([['Mine', 2]]);

  await fresh.getByRole('button', { name: 'Restore files' }).click();
  const list = fresh.getByRole('listbox', { name: 'Contents of the folder' });
  await seen(list.getByRole('option', { name: /Documents/ }));
  await portraits(fresh, 'recovered-browse');
  await list.focus();
  for (const key of ['Home', ' ', 'ArrowDown', ' ']) await fresh.keyboard.press(key);
  await seen(fresh.getByText(/^2 items/));
  await fresh.getByRole('button', { name: 'Continue' }).click();
  await fresh.getByRole('button', { name: 'Continue' }).click();
  await fresh.getByRole('radio', { name: 'Into another folder' }).check();
  const target = join(host.folder, 'restored');
  await fresh.getByRole('textbox', { name: 'Folder', exact: true }).fill(target);
  await seen(fresh.getByRole('option', { name: /Create/ }));
  await fresh.getByRole('button', { name: 'Restore 2 items' }).click();
  await seen(fresh.getByText('Your files are back.'));
  await seen(fresh.getByText(/compared, all identical/));
  const back = new Map([...contentOf(target, target)].filter(([path]) => !path.includes('.holdfast-undo-')));
  expect(back).toEqual(new Map([...had].filter(([path]) => /^\/(Documents|Pictures)/.test(path))));
});
