/**
 * A checker of whole repositories that shares nothing with the engine's own: it reads every file of a storage on the main
 * thread and believes none of them. Simple rather than fast, for repositories of some megabytes.
 */
import { createHash } from 'node:crypto';
import { decodeBlob } from '../../src/repository/blob-codec.ts';
import { readPackHeader } from '../../src/repository/pack-header.ts';
import { readEntries } from '../../src/repository/pack.ts';
import { Repository } from '../../src/repository/repository.ts';
import type { Node } from '../../src/repository/tree/node.ts';
import { parseTree } from '../../src/repository/tree/parse.ts';
import type { FileKind, Storage } from '../../src/storage/storage.ts';
import { password as usualPassword } from './engine.ts';

/** What a snapshot holds: the SHA-256 of each file's content, the target of each link, and the type of all else, by path. */
export type SnapshotContent = ReadonlyMap<string, string>;

export interface WholeRepository {
  /** By ID. */
  readonly snapshots: ReadonlyMap<string, SnapshotContent>;
  /** Names of whole packs that no index file names. */
  readonly unindexed: readonly string[];
  /** Packs that more than one index file names: no harm, but untidy. */
  readonly namedAgain: readonly string[];
  readonly packs: number;
  readonly locks: number;
  /** Blobs that lie in more than one pack, unindexed packs included. */
  readonly stored: { readonly blobs: number; readonly copies: number };
}

interface Place {
  readonly pack: string;
  readonly offset: number;
  readonly length: number;
  readonly uncompressed: number;
}

/**
 * Throws an Error that lists what is wrong: a pack, index file or snapshot that is not what its name says; a pack that an
 * index names but that is missing, has another size or another header; a blob that is not what its ID says; a snapshot of
 * which a tree or a piece of content is in no index. Locks, and packs that no index names, are no fault.
 */
export async function expectWhole(storage: Storage, password: string = usualPassword): Promise<WholeRepository> {
  const repository = await Repository.open(storage, password, { versions: [1, 2] });
  const checker = new Checker(repository);
  const whole = await checker.check();
  if (checker.problems.length > 0) throw new Error([`${storage.location} is not whole:`, ...checker.problems.slice(0, 20)].join('\n  '));
  return whole;
}

class Checker {
  readonly problems: string[] = [];
  readonly #repository: Repository;
  /** By type and ID, as the index files say. */
  readonly #indexed = new Map<string, Place[]>();
  readonly #indexedPacks = new Set<string>();
  /** By type and ID, as decoded from the packs. */
  readonly #plain = new Map<string, Buffer>();
  readonly #namedAgain: string[] = [];
  #copies = 0;

  constructor(repository: Repository) {
    this.#repository = repository;
  }

