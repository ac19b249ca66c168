/**
 * Writes repositories that no honest program writes, with the real keys: everything authenticates, and nothing of what it says
 * need be true. A *forged* blob's ID, type, place and lengths are whatever the test says.
 *
 *     const forge = new Forge(await makeRepository(folder));
 *     const content = forge.data('hello');
 *     await forge.snapshot(forge.tree([fileNode('../escaped', [content])]));
 */
import type { Repository } from '../../src/repository/repository.ts';
import { finishPack, headerBytes } from '../../src/repository/packer.ts';
import { writeEntry } from '../../src/repository/pack.ts';
import { sha256 } from '../../src/repository/ids.ts';
import type { BlobType } from '../../src/repository/blob-index.ts';
import { compress } from '../../src/repository/zstd.ts';
import type { FileKind } from '../../src/storage/storage.ts';

/** A blob as an index file lists it; a test may say anything here, also what is no number. */
export interface ListedBlob {
  id: string;
  type: unknown;
  offset: unknown;
  length: unknown;
  uncompressed_length?: unknown;
}

export interface ListedPack {
  id: string;
  blobs: ListedBlob[];
}

export interface BlobLies {
  /** Default: the hash of the content. */
  readonly id?: string;
  /** The content is compressed, and this is its claimed length; `true`: its real one. */
  readonly compressed?: number | true;
  /** The stored frame, instead of the one that compressing the content gives. */
  readonly frame?: Uint8Array;
}

const overhead = 32;

export class Forge {
  readonly repository: Repository;
  /** What the next index file will list; to be changed at will before {@link index} is called. */
  packs: ListedPack[] = [];
  readonly #pending: Record<BlobType, { id: string; sealed: Buffer; plain: number }[]> = { data: [], tree: [] };

  constructor(repository: Repository) {
    this.repository = repository;
  }

  /** The sealed form of any bytes. */
  seal(plain: Uint8Array): Buffer {
    const sealed = Buffer.alloc(plain.length + overhead);
    this.repository.sealer.seal(plain, sealed, 0);
    return sealed;
  }

  /** Puts a blob into the next pack of its type; returns its ID. */
  blob(type: BlobType, content: Uint8Array | string, lies: BlobLies = {}): string {
    const plain = Buffer.from(content);
    const id = lies.id ?? sha256(plain).toString('hex');
    const stored = lies.compressed === undefined ? plain : (lies.frame ?? compress(plain));
    const claimed = lies.compressed === true ? plain.length : (lies.compressed ?? 0);
    this.#pending[type].push({ id, sealed: this.seal(stored), plain: claimed });
    return id;
  }

  data(content: Uint8Array | string, lies?: BlobLies): string {
    return this.blob('data', content, lies);
  }

  /** A tree of nodes as objects, or of any text. */
  tree(nodes: readonly object[] | string, lies?: BlobLies): string {
    return this.blob('tree', typeof nodes === 'string' ? nodes : treeText(nodes), lies);
  }

  /** Stores the blobs so far as packs, which the next index file lists. */
  async store(): Promise<void> {
    for (const type of ['data', 'tree'] as const) {
      const blobs = this.#pending[type].splice(0);
      if (blobs.length === 0) continue;
      const header = Buffer.alloc(blobs.length * 41);
      let at = 0;
      for (const { id, sealed, plain } of blobs) at = writeEntry(header, at, type, sealed.length, plain, Buffer.from(id, 'hex'));
      const body = Buffer.concat(blobs.map(({ sealed }) => sealed));
      const entries = header.subarray(0, at);
      const buffer = Buffer.from(new ArrayBuffer(body.length + headerBytes(entries)));
      buffer.set(body);
      const pack = finishPack(this.repository.sealer, buffer, body.length, entries);
      const name = pack.id.toString('hex');
      await this.repository.storage.save({ kind: 'pack', name }, [pack.bytes]);
      let offset = 0;
      this.packs.push({
        id: name,
        blobs: blobs.map(({ id, sealed, plain }) => {
          const listed: ListedBlob = { id, type, offset, length: sealed.length };
          if (plain > 0) listed.uncompressed_length = plain;
          offset += sealed.length;
          return listed;
        }),
      });
    }
  }

  /** Stores an index file: what was stored so far, or any value or text. Returns its name. */
  async index(content?: unknown): Promise<string> {
    await this.store();
    const packs = this.packs;
    if (content === undefined) this.packs = [];
    return this.item('index', content ?? { packs });
  }

  /** Stores everything, an index of it, and a snapshot of `tree`. Returns the snapshot's ID. */
  async snapshot(tree: string, fields: Record<string, unknown> = {}): Promise<string> {
    await this.store();
    if (this.packs.length > 0) await this.index();
    return this.item('snapshot', {
      time: '2026-01-02T03:04:05Z',
      tree,
      paths: ['/forged'],
      hostname: 'forge',
      username: 'mallory',
      ...fields,
    });
  }

  /** Stores an item of any content: bytes as they are (an encoding byte included), text or a value as JSON. Returns its name. */
  async item(kind: 'index' | 'snapshot' | 'lock', content: unknown): Promise<string> {
    return this.file(kind, this.seal(itemBytes(content)));
  }

  /** Stores a file under the hash of its bytes. */
  async file(kind: Exclude<FileKind, 'config'>, bytes: Uint8Array): Promise<string> {
    const name = sha256(bytes).toString('hex');
    await this.repository.storage.save({ kind, name }, [bytes]);
    return name;
  }
}

const itemBytes = (content: unknown): Uint8Array => {
  if (content instanceof Uint8Array) return content;
  return Buffer.from(typeof content === 'string' ? content : JSON.stringify(content));
};

export const treeText = (nodes: readonly object[]): string => `{"nodes":${JSON.stringify(nodes)}}\n`;

const times = { mtime: '2026-01-02T03:04:05Z', atime: '2026-01-02T03:04:05Z', ctime: '2026-01-02T03:04:05Z' };
const owner = { uid: process.getuid?.() ?? 0, gid: process.getgid?.() ?? 0 };

/** A file of blobs that are named; its size is what they hold only if `more` says so. */
export const fileNode = (name: string, content: readonly string[], more: object = {}): object => ({
  name,
  type: 'file',
  mode: 0o644,
  ...times,
  ...owner,
  links: 1,
  content,
  ...more,
});

export const folderNode = (name: string, subtree: string, more: object = {}): object => ({
  name,
  type: 'dir',
  mode: 2147484141,
  ...times,
  ...owner,
  content: null,
  subtree,
  ...more,
});

export const linkNode = (name: string, linktarget: string, more: object = {}): object => ({
  name,
  type: 'symlink',
  mode: 134218239,
  ...times,
  ...owner,
  links: 1,
  linktarget,
  content: null,
  ...more,
});
