import { execFileSync } from 'node:child_process';
import { truncateSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { request } from 'node:http';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { type BrowserService, startForBrowsers } from '../../support/browser.ts';
import { seededBytes, seededRandom } from '../../support/seeded.ts';
import { connectFolder, createPlan, ended } from '../../support/service.ts';
import { tree } from '../../support/tree-literal.ts';

/** The whole body, or what came until it was broken off. */
const fetched = ({ port }: BrowserService, path: string, cookie: string) =>
  new Promise<{ status: number; disposition: string; bytes: Buffer; isWhole: boolean }>((resolve, reject) => {
    const headers = { host: `127.0.0.1:${port}`, cookie };
    request({ host: '127.0.0.1', port, path, headers, agent: false }, (response) => {
      const pieces: Buffer[] = [];
      response.on('data', (piece: Buffer) => pieces.push(piece));
      response.on('error', () => {});
      response.on('close', () => {
        const disposition = String(response.headers['content-disposition']);
        resolve({ status: response.statusCode!, disposition, bytes: Buffer.concat(pieces), isWhole: response.complete });
      });
    })
      .on('error', reject)
      .end();
  });

test('a ZIP is fetched once, by whoever is let in, and breaks off rather than lack something', async () => {
  const service = await startForBrowsers();
  const { client, folder, ask } = service;
  const source = tree(join(folder, 'src'), { 'ä.txt': 'text', big: seededBytes(seededRandom(1), 400_000) });
  const plan = await createPlan(service, source, await connectFolder(service));
  const { snapshot } = await ended(service, (await client.runs.start({ plan: plan.id })).id);
  const wish = { snapshot: snapshot!, items: [source] };
  const cookie = await service.visit();
  const ticket = await client.restore.download({ ...wish, name: 'Fotos ’26/x' });
  expect(ticket.name).toBe('Fotos ’26_x.zip');
  // Who is not let in does not use it up.
  expect((await ask(ticket.path)).status).toBe(401);
  expect((await ask(ticket.path, { headers: { cookie, origin: 'http://elsewhere.example' } })).status).toBe(403);
  const got = await fetched(service, ticket.path, cookie);
  expect(got).toMatchObject({ status: 200, isWhole: true });
  expect(got.disposition).toBe(`attachment; filename="holdfast.zip"; filename*=UTF-8''Fotos%20%E2%80%9926_x.zip`);
  writeFileSync(join(folder, 'got.zip'), got.bytes);
  execFileSync('unzip', ['-q', join(folder, 'got.zip'), '-d', join(folder, 'out')]);
  expect(readFileSync(join(folder, 'out/src/big')).equals(readFileSync(join(source, 'big')))).toBe(true);
  expect((await fetched(service, ticket.path, cookie)).status).toBe(404);
  expect((await fetched(service, '/download/none', cookie)).status).toBe(404);
  const data = join(folder, 'repo/data');
  for (const name of readdirSync(data, { recursive: true, encoding: 'utf8' }))
    if (statSync(join(data, name)).size > 200_000) truncateSync(join(data, name), 100_000);
  const broken = await client.restore.download(wish);
  const half = await fetched(service, broken.path, cookie).catch(() => ({ status: 0, isWhole: false }));
  expect(half.status === 200 && half.isWhole).toBe(false);
});
