/**
 * Watches every folder below a source, one watch each, as Linux wants it.
 *
 * Why not chokidar 6, measured for 100,000 files in 10,000 folders with files ignored: ready after 1.9 s and 600 MB, names that are not
 * UTF-8 are not watched, and of 9,000 changes at once 808 were lost without a word, because the kernel's queue was full. Node's own
 * `fs.watch` for each folder takes 83 MB there, and 211 MB for 100,000 folders; it hides lost events as well. So these are inotify's
 * (platform/inotify.ts): 280 bytes a folder, and the loss is told.
 *
 * No event inside a new folder is lost: it is watched first, listed then, and itself marked dirty. A folder that is moved is another one
 * where it arrives. Folders that the plan excludes are not entered, and what happens to excluded entries is nothing.
 */
import { lstatSync, readdirSync, type Dirent, type Stats } from 'node:fs';
import type { FolderExcluder } from '../../engine/backup/exclude.ts';
import type { TagFinder } from '../../engine/backup/exclude-tags.ts';
import { nextTurn, type Clock } from '../../platform/clock.ts';
import type { DirtyFolders } from './dirty-folders.ts';
import type { Watching } from './mounts.ts';
import type { SystemWatches, Watch, WatchListener } from './system-watches.ts';

/** A folder below a source, or the source itself. Small, since there may be a hundred thousand. */
export class Folder implements WatchListener {
  /** Bytes as latin1; of a source its absolute path. */
  readonly name: string;
  readonly up: Folder | undefined;
  readonly excluder: FolderExcluder;
  /** Of the source, where folders on other devices are left out. */
  readonly device: number | undefined;
  /** Its contents are news, not known from a run before. */
  isNew: boolean;
  watch: Watch | undefined = undefined;
  children: Map<string, Folder> | undefined = undefined;
  leftOut: ((name: Buffer) => boolean) | undefined = undefined;
  isClosed = false;
  /** Nobody may look into it. */
  isRefused = false;
  /** The cut in which it is marked already. */
  markedIn = 0;
  readonly #owner: FolderListener;

  constructor(
    owner: FolderListener,
    name: string,
    up: Folder | undefined,
    excluder: FolderExcluder,
    device: number | undefined,
    isNew: boolean,
  ) {
    this.#owner = owner;
    this.name = name;
    this.up = up;
    this.excluder = excluder;
    this.device = device;
    this.isNew = isNew;
  }

  event(renamed: boolean, name: Buffer | undefined): void {
    if (!this.isClosed) this.#owner.event(this, renamed, name);
  }

  gone(): void {
    if (!this.isClosed) this.#owner.gone(this);
  }

  failed(): void {
    if (!this.isClosed) this.#owner.failed(this);
  }
}

/** Who is told what happens in folders: as {@link WatchListener}. */
export interface FolderListener {
  event(folder: Folder, renamed: boolean, name: Buffer | undefined): void;
  gone(folder: Folder): void;
  failed(folder: Folder): void;
}

/** `failed`: the system would not, for a reason of its own. */
export type WhyPolled = 'limit' | 'file-system' | 'failed';

export interface FolderWatchesOptions {
  readonly clock: Clock;
  readonly dirty: DirtyFolders;
  readonly system: SystemWatches;
  readonly tags: TagFinder | undefined;
  /** Names of tag files; a folder in which one comes or goes is looked at anew. */
  readonly tagNames: ReadonlySet<string>;
  /** How the folder at `path` (latin1) can be watched. */
  watchingOf(path: string): Watching;
  /** This folder and all below cannot be watched. */
  poll(folder: Folder, why: WhyPolled): void;
  /** A source itself was moved, deleted or replaced. */
  rootChanged(root: Folder): void;
}

/** Milliseconds for which other work waits at most. */
const slice = 4;

export function pathOf(folder: Folder): string {
  const { up, name } = folder;
  if (up === undefined) return name;
  const above = pathOf(up);
  return above === '/' ? `/${name}` : `${above}/${name}`;
}

const bytes = (text: string): Buffer => Buffer.from(text, 'latin1');
const codeOf = (error: unknown): string => (error as NodeJS.ErrnoException).code ?? '';
const isLimit = (error: unknown): boolean => ['ENOSPC', 'EMFILE', 'ENFILE', 'ENOMEM'].includes(codeOf(error));
const isGone = (error: unknown): boolean => ['ENOENT', 'ENOTDIR', 'ELOOP'].includes(codeOf(error));

export class FolderWatches implements FolderListener {
  readonly #options: FolderWatchesOptions;
  readonly #toList: Folder[] = [];
  #isAtWork = false;
  /** Those who wait for the end of the work. */
  readonly #waiting: (() => void)[] = [];
  #isClosed = false;
  #isFull = false;
  #count = 0;

  constructor(options: FolderWatchesOptions) {
    this.#options = options;
  }

  /** How many folders are watched. */
  get count(): number {
    return this.#count;
  }

  /** Watches a source and all below. `isNew`: all that is in it is dirty. */
  addRoot(path: string, excluder: FolderExcluder, device: number | undefined, isNew: boolean): Folder {
    const root = new Folder(this, path, undefined, excluder, device, isNew);
    this.add([root]);
    return root;
  }

  /** Also those that were polled: watches may be free again. */
  add(folders: readonly Folder[]): void {
    this.#isFull = false;
    for (const folder of folders) this.#toList.push(folder);
    this.#beginListing();
  }

  /** Folders are known of that are not watched yet. */
  get isListing(): boolean {
    return this.#isAtWork;
  }

