/** What the tests of a storage on a server that does what they want have in common: a server and a storage, new for each test. */
import { randomBytes } from 'node:crypto';
import { afterEach, beforeEach } from 'vitest';
import type { Storage } from '../../src/storage/storage.ts';
import type { OddServer } from './odd-server.ts';
import { retryingAtOnce } from './retrying-at-once.ts';
import { fileFor } from './storage-suite.ts';

/** What the tests save. */
export const big = randomBytes(1_000_000);
export const bigFile = fileFor(big);
export const small = Buffer.from('a small file');
export const smallFile = fileFor(small, 'snapshot');

export class OddWorld<S extends OddServer, O> {
  server!: S;
  storage!: Storage;
  readonly #start: () => Promise<S>;
  readonly #openOn: (server: S, options?: O) => Storage | Promise<Storage>;
  readonly #opened: Storage[] = [];

  /** `openOn`: a storage on the server; the tests' own one has no options. */
  constructor(start: () => Promise<S>, openOn: (server: S, options?: O) => Storage | Promise<Storage>) {
    this.#start = start;
    this.#openOn = openOn;
    beforeEach(async () => {
      this.server = await this.#start();
      this.storage = await this.open();
    });
    afterEach(async () => {
      for (const each of this.#opened.splice(0)) await each.close();
      await this.server.stop();
    });
  }

  /** Another storage, which is closed after the test. */
  async open(options?: O): Promise<Storage> {
    const made = await this.#openOn(this.server, options);
    this.#opened.push(made);
    return made;
  }

  readonly retrying = (waits?: number[]): Storage => retryingAtOnce(this.storage, waits);

  readonly meetFirst: OddServer['meetFirst'] = (...args) => this.server.meetFirst(...args);
}
