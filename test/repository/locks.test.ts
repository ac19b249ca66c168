import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeEach, describe, expect, test } from 'vitest';
import type { HoldfastError } from '../../src/contract/errors.ts';
import { nextTurn, systemClock } from '../../src/platform/clock.ts';
import { randomMasterKey, Sealer } from '../../src/repository/crypto.ts';
import { sha256 } from '../../src/repository/ids.ts';
import { openItem, sealItem } from '../../src/repository/item.ts';
import { Kernel } from '../../src/repository/kernel/kernel.ts';
import { leastCost } from '../../src/repository/keys.ts';
import { isStale, listLocks, Lock, type LockRecord, removeLocks } from '../../src/repository/locks.ts';
import { Repository } from '../../src/repository/repository.ts';
import { FaultyStorage } from '../../src/storage/faulty.ts';
import { LocalStorage } from '../../src/storage/local.ts';
import { MemoryStorage } from '../../src/storage/memory.ts';
import { FakeClock } from '../support/fake-clock.ts';
import { Restic, resticPath } from '../support/restic.ts';

const minute = 60_000;
const holder = { hostname: 'here', username: 'user', pid: process.pid, uid: 1000, gid: 100 };
const sealer = new Sealer(randomMasterKey(), Kernel.create(), 1 << 12);

let clock: FakeClock;
let memory: MemoryStorage;
let storage: FaultyStorage;
let repository: { storage: FaultyStorage; sealer: Sealer };

beforeEach(() => {
  clock = new FakeClock();
  memory = new MemoryStorage();
  storage = new FaultyStorage(memory, { clock });
  repository = { storage, sealer };
});

/** Lets `work` go on, sleeping as it wishes, until it has ended. */
async function finish<T>(work: Promise<T>, limit = 1000): Promise<T> {
  let ended = false;
  const end = (): void => void (ended = true);
  work.then(end, end);
  for (let i = 0; i < limit && !ended; i++) {
    await nextTurn();
    if (!ended) await clock.advance(50);
  }
  return work;
}

const acquire = (exclusive: boolean, on = repository): Promise<Lock> => finish(Lock.acquire(on, holder, exclusive, clock));
const codeOf = (work: Promise<unknown>): Promise<string> =>
  work.then(
    () => 'done',
    (error: HoldfastError) => error.code,
  );
const lockNames = (): string[] => memory.files().flatMap(({ kind, name }) => (kind === 'lock' ? [name] : []));

function sealLock(record: Partial<LockRecord>): Buffer {
  const full = { time: new Date(clock.now()).toISOString(), exclusive: false, hostname: 'elsewhere', username: 'other', pid: 1, ...record };
  return sealItem(sealer, Buffer.from(JSON.stringify(full)), { compressed: true });
}

async function putLock(record: Partial<LockRecord> | Uint8Array): Promise<string> {
  const sealed = record instanceof Uint8Array ? record : sealLock(record);
  const name = sha256(sealed).toString('hex');
  await memory.save({ kind: 'lock', name }, [sealed]);
  return name;
}

async function recordOf(name: string): Promise<LockRecord> {
  return JSON.parse(openItem(sealer, await memory.load({ kind: 'lock', name })).toString()) as LockRecord;
}

/** The number of a process that has just ended. */
async function deadPid(): Promise<number> {
  const child = spawn(process.execPath, ['--version'], { stdio: 'ignore' });
  await once(child, 'exit');
  return child.pid!;
}

