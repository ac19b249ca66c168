/** What becomes of an SFTP storage when the server or the network misbehaves. */
import { randomBytes } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { systemClock } from '../../../src/platform/clock.ts';
import { RetryingStorage } from '../../../src/storage/retrying.ts';
import type { SftpStorage } from '../../../src/storage/sftp/sftp.ts';
import { configFile, type Storage } from '../../../src/storage/storage.ts';
import { type Meeting, OddSftp, oddUser, type SftpRequest } from '../../support/odd-sftp.ts';
import { freePort } from '../../support/servers.ts';
import { codeOf, describeStorage, errorOf, fileFor, listAll, sha256 } from '../../support/storage-suite.ts';
import { refuseUnhandledRejections } from '../../support/unhandled.ts';
import { openOdd } from './odd.ts';

refuseUnhandledRejections();

describeStorage('SFTP storage on a server without extensions, whose rename replaces', async () => {
  const own = await OddSftp.start();
  own.replaces = true;
  const open = (): SftpStorage => {
    // How fast this computer is, is not what is proved.
    const storage = openOdd({ port: own.port, silentMs: 60_000, connectMs: 60_000 });
    // It cannot replace in one step; that is told, see below.
    Object.defineProperty(storage, 'replaceConfig', { value: undefined });
    return storage;
  };
  return { storage: open(), reopen: async () => open(), cleanUp: () => own.stop() };
});

let server: OddSftp;
let storage: SftpStorage;

beforeEach(async () => {
  server = await OddSftp.start();
  storage = openOdd({ port: server.port });
  await storage.create();
  server.requests.length = 0;
});

afterEach(async () => {
  await storage.close();
  await server.stop();
});

/** Lets the requests of a kind, from the `from`-th after now on, `times` of them, meet something else than the usual. */
function meetSome(kind: SftpRequest, met: Meeting, { from = 1, times = 1 }: { from?: number; times?: number } = {}): void {
  let seen = 0;
  server.meet = (request) => (request === kind && ++seen >= from && seen < from + times ? met : 'usual');
}

const always = { times: Number.POSITIVE_INFINITY };

/** Waits and jitter without time. */
const retrying = (): Storage => new RetryingStorage(storage, { clock: { sleep: async () => {} }, random: () => 0 });

const big = randomBytes(3_000_000);
const bigFile = fileFor(big);
const bigPath = `/place/data/${bigFile.name.slice(0, 2)}/${bigFile.name}`;
const small = Buffer.from('a small file');
const smallFile = fileFor(small, 'snapshot');
const smallPath = `/place/snapshots/${smallFile.name}`;

const temporaries = (): string[] => [...server.files.keys()].filter((path) => path.includes('-tmp-'));

