/**
 * What can be had of a repository, damaged or not, by whoever looks hard: every place that any readable index file names is
 * tried. Shares nothing with the engine's own reading. For repositories of some megabytes.
 */
import { createHash } from 'node:crypto';
import { decodeBlob } from '../../src/repository/blob-codec.ts';
import type { BlobType } from '../../src/repository/blob-index.ts';
import { Repository } from '../../src/repository/repository.ts';
import { parseTree } from '../../src/repository/tree/parse.ts';
import type { Storage } from '../../src/storage/storage.ts';

/** By path (as Latin-1): the SHA-256 of a file's content, `folder` or another type; what cannot be had is not in it. */
export type HadContent = ReadonlyMap<string, string>;

interface ListedBlob {
  readonly id: string;
  readonly type: BlobType;
  readonly offset: number;
  readonly length: number;
  readonly uncompressed_length?: number;
}

/** What every readable snapshot gives, by its ID. */
export async function whatCanBeHad(storage: Storage, password: string): Promise<Map<string, HadContent>> {
  const repository = await Repository.open(storage, password);
  const packs = new Map<string, Uint8Array>();
  for (const name of await repository.names('pack')) packs.set(name, await storage.load({ kind: 'pack', name }));
  const places = new Map<string, { pack: string; blob: ListedBlob }[]>();
  for (const name of await repository.names('index')) {
    const text = await repository.loadItem('index', name).catch(() => undefined);
    if (!text) continue;
    for (const { id, blobs } of (JSON.parse(text.toString()) as { packs?: { id: string; blobs: ListedBlob[] }[] }).packs ?? [])
      for (const blob of blobs) {
        const key = `${blob.type} ${blob.id}`;
        places.set(key, [...(places.get(key) ?? []), { pack: id, blob }]);
      }
  }
  const opened = new Map<string, Buffer | undefined>();
  const load = (type: BlobType, id: string): Buffer | undefined => {
    const key = `${type} ${id}`;
    if (opened.has(key)) return opened.get(key);
    let plain: Buffer | undefined;
    for (const { pack, blob } of places.get(key) ?? []) {
      const bytes = packs.get(pack);
      if (!bytes || plain || blob.offset + blob.length > bytes.length) continue;
      try {
        const sealed = bytes.subarray(blob.offset, blob.offset + blob.length);
        plain = Buffer.from(decodeBlob(repository.sealer, sealed, Buffer.from(id, 'hex'), blob.uncompressed_length ?? 0, type));
      } catch {
        // Another place may be better.
      }
    }
    opened.set(key, plain);
    return plain;
  };
  const had = new Map<string, HadContent>();
  for (const id of await repository.names('snapshot')) {
    const snapshot = await repository.snapshot(id).catch(() => undefined);
    if (!snapshot) continue;
    const content = new Map<string, string>();
    const walk = (tree: string, path: string): void => {
      const plain = load('tree', tree);
      if (!plain) return;
      content.set(path === '' ? '/' : path, 'folder');
      for (const node of parseTree(plain)) {
        const place = `${path}/${node.name.toString('latin1')}`;
        if (node.type === 'dir') walk(node.subtree!.toString('hex'), place);
        else if (node.type !== 'file') content.set(place, node.type);
        else {
          const hash = createHash('sha256');
          let whole = true;
          for (let at = 0; at < node.content!.length; at += 32) {
            const piece = load('data', node.content!.toString('hex', at, at + 32));
            if (piece) hash.update(piece);
            else whole = false;
          }
          if (whole) content.set(place, hash.digest('hex'));
        }
      }
    };
    walk(snapshot.tree, '');
    had.set(id, content);
  }
  return had;
}

/** Throws unless all that could be had `before` can be had `after`, of the same snapshots. */
export function expectNothingGivenUp(before: ReadonlyMap<string, HadContent>, after: ReadonlyMap<string, HadContent>): void {
  const gone: string[] = [];
  for (const [id, content] of before) {
    for (const [path, what] of content) if (after.get(id)?.get(path) !== what) gone.push(`${id.slice(0, 8)}${path}`);
  }
  if (gone.length > 0) throw new Error(`Could be had before, and not any more:\n  ${gone.slice(0, 20).join('\n  ')}`);
}
