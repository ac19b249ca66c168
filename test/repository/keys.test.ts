import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, describe, expect, test } from 'vitest';
import type { HoldfastError } from '../../src/contract/errors.ts';
import { systemClock } from '../../src/platform/clock.ts';
import { randomMasterKey } from '../../src/repository/crypto.ts';
import { Kernel } from '../../src/repository/kernel/kernel.ts';
import { calibrate, type KeyFile, leastCost, lockKey, parseKeyFile, unlockKey } from '../../src/repository/keys.ts';
import { Repository } from '../../src/repository/repository.ts';
import { FaultyStorage } from '../../src/storage/faulty.ts';
import { LocalStorage } from '../../src/storage/local.ts';
import { MemoryStorage } from '../../src/storage/memory.ts';
import { FakeClock } from '../support/fake-clock.ts';
import { Restic } from '../support/restic.ts';

const owner = { username: 'user', hostname: 'host' };
const clock = new FakeClock();
const kernel = Kernel.create();
const master = randomMasterKey();
const init = (storage: MemoryStorage | LocalStorage, password = 'first'): Promise<Repository> =>
  Repository.init(storage, password, owner, clock, { cost: leastCost });
const fieldsOf = (bytes: Uint8Array): Record<string, unknown> => JSON.parse(Buffer.from(bytes).toString()) as Record<string, unknown>;
const codeOf = (call: () => unknown): string => {
  try {
    call();
    return 'accepted';
  } catch (error) {
    return (error as HoldfastError).code;
  }
};

