import { existsSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { Plan } from '../../../src/contract/plan.ts';
import { Restic } from '../../support/restic.ts';
import { seededBytes, seededRandom } from '../../support/seeded.ts';
import { connectFolder, createPlan, ended, password, type RunningService, startService } from '../../support/service.ts';
import { tree } from '../../support/tree-literal.ts';

async function withBackups(service: RunningService, count = 2) {
  const { folder } = service;
  const source = tree(join(folder, 'src'), { a: seededBytes(seededRandom(1), 300_000), b: { c: 'c' } });
  const old = await connectFolder(service, 'old');
  const plan = await createPlan(service, source, old);
  for (let i = 0; i < count; i++) {
    writeFileSync(join(source, 'changing'), String(i));
    await backUp(service, plan);
  }
  return { source, old, plan };
}

async function backUp(service: RunningService, { id: plan }: Pick<Plan, 'id'>) {
  const run = await ended(service, (await service.client.runs.start({ plan })).id);
  expect(run.status).toBe('succeeded');
  return run;
}

const resticAt = ({ folder }: RunningService, name: string): Restic => new Restic(join(folder, name), password);
const logOf = async ({ client }: RunningService, id: number): Promise<string> =>
  (await client.runs.log({ id })).lines.map(({ text }) => text).join('\n');

test('a destination is moved: the new place checks clean before it is used, and the old one stays as it was', async () => {
  const service = await startService();
  const { client, folder } = service;
  const { old, plan } = await withBackups(service);
  const to = join(folder, 'new');
  const run = await ended(service, (await client.moves.destination({ destination: old.id, place: to })).id);
  expect(run).toMatchObject({ kind: 'move', status: 'succeeded', destination: old.id });
  expect(await logOf(service, run.id)).toMatch(/is whole\. From now on that is the destination\.\n.*still holds everything as it was/);
  expect((await client.state()).destinations).toMatchObject([{ id: old.id, name: old.name, place: to, repository: old.repository }]);
  await backUp(service, plan);
  expect(await resticAt(service, 'new').snapshots()).toHaveLength(3);
  expect(await resticAt(service, 'old').snapshots()).toHaveLength(2);
  await resticAt(service, 'new').must(['check', '--read-data']);
  await resticAt(service, 'old').must(['check', '--read-data']);
});

test('the old place is emptied only if that was said', async () => {
  const service = await startService();
  const { client, folder } = service;
  const { old } = await withBackups(service);
  const run = await ended(
    service,
    (await client.moves.destination({ destination: old.id, place: join(folder, 'new'), removeOld: true })).id,
  );
  expect(run.status).toBe('succeeded');
  await resticAt(service, 'new').must(['check', '--read-data']);
  expect(existsSync(join(folder, 'old')) ? readdirSync(join(folder, 'old')) : []).toEqual([]);
  // Nothing of the move is left in the keychain.
  expect([...service.keeper.kept.keys()].filter((name) => name.includes('moving'))).toEqual([]);
});

test('a place that holds something else is refused, and so is a second move', async () => {
  const service = await startService();
  const { client, folder } = service;
  const { old, plan } = await withBackups(service, 1);
  tree(join(folder, 'new'), { 'letter.txt': 'dear' });
  const run = await ended(service, (await client.moves.destination({ destination: old.id, place: join(folder, 'new') })).id);
  expect(run).toMatchObject({ status: 'failed', error: { code: 'place-occupied' } });
  expect((await client.state()).destinations[0].place).toBe(old.place);
  const same = client.moves.destination({ destination: old.id, place: old.place });
  await expect(same).rejects.toMatchObject({ code: 'same-place' });
  await expect(client.moves.plan({ plan: plan.id, to: old.id })).rejects.toMatchObject({ code: 'same-place' });
  await backUp(service, plan);
});

test('a damaged repository is not moved, and stays the destination', async () => {
  const service = await startService();
  const { client, folder } = service;
  const { old } = await withBackups(service, 1);
  const packs = readdirSync(join(folder, 'old/data'), { recursive: true, withFileTypes: true }).filter((each) => each.isFile());
  rmSync(join(packs[0].parentPath, packs[0].name));
  writeFileSync(join(packs[0].parentPath, packs[0].name), 'rot');
  const run = await ended(service, (await client.moves.destination({ destination: old.id, place: join(folder, 'new') })).id);
  expect(run).toMatchObject({ status: 'failed', error: { code: 'move-stopped' } });
  expect((await client.state()).destinations[0].place).toBe(old.place);
});

test('a plan is moved to another destination: its snapshots are there and checked before it uses it; others stay', async () => {
  const service = await startService();
  const { client } = service;
  const { source, old, plan } = await withBackups(service);
  const other = await createPlan(service, join(source, 'b'), old, { name: 'Other' });
  await backUp(service, other);
  const next = await connectFolder(service, 'next');
  const run = await ended(service, (await client.moves.plan({ plan: plan.id, to: next.id })).id);
  expect(run).toMatchObject({ kind: 'move', status: 'succeeded', plan: plan.id });
  const plans = new Map((await client.state()).plans.map((each) => [each.id, each.destinations]));
  expect(plans.get(plan.id)).toEqual([{ destination: next.id, role: 'primary' }]);
  expect(plans.get(other.id)).toEqual([{ destination: old.id, role: 'primary' }]);
  expect(await resticAt(service, 'next').snapshots()).toHaveLength(2);
  expect(await resticAt(service, 'old').snapshots()).toHaveLength(3);
  expect(await backUp(service, plan)).toMatchObject({ destination: next.id, strategy: 'incremental' });
  await resticAt(service, 'next').must(['check', '--read-data']);
});

test('what the plan had on the old destination is let go only if that was said; a role that the new one had is replaced', async () => {
  const service = await startService();
  const { client } = service;
  const { source, old, plan } = await withBackups(service);
  const other = await createPlan(service, join(source, 'b'), old, { name: 'Other' });
  const kept = await backUp(service, other);
  const next = await connectFolder(service, 'next');
  const { id, ...input } = plan;
  const roles = [
    { destination: next.id, role: 'standby' as const },
    { destination: old.id, role: 'primary' as const },
  ];
  await client.plans.change({ id, plan: { ...input, destinations: roles } });
  const run = await ended(service, (await client.moves.plan({ plan: plan.id, to: next.id, forgetOld: true })).id);
  expect(run.status).toBe('succeeded');
  expect((await client.state()).plans[0].destinations).toEqual([{ destination: next.id, role: 'primary' }]);
  expect((await resticAt(service, 'old').snapshots()).map((snapshot) => snapshot.id)).toEqual([kept.snapshot]);
  await resticAt(service, 'old').must(['check', '--read-data']);
  await resticAt(service, 'next').must(['check', '--read-data']);
});

test('a plan of which a snapshot cannot be copied whole stays where it is', async () => {
  const service = await startService();
  const { client, folder } = service;
  const { old, plan } = await withBackups(service, 1);
  const next = await connectFolder(service, 'next');
  const packs = readdirSync(join(folder, 'old/data'), { recursive: true, withFileTypes: true }).filter((each) => each.isFile());
  for (const { parentPath, name } of packs) rmSync(join(parentPath, name));
  const run = await ended(service, (await client.moves.plan({ plan: plan.id, to: next.id, forgetOld: true })).id);
  expect(run).toMatchObject({ status: 'failed', error: { code: 'move-stopped' } });
  expect((await client.state()).plans[0].destinations).toEqual([{ destination: old.id, role: 'primary' }]);
  expect(await resticAt(service, 'old').snapshots()).toHaveLength(1);
});
