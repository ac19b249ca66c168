/** What the catalogue should say, worked out the plain way: whole trees in memory, one for each snapshot. */
import { createHash } from 'node:crypto';
import { nameBytes, nameText } from '../../src/engine/backup/name-text.ts';
import { ListingWriter } from '../../src/engine/listing/format.ts';
import type { Node, NodeType } from '../../src/repository/tree/node.ts';
import type { TreeSource } from '../../src/service/catalogue/build.ts';
import type { SnapshotFacts } from '../../src/service/catalogue/lines.ts';

/** An entry; names are text as of name-text.ts. */
export interface ModelEntry {
  readonly type: NodeType;
  readonly size: number;
  readonly mtimeNs: bigint;
  readonly mode: number;
  /** What a file is made of. */
  readonly content: string;
  /** Of a folder. */
  readonly entries: ModelTree | undefined;
}
export type ModelTree = ReadonlyMap<string, ModelEntry>;

export const sha = (text: string | Uint8Array): Buffer => createHash('sha256').update(text).digest();

/** Trees by their IDs, as a repository has them. */
export class ModelRepository implements TreeSource {
  readonly listings = new Map<string, Uint8Array>();
  /** IDs of trees that cannot be read. */
  readonly damaged = new Set<string>();
  reads = 0;

  async read(trees: readonly Uint8Array[]): Promise<(Uint8Array | undefined)[]> {
    this.reads += trees.length;
    return trees.map((tree) => {
      const id = Buffer.from(tree).toString('hex');
      return this.damaged.has(id) ? undefined : this.listings.get(id)!;
    });
  }

  /** Stores a tree with all that is in it; gives its ID. */
  store(tree: ModelTree): Buffer {
    const writer = new ListingWriter();
    const sorted = [...tree].map(([name, entry]) => ({ name: nameBytes(name), entry })).sort((a, b) => a.name.compare(b.name));
    for (const { name, entry } of sorted) writer.add(this.#node(name, entry));
    const listing = writer.take();
    const id = sha(listing);
    this.listings.set(id.toString('hex'), listing);
    return id;
  }

  #node(name: Buffer, { type, mode, size, mtimeNs, content, entries }: ModelEntry): Node {
    const node: Partial<Node> = {
      name,
      type,
      mode,
      size,
      mtimeNs,
      device: 0n,
      linkTarget: type === 'symlink' ? Buffer.from(content) : undefined,
      content: type === 'file' ? (content === '' ? Buffer.alloc(0) : sha(content)) : null,
      subtree: entries ? this.store(entries) : null,
    };
    return node as Node;
  }
}

export const file = (content: string, seconds = 0, size = content.length): ModelEntry => ({
  type: 'file',
  size,
  mtimeNs: BigInt(seconds) * 1_000_000_000n,
  mode: 0o644,
  content,
  entries: undefined,
});

export const folder = (entries: Readonly<Record<string, ModelEntry>> | ModelTree, seconds = 0): ModelEntry => ({
  type: 'dir',
  size: 0,
  mtimeNs: BigInt(seconds) * 1_000_000_000n,
  mode: 0o755,
  content: '',
  entries: entries instanceof Map ? entries : new Map(Object.entries(entries)),
});

let number = 0;

/** A snapshot of a tree that is stored in the repository. */
export function snapshotOf(
  repository: ModelRepository,
  content: ModelTree,
  more: Partial<SnapshotFacts> & Pick<SnapshotFacts, 'time'>,
): SnapshotFacts {
  const id = sha(`snapshot ${++number}`).toString('hex');
  return { id, key: id, tree: repository.store(content).toString('hex'), host: 'pc', paths: ['/home'], plan: null, ...more };
}

/** All entries of a tree by their paths, in the order of bytes within each folder, a folder before what is in it. */
export function* walk(content: ModelTree, path = ''): Generator<{ path: string; entry: ModelEntry }> {
  for (const name of [...content.keys()].sort((a, b) => nameBytes(a).compare(nameBytes(b)))) {
    const entry = content.get(name)!;
    yield { path: `${path}/${name}`, entry };
    if (entry.entries) yield* walk(entry.entries, `${path}/${name}`);
  }
}

export function entryAt(content: ModelTree, path: string): ModelEntry | undefined {
  let here: ModelEntry | undefined = folder(content);
  for (const name of path.split('/').filter((part) => part !== '')) here = here?.entries?.get(name);
  return here;
}

export function totals(content: ModelTree): { files: number; folders: number; bytes: number } {
  const sum = { files: 0, folders: 0, bytes: 0 };
  for (const { entry } of walk(content)) {
    if (entry.entries) sum.folders += 1;
    else {
      sum.files += 1;
      sum.bytes += entry.type === 'file' ? entry.size : 0;
    }
  }
  return sum;
}

export const factsOfEntry = ({ type, size, mtimeNs, mode }: ModelEntry) => ({
  type,
  size: type === 'file' ? size : 0,
  changed: Math.floor(Number(mtimeNs) / 1_000_000),
  changedNs: String(mtimeNs),
  mode,
});

/** Text of a name with a byte that is not UTF-8. */
export const oddName = nameText(Buffer.from([0x66, 0xff, 0x66]));
