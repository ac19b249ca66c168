/** restic's copy beside ours, in both directions. */
import { cpSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { LocalStorage } from '../../../src/storage/local.ts';
import { makeRepository, openRepository, password, resticOn } from '../../support/engine.ts';
import { expectCleanCheck, expectSnapshotRestores } from '../../support/judge.ts';
import { Restic } from '../../support/restic.ts';
import { seededBytes, seededRandom } from '../../support/seeded.ts';
import { scratch, sharedScratch, tree } from '../../support/tree-literal.ts';
import { refuseUnhandledRejections } from '../../support/unhandled.ts';
import { copy } from './copying.ts';

refuseUnhandledRejections();

const place = sharedScratch('copy-interop');
const [files, from] = [join(place, 'files'), join(place, 'from')];
const restic = new Restic(from, password);

beforeAll(async () => {
  const random = seededRandom(11);
  tree(files, { 'a.bin': seededBytes(random, 3_000_000), text: 'text '.repeat(10_000), docs: { 'b.txt': 'b', empty: '' } });
  await restic.init();
  await restic.backup([files], { tags: ['one', 'two'], host: 'anna', args: ['--exclude', '*.tmp', '--exclude', 'x'] });
  writeFileSync(join(files, 'docs', 'c.txt'), 'c');
  // Blobs that are not compressed, as a person may want it.
  await restic.backup([files], { args: ['--compression', 'off'] });
  await restic.backup([files, join(files, 'docs')], { args: ['--compression', 'max'] });
  // One that was changed after it was made has an original, and is a snapshot of its own.
  await restic.must(['tag', '--add', 'three', 'latest']);
  await restic.rewrite(['--exclude', 'b.txt', 'latest']);
});

/** Made once, since restic takes seconds for its key. */
let made: Promise<Restic> | undefined;

async function madeByRestic(): Promise<Restic> {
  const target = new Restic(join(place, 'made'), password);
  await target.init({ copyChunkerParamsFrom: restic });
  return target;
}

/** A new repository in a folder that cuts files as the source does, made by either program. */
async function targetFor(maker: 'restic' | 'holdfast'): Promise<Restic> {
  const target = new Restic(join(scratch('copy-interop-to'), 'to'), password);
  if (maker === 'restic') cpSync((await (made ??= madeByRestic())).repository, target.repository, { recursive: true });
  else await makeRepository(target.repository, { polynomial: (await openRepository(from)).config.chunker_polynomial });
  return target;
}

const copyTo = (target: Restic, settings = {}): ReturnType<typeof copy> =>
  copy(new LocalStorage(from), new LocalStorage(target.repository), settings);

/** What restic says of its snapshots, without what a repository gives them. Of those of the same time it gives any first. */
const described = async (one: Restic): Promise<object[]> =>
  (await one.snapshots())
    .map((snapshot) => ({ ...snapshot, id: '', short_id: '', parent: '', original: snapshot.original ?? snapshot.id }))
    .sort((a, b) => (a.tree < b.tree ? -1 : 1));

const idsOf = async (one: Restic): Promise<string[]> => (await one.snapshots()).map(({ id }) => id).sort();

describe.each(['restic', 'holdfast'] as const)('into a repository that %s made', (maker) => {
  test('our copy and its own are the same', async () => {
    const [ours, theirs] = [await targetFor(maker), await targetFor(maker)];
    await copyTo(ours);
    await theirs.copyFrom(restic);
    expect(await described(ours)).toEqual(await described(theirs));
    expect((await ours.listBlobs()).map(({ id }) => id).sort()).toEqual((await theirs.listBlobs()).map(({ id }) => id).sort());
    await expectCleanCheck(ours);
  });

  test('it copies nothing again that we have copied', async () => {
    const target = await targetFor(maker);
    const { copied } = await copyTo(target);
    const before = await idsOf(target);
    expect(copied.length).toBe(before.length);
    await target.copyFrom(restic);
    expect(await idsOf(target)).toEqual(before);
  });

  test('we copy nothing again that it has copied', async () => {
    const target = await targetFor(maker);
    await target.copyFrom(restic);
    const { copied, plan } = await copyTo(target);
    expect(copied).toEqual([]);
    expect(new Set(plan.snapshots.map(({ action }) => action))).toEqual(new Set(['present']));
  });

  test('one goes on with what the other has begun', async () => {
    const target = await targetFor(maker);
    const [first, second] = await restic.snapshots();
    await target.copyFrom(restic, [first.id]);
    expect((await copyTo(target, { snapshots: [second.id] })).copied).toHaveLength(1);
    await target.copyFrom(restic);
    expect(await target.snapshots()).toHaveLength((await restic.snapshots()).length);
    await expectCleanCheck(target);
  });

  test('what was copied there and back is known by both', async () => {
    const target = await targetFor(maker);
    await copyTo(target);
    const before = await idsOf(restic);
    await restic.copyFrom(target);
    expect(await idsOf(restic)).toEqual(before);
    expect((await copy(new LocalStorage(target.repository), new LocalStorage(from))).copied).toEqual([]);
  });
});

test('restores from our copy are the files, whichever way they were compressed', async () => {
  const target = await targetFor('holdfast');
  await copyTo(target);
  const [, second] = await target.snapshots();
  await expectSnapshotRestores(target, second.id, files);
  await expectCleanCheck(resticOn(target.repository));
});
