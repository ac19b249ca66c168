/** A world of trees, snapshots and repositories that changes at random, beside the catalogue that looks at it. */
import { join } from 'node:path';
import fc from 'fast-check';
import type { SnapshotFacts } from '../../src/service/catalogue/lines.ts';
import type { View } from '../../src/service/catalogue/queries/view.ts';
import { CatalogueStore } from '../../src/service/catalogue/store.ts';
import { file, folder, type ModelEntry, ModelRepository, type ModelTree, oddName, sha, snapshotOf, walk } from './catalogue-model.ts';
import { scratch } from './tree-literal.ts';

const names = ['a', 'B', 'ab.txt', 'AB.TXT', '报告', '年度报告2024', '\u00dcn\u00efcode', 'U\u0308ni\u0308code', oddName, 'x'] as const;
export const destinations = new Map([
  ['repository-1', 'disk'],
  ['repository-2', 'cloud'],
]);
export const repositories = [...destinations.keys()];
export const lines: Pick<SnapshotFacts, 'plan' | 'host' | 'paths'>[] = [
  { plan: 'plan-1', host: 'pc', paths: ['/home'] },
  { plan: null, host: 'laptop', paths: ['/srv', '/etc'] },
];

export interface ModelSnapshot {
  readonly facts: SnapshotFacts;
  readonly line: number;
  readonly tree: ModelTree;
  /** IDs by repository. */
  readonly held: Map<string, string>;
}

/** What happens; numbers are taken modulo what there is. */
export const step = fc.oneof(
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

export class World {
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