describe('an upload', () => {
  test.each([
    ['WRITE', 1],
    ['WRITE', 5],
    ['WRITE', 80],
    ['FSTAT', 1],
    ['CLOSE', 1],
    ['RENAME', 1],
    ['OPEN', 1],
    ['STAT', 1],
  ] as const)(
    'that breaks off at %s %d fails, leaves nothing under its name, and succeeds when it is tried again',
    async (request, from) => {
      meetSome(request, 'reset', { from });
      const error = await errorOf(storage.save(bigFile, [big]));
      expect(error).toMatchObject({ code: 'connection-lost', retryable: true });
      expect(server.files.has(bigPath)).toBe(false);
      meetSome(request, 'reset', { from, times: 1 });
      await retrying().save(bigFile, [big]);
      expect(sha256(server.files.get(bigPath)!)).toBe(bigFile.name);
      // The next connection has taken away what the broken ones left.
      expect(temporaries()).toEqual([]);
    },
  );

  test('whose rename was done and not acknowledged counts as saved when it is tried again', async () => {
    let broken = false;
    server.meet = (request, path) => {
      if (request !== 'RENAME' || broken) return 'usual';
      broken = true;
      server.files.set(bigPath, server.files.get(path)!);
      server.files.delete(path);
      return 'reset';
    };
    await retrying().save(bigFile, [big]);
    expect(sha256(server.files.get(bigPath)!)).toBe(bigFile.name);
    expect(temporaries()).toEqual([]);
  });

  test('of which a part got lost is no success', async () => {
    let done = false;
    server.meet = (request, path) => {
      if (request === 'FSTAT' && !done) {
        done = true;
        server.files.set(path, server.files.get(path)!.subarray(0, 2_999_999));
      }
      return 'usual';
    };
    expect(await errorOf(storage.save(bigFile, [big]))).toMatchObject({ code: 'file-short', retryable: true });
    expect([...server.files.keys()]).toEqual([]);
  });

  test.each([
    ['a full disk, in words', { status: 4, words: 'write failed: No space left on device' }, 'storage-full', false],
    ['a quota, in words', { status: 4, words: 'Disk quota exceeded' }, 'storage-full', false],
    ['a failure', 4, 'storage-failed', true],
    ['no permission', 3, 'storage-denied', false],
    ['a request that it does not know', 8, 'storage-failed', false],
  ] as const)('that meets %s is told as that, and leaves nothing', async (_, met, code, retryable) => {
    meetSome('WRITE', met, { from: 3 });
    expect(await errorOf(storage.save(bigFile, [big]))).toMatchObject({ code, retryable });
    expect([...server.files.keys()]).toEqual([]);
    meetSome('OPEN', met, always);
    expect(await errorOf(storage.save(bigFile, [big]))).toMatchObject({ code, retryable });
  });

  test('makes no temporary file twice by the same name', async () => {
    for (let n = 0; n < 3; n++) {
      await storage.save(bigFile, [big]);
      await storage.remove(bigFile);
    }
    const made = server.requests.filter((each) => each.startsWith('OPEN') && each.includes('-tmp-'));
    expect(new Set(made).size).toBe(3);
  });

  test('at a place where nothing was ever seen fails at once: it is rather mistyped than away', async () => {
    server.folders.clear();
    for (const each of ['.', '/']) server.folders.add(each);
    const nowhere = openOdd({ port: server.port });
    for (const call of [nowhere.size(configFile), listAll(nowhere, 'key')])
      expect(await errorOf(call)).toMatchObject({ code: 'storage-gone', retryable: false });
    await nowhere.close();
    await storage.create();
    await storage.save(smallFile, [small]);
    server.folders.clear();
    server.files.clear();
    expect(await errorOf(storage.load(smallFile))).toMatchObject({ code: 'storage-gone', retryable: true });
  });

  test('into a folder that is gone is not stored in its stub', async () => {
    await storage.save(smallFile, [small]);
    server.files.clear();
    server.folders.clear();
    for (const each of ['.', '/', '/place']) server.folders.add(each);
    expect(await codeOf(storage.save(bigFile, [big]))).toBe('storage-gone');
    expect(await codeOf(storage.save(configFile, [small]))).toBe('storage-gone');
    expect(await codeOf(listAll(storage, 'snapshot'))).toBe('storage-gone');
    expect(await codeOf(listAll(storage, 'pack'))).toBe('storage-gone');
    expect(await codeOf(storage.load(smallFile))).toBe('storage-gone');
    expect([...server.files.keys()]).toEqual([]);
  });
});

describe('a download', () => {
  beforeEach(() => void server.files.set(bigPath, big).set(smallPath, small));

  test.each([1, 7, 90])('that breaks off at read %d fails, and succeeds when it is tried again', async (from) => {
    meetSome('READ', 'reset', { from });
    expect(await errorOf(storage.load(bigFile))).toMatchObject({ code: 'connection-lost', retryable: true });
    meetSome('READ', 'reset', { from, times: 1 });
    expect(sha256(await retrying().load(bigFile))).toBe(bigFile.name);
  });

  test.each([1, 1000, 20_000])('in pieces of %d bytes, fewer than asked for, is whole', async (mostBytes) => {
    server.mostBytes = mostBytes;
    const length = mostBytes * 100;
    expect(big.subarray(5, 5 + length).equals(await storage.load(bigFile, { offset: 5, length }))).toBe(true);
  });

  test('of a file that became shorter is no success', async () => {
    server.meet = (request, path, count) => {
      if (request === 'READ' && count === 3) server.files.set(path, big.subarray(0, 1_000_000));
      return 'usual';
    };
    const error = await errorOf(storage.load(bigFile));
    expect(error).toMatchObject({ code: 'file-short', context: { expected: 3_000_000, received: 1_000_000 } });
  });

  test('that meets a refusal is told as that', async () => {
    meetSome('OPEN', 3, always);
    expect(await errorOf(storage.load(bigFile))).toMatchObject({ code: 'storage-denied', retryable: false });
    meetSome('READ', 4, always);
    expect(await errorOf(storage.load(bigFile))).toMatchObject({ code: 'storage-failed', retryable: true });
  });
});

