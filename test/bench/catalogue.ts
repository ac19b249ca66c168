/**
 * The catalogue with a million files in 20,000 folders and 50 snapshots, of which each changes 1 % of the files: in turn all of some
 * folders, and single ones everywhere. The listings are made up as they are asked for, so that only the catalogue is measured.
 */
import { join } from 'node:path';
import { ListingWriter } from '../../src/engine/listing/format.ts';
import { systemClock } from '../../src/platform/clock.ts';
import { sha256 } from '../../src/repository/ids.ts';
import type { Node } from '../../src/repository/tree/node.ts';
import type { TreeSource } from '../../src/service/catalogue/build.ts';
import type { SnapshotFacts } from '../../src/service/catalogue/lines.ts';
import { listChanges } from '../../src/service/catalogue/queries/changes.ts';
import { listFolder, listUsage } from '../../src/service/catalogue/queries/folder.ts';
import { search } from '../../src/service/catalogue/queries/search.ts';
import { listVersions } from '../../src/service/catalogue/queries/versions.ts';
import type { View } from '../../src/service/catalogue/queries/view.ts';
import { CatalogueStore } from '../../src/service/catalogue/store.ts';
import { changedIn, folders, foldersInEach, lastChanges, mix, nameOf, namesIn, snapshots, timeOf } from './made-up.ts';
import { median } from './measure.ts';

/** That are entered backwards, as those of a repository that is connected. */
const newestFirst = 6;
class MadeUp implements TreeSource {
  readonly #writer = new ListingWriter();
  /** What a tree's ID means: a folder (−1 the root, −2 − n a group) as it was changed last. */
  readonly #trees = new Map<string, { readonly folder: number; readonly at: number }>();
  /** By snapshot, which folders it changed. */
  readonly #last = lastChanges();
  /** Names in order, so that they are sorted once. */
  readonly #names = new Map<number, { readonly name: Buffer; readonly number: number }[]>();
  /** Of the processor, for making up listings; milliseconds. */
  ms = 0;

  tree(folder: number, s: number): Buffer {
    const last = this.#last[s];
    const begin = folder === -1 ? 0 : folder < -1 ? (-2 - folder) * foldersInEach : folder;
    const end = folder === -1 ? folders : folder < -1 ? begin + foldersInEach : folder + 1;
    const at = last.subarray(begin, end).reduce((a, b) => Math.max(a, b), 0);
    const id = sha256(Buffer.from(`${folder} ${at}`));
    this.#trees.set(id.toString('hex'), { folder, at });
    return id;
  }

  async read(trees: readonly Uint8Array[]): Promise<Uint8Array[]> {
    const began = process.cpuUsage();
    const listings = trees.map((tree) => this.#listing(this.#trees.get(Buffer.from(tree).toString('hex'))!));
    this.ms += spent(began);
    return listings;
  }

  #listing({ folder, at }: { readonly folder: number; readonly at: number }): Uint8Array {
    for (const { name, number } of this.#namesIn(folder)) {
      const changed = folder < 0 ? 0 : changedIn(folder, number, at);
      content.writeUInt32LE(mix(folder, number), 0);
      content.writeUInt16LE(changed, 4);
      const node: Partial<Node> = {
        name,
        type: folder < 0 ? 'dir' : 'file',
        mode: 0o644,
        size: folder < 0 ? 0 : 1000 + (mix(number, changed) % 1_000_000),
        mtimeNs: 1_700_000_000_000_000_000n + BigInt(changed) * 1_000_000_007n + BigInt(mix(folder, number)),
        content: folder < 0 ? null : content,
        subtree: folder < 0 ? this.tree(number, at) : null,
      };
      this.#writer.add(node as Node);
    }
    return this.#writer.take();
  }

  #namesIn(folder: number): { readonly name: Buffer; readonly number: number }[] {
    const known = this.#names.get(folder);
    if (known) return known;
    const sorted = namesIn(folder);
    this.#names.set(folder, sorted);
    return sorted;
  }
}

const content = Buffer.alloc(32);

function spent(since: NodeJS.CpuUsage): number {
  const { user, system } = process.cpuUsage(since);
  return (user + system) / 1000;
}

