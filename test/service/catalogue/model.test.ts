/** Random trees, snapshots and forgetting, against a model that keeps everything whole. */
import { join } from 'node:path';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { CatalogueChange, CatalogueEntry, PathVersion, SearchHit } from '../../../src/contract/catalogue.ts';
import { fold } from '../../../src/service/catalogue/names.ts';
import { listChanges } from '../../../src/service/catalogue/queries/changes.ts';
import { findEntry, listFolder, listUsage } from '../../../src/service/catalogue/queries/folder.ts';
import { search } from '../../../src/service/catalogue/queries/search.ts';
import { listHolding, listSnapshots, listVersions } from '../../../src/service/catalogue/queries/versions.ts';
import type { View } from '../../../src/service/catalogue/queries/view.ts';
import type { SnapshotFacts } from '../../../src/service/catalogue/lines.ts';
import { CatalogueStore } from '../../../src/service/catalogue/store.ts';
import {
  entryAt,
  factsOfEntry,
  file,
  folder,
  type ModelEntry,
  ModelRepository,
  type ModelTree,
  oddName,
  sha,
  snapshotOf,
  totals,
  walk,
} from '../../support/catalogue-model.ts';
import { scratch } from '../../support/tree-literal.ts';

const names = ['a', 'B', 'ab.txt', 'AB.TXT', '报告', '年度报告2024', '\u00dcn\u00efcode', 'U\u0308ni\u0308code', oddName, 'x'] as const;
const destinations = new Map([
  ['repository-1', 'disk'],
  ['repository-2', 'cloud'],
]);
const repositories = [...destinations.keys()];
const lines: Pick<SnapshotFacts, 'plan' | 'host' | 'paths'>[] = [
  { plan: 'plan-1', host: 'pc', paths: ['/home'] },
  { plan: null, host: 'laptop', paths: ['/srv', '/etc'] },
];

interface ModelSnapshot {
  readonly facts: SnapshotFacts;
  readonly line: number;
  readonly tree: ModelTree;
  /** IDs by repository. */
  readonly held: Map<string, string>;
}

/** What happens; numbers are taken modulo what there is. */
const step = fc.oneof(
  { weight: 5, arbitrary: fc.tuple(fc.constant('write' as const), fc.nat(), fc.nat(), fc.nat()) },
  { weight: 2, arbitrary: fc.tuple(fc.constant('remove' as const), fc.nat(), fc.nat(), fc.nat()) },
  { weight: 1, arbitrary: fc.tuple(fc.constant('rename' as const), fc.nat(), fc.nat(), fc.nat()) },
  { weight: 4, arbitrary: fc.tuple(fc.constant('snapshot' as const), fc.nat(), fc.nat(), fc.nat()) },
  { weight: 2, arbitrary: fc.tuple(fc.constant('forget' as const), fc.nat(), fc.nat(), fc.nat()) },
  { weight: 1, arbitrary: fc.tuple(fc.constant('copy' as const), fc.nat(), fc.nat(), fc.nat()) },
  { weight: 2, arbitrary: fc.tuple(fc.constant('look' as const), fc.nat(), fc.nat(), fc.nat()) },
);

/** The tree with an entry put, or removed, at a path of up to three names. */
function withEntry(tree: ModelTree, path: readonly string[], entry: ModelEntry | undefined, time: number): ModelTree {
  const changed = new Map(tree);
  const [name, ...rest] = path;
  if (rest.length > 0) {
    const inner = tree.get(name)?.entries;
    if (!inner && !entry) return tree;
    changed.set(name, folder(withEntry(inner ?? new Map(), rest, entry, time), inner ? Number(tree.get(name)!.mtimeNs / 10n ** 9n) : time));
  } else if (entry) changed.set(name, entry);
  else changed.delete(name);
  return changed;
}

const pathFrom = (n: number): string[] => {
  const depth = 1 + (n % 3);
  return Array.from({ length: depth }, (_, i) => names[Math.floor(n / (3 * names.length ** i)) % names.length]);
};

