import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { HoldfastError } from '../../../src/contract/errors.ts';
import { systemClock } from '../../../src/platform/clock.ts';
import { findAccess } from '../../../src/storage/azure/access.ts';
import { azureLocation, parseAzurePlace } from '../../../src/storage/azure/place.ts';
import { credentialsFrom } from '../../../src/storage/credentials.ts';
import { openPlace } from '../../../src/storage/place.ts';

const shown = (address: string): string => azureLocation(parseAzurePlace(address));

describe('a place', () => {
  test.each([
    // As restic's own tests write them.
    ['container-name:/', 'azure:container-name:/'],
    ['container-name:/prefix/directory', 'azure:container-name:/prefix/directory'],
    ['container-name:/prefix/directory/', 'azure:container-name:/prefix/directory'],
    ['container-name:', 'azure:container-name:/'],
    ['abc:prefix//a/./b', 'azure:abc:/prefix/a/b'],
    ['0a-9:/ä b+%:c', 'azure:0a-9:/ä b+%:c'],
  ])('azure:%s is %s', (address, location) => {
    expect(shown(address)).toBe(location);
    expect(shown(location.slice('azure:'.length))).toBe(location);
  });

  test.each([
    '',
    ':',
    ':/path',
    'container',
    'container/path',
    '//container:/path',
    'ab:/path',
    'Container:/path',
    'con_tainer:/path',
    'con--tainer:/path',
    '-container:/path',
    'container-:/path',
    '$root:/path',
    `${'x'.repeat(64)}:/path`,
    'container:/a/../b',
    'container:/a\\b',
    'container:/a./b',
    'container:/a.',
    'container:/a\nb',
    'container:/\ud800',
    'container:/\uffff',
    `container:/${'x'.repeat(1000)}`,
  ])('%j is none', (address) => {
    expect(() => parseAzurePlace(address)).toThrow(expect.objectContaining({ code: 'bad-usage' }));
  });

  test('of any text is a place or an error for a person', () => {
    fc.assert(
      fc.property(
        fc.string({
          unit: fc.oneof(
            fc.constantFrom(...'/:@?#%.[] \n\0\\a-\uffff'),
            fc.integer({ min: 1, max: 0x10ffff }).map((code) => String.fromCodePoint(code)),
          ),
        }),
        (text) => {
          try {
            const location = shown(`container:${text}`);
            expect(shown(location.slice('azure:'.length))).toBe(location);
          } catch (error) {
            expect((error as HoldfastError).code).toBe('bad-usage');
          }
        },
      ),
      { numRuns: 300 },
    );
  });
});

describe('what opens an account', () => {
  const key = Buffer.from('a secret key').toString('base64');
  const usual = { AZURE_ACCOUNT_NAME: 'myaccount', AZURE_ACCOUNT_KEY: key };
  const find = (env: Record<string, string>): ReturnType<typeof findAccess> => findAccess(credentialsFrom(env, undefined), 'azure:c:/');

  test('is a key, or a shared access signature as the portal shows it', () => {
    expect(find(usual).credential).toEqual({ kind: 'key', account: 'myaccount', key: Buffer.from('a secret key') });
    const token = 'sv=2022-11-02&sp=rwdl&sig=abc%2Bd%3D';
    for (const given of [token, `?${token}`])
      expect(find({ AZURE_ACCOUNT_NAME: 'myaccount', AZURE_ACCOUNT_SAS: given }).credential).toEqual({
        kind: 'sas',
        account: 'myaccount',
        token,
      });
    // As restic has it.
    expect(find({ ...usual, AZURE_ACCOUNT_SAS: token }).credential.kind).toBe('key');
  });

  test('is where the account is', () => {
    const at = (env: Record<string, string>): string => {
      const { address } = find({ ...usual, ...env });
      return `${address.isSecure ? 'https' : 'http'} ${address.server} ${address.path}`;
    };
    expect(at({})).toBe('https myaccount.blob.core.windows.net /');
    expect(at({ AZURE_ENDPOINT_SUFFIX: 'core.chinacloudapi.cn' })).toBe('https myaccount.blob.core.chinacloudapi.cn /');
    expect(at({ HOLDFAST_AZURE_ENDPOINT: 'http://127.0.0.1:10000/devstoreaccount1' })).toBe('http 127.0.0.1:10000 /devstoreaccount1/');
    expect(at({ HOLDFAST_AZURE_ENDPOINT: 'https://blobs.example' })).toBe('https blobs.example /');
  });

  test.each([
    ['nothing', {}, 'credentials-missing'],
    ['no name', { AZURE_ACCOUNT_KEY: key }, 'credentials-missing'],
    ['no key', { AZURE_ACCOUNT_NAME: 'myaccount' }, 'credentials-missing'],
    ['a name that is none', { ...usual, AZURE_ACCOUNT_NAME: 'topsecret.evil.example/' }, 'bad-usage'],
    ['a key that is none', { ...usual, AZURE_ACCOUNT_KEY: 'topsecret!' }, 'bad-usage'],
    ['half a key', { ...usual, AZURE_ACCOUNT_KEY: 'topsecret' }, 'bad-usage'],
    ['a signature that is an address', { AZURE_ACCOUNT_NAME: 'abc', AZURE_ACCOUNT_SAS: 'https://topsecret' }, 'bad-usage'],
    ['a signature with a line break', { AZURE_ACCOUNT_NAME: 'abc', AZURE_ACCOUNT_SAS: 'sig=topsecret\r\nHost: x' }, 'bad-usage'],
    ['a signature with a fragment', { AZURE_ACCOUNT_NAME: 'abc', AZURE_ACCOUNT_SAS: 'sig=topsecret#x' }, 'bad-usage'],
    ['an end of a name that is none', { ...usual, AZURE_ENDPOINT_SUFFIX: 'evil.example/topsecret' }, 'bad-usage'],
    ['an address with a password', { ...usual, HOLDFAST_AZURE_ENDPOINT: 'https://me:topsecret@host/' }, 'bad-usage'],
    ['an address with a signature', { ...usual, HOLDFAST_AZURE_ENDPOINT: 'https://host/?sig=topsecret' }, 'bad-usage'],
    ['an address that is none', { ...usual, HOLDFAST_AZURE_ENDPOINT: 'topsecret' }, 'bad-usage'],
    ['a tier that cannot be read', { ...usual, HOLDFAST_AZURE_ACCESS_TIER: 'Archive' }, 'bad-usage'],
  ])('that is %s is an error which shows nothing of it', (_, env, code) => {
    let error: unknown;
    try {
      find(env as Record<string, string>);
    } catch (thrown) {
      error = thrown;
    }
    expect(error).toMatchObject({ code });
    expect(JSON.stringify(error)).not.toContain('topsecret');
  });

  test('and would be seen on its way is warned of', async () => {
    const notes: string[] = [];
    const onNote = (text: string): void => void notes.push(text);
    const open = async (endpoint: string): Promise<void> => {
      const env = { AZURE_ACCOUNT_NAME: 'abc', AZURE_ACCOUNT_SAS: 'sig=x', HOLDFAST_AZURE_ENDPOINT: endpoint };
      await (await openPlace('azure:container:/', { clock: systemClock, credentials: credentialsFrom(env, undefined), onNote })).close();
    };
    await open('https://blobs.example/');
    expect(notes).toEqual([]);
    await open('http://blobs.example/');
    expect(notes).toHaveLength(1);
  });
});
