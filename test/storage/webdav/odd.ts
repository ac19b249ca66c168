/** A WebDAV storage on a server that does what the tests want. */
import { expect } from 'vitest';
import { type Clock, systemClock } from '../../../src/platform/clock.ts';
import { credentialsFrom } from '../../../src/storage/credentials.ts';
import { openPlace } from '../../../src/storage/place.ts';
import { OddDav } from '../../support/odd-dav.ts';
import { bigFile, OddWorld, small, smallFile } from '../../support/odd-world.ts';
import { fileFor } from '../../support/storage-suite.ts';

export const bigFolder = `/repo/data/${bigFile.name.slice(0, 2)}/`;
export const bigPath = `${bigFolder}${bigFile.name}`;
export const smallPath = `/repo/snapshots/${smallFile.name}`;
export const config = fileFor(small, 'config');

interface Options {
  /** Default: the server's own. */
  readonly place?: string;
  readonly clock?: Clock;
  readonly env?: Readonly<Record<string, string>>;
}

class DavWorld extends OddWorld<OddDav, Options> {
  constructor() {
    super(
      () => OddDav.start(),
      (server, { place = `webdav:${server.url}/repo/`, clock = systemClock, env = {} } = {}) =>
        openPlace(place, { clock, credentials: credentialsFrom(env, undefined) }),
    );
  }

  /** Paths of what saves that are not at their end have left. */
  temporaries(): string[] {
    return [...this.server.files.keys()].filter((path) => path.includes('holdfast-tmp-'));
  }

  expectOnly(...paths: string[]): void {
    expect([...this.server.files.keys()].sort()).toEqual(paths.sort());
  }
}

export const davWorld = (): DavWorld => new DavWorld();
