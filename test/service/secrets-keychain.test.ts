import { expect, onTestFinished, test } from 'vitest';
import { SystemKeychain } from '../../src/platform/keychain/keychain.ts';
import { Secrets } from '../../src/service/secrets.ts';
import { SecretsKeychain } from '../../src/service/secrets-keychain.ts';
import { startSecretService } from '../support/secret-service.ts';

test('passwords and credentials are kept in the keychain, and forgotten; a locked one says so', async () => {
  const service = await startSecretService();
  onTestFinished(() => service.stop());
  const secrets = new Secrets(new SecretsKeychain(new SystemKeychain({ platform: 'linux', env: service.env })));
  await expect(secrets.password('ab', 'a place')).rejects.toMatchObject({ code: 'password-missing' });
  await secrets.keepPassword('ab', 'the password');
  await secrets.keepCredentials('cd', { AWS_ACCESS_KEY_ID: 'id', AWS_SECRET_ACCESS_KEY: 'ß'.repeat(3000) });
  expect(await secrets.password('ab', 'a place')).toBe('the password');
  expect(await secrets.credentials('cd')).toEqual({ AWS_ACCESS_KEY_ID: 'id', AWS_SECRET_ACCESS_KEY: 'ß'.repeat(3000) });
  await secrets.keepCredentials('cd', {});
  expect(await secrets.credentials('cd')).toEqual({});
  service.lock();
  await expect(secrets.password('ab', 'a place')).rejects.toMatchObject({ code: 'keychain-locked' });
});
