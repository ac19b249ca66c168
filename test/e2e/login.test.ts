/** From another computer: over TLS, by name and password. */
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { Authority } from '../support/authority.ts';
import { connectFolder, startHost } from './support/host.ts';
import { gone, openScreen, portraits, seen } from './support/screen.ts';

test('a login opens the interface from another computer; a wrong one is told, one that is revoked is asked for again, and a service that is back needs none', async () => {
  const first = await startHost();
  await connectFolder(first);
  await first.client.logins.add({ name: 'Anna', password: 'open this door 5' });
  await first.end();
  const { certificate, key } = new Authority(join(first.folder, 'authority')).sign('server');
  const more = ['--listen', '127.0.0.1:0', '--host-name', 'localhost', '--tls-cert', certificate, '--tls-key', key];
  const host = await startHost({ folder: first.folder, more });
  const outside = host.addresses.find((address) => address.startsWith('https:'))!;
  const page = await openScreen(outside);
  await seen(page.getByRole('heading', { level: 1, name: 'Log in to Holdfast' }));
  await portraits(page, 'login');
  await page.getByRole('textbox', { name: 'Name' }).fill('Anna');
  await page.getByRole('textbox', { name: 'Password' }).fill('open that door');
  await page.getByRole('button', { name: 'Log in' }).click();
  await seen(page.getByRole('alert').getByText('Name and password do not belong together.'));
  expect(await page.getByRole('textbox', { name: 'Password' }).inputValue()).toBe('');
  await portraits(page, 'login-refused');
  await page.getByRole('textbox', { name: 'Password' }).fill('open this door 5');
  await page.keyboard.press('Enter');
  await seen(page.getByRole('heading', { level: 1, name: 'Nothing is protected yet.' }));
  await page.getByRole('link', { name: 'Destinations' }).click();
  await seen(page.getByRole('link', { name: 'Blue' }));
  await page.reload();
  await seen(page.getByRole('link', { name: 'Blue' }));

  // Whoever has the computer ends the session.
  expect((await host.client.logins.revoke({})).ended).toBe(1);
  await seen(page.getByRole('heading', { level: 1, name: 'Log in to Holdfast' }));
  await page.getByRole('textbox', { name: 'Name' }).fill('Anna');
  await page.getByRole('textbox', { name: 'Password' }).fill('open this door 5');
  await page.keyboard.press('Enter');
  await seen(page.getByRole('link', { name: 'Blue' }));

  // Started anew, it knows the session.
  const port = new URL(outside).port;
  await host.end();
  await seen(page.getByText('Holdfast’s service is not running at the moment.'));
  const again = await startHost({ folder: first.folder, more: more.map((word) => (word === '127.0.0.1:0' ? `127.0.0.1:${port}` : word)) });
  await gone(page.getByText('Holdfast’s service is not running at the moment.'));
  await seen(page.getByRole('link', { name: 'Blue' }));

  await page.getByRole('link', { name: 'Settings' }).click();
  await page.getByRole('button', { name: 'Log out' }).click();
  await seen(page.getByRole('heading', { level: 1, name: 'Log in to Holdfast' }));
  await again.client.logins.remove({ name: 'Anna' });
  await page.getByRole('textbox', { name: 'Name' }).fill('Anna');
  await page.getByRole('textbox', { name: 'Password' }).fill('open this door 5');
  await page.keyboard.press('Enter');
  await seen(page.getByRole('alert'));
});
