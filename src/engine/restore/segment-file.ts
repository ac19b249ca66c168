/** A file to write, and lists of them for the workers. */
import { joinList, splitList } from '../../platform/byte-list.ts';

export interface SegmentFile {
  readonly path: Buffer;
  /** Node as JSON. */
  readonly node: Buffer;
  readonly content: Buffer;
  /** As the node has it, in bytes. */
  readonly size: number;
  /** It comes into a folder from which it inherits attributes that it must not have. */
  readonly inherits: boolean;
  /** Where what stands at the path is moved before; empty: it may go. */
  readonly keep: Buffer;
}

/** What a worker is told of a file. */
export interface ListedFile {
  readonly path: Buffer;
  readonly node: Buffer;
  readonly keep: Buffer | undefined;
}

const sizeOfRow = 3;

/** A joined list. */
export const listFiles = (files: readonly Pick<SegmentFile, 'path' | 'node' | 'keep'>[]): Uint8Array<ArrayBuffer> =>
  joinList(files.flatMap(({ path, node, keep }) => [path, node, keep]));

export function splitFiles(list: Uint8Array): ListedFile[] {
  const items = splitList(list);
  const files: ListedFile[] = [];
  for (let i = 0; i < items.length; i += sizeOfRow) {
    const keep = items[i + 2];
    files.push({ path: items[i], node: items[i + 1], keep: keep.length > 0 ? keep : undefined });
  }
  return files;
}
