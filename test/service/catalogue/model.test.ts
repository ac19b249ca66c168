/** Random trees, snapshots and forgetting, against a model that keeps everything whole. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { CatalogueChange, CatalogueEntry, PathVersion, SearchHit } from '../../../src/contract/catalogue.ts';
import { usualSchedule } from '../../../src/contract/schedule.ts';
import { fold } from '../../../src/service/catalogue/names.ts';
import { planSchema } from '../../../src/contract/plan.ts';
import { protectionOf } from '../../../src/service/catalogue/protection.ts';
import { listChanges } from '../../../src/service/catalogue/queries/changes.ts';
import { listCopies } from '../../../src/service/catalogue/queries/copies.ts';
import { findEntry, listFolder, listUsage } from '../../../src/service/catalogue/queries/folder.ts';
import { search } from '../../../src/service/catalogue/queries/search.ts';
import { listHolding, listSnapshots, listVersions } from '../../../src/service/catalogue/queries/versions.ts';
import { entryAt, factsOfEntry, type ModelEntry, oddName, totals, walk } from '../../support/catalogue-model.ts';
import { destinations, lines, type ModelSnapshot, repositories, step, World } from '../../support/catalogue-world.ts';

/** All of a list that comes in pages. */
function pages<T>(read: (cursor: string | undefined) => { readonly next: string | null }, field: string): T[] {
  const all: T[] = [];
  let cursor: string | undefined;
  do {
    const page = read(cursor);
    all.push(...((page as unknown as Record<string, T[]>)[field] ?? []));
    cursor = page.next ?? undefined;
  } while (cursor !== undefined);
  return all;
}

const parentOf = (path: string): string => path.slice(0, path.lastIndexOf('/')) || '/';
const byPath = (a: { path: string }, b: { path: string }): number => (a.path < b.path ? -1 : a.path > b.path ? 1 : 0);

function checkFolders(world: World, { facts, tree }: ModelSnapshot, limit: number): void {
  const entries = [...walk(tree)];
  const expected = (path: string): object[] =>
    entries
      .filter((each) => parentOf(each.path) === path)
      .map(({ path: full, entry }) => ({
        path: full,
        name: full.slice(full.lastIndexOf('/') + 1),
        ...factsOfEntry(entry),
        ...(entry.entries ? { total: totals(entry.entries) } : {}),
      }));
  for (const path of ['/', ...entries.filter(({ entry }) => entry.entries).map((each) => each.path)]) {
    const list = (order: 'name' | 'folders-first'): CatalogueEntry[] =>
      world.ask((view) => pages((cursor) => listFolder(view, { snapshot: facts.key, path, order, cursor, limit }), 'entries'));
    const wanted = expected(path);
    expect(list('name')).toEqual(wanted);
    const isFolder = (entry: object): boolean => (entry as CatalogueEntry).type === 'dir';
    expect(list('folders-first')).toEqual([...wanted.filter(isFolder), ...wanted.filter((each) => !isFolder(each))]);
    const usage = world.ask((view) =>
      pages<CatalogueEntry>((cursor) => listUsage(view, { snapshot: facts.key, path, cursor, limit }), 'entries'),
    );
    expect([...usage].sort(byPath)).toEqual([...(wanted as CatalogueEntry[])].sort(byPath));
    const weight = ({ total, size }: CatalogueEntry): number => total?.bytes ?? size;
    expect(usage.map(weight)).toEqual(usage.map(weight).sort((a, b) => b - a));
    expect(world.ask((view) => listUsage(view, { snapshot: facts.key, path, limit })).total).toEqual(totals(entryAt(tree, path)!.entries!));
  }
  for (const { path, entry } of entries)
    expect(world.ask((view) => findEntry(view, facts.key, path))).toMatchObject({ path, ...factsOfEntry(entry) });
}

/** The versions of a path, as text in no order. */
function expectedVersions(snapshots: readonly ModelSnapshot[], path: string): string[] {
  const found = new Map<string, ModelSnapshot[]>();
  for (const snapshot of snapshots) {
    const entry = entryAt(snapshot.tree, path);
    if (!entry) continue;
    const key = JSON.stringify([snapshot.line, factsOfEntry(entry), entry.content]);
    found.set(key, [...(found.get(key) ?? []), snapshot]);
  }
  return [...found.values()].map((some) => versionText(some, entryAt(some[0].tree, path)!)).sort();
}

