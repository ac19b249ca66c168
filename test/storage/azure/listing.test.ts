/** Listings of Azure that are not as they should be. */
import { describe, expect, test } from 'vitest';
import { azureHeaders, azureListing, refuseAzure } from '../../support/odd-azure.ts';
import type { Odd } from '../../support/odd-server.ts';
import { small } from '../../support/odd-world.ts';
import { errorOf, listAll, sha256 } from '../../support/storage-suite.ts';
import { refuseUnhandledRejections } from '../../support/unhandled.ts';
import { azureWorld } from './odd.ts';

refuseUnhandledRejections();

const world = azureWorld();

describe('a listing', () => {
  const names = Array.from({ length: 25 }, (_, n) => sha256(Buffer.from(String(n)))).sort();
  const key = (name: string): string => `place/data/${name.slice(0, 2)}/${name}`;
  const of = (...some: readonly string[]): { key: string; size: number }[] => some.map((name) => ({ key: key(name), size: 7 }));
  const answer = (...pages: readonly string[]): void => {
    let next = 0;
    world.server.meet = (_, response) => {
      const text = pages[Math.min(next++, pages.length - 1)]!;
      response.writeHead(200, { ...azureHeaders, 'content-length': String(Buffer.byteLength(text)) }).end(text);
    };
  };

  test('of many pages gives each file once', async () => {
    for (const name of names) world.server.files.set(`/container/${key(name)}`, small);
    world.server.pageSize = 4;
    expect((await listAll(world.storage, 'pack')).map(({ name }) => name)).toEqual(names);
    expect(world.server.requests).toHaveLength(7);
  });

  test('that repeats itself, has empty pages and holds foreign things gives each file once', async () => {
    const foreign = [
      { key: 'place/data/ab', size: 0 },
      { key: 'place/data/ab/notes.txt', size: 3 },
      { key: `place/data/zz/${names[0]}`, size: 3 },
      { key: `elsewhere/${key(names[0]!)}`, size: 3 },
      { key: 'place/data/&amp;&lt;&#x1;', size: 3 },
    ];
    answer(
      azureListing([...of(...names.slice(10)), ...foreign, ...of(names[12]!)], 'a'),
      azureListing([], 'b'),
      azureListing(of(...names.slice(0, 15).toReversed())),
    );
    expect((await listAll(world.storage, 'pack')).map(({ name }) => name)).toEqual(names);
  });

  test.each([
    ['that goes round in circles', azureListing(of(names[0]!), 'same')],
    ['that does not say whether it is whole', azureListing(of(names[0]!)).replace('<NextMarker />', '')],
    ['that has a blob without a size', azureListing([{ key: key(names[0]!), size: '' }])],
    ['that has a negative size', azureListing([{ key: key(names[0]!), size: -1 }])],
    ['that ends early', azureListing(of(...names)).slice(0, 900)],
    ['without blobs', '<EnumerationResults><NextMarker/></EnumerationResults>'],
    ['that is something else', '<html><body><p>Please sign in</p></body></html>'],
    ['that is empty', ''],
  ])('%s is an error, never taken for whole', async (_, text) => {
    answer(text);
    expect(await errorOf(listAll(world.storage, 'pack'))).toMatchObject({ code: 'server-not-understood', retryable: true });
  });

  test('that breaks off goes on when it is tried again, and gives nothing twice', async () => {
    for (const name of names) world.server.files.set(`/container/${key(name)}`, small);
    world.server.pageSize = 4;
    let request = 0;
    let failures = 0;
    const fail: Odd = (asked, response) => refuseAzure(asked, response, { status: 500, code: 'InternalError' });
    world.server.meet = (asked, response, usual) => (++request % 5 === 0 && failures++ < 3 ? fail(asked, response) : usual());
    await expect(listAll(world.storage, 'pack')).rejects.toMatchObject({ code: 'storage-failed' });
    const listed: string[] = [];
    for await (const { name } of world.retrying().list('pack')) listed.push(name);
    expect(failures).toBeGreaterThan(1);
    expect(listed.sort()).toEqual(names);
  });
});
