import { mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { deflateSync } from 'node:zlib';
import { expect, test } from 'vitest';
import type { DestinationView } from '../../../src/contract/destination.ts';
import { HoldfastError } from '../../../src/contract/errors.ts';
import { Repository } from '../../../src/repository/repository.ts';
import { LocalStorage } from '../../../src/storage/local.ts';
import { seededBytes, seededRandom } from '../../support/seeded.ts';
import { connectFolder, createPlan, ended, type RunningService, startService } from '../../support/service.ts';
import { Restic } from '../../support/restic.ts';
import { tree } from '../../support/tree-literal.ts';

const password = 'a password';

const failureOf = (work: Promise<unknown>): Promise<{ code: string }> =>
  work.then(
    () => ({ code: 'done' }),
    (error: unknown) => (error instanceof HoldfastError ? error : Promise.reject(error as Error)),
  );

async function backedUp(service: RunningService, plan: { id: string }): Promise<string> {
  const run = await ended(service, (await service.client.runs.start({ plan: plan.id })).id);
  expect(run.status).toBe('succeeded');
  return run.snapshot!;
}

/** Copies everything to a second destination with restic, as another program would. */
async function copied(service: RunningService): Promise<DestinationView> {
  const { folder } = service;
  const second = await connectFolder(service, 'second');
  const restic = new Restic(join(folder, 'second'), password);
  writeFileSync(join(folder, 'pw'), password);
  await restic.must(['copy', '--from-repo', join(folder, 'repo'), '--from-password-file', join(folder, 'pw')]);
  return second;
}

test('the snapshots of all destinations are one list, and a copy is no second one', async () => {
  const service = await startService();
  const { client, folder } = service;
  const source = tree(join(folder, 'src'), { a: 'a' });
  const first = await connectFolder(service);
  const plan = await createPlan(service, source, first);
  const one = await backedUp(service, plan);
  writeFileSync(join(source, 'a'), 'b');
  const two = await backedUp(service, plan);
  const second = await copied(service);
  const { snapshots, asked, total, next } = await client.snapshots.list({});
  expect(snapshots.map(({ key }) => key)).toEqual([two, one]);
  expect({ total, next }).toEqual({ total: 2, next: null });
  expect(snapshots[0]).toMatchObject({
    plan: plan.id,
    planName: 'Documents',
    isOwn: true,
    paths: [source],
    strategy: 'incremental',
    tags: [],
  });
  expect(snapshots[0].figures).toMatchObject({ files: 2, filesChanged: expect.any(Number) });
  expect(snapshots[1].holders.map(({ destination }) => destination)).toEqual([first.id, second.id]);
  expect(snapshots[1].holders[0].tree).toBe(snapshots[1].holders[1].tree);
  expect(asked).toMatchObject([{ error: null, damaged: 0 }, { error: null }]);
  const copy = snapshots[1].holders[1].snapshot;
  expect(copy).not.toBe(one);
  expect((await client.snapshots.get({ snapshot: copy })).key).toBe(one);
  expect((await client.snapshots.previous({ snapshot: two }))?.key).toBe(one);
  expect(await client.snapshots.previous({ snapshot: one })).toBeNull();
  const { computers } = await client.snapshots.computers();
  expect(computers).toMatchObject([{ isOwn: true, snapshots: 2 }]);
  const page = await client.snapshots.list({ limit: 1 });
  expect((await client.snapshots.list({ limit: 1, cursor: page.next! })).snapshots[0].key).toBe(one);
  expect((await client.snapshots.list({ before: snapshots[0].time })).snapshots.map(({ key }) => key)).toEqual([one]);
});

test('snapshots that somebody else made there are seen, and whose they are', async () => {
  const service = await startService();
  const { client, folder } = service;
  await connectFolder(service);
  const source = tree(join(folder, 'src'), { a: 'a' });
  await new Restic(join(folder, 'repo'), password).must(['backup', source, '--host', 'elsewhere', '--tag', 'mine']);
  const { snapshots } = await client.snapshots.list({ fresh: true });
  expect(snapshots).toMatchObject([{ hostname: 'elsewhere', isOwn: false, plan: null, planName: null, tags: ['mine'], strategy: null }]);
  expect((await client.snapshots.computers()).computers).toMatchObject([{ hostname: 'elsewhere', isOwn: false }]);
});

test('what a destination held is known while it is away, also to the next service, and read from another one', async () => {
  const service = await startService();
  const { client, folder, keeper } = service;
  const source = tree(join(folder, 'src'), { a: 'hello' });
  const first = await connectFolder(service);
  const plan = await createPlan(service, source, first);
  const one = await backedUp(service, plan);
  const second = await copied(service);
  await client.snapshots.list({ fresh: true });
  renameSync(join(folder, 'repo'), join(folder, 'gone'));
  await service.close();
  const next = await startService({ folder, keeper });
  const { snapshots, asked } = await next.client.snapshots.list({});
  expect(snapshots[0].holders).toHaveLength(2);
  expect(asked[0]).toMatchObject({ destination: first.id, readAt: expect.any(Number), error: { code: 'destination-not-plugged-in' } });
  const shown = await next.client.browse.preview({ snapshot: one, path: `${source}/a` });
  expect(shown).toMatchObject({ kind: 'text', text: 'hello', destination: second.id });
  expect((await failureOf(next.client.browse.info({ snapshot: one, destination: first.id, path: source }))).code).toBe(
    'destination-not-plugged-in',
  );
  renameSync(join(folder, 'second'), join(folder, 'gone too'));
  await next.client.snapshots.list({ fresh: true });
  await next.client.destinations.look({ id: second.id });
  const failure = await failureOf(next.client.browse.folder({ snapshot: one, path: '/' }));
  expect(failure.code).toBe('snapshot-unreachable');
});

test('a folder is shown page by page, folders first, in each order', async () => {
  const service = await startService();
  const { client, folder } = service;
  const source = tree(join(folder, 'src'), { b: 'bbb', A: 'a', 'c.txt': 'cc', sub: { x: '' }, Other: {} });
  const plan = await createPlan(service, source, await connectFolder(service));
  const snapshot = await backedUp(service, plan);
  const names = async (wish: { order?: 'name' | 'size'; descending?: boolean; limit?: number; cursor?: string }): Promise<string[]> =>
    (await client.browse.folder({ snapshot, path: source, ...wish })).entries.map(({ name }) => name);
  expect(await names({})).toEqual(['Other', 'sub', 'A', 'b', 'c.txt']);
  expect(await names({ descending: true })).toEqual(['sub', 'Other', 'c.txt', 'b', 'A']);
  expect(await names({ order: 'size', descending: true })).toEqual(['sub', 'Other', 'b', 'c.txt', 'A']);
  const page = await client.browse.folder({ snapshot, path: source, limit: 2 });
  expect(page).toMatchObject({ next: '2', total: { entries: 5, folders: 2, bytes: 6 } });
  expect(await names({ cursor: page.next! })).toEqual(['A', 'b', 'c.txt']);
  expect((await failureOf(client.browse.folder({ snapshot, path: `${source}/b` }))).code).toBe('request-invalid');
  expect((await failureOf(client.browse.folder({ snapshot, path: `${source}/none` }))).code).toBe('snapshot-path-not-found');
  expect((await failureOf(client.browse.folder({ snapshot: 'f'.repeat(64), path: '/' }))).code).toBe('snapshot-not-found');
  expect((await failureOf(client.browse.folder({ snapshot, path: '/', cursor: 'x' }))).code).toBe('request-invalid');
});

test('a name that is no UTF-8 can be opened as it was listed', async () => {
  const service = await startService();
  const { client, folder } = service;
  const source = tree(join(folder, 'src'), { a: 'a' });
  const odd = Buffer.concat([Buffer.from(`${source}/`), Buffer.from('caf\xe9', 'latin1')]);
  mkdirSync(odd);
  writeFileSync(Buffer.concat([odd, Buffer.from('/f')]), 'inside');
  const plan = await createPlan(service, source, await connectFolder(service));
  const snapshot = await backedUp(service, plan);
  const { entries } = await client.browse.folder({ snapshot, path: source });
  const within = await client.browse.folder({ snapshot, path: entries[0].path });
  expect(within.entries.map(({ name }) => name)).toEqual(['f']);
  expect(await client.browse.preview({ snapshot, path: within.entries[0].path })).toMatchObject({ kind: 'text', text: 'inside' });
});

test('a preview shows text in its encoding and pictures whole, and nothing of the rest', async () => {
  const service = await startService();
  const { client, folder } = service;
  const png = pngOf(1);
  const source = tree(join(folder, 'src'), {
    'utf8.txt': 'Grüße 你好\n',
    'gb.txt': Buffer.from('c4e3bac3cac0bde7a3acd5e2cac7d2bbb8f6b2e2cad4', 'hex'),
    'utf16.txt': Buffer.concat([Buffer.of(0xff, 0xfe), Buffer.from('Hallo', 'utf16le')]),
    'latin.txt': Buffer.from('Stra\xdfe und T\xfcr', 'latin1'),
    'long.txt': 'ä'.repeat(100_000),
    'picture.png': png,
    'large.png': Buffer.concat([png, Buffer.alloc(3000)]),
    'drawing.svg': '<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>',
    binary: seededBytes(seededRandom(3), 5000),
    empty: '',
    folder: {},
  });
  const plan = await createPlan(service, source, await connectFolder(service));
  const snapshot = await backedUp(service, plan);
  const preview = (name: string, more: object = {}) => client.browse.preview({ snapshot, path: `${source}/${name}`, ...more });
  expect(await preview('utf8.txt')).toMatchObject({ kind: 'text', text: 'Grüße 你好\n', encoding: 'utf-8', isCut: false });
  expect(await preview('gb.txt')).toMatchObject({ kind: 'text', text: '你好世界，这是一个测试', encoding: 'gb18030' });
  expect(await preview('utf16.txt')).toMatchObject({ kind: 'text', text: 'Hallo', encoding: 'utf-16le' });
  expect(await preview('latin.txt')).toMatchObject({ kind: 'text', text: 'Straße und Tür', encoding: 'windows-1252' });
  const long = await preview('long.txt', { textBytes: 10_001 });
  expect(long).toMatchObject({ kind: 'text', text: 'ä'.repeat(5000), isCut: true });
  expect(await preview('picture.png')).toMatchObject({ kind: 'picture', mediaType: 'image/png', base64: png.toString('base64') });
  expect(await preview('large.png', { pictureBytes: 2000 })).toMatchObject({ kind: 'none', reason: 'too-large' });
  expect(await preview('drawing.svg')).toMatchObject({ kind: 'text' });
  expect(await preview('binary')).toMatchObject({ kind: 'none', reason: 'binary' });
  expect(await preview('empty')).toMatchObject({ kind: 'none', reason: 'empty' });
  expect(await preview('folder')).toMatchObject({ kind: 'none', reason: 'not-a-file' });
});

test('two versions of a text are compared line by line', async () => {
  const service = await startService();
  const { client, folder } = service;
  const lines = Array.from({ length: 40 }, (_, i) => `line ${i + 1}`);
  const source = tree(join(folder, 'src'), { t: `${lines.join('\n')}\n`, p: pngOf(1), q: pngOf(2) });
  const plan = await createPlan(service, source, await connectFolder(service));
  const one = await backedUp(service, plan);
  writeFileSync(join(source, 't'), `${lines.with(19, 'changed').toSpliced(30, 1).join('\n')}\n`);
  const two = await backedUp(service, plan);
  const at = (snapshot: string, name: string) => ({ snapshot, path: `${source}/${name}` });
  expect(await client.browse.compare({ before: at(one, 't'), after: at(one, 't') })).toEqual({ kind: 'same' });
  const compared = await client.browse.compare({ before: at(one, 't'), after: at(two, 't'), context: 1 });
  expect(compared).toEqual({
    kind: 'text',
    added: 1,
    removed: 2,
    isCut: false,
    lines: [
      { kind: 'gap', lines: 18 },
      { kind: 'same', before: 19, after: 19, text: 'line 19' },
      { kind: 'removed', before: 20, text: 'line 20' },
      { kind: 'added', after: 20, text: 'changed' },
      { kind: 'same', before: 21, after: 21, text: 'line 21' },
      { kind: 'gap', lines: 8 },
      { kind: 'same', before: 30, after: 30, text: 'line 30' },
      { kind: 'removed', before: 31, text: 'line 31' },
      { kind: 'same', before: 32, after: 31, text: 'line 32' },
      { kind: 'gap', lines: 8 },
    ],
  });
  expect(await client.browse.compare({ before: at(one, 'p'), after: at(one, 'q') })).toEqual({ kind: 'pictures' });
  expect(await client.browse.compare({ before: at(one, 'p'), after: at(one, 't') })).toEqual({ kind: 'none', reason: 'binary' });
});

test('what differs between two snapshots comes as a sheet', async () => {
  const service = await startService();
  const { client, folder } = service;
  const source = tree(join(folder, 'src'), { a: 'a', b: 'b', c: 'content to move' });
  const plan = await createPlan(service, source, await connectFolder(service));
  const one = await backedUp(service, plan);
  writeFileSync(join(source, 'a'), 'other');
  rmSync(join(source, 'b'));
  renameSync(join(source, 'c'), join(source, 'd'));
  const two = await backedUp(service, plan);
  const { sheet, first, second } = await client.snapshots.diff.begin({ second: two, path: source });
  expect([first, second]).toEqual([one, two]);
  let page = await client.snapshots.diff.page({ sheet });
  while (!page.isComplete)
    page = await client.snapshots.diff.page({ sheet, after: page.counted }).then(() => client.snapshots.diff.page({ sheet }));
  expect(page.rows.map(({ kind, path, from }) => [kind, path.slice(source.length + 1), from?.slice(source.length + 1)])).toEqual([
    ['content', 'a', undefined],
    ['removed', 'b', undefined],
    ['moved', 'd', 'c'],
  ]);
  expect(page.rows[0]).toMatchObject({ before: { size: 1 }, after: { size: 5 } });
  expect(page.summary).toMatchObject({
    removed: { files: 1, bytes: 1 },
    moved: { files: 1 },
    content: { files: 1, bytesBefore: 1, bytesAfter: 5 },
  });
  expect((await client.snapshots.diff.page({ sheet, after: 1, limit: 1 })).rows.map(({ kind }) => kind)).toEqual(['removed']);
  await client.snapshots.diff.end({ sheet });
  expect((await failureOf(client.snapshots.diff.page({ sheet }))).code).toBe('sheet-not-found');
  expect((await failureOf(client.snapshots.diff.begin({ second: one }))).code).toBe('snapshot-not-found');
});

test('notes stay with a snapshot, its copies and what it is rewritten to, and come back on a new computer', async () => {
  const service = await startService();
  const { client, folder, keeper } = service;
  const source = tree(join(folder, 'src'), { a: 'a', secret: 's' });
  const first = await connectFolder(service);
  const plan = await createPlan(service, source, first);
  const one = await backedUp(service, plan);
  const noted = await client.snapshots.annotate({ snapshot: one, pinned: true, name: 'Before the move', comment: 'All is well.' });
  expect(noted).toMatchObject({ key: one, pinned: true, name: 'Before the move', comment: 'All is well.' });
  expect(await client.snapshots.annotate({ snapshot: one, comment: null })).toMatchObject({
    pinned: true,
    name: 'Before the move',
    comment: null,
  });
  await backedUp(service, plan);
  expect((await client.snapshots.list({ pinned: true })).snapshots.map(({ key }) => key)).toEqual([one]);
  await new Restic(join(folder, 'repo'), password).must(['rewrite', '--forget', '--exclude', 'secret', one]);
  const { snapshots } = await client.snapshots.list({ fresh: true, pinned: true });
  expect(snapshots).toMatchObject([{ name: 'Before the move' }]);
  expect(snapshots[0].holders[0].snapshot).not.toBe(one);
  await service.close();
  const other = await startService();
  const there = await other.client.destinations.connect({ place: join(folder, 'repo'), password });
  const [settings] = await other.client.recovery.look({ destination: there.id });
  await other.client.recovery.take({ destination: there.id, snapshot: settings.snapshot });
  expect((await other.client.snapshots.list({ pinned: true })).snapshots).toMatchObject([
    { name: 'Before the move', planName: 'Documents' },
  ]);
  expect(keeper.kept.size).toBeGreaterThan(0);
});

test('a pinned snapshot outlives the retention of its plan', async () => {
  const service = await startService();
  const { client, folder } = service;
  const source = tree(join(folder, 'src'), { a: 'a' });
  const plan = await createPlan(service, source, await connectFolder(service), { retention: { last: 2 } });
  const made = [await backedUp(service, plan)];
  await client.snapshots.annotate({ snapshot: made[0], pinned: true });
  for (let i = 0; i < 3; i++) made.push(await backedUp(service, plan));
  const left = (await (await Repository.open(new LocalStorage(join(folder, 'repo')), password)).snapshots()).map(({ id }) => id);
  expect(left).toEqual([made[0], made[2], made[3]]);
  await client.snapshots.annotate({ snapshot: made[0], pinned: false });
  made.push(await backedUp(service, plan));
  const after = (await (await Repository.open(new LocalStorage(join(folder, 'repo')), password)).snapshots()).map(({ id }) => id);
  expect(after).toEqual([made[3], made[4]]);
});

test('somebody who watches hears that the list may be another one', async () => {
  const service = await startService();
  const { client, folder } = service;
  const plan = await createPlan(service, tree(join(folder, 'src'), { a: 'a' }), await connectFolder(service));
  const abort = new AbortController();
  const changes = await client.snapshots.changes(undefined, { signal: abort.signal });
  const next = async (): Promise<number> => {
    const { value, done } = await changes.next();
    return done ? -1 : value.number;
  };
  const first = await next();
  await backedUp(service, plan);
  await client.snapshots.list({});
  expect(await next()).toBeGreaterThan(first);
  abort.abort();
});

test('what deleting would give is said, and what a snapshot takes', async () => {
  const service = await startService();
  const { client, folder } = service;
  const source = tree(join(folder, 'src'), { a: seededBytes(seededRandom(1), 200_000) });
  const first = await connectFolder(service);
  const plan = await createPlan(service, source, first);
  const one = await backedUp(service, plan);
  writeFileSync(join(source, 'a'), seededBytes(seededRandom(2), 300_000));
  const two = await backedUp(service, plan);
  const planned = await client.snapshots.planDelete({ snapshots: [one] });
  expect(planned).toMatchObject({ pinned: [], lastOf: [], destinations: [{ destination: first.id, snapshots: 1, error: null }] });
  expect(planned.destinations[0].frees).toBeGreaterThan(200_000);
  expect(planned.destinations[0].frees).toBeLessThan(210_000);
  expect((await client.snapshots.planDelete({ snapshots: [one, two] })).lastOf).toEqual(['Documents']);
  const stats = await client.snapshots.stats({ snapshot: two });
  expect(stats.soleBytes).toBeGreaterThan(300_000);
  expect(stats).toMatchObject({ destination: first.id, files: 2, problems: 0 });
});

/** A picture of one dot. */
function pngOf(shade: number): Buffer {
  const chunk = (type: string, data: Buffer): Buffer => {
    const length = Buffer.alloc(4);
    length.writeUInt32BE(data.length);
    return Buffer.concat([length, Buffer.from(type), data, Buffer.alloc(4)]);
  };
  const head = Buffer.from('00000001000000010800000000', 'hex');
  const body = deflateSync(Buffer.of(0, shade));
  return Buffer.concat([Buffer.from('89504e470d0a1a0a', 'hex'), chunk('IHDR', head), chunk('IDAT', body), chunk('IEND', Buffer.alloc(0))]);
}