describe('acquiring', () => {
  test('several shared locks live side by side', async () => {
    const locks = [await acquire(false), await acquire(false), await acquire(false)];
    expect(lockNames().sort()).toEqual(locks.map((lock) => lock.name).sort());
    for (const lock of locks) await lock.release();
    expect(lockNames()).toEqual([]);
  });

  test.each([
    [true, true],
    [true, false],
    [false, true],
  ])('a lock (exclusive: %s) keeps another one (exclusive: %s) out, which leaves nothing behind', async (first, second) => {
    const lock = await acquire(first);
    await expect(acquire(second)).rejects.toMatchObject({ code: 'locked', context: { host: 'here', exclusive: first } });
    expect(lockNames()).toEqual([lock.name]);
    await lock.release();
    await (await acquire(second)).release();
  });

  test('two that look at the same moment never both get an exclusive lock', async () => {
    for (const [first, second] of [
      [true, true],
      [true, false],
    ] as const) {
      const tries = [Lock.acquire(repository, holder, first, clock), Lock.acquire(repository, holder, second, clock)];
      const results = await finish(Promise.allSettled(tries));
      expect(results.filter(({ status }) => status === 'fulfilled').length).toBeLessThanOrEqual(1);
      for (const result of results) {
        if (result.status === 'fulfilled') await result.value.release();
        else expect(result.reason).toMatchObject({ code: 'locked' });
      }
      expect(lockNames()).toEqual([]);
    }
  });

  test('one that comes within the 200 ms of another is seen', async () => {
    const slow = Lock.acquire(repository, holder, true, clock);
    await clock.advance(150);
    expect(lockNames().length).toBe(1);
    await putLock({ exclusive: false });
    await expect(finish(slow)).rejects.toMatchObject({ code: 'locked' });
    expect(lockNames().length).toBe(1);
  });

  describe('while it is not certain yet', () => {
    const begin = (exclusive: boolean): Promise<Lock> => finish(Lock.begin(repository, holder, exclusive, clock));

    test('what is read counts once nobody else is seen', async () => {
      const lock = await begin(false);
      expect(await finish(lock.whileSettling(Promise.resolve('read')))).toBe('read');
      await finish(lock.ensure());
      await lock.release();
      expect(lockNames()).toEqual([]);
    });

    test('nothing that was read counts when somebody else is, and nothing may be written', async () => {
      const lock = await Lock.begin(repository, holder, true, clock);
      const other = await putLock({ exclusive: false });
      const works = [() => Promise.resolve('read'), () => Promise.reject(new Error('it has gone wrong because of the other'))];
      for (const work of works) expect(await codeOf(finish(lock.whileSettling(work())))).toBe('locked');
      expect(await codeOf(finish(lock.ensure()))).toBe('locked');
      await finish(lock.release());
      expect(lockNames()).toEqual([other]);
    });

    test('releasing it waits until it is settled, and leaves no timer and no file behind', async () => {
      const lock = await Lock.begin(repository, holder, false, clock);
      await finish(lock.release());
      expect(lockNames()).toEqual([]);
      await clock.advance(20 * minute);
      expect(lockNames()).toEqual([]);
    });
  });

  describe('where no lock was seen a moment ago', () => {
    const clear = (): typeof repository & { takeNoLocks(): boolean } => ({ ...repository, takeNoLocks: () => true });
    const calls = (): string[] => storage.calls.map(({ call, kind }) => `${call} ${kind}`);

    test('a shared one is written at once, and looked around before anything is read and again when it has settled', async () => {
      const lock = await Lock.begin(clear(), holder, false, clock);
      expect(calls()).toEqual(['save lock', 'list lock']);
      await finish(lock.ensure());
      expect(calls()).toEqual(['save lock', 'list lock', 'list lock']);
      await lock.release();
    });

    test.each([
      ['before it is written', { call: 'save' }],
      ['while it is written', { call: 'list' }],
    ] as const)('an exclusive one that came %s is respected before anything is read', async (_, at) => {
      storage.script([{ at: { ...at, kind: 'lock' }, effect: { do: 'delay', ms: 100 } }]);
      const beginning = Lock.begin(clear(), holder, false, clock);
      const other = await putLock({ exclusive: true });
      await expect(finish(beginning)).rejects.toMatchObject({ code: 'locked', context: { exclusive: true } });
      expect(lockNames()).toEqual([other]);
    });

    test('an exclusive one looks all the same before it is written', async () => {
      const other = await putLock({ exclusive: false });
      await expect(finish(Lock.begin(clear(), holder, true, clock))).rejects.toMatchObject({ code: 'locked' });
      expect(calls()).not.toContain('save lock');
      expect(lockNames()).toEqual([other]);
    });
  });

  test('the lock names who holds it, as restic writes it', async () => {
    const lock = await acquire(true);
    const record = await recordOf(lock.name);
    expect(Object.keys(record)).toEqual(['time', 'exclusive', 'hostname', 'username', 'pid', 'uid', 'gid']);
    expect(record).toMatchObject({ exclusive: true, ...holder });
    const root = await finish(
      Lock.acquire({ storage: new FaultyStorage(new MemoryStorage()), sealer }, { ...holder, uid: 0, gid: 0 }, false, clock),
    );
    expect(root.name).toMatch(/^[0-9a-f]{64}$/);
  });

  test('a failing storage leaves no lock behind, also when the file was stored all the same', async () => {
    storage.script([{ at: { call: 'save', kind: 'lock' }, effect: { do: 'fail', when: 'after' } }]);
    expect(await codeOf(acquire(false))).toBe('storage-failed');
    expect(lockNames()).toEqual([]);
    storage.script([{ at: { call: 'list', kind: 'lock', nth: 2 }, effect: { do: 'fail' } }]);
    expect(await codeOf(acquire(false))).toBe('storage-failed');
    expect(lockNames()).toEqual([]);
  });

  test('what went wrong first is what is told, and a lock that could not be taken away goes with the next run of this process', async () => {
    storage.script([
      { at: { call: 'list', kind: 'lock', nth: 2 }, effect: { do: 'fail', code: 'storage-gone' } },
      { at: { call: 'remove', kind: 'lock' }, effect: { do: 'fail', code: 'storage-failed' } },
    ]);
    expect(await codeOf(acquire(true))).toBe('storage-gone');
    expect(lockNames().length).toBe(1);
    storage.heal();
    const next = await acquire(true);
    expect(next.removed.length).toBe(1);
    expect(lockNames()).toEqual([next.name]);
  });
});

