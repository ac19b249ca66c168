/** Destinations that fail or are away: what is said, the one thing to do, and how it is well again. */
import { randomBytes } from 'node:crypto';
import { readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { canMountDisks, mountDisk } from '../support/disk.ts';
import { openCuttingProxy } from '../support/cutting-proxy.ts';
import { startRcloneRestic } from '../support/servers.ts';
import { createPlan } from '../support/service.ts';
import { tree } from '../support/tree-literal.ts';
import { makeDrive, mountPoints, must } from '../support/volumes.ts';
import { connectFolder, password, startHost } from './support/host.ts';
import { gone, openScreen, portraits, seen } from './support/screen.ts';

describe.runIf(canMountDisks)('a drive', () => {
  test('that is not plugged in is named at Home, what is asked of it is refused in words, and it is used again when it is back', async () => {
    const host = await startHost();
    const point = join(mountPoints(), 'stick');
    const drive = makeDrive('ext4', { label: 'Stick', megabytes: 1500 });
    drive.mount(point);
    const destination = await host.client.destinations.connect({ name: 'Stick', place: join(point, 'backup'), password, create: true });
    const source = tree(join(host.home, 'Documents'), { 'letter.txt': 'Dear Anna', 'photo.jpg': randomBytes(200_000) });
    await createPlan(host, source, destination);
    const page = await openScreen(host.address);
    await page.getByRole('button', { name: 'Back up now' }).click();
    await seen(page.getByRole('heading', { level: 1, name: /Your files are safe\./ }));

    await gone(page.getByText('running now'));
    must('umount', point);
    await seen(page.getByText('Stick · not plugged in'));
    await page.getByRole('link', { name: 'Plans' }).click();
    await page.getByRole('button', { name: 'Back up now' }).click();
    await seen(page.getByText('The drive of “Stick” is not plugged in.'));
    await page.getByRole('link', { name: 'Home' }).click();
    await portraits(page, 'home-not-plugged-in');
    expect(readdirSync(point), 'nothing is written where it would be').toEqual([]);

    drive.mount(point);
    await gone(page.getByText('Stick · not plugged in'));
    writeFileSync(join(source, 'letter.txt'), 'Dear Ada');
    await page.getByRole('link', { name: 'Plans' }).click();
    await page.getByRole('button', { name: 'Back up now' }).click();
    await page.getByRole('link', { name: 'Home' }).click();
    await seen(page.getByRole('img', { name: /2 backed up|1 backed up/ }));
  });

  test('with no space left fails the backup in words, keeps what is stored, and is used again when there is space', async () => {
    const host = await startHost();
    const disk = mountDisk(12 << 20);
    const destination = await host.client.destinations.connect({
      name: 'Small drive',
      place: join(disk.folder, 'backup'),
      password,
      create: true,
    });
    const source = tree(join(host.home, 'Films'), { 'film.mp4': randomBytes(24_000_000) });
    await createPlan(host, source, destination, { name: 'Films' });
    const page = await openScreen(host.address);
    await page.getByRole('link', { name: 'Plans' }).click();
    await page.getByRole('button', { name: 'Back up now' }).click();
    await seen(page.getByRole('status').getByText(/no space left/));
    await page.getByRole('link', { name: 'Home' }).click();
    await seen(page.getByRole('heading', { level: 1, name: /“Films” failed/ }));
    await portraits(page, 'home-no-space');
    await page.getByRole('link', { name: 'History' }).click();
    await page.getByRole('option', { name: /failed/ }).click();
    await seen(page.getByRole('main').getByText(/no space left/));
    await portraits(page, 'history-run-no-space');
    disk.grow(80 << 20);
    await page.getByRole('link', { name: 'Plans' }).click();
    await page.getByRole('button', { name: 'Back up now' }).click();
    await page.getByRole('link', { name: 'Home' }).click();
    await seen(page.getByText(/newest copy/));
    await gone(page.getByRole('heading', { level: 1, name: /“Films” failed/ }));
  });
});

test('a server refuses a wrong login and a backup a wrong password, each in words; gone, it is named, and back, it is used again', async () => {
  const user = { username: 'anna', password: 'server secret 1' };
  const server = await startRcloneRestic({ user });
  onTestFinished(() => server.stop());
  // A server that goes and comes, at the same address.
  const way = await openCuttingProxy(server.port);
  onTestFinished(() => way.close());
  const url = `http://127.0.0.1:${way.port}/laptop/`;
  const host = await startHost();
  const credentials = { HOLDFAST_REST_USERNAME: user.username, HOLDFAST_REST_PASSWORD: user.password };
  const made = await host.client.destinations.connect({ place: `rest:${url}`, credentials, password, create: true });
  await host.client.destinations.remove({ id: made.id });
  await connectFolder(host);
  const page = await openScreen(`${host.address}#/destinations`);
  await page.getByRole('button', { name: 'Connect a destination' }).click();
  await page.getByText('Server or cloud', { exact: true }).click();
  await page.getByText('restic REST server', { exact: true }).click();
  await page.getByRole('button', { name: 'Test', exact: true }).click();
  await seen(page.getByText('This is needed.'));
  await page.getByRole('textbox', { name: 'Address' }).fill(url);
  await page.getByRole('textbox', { name: 'User name' }).fill(user.username);
  await page.getByRole('textbox', { name: 'Password', exact: true }).fill('wrong');
  await page.getByRole('button', { name: 'Test', exact: true }).click();
  await seen(page.getByText('The place cannot be used as it is.'));
  await seen(page.locator('[data-code="credentials-refused"]'));
  await portraits(page, 'destinations-server-refuses');
  await page.getByRole('textbox', { name: 'Password', exact: true }).fill(user.password);
  await page.getByRole('button', { name: 'Test', exact: true }).click();
  await seen(page.getByText('A backup is there. Type its password and connect.'));
  await page.getByRole('textbox', { name: 'Password of the backup' }).fill('not this one');
  await page.getByRole('button', { name: 'Connect', exact: true }).click();
  await seen(page.getByRole('alert').getByText(/does not open the repository/));
  await page.getByRole('textbox', { name: 'Password of the backup' }).fill(password);
  await page.getByRole('button', { name: 'Test', exact: true }).click();
  await page.getByRole('button', { name: 'Connect', exact: true }).click();
  await seen(page.getByRole('heading', { level: 1, name: /127/ }));
  await seen(page.getByText(/^connected/));
  await page.getByRole('button', { name: 'Close' }).click();

  way.fate = () => ({ after: 0, direction: 'up' });
  await page.getByRole('button', { name: 'Look at it now' }).click();
  await seen(page.getByText('cannot be used', { exact: true }));
  await seen(page.getByText(/“?127\.0\.0\.1/));
  await portraits(page, 'destinations-server-gone');
  way.fate = () => undefined;
  await page.getByRole('button', { name: 'Look at it now' }).click();
  await seen(page.getByText(/^connected/));
  await gone(page.locator('[data-code]'));
});
