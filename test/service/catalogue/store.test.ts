/** The catalogue's file when something goes wrong with it, or with what it is built from. */
import { spawn } from 'node:child_process';
import { closeSync, openSync, rmSync, statSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { listFolder } from '../../../src/service/catalogue/queries/folder.ts';
import { search } from '../../../src/service/catalogue/queries/search.ts';
import { listVersions } from '../../../src/service/catalogue/queries/versions.ts';
import { CatalogueStore } from '../../../src/service/catalogue/store.ts';
import { historyPolynomial, historyRepository, makeHistory } from '../../support/catalogue-history.ts';
import { file, folder, ModelRepository, snapshotOf } from '../../support/catalogue-model.ts';
import { canMountDisks, fillDisk, mountDisk } from '../../support/disk.ts';
import { scratch } from '../../support/tree-literal.ts';

const destinations = new Map([[historyRepository, 'disk']]);
const { source, history } = makeHistory(12);
const ids = history.map(({ facts }) => facts.id);

/** Enters what is missing. */
async function complete(store: CatalogueStore): Promise<void> {
  const missing = new Set(await store.reconcile(historyRepository, ids));
  for (const { facts } of history) if (missing.has(facts.id)) await store.add(historyRepository, historyPolynomial, facts, { source });
  await store.index();
}

/** Everything that the catalogue says is so; gives how many snapshots it knows. */
async function expectTrue(store: CatalogueStore): Promise<number> {
  const [state] = store.states();
  let known = 0;
  for (const { facts } of history) {
    try {
      store.ask(destinations, (view) => listFolder(view, { snapshot: facts.id, path: '/', order: 'name', limit: 1 }));
    } catch {
      continue;
    }
    known += 1;
    expect(await store.check(facts, historyPolynomial, { source })).toBe(true);
  }
  expect(state?.snapshots ?? 0).toBe(known);
  return known;
}

async function expectWhole(store: CatalogueStore): Promise<void> {
  await complete(store);
  expect(await expectTrue(store)).toBe(history.length);
  const { hits } = store.ask(destinations, (view) => search(view, { text: 'FILE 3', limit: 1000 }));
  expect(hits.length).toBe(150);
}

test('a process that is killed at any moment leaves answers that are right, and the rest is built', async () => {
  const program = fileURLToPath(new URL('../../support/catalogue-process.ts', import.meta.url));
  for (const lines of [1, 3, 8, 20, 45, 60, 75, 90, 120]) {
    const path = join(scratch(), 'catalogue.db');
    const child = spawn(process.execPath, [program, path], { stdio: ['ignore', 'pipe', 'inherit'] });
    let seen = 0;
    child.stdout.on('data', (text: Buffer) => {
      seen += text.toString().split('\n').length - 1;
      if (seen >= lines) child.kill('SIGKILL');
    });
    await new Promise((resolve) => child.once('exit', resolve));
    expect(seen).toBeGreaterThanOrEqual(lines);
    const store = new CatalogueStore(path);
    await expectTrue(store);
    await expectWhole(store);
    await store.close();
  }
});

test('pages that are damaged while the catalogue is open are met as damage, and all is built anew', async () => {
  const path = join(scratch(), 'catalogue.db');
  const first = new CatalogueStore(path);
  await complete(first);
  await first.close();
  // Everything but the first pages, which say what tables there are.
  const { size } = statSync(path);
  const fd = openSync(path, 'r+');
  writeSync(fd, Buffer.alloc(size - 16 * 4096, 0x5a), 0, size - 16 * 4096, 16 * 4096);
  closeSync(fd);
  const store = new CatalogueStore(path);
  const ask = (): unknown => store.ask(destinations, (view) => listVersions(view, { path: '/home/folder 7/file 0.txt', limit: 100 }));
  expect(ask).toThrow(expect.objectContaining({ code: 'catalogue-failed' }));
  expect(store.generation).toBe(1);
  expect(ask()).toEqual({ versions: [], next: null });
  await expectWhole(store);
  await store.close();
});

test.runIf(canMountDisks)('on a full disk what is there is still answered, and the rest is entered once there is space', async () => {
  const disk = mountDisk(12 << 20);
  const store = new CatalogueStore(join(disk.folder, 'catalogue.db'));
  const [oldest, ...others] = history;
  await store.reconcile(historyRepository, ids);
  await store.add(historyRepository, historyPolynomial, oldest.facts, { source });
  fillDisk(disk.folder, 8192);
  let error: unknown;
  for (const { facts } of others)
    await store.add(historyRepository, historyPolynomial, facts, { source }).catch((thrown: unknown) => (error ??= thrown));
  expect(error).toMatchObject({ code: 'catalogue-failed', retryable: true });
  await expectTrue(store);
  rmSync(join(disk.folder, 'filling'));
  await expectWhole(store);
  await store.close();
});

test('it is made ready for questions when it is new, when it holds something, and while it is closed', async () => {
  const store = new CatalogueStore(join(scratch(), 'catalogue.db'));
  await store.warm(destinations);
  await complete(store);
  await store.warm(destinations);
  expect(await expectTrue(store)).toBe(history.length);
  const warming = store.warm(destinations);
  await store.close();
  await warming;
});

test('a source that fails in the middle of a snapshot leaves nothing of it', async () => {
  const store = new CatalogueStore(join(scratch(), 'catalogue.db'));
  await store.reconcile(historyRepository, ids);
  for (let fails = 0; fails < 4; fails++) {
    let reads = 0;
    const failing = {
      read: async (trees: readonly Uint8Array[]) => (reads++ === fails ? Promise.reject(new Error('gone')) : source.read(trees)),
    };
    const [, second] = history;
    const adding = store.add(historyRepository, historyPolynomial, second.facts, { source: failing });
    await expect(adding).rejects.toMatchObject({ code: 'internal' });
    expect(await expectTrue(store)).toBe(0);
  }
  await expectWhole(store);
  await store.close();
});

test('a folder that cannot be read is told as one, and what is in it comes once it can be', async () => {
  const trees = new ModelRepository();
  const store = new CatalogueStore(join(scratch(), 'catalogue.db'));
  const lost = { 'a.txt': file('a'), deep: folder({ 'b.txt': file('bb') }) };
  const content = new Map([
    ['lost', folder(lost)],
    ['there', folder({ 'c.txt': file('ccc') })],
  ]);
  const facts = snapshotOf(trees, content, { time: '2026-01-01T00:00:00Z' });
  trees.damaged.add(trees.store(new Map(Object.entries(lost))).toString('hex'));
  await store.reconcile(historyRepository, [facts.id]);
  await store.add(historyRepository, historyPolynomial, facts, { source: trees });
  const list = (path: string) =>
    store.ask(destinations, (view) => listFolder(view, { snapshot: facts.id, path, order: 'name', limit: 10 })).entries;
  expect(list('/').map(({ name, total }) => [name, total])).toEqual([
    ['lost', null],
    ['there', { files: 1, folders: 0, bytes: 3 }],
  ]);
  expect(list('/lost')).toEqual([]);
  trees.damaged.clear();
  expect(await store.check(facts, historyPolynomial, { source: trees })).toBe(false);
  expect(await store.reconcile(historyRepository, [facts.id])).toEqual([facts.id]);
  await store.add(historyRepository, historyPolynomial, facts, { source: trees });
  expect(list('/lost').map(({ name }) => name)).toEqual(['a.txt', 'deep']);
  expect(await store.check(facts, historyPolynomial, { source: trees })).toBe(true);
  await store.close();
});

test('folders that did not change are not read, neither forwards nor backwards in time', async () => {
  const trees = new ModelRepository();
  const store = new CatalogueStore(join(scratch(), 'catalogue.db'));
  const contents = Array.from({ length: 3 }, (_, s) => {
    const folders = Array.from({ length: 100 }, (__, f): [string, ReturnType<typeof folder>] => [
      `f${f}`,
      folder({ 'a.txt': file(f === s ? `new ${s}` : 'old') }),
    ]);
    return new Map(folders);
  });
  const snapshots = contents.map((content, s) => snapshotOf(trees, content, { time: `2026-01-0${s + 1}T00:00:00Z` }));
  const read: number[] = [];
  for (const s of [1, 2, 0]) {
    const before = trees.reads;
    await store.add(historyRepository, historyPolynomial, snapshots[s], { source: trees });
    read.push(trees.reads - before);
  }
  // All 100 and the root; then the root and the two that differ.
  expect(read).toEqual([101, 3, 3]);
  await store.close();
});