describe('locks of others', () => {
  test('are stale after 30 minutes, whatever the host', async () => {
    const name = await putLock({ exclusive: true });
    await clock.advance(30 * minute - 1000);
    expect(await codeOf(acquire(true))).toBe('locked');
    await clock.advance(2000);
    const lock = await acquire(true);
    expect(lock.removed.map((found) => found.name)).toEqual([name]);
    expect(lockNames()).toEqual([lock.name]);
  });

  test('are stale when their process on this host is gone; of other hosts nobody can tell', async () => {
    const pid = await deadPid();
    const record = { time: new Date(clock.now()).toISOString(), exclusive: true, hostname: 'here', username: 'u', pid };
    expect(isStale(record, 'here', clock)).toBe(true);
    expect(isStale({ ...record, hostname: 'elsewhere' }, 'here', clock)).toBe(false);
    expect(isStale({ ...record, pid: process.pid }, 'here', clock)).toBe(false);
    expect(isStale({ ...record, pid: process.ppid }, 'here', clock)).toBe(false);
    await putLock(record);
    const far = await putLock({ ...record, hostname: 'elsewhere', exclusive: false });
    const lock = await acquire(false);
    expect(lockNames().sort()).toEqual([far, lock.name].sort());
  });

  test('of a clock that goes ahead are not stale', async () => {
    await putLock({ time: new Date(clock.now() + 90 * minute).toISOString(), exclusive: true });
    expect(await codeOf(acquire(false))).toBe('locked');
  });

  test('that cannot be read are tried again, then are an error: nobody knows what they forbid', async () => {
    const garbage = sealItem(sealer, Buffer.from('{"time":"never"}'), { compressed: false });
    for (const content of [Buffer.alloc(100, 7), Buffer.of(1), garbage]) {
      const name = await putLock(content);
      expect(await codeOf(acquire(false))).toBe('lock-unreadable');
      expect(storage.calls.filter((call) => call.call === 'load' && call.name === name).length).toBeGreaterThanOrEqual(3);
      expect(lockNames()).toEqual([name]);
      await memory.remove({ kind: 'lock', name });
    }
  });

  test('that hold nonsense where it matters are unreadable, not harmless', async () => {
    const at = new Date(clock.now()).toISOString();
    for (const text of [
      'null',
      '[]',
      '{}',
      `{"time":7}`,
      `{"time":"${at}","exclusive":"yes"}`,
      `{"time":"${at}","pid":"1"}`,
      `{"time":"${at}","hostname":{}}`,
    ]) {
      const name = await putLock(sealItem(sealer, Buffer.from(text), { compressed: true }));
      expect(await codeOf(acquire(false)), text).toBe('lock-unreadable');
      await memory.remove({ kind: 'lock', name });
    }
    await putLock(sealItem(sealer, Buffer.from(`{"time":"${at}"}`), { compressed: true }));
    await (await acquire(false)).release();
    await expect(acquire(true)).rejects.toMatchObject({ code: 'locked', message: expect.stringMatching(/process 0 on /) as string });
  });

  test('that can be read at the second try count as if nothing had been', async () => {
    const name = await putLock({ exclusive: true });
    storage.script([{ at: { call: 'load', name, times: 2 }, effect: { do: 'change-bytes', change: (bytes) => bytes.fill(0) } }]);
    expect(await codeOf(acquire(false))).toBe('locked');
  });

  test('that are empty are being written just now and are ignored', async () => {
    const empty = await putLock(new Uint8Array(0));
    await (await acquire(true)).release();
    expect(lockNames()).toEqual([empty]);
  });

  test('that vanish between listing and reading are ignored', async () => {
    const ghost = { name: 'a'.repeat(64), size: 100 };
    storage.script([{ at: { call: 'list', times: 9 }, effect: { do: 'change-list', change: (files) => [...files, ghost] } }]);
    await (await acquire(true)).release();
    expect(lockNames()).toEqual([]);
  });

  test('on a storage that fails are no reason to call a lock unreadable', async () => {
    await putLock({});
    storage.script([{ at: { call: 'load', kind: 'lock', times: 99 }, effect: { do: 'fail', code: 'storage-gone' } }]);
    expect(await codeOf(acquire(false))).toBe('storage-gone');
  });

  test('are removed by hand: the stale ones, or all, the unreadable and the empty ones too', async () => {
    const old = await putLock({ time: new Date(clock.now() - 31 * minute).toISOString() });
    const fresh = await putLock({});
    const broken = await putLock(Buffer.alloc(50, 1));
    await putLock(new Uint8Array(0));
    expect((await finish(removeLocks(repository, 'here', clock))).map(({ name }) => name)).toEqual([old]);
    expect((await finish(removeLocks(repository, 'here', clock, true))).map(({ name }) => name).sort()).toEqual([broken, fresh].sort());
    expect(lockNames()).toEqual([]);
  });

  test('with the same holder as ours, of another container perhaps, are left alone', async () => {
    const twin = await putLock({ ...holder, exclusive: false });
    const lock = await acquire(false);
    expect(lock.removed).toEqual([]);
    expect(lockNames().sort()).toEqual([lock.name, twin].sort());
  });
});

