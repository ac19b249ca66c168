import { beforeAll, expect, test } from 'vitest';
import { executeForget, planForget } from '../../src/engine/forget.ts';
import { RunControl } from '../../src/platform/cancellation.ts';
import { MemoryStorage } from '../../src/storage/memory.ts';
import { scratch, sharedScratch } from '../support/tree-literal.ts';
import { backup, check, open, repositoryWithGenerations, runOptions, writeGeneration } from './check-fixture.ts';

const source = sharedScratch('forget-source');
const three = new MemoryStorage();
let ids: string[] = [];
beforeAll(async () => {
  ({ snapshots: ids } = await repositoryWithGenerations(three, source, 3, 3));
});
const now = Number.MAX_SAFE_INTEGER;

test('a policy removes what it does not keep, the oldest first, and tells the reasons for the rest', async () => {
  const storage = three.clone();
  const repository = await open(storage);
  const plan = await planForget(repository, { policy: { keep: { last: 1 } }, now });
  expect(plan.remove).toEqual(ids.slice(0, 2));
  expect(plan.groups).toHaveLength(1);
  expect(plan.groups[0].keep.map(({ snapshot, reasons }) => [snapshot.id, reasons])).toEqual([[ids[2], ['last snapshot']]]);
  expect(await repository.names('snapshot')).toHaveLength(3);
  const told: string[] = [];
  const { removed, prune } = await executeForget(repository, plan, { ...runOptions(), onRemoved: (id) => told.push(id) });
  expect([removed, told, prune]).toEqual([ids.slice(0, 2), ids.slice(0, 2), undefined]);
  expect(await repository.names('snapshot')).toEqual([ids[2]]);
  expect((await check(repository, { readData: 'all' })).errors).toBe(0);
});

test('a policy that would empty a group is refused', async () => {
  const repository = await open(three.clone());
  await expect(planForget(repository, { policy: {}, now })).rejects.toMatchObject({ code: 'retention-empties-group' });
});

test('snapshots are removed by the beginning of their ID', async () => {
  const repository = await open(three.clone());
  const plan = await planForget(repository, { snapshots: [ids[1].slice(0, 12), 'latest'] });
  expect(plan.remove).toEqual([ids[1], ids[2]]);
  await executeForget(repository, plan, runOptions());
  expect(await repository.names('snapshot')).toEqual([ids[0]]);
});

test('the last snapshot of a group goes only by force', async () => {
  const repository = await open(three.clone());
  await expect(planForget(repository, { snapshots: ids })).rejects.toMatchObject({ code: 'last-of-group' });
  const plan = await planForget(repository, { snapshots: ids, force: true });
  await executeForget(repository, plan, { ...runOptions(), prune: {} });
  expect(await repository.names('snapshot')).toEqual([]);
  expect(await repository.names('pack')).toEqual([]);
  expect((await check(repository)).findings).toEqual([]);
});

test('a snapshot of another folder does not keep a group alive', async () => {
  const storage = three.clone();
  const repository = await open(storage);
  const other = scratch('forget-other');
  writeGeneration(other, 0, 2);
  await backup(repository, other);
  await expect(planForget(repository, { snapshots: ids })).rejects.toMatchObject({ code: 'last-of-group' });
});

test('an unknown, an empty and an ambiguous name are refused', async () => {
  const repository = await open(three.clone());
  for (const wanted of ['ff'.repeat(32), 'no ID', '']) {
    await expect(planForget(repository, { snapshots: [wanted] })).rejects.toMatchObject({ code: 'snapshot-not-found' });
  }
  await expect(planForget(repository, { snapshots: [] })).rejects.toMatchObject({ code: 'bad-usage' });
});

test('a damaged snapshot stays under a policy and goes when it is named', async () => {
  const storage = three.clone();
  storage.tamper({ kind: 'snapshot', name: ids[0] }, (bytes) => bytes.fill(3));
  const repository = await open(storage);
  const plan = await planForget(repository, { policy: { keep: { last: 1 } }, now });
  expect(plan.remove).toEqual([ids[1]]);
  expect(plan.damaged.map(({ id }) => id)).toEqual([ids[0]]);
  const named = await planForget(repository, { snapshots: [ids[0]] });
  expect(named.remove).toEqual([ids[0]]);
  await executeForget(repository, named, runOptions());
  expect((await check(repository, { readData: 'all' })).errors).toBe(0);
});

test('nothing is removed when a snapshot that was to be kept has gone meanwhile', async () => {
  const storage = three.clone();
  const repository = await open(storage);
  const plan = await planForget(repository, { policy: { keep: { last: 1 } }, now });
  await storage.remove({ kind: 'snapshot', name: ids[2] });
  await expect(executeForget(repository, plan, runOptions())).rejects.toMatchObject({ code: 'plan-outdated' });
  expect(await repository.names('snapshot')).toHaveLength(2);
});

test('a snapshot that another program has forgotten meanwhile is no problem', async () => {
  const storage = three.clone();
  const repository = await open(storage);
  const plan = await planForget(repository, { policy: { keep: { last: 1 } }, now });
  await storage.remove({ kind: 'snapshot', name: ids[0] });
  expect((await executeForget(repository, plan, runOptions())).removed).toEqual([ids[1]]);
});

test('a cancelled run removes nothing more', async () => {
  const repository = await open(three.clone());
  const plan = await planForget(repository, { policy: { keep: { last: 1 } }, now });
  const control = new RunControl();
  const run = executeForget(repository, plan, { ...runOptions(control), onRemoved: () => control.cancel() });
  await expect(run).rejects.toMatchObject({ code: 'cancelled' });
  expect(await repository.names('snapshot')).toEqual([ids[1], ids[2]].sort());
});
