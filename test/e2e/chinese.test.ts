/** Every screen and every dialog in Chinese: nothing in English stands there, axe is content in both looks, and a phone shows it all. */
import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import type { Page } from 'playwright-core';
import { expect, test } from 'vitest';
import { usualSchedule } from '../../src/contract/schedule.ts';
import { createPlan, ended } from '../support/service.ts';
import { tree } from '../support/tree-literal.ts';
import { connectFolder, password, startHost } from './support/host.ts';
import { expectAccessible, gone, openScreen, picture, seen, sizes } from './support/screen.ts';
import { expectChinese } from './support/words.ts';

/** Looks at the screen as it is. */
async function inspect(page: Page, name: string): Promise<void> {
  await expectChinese(page, name);
  for (const theme of ['dark', 'light'] as const) {
    await page.emulateMedia({ colorScheme: theme });
    await expectAccessible(page);
  }
  await picture(page, `${name}-zh`);
  const before = page.viewportSize()!;
  await page.setViewportSize(sizes.phone);
  expect(await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth), `${name}: no sideways scrolling`).toBe(true);
  await page.setViewportSize(before);
}

const go = (page: Page, path: string): Promise<void> => page.evaluate((to) => void (location.hash = to), path);

/** Opens a dialog, looks at it, and closes it: the focus comes back. */
async function inspectDialog(page: Page, button: string, name: string): Promise<void> {
  await page.getByRole('button', { name: button, exact: true }).click();
  await seen(page.getByRole('dialog'));
  await inspect(page, name);
  await page.keyboard.press('Escape');
  await gone(page.getByRole('dialog'));
  await page.waitForFunction((text) => document.activeElement?.textContent?.trim() === text, button);
}

test('the first run and its other door', async () => {
  const host = await startHost();
  tree(host.home, { Documents: { '信.txt': '你好' } });
  const page = await openScreen(host.address, { language: 'zh-CN' });
  await seen(page.getByRole('heading', { name: '要保护哪些文件？' }));
  await inspect(page, 'first-run-what');
  await page.getByRole('button', { name: '继续' }).click();
  await seen(page.getByRole('heading', { name: '备份到哪里？' }));
  await page.getByRole('radio', { name: /服务器或云端/ }).check();
  await inspect(page, 'first-run-where-server');
  await page.getByRole('radio', { name: /这台电脑/ }).check();
  await page.getByRole('textbox', { name: '文件夹' }).fill(join(host.folder, '备份'));
  await inspect(page, 'first-run-where');
  await page.getByRole('button', { name: '继续' }).click();
  await seen(page.getByRole('heading', { name: '设一个密码' }));
  await page.getByRole('textbox', { name: '密码' }).fill(password);
  await inspect(page, 'first-run-protect');
  await go(page, '/welcome/recover');
  await go(page, '/welcome');
  await page.reload();
  await page.getByRole('button', { name: '我已经有备份' }).click();
  await seen(page.getByRole('textbox', { name: '文件夹' }));
  await inspect(page, 'recover');
});