describe('a key file', () => {
  const made = lockKey(master, 'secret', owner, leastCost, kernel, clock);

  test('opens with its password, and gives nothing for another', async () => {
    const file = parseKeyFile(await made);
    expect(await unlockKey(file, 'secret', kernel)).toEqual(master);
    for (const wrong of ['Secret', 'secret ', '', 'secre']) expect(await unlockKey(file, wrong, kernel)).toBeUndefined();
  });

  test('has the fields of restic, in its order, with a salt of 64 bytes', async () => {
    const fields = fieldsOf(await made);
    expect(Object.keys(fields)).toEqual(['created', 'username', 'hostname', 'kdf', 'N', 'r', 'p', 'salt', 'data']);
    expect(fields).toMatchObject({ ...owner, kdf: 'scrypt', N: 32768, r: 8, p: 1 });
    expect(Date.parse(fields.created as string)).toBe(clock.now());
    expect(Buffer.from(fields.salt as string, 'base64').length).toBe(64);
  });

  test('never holds the same salt twice', async () => {
    const other = await lockKey(master, 'secret', owner, leastCost, kernel, clock);
    expect(fieldsOf(other).salt).not.toBe(fieldsOf(await made).salt);
  });

  test('keeps passwords apart that only look the same: no normalisation, as in restic', async () => {
    const [composed, decomposed] = ['Schlüssel é', 'Schlüssel é'.normalize('NFD')];
    expect(composed).not.toBe(decomposed);
    const file = parseKeyFile(await lockKey(master, composed, owner, leastCost, kernel, clock));
    expect(await unlockKey(file, decomposed, kernel)).toBeUndefined();
    expect(await unlockKey(file, composed, kernel)).toEqual(master);
  });

  test('is not made for an empty password', async () => {
    await expect(lockKey(master, '', owner, leastCost, kernel, clock)).rejects.toMatchObject({ code: 'password-empty' });
  });

  test('that would take the memory or the time of this computer is refused before any work', async () => {
    const good = fieldsOf(await made);
    const cost = (N: unknown, r: unknown, p: unknown): string =>
      codeOf(() => parseKeyFile(Buffer.from(JSON.stringify({ ...good, N, r, p }))));
    const absurd = [
      [2 ** 24, 8, 1],
      [2 ** 15, 2 ** 20, 1],
      [2 ** 15, 8, 2 ** 20],
      [2, 1, 2 ** 26],
      [2, 2 ** 13, 2 ** 12],
      [2 ** 40, 1, 1],
      [2 ** 52, 8, 1],
    ] as const;
    for (const [N, r, p] of absurd) expect(cost(N, r, p), `${N} ${r} ${p}`).toBe('key-invalid');
    for (const N of [0, 1, 3, 32767, -32768, 1.5, '32768', null, Infinity, true]) expect(cost(N, 8, 1), String(N)).toBe('key-invalid');
    for (const wrong of [0, -1, 0.5, '8', null])
      expect([cost(32768, wrong, 1), cost(32768, 8, wrong)]).toEqual(['key-invalid', 'key-invalid']);
    expect([cost(32768, 8, 1), cost(32768, 8, 9), cost(131072, 8, 2), cost(16384, 8, 1)]).toEqual(Array(4).fill('accepted'));
  });

  test('with missing or foreign fields is refused, or read as far as it makes sense', async () => {
    const good = fieldsOf(await made);
    const parsed = (change: object): KeyFile => parseKeyFile(Buffer.from(JSON.stringify({ ...good, ...change })));
    for (const name of ['kdf', 'N', 'r', 'p', 'salt', 'data'])
      expect(
        codeOf(() => parsed({ [name]: undefined })),
        name,
      ).toBe('key-invalid');
    for (const salt of ['', 'AAAA', Buffer.alloc(63).toString('base64'), Buffer.alloc(65).toString('base64'), 5])
      expect(codeOf(() => parsed({ salt }))).toBe('key-invalid');
    expect(codeOf(() => parsed({ kdf: 'argon2' }))).toBe('key-invalid');
    expect(parsed({ username: { a: 1 }, hostname: 7, created: null, foreign: true })).toMatchObject({
      username: '',
      hostname: '',
      created: '',
    });
    for (const text of ['', '{', 'null', '[]', '7', '"x"']) expect(codeOf(() => parseKeyFile(Buffer.from(text)))).toBe('key-invalid');
  });

  test('that was damaged never gives a key', async () => {
    const bytes = await made;
    const dataAt = bytes.indexOf('"data":"') + 8;
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: dataAt, max: bytes.length - 3 }), fc.constantFrom('A', 'z', '9', '/'), async (at, letter) => {
        const damaged = Buffer.from(bytes);
        fc.pre(String.fromCharCode(damaged[at]!) !== letter && damaged[at] !== 0x3d);
        damaged.write(letter, at);
        const [before, after] = [bytes, damaged].map((file) => Buffer.from(fieldsOf(file).data as string, 'base64'));
        // The last digit of Base64 may hold bits that mean nothing.
        fc.pre(!before!.equals(after!));
        expect(await unlockKey(parseKeyFile(damaged), 'secret', kernel)).toBeUndefined();
      }),
      { numRuns: 5 },
    );
  });
});

test('calibration never asks for less than the least cost, and for what every computer has', async () => {
  const cost = await calibrate(systemClock);
  expect(cost.N).toBeGreaterThanOrEqual(2 ** 15);
  expect(cost.N).toBeLessThanOrEqual(2 ** 17);
  expect(Number.isInteger(Math.log2(cost.N))).toBe(true);
  expect(cost.r).toBe(8);
  expect(cost.p).toBeGreaterThanOrEqual(1);
  expect(cost.p).toBeLessThanOrEqual(16);
});

test('calibration follows the speed of the machine', async () => {
  const atSpeed = (ms: number): Promise<{ N: number; p: number }> => {
    let time = 0;
    return calibrate({ ...systemClock, monotonic: () => (time += ms) });
  };
  expect(await atSpeed(2000)).toMatchObject({ N: 2 ** 15, p: 1 });
  expect(await atSpeed(250)).toMatchObject({ N: 2 ** 15, p: 1 });
  expect(await atSpeed(100)).toMatchObject({ N: 2 ** 16, p: 1 });
  expect(await atSpeed(60)).toMatchObject({ N: 2 ** 17, p: 1 });
  expect(await atSpeed(20)).toMatchObject({ N: 2 ** 17, p: 3 });
  expect(await atSpeed(0)).toMatchObject({ N: 2 ** 17, p: 16 });
});

