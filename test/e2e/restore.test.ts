import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { connectFolder, createPlan, ended } from '../support/service.ts';
import { tree } from '../support/tree-literal.ts';
import { type Host, startHost } from './support/host.ts';
import { openScreen, portraits, seen } from './support/screen.ts';

/** A picture that every browser shows: 1 × 1, in one colour. */
const dot = Buffer.from('iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==', 'base64');
const firstLetter = 'Dear Ada,\nthe first draft.\n';
const secondLetter = 'Dear Ada,\nthe second draft.\nYours\n';

/** A plan with two backups between which a letter changed. */
async function withBackups(): Promise<Host & { readonly source: string }> {
  const host = await startHost();
  const { client, home } = host;
  const source = join(home, 'Documents');
  tree(source, {
    'letter.txt': firstLetter,
    'numbers.csv': 'a,b\n1,2\n',
    Pictures: { 'dot.png': dot, 'second dot.png': dot },
    'été 照片': { 'note.txt': 'inside' },
    empty: {},
  });
  const plan = await createPlan(host, source, await connectFolder(host, 'Blue drive'));
  const backUp = async (): Promise<void> => {
    const { id } = await client.runs.start({ plan: plan.id });
    expect((await ended(host, id)).status).toBe('succeeded');
  };
  await backUp();
  writeFileSync(join(source, 'letter.txt'), secondLetter);
  await backUp();
  return { ...host, source };
}

test('a deleted file is brought back to where it was in six clicks from Home, compared byte by byte, with a receipt', async () => {
  const host = await withBackups();
  rmSync(join(host.source, 'letter.txt'));
  const page = await openScreen(host.address);
  let clicks = 0;
  const click = async (locator: ReturnType<typeof page.getByRole>): Promise<void> => {
    await locator.click();
    clicks++;
  };
  await click(page.getByRole('link', { name: 'Restore' }));
  await seen(page.getByRole('option', { name: /letter\.txt/ }));
  await portraits(page, 'restore-what');
  await click(page.getByRole('option', { name: /letter\.txt/ }));
  await seen(page.getByText('the second draft.'));
  await portraits(page, 'restore-what-preview');
  await click(page.getByRole('button', { name: 'Restore this…' }));
  await seen(page.getByText('What will be restored').or(page.getByRole('list', { name: 'What will be restored' })));
  await portraits(page, 'restore-version');
  await click(page.getByRole('button', { name: 'Continue' }));
  await seen(page.getByRole('option', { name: /Create/ }));
  await portraits(page, 'restore-where');
  await click(page.getByRole('button', { name: 'Restore one item' }));
  await seen(page.getByText('Your files are back.'));
  await seen(page.getByText(/compared, and it is identical|compared, all identical/));
  expect(readFileSync(join(host.source, 'letter.txt'), 'utf8')).toBe(secondLetter);
  expect(clicks).toBeLessThanOrEqual(6);
  await portraits(page, 'restore-receipt');
  await page.getByRole('button', { name: 'Save receipt' }).click();
  const [download] = await Promise.all([page.waitForEvent('download'), page.getByRole('menuitem', { name: 'As text' }).click()]);
  expect(readFileSync(await download.path(), 'utf8')).toContain('letter.txt');
});

test('an older version is found, compared with the newest, put back with a dry run, and undone', async () => {
  const host = await withBackups();
  const page = await openScreen(host.address);
  await page.getByRole('link', { name: 'Restore' }).click();
  await page.getByRole('slider').focus();
  await page.keyboard.press('Home');
  await page.getByRole('option', { name: /letter\.txt/ }).click();
  await seen(page.getByText('the first draft.'));
  await page.getByRole('button', { name: 'Restore this…' }).click();
  await page.getByText('Compared with the newest').click();
  await seen(page.getByRole('region', { name: 'Compared with the newest' }).getByText('the second draft.'));
  await portraits(page, 'restore-compare');
  await page.getByRole('button', { name: 'Continue' }).click();
  await seen(page.getByRole('option', { name: /Keep/ }));
  await page.getByRole('radio', { name: 'Replace' }).check();
  await seen(page.getByRole('option', { name: /Replace/ }));
  await portraits(page, 'restore-dry-run');
  await page.getByRole('button', { name: 'Restore one item' }).click();
  await seen(page.getByText('Your files are back.'));
  expect(readFileSync(join(host.source, 'letter.txt'), 'utf8')).toBe(firstLetter);
  await page.getByRole('button', { name: 'Undo the restore' }).click();
  await portraits(page, 'restore-undo');
  await page.getByRole('dialog').getByRole('button', { name: 'Undo the restore' }).click();
  await seen(page.getByText('Everything is as it was before.'));
  expect(readFileSync(join(host.source, 'letter.txt'), 'utf8')).toBe(secondLetter);
});

