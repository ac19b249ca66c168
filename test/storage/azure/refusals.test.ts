/** What Azure refuses, in words. */
import { describe, expect, test } from 'vitest';
import { OddAzure, refuseAzure } from '../../support/odd-azure.ts';
import { big, bigFile, small, smallFile } from '../../support/odd-world.ts';
import { codeOf, errorOf, listAll } from '../../support/storage-suite.ts';
import { refuseUnhandledRejections } from '../../support/unhandled.ts';
import { azureWorld, bigPath, refuseAll, sasToken, secret } from './odd.ts';

refuseUnhandledRejections();

const world = azureWorld();

describe('what Azure refuses is told in words', () => {
  const badKey = 'Server failed to authenticate the request. Make sure the value of Authorization header is formed correctly.';

  test.each([
    [403, 'AuthenticationFailed', badKey, 'credentials-refused', /the account's key/, /AZURE_ACCOUNT_KEY/],
    [403, 'AuthorizationFailure', badKey, 'credentials-refused', /the account's key/, /AZURE_ACCOUNT_KEY/],
    [
      403,
      'AuthorizationFailure',
      'This request is not authorized to perform this operation.',
      'storage-denied',
      /not authorized/,
      /permission/,
    ],
    [403, 'AuthorizationPermissionMismatch', '', 'storage-denied', /does not allow/, /permission/],
    [403, 'KeyBasedAuthenticationNotPermitted', 'Key based authentication is not permitted', 'storage-denied', /Key based/, /permission/],
    [409, 'BlobImmutableDueToPolicy', '', 'file-protected', /protects pack/, /retention/],
    [403, 'AccountIsDisabled', '', 'storage-denied', /does not allow/, /permission/],
    [404, 'ContainerNotFound', '', 'bucket-missing', /no container container/, /holdfast init/],
    [400, 'InvalidResourceName', '', 'bucket-name', /No container may be called container/, /3 to 63/],
  ])('%d %s %s', async (status, code, message, expected, words, guidance) => {
    refuseAll(world.server, { status, code, message });
    for (const call of [() => world.storage.save(bigFile, [big]), () => world.storage.load(bigFile), () => world.storage.size(bigFile)]) {
      const error = await errorOf(call());
      expect(error).toMatchObject({ code: expected, retryable: false });
      expect(error.guidance).toMatch(guidance);
    }
    expect((await errorOf(world.storage.save(bigFile, [big]))).message).toMatch(words);
  });

  test('a shared access signature that has expired, and when', async () => {
    world.storage = await world.open({ credential: { kind: 'sas', account: 'account', token: sasToken } });
    const detail =
      'Signature not valid in the specified time frame: Start [Fri, 02 Jan 2026 03:04:05 GMT] - Expiry [Sat, 03 Jan 2026 03:04:05 GMT]';
    refuseAll(world.server, {
      status: 403,
      code: 'AuthenticationFailed',
      message: badKey,
      more: `<AuthenticationErrorDetail>${detail}</AuthenticationErrorDetail>`,
      // Nobody looks at this computer's clock then.
      headers: { date: 'Fri, 02 Jan 2015 03:04:05 GMT' },
    });
    for (const call of [() => world.storage.size(smallFile), () => world.storage.save(bigFile, [big])]) {
      const error = await errorOf(call());
      expect(error).toMatchObject({ code: 'credentials-refused', retryable: false });
      expect(error.message).toContain('Expiry [Sat, 03 Jan 2026');
      expect(error.guidance).toContain('AZURE_ACCOUNT_SAS');
    }
  });

  test('a clock that is wrong, and by how much', async () => {
    const now = Date.UTC(2026, 0, 2, 3, 4, 5);
    world.storage = await world.open({
      clock: { now: () => now, monotonic: () => 0, sinceBoot: () => 0, sleep: async () => {}, every: () => () => {} },
    });
    for (const [ms, words] of [
      [3 * 3_600_000 + 120_000, '3 hours and 2 minutes behind'],
      [-3_600_000, '1 hour ahead of'],
    ] as const) {
      const headers = { date: new Date(now + ms).toUTCString() };
      for (const more of ['', '<AuthenticationErrorDetail>The Date header in the request is incorrect.</AuthenticationErrorDetail>']) {
        refuseAll(world.server, { status: 403, code: 'AuthenticationFailed', message: badKey, more, headers });
        const error = await errorOf(world.storage.size(smallFile));
        expect(error).toMatchObject({ code: 'clock-wrong', retryable: false });
        expect(error.message).toContain(words);
      }
    }
  });

  test('control characters and length of its words are tamed', async () => {
    refuseAll(world.server, { status: 400, code: 'Odd', message: `first &#x1b;[31m second ${'x'.repeat(1000)}` });
    const { message } = await errorOf(world.storage.load(smallFile));
    expect(message).toContain('first [31m second xxx');
    expect(message.length).toBeLessThan(600);
  });

  test('no secret is in any error, though the server repeats what was signed', async () => {
    for (const credential of [undefined, { kind: 'sas', account: 'account', token: sasToken } as const]) {
      world.storage = await world.open(credential ? { credential } : {});
      for (const detail of [
        `The MAC signature found in the HTTP request 'deadbeef' is not the same as any computed signature. Server used following string to sign: 'GET ${secret.toString()}`,
        `Signature did not match. String to sign used was deadbeef`,
      ])
        for (const code of ['AuthenticationFailed', 'InvalidAuthenticationInfo', 'Odd']) {
          refuseAll(world.server, { status: 403, code, more: `<AuthenticationErrorDetail>${detail}</AuthenticationErrorDetail>` });
          for (const call of [
            () => world.storage.load(smallFile),
            () => world.storage.size(smallFile),
            () => listAll(world.storage, 'pack'),
          ]) {
            const error = await errorOf(call());
            const shown = JSON.stringify(error) + String(error.stack) + JSON.stringify(error.cause ?? '') + world.storage.location;
            for (const word of [secret.toString(), secret.toString('base64'), 'deadbeef', 'sig=', 'SharedKey account:'])
              expect(shown).not.toContain(word);
          }
        }
      await world.server.stop();
      const gone = await errorOf(world.storage.load(smallFile));
      expect(JSON.stringify(gone) + String(gone.stack) + String((gone.cause as Error).stack)).not.toContain('sig=');
      world.server = await OddAzure.start();
    }
  });
});

describe('making the container', () => {
  test('makes one that is missing, and leaves one that is there', async () => {
    await world.storage.create();
    expect(world.server.requests).toEqual(['HEAD /container?restype=container']);
    world.server.containers.clear();
    await world.storage.create();
    expect(world.server.requests.slice(1)).toEqual(['HEAD /container?restype=container', 'PUT /container?restype=container']);
    expect(world.server.containers.has('container')).toBe(true);
  });

  test('is content with one that another has made in the same moment, and with one that may only be used', async () => {
    world.server.meet = (request, response, usual) =>
      request.method === 'HEAD' ? refuseAzure(request, response, { status: 404, code: 'ContainerNotFound' }) : usual();
    await world.storage.create();
    refuseAll(world.server, { status: 403, code: 'AuthorizationPermissionMismatch' });
    await world.storage.create();
  });
});

describe('what may not be removed', () => {
  test('makes a destination that only takes additions', async () => {
    world.server.files.set(bigPath, big).set(`/container/place/locks/${smallFile.name}`, small);
    expect(await world.storage.refusesRemoval!()).toBe(false);
    refuseAll(world.server, { status: 403, code: 'AuthorizationPermissionMismatch' });
    expect(await world.storage.refusesRemoval!()).toBe(true);
    expect(await codeOf(world.storage.remove(bigFile))).toBe('storage-append-only');
    expect(await codeOf(world.storage.remove({ kind: 'lock', name: smallFile.name }))).toBe('storage-denied');
    refuseAll(world.server, { status: 409, code: 'BlobImmutableDueToPolicy' });
    expect(await codeOf(world.storage.remove(bigFile))).toBe('file-protected');
  });
});
