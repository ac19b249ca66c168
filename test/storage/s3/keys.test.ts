import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, describe, expect, test } from 'vitest';
import { credentialsFrom } from '../../../src/storage/credentials.ts';
import { type FoundKeys, findKeys } from '../../../src/storage/s3/keys.ts';
import { s3Settings } from '../../../src/storage/s3/settings.ts';
import { scratch } from '../../support/tree-literal.ts';

let home: string;

beforeEach(() => {
  home = scratch();
  mkdirSync(join(home, '.aws'));
});

const find = (env: Record<string, string> = {}): FoundKeys => findKeys(credentialsFrom({ HOME: home, ...env }, undefined));
const shared = (text: string, name = 'credentials'): string => {
  const file = join(home, '.aws', name);
  writeFileSync(file, text);
  return file;
};
const pair = (accessKeyId: string, secretAccessKey: string, sessionToken?: string): FoundKeys['keys'] => ({
  accessKeyId,
  secretAccessKey,
  sessionToken,
});

describe('keys', () => {
  test('are none where there are none', () => {
    expect(find()).toEqual({ keys: undefined, region: undefined });
  });

  test('come from the environment before all else', () => {
    shared('[default]\naws_access_key_id = A\naws_secret_access_key = B\nregion = elsewhere\n');
    const env = { AWS_ACCESS_KEY_ID: 'C', AWS_SECRET_ACCESS_KEY: 'D', AWS_SESSION_TOKEN: 'E', AWS_DEFAULT_REGION: 'here' };
    expect(find(env)).toEqual({ keys: pair('C', 'D', 'E'), region: 'here' });
    expect(find({ AWS_ACCESS_KEY_ID: 'C', AWS_SECRET_ACCESS_KEY: 'D' }).keys).toEqual(pair('C', 'D'));
  });

  test('come from the shared file, by profile', () => {
    const text = [
      '# mine',
      '[default]',
      'aws_access_key_id=A',
      'aws_secret_access_key = B/with=signs+ ',
      '',
      '[ work ]',
      'AWS_ACCESS_KEY_ID = C',
      'aws_secret_access_key = D',
      'aws_session_token = E',
      's3 =',
      '  aws_secret_access_key = nested',
      '[default]',
      'region = eu-central-1',
    ].join('\r\n');
    const file = shared(text);
    expect(find()).toEqual({ keys: pair('A', 'B/with=signs+'), region: 'eu-central-1' });
    expect(find({ AWS_PROFILE: 'work' })).toEqual({ keys: pair('C', 'D', 'E'), region: undefined });
    shared('[profile work]\nregion = eu-west-1\naws_access_key_id = never\n', 'config');
    expect(
      find({ AWS_PROFILE: 'work', HOME: '/nowhere', AWS_SHARED_CREDENTIALS_FILE: file, AWS_CONFIG_FILE: join(home, '.aws/config') }),
    ).toEqual({
      keys: pair('C', 'D', 'E'),
      region: 'eu-west-1',
    });
  });

  test('that are renewed in the shared file are found', () => {
    shared('[default]\naws_access_key_id = A\naws_secret_access_key = B\n');
    const credentials = credentialsFrom({ HOME: home }, undefined);
    expect(findKeys(credentials).keys).toEqual(pair('A', 'B'));
    shared('[default]\naws_access_key_id = C\naws_secret_access_key = D\n');
    expect(findKeys(credentials).keys).toEqual(pair('C', 'D'));
  });

  test.each([
    ['half a pair', { AWS_ACCESS_KEY_ID: 'A' }, 'bad-usage'],
    ['the other half of a pair', { AWS_SECRET_ACCESS_KEY: 'A' }, 'bad-usage'],
    ['a profile that is not there', { AWS_PROFILE: 'other' }, 'bad-usage'],
    ['a file that is not there', { AWS_SHARED_CREDENTIALS_FILE: '/nowhere/keys' }, 'input-unreadable'],
  ])('that are %s are an error', (_, env, code) => {
    expect(() => find(env)).toThrow(expect.objectContaining({ code }));
  });
});

describe('settings', () => {
  const settings = (env: Record<string, string>): unknown => s3Settings(credentialsFrom(env, undefined));

  test('have defaults', () => {
    expect(settings({})).toEqual({ lookup: undefined, storageClass: undefined, encryption: undefined, retention: undefined });
    expect(settings({ HOLDFAST_S3_BUCKET_LOOKUP: 'auto' })).toMatchObject({ lookup: undefined });
  });

  test('are read', () => {
    expect(
      settings({ HOLDFAST_S3_BUCKET_LOOKUP: 'dns', HOLDFAST_S3_STORAGE_CLASS: 'GLACIER_IR', HOLDFAST_S3_ENCRYPTION: 'AES256' }),
    ).toMatchObject({
      lookup: 'dns',
      storageClass: 'GLACIER_IR',
      encryption: { kind: 'AES256' },
    });
    expect(settings({ HOLDFAST_S3_KMS_KEY: 'k' })).toMatchObject({ encryption: { kind: 'aws:kms', keyId: 'k' } });
    expect(settings({ HOLDFAST_S3_RETENTION_DAYS: '30' })).toMatchObject({ retention: { mode: 'GOVERNANCE', days: 30 } });
    expect(settings({ HOLDFAST_S3_RETENTION_DAYS: '30', HOLDFAST_S3_RETENTION_MODE: 'COMPLIANCE' })).toMatchObject({
      retention: { mode: 'COMPLIANCE' },
    });
  });

  test.each([
    { HOLDFAST_S3_BUCKET_LOOKUP: 'virtual' },
    { HOLDFAST_S3_STORAGE_CLASS: 'standard' },
    { HOLDFAST_S3_STORAGE_CLASS: 'DEEP_ARCHIVE' },
    { HOLDFAST_S3_STORAGE_CLASS: 'X\r\nHeader: y' },
    { HOLDFAST_S3_ENCRYPTION: 'aes' },
    { HOLDFAST_S3_ENCRYPTION: 'AES256', HOLDFAST_S3_KMS_KEY: 'k' },
    { HOLDFAST_S3_RETENTION_DAYS: '0' },
    { HOLDFAST_S3_RETENTION_DAYS: '-1' },
    { HOLDFAST_S3_RETENTION_DAYS: '40000' },
    { HOLDFAST_S3_RETENTION_DAYS: '1e3' },
    { HOLDFAST_S3_RETENTION_DAYS: '1', HOLDFAST_S3_RETENTION_MODE: 'FOREVER' },
  ])('that make no sense are an error: %j', (env) => {
    expect(() => settings(env as Record<string, string>)).toThrow(expect.objectContaining({ code: 'bad-usage' }));
  });
});
