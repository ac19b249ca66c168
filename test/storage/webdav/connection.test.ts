/** What becomes of a WebDAV storage when the network misbehaves: silence, and connections that are kept or lost. */
import { beforeEach, describe, expect, test } from 'vitest';
import { nextTurn } from '../../../src/platform/clock.ts';
import type { Storage } from '../../../src/storage/storage.ts';
import { FakeClock } from '../../support/fake-clock.ts';
import { multistatus, resource } from '../../support/odd-dav.ts';
import { big, bigFile, small, smallFile } from '../../support/odd-world.ts';
import { codeOf, listAll } from '../../support/storage-suite.ts';
import { refuseUnhandledRejections } from '../../support/unhandled.ts';
import { davWorld, smallPath } from './odd.ts';

refuseUnhandledRejections();

const world = davWorld();

describe('silence', () => {
  let clock: FakeClock;
  let patient: Storage;
  beforeEach(async () => {
    clock = new FakeClock();
    patient = await world.open({ clock });
  });

  /** How long the call waits, in seconds of the clock, before it fails with `connection-lost`. */
  async function secondsOf(call: Promise<unknown>, isReached: () => boolean): Promise<number> {
    let error: unknown;
    call.catch((thrown: unknown) => (error = thrown));
    while (!isReached()) await nextTurn();
    const begun = clock.monotonic();
    for (let i = 0; error === undefined && i < 1000; i++) {
      // Real time for the sockets: what is on its way arrives before the clock moves on.
      for (let n = 0; n < 20; n++) await nextTurn();
      if (error === undefined) await clock.advance(1000);
    }
    expect(error).toMatchObject({ name: 'HoldfastError', code: 'connection-lost' });
    return (clock.monotonic() - begun) / 1000;
  }

  test('ends a read after a minute, and what costs the server work after five', async () => {
    let method = 'GET';
    let isReached = false;
    world.server.meet = (request, _, usual) => {
      if (request.method !== method) return usual();
      isReached = true;
      return request.resume();
    };
    expect(await secondsOf(patient.load(smallFile), () => isReached)).toBeLessThan(70);
    for (const [each, call] of [
      ['PROPFIND', () => listAll(patient, 'snapshot')],
      ['PUT', () => patient.save(smallFile, [small])],
      ['MOVE', () => patient.save(smallFile, [small])],
      ['DELETE', () => patient.remove(smallFile)],
    ] as const) {
      method = each;
      isReached = false;
      expect([each, (await secondsOf(call(), () => isReached)) > 290]).toEqual([each, true]);
    }
    for (let n = 0; n < 50 && world.temporaries().length > 0; n++) await nextTurn();
    expect(world.temporaries()).toEqual([]);
    expect(clock.pending).toBe(0);
  });

  test('in the middle of a listing ends after a minute', async () => {
    let isReached = false;
    world.server.meet = (_, response) => {
      response.writeHead(207).write(multistatus([resource('/repo/snapshots/')]).slice(0, 100));
      isReached = true;
    };
    expect(await secondsOf(listAll(patient, 'snapshot'), () => isReached)).toBeLessThan(70);
    expect(clock.pending).toBe(0);
  });
});

describe('a connection', () => {
  test('that the server closed while nobody used it is no failure of a look', async () => {
    world.server.files.set(smallPath, small);
    for (let n = 0; n < 10; n++) {
      let used = false;
      world.server.meet = (request, _, usual) => {
        if (used && !request.socket.destroyed) {
          used = false;
          return request.socket.destroy();
        }
        used = true;
        return usual();
      };
      expect(await listAll(world.storage, 'snapshot')).toHaveLength(1);
    }
  });

  test('to a name that nobody has, and to a port where nobody listens, fails in its own way', async () => {
    for (const [place, code] of [
      ['webdav:http://no-such-server.invalid/', 'server-unknown'],
      ['webdav:http://127.0.0.1:9/', 'server-refused'],
    ] as const) {
      const there = await world.open({ place });
      expect([place, await codeOf(there.size(smallFile)), await codeOf(there.save(smallFile, [small]))]).toEqual([place, code, code]);
    }
  });

  test('is cut when the storage is closed in the middle of an upload', async () => {
    let isReached = false;
    world.server.meet = (request, _, usual) => {
      if (request.method !== 'PUT') return usual();
      isReached = true;
      return undefined;
    };
    const call = codeOf(world.storage.save(bigFile, [big]));
    while (!isReached) await nextTurn();
    await world.storage.close();
    expect(await call).toBe('connection-lost');
    expect(await codeOf(world.storage.load(smallFile))).toBe('internal');
  });
});