describe('the passwords of a repository', () => {
  test('several open it, each lists as the one in use, and a removed one does not open it any more', async () => {
    const storage = new MemoryStorage();
    const first = await init(storage);
    const added = await first.addKey('second', { username: 'other', hostname: 'elsewhere' }, clock, leastCost);
    const second = await Repository.open(storage, 'second');
    expect(second.config).toEqual(first.config);
    expect(second.key).toEqual(first.key);
    expect(second.keyId).toBe(added);
    expect((await second.keys()).map(({ id, file, current }) => [id, file.username, current])).toEqual(
      [[added, 'other', true] as const, [first.keyId, 'user', false] as const].sort((a, b) => (a[0] < b[0] ? -1 : 1)),
    );
    expect(await second.removeKey(first.keyId.slice(0, 10))).toBe(first.keyId);
    await expect(Repository.open(storage, 'first')).rejects.toMatchObject({ code: 'wrong-password' });
    await Repository.open(storage, 'second');
  });

  test('the key in use, an unknown one and an ambiguous beginning are not removed', async () => {
    const storage = new MemoryStorage();
    const repository = await init(storage);
    await expect(repository.removeKey(repository.keyId)).rejects.toMatchObject({ code: 'key-in-use' });
    for (const prefix of ['', 'xyz', 'f'.repeat(64)])
      await expect(repository.removeKey(prefix)).rejects.toMatchObject({ code: 'key-not-found' });
    // Among 17 keys two begin with the same digit.
    const file = await storage.load({ kind: 'key', name: repository.keyId });
    for (let i = 0; i < 16; i++) await storage.save({ kind: 'key', name: `${i.toString(16)}${'0'.repeat(63)}` }, [file]);
    await expect(repository.removeKey(repository.keyId[0]!)).rejects.toMatchObject({ code: 'key-not-found' });
    expect((await repository.names('key')).length).toBe(17);
  });

  test('changing replaces the one in use, and may be done again at once', async () => {
    const storage = new MemoryStorage();
    const repository = await init(storage);
    const other = await repository.addKey('other', owner, clock, leastCost);
    const changed = await repository.changePassword('new', owner, clock, leastCost);
    expect(repository.keyId).toBe(changed);
    await expect(Repository.open(storage, 'first')).rejects.toMatchObject({ code: 'wrong-password' });
    const again = await repository.changePassword('newer', owner, clock, leastCost);
    await expect(Repository.open(storage, 'new')).rejects.toMatchObject({ code: 'wrong-password' });
    expect((await Repository.open(storage, 'newer')).keyId).toBe(again);
    expect((await Repository.open(storage, 'other')).keyId).toBe(other);
    expect(await repository.names('key')).toEqual([again, other].sort());
  });

  test('an empty one is refused, and nothing is changed', async () => {
    const storage = new MemoryStorage();
    await expect(init(storage, '')).rejects.toMatchObject({ code: 'password-empty' });
    expect(storage.operations).toEqual([]);
    const repository = await init(storage);
    const { mutations } = storage;
    await expect(repository.addKey('', owner, clock, leastCost)).rejects.toMatchObject({ code: 'password-empty' });
    await expect(repository.changePassword('', owner, clock, leastCost)).rejects.toMatchObject({ code: 'password-empty' });
    expect(storage.mutations).toBe(mutations);
  });

  test('a new key that cannot be read back never replaces the old one', async () => {
    const storage = new MemoryStorage();
    const repository = await init(storage);
    const before = storage.dump();
    const faulty = new FaultyStorage(storage);
    const opened = await Repository.open(faulty, 'first');
    const flipped = (bytes: Uint8Array): Uint8Array => {
      const at = Buffer.from(bytes).indexOf('"data":"') + 20;
      bytes[at] = bytes[at] === 0x41 ? 0x42 : 0x41;
      return bytes;
    };
    faulty.script([{ at: { call: 'load', kind: 'key' }, effect: { do: 'change-bytes', change: flipped } }]);
    await expect(opened.changePassword('new', owner, clock, leastCost)).rejects.toMatchObject({ code: 'encoding-failed' });
    expect(storage.dump()).toEqual(before);
    faulty.script([{ at: { call: 'load', kind: 'key' }, effect: { do: 'fail' } }]);
    await expect(opened.changePassword('new', owner, clock, leastCost)).rejects.toMatchObject({ code: 'storage-failed' });
    expect((await Repository.open(storage, 'first')).key).toEqual(repository.key);
  });

  test('at every moment of a change that is cut off, the old or the new one opens the repository', async () => {
    const storage = new MemoryStorage();
    const repository = await init(storage);
    const from = storage.mutations;
    await repository.changePassword('new', owner, clock, leastCost);
    for (let mutations = from; mutations <= storage.mutations; mutations++) {
      const replayed = storage.replay(mutations);
      const opens = await Promise.all(
        ['first', 'new'].map((password) =>
          Repository.open(replayed, password).then(
            () => true,
            () => false,
          ),
        ),
      );
      expect(opens).toContain(true);
    }
  });

  test('a damaged key file does not keep the others from opening, is listed as damaged, and is the reason given when nothing opens', async () => {
    const storage = new MemoryStorage();
    const repository = await init(storage);
    const damaged = ['0', 'f'].map((digit) => digit.repeat(64));
    for (const name of damaged) await storage.save({ kind: 'key', name }, [Buffer.from('{"kdf":"scrypt"}')]);
    expect((await Repository.open(storage, 'first')).keyId).toBe(repository.keyId);
    await expect(Repository.open(storage, 'wrong')).rejects.toMatchObject({ code: 'key-invalid' });
    await expect(repository.keys()).rejects.toMatchObject({ code: 'key-invalid' });
    const problems: string[] = [];
    expect((await repository.keys((id) => problems.push(id))).map(({ id }) => id)).toEqual([repository.keyId]);
    expect(problems).toEqual(damaged);
  });

  test('a key that vanishes while keys are listed or tried is passed over', async () => {
    const storage = new MemoryStorage();
    const repository = await init(storage);
    const ghost = { name: '0'.repeat(64), size: 400 };
    const faulty = new FaultyStorage(storage, {
      faults: [{ at: { call: 'list', kind: 'key', times: 9 }, effect: { do: 'change-list', change: (files) => [ghost, ...files] } }],
    });
    const opened = await Repository.open(faulty, 'first');
    expect((await opened.keys()).map(({ id }) => id)).toEqual([repository.keyId]);
    await expect(Repository.open(faulty, 'wrong')).rejects.toMatchObject({ code: 'wrong-password' });
  });
});

