import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { systemClock } from '../../src/platform/clock.ts';
import { accountKey, type Azurite, sharedAccess, startAzurite } from '../support/azurite.ts';
import { holdfast } from '../support/cli.ts';
import { jsonLines } from '../support/restic.ts';
import { expectBothOnHoldfastsRepository, expectBothOnResticsRepository, type SharedPlace } from '../support/shared-place.ts';

let azurite: Azurite;
let count = 0;

beforeAll(async () => {
  azurite = await startAzurite();
});

afterAll(() => azurite.stop());

const token = (permissions = 'rwdlac'): string => sharedAccess({ permissions, until: systemClock.now() + 3_600_000 });

const shared = (env: Record<string, string>): SharedPlace => ({
  newPlace: () => `azure:container-${count++}:/path/below`,
  resticPlace: (place) => `rclone:${place.replace(/^azure:(.*):\//, 'azurite:$1/')}`,
  env: { ...azurite.sharedEnv, HOLDFAST_DEBUG: '1', ...env },
  secrets: [accountKey, 'SharedKey', 'sig='],
});

describe('a repository on Azure', () => {
  test('that restic has made is used by Holdfast, and by restic after it', () => expectBothOnResticsRepository(shared({})));
  test('that Holdfast has made is used by restic, and by Holdfast after it, by a shared access signature', () =>
    expectBothOnHoldfastsRepository(shared({ AZURE_ACCOUNT_KEY: '', AZURE_ACCOUNT_SAS: token() })));
});

test.each([
  ['a wrong key', { AZURE_ACCOUNT_KEY: Buffer.from('top-secret-guess').toString('base64') }, 'credentials-refused'],
  ['a key that is none', { AZURE_ACCOUNT_KEY: 'top-secret-guess' }, undefined],
  ['no key', { AZURE_ACCOUNT_KEY: '' }, undefined],
  ['a signature that may not read', { AZURE_ACCOUNT_KEY: '', sas: 'l' }, 'storage-denied'],
  ['a signature that may not write', { AZURE_ACCOUNT_KEY: '', sas: 'rl' }, 'storage-denied'],
  ['a server that nobody has vouched for', { HOLDFAST_CACERT: '' }, 'certificate-untrusted'],
])('the connection test tells of %s, and shows none', async (_, { sas, ...other }: Record<string, string>, code) => {
  const place = 'azure:container-of-all:/path';
  await holdfast(['--repo', place, 'test-connection', '--create'], { env: azurite.env });
  const env = { ...azurite.env, HOLDFAST_DEBUG: '1', ...(sas === undefined ? {} : { AZURE_ACCOUNT_SAS: token(sas) }), ...other };
  const { stdout, stderr } = await holdfast(['--repo', place, '--json', 'test-connection', '--create'], { env });
  const expected = code ?? (other['AZURE_ACCOUNT_KEY'] === '' ? 'credentials-missing' : 'bad-usage');
  expect(jsonLines(stdout).at(-1)).toMatchObject({ type: 'summary', verdict: 'unusable', error: { code: expected } });
  expect(stdout + stderr).not.toMatch(/guess|dG9wLXNlY3JldC1ndWVzc|sig=/);
});