describe('a listing', () => {
  const names = Array.from({ length: 120 }, (_, n) => sha256(Buffer.from(String(n)))).sort();

  beforeEach(() => {
    for (const name of names) server.files.set(`/place/data/${name.slice(0, 2)}/${name}`, small);
  });

  test('that breaks off is never taken for whole, and goes on when it is tried again', async () => {
    meetSome('READDIR', 'reset', { from: 30 });
    expect(await codeOf(listAll(storage, 'pack'))).toBe('connection-lost');
    meetSome('READDIR', 'reset', { from: 30 });
    expect((await listAll(retrying(), 'pack')).map(({ name }) => name)).toEqual(names);
  });

  test.each([
    ['OPENDIR', 3, 'storage-denied'],
    ['READDIR', 4, 'storage-failed'],
  ] as const)('that meets a refusal at %s of one of its folders is never taken for whole', async (request, met, code) => {
    meetSome(request, met, { from: 20 });
    expect(await codeOf(listAll(storage, 'pack'))).toBe(code);
  });

  test('leaves out what is foreign', async () => {
    const [first] = names as [string];
    server.files.set('/place/data/00/notes.txt', small).set(`/place/data/${first}`, small).set(`${bigPath}-tmp-00`, small);
    server.files.set(`/place/data/${first.startsWith('00') ? '01' : '00'}/${first}`, small);
    server.folders.add(`/place/data/ff/${'f'.repeat(64)}`);
    expect((await listAll(storage, 'pack')).map(({ name }) => name)).toEqual(names);
  });
});

describe('a server', () => {
  test('that is not there is told as that', async () => {
    const port = await freePort();
    const nobody = openOdd({ port });
    expect(await errorOf(nobody.size(bigFile))).toMatchObject({ code: 'server-refused', retryable: true });
    await nobody.close();
    const unknown = openOdd({ port, host: 'no-such-host.invalid' });
    expect(await codeOf(unknown.size(bigFile))).toBe('server-unknown');
    await unknown.close();
  });

  test.each([
    ['says nothing', () => {}, 'connection-lost'],
    ['speaks HTTP', (socket) => socket.end('HTTP/1.1 400 Bad Request\r\n\r\n'), 'server-not-understood'],
    ['hangs up', (socket) => socket.end(), 'server-not-understood'],
    ['breaks off', (socket) => socket.resetAndDestroy(), 'connection-lost'],
    ['talks without end', (socket) => void socket.write('x'.repeat(1_000_000)), 'server-not-understood'],
    ['greets and falls silent', (socket) => void socket.write('SSH-2.0-Odd\r\n'), 'connection-lost'],
    ['greets and sends rubbish', (socket) => void socket.write(`SSH-2.0-Odd\r\n${'\xff'.repeat(5000)}`), 'server-not-understood'],
  ] as const satisfies readonly (readonly [string, NonNullable<OddSftp['greet']>, string])[])(
    'that %s is told as that',
    async (_, greet, code) => {
      server.greet = greet;
      const other = openOdd({ port: server.port });
      expect(await errorOf(other.size(bigFile))).toMatchObject({ code, retryable: true });
      await other.close();
    },
  );

  test.each(['OPEN', 'WRITE', 'FSTAT', 'RENAME', 'STAT'] as const)('that falls silent at %s is cut off', async (request) => {
    meetSome(request, 'silence', always);
    expect(await errorOf(storage.save(bigFile, [big]))).toMatchObject({ code: 'connection-lost', retryable: true });
    server.meet = () => 'usual';
    await storage.save(bigFile, [big]);
    expect(temporaries()).toEqual([]);
  });

  test('that forgets one request among many is cut off', async () => {
    server.files.set(bigPath, big);
    meetSome('READ', 'silence');
    let isDone = false;
    const forgotten = errorOf(storage.load(bigFile)).finally(() => (isDone = true));
    while (!isDone) await Promise.all([storage.size(bigFile).catch(() => {}), systemClock.sleep(10)]);
    expect((await forgotten).code).toBe('connection-lost');
  });

  test('that ends the session alone is connected to anew', async () => {
    meetSome('READ', 'end of session');
    server.files.set(bigPath, big);
    expect(await codeOf(storage.load(bigFile))).toBe('connection-lost');
    expect(sha256(await storage.load(bigFile))).toBe(bigFile.name);
    expect(server.connections).toBe(2);
  });

  test('that comes back is connected to anew, once for all who wait', async () => {
    server.files.set(bigPath, big);
    await server.stop();
    expect(['connection-lost', 'server-refused']).toContain(await codeOf(storage.size(bigFile)));
    expect(await codeOf(storage.size(bigFile))).toBe('server-refused');
    await server.listen();
    expect(await Promise.all(Array.from({ length: 20 }, () => storage.size(bigFile)))).toEqual(Array(20).fill(big.length));
    expect(server.connections).toBe(2);
  });

  test('with only one session for a connection is used by many at the same time', async () => {
    server.sessions = 1;
    const own = openOdd({ port: server.port, folder: '/other' });
    await own.create();
    const contents = Array.from({ length: 60 }, (_, n) => Buffer.from(`content ${n}`));
    await Promise.all(contents.map((each) => own.save(fileFor(each), [each])));
    expect(await listAll(own, 'pack')).toHaveLength(60);
    await own.close();
  });

  test('that gives no SFTP session is told as that', async () => {
    server.sessions = 0;
    const own = openOdd({ port: server.port });
    expect(await errorOf(own.size(bigFile))).toMatchObject({ code: 'server-not-understood', retryable: false });
    await own.close();
  });

  test('is asked something from time to time, so that the connection is not forgotten', async () => {
    const own = openOdd({ port: server.port, idleMs: 100 });
    expect(await codeOf(own.size(bigFile))).toBe('file-not-found');
    while (server.requests.filter((each) => each.startsWith('REALPATH')).length < 3) await systemClock.sleep(20);
    // One that does not answer is left, and the next call begins anew.
    meetSome('REALPATH', 'silence', always);
    const { connections } = server;
    while (server.connections === connections) {
      await systemClock.sleep(700);
      expect(await codeOf(own.size(smallFile))).toBe('file-not-found');
    }
    await own.close();
  });
});