describe('holding', () => {
  test('the lock is renewed every 5 minutes, the new file written before the old one goes', async () => {
    const lock = await acquire(true);
    for (let i = 0; i < 3; i++) {
      const before = lock.name;
      const from = storage.calls.length;
      await clock.advance(5 * minute);
      expect(lock.name).not.toBe(before);
      expect(lockNames()).toEqual([lock.name]);
      expect(storage.calls.slice(from).map(({ call, name }) => [call, name])).toEqual([
        ['save', lock.name],
        ['remove', before],
      ]);
      expect(clock.now() - Date.parse((await recordOf(lock.name)).time)).toBeLessThan(1000);
      await lock.ensure();
    }
  });

  test('releasing removes the file and ends the renewing', async () => {
    const lock = await acquire(false);
    await clock.advance(11 * minute);
    await lock.release();
    expect(lockNames()).toEqual([]);
    expect(clock.pending).toBe(0);
    await clock.advance(60 * minute);
    expect(lockNames()).toEqual([]);
  });

  test('releasing while the lock is being renewed leaves nothing behind', async () => {
    for (const call of ['save', 'remove'] as const) {
      storage.script([]);
      const lock = await acquire(true);
      storage.script([{ at: { call, kind: 'lock' }, effect: { do: 'delay', ms: 3000 } }]);
      await clock.advance(5 * minute);
      const released = lock.release();
      await finish(released);
      expect(lockNames()).toEqual([]);
    }
  });

  test('after it was released nothing more may be written', async () => {
    const lock = await acquire(false);
    await lock.ensure();
    await lock.release();
    await expect(lock.ensure()).rejects.toMatchObject({ code: 'lock-lost' });
    await lock.release();
  });

  test('a storage that fails while renewing ends nothing: it is tried again, and the old lock stays', async () => {
    const lock = await acquire(true);
    const { name } = lock;
    storage.script([{ at: { call: 'save', kind: 'lock', times: 3 }, effect: { do: 'fail' } }]);
    await clock.advance(16 * minute);
    expect(lock.name).toBe(name);
    expect(lockNames()).toEqual([name]);
    await lock.ensure();
    await clock.advance(5 * minute);
    expect(lock.name).not.toBe(name);
    expect(lockNames()).toEqual([lock.name]);
  });

  test('a renewal that only seemed to fail leaves no second lock', async () => {
    const lock = await acquire(true);
    storage.script([{ at: { call: 'save', kind: 'lock' }, effect: { do: 'fail', when: 'after' } }]);
    await clock.advance(5 * minute);
    expect(lockNames()).toEqual([lock.name]);
  });

  test('an old file that could not be removed goes with the next renewal, or at the end', async () => {
    const lock = await acquire(true);
    storage.script([{ at: { call: 'remove', kind: 'lock' }, effect: { do: 'fail' } }]);
    await clock.advance(5 * minute);
    expect(lockNames().length).toBe(2);
    await lock.ensure();
    await clock.advance(5 * minute);
    expect(lockNames()).toEqual([lock.name]);
    storage.script([{ at: { call: 'remove', kind: 'lock' }, effect: { do: 'fail' } }]);
    await clock.advance(5 * minute);
    await lock.release();
    expect(lockNames()).toEqual([]);
  });

  test('a lock that somebody removed is lost at its next renewal, and everything after it is refused', async () => {
    const lock = await acquire(false);
    await memory.remove({ kind: 'lock', name: lock.name });
    await lock.ensure();
    await clock.advance(5 * minute);
    for (let i = 0; i < 2; i++) await expect(lock.ensure()).rejects.toMatchObject({ code: 'lock-lost' });
    await lock.release();
    expect(lockNames()).toEqual([]);
  });
});

