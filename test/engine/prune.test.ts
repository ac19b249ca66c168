import { cpSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { executeForget, planForget } from '../../src/engine/forget.ts';
import { parseMaxUnused } from '../../src/engine/prune/max-unused.ts';
import { planPrune, type PrunePlan } from '../../src/engine/prune/plan.ts';
import { executePrune } from '../../src/engine/prune/prune.ts';
import { RunControl } from '../../src/platform/cancellation.ts';
import type { Repository } from '../../src/repository/repository.ts';
import { FaultyStorage } from '../../src/storage/faulty.ts';
import { LocalStorage } from '../../src/storage/local.ts';
import { MemoryStorage } from '../../src/storage/memory.ts';
import type { Storage } from '../../src/storage/storage.ts';
import { CancellingStorage } from '../support/cancelling-storage.ts';
import { expectCleanCheck, expectSnapshotRestores } from '../support/judge.ts';
import { Restic } from '../support/restic.ts';
import { scratch, sharedScratch } from '../support/tree-literal.ts';
import {
  allFiles,
  backup,
  check,
  noise,
  open,
  newRepository,
  password,
  repositoryWithGenerations,
  runOptions,
  smallPack,
  told,
  writeToDisk,
} from './check-fixture.ts';

const source = sharedScratch('prune-source');
const many = new MemoryStorage();
let snapshots: string[] = [];
beforeAll(async () => {
  ({ snapshots } = await repositoryWithGenerations(many, source, 4));
});

const noLimit = { maxUnused: parseMaxUnused('0') };
const options = (control?: RunControl) => ({ ...runOptions(control), packSize: smallPack });
const packBytes = async (storage: Storage): Promise<number> => {
  let bytes = 0;
  for await (const { size } of storage.list('pack')) bytes += size;
  return bytes;
};

/** Forgets all snapshots but the newest, and prunes. */
const thin = async (repository: Repository, control?: RunControl, limit = noLimit) => {
  const plan = await planForget(repository, { policy: { keep: { last: 1 } }, now: Number.MAX_SAFE_INTEGER });
  return executeForget(repository, plan, { ...options(control), prune: limit });
};

/** Everything that the remaining snapshots need is there and whole, and nothing else is wrong. */
const expectSound = async (storage: Storage, context: string): Promise<void> => {
  const result = await check(await open(storage), { readData: 'snapshot' }, { threads: 1 });
  expect(told(result), context).toEqual([]);
};

describe('prune', () => {
  test('removes all that no snapshot needs, and leaves a repository without a remark', async () => {
    const storage = many.clone();
    const repository = await open(storage);
    const before = await packBytes(storage);
    const { removed, prune } = await thin(repository);
    expect(removed).toEqual(snapshots.slice(0, 3));
    const result = await check(await open(storage), { readData: 'all' });
    expect(result.findings).toEqual([]);
    expect(result.snapshots).toBe(1);
    const after = await packBytes(storage);
    expect(before - after).toBe(prune!.deletedBytes - prune!.storedBytes);
    expect(Math.abs(prune!.plan.totalAfter - after)).toBeLessThan(2000);
    expect(prune!.plan.unusedAfter).toBe(0);
    const again = await planPrune(repository, noLimit, options());
    expect([again.unused.blobs, again.duplicate.blobs, again.remove.length, again.repack.length]).toEqual([0, 0, 0, 0]);
  });

  test('changes nothing while it only plans, and the plan is what the execution then does', async () => {
    const storage = many.clone();
    const repository = await open(storage);
    const planned = await planPrune(repository, { ...noLimit, without: snapshots.slice(0, 3) }, options());
    const packs = await allFiles(storage);
    expect(packs.length).toBe((await allFiles(many)).length);
    const { prune } = await thin(repository);
    expect(planned).toEqual(prune!.plan);
    expect(planned.freedBytes).toBeGreaterThan(100_000);
  });

  test('does nothing to a repository in which everything is needed', async () => {
    const storage = many.clone();
    await executePrune(await open(storage), noLimit, options());
    const mutations = storage.operations.filter(({ kind }) => kind === 'save' || kind === 'remove');
    expect(mutations.map((operation) => (operation.kind === 'save' || operation.kind === 'remove' ? operation.file.kind : ''))).toEqual([
      'lock',
      'lock',
    ]);
  });

  test('leaves as much unused data as is allowed', async () => {
    const plans: PrunePlan[] = [];
    for (const limit of ['0', '20%', '60%', 'unlimited']) {
      const storage = many.clone();
      const { prune } = await thin(await open(storage), undefined, { maxUnused: parseMaxUnused(limit) });
      const { plan } = prune!;
      plans.push(plan);
      expect((await check(await open(storage), { readData: 'all' })).errors).toBe(0);
      if (limit.endsWith('%'))
        expect(plan.unusedAfter / (plan.unusedAfter + plan.used.bytes)).toBeLessThanOrEqual(Number.parseFloat(limit) / 100);
    }
    expect(plans[0].unusedAfter).toBe(0);
    for (let i = 1; i < plans.length; i++) expect(plans[i].unusedAfter).toBeGreaterThanOrEqual(plans[i - 1].unusedAfter);
    expect(plans[3].unusedAfter).toBeGreaterThan(0);
  });

  test('keeps exactly one copy of what is stored twice', async () => {
    const storage = await twice(many.clone());
    const before = await planPrune(await open(storage), noLimit, options());
    expect(before.duplicate.blobs).toBeGreaterThan(10);
    await executePrune(await open(storage), noLimit, options());
    const result = await check(await open(storage), { readData: 'all' });
    expect(result.findings).toEqual([]);
    const after = await planPrune(await open(storage), noLimit, options());
    expect([after.duplicate.blobs, after.used.blobs]).toEqual([0, before.used.blobs]);
  });

  test('deletes packs that no index names, and forgets missing ones that nobody needs', async () => {
    const storage = many.clone();
    const repository = await open(storage);
    await storage.save({ kind: 'pack', name: 'cd'.repeat(32) }, [Buffer.from('left over')]);
    const plan = await planForget(repository, { policy: { keep: { last: 1 } }, now: Number.MAX_SAFE_INTEGER });
    await executeForget(repository, plan, options());
    const { remove } = await planPrune(repository, noLimit, options());
    expect(remove.length).toBeGreaterThan(1);
    // One is missing, another is too short: nobody needs either.
    storage.tamper({ kind: 'pack', name: remove[0].pack }, () => undefined);
    storage.tamper({ kind: 'pack', name: remove[1].pack }, (bytes) => bytes.slice(1));
    const result = await executePrune(repository, noLimit, options());
    expect(result.plan.unindexed.map(({ pack }) => pack)).toEqual(['cd'.repeat(32)]);
    expect(result.plan.forgotten).toEqual([remove[0].pack]);
    expect((await check(repository, { readData: 'all' })).findings).toEqual([]);
  });

  test('joins many small packs', async () => {
    const storage = new MemoryStorage();
    const repository = await newRepository(storage);
    const folder = scratch('prune-small');
    for (let i = 0; i < 6; i++) {
      writeFileSync(join(folder, `file ${i}`), noise(i + 1, 1000));
      await backup(repository, folder);
    }
    const { plan } = await executePrune(repository, {}, runOptions());
    expect(plan.repack.length).toBe(12);
    expect((await allFiles(storage)).filter(({ kind }) => kind === 'pack')).toHaveLength(2);
    expect((await check(repository, { readData: 'all' })).findings).toEqual([]);
  });
});

describe('prune refuses', () => {
  const refused = { code: 'prune-refused' };
  const expectRefusal = async (storage: MemoryStorage, context: string): Promise<void> => {
    const before = storage.dump();
    await expect(executePrune(await open(storage), noLimit, options()), context).rejects.toMatchObject(refused);
    expect(storage.dump(), context).toEqual(before);
  };

  test('when a needed pack, an index file or a snapshot is missing, damaged or too short', async () => {
    for (const [i, file] of (await allFiles(many)).entries()) {
      if (file.kind !== 'pack' && file.kind !== 'index' && file.kind !== 'snapshot') continue;
      if (file.kind === 'pack' && i % 4 !== 0) continue;
      const short = many.clone();
      short.tamper(file, (bytes) => bytes.slice(0, -3));
      await expectRefusal(short, `${file.kind} ${file.name} too short`);
      if (file.kind === 'snapshot') continue;
      const missing = many.clone();
      missing.tamper(file, () => undefined);
      await expectRefusal(missing, `${file.kind} ${file.name} missing`);
    }
  });

  test('when data to be moved is damaged', async () => {
    const thinned = many.clone();
    const repository = await open(thinned);
    await executeForget(
      repository,
      await planForget(repository, { policy: { keep: { last: 1 } }, now: Number.MAX_SAFE_INTEGER }),
      options(),
    );
    const { repack } = await planPrune(repository, noLimit, options());
    expect(repack.length).toBeGreaterThan(0);
    let refusals = 0;
    for (const { pack } of repack) {
      const storage = thinned.clone();
      // Whatever is damaged, a blob that is needed or one that is not.
      storage.tamper({ kind: 'pack', name: pack }, (bytes) => bytes.map((byte, at) => (at % 1000 === 999 ? byte ^ 1 : byte)));
      await expect(executePrune(await open(storage), noLimit, options())).rejects.toMatchObject(refused);
      refusals += 1;
      // What was there before is there still.
      for (const file of await allFiles(thinned)) expect(await storage.size(file)).toBe(await thinned.size(file));
    }
    expect(refusals).toBe(repack.length);
  });
});

describe('a prune that does not end', () => {
  test('leaves a sound repository after every write and every removal', async () => {
    const start = await twice(many.clone()).then((storage) => storage.clone());
    await thin(await open(start));
    const samples = new Set([1, 2, 3, 4, 5].map((i) => Math.round((i * start.mutations) / 6)));
    for (let n = 0; n <= start.mutations; n++) {
      const cut = start.replay(n);
      await expectSound(cut, `after ${n} of ${start.mutations}`);
      const left = (await (await open(cut)).names('snapshot')).length;
      expect(left).toBeGreaterThanOrEqual(1);
      if (!samples.has(n)) continue;
      const folder = await writeToDisk(cut, scratch('prune-cut'));
      await new Restic(folder, password).must(['check', '--read-data', '--no-lock']);
      // The next one finishes the work.
      for (const file of await allFiles(cut)) if (file.kind === 'lock') await cut.remove(file);
      await thin(await open(cut));
      expect((await check(await open(cut), { readData: 'all' })).findings, `finished after ${n}`).toEqual([]);
    }
  });

  test('because an operation failed says so, and the repository is sound', async () => {
    const probe = new FaultyStorage(many.clone());
    const opened = await open(probe);
    probe.script([]);
    const before = probe.calls.length;
    await thin(opened);
    const operations = probe.calls.length - before;
    expect(operations).toBeGreaterThan(40);
    for (let nth = 1; nth <= operations; nth++) {
      const inner = many.clone();
      const faulty = new FaultyStorage(inner);
      const repository = await open(faulty);
      const opening = faulty.calls.length;
      faulty.script([{ at: { nth }, effect: { do: 'fail', when: nth % 2 === 0 ? 'after' : 'before' } }]);
      const outcome = await thin(repository).then(
        () => undefined,
        (error: unknown) => error as { code: string },
      );
      const call = faulty.calls[opening + nth - 1];
      // What is read is partly tried again, and a lock that cannot be removed afterwards goes stale: nothing else may go unsaid.
      if (outcome) expect(['storage-failed', 'prune-refused', 'lock-unreadable'], `operation ${nth}`).toContain(outcome.code);
      else expect(call === undefined || call.kind === 'lock' || call.call === 'load', `operation ${nth}`).toBe(true);
      if (call?.call === 'save' || call?.call === 'remove') await expectSound(inner, `operation ${nth}`);
    }
  });

  test('because it was cancelled leaves a sound repository, and the next one finishes', async () => {
    const whole = many.clone();
    await thin(await open(whole));
    const { mutations } = whole;
    for (let at = 1; at < mutations; at += 3) {
      const control = new RunControl();
      const storage = new CancellingStorage(many, control, at);
      await thin(await open(storage), control).catch((error: { code: string }) => expect(error.code).toBe('cancelled'));
      await expectSound(storage, `cancelled at ${at}`);
      await thin(await open(storage)).catch((error: { code: string }) => expect(error.code).toBe('retention-empties-group'));
      expect((await check(await open(storage), { readData: 'all' })).findings).toEqual([]);
    }
  });
});

describe('restic judges', () => {
  test('what our forget and prune left: it is clean, and the snapshot restores', async () => {
    const folder = await writeToDisk(many, scratch('prune-disk'));
    const storage = new LocalStorage(folder);
    const { prune } = await thin(await open(storage));
    expect(prune!.plan.repack.length).toBeGreaterThan(0);
    const restic = new Restic(folder, password);
    await expectCleanCheck(restic);
    await expectSnapshotRestores(restic, 'latest', source);
    await storage.close();
  });

  test('that we free about as much as it does', async () => {
    // Packs of restic's size, since small ones are repacked whatever the limit.
    const files = scratch('prune-large');
    const repo = scratch('prune-compare');
    const storage = new LocalStorage(repo);
    const repository = await newRepository(storage);
    for (let n = 0; n < 3; n++) {
      mkdirSync(join(files, 'd'), { recursive: true });
      for (let i = 0; i < 60; i++) writeFileSync(join(files, 'd', `${i}`), noise(i % 3 === 0 ? i + 1 : i + 1 + 500 * n, 700_000));
      await backup(repository, files, 4 << 20);
    }
    for (const limit of ['0', '5%', '30%', 'unlimited']) {
      const ours = scratch('prune-ours');
      const theirs = scratch('prune-theirs');
      cpSync(repo, ours, { recursive: true });
      cpSync(repo, theirs, { recursive: true });
      const restic = new Restic(theirs, password);
      await restic.forget(['--keep-last', '1', '--prune', '--max-unused', limit, '--pack-size', '4']);
      const mine = new LocalStorage(ours);
      await thin(await open(mine), undefined, { maxUnused: parseMaxUnused(limit) });
      const [a, b] = [await packBytes(mine), await packBytes(new LocalStorage(theirs))];
      expect(Math.abs(a - b) / b, `${limit}: ${a} against ${b}`).toBeLessThan(0.03);
      await expectCleanCheck(new Restic(ours, password));
      // And we have nothing to say about what it left.
      const judged = await check(await open(new LocalStorage(theirs)), { readData: 'all' });
      expect(told(judged)).toEqual([]);
    }
  });
});

/** Every blob is stored a second time, in packs of another order. */
async function twice(storage: MemoryStorage): Promise<MemoryStorage> {
  const bare = new MemoryStorage('bare');
  for (const file of await allFiles(storage))
    if (file.kind === 'config' || file.kind === 'key') await bare.save(file, [await storage.load(file)]);
  await backup(await open(bare), source, smallPack * 2);
  for (const file of await allFiles(bare))
    if (file.kind === 'pack' || file.kind === 'index') await storage.save(file, [await bare.load(file)]);
  return storage;
}
