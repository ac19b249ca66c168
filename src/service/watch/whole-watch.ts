/** One watch for a whole source, on systems that follow it down (macOS and Windows). */
import { createExcluder, type ExcludeRules } from '../../engine/backup/exclude.ts';
import { parentPath } from '../../platform/byte-paths.ts';
import type { DirtyFolders } from './dirty-folders.ts';
import { Folder } from './folder-watches.ts';
import type { SystemWatches } from './system-watches.ts';

export interface WholeWatchOptions {
  readonly system: SystemWatches;
  readonly dirty: DirtyFolders;
  readonly rules: ExcludeRules;
  /** It cannot be watched. */
  poll(folder: Folder): void;
  rootChanged(folder: Folder): void;
}

/** @param path of the source. `isNew`: all that is in it is dirty. */
export function watchWholeSource(
  { system, dirty, rules, poll, rootChanged }: WholeWatchOptions,
  path: Buffer,
  device: number | undefined,
  isNew: boolean,
): Folder {
  const { excludes, root } = createExcluder(rules, path);
  const key = path.toString('latin1');
  const event = (_: Folder, __: boolean, name: Buffer | undefined): void => {
    if (name === undefined) return dirty.doubt('burst');
    const below = process.platform === 'win32' ? Buffer.from(name.toString('latin1').replaceAll('\\', '/'), 'latin1') : name;
    if (excludes(below, false) && excludes(below, true)) return;
    const above = parentPath(below).toString('latin1');
    dirty.mark(above === '.' ? key : `${key}/${above}`);
  };
  const gone = (): void => rootChanged(folder);
  const folder = new Folder({ event, gone, failed: gone }, key, undefined, root, device, isNew);
  try {
    folder.watch = system.open(path, folder);
    if (isNew) dirty.mark(key);
  } catch {
    poll(folder);
  }
  return folder;
}
