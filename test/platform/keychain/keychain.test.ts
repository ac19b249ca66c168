import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { execPath } from 'node:process';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { AsyncEntry } from '@napi-rs/keyring';
import { afterAll, beforeAll, describe, expect, onTestFinished, test, vi } from 'vitest';
import { systemClock } from '../../../src/platform/clock.ts';
import { Variant } from '../../../src/platform/dbus/wire.ts';
import { SystemKeychain } from '../../../src/platform/keychain/keychain.ts';
import { moveFileToKeychain, secretInText } from '../../../src/platform/keychain/move-file.ts';
import { offer, startBus } from '../../support/dbus-service.ts';
import { type SecretService, type SecretServiceOptions, startSecretService } from '../../support/secret-service.ts';
import { scratch } from '../../support/tree-literal.ts';

const program = fileURLToPath(new URL('../../support/keychain-process.ts', import.meta.url));
type Env = Readonly<Record<string, string>>;

/** What another process said, after `ready` was called with each line before the last. */
async function inProcess(
  env: Env,
  args: string[],
  onLine: (line: string, child: ReturnType<typeof spawn>) => void = () => {},
): Promise<unknown> {
  const child = spawn(execPath, [program, ...args], { env, stdio: ['pipe', 'pipe', 'inherit'] });
  const lines: string[] = [];
  createInterface({ input: child.stdout }).on('line', (line) => {
    lines.push(line);
    onLine(line, child);
  });
  await once(child, 'close');
  const last = lines.at(-1);
  return last === undefined ? undefined : JSON.parse(last);
}

async function service(options: SecretServiceOptions = {}): Promise<SecretService> {
  const started = await startSecretService(options);
  onTestFinished(() => started.stop());
  return started;
}

const error = (code: string, cause?: string) => ({
  error: expect.objectContaining({ code, ...(cause && { context: expect.objectContaining({ cause: expect.stringContaining(cause) }) }) }),
});

