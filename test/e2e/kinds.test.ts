/** The guided form connects a real server of every kind, and a backup goes there. */
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { accountKey, type Azurite, startAzurite } from '../support/azurite.ts';
import { startRcloneWebdav } from '../support/dav-servers.ts';
import type { RunningServer } from '../support/servers.ts';
import { createPlan, ended } from '../support/service.ts';
import { type Sshd, startSshd } from '../support/sshd.ts';
import { Swift, swiftKeys } from '../support/swift.ts';
import { tree } from '../support/tree-literal.ts';
import { connectFolder, password, startHost } from './support/host.ts';
import { openScreen, picture, seen } from './support/screen.ts';

let azurite: Azurite;
let swift: Swift;
let sshd: Sshd;
let dav: RunningServer;
const davUser = { username: 'anna', password: 'cloud secret 1' };

beforeAll(async () => {
  [azurite, swift, sshd, dav] = await Promise.all([startAzurite(), Swift.start(), startSshd(), startRcloneWebdav({ user: davUser })]);
});

afterAll(() => Promise.all([azurite, swift, sshd, dav].map((server) => server?.stop())));

/** By kind as it is called: what is filled in, the part below "More settings" last. */
const forms = (): [kind: string, name: string, answers: Record<string, string>, further: Record<string, string>][] => [
  [
    'S3 storage',
    'my-bucket',
    {
      'Server or region': swift.https,
      Bucket: 'my-bucket',
      'Access key': swiftKeys.AWS_ACCESS_KEY_ID,
      'Secret key': swiftKeys.AWS_SECRET_ACCESS_KEY,
    },
    { 'Folder in it': 'laptop', 'File of the authority that signed its certificate': swift.authority },
  ],
  [
    'Azure Blob',
    'my-container',
    { 'Storage account': 'holdfast', 'Account key': accountKey, Container: 'my-container' },
    { 'Server, if it is another one': azurite.endpoint, 'File of the authority that signed its certificate': azurite.authority },
  ],
  [
    'Server with SSH',
    '127.0.0.1',
    { Server: '127.0.0.1', 'User name': sshd.username, 'Folder there': join(sshd.folder, 'my backup') },
    { 'SSH key file': sshd.keyFile, Port: String(sshd.port), 'Fingerprint of the server': sshd.fingerprint('ed25519') },
  ],
  ['WebDAV, Nextcloud', '127.0.0.1', { Address: `${dav.url}/backup/`, 'User name': davUser.username, Password: davUser.password }, {}],
];

test('places on servers are connected from the form, each with what it needs and no more', async () => {
  const host = await startHost();
  await connectFolder(host);
  const source = tree(join(host.home, 'Documents'), { 'letter.txt': 'Dear Anna' });
  const page = await openScreen(`${host.address}#/destinations`);
  for (const [kind, name, answers, further] of forms()) {
    await page.getByRole('button', { name: 'Connect a destination' }).click();
    await page.getByText('Server or cloud', { exact: true }).click();
    await page.getByText(kind, { exact: true }).click();
    for (const [label, answer] of Object.entries(answers)) await page.getByRole('textbox', { name: label, exact: true }).fill(answer);
    if (Object.keys(further).length > 0) await page.getByRole('button', { name: 'More settings' }).click();
    for (const [label, answer] of Object.entries(further)) await page.getByRole('textbox', { name: label, exact: true }).fill(answer);
    await page.getByRole('button', { name: 'Test', exact: true }).click();
    await seen(page.getByText(/A new backup will be made there|It will be made/));
    await page.getByRole('textbox', { name: 'Password of the backup' }).fill(password);
    await page.getByRole('textbox', { name: 'Once more, for a new backup' }).fill(password);
    await picture(page, `destinations-add-${kind.toLowerCase().replace(/\W+/g, '-')}`);
    await page.getByRole('button', { name: 'Connect', exact: true }).click();
    await seen(page.getByRole('heading', { level: 1, name }));
    const { destinations } = await host.client.state();
    const plan = await createPlan(host, source, destinations.at(-1)!, { name: kind });
    expect((await ended(host, (await host.client.runs.start({ plan: plan.id })).id)).status, kind).toBe('succeeded');
    await page.getByRole('link', { name: 'Destinations', exact: true }).click();
  }
});
