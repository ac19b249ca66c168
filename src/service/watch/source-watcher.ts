/**
 * Watches the sources of a plan and tells when something in them changed.
 *
 * Words: a *watch* is one of the operating system, for a folder; a *dirty* folder and a *doubt* are what is learned (dirty-folders.ts);
 * *polling* is what remains where a watch is impossible.
 *
 * Watching only makes backups come sooner and scans shorter. It proves nothing: a plan's own times and a full scan see everything.
 *
 * - Linux: one watch a folder (folder-watches.ts). Elsewhere one for each source, which the system follows down.
 * - A source that is missing, moved, replaced or mounted over is looked for each half minute, and is new then.
 * - Idle it costs two wake-ups a second, to notice that the process was held up.
 */
import { lstatSync, readFileSync, type Stats } from 'node:fs';
import { createExcluder, type ExcludeRules, type FolderExcluder } from '../../engine/backup/exclude.ts';
import { createTagFinder, type TagFinder } from '../../engine/backup/exclude-tags.ts';
import { parentPath } from '../../platform/byte-paths.ts';
import type { Clock } from '../../platform/clock.ts';
import { DirtyFolders, type Cut } from './dirty-folders.ts';
import { Folder, FolderWatches, pathOf } from './folder-watches.ts';
import { isWithin, mountOf, parseMounts, systemMounts, watchingOf, type Mount, type Watching } from './mounts.ts';
import { Polling } from './polling.ts';
import { systemWatches, type SystemWatches } from './system-watches.ts';

const tickPeriod = 500;
const checkPeriod = 30_000;
const stalledAfter = 1000;
/** Changes are told at most this often. */
const tellPeriod = 1000;
/** Time since boot is exact to 10 ms; a time server's corrections are no change of the clock. */
const clockTolerance = 2000;

/** What keeps a source from being watched as it should; data for a text. */
export type WatchNote =
  /** `limit`: how many watches a user may have, where the system tells. `polled` folders, and all below them, are only looked at. */
  | { readonly kind: 'limit'; readonly watched: number; readonly polled: number; readonly limit: number | undefined }
  /** `type` as the kernel calls it. Others may change files there without this computer's knowledge. */
  | { readonly kind: 'file-system'; readonly path: Buffer; readonly type: string }
  | { readonly kind: 'missing'; readonly path: Buffer };

export interface SourceWatcherOptions {
  readonly clock: Clock;
  /** Absolute paths of folders or files. */
  readonly sources: readonly Buffer[];
  readonly rules: ExcludeRules;
  /** Something changed. Called again as long as changes come, at most once a second. */
  readonly onChange: () => void;
  /** The rest is the system's, unless a test says otherwise. */
  readonly system?: SystemWatches;
  readonly mounts?: () => string;
}

interface Source {
  readonly path: Buffer;
  readonly key: string;
  /** What it was when it was looked at last; empty for one that is missing. */
  identity: string;
  /** The mounts that it is on and that are in it. */
  mounts: string;
  folder: Folder | undefined;
}

export class SourceWatcher {
  /** Resolves when all that can be watched is. */
  readonly ready: Promise<void>;
  readonly #options: SourceWatcherOptions;
  readonly #clock: Clock;
  readonly #dirty: DirtyFolders;
  readonly #watches: FolderWatches;
  readonly #polling: Polling;
  readonly #sources: Source[];
  readonly #limited = new Set<Folder>();
  readonly #ends: (() => void)[] = [];
  readonly #system: SystemWatches;
  readonly #tags: TagFinder | undefined;
  #mounts: readonly Mount[] = [];
  #mountsText = '';
  /** How sources and mount points can be watched; any other folder as the one that it is in. */
  #watchings = new Map<string, Watching>();
  #isUntold = false;
  #toldAt: number;
  #isLimited = false;
  #tickAt: number;
  #checkAt: number;
  #setBy: number;

