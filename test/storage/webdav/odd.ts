/** What the tests of a WebDAV storage on a server that does what they want have in common. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { afterEach, beforeEach } from 'vitest';
import { HoldfastError } from '../../../src/contract/errors.ts';
import { type Clock, systemClock } from '../../../src/platform/clock.ts';
import { credentialsFrom } from '../../../src/storage/credentials.ts';
import { openPlace } from '../../../src/storage/place.ts';
import { RetryingStorage } from '../../../src/storage/retrying.ts';
import type { Storage } from '../../../src/storage/storage.ts';
import { OddDav } from '../../support/odd-dav.ts';

/** A server, and a storage on it. */
class World {
  server!: OddDav;
  storage!: Storage;
  readonly #opened: Storage[] = [];

  async begin(): Promise<void> {
    this.server = await OddDav.start();
    this.storage = await this.open();
  }

  async end(): Promise<void> {
    for (const each of this.#opened.splice(0)) await each.close();
    await this.server.stop();
  }

  /** Another storage, on the same place unless another is named. */
  async open(place = `webdav:${this.server.url}/repo/`, clock: Clock = systemClock, env: Record<string, string> = {}): Promise<Storage> {
    const made = await openPlace(place, { clock, credentials: credentialsFrom(env, undefined) });
    this.#opened.push(made);
    return made;
  }

  /** Tries again without waiting; what it would have waited is noted. */
  retrying(waits: number[] = []): Storage {
    return new RetryingStorage(this.storage, { clock: { sleep: async (ms) => void waits.push(ms) }, random: () => 0 });
  }

  /** Lets the first `times` requests of a method meet something else than the usual. */
  meetFirst(method: string, times: number, odd: (request: IncomingMessage, response: ServerResponse) => unknown): void {
    let left = times;
    this.server.meet = (request, response, usual) => (request.method === method && left-- > 0 ? odd(request, response) : usual());
  }
}

/** One that is new for each test of the file. */
export function davWorld(): World {
  const world = new World();
  beforeEach(() => world.begin());
  afterEach(() => world.end());
  return world;
}

/** The error of a call. */
export async function errorOf(call: Promise<unknown>): Promise<HoldfastError> {
  const error: unknown = await call.then(
    () => new Error('the call succeeded'),
    (thrown: unknown) => thrown,
  );
  if (error instanceof HoldfastError) return error;
  throw error;
}