const factsOf = (source: MadeUp, s: number): SnapshotFacts => ({
  id: sha256(Buffer.from(`snapshot ${s}`)).toString('hex'),
  key: sha256(Buffer.from(`snapshot ${s}`)).toString('hex'),
  time: timeOf(s),
  tree: source.tree(-1, s).toString('hex'),
  host: 'pc',
  paths: ['/'],
  plan: 'plan',
});

interface Build {
  /** Of the thread itself, without making up listings, in milliseconds. */
  readonly first: number;
  readonly others: number;
  /** How many those are. */
  readonly more: number;
  readonly index: number;
  readonly bytes: number;
}

export interface CatalogueFigures {
  readonly oldestFirst: Build;
  readonly newestFirst: Build;
  /** The median of 20 calls of each, in milliseconds. */
  readonly queries: Readonly<Record<string, number>>;
}

export async function measureCatalogue(folder: string, tell: (text: string) => void = () => {}): Promise<CatalogueFigures> {
  const source = new MadeUp();
  const order = Array.from({ length: snapshots }, (_, s) => s);
  const build = async (name: string, sequence: readonly number[]): Promise<{ store: CatalogueStore; build: Build }> => {
    const store = new CatalogueStore(join(folder, name));
    const timed = async (work: () => Promise<unknown>): Promise<number> => {
      const before = process.cpuUsage();
      const made = source.ms;
      await work();
      return spent(before) - (source.ms - made);
    };
    const add = (s: number): Promise<void> => store.add('repository', 'abc', factsOf(source, s), { source });
    const first = await timed(() => add(sequence[0]));
    tell(`${name}: first ${Math.round(first)} ms`);
    const others = await timed(async () => {
      for (const s of sequence.slice(1)) {
        const took = await timed(() => add(s));
        tell(`${name}: snapshot ${s} ${Math.round(took)} ms`);
      }
    });
    const index = await timed(() => store.index());
    return { store, build: { first, others, more: sequence.length - 1, index, bytes: store.size() } };
  };
  const newest = await build('newest.db', order.slice(-newestFirst).reverse());
  await newest.store.close();
  const oldest = await build('oldest.db', order);
  const queries = ask(oldest.store, (s) => factsOf(source, s).key);
  await oldest.store.close();
  return { oldestFirst: oldest.build, newestFirst: newest.build, queries };
}

function ask(store: CatalogueStore, key: (s: number) => string): Record<string, number> {
  const limit = 200;
  const middle = key(25);
  const large = '/group 0/folder 0';
  const small = '/group 77/folder 33';
  const questions: Record<string, (view: View) => unknown> = {
    'a folder of 45': (view) => listFolder(view, { snapshot: middle, path: small, order: 'name', limit }),
    'a folder of 100,000': (view) => listFolder(view, { snapshot: middle, path: large, order: 'name', limit }),
    'a folder of 100,000, folders first': (view) => listFolder(view, { snapshot: middle, path: large, order: 'folders-first', limit }),
    'a folder of 100,000, by size': (view) => listUsage(view, { snapshot: middle, path: large, limit }),
    'versions of a file': (view) => listVersions(view, { path: `${small}/${nameOf(7733, 10)}`, limit }),
    'search: holiday': (view) => search(view, { text: 'holiday', limit }),
    'search: 会议': (view) => search(view, { text: '会议', limit }),
    'search: a name of one file': (view) => search(view, { text: nameOf(12_345, 7).slice(0, -4), limit }),
    'search: two letters that nothing has': (view) => search(view, { text: 'qz', limit }),
    'search: *2024*.jpg': (view) => search(view, { text: '*2024*.jpg', limit }),
    'search: nothing like it': (view) => search(view, { text: 'no such name', limit }),
    'changes from one to the next': (view) => listChanges(view, { before: middle, after: key(26), metadata: false, limit }),
  };
  return Object.fromEntries(
    Object.entries(questions).map(([name, question]) => {
      const times = Array.from({ length: 20 }, () => {
        const began = systemClock.monotonic();
        store.ask(new Map([['repository', 'disk']]), question);
        return systemClock.monotonic() - began;
      });
      return [name, median(times)];
    }),
  );
}