describe('an unlocked keychain', () => {
  let ours: SecretService;
  let keychain: SystemKeychain;
  let count = 0;
  const name = () => ({ service: 'Holdfast test', account: `account ${++count} ü/🙂 'x'` });

  beforeAll(async () => {
    ours = await startSecretService();
    keychain = new SystemKeychain({ platform: 'linux', env: ours.env });
  });
  afterAll(() => ours.stop());

  test('is told to be available', async () => {
    expect(await keychain.state()).toEqual({ kind: 'available' });
  });

  test('has no secret of a name that was never kept, and nothing to remove', async () => {
    expect(await keychain.get(name())).toBeUndefined();
    expect(await keychain.remove(name())).toBe(false);
  });

  test.each([
    ['of words', 'correct horse battery staple'],
    ['with every kind of character', 'pä\u0000ß\n "\'\\ 密码 🙂\u{10ffff}\ufeff'],
    ['that begins with a byte order mark', '\ufeffsecret'],
    ['of nothing', ''],
    ['of 2 KB', 'x9Ω'.repeat(512)],
    ['of 100 KB', 'k'.repeat(100_000)],
  ])('gives a secret %s back as it was, until it is removed', async (_, secret) => {
    const mine = name();
    await keychain.set(mine, 'an older one');
    await keychain.set(mine, secret);
    expect(await keychain.get(mine)).toBe(secret);
    expect(await keychain.get({ ...mine, service: 'another' })).toBeUndefined();
    expect(await inProcess(ours.env, ['get', mine.account])).toEqual({ result: secret });
    expect(await keychain.remove(mine)).toBe(true);
    expect(await keychain.get(mine)).toBeUndefined();
  });

  test('refuses text that would come back as another', async () => {
    const mine = name();
    await expect(keychain.set(mine, 'half \ud83d of one')).rejects.toMatchObject({ code: 'keychain-refused' });
    expect(await keychain.get(mine)).toBeUndefined();
  });

  test('keeps one secret of a name when two processes write it at once', async () => {
    const { account } = name();
    const results = await Promise.all(['one', 'other'].map((secret) => inProcess(ours.env, ['set', account, secret, '40'])));
    expect(results).toEqual([{ result: null }, { result: null }]);
    expect(['one', 'other']).toContain(await keychain.get({ service: 'Holdfast test', account }));
    expect(await keychain.remove({ service: 'Holdfast test', account })).toBe(true);
    expect(await keychain.get({ service: 'Holdfast test', account })).toBeUndefined();
  });

  test('shares its secrets with the library that keeps them on other systems', async () => {
    const mine = name();
    // The library looks at the environment itself.
    vi.stubEnv('DBUS_SESSION_BUS_ADDRESS', ours.env.DBUS_SESSION_BUS_ADDRESS);
    const entry = new AsyncEntry(mine.service, mine.account, { linux: { store: 'secret-service' } });
    await entry.setPassword('of the library');
    expect(await keychain.get(mine)).toBe('of the library');
    await keychain.set(mine, 'of ours');
    expect(await entry.getPassword()).toBe('of ours');
    expect(await keychain.remove(mine)).toBe(true);
    await keychain.set(mine, 'made by us');
    expect(await entry.getPassword()).toBe('made by us');
  });

  test('does nothing for whoever has cancelled already', async () => {
    const mine = name();
    await expect(keychain.set(mine, 'x', { signal: AbortSignal.abort() })).rejects.toMatchObject({ code: 'cancelled' });
    await expect(keychain.state(AbortSignal.abort())).rejects.toMatchObject({ code: 'cancelled' });
    expect(await keychain.get(mine)).toBeUndefined();
  });

  test('is not used when the person says so', async () => {
    const off = new SystemKeychain({ platform: 'linux', env: { ...process.env, HOLDFAST_KEYCHAIN: 'off' } });
    expect(await off.state()).toMatchObject({ kind: 'absent' });
    await expect(off.get(name())).rejects.toMatchObject({ code: 'keychain-absent' });
  });

  test('of Windows refuses what does not fit, and says how much does', async () => {
    const windows = new SystemKeychain({ platform: 'win32', env: {} });
    const refusal = await windows.set(name(), 'ü'.repeat(1281)).catch((thrown: unknown) => thrown);
    expect(refusal).toMatchObject({ code: 'keychain-refused', context: { cause: 'it has 2562 bytes, and 2560 is the most that fits' } });
    expect(String(refusal)).not.toContain('üü');
  });

  describe('takes a password file over', () => {
    const passwordFile = (text: string): string => {
      const file = join(scratch(), 'password');
      writeFileSync(file, text, { mode: 0o600 });
      return file;
    };

    test('and deletes it when the keychain gives the same back', async () => {
      const mine = name();
      const file = passwordFile('\ufeff the secret \n');
      expect(await moveFileToKeychain(file, mine, keychain)).toBe('moved');
      expect(existsSync(file)).toBe(false);
      expect(await keychain.get(mine)).toBe('the secret');
    });

    test('but never over another secret of that name', async () => {
      const mine = name();
      await keychain.set(mine, 'of another repository');
      const file = passwordFile('mine');
      expect(await moveFileToKeychain(file, mine, keychain)).toBe('differs');
      expect(readFileSync(file, 'utf8')).toBe('mine');
      expect(await keychain.get(mine)).toBe('of another repository');
    });

    test('but not when there is nothing in it, or it cannot be read', async () => {
      const empty = passwordFile(' \n');
      await expect(moveFileToKeychain(empty, name(), keychain)).rejects.toMatchObject({ code: 'password-missing' });
      expect(existsSync(empty)).toBe(true);
      await expect(moveFileToKeychain(join(empty, 'x'), name(), keychain)).rejects.toMatchObject({ code: 'input-unreadable' });
    });

    test('but not when the keychain gives back something else', async () => {
      const file = passwordFile('mine');
      const forgetful = {
        get: async () => undefined,
        set: async () => {},
        remove: async () => false,
        state: async () => ({ kind: 'available' as const }),
      };
      await expect(moveFileToKeychain(file, name(), forgetful)).rejects.toMatchObject({ code: 'keychain-refused' });
      expect(readFileSync(file, 'utf8')).toBe('mine');
    });

    test.each([1, 2, 3, 4, 5, 6])('and killed before step %i loses nothing, and ends well the next time', async (step) => {
      const mine = name();
      const file = passwordFile('mine');
      const said = await inProcess(ours.env, ['move', file, mine.account, String(step)], (_, child) => void child.kill('SIGKILL'));
      expect(said).toBe(`at ${step}`);
      expect(secretInText(readFileSync(file, 'utf8'))).toBe('mine');
      expect(await moveFileToKeychain(file, mine, keychain)).toBe('moved');
      expect(await keychain.get(mine)).toBe('mine');
      expect(existsSync(file)).toBe(false);
    });

    test('by two processes at once', async () => {
      const mine = name();
      const file = passwordFile('mine');
      const results = await Promise.all([1, 2].map(() => inProcess(ours.env, ['move', file, mine.account])));
      // Who comes late finds no file.
      for (const result of results) expect([{ result: 'moved' }, error('input-unreadable')]).toContainEqual(result);
      expect(results).toContainEqual({ result: 'moved' });
      expect(existsSync(file)).toBe(false);
      expect(await keychain.get(mine)).toBe('mine');
    });
  });
});