function spanText(some: readonly ModelSnapshot[]): object {
  return {
    first: some[0].facts.key,
    last: some.at(-1)!.facts.key,
    snapshots: some.length,
    destinations: [...destinations].flatMap(([repository, destination]) => {
      const there = some.filter(({ held }) => held.has(repository));
      return there.length === 0 ? [] : [[destination, there.length, there.at(-1)!.facts.key]];
    }),
  };
}

const versionText = (some: readonly ModelSnapshot[], entry: ModelEntry): string =>
  JSON.stringify([lines[some[0].line].plan, factsOfEntry(entry), spanText(some)]);

const spanOf = ({ first, last, snapshots, destinations: there }: PathVersion | SearchHit): object => ({
  first: first.snapshot,
  last: last.snapshot,
  snapshots,
  destinations: [...there]
    .sort((a, b) => [...destinations.values()].indexOf(a.destination) - [...destinations.values()].indexOf(b.destination))
    .map(({ destination, snapshots: count, newest }) => [destination, count, newest.snapshot]),
});

function checkVersions(world: World, limit: number): void {
  const known = world.known();
  const paths = new Set(world.snapshots.flatMap(({ tree }) => [...walk(tree)].map(({ path }) => path)));
  for (const path of paths) {
    const found = world.ask((view) => pages<PathVersion>((cursor) => listVersions(view, { path, cursor, limit }), 'versions'));
    const text = found.map((version) => {
      const { type, size, changed, changedNs, mode, plan } = version;
      return JSON.stringify([plan, { type, size, changed, changedNs, mode }, spanOf(version)]);
    });
    expect(text.sort()).toEqual(expectedVersions(known, path));
    const holding = world.ask((view) => pages<{ snapshot: string }>((cursor) => listHolding(view, { path, cursor, limit }), 'snapshots'));
    const holders = known.filter(({ tree }) => entryAt(tree, path)).map(({ facts }) => facts.key);
    expect(holding.map(({ snapshot }) => snapshot)).toEqual(holders.reverse());
  }
}

function checkSearch(world: World, limit: number): void {
  const known = world.known();
  for (const text of ['a', '报告', 'ÜNÏ', 'ab.', 'B.t', '2024', oddName, '*.txt', 'no such name']) {
    const hits = world.ask((view) => pages<SearchHit>((cursor) => search(view, { text, cursor, limit }), 'hits'));
    const matches = (name: string): boolean => (text === '*.txt' ? fold(name).endsWith('.txt') : fold(name).includes(fold(text)));
    const expected = new Map<string, ModelSnapshot[]>();
    for (const snapshot of known)
      for (const { path } of walk(snapshot.tree)) {
        if (!matches(path.slice(path.lastIndexOf('/') + 1))) continue;
        const key = JSON.stringify([snapshot.line, path]);
        expected.set(key, [...(expected.get(key) ?? []), snapshot]);
      }
    const wanted = [...expected].map(([key, some]) => JSON.stringify([(JSON.parse(key) as [number, string])[1], spanText(some)])).sort();
    expect(hits.map((hit) => JSON.stringify([hit.path, spanOf(hit)])).sort()).toEqual(wanted);
  }
}

function checkChanges(world: World, limit: number): void {
  const known = world.known();
  for (let i = 0; i + 1 < known.length; i++) {
    const [before, after] = [known[i], known[known.length - 1 - (i % 2)]];
    const found = world.ask((view) =>
      pages<CatalogueChange>(
        (cursor) => listChanges(view, { before: before.facts.key, after: after.facts.key, metadata: true, cursor, limit }),
        'changes',
      ),
    );
    const [was, is] = [before, after].map(({ tree }) => new Map([...walk(tree)].map(({ path, entry }) => [path, entry])));
    const expected = [...new Set([...was.keys(), ...is.keys()])].flatMap((path) => {
      const kind = kindOf(was.get(path), is.get(path));
      return kind ? [`${kind} ${path}`] : [];
    });
    expect(found.map(({ kind, path }) => `${kind} ${path}`).sort()).toEqual(expected.sort());
  }
}

function kindOf(was: ModelEntry | undefined, is: ModelEntry | undefined): string | undefined {
  if (!was) return 'added';
  if (!is) return 'removed';
  if (was.type !== is.type) return 'type';
  if (was.content !== is.content || was.size !== is.size) return 'content';
  return was.mtimeNs === is.mtimeNs && was.mode === is.mode ? undefined : 'metadata';
}

