/** What the tests of a WebDAV storage on a server that does what they want have in common. */
import { randomBytes } from 'node:crypto';
import { afterEach, beforeEach, expect } from 'vitest';
import { type Clock, systemClock } from '../../../src/platform/clock.ts';
import { credentialsFrom } from '../../../src/storage/credentials.ts';
import { openPlace } from '../../../src/storage/place.ts';
import type { Storage } from '../../../src/storage/storage.ts';
import { OddDav } from '../../support/odd-dav.ts';
import { retryingAtOnce } from '../../support/retrying-at-once.ts';
import { fileFor } from '../../support/storage-suite.ts';

/** What the tests save, and where it lies on the server. */
export const big = randomBytes(1_000_000);
export const bigFile = fileFor(big);
export const bigFolder = `/repo/data/${bigFile.name.slice(0, 2)}/`;
export const bigPath = `${bigFolder}${bigFile.name}`;
export const small = Buffer.from('a small file');
export const smallFile = fileFor(small, 'snapshot');
export const smallPath = `/repo/snapshots/${smallFile.name}`;
export const config = fileFor(small, 'config');

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

  retrying(waits?: number[]): Storage {
    return retryingAtOnce(this.storage, waits);
  }

  /** Paths of what saves that are not at their end have left. */
  temporaries(): string[] {
    return [...this.server.files.keys()].filter((path) => path.includes('holdfast-tmp-'));
  }

  expectOnly(...paths: string[]): void {
    expect([...this.server.files.keys()].sort()).toEqual(paths.sort());
  }

  readonly meetFirst: OddDav['meetFirst'] = (...args) => this.server.meetFirst(...args);
}

/** One that is new for each test of the file. */
export function davWorld(): World {
  const world = new World();
  beforeEach(() => world.begin());
  afterEach(() => world.end());
  return world;
}