class World {
  readonly source = new ModelRepository();
  readonly store = new CatalogueStore(join(scratch(), 'catalogue.db'));
  readonly trees: ModelTree[] = [new Map(), new Map()];
  readonly snapshots: ModelSnapshot[] = [];
  readonly #times = new Set<number>();

  async do([kind, a, b, c]: readonly [string, number, number, number]): Promise<void> {
    const line = a % 2;
    const tree = this.trees[line];
    if (kind === 'write') {
      const contents = ['', 'x', 'xy', 'long enough to count'];
      const entries: ModelEntry[] = [
        file(contents[c % 4], c % 5),
        file(contents[c % 4], c % 5),
        { ...file('target'), type: 'symlink', size: 0 },
        folder(new Map(), c % 5),
      ];
      this.trees[line] = withEntry(tree, pathFrom(b), entries[Math.floor(c / 7) % 4], c % 50);
    } else if (kind === 'remove') this.trees[line] = withEntry(tree, pathFrom(b), undefined, 0);
    else if (kind === 'rename') {
      const all = [...walk(tree)];
      if (all.length === 0) return;
      const { path, entry } = all[b % all.length];
      const parts = path.slice(1).split('/');
      this.trees[line] = withEntry(withEntry(tree, parts, undefined, 0), pathFrom(c), entry, 3);
    } else if (kind === 'snapshot') this.#snapshot(line, b, c);
    else if (kind === 'forget') {
      const held = this.snapshots.filter((each) => each.held.size > 0);
      if (held.length === 0) return;
      const chosen = held[b % held.length];
      chosen.held.delete([...chosen.held.keys()][c % chosen.held.size]);
    } else if (kind === 'copy') {
      const held = this.snapshots.filter((each) => each.held.size > 0);
      if (held.length === 0) return;
      const { held: ids, facts } = held[b % held.length];
      const to = repositories[c % 2];
      if (!ids.has(to)) ids.set(to, sha(`${facts.id} in ${to}`).toString('hex'));
    } else await this.look(repositories[b % 2], c);
  }

  #snapshot(line: number, b: number, c: number): void {
    let second = 1 + (b % 30);
    while (this.#times.has(second)) second += 1;
    this.#times.add(second);
    const time = new Date(second * 1000).toISOString();
    const facts = snapshotOf(this.source, this.trees[line], { ...lines[line], time });
    const held = new Map([[repositories[c % 2], facts.id]]);
    if (c % 3 === 0) held.set(repositories[(c + 1) % 2], sha(`${facts.id} beside`).toString('hex'));
    this.snapshots.push({ facts, line, tree: this.trees[line], held });
  }

  /** The catalogue looks at a repository, and enters what is new in some order. */
  async look(repository: string, order: number): Promise<void> {
    const there = this.snapshots.filter(({ held }) => held.has(repository));
    const missing = await this.store.reconcile(
      repository,
      there.map(({ held }) => held.get(repository)!),
    );
    const sorted = missing.map((id) => there.find(({ held }) => held.get(repository) === id)!);
    sorted.sort((x, y) => (order % 3 === 0 ? 1 : -1) * (Date.parse(x.facts.time) - Date.parse(y.facts.time)));
    for (const { facts, held } of sorted)
      await this.store.add(repository, 'abc', { ...facts, id: held.get(repository)! }, { source: this.source });
    await this.store.complete(repository, 1);
    if (order % 2 === 0) await this.store.index();
  }

  ask<T>(question: (view: View) => T): T {
    return this.store.ask(destinations, question);
  }

  /** Snapshots that are somewhere, oldest first. */
  known(): ModelSnapshot[] {
    return this.snapshots.filter(({ held }) => held.size > 0).sort((x, y) => Date.parse(x.facts.time) - Date.parse(y.facts.time));
  }
}

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
      for (const { facts } of known) expect(await world.store.check(facts, 'abc', { source: world.source })).toBe(true);
      await world.store.close();
    }),
    { numRuns: 150 },
  );
});