describe('a locked keychain', () => {
  test('is told to be locked, says so when it is used, and nobody is asked', async () => {
    const { env, lock, wasAsked } = await service({ deafPrompter: true });
    expect(await inProcess(env, ['set', 'mine', 'secret'])).toEqual({ result: null });
    lock();
    // With a prompter that never answers, this would never end if it asked.
    const refusal = expect.objectContaining({ code: 'keychain-locked' });
    expect(await inProcess(env, ['try', 'mine', 'other'])).toEqual({
      result: [{ kind: 'locked', reason: expect.any(String) }, refusal, refusal, refusal],
    });
    expect(wasAsked()).toBe(false);
  });

  test('that nobody can be asked to unlock stays locked', async () => {
    const { env, lock } = await service();
    lock();
    expect(await inProcess(env, ['ask', 'mine'])).toEqual(error('keychain-locked', 'not answered with yes'));
  });

  test('whose question nobody answers is given up by whoever cancels', async () => {
    const { env, lock, wasAsked } = await service({ deafPrompter: true });
    lock();
    const child = spawn(execPath, [program, 'ask', 'mine'], { env, stdio: ['pipe', 'pipe', 'inherit'] });
    const answer = once(createInterface({ input: child.stdout }), 'line') as Promise<[string]>;
    while (!wasAsked()) await systemClock.sleep(5);
    child.stdin.write('\n');
    expect(JSON.parse((await answer)[0])).toEqual(error('cancelled'));
    await once(child, 'close');
  });

  test('leaves a password file where it is', async () => {
    const { env, lock } = await service();
    lock();
    const file = join(scratch(), 'password');
    writeFileSync(file, 'mine');
    expect(await inProcess(env, ['move', file, 'mine'])).toEqual(error('keychain-locked'));
    expect(readFileSync(file, 'utf8')).toBe('mine');
  });
});

test('a keychain that does not answer any more can be given up', async () => {
  const { env, freeze } = await service();
  freeze();
  const child = spawn(execPath, [program, 'ask', 'mine'], { env, stdio: ['pipe', 'pipe', 'inherit'] });
  const answer = once(createInterface({ input: child.stdout }), 'line') as Promise<[string]>;
  child.stdin.write('\n');
  expect(JSON.parse((await answer)[0])).toEqual(error('cancelled'));
  await once(child, 'close');
});

test('a keychain that does not know yet who asks it at first is there all the same', async () => {
  const address = await startBus();
  const keyring = '/org/freedesktop/secrets/collection/login';
  let answers = 0;
  const calls = await offer(address, 'org.freedesktop.secrets', ({ member }) =>
    member === 'ReadAlias'
      ? { signature: 'o', body: [answers++ === 0 ? '/' : keyring] }
      : { signature: 'v', body: [new Variant('b', false)] },
  );
  const keychain = new SystemKeychain({ platform: 'linux', env: { DBUS_SESSION_BUS_ADDRESS: address } });
  expect(await keychain.state()).toEqual({ kind: 'available' });
  expect(calls.map((call) => call.split(' ')[0])).toEqual(['ReadAlias', 'ReadAlias', 'Get']);
});

describe('no keychain', () => {
  test.each([
    ['without a message bus', async () => ({ PATH: process.env.PATH ?? '', HOME: scratch() }), 'no message bus'],
    ['with a bus that is gone', async () => ({ PATH: '', DBUS_SESSION_BUS_ADDRESS: 'unix:path=/nowhere/bus' }), 'ENOENT'],
    ['with an address of another kind', async () => ({ PATH: '', DBUS_SESSION_BUS_ADDRESS: 'tcp:host=x,port=1' }), 'names no socket'],
    ['with a bus without such a service', async () => (await service({ service: 'none' })).env, 'no program that keeps passwords'],
    ['with a service that has no keyring', async () => (await service({ service: 'empty' })).env, 'no keyring yet'],
  ])('%s is told with its reason, and how to go on', async (_, environment, reason) => {
    const env: Env = await environment();
    const said = await inProcess(env, ['try', 'mine', 'top secret']);
    const refusal = error('keychain-absent', reason).error;
    expect(said).toEqual({ result: [{ kind: 'absent', reason: expect.stringContaining(reason) }, refusal, refusal, refusal] });
    expect(JSON.stringify(said)).toContain('--password-file');
    expect(JSON.stringify(said)).not.toContain('top secret');
  });
});
