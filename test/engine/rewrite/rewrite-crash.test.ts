/** A rewrite that does not end: whatever happened, every snapshot is there, old or new, and the same again completes it. */
import { spawnSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { compileExcludes } from '../../../src/engine/backup/exclude.ts';
import { executeCheck } from '../../../src/engine/check/check.ts';
import { planCheck } from '../../../src/engine/check/plan.ts';
import { executeRewrite, type RewriteOptions } from '../../../src/engine/rewrite/rewrite.ts';
import { RunControl } from '../../../src/platform/cancellation.ts';
import { type Effect, FaultyStorage } from '../../../src/storage/faulty.ts';
import { LocalStorage } from '../../../src/storage/local.ts';
import { MemoryStorage } from '../../../src/storage/memory.ts';
import type { Storage } from '../../../src/storage/storage.ts';
import { Repository } from '../../../src/repository/repository.ts';
import { CancellingStorage } from '../../support/cancelling-storage.ts';
import { backup, makeRepository, openRepository, resticOn, runOptions } from '../../support/engine.ts';
import { hasty } from '../../support/hostile.ts';
import { expectCleanCheck } from '../../support/judge.ts';
import { atEveryPrefix, deadHolder } from '../../support/prefixes.ts';
import { seededRandom } from '../../support/seeded.ts';
import { killAt } from '../../support/targeting.ts';
import { scratch, sharedScratch } from '../../support/tree-literal.ts';
import { refuseUnhandledRejections } from '../../support/unhandled.ts';
import { expectWhole, type SnapshotContent } from '../../support/whole-repository.ts';
import { writeToDisk } from '../check-fixture.ts';

refuseUnhandledRejections();

const program = join(import.meta.dirname, '../../support/rewrite-process.ts');
const place = sharedScratch('rewrite-crash');
const source = join(place, 'source');
const base = new MemoryStorage('the destination');
/** What each snapshot holds, and has to hold once it is rewritten. */
const expected = new Map<string, { before: SnapshotContent; after: SnapshotContent }>();
/** So small that the new trees fill several packs. */
const packSize = 1 << 10;

beforeAll(async () => {
  const repository = await makeRepository(base);
  for (let n = 0; n < 2; n++) {
    for (let i = 0; i < 6; i++) {
      const folder = join(source, `folder ${i}`);
      mkdirSync(folder, { recursive: true });
      writeFileSync(join(folder, `kept ${i % 2 === 0 ? n : 0}.txt`), `content ${i} of ${n}`);
      writeFileSync(join(folder, 'secret.key'), `key ${i}`);
    }
    await backup(repository, source, { ...hasty, packSize });
  }
  for (const [id, before] of (await expectWhole(base)).snapshots)
    expected.set(id, { before, after: new Map([...before].filter(([path]) => !path.endsWith('.key'))) });
});

const rules = compileExcludes({ patterns: ['*.key'] });
const rewrite = async (storage: Storage | Repository, forget: boolean, options: Partial<RewriteOptions> = {}) => {
  const repository = storage instanceof Repository ? storage : await openRepository(storage);
  return executeRewrite(repository, { rules, forget }, { ...runOptions(hasty), packSize, ...options });
};

/** Each snapshot is there as it was, or its successor is, or both are; nothing else. */
async function expectEverySnapshot(storage: Storage, forget: boolean): Promise<void> {
  const { snapshots } = await expectWhole(storage);
  const repository = await openRepository(storage);
  const all = await repository.snapshots();
  for (const [id, { before, after }] of expected) {
    const old = snapshots.get(id);
    const successors = all.filter(({ original }) => original === id);
    if (old) expect(old).toEqual(before);
    expect(successors.length).toBeLessThanOrEqual(1);
    for (const each of successors) expect(snapshots.get(each.id)).toEqual(after);
    if (!old) expect([forget, successors.length], `snapshot ${id}`).toEqual([true, 1]);
  }
}

/** The same again completes it: one successor of each, and no more. */
async function expectCompletion(storage: Storage, forget: boolean): Promise<void> {
  const { plan } = await rewrite(storage, forget);
  expect(plan.problems).toEqual([]);
  const { snapshots, unindexed, stored } = await expectWhole(storage);
  expect(snapshots.size).toBe(expected.size * (forget ? 1 : 2));
  const repository = await openRepository(storage);
  const originals = (await repository.snapshots()).flatMap(({ original }) => (original === undefined ? [] : [original]));
  expect(originals.sort()).toEqual([...expected.keys()].sort());
  await expectEverySnapshot(storage, forget);
  // What the run before had packed was taken over, not stored once more.
  expect({ unindexed, copies: stored.copies }).toEqual({ unindexed: [], copies: 0 });
}

describe.each([[true], [false]])('a rewrite (old snapshots go: %s)', (forget) => {
  test('that ends after any of its writes leaves every snapshot, and the same again completes it', async () => {
    const storage = base.clone();
    await rewrite(storage, forget, { holder: deadHolder() });
    // Several packs, an index, the snapshots and the lock.
    expect(storage.mutations).toBeGreaterThan(2 + 3 + expected.size * (forget ? 2 : 1));
    const sizes = new Set<number>();
    await atEveryPrefix(storage, 0, async (state) => {
      await expectEverySnapshot(state, forget);
      const repository = await openRepository(state);
      const { findings } = await executeCheck(repository, await planCheck(repository), runOptions(hasty));
      expect(findings.filter(({ severity }) => severity !== 'note')).toEqual([]);
      sizes.add((await expectWhole(state)).snapshots.size);
      await expectCompletion(state, forget);
    });
    expect(sizes.size).toBeGreaterThan(1);
  });

  test('in which any operation fails says so, leaves every snapshot, and the same again completes it', async () => {
    const probe = new FaultyStorage(base.clone());
    const opened = await openRepository(probe);
    const opening = probe.calls.length;
    await rewrite(opened, forget);
    const operations = probe.calls.length - opening;
    expect(operations).toBeGreaterThan(30);
    let named = 0;
    for (let nth = 1; nth <= operations; nth++) {
      const inner = base.clone();
      const faulty = new FaultyStorage(inner);
      const repository = await openRepository(faulty);
      faulty.script([{ at: { nth }, effect: { do: 'fail', when: nth % 2 === 0 ? 'after' : 'before' } }]);
      const outcome = await rewrite(repository, forget).then(
        (result) => result,
        (error: unknown) => error as { code: string },
      );
      const call = faulty.calls[opening + nth - 1]!;
      const at = `operation ${nth}, ${call.call} ${call.kind}`;
      if ('code' in outcome) expect(['storage-failed', 'lock-unreadable'], at).toContain(outcome.code);
      else {
        // What is read is partly tried again, or the snapshot concerned is named; a lock that cannot be removed goes stale.
        const { problems, damage } = outcome.plan;
        if (problems.length + damage.length > 0) named += 1;
        else expect(call.kind === 'lock' || call.call === 'load', at).toBe(true);
      }
      await expectEverySnapshot(inner, forget);
      await expectCompletion(inner, forget);
    }
    expect(named).toBeGreaterThan(0);
  });

  test('that is cancelled at any of its writes leaves every snapshot, and the same again completes it', async () => {
    const whole = base.clone();
    await rewrite(whole, forget);
    const outcomes = new Set<string>();
    for (let nth = 1; nth <= whole.mutations; nth++) {
      const control = new RunControl();
      const storage = new CancellingStorage(base, control, nth);
      outcomes.add(
        await rewrite(storage, forget, { control }).then(
          () => 'done',
          (error: { code: string }) => error.code,
        ),
      );
      await expectEverySnapshot(storage, forget);
      expect((await expectWhole(storage)).unindexed).toEqual([]);
      await expectCompletion(storage, forget);
    }
    expect([...outcomes].sort()).toEqual(['cancelled', 'done']);
  });

  test.each<[string, Effect]>([
    ['stores nothing and says it did', { do: 'lose' }],
    ['stores half and says it stored all', { do: 'tear', length: 60 }],
  ])('on a destination that %s takes no snapshot away', async (_, effect) => {
    for (let nth = 1; nth <= expected.size; nth++) {
      const inner = base.clone();
      const storage = new FaultyStorage(inner, { faults: [{ at: { call: 'save', kind: 'snapshot', nth }, effect }] });
      await expect(rewrite(storage, forget)).rejects.toBeInstanceOf(Error);
      for (const file of inner.files()) if (file.kind === 'snapshot' && (await inner.size(file)) === 60) await inner.remove(file);
      await expectEverySnapshot(inner, forget);
      await expectCompletion(inner, forget);
    }
  });
});

/** System calls by which a rewrite changes a folder, and how often one of its threads makes each at least. */
const changing: readonly (readonly [call: string, count: number])[] = [
  ['fsync', 8],
  ['rename', 3],
  ['unlink', 2],
];

test('whose process is killed at any moment leaves every snapshot, and the same again completes it', async () => {
  const random = seededRandom(31);
  let killed = 0;
  for (const [call, count] of changing)
    for (let round = 0; round < 3; round++) {
      const folder = await writeToDisk(base, scratch('rewrite-kill'));
      const [command, ...args] = [...killAt(call, 1 + Math.floor(random() * count)), process.execPath, program, folder, '*.key', 'forget'];
      const { signal, status, stderr } = spawnSync(command!, args, { encoding: 'utf8' });
      if (signal || status === 137) killed += 1;
      else expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
      const storage = new LocalStorage(folder);
      await expectEverySnapshot(storage, true);
      await expectCompletion(storage, true);
      await expectCleanCheck(resticOn(folder));
    }
  expect(killed).toBeGreaterThan(changing.length);
});

test('restic finds nothing wrong after any third of its writes, and everything restores', async () => {
  const storage = base.clone();
  await rewrite(storage, true, { holder: deadHolder() });
  for (let mutations = 1; mutations <= storage.mutations; mutations += 3) {
    const folder = await writeToDisk(storage.replay(mutations), scratch('rewrite-cut'));
    await expectCleanCheck(resticOn(folder), { noLock: true, unindexedPacks: true });
  }
});

test('an encoder that flips one bit ends the run before a snapshot is saved', async () => {
  const storage = base.clone();
  const repository = await openRepository(storage);
  await expect(
    executeRewrite(repository, { rules, forget: true }, { ...runOptions({ ...hasty, corruptBlob: 3 }), packSize }),
  ).rejects.toMatchObject({
    code: 'encoding-failed',
  });
  expect([...(await expectWhole(storage)).snapshots.keys()].sort()).toEqual([...expected.keys()].sort());
});

test('a pack that is said to hold a new tree, and is gone, is not relied on', async () => {
  const storage = base.clone();
  await rewrite(storage, false);
  const repository = await openRepository(storage);
  // The successors go, and so does a pack of theirs; the index still names it.
  for (const { id, original } of await repository.snapshots())
    if (original !== undefined) await storage.remove({ kind: 'snapshot', name: id });
  const old = new Set(base.files().map(({ name }) => name));
  const [pack] = storage.files().filter(({ kind, name }) => kind === 'pack' && !old.has(name));
  storage.tamper(pack!, () => undefined);
  const { plan } = await rewrite(storage, true);
  expect(plan.problems).toEqual([]);
  const { findings } = await executeCheck(repository, await planCheck(repository, { readData: 'snapshot' }), runOptions(hasty));
  expect(findings.filter(({ code, severity }) => severity !== 'note' && code !== 'pack-missing')).toEqual([]);
  expect(findings.flatMap(({ paths }) => paths)).toEqual([]);
});