describe('restic', () => {
  const folder = mkdtempSync(join(tmpdir(), 'holdfast-keys-'));
  afterAll(() => rmSync(folder, { recursive: true, force: true }));
  const password = 'Pässwörd „mit“ 🔑 und Leerzeichen ';

  test('opens our repositories with every password, and we those of restic', async () => {
    const ours = join(folder, 'ours');
    const repository = await init(new LocalStorage(ours), password);
    await repository.addKey('second', owner, clock, leastCost);
    for (const secret of [password, 'second']) {
      const config = JSON.parse((await new Restic(ours, secret).cat('config')).toString()) as object;
      expect(config).toEqual(repository.config);
    }
    expect((await new Restic(ours, 'third').run(['cat', 'config', '--no-lock'])).code).toBe(12);

    const theirs = join(folder, 'theirs');
    const restic = new Restic(theirs, password);
    await restic.init({ ownKey: true });
    const opened = await Repository.open(new LocalStorage(theirs), password);
    expect(JSON.parse((await restic.cat('config')).toString())).toEqual(opened.config);
    const [mine] = await opened.keys();
    expect(mine).toMatchObject({ id: opened.keyId, current: true });
    await opened.changePassword('changed', owner, clock, leastCost);
    expect((await restic.run(['cat', 'config', '--no-lock'])).code).toBe(12);
    expect((await new Restic(theirs, 'changed').cat('config')).length).toBeGreaterThan(0);
  });
});