/** The newest copies of a path, by line and destination. */
function expectedCopies(known: readonly ModelSnapshot[], path: string): { line: number; on: Map<string, ModelSnapshot[]> }[] {
  return [...lines.keys()].flatMap((line) => {
    const holders = known.filter((each) => each.line === line && entryAt(each.tree, path));
    const on = new Map([...destinations].map(([repository, id]) => [id, holders.filter(({ held }) => held.has(repository))]));
    return holders.length === 0 ? [] : [{ line, on }];
  });
}

/** A plan with the source `/a`, which leaves out what is called `x`. */
const protecting = planSchema.parse({
  id: 'plan-1',
  name: 'Plan',
  sources: [{ kind: 'folder', path: '/a' }],
  destinations: [{ destination: 'disk', role: 'primary' }],
  schedule: usualSchedule,
  excludes: { patterns: ['x'] },
});

async function checkCopies(world: World): Promise<void> {
  const known = world.known();
  const paths = new Set(['/', '/a', ...world.snapshots.flatMap(({ tree }) => [...walk(tree)].map(({ path }) => path))]);
  const keeper = {
    ask: async (_: 'copies', request: { readonly path: string }) => world.ask((view) => listCopies(view, request)),
    state: async () => ({
      bytes: 0,
      destinations: [
        { destination: 'disk', state: 'complete', snapshots: 0, totalSnapshots: 0, entries: 0, checkedAt: 0, problem: null } as const,
      ],
    }),
  };
  const state = { plans: () => [protecting], destinations: () => [] };
  for (const path of paths) {
    // The root of a snapshot is no entry of any folder.
    const wanted = path === '/' ? [] : expectedCopies(known, path);
    const found = world.ask((view) => listCopies(view, { path }));
    const text = found.map(({ plan, host, destinations: on }) =>
      JSON.stringify([
        plan,
        host,
        on
          .map(({ coverage: { destination, snapshots, newest }, facts }) => [
            destination,
            snapshots,
            newest.snapshot,
            facts.type,
            facts.size,
            facts.changedNs,
          ])
          .sort(),
      ]),
    );
    const expected = wanted.map(({ line, on }) =>
      JSON.stringify([
        lines[line].plan,
        lines[line].host,
        [...on]
          .flatMap(([destination, some]) => {
            if (some.length === 0) return [];
            const { facts, tree } = some.at(-1)!;
            const { type, size, changedNs } = factsOfEntry(entryAt(tree, path)!);
            return [[destination, some.length, facts.key, type, size, changedNs]];
          })
          .sort(),
      ]),
    );
    expect(text.sort()).toEqual(expected.sort());

    const protection = await protectionOf(path, { keeper, state, leftOut: [] });
    const parts = path.split('/').slice(1);
    const rule = path === '/' ? 'above' : parts[0] !== 'a' ? 'outside' : parts.slice(1).includes('x') ? 'excluded' : 'source';
    const onDisk = wanted
      .find(({ line }) => line === 0)
      ?.on.get('disk')
      ?.at(-1);
    expect(protection.plans).toMatchObject([
      { because: { rule }, copies: [{ destination: 'disk', isKnown: true, newest: onDisk ? { snapshot: onDisk.facts.key } : null }] },
    ]);
    expect(protection.answer).toBe(rule === 'source' ? (onDisk ? 'yes' : 'partly') : rule === 'above' ? 'partly' : 'no');
    expect(protection.others.map(({ host }) => host)).toEqual(wanted.some(({ line }) => line === 1) ? ['laptop'] : []);
  }
}

test('every question is answered as a plain model answers it, whatever was added and forgotten in whatever order', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 60, size: 'max' }), fc.integer({ min: 1, max: 4 }), async (steps, limit) => {
      const world = new World();
      for (const each of steps) await world.do(each);
      for (const repository of repositories) await world.look(repository, limit);
      const known = world.known();
      const listed = world.ask((view) => pages<{ snapshot: string }>((cursor) => listSnapshots(view, { cursor, limit }), 'snapshots'));
      expect(listed.map(({ snapshot }) => snapshot)).toEqual(known.map(({ facts }) => facts.key).reverse());
      for (const snapshot of known) checkFolders(world, snapshot, limit);
      checkVersions(world, limit);
      checkSearch(world, limit);
      checkChanges(world, limit);
      await checkCopies(world);
      for (const { facts } of known) expect(await world.store.check(facts, 'abc', { source: world.source })).toBe(true);
      await world.store.close();
    }),
    { numRuns: 150 },
  );
});