  constructor(options: SourceWatcherOptions) {
    const { clock, rules, sources } = options;
    this.#options = options;
    this.#clock = clock;
    this.#system = options.system ?? systemWatches;
    this.#tags = rules.tags.length > 0 ? createTagFinder(rules.tags, () => {}) : undefined;
    this.#dirty = new DirtyFolders(() => this.#tell());
    const watchingAt = (path: string): Watching => this.#watchings.get(path) ?? 'watch';
    this.#watches = new FolderWatches({
      clock,
      dirty: this.#dirty,
      system: this.#system,
      tags: this.#tags,
      tagNames: new Set(rules.tags.map(({ name }) => name)),
      watchingOf: watchingAt,
      poll: (folder, why) => this.#poll(folder, why),
      rootChanged: (folder) => this.#rootChanged(folder),
    });
    this.#polling = new Polling({
      clock,
      dirty: this.#dirty,
      tags: this.#tags,
      watchingOf: watchingAt,
      beforeLook: () => this.#tryAgain(),
    });
    this.#sources = sources.map((path) => ({ path, key: path.toString('latin1'), identity: '', mounts: '', folder: undefined }));
    // The first telling waits for the first tick: whoever makes a watcher does not expect it to call already.
    this.#toldAt = this.#tickAt = this.#checkAt = clock.monotonic();
    this.#setBy = clock.now() - clock.sinceBoot();
    this.#readMounts();
    for (const source of this.#sources) this.#attach(source, false);
    this.#ends.push(
      clock.every(tickPeriod, () => this.#tick()),
      this.#system.onLoss(() => this.#dirty.doubt('burst')),
    );
    this.ready = this.#watches.settled();
  }

  /** How many folders are watched. */
  get watched(): number {
    return this.#watches.count;
  }

  notes(): WatchNote[] {
    const notes: WatchNote[] = [];
    for (const { path, identity } of this.#sources) if (identity === '') notes.push({ kind: 'missing', path });
    for (const folder of this.#polling.folders) {
      if (this.#limited.has(folder) || folder.isClosed) continue;
      const path = pathOf(folder);
      notes.push({ kind: 'file-system', path: Buffer.from(path, 'latin1'), type: mountOf(this.#mounts, path)?.type ?? '' });
    }
    const polled = [...this.#limited].filter(({ isClosed }) => !isClosed).length;
    if (polled > 0) notes.push({ kind: 'limit', watched: this.watched, polled, limit: watchLimit() });
    return notes;
  }

  /** Hands over what was learned since the last cut, for the run that begins. */
  cut(): Cut {
    this.#toldAt = -Infinity;
    this.#isUntold = false;
    return this.#dirty.cut();
  }

  /** The run that took `cut` did not end well. */
  giveBack(cut: Cut): void {
    this.#dirty.giveBack(cut);
  }

  close(): void {
    for (const end of this.#ends) end();
    this.#polling.close();
    this.#watches.close();
    for (const source of this.#sources) this.#detach(source);
  }

  #tell(): void {
    this.#isUntold = true;
    if (this.#clock.monotonic() - this.#toldAt >= tellPeriod) this.#tellNow();
  }

  #tellNow(): void {
    this.#isUntold = false;
    this.#toldAt = this.#clock.monotonic();
    this.#options.onChange();
  }

  #tick(): void {
    const now = this.#clock.monotonic();
    if (now - this.#tickAt >= stalledAfter) this.#dirty.doubt('stalled', false);
    this.#tickAt = now;
    if (this.#isUntold && now - this.#toldAt >= tellPeriod) this.#tellNow();
    if (now - this.#checkAt < checkPeriod) return;
    this.#checkAt = now;
    this.#check();
  }

  /** Looks for what no event tells of. */
  #check(): void {
    const setBy = this.#clock.now() - this.#clock.sinceBoot();
    if (Math.abs(setBy - this.#setBy) > clockTolerance) this.#dirty.doubt('clock-changed', false);
    this.#setBy = setBy;
    const areMountsOther = this.#readMounts();
    for (const source of this.#sources) {
      const stat = statOf(source.path);
      if (areMountsOther && source.mounts !== this.#mountsOf(source)) {
        this.#dirty.doubt('mount-changed');
        this.#attach(source, true);
      } else if (!isSame(identityOf(stat), source.identity)) {
        if (stat?.isDirectory() === false && source.identity !== '') this.#dirty.mark(parentPath(source.path).toString('latin1'));
        else this.#dirty.doubt('root-changed');
        this.#attach(source, true);
      } else source.identity = identityOf(stat);
    }
  }

  /** @returns whether they are others than before */
  #readMounts(): boolean {
    const text = (this.#options.mounts ?? systemMounts)();
    if (text === this.#mountsText) return false;
    this.#mountsText = text;
    this.#mounts = parseMounts(text);
    this.#watchings = new Map(this.#mounts.map(({ path, type }) => [path, watchingOf(type)]));
    for (const { key } of this.#sources) {
      const on = mountOf(this.#mounts, key);
      if (on !== undefined) this.#watchings.set(key, watchingOf(on.type));
    }
    return true;
  }

  #mountsOf({ key }: Source): string {
    const on = mountOf(this.#mounts, key);
    const within = this.#mounts.filter(({ path }) => path !== key && isWithin(path, key));
    return [...(on ? [on] : []), ...within].map(({ id, path, type }) => `${id} ${path} ${type}`).join('\n');
  }

  #attach(source: Source, isNew: boolean): void {
    this.#detach(source);
    const stat = statOf(source.path);
    source.identity = identityOf(stat);
    source.mounts = this.#mountsOf(source);
    if (stat?.isDirectory() !== true) return;
    const { rules } = this.#options;
    const excluder = createExcluder(rules, source.path).root;
    const device = rules.oneFileSystem ? stat.dev : undefined;
    source.folder = this.#system.isRecursive
      ? this.#attachWhole(source, excluder, device, isNew)
      : this.#watches.addRoot(source.key, excluder, device, isNew);
  }

  /** One watch for the whole source, on systems that follow it down. */
  #attachWhole(source: Source, excluder: FolderExcluder, device: number | undefined, isNew: boolean): Folder {
    const { excludes } = createExcluder(this.#options.rules, source.path);
    const event = (_: Folder, __: boolean, name: Buffer | undefined): void => {
      if (name === undefined) return this.#dirty.doubt('burst');
      const path = process.platform === 'win32' ? Buffer.from(name.toString('latin1').replaceAll('\\', '/'), 'latin1') : name;
      if (excludes(path, false) && excludes(path, true)) return;
      const above = parentPath(path).toString('latin1');
      this.#dirty.mark(above === '.' ? source.key : `${source.key}/${above}`);
    };
    const gone = (): void => this.#rootChanged(folder);
    const folder = new Folder({ event, gone, failed: gone }, source.key, undefined, excluder, device, isNew);
    try {
      folder.watch = this.#system.open(source.path, folder);
      if (isNew) this.#dirty.mark(source.key);
    } catch {
      this.#poll(folder, 'file-system');
    }
    return folder;
  }

  #detach(source: Source): void {
    const { folder } = source;
    source.folder = undefined;
    if (folder === undefined) return;
    this.#watches.remove(folder);
    for (const each of this.#polling.folders) if (each.isClosed || isOf(each, folder)) this.#polling.delete(each);
    for (const each of this.#limited) if (each.isClosed || isOf(each, folder)) this.#limited.delete(each);
    this.#noteDoubts();
  }

  #rootChanged(folder: Folder): void {
    const source = this.#sources.find((each) => each.folder === folder);
    if (source === undefined) return;
    this.#dirty.doubt('root-changed');
    this.#attach(source, true);
  }

  #poll(folder: Folder, why: 'limit' | 'file-system'): void {
    if (why === 'limit') {
      if (!this.#isLimited) this.#dirty.doubt('limit');
      this.#isLimited = true;
      this.#limited.add(folder);
    }
    this.#polling.add(folder);
    this.#noteDoubts();
  }

  #noteDoubts(): void {
    this.#dirty.lastingDoubt('limit', this.#limited.size > 0);
    this.#dirty.lastingDoubt('polled', this.#polling.folders.size > this.#limited.size);
  }

  /** Watches may have become free. What is watched again was not for a while: all of it is dirty. */
  async #tryAgain(): Promise<void> {
    const folders = [...this.#limited].filter(({ isClosed }) => !isClosed);
    this.#limited.clear();
    for (const folder of folders) {
      this.#polling.delete(folder);
      folder.isNew = true;
    }
    this.#watches.add(folders);
    await this.#watches.settled();
    this.#isLimited = this.#limited.size > 0;
    this.#noteDoubts();
  }
}

const isOf = (folder: Folder, root: Folder): boolean => {
  for (let each: Folder | undefined = folder; each !== undefined; each = each.up) if (each === root) return true;
  return false;
};

function statOf(path: Buffer): Stats | undefined {
  try {
    return lstatSync(path, { throwIfNoEntry: false });
  } catch {
    return undefined;
  }
}

/** A number of an inode is used again soon after the inode is gone, so that it alone says little. */
function identityOf(stat: Stats | undefined): string {
  if (stat === undefined) return '';
  const { dev, ino, size, mtimeMs, ctimeMs, birthtimeMs } = stat;
  if (!stat.isDirectory()) return `file ${dev} ${ino} ${size} ${mtimeMs} ${ctimeMs}`;
  // Node gives the time of the last change where the file system does not know that of birth.
  return `folder ${dev} ${ino} ${birthtimeMs === ctimeMs ? '' : birthtimeMs}`;
}

/** A folder whose time of birth is known only once is the same. */
const isSame = (a: string, b: string): boolean =>
  a === b || (/^folder .* $/.test(a) && b.startsWith(a)) || (/^folder .* $/.test(b) && a.startsWith(b));

function watchLimit(): number | undefined {
  try {
    return Number(readFileSync('/proc/sys/fs/inotify/max_user_watches', 'utf8'));
  } catch {
    return undefined;
  }
}
