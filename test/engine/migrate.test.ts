/** A repository of version 1 becomes one of version 2, and at every moment it can be opened or brought back. */
import { cpSync, existsSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { keepConfig, keptConfigs } from '../../src/engine/migrate/config-copies.ts';
import { executeMigrate, type MigratePlan, openForMigration, planMigrate } from '../../src/engine/migrate/migrate.ts';
import { RunControl } from '../../src/platform/cancellation.ts';
import { openItem, sealItem } from '../../src/repository/item.ts';
import { Lock } from '../../src/repository/locks.ts';
import { Repository } from '../../src/repository/repository.ts';
import { disconnectFrom, type Effect, type Fault, FaultyStorage } from '../../src/storage/faulty.ts';
import { LocalStorage } from '../../src/storage/local.ts';
import { MemoryStorage } from '../../src/storage/memory.ts';
import { configFile, type Storage } from '../../src/storage/storage.ts';
import { CancellingStorage } from '../support/cancelling-storage.ts';
import { backup, makeRepository, openRepository, password, resticOn, runOptions } from '../support/engine.ts';
import { hasty } from '../support/hostile.ts';
import { expectCleanCheck, expectSnapshotRestores } from '../support/judge.ts';
import { atEveryPrefix, deadHolder } from '../support/prefixes.ts';
import { scratch, sharedScratch, tree } from '../support/tree-literal.ts';
import { refuseUnhandledRejections } from '../support/unhandled.ts';
import { inMemory, makeVersion1, withoutReplace } from '../support/version-1.ts';
import { expectWhole, type SnapshotContent } from '../support/whole-repository.ts';
import { writeToDisk } from './check-fixture.ts';

refuseUnhandledRejections();

const place = sharedScratch('migrate');
const source = join(place, 'source');
const folder = join(place, 'repository');
let base: MemoryStorage;
let before: ReadonlyMap<string, SnapshotContent>;

beforeAll(async () => {
  tree(source, { 'a.txt': 'alpha '.repeat(5000), docs: { 'b.txt': 'beta' } });
  await makeVersion1(folder, [source, join(source, 'docs')]);
  base = await inMemory(folder);
  before = (await expectWhole(base)).snapshots;
});

const open = (storage: Storage, copies: string): ReturnType<typeof openForMigration> => openForMigration(storage, password, copies);

async function migrate(
  storage: Storage | Repository,
  copies: string,
  options: Parameters<typeof runOptions>[0] = {},
): Promise<MigratePlan> {
  const repository = storage instanceof Repository ? storage : await open(storage, copies);
  return executeMigrate(repository, { ...runOptions({ ...hasty, ...options }), copies });
}

/** A repository whose storage does as the faults say, once it is open. */
async function opened(
  inner: Storage,
  copies: string,
  faults: readonly Fault[],
): Promise<{ repository: Repository; storage: FaultyStorage }> {
  const storage = new FaultyStorage(inner);
  const repository = await open(storage, copies);
  storage.calls.length = 0;
  storage.script(faults);
  return { repository, storage };
}

const versionOf = async (storage: Storage): Promise<number> => (await open(storage, join(place, 'none'))).config.version;

/** Nothing that was there is gone or another, but the config. */
function expectSameFiles(storage: MemoryStorage): void {
  const others = (dump: Map<string, Uint8Array>): Map<string, Uint8Array> => {
    dump.delete('config');
    for (const path of dump.keys()) if (path.startsWith('locks/')) dump.delete(path);
    return dump;
  };
  expect(others(storage.dump())).toEqual(others(base.dump()));
}

/** The repository has version 2, all its snapshots, and no lock; the copies are gone. */
async function expectMigrated(storage: Storage, copies: string): Promise<void> {
  const repository = await openRepository(storage);
  expect(repository.config).toEqual({ ...(await open(base, copies)).config, version: 2 });
  const whole = await expectWhole(storage);
  expect(whole.snapshots).toEqual(before);
  expect(whole.locks).toBe(0);
  expect(await keptConfigs(copies)).toEqual([]);
}

describe('a repository of version 1', () => {
  test('is not opened by other verbs, which say what to do', async () => {
    await expect(openRepository(base.clone())).rejects.toMatchObject({
      code: 'repository-version',
      message: expect.stringContaining('version 1'),
      guidance: expect.stringContaining('"holdfast migrate"'),
    });
  });

  test('becomes one of version 2, of which nothing but the config is another', async () => {
    const storage = base.clone();
    const copies = scratch('copies');
    const plan = await migrate(storage, copies);
    expect(plan).toMatchObject({ version: 1, target: 2, isNeeded: true, isInterrupted: false, check: { errors: 0, snapshots: 2 } });
    await expectMigrated(storage, copies);
    expectSameFiles(storage);
  });

  test('serves for everything afterwards, as restic confirms', async () => {
    const repo = join(scratch('migrate'), 'repository');
    cpSync(folder, repo, { recursive: true });
    await migrate(new LocalStorage(repo), scratch('copies'));
    const restic = resticOn(repo);
    expect(JSON.parse((await restic.cat('config')).toString())).toMatchObject({ version: 2 });
    await expectCleanCheck(restic);
    const [first] = await restic.snapshots();
    await expectSnapshotRestores(restic, first!.id, source);
    const more = tree(join(scratch('migrate'), 'more'), { 'c.txt': 'gamma '.repeat(5000) });
    await backup(await openRepository(repo), more, hasty);
    await backup(await openRepository(repo), source, hasty);
    await restic.backup([more]);
    await expectCleanCheck(restic);
    await expectSnapshotRestores(restic, 'latest', more);
  });

  test('gets the config that restic gives it', async () => {
    const [ours, theirs] = [join(scratch('migrate'), 'ours'), join(scratch('migrate'), 'theirs')];
    cpSync(folder, ours, { recursive: true });
    cpSync(folder, theirs, { recursive: true });
    await migrate(new LocalStorage(ours), scratch('copies'));
    await resticOn(theirs).must(['migrate', 'upgrade_repo_v2']);
    expect(await resticOn(ours).cat('config')).toEqual(await resticOn(theirs).cat('config'));
  });

  test('is only looked at by a plan', async () => {
    const storage = base.clone();
    const copies = scratch('copies');
    const plan = await planMigrate(await open(storage, copies), runOptions(hasty));
    expect(plan).toMatchObject({ version: 1, target: 2, isNeeded: true, check: { errors: 0 } });
    expectSameFiles(storage);
    expect(await versionOf(storage)).toBe(1);
    expect(storage.files().filter(({ kind }) => kind === 'lock')).toEqual([]);
  });

  test('is left alone when a check finds damage', async () => {
    const storage = base.clone();
    const pack = storage.files().find(({ kind }) => kind === 'pack')!;
    storage.tamper(pack, () => undefined);
    const copies = scratch('copies');
    const plans: MigratePlan[] = [];
    const repository = await open(storage, copies);
    const run = executeMigrate(repository, { ...runOptions(hasty), copies, onPlan: (plan) => plans.push(plan) });
    await expect(run).rejects.toMatchObject({ code: 'migrate-refused' });
    expect(plans[0]!.check!.errors).toBeGreaterThan(0);
    expect(await versionOf(storage)).toBe(1);
    expect(await keptConfigs(copies)).toEqual([]);
    expect((await planMigrate(repository, runOptions(hasty))).check!.errors).toBeGreaterThan(0);
  });

  test('is left alone while another program is at work, and that program can read our lock', async () => {
    const repo = join(scratch('migrate'), 'repository');
    cpSync(folder, repo, { recursive: true });
    const repository = await open(new LocalStorage(repo), scratch('copies'));
    const lock = await Lock.acquire(repository, { ...runOptions().holder, hostname: 'elsewhere' }, false, hasty.clock);
    await expect(migrate(new LocalStorage(repo), scratch('copies'))).rejects.toMatchObject({ code: 'locked' });
    // restic's check wants it for itself alone.
    const { code, stderr } = await resticOn(repo).run(['check']);
    expect({ code, names: stderr.includes('elsewhere') }).toEqual({ code: 11, names: true });
    await lock.release();
    await resticOn(repo).must(['check']);
  });

  test('keeps what only other programs know of its config', async () => {
    const storage = base.clone();
    const { config, sealer } = await open(storage, join(place, 'none'));
    const text = Buffer.from(JSON.stringify({ is_hot: false, ...config, extra: [1] }));
    storage.tamper(configFile, () => sealItem(sealer, text, { compressed: false }));
    await migrate(storage, scratch('copies'));
    expect(JSON.parse(openItem(sealer, await storage.load(configFile)).toString())).toEqual({
      is_hot: false,
      ...config,
      extra: [1],
      version: 2,
    });
  });
});

test('a repository of version 2 needs no migration, is not checked and not written to', async () => {
  const storage = new MemoryStorage();
  await makeRepository(storage);
  const files = storage.dump();
  const copies = join(scratch('copies'), 'never made');
  const plan = await migrate(storage, copies);
  expect(plan).toEqual({ version: 2, target: 2, isNeeded: false, isInterrupted: false, check: undefined });
  expect(await planMigrate(await open(storage, copies), runOptions(hasty))).toEqual(plan);
  expect(storage.dump()).toEqual(files);
  expect(existsSync(copies)).toBe(false);
});

test('of two migrations at the same time one waits for nobody, and the other does no harm', async () => {
  const storage = base.clone();
  const copies = scratch('copies');
  const results = await Promise.allSettled([migrate(storage, copies), migrate(storage, copies)]);
  const refused = results.filter(({ status }) => status === 'rejected') as PromiseRejectedResult[];
  for (const { reason } of refused) expect(reason).toMatchObject({ code: 'locked' });
  await migrate(storage, copies);
  await expectMigrated(storage, copies);
});

/** Storages of both sorts; what is recorded is recorded within. */
const sorts: [string, (inner: Storage) => Storage][] = [
  ['replaces a config in one step', (inner) => inner],
  ['can only remove a config and save another', withoutReplace],
];

describe.each(sorts)('on a destination that %s, a migration', (_, sort) => {
  test('that ends after any of its writes can be made again, and completes', async () => {
    const storage = base.clone();
    await migrate(sort(storage), scratch('copies'), { holder: deadHolder() });
    await expectMigrated(storage, scratch('copies'));
    let missing = 0;
    await atEveryPrefix(storage, 0, async (state) => {
      expectSameFiles(state);
      const copies = scratch('copies');
      const isThere = state.files().some(({ kind }) => kind === 'config');
      if (!isThere) {
        missing += 1;
        await expect(open(state, copies)).rejects.toMatchObject({ code: 'repository-not-found' });
        // This computer has the copy that was kept before, and copies of other repositories.
        await keepConfig(copies, await base.load(configFile));
        await keepConfig(copies, Buffer.from('the config of another repository, sealed with another key'));
      }
      const plan = await migrate(sort(state), copies);
      expect(plan.isInterrupted).toBe(!isThere);
      expect((await openRepository(state)).config.version).toBe(2);
      expect((await expectWhole(state)).snapshots).toEqual(before);
      expectSameFiles(state);
      expect((await keptConfigs(copies)).map((copy) => Buffer.from(copy).toString().slice(0, 3))).toEqual(isThere ? [] : ['the']);
    });
    expect(missing).toBe(sort === withoutReplace ? 1 : 0);
  });

  test('in which any operation fails says so, and the same again completes it', async () => {
    const probe = await opened(sort(base.clone()), scratch('copies'), []);
    await migrate(probe.repository, scratch('copies'));
    const operations = probe.storage.calls.length;
    expect(operations).toBeGreaterThan(20);
    for (const when of ['before', 'after'] as const) {
      for (let nth = 1; nth <= operations; nth++) {
        // Both before and after its effect where the config is concerned, else in turns.
        if (probe.storage.calls[nth - 1]!.kind !== 'config' && (nth % 2 === 0) !== (when === 'after')) continue;
        const inner = base.clone();
        const copies = scratch('copies');
        const { repository, storage } = await opened(sort(inner), copies, [{ at: { nth }, effect: { do: 'fail', when } }]);
        const error = await migrate(repository, copies).then(
          () => undefined,
          (thrown: unknown) => thrown as { code: string },
        );
        const call = storage.calls[nth - 1]!;
        const at = `operation ${nth}, ${call.call} ${call.kind}, ${when}`;
        if (error) expect(['storage-failed', 'lock-unreadable', 'migrate-refused'], at).toContain(error.code);
        // What is read is partly tried again, and a lock that cannot be removed goes stale.
        else expect(call.kind === 'lock' || call.call === 'load', at).toBe(true);
        expectSameFiles(inner);
        expect([1, 2], at).toContain(await versionOf(inner));
        await migrate(sort(inner), copies);
        await expectMigrated(inner, copies);
      }
    }
  });

  test('whose destination is unplugged at any moment can be made again when it is back', async () => {
    const probe = await opened(sort(base.clone()), scratch('copies'), []);
    await migrate(probe.repository, scratch('copies'));
    const codes = new Set<string>();
    for (let nth = 1; nth <= probe.storage.calls.length; nth++) {
      // At each moment around the config, and at some others.
      if (nth % 4 !== 0 && !probe.storage.calls.slice(nth - 2, nth + 1).some(({ kind }) => kind === 'config')) continue;
      const inner = base.clone();
      const copies = scratch('copies');
      const { repository } = await opened(sort(inner), copies, [disconnectFrom(nth)]);
      await migrate(repository, copies).catch((error: { code: string }) => codes.add(error.code));
      expectSameFiles(inner);
      await migrate(sort(inner), copies);
      await expectMigrated(inner, copies);
    }
    expect(codes.has('config-not-replaced')).toBe(sort === withoutReplace);
    for (const code of codes) expect(['storage-gone', 'config-not-replaced']).toContain(code);
  });

  test.each<[string, Effect]>([
    ['nothing and says that it did', { do: 'lose' }],
    ['half of it and says that it stored all', { do: 'tear', length: 50 }],
    ['half of it and fails', { do: 'tear', length: 50, code: 'storage-failed' }],
  ])('of which the destination stores %s is noticed, and the same again completes it', async (__, effect) => {
    const inner = base.clone();
    const copies = scratch('copies');
    const fault: Fault = { at: sort === withoutReplace ? { call: 'save', kind: 'config' } : { call: 'replace' }, effect };
    const { repository } = await opened(sort(inner), copies, [fault]);
    await expect(migrate(repository, copies)).rejects.toMatchObject({ code: 'storage-failed' });
    expect(await versionOf(inner)).toBe(1);
    await migrate(sort(inner), copies);
    await expectMigrated(inner, copies);
  });

  test('that is cancelled at any of its writes can be made again', async () => {
    const whole = base.clone();
    await migrate(sort(whole), scratch('copies'));
    const outcomes = new Set<string>();
    for (let nth = 1; nth <= whole.mutations; nth++) {
      const control = new RunControl();
      const inner = new CancellingStorage(base, control, nth);
      const copies = scratch('copies');
      const outcome = await migrate(sort(inner), copies, { control }).then(
        () => 'done',
        (error: { code: string }) => error.code,
      );
      outcomes.add(outcome);
      await migrate(sort(inner), copies);
      await expectMigrated(inner, copies);
    }
    expect([...outcomes].sort()).toEqual(['cancelled', 'done']);
  });

  test('that found its config torn by one before it completes with the copy that was kept', async () => {
    const inner = base.clone();
    const copies = scratch('copies');
    await keepConfig(copies, await base.load(configFile));
    inner.tamper(configFile, (bytes) => bytes.slice(0, 40));
    await expect(openRepository(inner)).rejects.toMatchObject({ code: 'config-invalid' });
    const plan = await migrate(sort(inner), copies);
    expect(plan.isInterrupted).toBe(true);
    await expectMigrated(inner, copies);
  });
});

describe('the copy of a config', () => {
  test('that cannot be kept is a reason to change nothing', async () => {
    const storage = base.clone();
    const file = join(scratch('copies'), 'file');
    writeFileSync(file, '');
    await expect(migrate(storage, join(file, 'below'))).rejects.toMatchObject({ code: 'config-not-kept' });
    expect(storage.dump().get('config')).toEqual(base.dump().get('config'));
  });

  test('is one only when it is whole', async () => {
    const copies = scratch('copies');
    const path = await keepConfig(copies, Buffer.from('a config'));
    expect((await keptConfigs(copies)).map((copy) => Buffer.from(copy).toString())).toEqual(['a config']);
    writeFileSync(path, 'a conf');
    expect(await keptConfigs(copies)).toEqual([]);
    // The next one is written over it.
    await keepConfig(copies, Buffer.from('a config'));
    writeFileSync(join(copies, 'notes'), 'of somebody');
    expect(await keptConfigs(copies)).toHaveLength(1);
    expect(await keptConfigs(join(copies, 'nowhere'))).toEqual([]);
    expect(readdirSync(copies).sort()).toContain('notes');
  });

  test('of another repository opens none', async () => {
    const storage = base.clone();
    storage.tamper(configFile, () => undefined);
    const copies = scratch('copies');
    const other = new MemoryStorage();
    await makeRepository(other);
    await keepConfig(copies, await other.load(configFile));
    await expect(open(storage, copies)).rejects.toMatchObject({ code: 'repository-not-found' });
    await expect(openForMigration(storage, 'a wrong password', copies)).rejects.toMatchObject({ code: 'wrong-password' });
  });
});

test('restic opens the repository after every write of a migration on disk', async () => {
  const storage = base.clone();
  await migrate(storage, scratch('copies'), { holder: deadHolder() });
  for (let mutations = 0; mutations <= storage.mutations; mutations++) {
    const repo = await writeToDisk(storage.replay(mutations), scratch('migrate-cut'));
    await expectCleanCheck(resticOn(repo), { noLock: true });
  }
});
