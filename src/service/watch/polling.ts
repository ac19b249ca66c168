/**
 * Looks now and then at folders that cannot be watched: one `lstat` for each entry, and a folder whose entries are not what they were is
 * dirty. The first look only learns.
 *
 * It never takes more than a hundredth of the time, so that a large tree behind a slow network is looked at more rarely. The calls are
 * asynchronous, for a server that does not answer must not hold up the process.
 */
import { lstat, readdir } from 'node:fs/promises';
import type { FolderExcluder } from '../../engine/backup/exclude.ts';
import type { TagFinder } from '../../engine/backup/exclude-tags.ts';
import { joinPath } from '../../platform/byte-paths.ts';
import type { Clock } from '../../platform/clock.ts';
import type { DirtyFolders } from './dirty-folders.ts';
import { pathOf, type Folder } from './folder-watches.ts';
import type { Watching } from './mounts.ts';

const shortestPause = 5 * 60_000;
/** The time between two looks is at least so many times what a look takes. */
const rest = 100;
/** Entries that are asked about at a time: the threads that answer are few. */
const batch = 32;

export interface PollingOptions {
  readonly clock: Clock;
  readonly dirty: DirtyFolders;
  readonly tags: TagFinder | undefined;
  watchingOf(path: string): Watching;
  /** Called before each look. */
  beforeLook(): Promise<void>;
}

interface Stop {
  readonly path: Buffer;
  readonly excluder: FolderExcluder;
}

export class Polling {
  readonly #options: PollingOptions;
  readonly #folders = new Set<Folder>();
  /** Paths (latin1) to what was found there. */
  #known = new Map<string, number>();
  readonly #end = new AbortController();
  #isBegun = false;

  constructor(options: PollingOptions) {
    this.#options = options;
  }

  get folders(): ReadonlySet<Folder> {
    return this.#folders;
  }

  /** This folder and all below it. */
  add(folder: Folder): void {
    this.#folders.add(folder);
    if (this.#isBegun) return;
    this.#isBegun = true;
    void this.#repeat();
  }

  delete(folder: Folder): void {
    this.#folders.delete(folder);
  }

  close(): void {
    this.#end.abort();
  }

  async #repeat(): Promise<void> {
    const { clock, beforeLook } = this.#options;
    const { signal } = this.#end;
    while (!signal.aborted) {
      const start = clock.monotonic();
      await this.look();
      const pause = Math.max(shortestPause, rest * (clock.monotonic() - start));
      await clock.sleep(pause, signal).catch(() => {});
      if (!signal.aborted) await beforeLook();
    }
  }

  /** Looks at all of it once. */
  async look(): Promise<void> {
    const found = new Map<string, number>();
    for (const folder of this.#folders) {
      if (folder.isClosed) this.#folders.delete(folder);
      else await this.#lookAt({ path: Buffer.from(pathOf(folder), 'latin1'), excluder: folder.excluder }, folder.isNew, found);
    }
    this.#known = found;
  }

  async #lookAt(first: Stop, isNew: boolean, found: Map<string, number>): Promise<void> {
    const stops = [first];
    for (let stop = stops.pop(); stop !== undefined && !this.#end.signal.aborted; stop = stops.pop()) {
      const key = stop.path.toString('latin1');
      const print = await this.#fingerprint(stop, stops);
      const before = this.#known.get(key);
      found.set(key, print);
      // A folder of which nothing is known came with its parent, which has changed then.
      if (before === undefined ? isNew || (stop !== first && this.#known.has(first.path.toString('latin1'))) : before !== print) {
        this.#options.dirty.mark(key);
      }
    }
  }

  /** 0 for a folder that cannot be listed. */
  async #fingerprint({ path, excluder }: Stop, stops: Stop[]): Promise<number> {
    const { tags, watchingOf } = this.#options;
    let sum = 1;
    try {
      const leftOut = tags?.find(path);
      const entries = (await readdir(path, { withFileTypes: true, encoding: 'buffer' })).filter(
        (entry) => !excluder.excludes(entry.name, entry.isDirectory()) && leftOut?.(entry.name) !== true,
      );
      for (let at = 0; at < entries.length; at += batch) {
        const part = entries.slice(at, at + batch);
        const facts = await Promise.all(part.map((entry) => this.#factsOf(path, entry.name)));
        for (const [i, { name }] of part.entries())
          sum = (sum + fnv1a(`${name.toString('latin1')}\0${facts[i]}`)) % Number.MAX_SAFE_INTEGER;
      }
      for (const entry of entries) {
        const below = joinPath(path, entry.name);
        if (entry.isDirectory() && watchingOf(below.toString('latin1')) !== 'ignore') {
          stops.push({ path: below, excluder: excluder.enter(entry.name) });
        }
      }
      return sum;
    } catch {
      return 0;
    }
  }

  /** What changes when the entry does. Of a folder only what its parent's tree holds: its own entries are looked at anyway. */
  async #factsOf(folder: Buffer, name: Buffer): Promise<string> {
    const stat = await lstat(joinPath(folder, name)).catch(() => undefined);
    if (stat === undefined) return '';
    const { ino, mode, uid, gid, size, mtimeMs, ctimeMs } = stat;
    return stat.isDirectory() ? `${ino} ${mode} ${uid} ${gid}` : `${ino} ${mode} ${size} ${mtimeMs} ${ctimeMs}`;
  }
}

/** Two of 32 bits, of different beginnings, as one number of 52 (http://www.isthe.com/chongo/tech/comp/fnv/). */
function fnv1a(text: string): number {
  let [a, b] = [0x811c9dc5, 0x050c5d1f];
  for (let i = 0; i < text.length; i++) {
    a = Math.imul(a ^ text.charCodeAt(i), 0x01000193);
    b = Math.imul(b ^ text.charCodeAt(i), 0x01000193);
  }
  return (a >>> 0) * 0x100000 + (b >>> 12);
}