  async check(): Promise<WholeRepository> {
    for (const [, text] of await this.#items('index')) this.#readIndex(text);
    const packs = await this.#files('pack');
    const unindexed: string[] = [];
    for (const [name, bytes] of packs) {
      await this.#readPack(name, bytes);
      if (!this.#indexedPacks.has(name)) unindexed.push(name);
    }
    for (const name of this.#indexedPacks) if (!packs.has(name)) this.problems.push(`pack ${name} is missing`);
    this.#compareIndex();
    const snapshots = new Map<string, SnapshotContent>();
    for (const [id, text] of await this.#items('snapshot')) {
      const { tree } = JSON.parse(text.toString()) as { tree: string };
      const content = new Map<string, string>();
      this.#readTree(tree, '', content, id);
      snapshots.set(id, content);
    }
    const locks = (await this.#files('lock')).size;
    return {
      snapshots,
      unindexed,
      namedAgain: this.#namedAgain,
      packs: packs.size,
      locks,
      stored: { blobs: this.#plain.size, copies: this.#copies },
    };
  }

  async #files(kind: FileKind): Promise<Map<string, Uint8Array>> {
    const files = new Map<string, Uint8Array>();
    for await (const { name, size } of this.#repository.storage.list(kind)) {
      const bytes = await this.#repository.storage.load({ kind, name });
      if (bytes.length !== size) this.problems.push(`${kind} ${name} is listed with ${size} bytes and has ${bytes.length}`);
      if (sha256(bytes) !== name) this.problems.push(`${kind} ${name} is not what its name says`);
      files.set(name, bytes);
    }
    return files;
  }

  async #items(kind: 'index' | 'snapshot'): Promise<[string, Buffer][]> {
    const items: [string, Buffer][] = [];
    for (const name of (await this.#files(kind)).keys()) {
      try {
        items.push([name, await this.#repository.loadItem(kind, name)]);
      } catch (error) {
        this.problems.push(`${kind} ${name}: ${String(error)}`);
      }
    }
    return items;
  }

  #readIndex(text: Buffer): void {
    type Stored = {
      packs: { id: string; blobs: { id: string; type: string; offset: number; length: number; uncompressed_length?: number }[] }[];
    };
    for (const pack of (JSON.parse(text.toString()) as Stored).packs) {
      if (this.#indexedPacks.has(pack.id)) this.#namedAgain.push(pack.id);
      this.#indexedPacks.add(pack.id);
      for (const { id, type, offset, length, uncompressed_length: uncompressed = 0 } of pack.blobs) {
        const key = `${type} ${id}`;
        const place: Place = { pack: pack.id, offset, length, uncompressed };
        const places = this.#indexed.get(key);
        if (places) places.push(place);
        else this.#indexed.set(key, [place]);
      }
    }
  }

  /** Decodes every blob that the pack itself lists, and compares that list with the index. */
  async #readPack(name: string, bytes: Uint8Array): Promise<void> {
    const { sealer } = this.#repository;
    try {
      const header = await readPackHeader(this.#repository, name);
      const types = new Set<string>();
      readEntries(header, (type, offset, length, uncompressed, ids, at) => {
        const id = Buffer.from(ids.subarray(at, at + 32));
        const key = `${type} ${id.toString('hex')}`;
        types.add(type);
        const plain = Buffer.from(decodeBlob(sealer, bytes.subarray(offset, offset + length), id, uncompressed, type));
        if (this.#plain.has(key)) this.#copies += 1;
        this.#plain.set(key, plain);
        if (!this.#indexedPacks.has(name)) return;
        const isSaid = this.#indexed
          .get(key)
          ?.some(
            (place) => place.pack === name && place.offset === offset && place.length === length && place.uncompressed === uncompressed,
          );
        if (!isSaid) this.problems.push(`pack ${name} holds ${key} at ${offset}, which no index says`);
      });
      if (types.size !== 1) this.problems.push(`pack ${name} holds blobs of ${types.size} types`);
    } catch (error) {
      this.problems.push(`pack ${name}: ${String(error)}`);
    }
  }

  #compareIndex(): void {
    for (const [key, places] of this.#indexed)
      if (!this.#plain.has(key)) this.problems.push(`${key} is said to be in pack ${places.map(({ pack }) => pack).join(', ')} and is not`);
  }

  #blob(type: 'data' | 'tree', id: string, who: string): Buffer | undefined {
    const key = `${type} ${id}`;
    const plain = this.#indexed.has(key) ? this.#plain.get(key) : undefined;
    if (!plain) this.problems.push(`${who} needs ${key}, which is in no index`);
    return plain;
  }

  #readTree(id: string, path: string, content: Map<string, string>, snapshot: string): void {
    const plain = this.#blob('tree', id, `snapshot ${snapshot} at ${path || '/'}`);
    if (!plain) return;
    for (const node of parseTree(plain, id)) {
      const place = `${path}/${node.name.toString('latin1')}`;
      if (node.type === 'dir') {
        content.set(place, 'folder');
        this.#readTree(node.subtree!.toString('hex'), place, content, snapshot);
      } else if (node.type === 'file') content.set(place, this.#fileHash(node, `snapshot ${snapshot} at ${place}`));
      else content.set(place, node.type === 'symlink' ? `link to ${node.linkTarget!.toString('latin1')}` : node.type);
    }
  }

  #fileHash(node: Node, who: string): string {
    const hash = createHash('sha256');
    let size = 0;
    for (let at = 0; at < node.content!.length; at += 32) {
      const plain = this.#blob('data', node.content!.toString('hex', at, at + 32), who);
      if (!plain) return 'incomplete';
      hash.update(plain);
      size += plain.length;
    }
    if (size !== node.size) this.problems.push(`${who} has ${size} bytes of content, its node says ${node.size}`);
    return hash.digest('hex');
  }
}

const sha256 = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');
