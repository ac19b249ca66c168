/** What becomes of a REST storage when the network misbehaves: silence, and connections that are lost; and one on a local socket. */
import { randomBytes } from 'node:crypto';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { beforeEach, describe, expect, test } from 'vitest';
import { nextTurn, systemClock } from '../../../src/platform/clock.ts';
import { credentialsFrom } from '../../../src/storage/credentials.ts';
import { openPlace } from '../../../src/storage/place.ts';
import type { Storage } from '../../../src/storage/storage.ts';
import { FakeClock } from '../../support/fake-clock.ts';
import { OddServer } from '../../support/odd-server.ts';
import { big, bigFile, small, smallFile } from '../../support/odd-world.ts';
import { codeOf, describeStorage, fileFor, listAll, sha256 } from '../../support/storage-suite.ts';
import { scratch } from '../../support/tree-literal.ts';
import { refuseUnhandledRejections } from '../../support/unhandled.ts';
import { restWorld, smallPath } from './odd.ts';

refuseUnhandledRejections();

const world = restWorld();

describeStorage('rest storage on a small server on a local socket', async () => {
  const socketPath = join(scratch(), 'socket');
  const local = await OddServer.start({ socketPath });
  const open = (): Promise<Storage> =>
    openPlace(`rest:http+unix://${socketPath}:/`, { clock: systemClock, credentials: credentialsFrom({}, undefined) });
  return { storage: await open(), reopen: open, cleanUp: () => local.stop() };
});

describe('silence', () => {
  let clock: FakeClock;
  let patient: Storage;
  beforeEach(async () => {
    clock = new FakeClock();
    patient = await world.open({ clock });
  });

  /** How long the call waits, in seconds of the clock, before it fails with this code. */
  async function secondsUntil(code: string, call: Promise<unknown>, isReached: () => boolean): Promise<number> {
    let error: unknown;
    call.catch((thrown: unknown) => (error = thrown));
    while (!isReached()) await nextTurn();
    const begun = clock.monotonic();
    for (let i = 0; error === undefined && i < 1000; i++) {
      // Real time for the sockets: what is on its way arrives before the clock moves on.
      for (let n = 0; n < 20; n++) await nextTurn();
      if (error === undefined) await clock.advance(1000);
    }
    expect(error).toMatchObject({ name: 'HoldfastError', code });
    return (clock.monotonic() - begun) / 1000;
  }

  test('before an answer ends after a minute, or after five where there is something to do', async () => {
    let reached = 0;
    world.server.meet = (request, _, usual) => {
      if (request.method === 'HEAD' && reached === 1) return usual();
      reached += 1;
      return request.resume();
    };
    expect(await secondsUntil('connection-lost', patient.load(smallFile), () => reached === 1)).toBeLessThan(70);
    expect(await secondsUntil('connection-lost', patient.save(smallFile, [small]), () => reached === 2)).toBeGreaterThan(290);
    expect(await secondsUntil('connection-lost', listAll(patient, 'pack'), () => reached === 4)).toBeGreaterThan(290);
    for (let n = 0; n < 50 && world.server.connections > 0; n++) await nextTurn();
    expect(clock.pending).toBe(0);
  });

  test('in the middle of a download ends after a minute', async () => {
    let reached = false;
    world.server.meet = (_, response) => {
      response.writeHead(200, { 'content-length': String(big.length) });
      response.write(big.subarray(0, 1000));
      reached = true;
    };
    expect(await secondsUntil('connection-lost', patient.load(bigFile), () => reached)).toBeLessThan(70);
    expect(clock.pending).toBe(0);
  });

  test('of a server that takes no more of an upload ends after a minute', async () => {
    const huge = randomBytes(30_000_000);
    let reached = false;
    world.server.meet = (request, _, usual) => {
      if (request.method !== 'POST') return usual();
      request.pause();
      reached = true;
      return undefined;
    };
    expect(await secondsUntil('connection-lost', patient.save(fileFor(huge), [huge]), () => reached)).toBeLessThan(130);
    expect(clock.pending).toBe(0);
  });

  test('instead of encryption ends after half a minute', async () => {
    let reached = false;
    const mute = createServer((socket) => void socket.on('error', () => {}).on('data', () => (reached = true)));
    await new Promise<void>((resolve) => void mute.listen(0, '127.0.0.1', resolve));
    const there = await world.open({ place: `rest:https://127.0.0.1:${(mute.address() as { port: number }).port}/`, clock });
    expect(await secondsUntil('server-unreachable', there.size(smallFile), () => reached)).toBeLessThan(40);
    await there.close();
    mute.close();
  });

  test('of the one who reads a listing slowly breaks nothing', async () => {
    for (let n = 0; n < 50; n++) world.server.files.set(`/data/${sha256(Buffer.of(n))}`, small);
    let count = 0;
    for await (const _ of patient.list('pack')) {
      if (count++ % 10 === 0) await clock.advance(600_000);
    }
    expect(count).toBe(50);
  });
});

describe('a connection', () => {
  test('that the server closed while nobody used it is no failure of a read', async () => {
    world.server.files.set(smallPath, small);
    for (let n = 0; n < 20; n++) {
      let used = false;
      world.server.meet = (request, _, usual) => {
        // The next request comes over the same connection, which is cut then.
        if (used && !request.socket.destroyed) {
          used = false;
          return request.socket.destroy();
        }
        used = true;
        return usual();
      };
      expect(await world.storage.size(smallFile)).toBe(small.length);
    }
  });

  test('is used again, and no more are opened than are allowed', async () => {
    world.server.files.set(smallPath, small);
    let most = 0;
    world.server.meet = async (_, __, usual) => {
      most = Math.max(most, world.server.connections);
      await usual();
    };
    await Promise.all(Array.from({ length: 100 }, () => world.storage.load(smallFile)));
    expect(most).toBeGreaterThan(1);
    expect(most).toBeLessThanOrEqual(8);
  });

  test('to a name that nobody has, to a port where nobody listens, and to a socket that is not there fails in its own way', async () => {
    for (const [place, code] of [
      ['rest:http://no-such-server.invalid/', 'server-unknown'],
      ['rest:http://127.0.0.1:9/', 'server-refused'],
      [`rest:http+unix://${join(scratch(), 'none')}:/`, 'server-refused'],
    ] as const)
      expect([place, await codeOf((await world.open({ place })).size(smallFile))]).toEqual([place, code]);
  });

  test('is cut when the storage is closed in the middle', async () => {
    let reached = false;
    world.server.meet = () => void (reached = true);
    const call = codeOf(world.storage.load(smallFile));
    while (!reached) await nextTurn();
    await world.storage.close();
    expect(await call).toBe('connection-lost');
    expect(await codeOf(world.storage.load(smallFile))).toBe('internal');
  });
});
