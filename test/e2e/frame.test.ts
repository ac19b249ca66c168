import { expect, test } from 'vitest';
import { connectFolder, startHost } from './support/host.ts';
import { gone, openScreen, portraits, seen } from './support/screen.ts';

test('the address with the token opens the interface, which asks no other server for anything', async () => {
  const host = await startHost();
  const page = await openScreen('about:blank');
  const asked: string[] = [];
  page.on('request', (request) => asked.push(request.url()));
  await page.goto(host.address);
  // Home finds that nothing is set up, and leads on.
  await seen(page.getByRole('heading', { level: 1, name: 'What shall be protected?' }));
  expect(new URL(page.url()).search).toBe('');
  expect(asked.filter((url) => !url.startsWith(new URL('/', host.address).href) && !url.startsWith('data:'))).toEqual([]);
  await portraits(page, 'frame-empty');
});

test('what is at an unknown address says so and leads back', async () => {
  const host = await startHost();
  const page = await openScreen(host.address);
  await seen(page.getByRole('heading', { level: 1 }));
  await page.evaluate(() => (location.hash = '#/nowhere'));
  await seen(page.getByText('There is nothing at this address.'));
  await page.getByRole('button', { name: 'Go to Home' }).click();
  await gone(page.getByText('There is nothing at this address.'));
});

test('the interface speaks Chinese to those who prefer it, and keeps to the setting', async () => {
  const host = await startHost();
  await connectFolder(host);
  const page = await openScreen(host.address, { language: 'zh-CN' });
  await seen(page.getByRole('link', { name: '首页' }));
  expect(await page.evaluate(() => document.documentElement.lang)).toBe('zh-CN');
  await host.client.settings.change({ language: 'en', theme: 'dark' });
  await seen(page.getByRole('link', { name: 'Home' }));
  expect(await page.evaluate(() => document.documentElement.dataset['mantineColorScheme'])).toBe('dark');
});

test('a service that is away is said calmly, and the page goes on by itself when it is back', async () => {
  const host = await startHost();
  await connectFolder(host);
  const page = await openScreen(host.address);
  await seen(page.getByText('Watching quietly'));
  await seen(page.getByText('Nothing is protected yet.'));
  await host.end('SIGKILL');
  await seen(page.getByText('Holdfast’s service is not running at the moment.'));
  await portraits(page, 'frame-away');
  await startHost({ folder: host.folder, port: host.port });
  await gone(page.getByText('Holdfast’s service is not running at the moment.'));
  await seen(page.getByText('Watching quietly'));
});
