/** One watch of the operating system. */
import { watch } from 'node:fs';

export interface Watch {
  close(): void;
}

/**
 * Watches a folder's entries, or with `recursive` (macOS and Windows) all below it. `event` gets the entry's name (or its path, from the
 * folder), nothing when the system does not say; `renamed` is true for an entry that came, went, or was replaced. `failed`: it has ended.
 * @throws as `fs.watch`: ENOSPC and EMFILE when the system allows no more
 */
export type OpenWatch = (
  path: Buffer,
  recursive: boolean,
  event: (renamed: boolean, name: Buffer | null) => void,
  failed: () => void,
) => Watch;

export const openWatch: OpenWatch = (path, recursive, event, failed) => {
  // Where one watch follows a folder down, names are Unicode and Node wants them so.
  const watcher = watch(recursive ? path.toString() : path, { encoding: 'buffer', persistent: false, recursive }, (type, name) =>
    event(type === 'rename', name),
  );
  watcher.on('error', failed);
  return watcher;
};
