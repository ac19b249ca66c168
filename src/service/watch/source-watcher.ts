/**
 * Watches the sources of a plan and tells when something in them changed.
 *
 * Words: a *watch* is one of the operating system, for a folder; a *dirty* folder and a *doubt* are what is learned (dirty-folders.ts);
 * *polling* is what remains where a watch is impossible (unwatched.ts).
 *
 * Watching only makes backups come sooner and scans shorter. It proves nothing: a plan's own times and a full scan see everything.
 *
 * - Linux: one watch a folder (folder-watches.ts). Elsewhere one for each source, which the system follows down (whole-watch.ts).
 * - A source that is missing, moved, replaced or mounted over is looked for each half minute and at each cut, and is new then.
 * - After events were lost all folders are watched anew, since new ones may be unknown.
 * - Idle it costs two wake-ups a second, to notice that the process was held up.
 */
import { readFileSync } from 'node:fs';
import { createExcluder, type ExcludeRules } from '../../engine/backup/exclude.ts';
import { createTagFinder, type TagFinder } from '../../engine/backup/exclude-tags.ts';
import { parentPath } from '../../platform/byte-paths.ts';
import type { Clock } from '../../platform/clock.ts';
import { Attention, tickPeriod } from './attention.ts';
import { ChangeTeller } from './change-teller.ts';
import { DirtyFolders, type Cut, type Doubt } from './dirty-folders.ts';
import { type Folder, FolderWatches, pathOf, type WhyPolled } from './folder-watches.ts';
import { identityOf, isSame, statOf } from './identity.ts';
import { MountTable } from './mount-table.ts';
import { systemMounts } from './mounts.ts';
import { Polling } from './polling.ts';
import { systemWatches, type SystemWatches } from './system-watches.ts';
import { Unwatched } from './unwatched.ts';
import { watchWholeSource } from './whole-watch.ts';

