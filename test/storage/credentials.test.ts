import { expect, test } from 'vitest';
import { collectCredentials } from '../../src/storage/credentials.ts';

const env = {
  AZURE_ACCOUNT_NAME: 'account',
  AZURE_CLIENT_ID: 'one of several',
  GOOGLE_PROJECT_ID: 'project',
  GCE_METADATA_HOST: '127.0.0.1:1',
  HOLDFAST_CLOUD_IDENTITY: 'machine',
  HOLDFAST_CACERT: '/authority.pem',
  HOLDFAST_PASSWORD: 'no business of a place',
  PATH: '/bin',
};

test.each([
  ['azure', ['AZURE_ACCOUNT_NAME', 'AZURE_CLIENT_ID', 'HOLDFAST_CACERT', 'HOLDFAST_CLOUD_IDENTITY']],
  ['gs', ['GCE_METADATA_HOST', 'GOOGLE_PROJECT_ID', 'HOLDFAST_CACERT', 'HOLDFAST_CLOUD_IDENTITY']],
  ['webdav', ['HOLDFAST_CACERT']],
])('what opens a place of the kind %s is kept for the service, the wish for the identity of the machine included', (kind, names) => {
  expect(Object.keys(collectCredentials(kind, env, undefined)).sort()).toEqual(names);
});