test('everything else, with plans, runs and snapshots', async () => {
  const host = await startHost();
  const source = tree(join(host.home, '文档'), { '信.txt': '你好', '照片.jpg': randomBytes(2000), 子文件夹: { '内.txt': '内' } });
  const destination = await connectFolder(host, '蓝色硬盘');
  const plan = await createPlan(host, source, destination, {
    name: '文档',
    schedule: { ...usualSchedule, triggers: [{ kind: 'daily', at: '12:00' }] },
  });
  await ended(host, (await host.client.runs.start({ plan: plan.id })).id);
  tree(source, { '信.txt': '您好' });
  const run = await ended(host, (await host.client.runs.start({ plan: plan.id })).id);
  const page = await openScreen(host.address, { language: 'zh-CN' });
  await seen(page.getByRole('heading', { level: 1, name: /您的文件是安全的/ }));
  await inspect(page, 'home');

  await go(page, '/history');
  await seen(page.getByRole('option').first());
  await inspect(page, 'history');
  await page.getByText('快照', { exact: true }).first().click();
  await seen(page.getByRole('option').first());
  await inspect(page, 'history-snapshots');
  await go(page, `/history/run/${run.id}`);
  await seen(page.getByRole('heading', { name: '日志' }));
  await seen(page.getByRole('option', { name: /信\.txt/ }));
  await inspect(page, 'history-run');
  await page.getByRole('link', { name: '查看快照' }).click();
  await seen(page.getByRole('switch', { name: '保留此快照' }));
  await inspect(page, 'history-snapshot');
  await inspectDialog(page, '删除此快照', 'history-snapshot-delete');

  await go(page, '/plans');
  await seen(page.getByRole('heading', { name: '文档' }));
  await inspect(page, 'plans');
  await go(page, `/plans/${plan.id}`);
  await seen(page.getByRole('button', { name: '删除计划' }));
  await inspect(page, 'plans-edit');
  await inspectDialog(page, '删除计划', 'plans-delete');
  await go(page, '/plans/new');
  await seen(page.getByRole('heading', { level: 1, name: '新建计划' }));
  await inspect(page, 'plans-new');
  await go(page, '/protected');
  await seen(page.getByRole('textbox'));
  await page.getByRole('textbox').first().fill(join(source, '信.txt'));
  await seen(page.getByText(/蓝色硬盘/));
  await inspect(page, 'protected');

  await go(page, '/destinations');
  await seen(page.getByRole('link', { name: '蓝色硬盘' }));
  await inspect(page, 'destinations');
  await go(page, `/destinations/${destination.id}`);
  await seen(page.getByRole('heading', { level: 1, name: '蓝色硬盘' }));
  await seen(page.getByText('最新快照'));
  await inspect(page, 'destinations-one');
  for (const [button, name] of [
    ['重命名', 'rename'],
    ['密码或位置', 'renew'],
    ['更改密码', 'password'],
    ['断开连接', 'disconnect'],
  ])
    await inspectDialog(page, button, `destinations-${name}`);
  await go(page, '/destinations');
  await page.getByRole('button', { name: '连接备份位置' }).click();
  await seen(page.getByRole('textbox', { name: '文件夹' }));
  await inspect(page, 'destinations-add');
  await page.getByText('服务器或云', { exact: true }).click();
  for (const kind of await page.getByRole('group').getByRole('radio').all()) {
    await kind.check({ force: true });
    await expectChinese(page, 'destinations-add-server');
  }
  await inspect(page, 'destinations-add-server');
  await go(page, `/kit/${destination.id}`);
  await seen(page.getByRole('heading', { level: 1 }));
  await inspect(page, 'kit');

  await go(page, '/settings');
  await seen(page.getByText('外观与语言'));
  await inspect(page, 'settings');
  await go(page, '/settings/about');
  await seen(page.getByText('2026', { exact: false }).or(page.getByText('0.1.0')));
  await inspect(page, 'about');
  await go(page, '/nowhere');
  await seen(page.getByText('这个地址没有内容。'));
  await inspect(page, 'nowhere');

  await go(page, '/restore');
  await seen(page.getByRole('option', { name: /信\.txt/ }));
  await page.getByRole('option', { name: /信\.txt/ }).click();
  await seen(page.getByText('您好'));
  await inspect(page, 'restore-what');
  await page.getByRole('searchbox').fill('没有这个');
  await seen(page.getByText('没有名称包含“没有这个”的文件。'));
  await inspect(page, 'restore-search-none');
  await page.getByRole('searchbox').fill('');
  await page.getByRole('button', { name: '恢复此项…' }).click();
  await seen(page.getByRole('heading', { level: 1, name: /1 项/ }));
  await inspect(page, 'restore-version');
  await page.getByRole('button', { name: '继续' }).click();
  await seen(page.getByRole('radio').first());
  await inspect(page, 'restore-where');
});

test('on a phone the first screen answers the question, without scrolling', async () => {
  const host = await startHost();
  const source = tree(join(host.home, 'Documents'), { 'letter.txt': 'Dear Anna' });
  const plan = await createPlan(host, source, await connectFolder(host));
  await ended(host, (await host.client.runs.start({ plan: plan.id })).id);
  const page = await openScreen(host.address, { size: 'phone' });
  const answer = page.getByRole('heading', { level: 1, name: /Your files are safe/ });
  await seen(answer);
  const box = (await answer.boundingBox())!;
  expect(box.y + box.height).toBeLessThan(sizes.phone.height / 2);
  expect(box.x).toBeGreaterThanOrEqual(0);
  expect(box.x + box.width).toBeLessThanOrEqual(sizes.phone.width);
  const button = (await page.getByRole('button', { name: 'Save the recovery kit' }).boundingBox())!;
  expect(button.y + button.height, 'the one thing to do is seen, too').toBeLessThan(sizes.phone.height - 60);
});
