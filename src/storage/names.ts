/**
 * Where each file of a repository lies below the repository's folder: restic's default layout
 * (`config, data/<2 hex>/, index/, keys/, locks/, snapshots/`), the same on every storage with folders or key prefixes.
 */

import { fail } from '../contract/errors.ts';
import type { FileKind, StoredFile } from './storage.ts';

/** The folder of each kind; config lies in the repository's folder itself. */
export const folderOf: Readonly<Record<FileKind, string>> = {
  config: '',
  key: 'keys',
  snapshot: 'snapshots',
  index: 'index',
  lock: 'locks',
  pack: 'data',
};

/** The folders that packs are spread over, by the first two digits of their names: `00` … `ff`. */
export const shards: readonly string[] = Array.from({ length: 256 }, (_, n) => n.toString(16).padStart(2, '0'));

/** Every folder of the layout, parents first. */
export const layoutFolders: readonly string[] = ['data', 'index', 'keys', 'locks', 'snapshots', ...shards.map((shard) => `data/${shard}`)];

const hexName = /^[0-9a-f]{64}$/;
const shardName = /^[0-9a-f]{2}$/;

/** Whether a listed name is one that a file of a repository can have; anything else in its folders is foreign. */
export const isFileName = (name: string): boolean => hexName.test(name);

export const isShardName = (name: string): boolean => shardName.test(name);

/** The folder that holds a file, relative to the repository's folder, with `/`; '' for config. */
export const folderOfFile = (file: StoredFile): string => (file.kind === 'pack' ? `data/${file.name.slice(0, 2)}` : folderOf[file.kind]);

/**
 * The path of a file relative to the repository's folder, with `/`.
 * Throws `internal` for a name that no repository file can have, so that no name, wherever it comes from, leads outside.
 */
export function layoutPath(file: StoredFile): string {
  if (file.kind === 'config') {
    if (file.name !== '') fail('internal', { cause: `a config was asked for by the name ${JSON.stringify(file.name)}` });
    return 'config';
  }
  if (!hexName.test(file.name)) fail('internal', { cause: `${JSON.stringify(file.name)} is no name of a ${file.kind}` });
  return `${folderOfFile(file)}/${file.name}`;
}

/** The file at a path that {@link layoutPath} gave, or undefined for a foreign path. */
export function fileAt(path: string): StoredFile | undefined {
  if (path === 'config') return { kind: 'config', name: '' };
  const name = path.slice(path.lastIndexOf('/') + 1);
  const kind = (Object.keys(folderOf) as FileKind[]).find((each) => each !== 'config' && path.startsWith(`${folderOf[each]}/`));
  if (kind === undefined || !hexName.test(name)) return undefined;
  const file: StoredFile = { kind, name };
  return layoutPath(file) === path ? file : undefined;
}

/** Throws `internal` unless the range is one of whole, non-negative, exactly representable numbers. */
export function checkRange(range: { readonly offset: number; readonly length: number }): void {
  const { offset, length } = range;
  if (Number.isSafeInteger(offset) && Number.isSafeInteger(length) && offset >= 0 && length >= 0 && Number.isSafeInteger(offset + length))
    return;
  fail('internal', { cause: `${offset}+${length} is no range of bytes` });
}
