/** Listings of REST servers that are not as they should be. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { describe, expect, test } from 'vitest';
import { codeOf, listAll, sha256 } from '../../support/storage-suite.ts';
import { refuseUnhandledRejections } from '../../support/unhandled.ts';
import { restWorld } from './odd.ts';

refuseUnhandledRejections();

const world = restWorld();

describe('a listing', () => {
  const names = Array.from({ length: 5 }, (_, n) => sha256(Buffer.from(`${n}`))).sort();
  const give = (text: string, type = 'application/vnd.x.restic.rest.v2'): void =>
    world.meetFirst('GET', 1, (_, response) => response.writeHead(200, { 'content-type': type }).end(text));

  test.each([
    ['a login page', '<html>Please log in</html>'],
    ['nothing', ''],
    ['an object', '{"name":"x"}'],
    ['a word', 'nonsense'],
    ['a broken list', `[{"name":"${names[0]}","size":1}`],
    ['a list that breaks off in an element', `[{"name":"${names[0]}","si`],
    ['two lists', '[][]'],
    ['a list with an end too many', '[]]'],
    ['a list with a hole', '[1,,2]'],
    ['a list with a comma too many', `["${names[0]}",]`],
    ['numbers', '[1,2]'],
    ['nothings', '[null]'],
    ['a file without a size', `[{"name":"${names[0]}"}]`],
    ['a file of a negative size', `[{"name":"${names[0]}","size":-1}]`],
    ['a file of half a byte', `[{"name":"${names[0]}","size":1.5}]`],
    ['a file of a size in words', `[{"name":"${names[0]}","size":"many"}]`],
    ['an endless element', `["${'x'.repeat(100_000)}"]`],
  ])('that is %s is not understood, and gives no file', async (_, text) => {
    give(text, 'text/html');
    const given: string[] = [];
    const read = async (): Promise<void> => {
      for await (const { name } of world.storage.list('pack')) given.push(name);
    };
    expect(await codeOf(read())).toBe('server-not-understood');
    expect(given).toEqual([]);
  });

  test('may be null, spread over lines, in pieces of any size, with strange and foreign names', async () => {
    give('null');
    expect(await listAll(world.storage, 'pack')).toEqual([]);
    const strange = ['a.rest-server-temp1', '],[', '"}]', '\\', '\\"', 'é', names[0]!.toUpperCase(), '../config'];
    const text = JSON.stringify(
      [...strange.map((name) => ({ name, size: -7, more: { deep: [1, ['}']] } })), ...names.map((name) => ({ name, size: 9 }))],
      undefined,
      3,
    );
    const bytes = Buffer.from(` \n${text}\n`);
    for (const size of [1, 2, 3, 7, 64, 1000, bytes.length]) {
      world.meetFirst('GET', 1, async (_, response) => {
        for (let at = 0; at < bytes.length; at += size) response.write(bytes.subarray(at, at + size));
        response.end();
      });
      expect(await listAll(world.storage, 'pack')).toEqual(names.map((name) => ({ name, size: 9 })));
    }
  });

  test('that names files twice gives each once', async () => {
    give(JSON.stringify([...names, ...names].map((name, n) => ({ name, size: n }))));
    expect(await listAll(world.storage, 'pack')).toEqual(names.map((name, n) => ({ name, size: n })));
  });

  test('of version 1, without sizes, is completed by asking for each, and leaves out what has gone meanwhile', async () => {
    for (const name of names.slice(1)) world.server.files.set(`/data/${name}`, Buffer.from(name));
    give(JSON.stringify([...names, 'foreign']), 'application/vnd.x.restic.rest.v1');
    expect(await listAll(world.storage, 'pack')).toEqual(names.slice(1).map((name) => ({ name, size: 64 })));
  });

  test('that breaks off gives no file, and all when it is tried again', async () => {
    for (const name of names) world.server.files.set(`/data/${name}`, Buffer.from(name));
    const cut = (_: IncomingMessage, response: ServerResponse): void => {
      response.writeHead(200);
      response.write(`[{"name":"${names[0]}","size":1},`, () => response.destroy());
    };
    world.meetFirst('GET', 1, cut);
    expect(await codeOf(listAll(world.storage, 'pack'))).toBe('connection-lost');
    world.meetFirst('GET', 2, cut);
    expect(await listAll(world.retrying(), 'pack')).toHaveLength(5);
  });

  test('of 100,000 files is whole', async () => {
    const many = Array.from({ length: 100_000 }, (_, n) => ({ name: sha256(Buffer.of(n & 255, (n >> 8) & 255, n >> 16)), size: n }));
    give(JSON.stringify(many));
    const found = new Map<string, number>();
    for await (const { name, size } of world.storage.list('pack')) found.set(name, size);
    expect(found.size).toBe(100_000);
    for (const { name, size } of many) if (found.get(name) !== size) expect([name, found.get(name)]).toEqual([name, size]);
  });
});
