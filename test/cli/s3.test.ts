import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { holdfast } from '../support/cli.ts';
import { jsonLines } from '../support/restic.ts';
import { expectBothOnHoldfastsRepository, expectBothOnResticsRepository, type SharedPlace } from '../support/shared-place.ts';
import { guestKeys, Swift, swiftKeys } from '../support/swift.ts';

let swift: Swift;
let count = 0;

beforeAll(async () => {
  swift = await Swift.start();
});

afterAll(() => swift.stop());

const env = (): Record<string, string> => ({
  HOME: '/nowhere',
  ...swiftKeys,
  HOLDFAST_CACERT: swift.authority,
  RESTIC_CACERT: swift.authority,
  HOLDFAST_DEBUG: '1',
});

const shared = (): SharedPlace => ({
  newPlace: () => `s3:${swift.https}/bucket-${count++}/path`,
  env: env(),
  secrets: [swiftKeys.AWS_SECRET_ACCESS_KEY, 'Signature='],
});

describe('a repository on S3', () => {
  test('that restic has made is used by Holdfast, and by restic after it', () => expectBothOnResticsRepository(shared()));
  test('that Holdfast has made is used by restic, and by Holdfast after it', () => expectBothOnHoldfastsRepository(shared()));
});

test.each([
  ['a wrong secret', { AWS_SECRET_ACCESS_KEY: 'top-secret-guess' }, 'credentials-refused'],
  ['no keys', { AWS_ACCESS_KEY_ID: '', AWS_SECRET_ACCESS_KEY: '' }, 'credentials-missing'],
  ['keys that may do nothing', guestKeys, 'storage-denied'],
])('the connection test tells of %s, and shows none', async (_, other, code) => {
  const place = `s3:${swift.https}/bucket-of-all/path`;
  await holdfast(['--repo', place, 'test-connection', '--create'], { env: env() });
  const { stdout, stderr } = await holdfast(['--repo', place, '--json', 'test-connection'], { env: { ...env(), ...other } });
  expect(jsonLines(stdout).at(-1)).toMatchObject({ type: 'summary', verdict: 'unusable', error: { code } });
  expect(stdout + stderr).not.toContain('guess');
});