  /** Resolves when all that is known of is watched. */
  async settled(): Promise<void> {
    if (this.#isAtWork) await new Promise<void>((resolve) => void this.#waiting.push(resolve));
  }

  /** Ends the watches of this folder and of all below it. */
  remove(folder: Folder): void {
    folder.up?.children?.delete(folder.name);
    const all = [folder];
    for (let each = all.pop(); each !== undefined; each = all.pop()) {
      each.isClosed = true;
      if (each.watch !== undefined) {
        each.watch.close();
        this.#count -= 1;
      }
      if (each.children !== undefined) all.push(...each.children.values());
      each.children = undefined;
    }
  }

  close(): void {
    this.#isClosed = true;
    this.#toList.length = 0;
  }

  #beginListing(): void {
    if (this.#isAtWork) return;
    this.#isAtWork = true;
    this.#list();
  }

  /** At once, as far as others need not wait for it. */
  #list(): void {
    const { clock, dirty } = this.#options;
    const end = clock.monotonic() + slice;
    for (let folder = this.#toList.pop(); folder !== undefined && !this.#isClosed; folder = this.#toList.pop()) {
      try {
        if (!folder.isClosed) this.#watch(folder);
      } catch {
        dirty.doubt('watch-failed');
      }
      if (clock.monotonic() < end || this.#toList.length === 0) continue;
      void nextTurn().then(() => this.#list());
      return;
    }
    this.#isAtWork = false;
    for (const resolve of this.#waiting.splice(0)) resolve();
  }

  #watch(folder: Folder): void {
    const { dirty, system, poll, watchingOf } = this.#options;
    const path = pathOf(folder);
    const watching = watchingOf(path);
    if (watching === 'ignore') return;
    if (watching === 'poll') return poll(folder, 'file-system');
    if (this.#isFull) return poll(folder, 'limit');
    folder.isRefused = false;
    try {
      folder.watch = system.open(bytes(path), folder);
      this.#count += 1;
    } catch (error) {
      if (isGone(error)) return folder.up === undefined ? undefined : this.remove(folder);
      if (isLimit(error)) {
        this.#isFull = true;
        return poll(folder, 'limit');
      }
      // Its folder hears of it when that changes: nobody may look into this one now, a backup neither.
      if (codeOf(error) !== 'EACCES') return poll(folder, 'failed');
      folder.isRefused = true;
      return;
    }
    if (folder.isNew) this.#mark(folder);
    let entries: Dirent<Buffer>[];
    try {
      folder.leftOut = this.#options.tags?.find(bytes(path));
      entries = readdirSync(bytes(path), { withFileTypes: true, encoding: 'buffer' });
    } catch (error) {
      if (!isGone(error)) dirty.doubt('not-listed');
      return;
    }
    for (const entry of entries) if (entry.isDirectory()) this.#enter(folder, path, entry.name);
  }

  #enter(folder: Folder, path: string, name: Buffer, isNew = folder.isNew): void {
    if (this.#excludes(folder, name, true)) return;
    const text = name.toString('latin1');
    if (folder.device !== undefined && statOf(`${path}/${text}`)?.dev !== folder.device) return;
    const child = new Folder(this, text, folder, folder.excluder.enter(name), folder.device, isNew);
    (folder.children ??= new Map()).set(text, child);
    this.#toList.push(child);
    this.#beginListing();
  }

  #excludes(folder: Folder, name: Buffer, isDirectory: boolean): boolean {
    return folder.excluder.excludes(name, isDirectory) || folder.leftOut?.(name) === true;
  }

  event(folder: Folder, renamed: boolean, name: Buffer | undefined): void {
    if (this.#isClosed) return;
    if (name === undefined) return this.#mark(folder);
    const text = name.toString('latin1');
    if (this.#options.tagNames.has(text)) return this.#anew(folder);
    const child = folder.children?.get(text);
    if (!renamed) {
      if (this.#excludes(folder, name, child !== undefined)) return;
      this.#mark(folder);
      // It may be looked into now.
      if (child?.isRefused === true) this.add([child]);
      return;
    }
    const path = pathOf(folder);
    const stat = statOf(path === '/' ? `/${text}` : `${path}/${text}`);
    const isFolder = stat?.isDirectory() === true;
    if (child !== undefined) this.remove(child);
    const isExcluded = stat
      ? this.#excludes(folder, name, isFolder)
      : this.#excludes(folder, name, false) && this.#excludes(folder, name, true);
    // The folder's own time has changed, but that is worth no run.
    if (isExcluded) return this.#mark(folder, true);
    this.#mark(folder);
    if (isFolder) this.#enter(folder, path, name, true);
  }

  /** What is left out of this folder has changed. */
  #anew(folder: Folder): void {
    for (const child of folder.children?.values() ?? []) this.remove(child);
    folder.watch?.close();
    if (folder.watch !== undefined) this.#count -= 1;
    folder.watch = undefined;
    this.#mark(folder);
    this.add([folder]);
  }

  /** Of all others the folder that they are in tells. */
  gone(folder: Folder): void {
    if (folder.up === undefined) this.#options.rootChanged(folder);
  }

  /** Its end was told before where the folder is gone; what was unmounted is looked for by the watcher. */
  failed(folder: Folder): void {
    if (folder.up === undefined) this.#options.rootChanged(folder);
    else this.remove(folder);
  }

  #mark(folder: Folder, quietly = false): void {
    const { dirty } = this.#options;
    if (folder.markedIn === dirty.sequence) return quietly ? undefined : dirty.changed();
    folder.markedIn = dirty.sequence;
    dirty.mark(pathOf(folder), quietly);
  }
}

function statOf(path: string): Stats | undefined {
  try {
    return lstatSync(bytes(path), { throwIfNoEntry: false });
  } catch {
    return undefined;
  }
}
