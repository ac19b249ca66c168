/** Listings of WebDAV servers that are not as they should be. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { describe, expect, test } from 'vitest';
import { multistatus, resource } from '../../support/odd-dav.ts';
import { small } from '../../support/odd-world.ts';
import { codeOf, listAll, sha256 } from '../../support/storage-suite.ts';
import { refuseUnhandledRejections } from '../../support/unhandled.ts';
import { davWorld } from './odd.ts';

refuseUnhandledRejections();

const world = davWorld();

describe('a listing', () => {
  const names = Array.from({ length: 5 }, (_, n) => sha256(Buffer.from(`${n}`))).sort();
  const give = (text: string): void => world.meetFirst('PROPFIND', 1, (_, response) => response.writeHead(207).end(text));

  test('leaves out foreign names, folders, other depths, and gives each file once', async () => {
    const self = resource('/repo/snapshots/');
    const foreign = ['x', names[0]!.toUpperCase(), `${names[0]}.tmp`, `deep/${names[0]}`, `../index/${names[0]}`].map((name) =>
      resource(`/repo/snapshots/${name}`, 'no length'),
    );
    const good = names.map((name) => resource(`http://inside:8080/behind/proxy/repo/snapshots/${name}`, 9));
    give(multistatus([...good, self, ...foreign, resource(`/repo/snapshots/${'f'.repeat(64)}/`), ...good]));
    expect(await listAll(world.storage, 'snapshot')).toEqual(names.map((name) => ({ name, size: 9 })));
  });

  test('of the packs goes through the folders that are there, and believes no file in a wrong one', async () => {
    for (const name of names) {
      world.server.folders.add(`/repo/data/${name.slice(0, 2)}/`);
      world.server.files.set(`/repo/data/${name.slice(0, 2)}/${name}`, small);
    }
    world.server.files.set(`/repo/data/${names[0]!.slice(0, 2)}/${'f'.repeat(64)}`, small);
    world.server.files.set(`/repo/data/${'e'.repeat(64)}`, small);
    expect(await listAll(world.storage, 'pack')).toEqual(names.map((name) => ({ name, size: small.length })));
    expect(world.server.requests.filter((each) => each.startsWith('PROPFIND'))).toHaveLength(6);
  });

  test.each([
    ['is empty, without its own folder', multistatus([])],
    ['is of another folder', multistatus([resource('/repo/index/'), resource(`/repo/index/${names[0]}`, 1)])],
    ['names a file without a length', multistatus([resource('/repo/snapshots/'), resource(`/repo/snapshots/${names[0]}`, '')])],
    ['breaks off', multistatus([resource('/repo/snapshots/'), resource(`/repo/snapshots/${names[0]}`, 1)]).slice(0, -10)],
  ])('that %s is not understood, and gives no file', async (_, text) => {
    give(text);
    const given: string[] = [];
    const read = async (): Promise<void> => {
      for await (const { name } of world.storage.list('snapshot')) given.push(name);
    };
    expect(await codeOf(read())).toBe('server-not-understood');
    expect(given).toEqual([]);
  });

  test('that is cut off gives no file, and all when it is tried again', async () => {
    for (const name of names) world.server.files.set(`/repo/snapshots/${name}`, small);
    const cut = (_: IncomingMessage, response: ServerResponse): void => {
      response.writeHead(207);
      response.write(multistatus([resource('/repo/snapshots/'), resource(`/repo/snapshots/${names[0]}`, 1)]).slice(0, 300), () =>
        response.destroy(),
      );
    };
    world.meetFirst('PROPFIND', 1, cut);
    expect(await codeOf(listAll(world.storage, 'snapshot'))).toBe('connection-lost');
    world.meetFirst('PROPFIND', 2, cut);
    expect(await listAll(world.retrying(), 'snapshot')).toHaveLength(5);
  });
});