describe('without extensions', () => {
  test('config cannot be replaced in one step, which is told and harms nothing', async () => {
    await storage.save(configFile, [small]);
    expect(await errorOf(storage.replaceConfig([big]))).toMatchObject({ code: 'storage-cannot-replace', retryable: false });
    expect(small.equals(await storage.load(configFile))).toBe(true);
    expect(temporaries()).toEqual([]);
  });

  test('folders that cannot be opened as files are tried once', async () => {
    for (let n = 0; n < 5; n++) {
      await storage.save(smallFile, [small]);
      await storage.remove(smallFile);
    }
    expect(server.requests.filter((each) => each === 'OPEN /place/snapshots').length).toBeLessThan(2);
  });
});

test('left-overs of killed saves, also of restic, are removed when they are old', async () => {
  const name = bigFile.name;
  const left = [`${bigPath}-tmp-0123abc`, `${bigPath}-restic-temp-0123abc`, '/place/config-tmp-77', `/place/locks/${name}-tmp-1`];
  for (const path of [...left, bigPath, '/place/data/00/mine-tmp-1']) server.files.set(path, small);
  expect(await storage.removeLeftovers(1_600_000_000_000)).toBe(0);
  expect(await storage.removeLeftovers(1_800_000_000_000)).toBe(4);
  expect([...server.files.keys()].sort()).toEqual([bigPath, '/place/data/00/mine-tmp-1'].sort());
});

test('the clock of the server is known after the first save', async () => {
  expect(storage.clockSkewMs).toBeUndefined();
  await storage.save(smallFile, [small]);
  expect(storage.clockSkewMs).toBeLessThan(-86_400_000);
});

test('closing ends what is at work, and calls after it fail', async () => {
  meetSome('READ', 'silence', always);
  server.files.set(bigPath, big);
  const call = errorOf(storage.load(bigFile));
  while (!server.requests.some((each) => each.startsWith('READ '))) await systemClock.sleep(5);
  await storage.close();
  expect((await call).code).toBe('connection-lost');
  expect(await codeOf(storage.size(bigFile))).toBe('internal');
});

test('closing while the connection is made ends that', async () => {
  server.greet = () => {};
  const own = openOdd({ port: server.port, connectMs: 3_600_000 });
  const call = errorOf(own.size(bigFile));
  while (server.connections < 2) await systemClock.sleep(5);
  await own.close();
  expect(['internal', 'connection-lost']).toContain((await call).code);
});

test('no password is in any error', async () => {
  server.admit = (attempt) => attempt.reject(['password', 'keyboard-interactive']);
  const own = openOdd({ port: server.port });
  const error = await errorOf(own.size(bigFile));
  expect(error.code).toBe('credentials-refused');
  expect(JSON.stringify(error) + String(error.stack) + JSON.stringify(error.cause ?? '')).not.toContain(oddUser.password);
  await own.close();
});
