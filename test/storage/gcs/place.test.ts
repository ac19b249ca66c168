import { generateKeyPairSync } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { systemClock } from '../../../src/platform/clock.ts';
import { credentialsFrom } from '../../../src/storage/credentials.ts';
import { findAccess } from '../../../src/storage/gcs/access.ts';
import { gcsLocation, parseGcsPlace } from '../../../src/storage/gcs/place.ts';
import { openPlace } from '../../../src/storage/place.ts';
import { accountEmail, accountPrivateKey } from '../../support/odd-gcs.ts';
import { scratch } from '../../support/tree-literal.ts';

const shown = (address: string): string => gcsLocation(parseGcsPlace(address));

describe('a place', () => {
  test.each([
    // As restic's own tests write them.
    ['bucketname:/', 'gs:bucketname:/'],
    ['bucketname:/prefix/directory', 'gs:bucketname:/prefix/directory'],
    ['bucketname:/prefix/directory/', 'gs:bucketname:/prefix/directory'],
    ['my_backups.example.org:prefix//a/./b', 'gs:my_backups.example.org:/prefix/a/b'],
  ])('gs:%s is %s', (address, location) => {
    expect(shown(address)).toBe(location);
    expect(shown(location.slice('gs:'.length))).toBe(location);
  });

  test.each([
    '',
    ':/path',
    'bucket',
    'bucket/path',
    '//bucket:/path',
    'ab:/path',
    'Bucket:/path',
    '-bucket:/path',
    'bucket-:/path',
    'bucket:/a/../b',
    'bucket:/a\nb',
  ])('%j is none', (address) => {
    expect(() => parseGcsPlace(address)).toThrow(expect.objectContaining({ code: 'bad-usage' }));
  });
});

describe('what opens an account', () => {
  const account = {
    type: 'service_account',
    project_id: 'a-project',
    private_key_id: 'key-1',
    private_key: accountPrivateKey,
    client_email: accountEmail,
    token_uri: 'https://tokens.example/token',
  };
  const file = (content: unknown): string => {
    const path = join(scratch(), 'key.json');
    writeFileSync(path, typeof content === 'string' ? content : JSON.stringify(content));
    return path;
  };
  const find = (env: Record<string, string>): ReturnType<typeof findAccess> => findAccess(credentialsFrom(env, undefined), 'gs:b:/');
  const inFile = (content: unknown): Record<string, string> => ({ GOOGLE_APPLICATION_CREDENTIALS: file(content) });

  test('is a token, before all else', () => {
    const env = { ...inFile(account), GOOGLE_ACCESS_TOKEN: 'ya29.x', GOOGLE_PROJECT_ID: 'mine' };
    expect(find(env)).toEqual({ identity: { kind: 'token', token: 'ya29.x' }, project: 'mine' });
  });

  test('is the key of a service account, with its project unless another is named', () => {
    const { identity, project } = find(inFile(account));
    expect(identity).toMatchObject({ kind: 'service-account', email: accountEmail, keyId: 'key-1' });
    expect(identity.kind === 'service-account' && identity.tokenServer.href).toBe('https://tokens.example/token');
    expect(project).toBe('a-project');
    expect(find({ ...inFile(account), GOOGLE_PROJECT_ID: 'mine' }).project).toBe('mine');
    const usual = find(inFile({ ...account, token_uri: undefined })).identity;
    expect(usual.kind === 'service-account' && usual.tokenServer.href).toBe('https://oauth2.googleapis.com/token');
  });

  test('is what a person’s own sign-in has left at its place', () => {
    const home = scratch();
    mkdirSync(join(home, '.config/gcloud'), { recursive: true });
    const person = { type: 'authorized_user', client_id: 'a', client_secret: 'b', refresh_token: 'c', quota_project_id: 'p' };
    writeFileSync(join(home, '.config/gcloud/application_default_credentials.json'), JSON.stringify(person));
    expect(find({ HOME: home })).toMatchObject({ identity: { kind: 'person', clientId: 'a', refreshToken: 'c' }, project: 'p' });
  });

  const curve = generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey.export({ type: 'pkcs8', format: 'pem' });

  test.each([
    ['nothing', () => ({ HOME: '/nowhere' }), 'credentials-missing'],
    ['nothing, and no home', () => ({}), 'credentials-missing'],
    ['a file that is not there', () => ({ GOOGLE_APPLICATION_CREDENTIALS: '/nowhere/key.json' }), 'input-unreadable'],
    ['no JSON', () => inFile('topsecret'), 'bad-usage'],
    ['no object', () => inFile('null'), 'bad-usage'],
    ['another kind', () => inFile({ ...account, type: 'external_account' }), 'bad-usage'],
    ['no key', () => inFile({ ...account, private_key: undefined }), 'bad-usage'],
    ['a key that is none', () => inFile({ ...account, private_key: 'topsecret' }), 'bad-usage'],
    ['a key of another sort', () => inFile({ ...account, private_key: curve }), 'bad-usage'],
    ['no name', () => inFile({ ...account, client_email: 7 }), 'bad-usage'],
    ['an address that is none', () => inFile({ ...account, token_uri: 'file:///topsecret' }), 'bad-usage'],
    ['half a person', () => inFile({ type: 'authorized_user', client_secret: 'topsecret' }), 'bad-usage'],
    ['a token with a line break', () => ({ GOOGLE_ACCESS_TOKEN: 'topsecret\r\nHost: x' }), 'bad-usage'],
  ])('that is %s is an error which shows nothing of it', (_, env, code) => {
    let error: unknown;
    try {
      find(env());
    } catch (thrown) {
      error = thrown;
    }
    expect(error).toMatchObject({ code });
    expect(JSON.stringify(error)).not.toContain('topsecret');
  });

  test.each(['topsecret', 'ftp://host/', 'https://me:topsecret@host/', 'https://host/?topsecret', 'https://host/path'])(
    'with the server %s is an error',
    async (endpoint) => {
      const credentials = credentialsFrom({ GOOGLE_ACCESS_TOKEN: 'x', HOLDFAST_GCS_ENDPOINT: endpoint }, undefined);
      const error: unknown = await openPlace('gs:bucket:/', { clock: systemClock, credentials }).catch((thrown: unknown) => thrown);
      expect(error).toMatchObject({ code: 'bad-usage' });
      expect(JSON.stringify(error)).not.toContain('topsecret');
    },
  );

  test('and would be seen on its way is warned of', async () => {
    const notes: string[] = [];
    const open = async (endpoint: string): Promise<void> => {
      const credentials = credentialsFrom({ GOOGLE_ACCESS_TOKEN: 'x', HOLDFAST_GCS_ENDPOINT: endpoint }, undefined);
      await (await openPlace('gs:bucket:/', { clock: systemClock, credentials, onNote: (text) => void notes.push(text) })).close();
    };
    await open('https://storage.example');
    await open('');
    expect(notes).toEqual([]);
    await open('http://storage.example');
    expect(notes).toHaveLength(1);
  });
});
