/** The S3 storage on a real server: OpenStack Swift, which checks signatures, the payload's hash and Content-MD5. */
import { afterAll, beforeAll } from 'vitest';
import { systemClock } from '../../../src/platform/clock.ts';
import { credentialsFrom } from '../../../src/storage/credentials.ts';
import { openPlace } from '../../../src/storage/place.ts';
import type { Storage } from '../../../src/storage/storage.ts';
import { describeStorage } from '../../support/storage-suite.ts';
import { Swift, swiftKeys } from '../../support/swift.ts';
import { refuseUnhandledRejections } from '../../support/unhandled.ts';

refuseUnhandledRejections();

let swift: Swift;
let count = 0;

beforeAll(async () => {
  swift = await Swift.start();
});

afterAll(() => swift.stop());

const openS3 = (place: string, env: Record<string, string> = {}): Promise<Storage> =>
  openPlace(place, {
    clock: systemClock,
    credentials: credentialsFrom({ HOME: '/nowhere', ...swiftKeys, HOLDFAST_CACERT: swift.authority, ...env }, undefined),
  });

for (const scheme of ['http', 'https'] as const)
  describeStorage(`S3 storage on Swift by ${scheme}`, async () => {
    const place = `s3:${swift[scheme]}/bucket/place ${count++}/äö+%`;
    return { storage: await openS3(place), reopen: () => openS3(place) };
  });