describe('after a standby', () => {
  test('a lock that is still there is renewed before the next write', async () => {
    const lock = await acquire(true);
    const before = lock.name;
    clock.standby(8 * 60 * minute);
    await finish(lock.ensure());
    expect(lock.name).not.toBe(before);
    expect(lockNames()).toEqual([lock.name]);
    expect(clock.now() - Date.parse((await recordOf(lock.name)).time)).toBeLessThan(1000);
  });

  test('a lock that is gone is lost: this write and all later ones are refused, and no new lock stays', async () => {
    const lock = await acquire(false);
    await memory.remove({ kind: 'lock', name: lock.name });
    clock.standby(23 * minute);
    const writes = [lock.ensure(), lock.ensure()];
    expect(await finish(Promise.all(writes.map(codeOf)))).toEqual(['lock-lost', 'lock-lost']);
    expect(await codeOf(lock.ensure())).toBe('lock-lost');
    expect(lockNames()).toEqual([]);
    await lock.release();
    await clock.advance(10 * minute);
    expect(lockNames()).toEqual([]);
  });

  test('of up to 22.5 minutes nothing is asked; beyond, the storage is', async () => {
    const lock = await acquire(false);
    await clock.advance(1);
    const from = storage.calls.length;
    clock.standby(22 * minute);
    await lock.ensure();
    expect(storage.calls.length).toBe(from);
    clock.standby(minute);
    await finish(lock.ensure());
    expect(storage.calls.slice(from).map(({ call }) => call)).toEqual(['size', 'save', 'size', 'remove']);
    await lock.ensure();
    expect(storage.calls.length).toBe(from + 4);
  });

  test('somebody who takes the lock for stale just before the new one is written is noticed', async () => {
    const lock = await acquire(true);
    const { name } = lock;
    clock.standby(40 * minute);
    storage.script([{ at: { call: 'save', kind: 'lock' }, effect: { do: 'delay', ms: 100 } }]);
    const write = codeOf(lock.ensure());
    await clock.advance(50);
    await memory.remove({ kind: 'lock', name });
    const thief = await putLock({ exclusive: true });
    expect(await finish(write)).toBe('lock-lost');
    expect(lockNames()).toEqual([thief]);
  });

  test('that fell into a renewal is noticed too', async () => {
    const lock = await acquire(true);
    const { name } = lock;
    storage.script([{ at: { call: 'save', kind: 'lock' }, effect: { do: 'delay', ms: 1000 } }]);
    await clock.advance(5 * minute);
    clock.standby(40 * minute);
    await memory.remove({ kind: 'lock', name });
    const thief = await putLock({ exclusive: true });
    expect(await finish(codeOf(lock.ensure()))).toBe('lock-lost');
    expect(lockNames()).toEqual([thief]);
  });

  test('a renewal that fell into it is repeated, since its time is the old one', async () => {
    const lock = await acquire(true);
    storage.script([{ at: { call: 'save', kind: 'lock' }, effect: { do: 'delay', ms: 1000 } }]);
    await clock.advance(5 * minute);
    clock.standby(40 * minute);
    await finish(lock.ensure());
    expect(clock.now() - Date.parse((await recordOf(lock.name)).time)).toBeLessThan(2000);
    expect(lockNames()).toEqual([lock.name]);
  });

  test('a storage that cannot tell refuses this write, and is asked again at the next', async () => {
    const lock = await acquire(false);
    clock.standby(30 * minute);
    storage.script([{ at: { call: 'size', kind: 'lock' }, effect: { do: 'fail', code: 'storage-gone' } }]);
    expect(await finish(codeOf(lock.ensure()))).toBe('storage-gone');
    await finish(lock.ensure());
    storage.script([{ at: { call: 'save', kind: 'lock' }, effect: { do: 'fail', code: 'storage-gone' } }]);
    clock.standby(30 * minute);
    expect(await finish(codeOf(lock.ensure()))).toBe('storage-gone');
    await finish(lock.ensure());
    expect(lockNames()).toEqual([lock.name]);
  });
});

