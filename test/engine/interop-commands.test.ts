/** restic's other commands on what we store, and we on what they leave: reading, keys, thinning out, rewriting, copying. */
import { appendFileSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { systemClock } from '../../src/platform/clock.ts';
import { leastCost } from '../../src/repository/keys.ts';
import type { Repository } from '../../src/repository/repository.ts';
import { backup, identity, makeRepository, openRepository, problemLines, resticOn, restore } from '../support/engine.ts';
import { expectCleanCheck, expectNothingNew, expectSameTree } from '../support/judge.ts';
import { buildNastyTree } from '../support/nasty-tree.ts';
import { jsonLines, Restic, type ResticRun } from '../support/restic.ts';
import { scratch, sharedScratch } from '../support/tree-literal.ts';

/** restic did it, and had nothing to say beside its answer. */
function content(run: ResticRun): string {
  expect(run.stderr).toBe('');
  return run.stdout;
}

describe('a repository of ours with three snapshots', () => {
  const dir = sharedScratch('commands');
  const source = join(dir, 'source');
  const folder = join(dir, 'repository');
  const restic = resticOn(folder);
  let repository: Repository;
  const ids: string[] = [];

  beforeAll(async () => {
    await buildNastyTree(source, { small: true, socket: true });
    repository = await makeRepository(folder);
    for (const run of [1, 2, 3]) {
      ids.push((await backup(repository, source, { tags: [`run ${run}`] })).snapshot);
      appendFileSync(join(source, 'content', 'one byte'), `after run ${run}`);
    }
  });

  test('is listed by restic with host, user, paths, tags, parents and figures', async () => {
    const listed = JSON.parse(content(await restic.must(['snapshots', '--json']))) as Record<string, unknown>[];
    expect(listed.map(({ id }) => id)).toEqual(ids);
    expect(listed[0]).toMatchObject({ hostname: identity.hostname, username: identity.username, paths: [source] });
    expect(listed.map(({ parent }) => parent)).toEqual([undefined, ids[0], ids[1]]);
    expect(listed.map(({ tags }) => (tags as string[])[0])).toEqual(['run 1', 'run 2', 'run 3']);
    expect(listed[2]!.summary).toMatchObject({ files_changed: 1, data_blobs: 1, total_files_processed: expect.any(Number) });
    expect(content(await restic.must(['snapshots', '--tag', 'strategy=incremental', '--host', identity.hostname]))).toContain(
      '2 snapshots',
    );
  });

  test('is listed and searched by restic, file by file', async () => {
    const lines = jsonLines(content(await restic.must(['ls', '--json', '--recursive', 'latest', source])));
    expect(lines.filter(({ type }) => type === 'file').length).toBeGreaterThan(200);
    const found = JSON.parse(content(await restic.must(['find', '--json', '--snapshot', ids[2]!, 'one byte']))) as { hits: number }[];
    expect(found[0]!.hits).toBe(1);
    const dumped = await restic.must(['dump', ids[1]!, join(source, 'content', 'one byte')]);
    expect(content(dumped)).toBe('xafter run 1');
  });

  test('is measured and compared by restic', async () => {
    const stats = JSON.parse(content(await restic.must(['stats', '--json', '--mode', 'raw-data']))) as { total_blob_count: number };
    expect(stats.total_blob_count).toBeGreaterThan(100);
    const size = JSON.parse(content(await restic.must(['stats', '--json', 'latest']))) as { total_file_count: number };
    expect(size.total_file_count).toBeGreaterThan(200);
    const changes = jsonLines(content(await restic.must(['diff', '--json', ids[0]!, ids[2]!])));
    const modified = changes.filter(({ message_type, modifier }) => message_type === 'change' && modifier === 'M');
    expect(modified.map(({ path }) => path)).toEqual([join(source, 'content', 'one byte')]);
  });

  test('has snapshots that restic need not repair', async () => {
    expect(content(await restic.must(['repair', 'snapshots']))).toContain('no snapshots were modified');
    expect((await restic.snapshots()).map(({ id }) => id)).toEqual(ids);
  });

  test('goes on with us after restic has rewritten, forgotten, pruned and repacked', async () => {
    await restic.rewrite(['--exclude', 'one byte', '--forget', ids[2]!]);
    const rewritten = (await restic.snapshots()).at(-1)!;
    expect(rewritten).toMatchObject({ original: ids[2] });
    const less = join(dir, 'rewritten');
    expect(problemLines((await restore(repository, less, { snapshot: rewritten.id, path: Buffer.from(source) })).problems)).toEqual([]);
    expect(() => readFileSync(join(less, 'content', 'one byte'))).toThrow('ENOENT');

    content(await restic.must(['forget', ids[0]!, ids[1]!, '--quiet']));
    await restic.prune(['--max-unused', '0', '--repack-small', '--quiet']);
    await restic.must(['repair', 'index', '--quiet']);
    await expectCleanCheck(restic);

    // The same open repository, whose index and packs were all replaced meanwhile.
    const { problems, damage, summary, plan } = await backup(repository, source);
    expect([problemLines(problems), damage]).toEqual([[], []]);
    expect(plan.parent!.id).toBe(rewritten.id);
    expect(summary).toMatchObject({ files_new: 1, files_changed: 0, data_blobs: 1 });
    const target = join(dir, 'restored');
    expect(problemLines((await restore(repository, target, { path: Buffer.from(source), verify: true })).problems)).toEqual([]);
    await expectSameTree(source, target);
    await expectCleanCheck(restic);
    await expectNothingNew(restic, [source]);
  });
});

describe('keys', () => {
  test('that restic has added open for us, and those that we have added open for restic', async () => {
    const dir = scratch();
    const folder = join(dir, 'repository');
    const restic = resticOn(folder);
    const repository = await makeRepository(folder);
    const theirs = 'grüße 世界 "quoted"';
    writeFileSync(join(dir, 'password'), `${theirs}\n`);
    await restic.must(['key', 'add', '--new-password-file', join(dir, 'password'), '--user', 'another', '--host', 'elsewhere']);
    const opened = await openRepository(folder, theirs);
    expect(opened.config).toEqual(repository.config);
    expect(opened.keyId).not.toBe(repository.keyId);

    const ours = 'p\u00e4ss\u0301 with accents in both forms';
    const id = await opened.addKey(ours, identity, systemClock, leastCost);
    const keys = JSON.parse((await new Restic(folder, ours).must(['key', 'list', '--json'])).stdout) as Record<string, unknown>[];
    expect(keys).toHaveLength(3);
    expect(keys.find(({ current }) => current)).toMatchObject({ userName: identity.username, hostName: identity.hostname });
    expect(id.startsWith(keys.find(({ current }) => current)!.id as string)).toBe(true);
    expect((await repository.keys()).map(({ file }) => file.hostname)).toContain('elsewhere');

    await restic.must(['key', 'remove', id]);
    await expect(openRepository(folder, ours)).rejects.toMatchObject({ code: 'wrong-password' });
    await opened.removeKey(repository.keyId);
    expect((await restic.run(['snapshots'])).code).toBe(12);
    expect((await new Restic(folder, theirs).check()).code).toBe(0);
  });

  test('of a repository that restic has made can be changed by us, and then open for restic', async () => {
    const folder = join(scratch(), 'repository');
    await resticOn(folder).init({ ownKey: true });
    const repository = await openRepository(folder);
    await repository.changePassword('another', identity, systemClock, leastCost);
    expect((await resticOn(folder).run(['snapshots'])).code).toBe(12);
    expect((await new Restic(folder, 'another').check()).code).toBe(0);
  });
});

describe('copies between repositories that cut files alike', () => {
  test('move only what is missing, whichever program made which', async () => {
    const dir = scratch();
    const source = join(dir, 'source');
    await buildNastyTree(source, { small: true });
    const [first, second, third] = ['first', 'second', 'third'].map((name) => join(dir, name)) as [string, string, string];
    const ours = await makeRepository(first);
    await resticOn(second).init({ copyChunkerParamsFrom: resticOn(first) });
    const theirs = await openRepository(second);
    expect(theirs.config.chunker_polynomial).toBe(ours.config.chunker_polynomial);
    const last = await makeRepository(third, { polynomial: theirs.config.chunker_polynomial });

    await backup(ours, source);
    await resticOn(second).backup([source]);
    const blobs = new Set((await resticOn(second).listBlobs()).filter(({ type }) => type === 'data').map(({ id }) => id));
    await resticOn(second).copyFrom(resticOn(first));
    const after = (await resticOn(second).listBlobs()).filter(({ type }) => type === 'data');
    expect(after.map(({ id }) => id).filter((id) => !blobs.has(id))).toEqual([]);
    expect(after).toHaveLength(blobs.size);

    // A copy made by restic is as good as a backup of ours.
    await resticOn(third).copyFrom(resticOn(first));
    const copied = await backup(last, source);
    expect(copied.plan.parent).toBeDefined();
    expect(copied.summary).toMatchObject({ data_blobs: 0, files_new: 0, files_changed: 0 });
    const full = await backup(last, source, { strategy: 'full' });
    expect(full.summary.data_blobs).toBe(0);
    for (const folder of [first, second, third]) await expectCleanCheck(resticOn(folder));
    const target = join(dir, 'restored');
    mkdirSync(target);
    await restore(last, target, { path: Buffer.from(source) });
    await expectSameTree(source, target);
  });
});
