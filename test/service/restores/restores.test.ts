import { existsSync, readdirSync, readFileSync, rmSync, statSync, truncateSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { execFileSync } from 'node:child_process';
import type { DestinationView } from '../../../src/contract/destination.ts';
import type { RestoreRequestInput } from '../../../src/contract/restore-request.ts';
import type { Run } from '../../../src/contract/run.ts';
import { failureOf } from '../../support/failure-of.ts';
import { expectSameTree } from '../../support/judge.ts';
import { Restic } from '../../support/restic.ts';
import { seededBytes, seededRandom } from '../../support/seeded.ts';
import { connectFolder, createPlan, ended, password, type RunningService, startService } from '../../support/service.ts';
import { tree } from '../../support/tree-literal.ts';

interface Setting {
  readonly service: RunningService;
  readonly source: string;
  readonly destination: DestinationView;
  readonly snapshot: string;
}

async function setting(): Promise<Setting> {
  const service = await startService();
  const { client, folder } = service;
  const source = tree(join(folder, 'src'), {
    'a.txt': 'as it was',
    big: seededBytes(seededRandom(1), 300_000),
    docs: { 'b.txt': 'b', deep: { c: 'c' } },
    other: { d: 'd' },
  });
  const destination = await connectFolder(service);
  const plan = await createPlan(service, source, destination);
  const run = await ended(service, (await client.runs.start({ plan: plan.id })).id);
  return { service, source, destination, snapshot: run.snapshot! };
}

async function restored({ service }: Setting, request: RestoreRequestInput): Promise<Run> {
  return ended(service, (await service.client.restore.start(request)).id);
}

async function dryRun({ service: { client } }: Setting, request: RestoreRequestInput) {
  const { sheet } = await client.restore.preview.begin(request);
  let page = await client.restore.preview.page({ sheet, limit: 1000 });
  while (!page.isComplete) {
    await client.restore.preview.page({ sheet, after: page.counted });
    page = await client.restore.preview.page({ sheet, limit: 1000 });
  }
  return page;
}

test('chosen items go below another folder, by their way from what they share, and every byte is compared', async () => {
  const at = await setting();
  const { service, source, snapshot, destination } = at;
  const target = join(service.folder, 'back');
  const request: RestoreRequestInput = {
    snapshot,
    items: [`${source}/docs`, `${source}/a.txt`],
    target: { kind: 'folder', path: target },
  };
  const planned = await dryRun(at, request);
  expect(planned.summary).toMatchObject({ create: 5, replace: 0, keep: 0, folders: 2, problemCount: 0 });
  expect(planned.summary!.freeBytes).toBeGreaterThan(0);
  expect(existsSync(target)).toBe(false);
  const run = await restored(at, request);
  expect(run).toMatchObject({
    kind: 'restore',
    status: 'succeeded',
    snapshot,
    destinationName: 'repo',
    planName: 'Documents',
    problems: 0,
  });
  expect(readdirSync(target).sort()).toEqual(['a.txt', 'docs']);
  await expectSameTree(join(source, 'docs'), join(target, 'docs'));
  const receipt = await service.client.restore.receipt({ run: run.id });
  expect(receipt).toMatchObject({
    result: 'succeeded',
    destination: { id: destination.id, name: 'repo' },
    failedDestinations: [],
    created: 5,
    compared: { entries: 3, bytes: 11, different: 0 },
    problemCount: 0,
    undo: null,
    error: null,
  });
  expect(await service.client.restore.request({ run: run.id })).toMatchObject({ items: request.items, conflicts: 'keep-newer' });
  const facts = await service.client.home.facts();
  expect(facts.plans[0].lastTest).toMatchObject({ run: run.id, compared: 3, different: 0 });
  expect(facts.plans[0].days.at(-1)!.isTested).toBe(true);
});

test('what is there already is treated as is chosen, and the dry run says so before', async () => {
  const at = await setting();
  const { source, snapshot } = at;
  const changed = join(source, 'a.txt');
  const old = new Date('2001-01-01');
  const request = (conflicts: RestoreRequestInput['conflicts']): RestoreRequestInput => ({
    snapshot,
    items: [changed],
    target: { kind: 'original' },
    conflicts,
  });
  writeFileSync(changed, 'somebody has changed it');
  const actions = async (conflicts: RestoreRequestInput['conflicts']): Promise<string[]> =>
    (await dryRun(at, request(conflicts))).rows.filter(({ type }) => type === 'file').map(({ action }) => action);
  expect(await actions('keep-newer')).toEqual(['keep']);
  expect(await actions('skip')).toEqual(['keep']);
  expect(await actions('keep-both')).toEqual(['beside']);
  expect(await actions('overwrite')).toEqual(['replace']);
  utimesSync(changed, old, old);
  expect(await actions('keep-newer')).toEqual(['replace']);
  const [row] = (await dryRun(at, request('overwrite'))).rows.filter(({ type }) => type === 'file');
  expect(row).toMatchObject({ path: changed, size: 9, existingSize: 23, existingChanged: old.getTime() });
  expect((await restored(at, request('skip'))).status).toBe('succeeded');
  expect(readFileSync(changed, 'utf8')).toBe('somebody has changed it');
  const both = await restored(at, request('keep-both'));
  expect(both.figures).toMatchObject({ files: 1, filesChanged: 1 });
  const beside = readdirSync(source).filter((name) => name.startsWith('a') && name !== 'a.txt');
  expect(beside).toHaveLength(1);
  expect(readFileSync(join(source, beside[0]), 'utf8')).toBe('as it was');
});

test('a restore in place can be undone', async () => {
  const at = await setting();
  const { service, source, snapshot } = at;
  const { client } = service;
  writeFileSync(join(source, 'a.txt'), 'newer text');
  const run = await restored(at, { snapshot, items: [source], target: { kind: 'original' }, conflicts: 'overwrite' });
  expect(readFileSync(join(source, 'a.txt'), 'utf8')).toBe('as it was');
  const { undo } = await client.restore.receipt({ run: run.id });
  const [listed] = await client.restore.undo.list();
  expect(listed).toMatchObject({ id: undo, run: run.id, snapshot, state: 'whole' });
  const { sheet } = await client.restore.undo.preview.begin({ id: listed.id });
  let page = await client.restore.undo.preview.page({ sheet });
  while (!page.isComplete) page = await client.restore.undo.preview.page({ sheet });
  expect(page.rows).toContainEqual({ path: join(source, 'a.txt'), action: 'put-back', other: null });
  expect(page.summary).toMatchObject({ counts: { putBack: 1 }, problems: 0 });
  const undone = await ended(service, (await client.restore.undo.start({ id: listed.id })).id);
  expect(undone).toMatchObject({ kind: 'undo', status: 'succeeded', destination: null });
  expect(readFileSync(join(source, 'a.txt'), 'utf8')).toBe('newer text');
  expect(await client.restore.undo.list()).toEqual([]);
  expect(await failureOf(client.restore.undo.start({ id: listed.id }))).toBe('undo-not-found');
  await restored(at, { snapshot, items: [source], target: { kind: 'original' }, conflicts: 'overwrite' });
  const [again] = await client.restore.undo.list();
  await client.restore.undo.forget({ id: again.id });
  expect(await client.restore.undo.list()).toEqual([]);
});

test('a ZIP holds what was chosen, and replaces no file unasked', async () => {
  const at = await setting();
  const { service, source, snapshot } = at;
  const path = join(service.folder, 'out.zip');
  const request: RestoreRequestInput = { snapshot, items: [`${source}/docs`, `${source}/big`], target: { kind: 'zip', path } };
  expect((await dryRun(at, request)).rows.map((row) => row.path).sort()).toEqual([
    'big',
    'docs/',
    'docs/b.txt',
    'docs/deep/',
    'docs/deep/c',
  ]);
  const run = await restored(at, request);
  expect(run.status).toBe('succeeded');
  execFileSync('unzip', ['-q', path, '-d', join(service.folder, 'unzipped')]);
  expect(readFileSync(join(service.folder, 'unzipped/big')).equals(readFileSync(join(source, 'big')))).toBe(true);
  const { zipBytes, compared } = await service.client.restore.receipt({ run: run.id });
  expect(zipBytes).toBe(statSync(path).size);
  expect(compared).toMatchObject({ different: 0, bytes: zipBytes });
  expect((await restored(at, request)).error?.code).toBe('export-exists');
  const again = await restored(at, { ...request, target: { kind: 'zip', path, replace: true } });
  expect(again.status).toBe('succeeded');
});

test('a receipt can be saved as text, page and data, in both languages, and a name in it stays text', async () => {
  const at = await setting();
  const { service, snapshot } = at;
  const { client } = service;
  const odd = join(service.folder, '<img src=x onerror=alert(1)>');
  const run = await restored(at, { snapshot, items: ['/'], target: { kind: 'folder', path: odd } });
  const page = await client.restore.receiptFile({ run: run.id, format: 'html' });
  expect(page).toMatchObject({ mediaType: 'text/html', name: expect.stringMatching(/^holdfast-restore-\d+-\d{4}-\d\d-\d\d\.html$/) });
  expect(page.text).toContain('everything was restored');
  expect(page.text).not.toContain('<img');
  expect((await client.restore.receiptFile({ run: run.id, format: 'text', language: 'zh-CN' })).text).toContain('已全部恢复');
  const data = JSON.parse((await client.restore.receiptFile({ run: run.id, format: 'json' })).text) as object;
  expect(data).toEqual(await client.restore.receipt({ run: run.id }));
  const [backup] = (await client.runs.list({ kinds: ['backup'] })).runs;
  expect(await failureOf(client.restore.receipt({ run: backup.id }))).toBe('receipt-not-found');
  expect(await failureOf(client.restore.receipt({ run: 999 }))).toBe('run-not-found');
});

test('when a destination is away, or its data is damaged, another one that holds the snapshot is read', async () => {
  const at = await setting();
  const { service, source, snapshot, destination } = at;
  const { client, folder } = service;
  const second = await connectFolder(service, 'second');
  writeFileSync(join(folder, 'pw'), password);
  await new Restic(join(folder, 'second'), password).must([
    'copy',
    '--from-repo',
    join(folder, 'repo'),
    '--from-password-file',
    join(folder, 'pw'),
  ]);
  await client.snapshots.list({ fresh: true });
  const packs = join(folder, 'repo/data');
  for (const name of readdirSync(packs, { recursive: true, encoding: 'utf8' })) {
    const pack = join(packs, name);
    if (statSync(pack).isFile() && statSync(pack).size > 100_000) truncateSync(pack, 50_000);
  }
  const target = join(folder, 'back');
  const run = await restored(at, { snapshot, destination: destination.id, items: [source], target: { kind: 'folder', path: target } });
  expect(run.status).toBe('succeeded');
  await expectSameTree(source, join(target, 'src'));
  // What is damaged comes from the other one in the middle of it.
  expect(await client.restore.receipt({ run: run.id })).toMatchObject({
    destination: { id: destination.id },
    rescued: [{ name: 'second', pieces: expect.any(Number) }],
  });
  const [heal] = (await client.runs.list({ kinds: ['heal'] })).runs;
  expect(await ended(service, heal!.id)).toMatchObject({ cause: 'damage', status: 'succeeded' });
  rmSync(join(folder, 'repo'), { recursive: true });
  const away = await restored(at, {
    snapshot,
    destination: destination.id,
    items: [`${source}/docs`],
    target: { kind: 'folder', path: join(folder, 'again') },
  });
  expect(away.status).toBe('succeeded');
  const receipt = await client.restore.receipt({ run: away.id });
  expect(receipt).toMatchObject({ destination: { id: second.id }, failedDestinations: [{ id: destination.id, name: 'repo' }] });
  expect((await client.runs.log({ id: away.id })).lines.map(({ text }) => text).join()).toContain('“second”');
  rmSync(join(folder, 'second'), { recursive: true });
  const lost = await restored(at, { snapshot, items: [source], target: { kind: 'folder', path: join(folder, 'none') } });
  expect(lost).toMatchObject({ status: 'failed', error: { code: 'destination-not-plugged-in' } });
  expect((await client.restore.receipt({ run: lost.id })).result).toBe('failed');
});

test('a restore can be paused, goes on, and is cancelled; the next service takes up one that was cut off', async () => {
  const at = await setting();
  const { service, source, snapshot } = at;
  const { client, folder, keeper } = service;
  const target = join(folder, 'back');
  const run = await client.restore.start({ snapshot, items: [source], target: { kind: 'folder', path: target } });
  await client.runs.pause({ id: run.id });
  expect((await client.runs.get({ id: run.id })).status).toBe('paused');
  await service.close();
  const next = await startService({ folder, keeper });
  const { runs } = await next.client.runs.list({ kinds: ['restore'] });
  expect(runs.map(({ status, cause }) => [status, cause])).toEqual([
    ['paused', 'resumed'],
    ['interrupted', 'person'],
  ]);
  expect(await next.client.restore.request({ run: runs[0].id })).toMatchObject({ items: [source] });
  await next.client.runs.resume({ id: runs[0].id });
  expect((await ended(next, runs[0].id)).status).toBe('succeeded');
  await expectSameTree(source, join(target, 'src'));
  const other = await next.client.restore.start({ snapshot, items: [source], target: { kind: 'folder', path: join(folder, 'never') } });
  await next.client.runs.pause({ id: other.id });
  await next.client.runs.cancel({ id: other.id });
  expect((await ended(next, other.id)).status).toBe('cancelled');
});

test('a restore waits for no backup of the same destination', async () => {
  const at = await setting();
  const { service, source, snapshot, destination } = at;
  const { client, folder } = service;
  const plan = await createPlan(service, source, destination, { name: 'Second' });
  const backup = await client.runs.start({ plan: plan.id });
  const run = await client.restore.start({ snapshot, items: [`${source}/a.txt`], target: { kind: 'folder', path: join(folder, 'x') } });
  expect(run.status).toBe('running');
  expect((await ended(service, run.id)).status).toBe('succeeded');
  expect((await ended(service, backup.id)).status).toBe('succeeded');
});

test('deleted snapshots are gone with their data; pinned and last ones are not deleted unasked', async () => {
  const at = await setting();
  const { service, source, snapshot, destination } = at;
  const { client, folder } = service;
  expect(await failureOf(client.snapshots.delete({ snapshots: [snapshot] }))).toBe('last-of-group');
  writeFileSync(join(source, 'big'), seededBytes(seededRandom(2), 300_000));
  const [plan] = (await client.state()).plans;
  const two = (await ended(service, (await client.runs.start({ plan: plan.id })).id)).snapshot!;
  await client.snapshots.annotate({ snapshot, pinned: true });
  expect(await failureOf(client.snapshots.delete({ snapshots: [snapshot] }))).toBe('snapshot-pinned');
  await client.snapshots.annotate({ snapshot, pinned: false });
  const size = (): number =>
    readdirSync(join(folder, 'repo/data'), { recursive: true, encoding: 'utf8' }).reduce((all, name) => {
      const stat = statSync(join(folder, 'repo/data', name));
      return all + (stat.isFile() ? stat.size : 0);
    }, 0);
  const before = size();
  const [run] = await client.snapshots.delete({ snapshots: [snapshot] });
  expect(await ended(service, run.id)).toMatchObject({ kind: 'forget', status: 'succeeded', destination: destination.id });
  expect(size()).toBeLessThan(before - 250_000);
  expect((await client.snapshots.list({})).snapshots.map(({ key }) => key)).toEqual([two]);
  await new Restic(join(folder, 'repo'), password).must(['check', '--read-data']);
});
