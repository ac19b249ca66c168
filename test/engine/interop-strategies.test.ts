/** Full, differential and incremental: what a run is compared with, what it trusts, and what its snapshot says of that. */
import { execFileSync } from 'node:child_process';
import { appendFileSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { backup, makeRepository, openRepository, plannedBackup, resticOn, restore } from '../support/engine.ts';
import { scratch, tree } from '../support/tree-literal.ts';
import { must } from '../support/volumes.ts';

function place(): { folder: string; source: string; restic: ReturnType<typeof resticOn> } {
  const dir = scratch();
  const source = tree(join(dir, 'source'), { a: 'aaa', b: 'bbb', deeper: { c: 'ccc' } });
  const folder = join(dir, 'repository');
  return { folder, source, restic: resticOn(folder) };
}

describe('the first run', () => {
  test.each(['incremental', 'full'] as const)('is full when %s was asked for', async (strategy) => {
    const { folder, source } = place();
    const { plan, snapshot, summary } = await backup(await makeRepository(folder), source, { strategy });
    expect(plan).toMatchObject({ strategy: 'full', parent: undefined, notes: [], tags: ['strategy=full'] });
    const [stored] = await resticOn(folder).snapshots();
    expect(stored).toMatchObject({ id: snapshot, tags: ['strategy=full'] });
    expect(stored!.parent).toBeUndefined();
    expect(summary).toMatchObject({ files_new: 3, files_changed: 0, files_unmodified: 0 });
  });

  test('is full when differential was asked for, and the plan says so', async () => {
    const { folder, source } = place();
    const { plan } = await backup(await makeRepository(folder), source, { strategy: 'differential' });
    expect(plan).toMatchObject({ strategy: 'full', notes: [{ kind: 'no-full-snapshot' }], tags: ['strategy=full'] });
  });
});

test('an incremental run is compared with the newest snapshot of the same host and paths, in whatever order they are named', async () => {
  const { folder, source, restic } = place();
  const second = tree(join(source, '..', 'second'), { d: 'ddd' });
  const repository = await makeRepository(folder);
  await backup(repository, [source, second]);
  const newest = await backup(repository, [second, source]);
  expect(newest.plan.strategy).toBe('incremental');
  await backup(repository, [source, second], { hostname: 'another' });
  await backup(repository, [source]);
  const { plan, snapshot, summary } = await backup(repository, [source, second], { tags: ['mine'] });
  expect(plan.parent!.id).toBe(newest.snapshot);
  expect(summary).toMatchObject({ files_new: 0, files_unmodified: 4 });
  const stored = (await restic.snapshots()).find(({ id }) => id === snapshot);
  expect(stored).toMatchObject({ parent: newest.snapshot, tags: ['mine', 'strategy=incremental'] });
});

test('a differential run is compared with the newest full snapshot, whatever came after it', async () => {
  const { folder, source, restic } = place();
  const repository = await makeRepository(folder);
  await backup(repository, source);
  appendFileSync(join(source, 'a'), '1');
  const base = await backup(repository, source, { strategy: 'full' });
  expect(base.plan.parent).toBeUndefined();
  appendFileSync(join(source, 'b'), '2');
  const first = await backup(repository, source);
  expect(first.summary).toMatchObject({ files_changed: 1, files_unmodified: 2, data_blobs: 1 });
  appendFileSync(join(source, 'deeper', 'c'), '3');
  writeFileSync(join(source, 'fresh'), '4');
  const { plan, snapshot, summary } = await backup(repository, source, { strategy: 'differential' });
  expect(plan).toMatchObject({ strategy: 'differential', notes: [], tags: ['strategy=differential', `base=${base.snapshot}`] });
  // b changed since the base too, though its content is stored already.
  expect(summary).toMatchObject({ files_new: 1, files_changed: 2, files_unmodified: 1, data_blobs: 2 });
  const stored = (await restic.snapshots()).find(({ id }) => id === snapshot);
  expect(stored).toMatchObject({ parent: base.snapshot, tags: ['strategy=differential', `base=${base.snapshot}`] });
  const another = await backup(repository, source, { strategy: 'differential' });
  expect(another.plan.parent!.id).toBe(base.snapshot);
  expect(another.summary).toMatchObject({ files_new: 1, files_changed: 2, files_unmodified: 1, data_blobs: 0 });
});

test('a differential run becomes full, and says so, when no full snapshot of the same host and paths survives', async () => {
  const { folder, source, restic } = place();
  const repository = await makeRepository(folder);
  const base = await backup(repository, source);
  await backup(repository, source);
  await backup(repository, source, { hostname: 'another', strategy: 'full' });
  await backup(repository, join(source, 'deeper'), { strategy: 'full' });
  expect((await plannedBackup(repository, source, { strategy: 'differential' })).parent!.id).toBe(base.snapshot);
  await restic.forget([base.snapshot]);
  const { plan, summary } = await backup(repository, source, { strategy: 'differential' });
  expect(plan).toMatchObject({ strategy: 'full', parent: undefined, tags: ['strategy=full'], notes: [{ kind: 'no-full-snapshot' }] });
  expect(summary).toMatchObject({ files_new: 3, data_blobs: 0 });
});

test('a snapshot of restic’s is a parent, but never the base of a differential run', async () => {
  const { folder, source, restic } = place();
  const repository = await makeRepository(folder);
  const { snapshot_id } = await restic.backup([source]);
  expect((await plannedBackup(repository, source)).parent!.id).toBe(snapshot_id);
  const plan = await plannedBackup(repository, source, { strategy: 'differential' });
  expect(plan).toMatchObject({ strategy: 'full', notes: [{ kind: 'no-full-snapshot' }] });
});

test('a snapshot file that cannot be read is passed over in the search for a parent', async () => {
  const { folder, source } = place();
  const repository = await makeRepository(folder);
  const { snapshot } = await backup(repository, source);
  writeFileSync(join(folder, 'snapshots', 'ab'.repeat(32)), 'no snapshot');
  expect((await plannedBackup(repository, source)).parent!.id).toBe(snapshot);
});

describe.skipIf(process.platform !== 'linux' || process.getuid?.() !== 0)('content that changed without a trace', () => {
  test('is seen by a full run, which reads every byte, and by no other', async () => {
    const dir = scratch();
    const [image, source] = [join(dir, 'image'), join(dir, 'mounted')];
    mkdirSync(source);
    writeFileSync(image, Buffer.alloc(16 << 20));
    execFileSync('mkfs.ext4', ['-q', '-F', image]);
    const mount = () => execFileSync('mount', ['-o', 'loop', image, source]);
    const unmount = () => must('umount', source);
    mount();
    let mounted = true;
    onTestFinished(() => {
      if (mounted) unmount();
    });
    const file = join(source, 'file');
    writeFileSync(file, 'the bytes before');
    const repository = await makeRepository(join(dir, 'repository'));
    await backup(repository, source);
    unmount();
    mounted = false;
    // On the medium itself, as decay or a broken controller would: size, times and inode stay.
    const bytes = readFileSync(image);
    const at = bytes.indexOf('the bytes before');
    expect(bytes.indexOf('the bytes before', at + 1)).toBe(-1);
    bytes.write('the bytes behind', at);
    writeFileSync(image, bytes);
    mount();
    mounted = true;
    expect(readFileSync(file, 'utf8')).toBe('the bytes behind');

    for (const strategy of ['incremental', 'differential'] as const) {
      const { summary } = await backup(repository, source, { strategy });
      expect(summary).toMatchObject({ files_unmodified: 1, data_blobs: 0 });
    }
    const { summary } = await backup(repository, source, { strategy: 'full' });
    expect(summary).toMatchObject({ files_new: 1, data_blobs: 1 });
    const target = join(dir, 'restored');
    await restore(await openRepository(join(dir, 'repository')), target, { path: Buffer.from(source) });
    expect(readFileSync(join(target, 'file'), 'utf8')).toBe('the bytes behind');
  });
});