const checkPeriod = 30_000;

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
  readonly #system: SystemWatches;
  readonly #dirty: DirtyFolders;
  readonly #teller: ChangeTeller;
  readonly #attention: Attention;
  readonly #mounts: MountTable;
  readonly #watches: FolderWatches;
  readonly #polling: Polling;
  readonly #unwatched: Unwatched;
  readonly #sources: Source[];
  readonly #ends: (() => void)[] = [];
  #checkedAt: number;
  /** Events were lost since the last tick; and since all was watched anew. */
  #isLosing = false;
  #hasLost = false;

  constructor(options: SourceWatcherOptions) {
    const { clock, rules, sources, onChange, system = systemWatches, mounts = systemMounts } = options;
    this.#options = options;
    this.#system = system;
    this.#teller = new ChangeTeller(clock, onChange);
    this.#dirty = new DirtyFolders(() => this.#teller.tell());
    this.#attention = new Attention(clock, this.#dirty);
    this.#unwatched = new Unwatched(this.#dirty);
    this.#sources = sources.map((path) => ({ path, key: path.toString('latin1'), identity: '', mounts: '', folder: undefined }));
    this.#mounts = new MountTable(
      mounts,
      this.#sources.map(({ key }) => key),
    );
    const tags: TagFinder | undefined = rules.tags.length > 0 ? createTagFinder(rules.tags, () => {}) : undefined;
    const shared = { clock, dirty: this.#dirty, tags, watchingOf: (path: string) => this.#mounts.watchingAt(path) };
    this.#watches = new FolderWatches({
      ...shared,
      system,
      tagNames: new Set(rules.tags.map(({ name }) => name)),
      poll: (folder, why) => this.#poll(folder, why),
      rootChanged: (folder) => this.#rootChanged(folder),
    });
    this.#polling = new Polling({ ...shared, beforeLook: () => this.#unwatched.tryAgain(this.#watches, this.#polling) });
    this.#checkedAt = clock.monotonic();
    this.#ends.push(
      clock.every(tickPeriod, () => this.#tick()),
      system.onLoss((isLost) => this.#loss(isLost)),
    );
    this.ready = this.#watchAll('restarted');
  }

  /** How many folders are watched. */
  get watched(): number {
    return this.#watches.count;
  }

  /** Resolves when nothing is known of that is not watched yet. */
  settled(): Promise<void> {
    return this.#watches.settled();
  }

  /** Whether it would notice that it has missed something. */
  get noticesLoss(): boolean {
    return !this.#system.isRecursive;
  }

  notes(): WatchNote[] {
    const notes: WatchNote[] = [];
    for (const { path, identity } of this.#sources) if (identity === '') notes.push({ kind: 'missing', path });
    for (const folder of this.#unwatched.of('file-system')) {
      const path = pathOf(folder);
      notes.push({ kind: 'file-system', path: Buffer.from(path, 'latin1'), type: this.#mounts.typeAt(path) });
    }
    const polled = this.#unwatched.of('limit').length;
    if (polled > 0) notes.push({ kind: 'limit', watched: this.watched, polled, limit: watchLimit() });
    return notes;
  }

  /** Folders in the sources of which nothing is told, and nothing ever doubted: file systems made of no files that anyone would back up. */
  untold(): Buffer[] {
    return this.#mounts.ignored().map((path) => Buffer.from(path, 'latin1'));
  }

  /** Hands over what was learned since the last cut, for the run that begins: all that has happened until now is in it, or doubted. */
  cut(): Cut {
    this.#lookNow();
    this.#teller.reset();
    return this.#dirty.cut();
  }

  /** What the next cut would hold, all that has happened until now included. */
  peek(): Cut {
    this.#lookNow();
    return this.#dirty.peek();
  }

  close(): void {
    for (const end of this.#ends) end();
    this.#polling.close();
    this.#watches.close();
    for (const source of this.#sources) this.#detach(source);
  }

  #lookNow(): void {
    this.#system.read?.();
    this.#attention.look();
    this.#check();
    if (this.#watches.isListing) this.#dirty.doubt('not-listed', false);
  }

  #tick(): void {
    this.#attention.look();
    this.#teller.tick();
    if (this.#hasLost && !this.#isLosing) {
      this.#hasLost = false;
      void this.#watchAll('burst');
    }
    this.#isLosing = false;
    if (this.#options.clock.monotonic() - this.#checkedAt >= checkPeriod) this.#check();
  }

  /** `isLost`: events were dropped, and not only many. */
  #loss(isLost: boolean): void {
    this.#dirty.doubt('burst');
    if (!isLost) return;
    this.#isLosing = this.#hasLost = true;
    this.#dirty.lastingDoubt('burst', true);
  }

  /** Watches everything anew; what happens until then may go unseen, and is doubted in one more cut after it. */
  async #watchAll(doubt: Doubt): Promise<void> {
    this.#dirty.lastingDoubt(doubt, true);
    for (const source of this.#sources) this.#attach(source, false);
    await this.#watches.settled();
    // Where events were lost meanwhile it begins again.
    if (doubt !== 'burst' || !this.#hasLost) this.#dirty.lastingDoubt(doubt, false);
  }

  /** Looks for what no event tells of. */
  #check(): void {
    this.#checkedAt = this.#options.clock.monotonic();
    this.#attention.lookAtClock();
    const areMountsOther = this.#mounts.look();
    for (const source of this.#sources) {
      const stat = statOf(source.path);
      if (areMountsOther && source.mounts !== this.#mounts.of(source.key)) {
        this.#dirty.doubt('mount-changed');
        this.#attach(source, true);
      } else if (!isSame(identityOf(stat), source.identity)) {
        if (stat?.isDirectory() === false && source.identity !== '') this.#dirty.mark(parentPath(source.path).toString('latin1'));
        else this.#dirty.doubt('root-changed');
        this.#attach(source, true);
      } else source.identity = identityOf(stat);
    }
  }

  #attach(source: Source, isNew: boolean): void {
    this.#detach(source);
    const stat = statOf(source.path);
    source.identity = identityOf(stat);
    source.mounts = this.#mounts.of(source.key);
    if (stat?.isDirectory() !== true) return;
    const { rules } = this.#options;
    const device = rules.oneFileSystem ? stat.dev : undefined;
    const poll = (folder: Folder): void => this.#poll(folder, 'file-system');
    const rootChanged = (folder: Folder): void => this.#rootChanged(folder);
    const whole = { system: this.#system, dirty: this.#dirty, rules, poll, rootChanged };
    source.folder = this.#system.isRecursive
      ? watchWholeSource(whole, source.path, device, isNew)
      : this.#watches.addRoot(source.key, createExcluder(rules, source.path).root, device, isNew);
  }

  #detach(source: Source): void {
    const { folder } = source;
    source.folder = undefined;
    if (folder === undefined) return;
    this.#watches.remove(folder);
    this.#unwatched.forget((each) => isOf(each, folder), this.#polling);
  }

  #rootChanged(folder: Folder): void {
    const source = this.#sources.find((each) => each.folder === folder);
    if (source === undefined) return;
    this.#dirty.doubt('root-changed');
    this.#attach(source, true);
  }

  #poll(folder: Folder, why: WhyPolled): void {
    this.#unwatched.add(folder, why);
    this.#polling.add(folder);
  }
}

const isOf = (folder: Folder, root: Folder): boolean => {
  for (let each: Folder | undefined = folder; each !== undefined; each = each.up) if (each === root) return true;
  return false;
};

function watchLimit(): number | undefined {
  try {
    return Number(readFileSync('/proc/sys/fs/inotify/max_user_watches', 'utf8'));
  } catch {
    return undefined;
  }
}