describe('a clock that is changed', () => {
  test('forward: the lock is looked for and renewed', async () => {
    const lock = await acquire(true);
    clock.jumpWall(24 * 60 * minute);
    await finish(lock.ensure());
    expect(lockNames()).toEqual([lock.name]);
    expect(clock.now() - Date.parse((await recordOf(lock.name)).time)).toBeLessThan(1000);
  });

  test('far back: the same, since nobody knows how old the lock is', async () => {
    const lock = await acquire(true);
    clock.jumpWall(-24 * 60 * minute);
    await finish(lock.ensure());
    expect(lockNames()).toEqual([lock.name]);
    await memory.remove({ kind: 'lock', name: lock.name });
    clock.jumpWall(-60 * minute);
    expect(await finish(codeOf(lock.ensure()))).toBe('lock-lost');
  });

  test('back by as much as the lock has aged does not hide its age', async () => {
    const lock = await acquire(true);
    storage.script([{ at: { call: 'save', kind: 'lock', times: 99 }, effect: { do: 'fail' } }]);
    await clock.advance(24 * minute);
    clock.jumpWall(-24 * minute);
    expect(await finish(codeOf(lock.ensure()))).toBe('storage-failed');
    await memory.remove({ kind: 'lock', name: lock.name });
    expect(await finish(codeOf(lock.ensure()))).toBe('lock-lost');
  });
});

describe('restic', () => {
  const folder = mkdtempSync(join(tmpdir(), 'holdfast-locks-'));
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  test('respects our locks, and we see those of restic', async () => {
    const place = new LocalStorage(join(folder, 'repo'));
    const ours = await Repository.init(place, 'pw', holder, systemClock, { cost: leastCost });
    const restic = new Restic(join(folder, 'repo'), 'pw');

    const shared = await Lock.acquire(ours, { ...holder, hostname: 'another-computer' }, false, systemClock);
    expect((await restic.run(['snapshots'])).code).toBe(0);
    const refused = await restic.run(['prune']);
    expect(refused.code).toBe(11);
    expect(refused.stderr).toContain('another-computer');
    await shared.release();
    const exclusive = await Lock.acquire(ours, { ...holder, hostname: 'another-computer' }, true, systemClock);
    expect((await restic.run(['snapshots'])).code).toBe(11);
    await restic.must(['unlock', '--remove-all']);
    expect(await listLocks(ours, systemClock)).toEqual([]);
    await exclusive.release();

    // restic waits for more of its standard input, which it backs up, and holds its lock meanwhile.
    const child = spawn(resticPath(), ['--repo', join(folder, 'repo'), '--no-cache', 'backup', '--stdin'], {
      env: { ...process.env, RESTIC_PASSWORD: 'pw' },
      stdio: ['pipe', 'ignore', 'inherit'],
    });
    const ended = once(child, 'exit');
    let found = await listLocks(ours, systemClock);
    while (found.length === 0) {
      await nextTurn();
      found = await listLocks(ours, systemClock);
    }
    expect(found[0]!.record).toMatchObject({ exclusive: false, pid: expect.any(Number) as number, hostname: expect.any(String) as string });
    await expect(Lock.acquire(ours, holder, true, systemClock)).rejects.toMatchObject({ code: 'locked', context: { exclusive: false } });
    await (await Lock.acquire(ours, holder, false, systemClock)).release();
    child.stdin!.end('content');
    expect(await ended).toEqual([0, null]);
    await (await Lock.acquire(ours, holder, true, systemClock)).release();
  });
});