test('several items go into another folder, found by search, and nothing that is there is touched', async () => {
  const host = await withBackups();
  const target = join(host.folder, 'elsewhere');
  mkdirSync(target);
  writeFileSync(join(target, 'mine.txt'), 'mine');
  const page = await openScreen(host.address);
  await page.getByRole('link', { name: 'Restore' }).click();
  await seen(page.getByRole('option', { name: /letter\.txt/ }));
  await page.getByRole('listbox', { name: 'Contents of the folder' }).focus();
  await page.keyboard.press('Home');
  await page.keyboard.press(' ');
  await seen(page.getByText('One item', { exact: true }));
  await page.getByRole('searchbox').fill('照片');
  await seen(page.getByRole('option', { name: /été 照片/ }));
  await portraits(page, 'restore-search');
  await page.getByRole('listbox', { name: 'Found' }).focus();
  await page.keyboard.press(' ');
  await seen(page.getByText('2 items', { exact: true }));
  await page.getByRole('button', { name: 'Continue' }).click();
  await page.getByRole('button', { name: 'Continue' }).click();
  await page.getByRole('radio', { name: 'Into another folder' }).check();
  await page.getByRole('textbox', { name: 'Folder', exact: true }).fill(target);
  await seen(page.getByRole('option', { name: /Create/ }));
  await page.getByRole('button', { name: 'Restore 2 items' }).click();
  await seen(page.getByText('Your files are back.'));
  expect(readFileSync(join(target, 'mine.txt'), 'utf8')).toBe('mine');
  const names = readdirSync(target).filter((name) => !name.startsWith('.holdfast-undo-'));
  expect(names.toSorted()).toEqual(['empty', 'mine.txt', 'été 照片'].toSorted());
  expect(readFileSync(join(target, 'été 照片', 'note.txt'), 'utf8')).toBe('inside');
});

test('a ZIP file is written on the computer, and fetched by the browser', async () => {
  const host = await withBackups();
  const zip = join(host.folder, 'out.zip');
  const page = await openScreen(host.address);
  await page.getByRole('link', { name: 'Restore' }).click();
  await seen(page.getByRole('option', { name: /Pictures/ }));
  await page.getByRole('listbox', { name: 'Contents of the folder' }).focus();
  for (const key of ['Home', ' ', 'ArrowDown', ' ']) await page.keyboard.press(key);
  await page.getByRole('button', { name: 'Continue' }).click();
  await page.getByRole('button', { name: 'Continue' }).click();
  await page.getByRole('radio', { name: 'As a download of this browser' }).check();
  const [download] = await Promise.all([
    page.waitForEvent('download'),
    page.getByRole('button', { name: 'Download the ZIP file' }).click(),
  ]);
  const fetched = await download.path();
  execFileSync('unzip', ['-t', fetched]);
  await page.getByRole('radio', { name: 'Into a ZIP file on this computer' }).check();
  await page.getByRole('textbox', { name: 'ZIP file' }).fill(zip);
  await page.getByRole('button', { name: 'Write the ZIP file' }).click();
  await seen(page.getByText('Your files are back.'));
  execFileSync('unzip', ['-t', zip]);
  const names = (file: string): string => execFileSync('unzip', ['-Z1', file], { encoding: 'utf8' });
  expect(names(fetched)).toContain('second dot.png');
  expect(names(zip)).toContain('second dot.png');
  expect(existsSync(zip)).toBe(true);
});

test('the wizard speaks Chinese in all of its steps', async () => {
  const host = await withBackups();
  const page = await openScreen(host.address, { language: 'zh-CN' });
  await page.getByRole('link', { name: '恢复' }).click();
  await page.getByRole('option', { name: /letter\.txt/ }).click();
  await seen(page.getByText('the second draft.'));
  await portraits(page, 'restore-what-zh');
  await page.getByRole('button', { name: '恢复此项…' }).click();
  await page.getByRole('button', { name: '继续' }).click();
  await seen(page.getByRole('option', { name: /相同|保留|新建/ }));
  await portraits(page, 'restore-where-zh');
});
