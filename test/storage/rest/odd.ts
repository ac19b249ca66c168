/** A REST storage on a server that does what the tests want. */
import { type Clock, systemClock } from '../../../src/platform/clock.ts';
import { credentialsFrom } from '../../../src/storage/credentials.ts';
import { openPlace } from '../../../src/storage/place.ts';
import { OddServer } from '../../support/odd-server.ts';
import { bigFile, OddWorld, smallFile } from '../../support/odd-world.ts';

export const bigPath = `/data/${bigFile.name}`;
export const smallPath = `/snapshots/${smallFile.name}`;

interface Options {
  /** Default: the server's own. */
  readonly place?: string;
  readonly clock?: Clock;
}

export const restWorld = (): OddWorld<OddServer, Options> =>
  new OddWorld<OddServer, Options>(
    () => OddServer.start(),
    (server, { place = `rest:${server.url}/`, clock = systemClock } = {}) =>
      openPlace(place, { clock, credentials: credentialsFrom({}, undefined) }),
  );
