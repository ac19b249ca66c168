/**
 * What the sources and excludes of a plan will and will not protect, and why. Goes through the folders as a backup does, by the rules that
 * the backup goes by, without reading what is in files.
 */
import { accessSync, type BigIntStats, constants, lstatSync, readdirSync } from 'node:fs';
import type { Plan } from '../../contract/plan.ts';
import type { ProtectionRow, ProtectionSummary } from '../../contract/files.ts';
import { createExcluder, type FolderExcluder } from '../../engine/backup/exclude.ts';
import { acrossFileSystems, isTooLarge } from '../../engine/backup/exclude-facts.ts';
import { cacheTag, createTagFinder } from '../../engine/backup/exclude-tags.ts';
import { joinPath } from '../../platform/byte-paths.ts';
import type { RunControl } from '../../platform/cancellation.ts';
import type { Clock } from '../../platform/clock.ts';
import { pathText } from '../../platform/path-text.ts';
import { nameBytes } from '../../engine/backup/name-text.ts';
import type { SheetWriter } from '../sheets.ts';
import { ExcludeReasons } from './exclude-reasons.ts';
import { makeTurns } from './turns.ts';

type LeftOut = NonNullable<ProtectionRow['leftOut']>;

export interface ProtectionWish {
  readonly sources: readonly { readonly path: string }[];
  readonly excludes: Plan['excludes'];
  /** Patterns that leave out Holdfast's own files. */
  readonly own: readonly string[];
  /** Folders of repositories, which no backup takes. */
  readonly repositories: readonly string[];
  /** What is protected gets rows, too. */
  readonly all: boolean;
}

interface Frame {
  readonly path: Buffer;
  readonly excluder: FolderExcluder;
  readonly device: bigint;
}

const batch = 500;

/** Throws `bad-usage` for an exclude that means nothing, `cancelled`. */
export async function showProtection(
  wish: ProtectionWish,
  writer: SheetWriter<ProtectionRow, ProtectionSummary>,
  { clock, control }: { clock: Pick<Clock, 'monotonic'>; control: RunControl },
): Promise<void> {
  await new Protection(wish, writer, makeTurns(clock, control)).run();
}

export const noProtection = (): ProtectionSummary => ({ files: 0, folders: 0, bytes: 0, leftOut: {} });

class Protection {
  readonly #wish: ProtectionWish;
  readonly #writer: SheetWriter<ProtectionRow, ProtectionSummary>;
  readonly #turn: ReturnType<typeof makeTurns>;
  readonly #reasons: ExcludeReasons;
  readonly #summary = noProtection();
  /** By their paths; those that were gone through. */
  readonly #sources: Map<string, boolean>;
  readonly #repositories: readonly { readonly dev: bigint; readonly ino: bigint }[];
  readonly #tags: readonly { readonly leftOut: LeftOut; readonly find: (folder: Buffer) => boolean }[];
  #rows: ProtectionRow[] = [];
  #reason: (way: Buffer, isDirectory: boolean) => LeftOut = () => ({ reason: 'own', detail: '' });
  #source: Buffer = Buffer.alloc(0);

  constructor(wish: ProtectionWish, writer: SheetWriter<ProtectionRow, ProtectionSummary>, turn: ReturnType<typeof makeTurns>) {
    this.#wish = wish;
    this.#writer = writer;
    this.#turn = turn;
    this.#reasons = new ExcludeReasons(wish.excludes, wish.own);
    this.#sources = new Map(wish.sources.map(({ path }) => [trimmed(path), false]));
    this.#repositories = wish.repositories.flatMap((path) => {
      const stat = statOf(Buffer.from(path));
      return stat ? { dev: stat.dev, ino: stat.ino } : [];
    });
    this.#tags = this.#reasons.rules.tags.map((tag) => {
      const finder = createTagFinder([tag], () => {});
      const detail = nameBytes(tag.name).toString();
      return { leftOut: { reason: tag === cacheTag ? 'cache' : 'tagged', detail }, find: (folder) => finder.find(folder) !== undefined };
    });
  }

  async run(): Promise<void> {
    // One that lies in another is met there, unless something on the way to it is left out.
    for (const source of [...this.#sources.keys()].sort((a, b) => a.length - b.length)) {
      if (this.#sources.get(source)) continue;
      this.#sources.set(source, true);
      await this.#walk(Buffer.from(source));
    }
    this.#flush();
  }

  async #walk(source: Buffer): Promise<void> {
    this.#source = source;
    this.#reason = this.#reasons.within(source);
    const { excluder, stat, kind } = this.#begin(source);
    if (!stat) {
      this.#leaveOut(source, 'other', 0, { reason: 'missing', detail: '' });
      return;
    }
    if (kind !== 'folder') {
      this.#take(source, stat, kind);
      return;
    }
    const open: Frame[] = [];
    this.#enter({ path: source, excluder, device: stat.dev }, stat, open);
    for (let frame = open.pop(); frame; frame = open.pop()) {
      let names: { name: Buffer; isFolder: boolean }[];
      try {
        names = readdirSync(frame.path, { encoding: 'buffer', withFileTypes: true }).map((entry) => ({
          name: entry.name as unknown as Buffer,
          isFolder: entry.isDirectory(),
        }));
      } catch (error) {
        this.#leaveOut(frame.path, 'folder', 0, { reason: 'unreadable', detail: (error as Error).message });
        continue;
      }
      this.#summary.folders += 1;
      this.#show(frame.path, 'folder', 0);
      for (const { name, isFolder } of names) {
        const waiting = this.#turn();
        if (waiting) {
          this.#flush();
          await waiting;
        }
        this.#meet(frame, joinPath(frame.path, name), name, isFolder, open);
      }
    }
  }

  #begin(source: Buffer): { excluder: FolderExcluder; stat: BigIntStats | undefined; kind: ProtectionRow['kind'] } {
    const stat = statOf(source);
    return { excluder: createExcluder(this.#reasons.rules, source).root, stat, kind: stat ? kindOf(stat) : 'other' };
  }

  #meet(frame: Frame, path: Buffer, name: Buffer, isFolder: boolean, open: Frame[]): void {
    const isSource = isFolder && this.#sources.has(pathText(path));
    const stat = statOf(path);
    if (!stat) return;
    const kind = kindOf(stat);
    const size = kind === 'file' ? Number(stat.size) : 0;
    if (!isSource && frame.excluder.excludes(name, isFolder)) {
      this.#leaveOut(path, kind, size, this.#reason(path.subarray(this.#source.length + (this.#source.length > 1 ? 1 : 0)), isFolder));
      return;
    }
    const { largerThan, oneFileSystem } = this.#reasons.rules;
    if (isTooLarge(largerThan, size, isFolder)) {
      this.#leaveOut(path, kind, size, { reason: 'too-large', detail: '' });
    } else if (oneFileSystem && acrossFileSystems(stat.dev, frame.device, frame.device, isFolder) !== 'store') {
      this.#leaveOut(path, kind, size, { reason: 'other-file-system', detail: '' });
    } else if (isFolder) {
      if (isSource) this.#sources.set(pathText(path), true);
      this.#enter({ path, excluder: frame.excluder.enter(name, isSource), device: frame.device }, stat, open);
    } else this.#take(path, stat, kind);
  }

  #enter(frame: Frame, { dev, ino }: BigIntStats, open: Frame[]): void {
    if (this.#repositories.some((each) => each.dev === dev && each.ino === ino)) {
      this.#leaveOut(frame.path, 'folder', 0, { reason: 'own', detail: '' });
      return;
    }
    const tag = this.#tags.find(({ find }) => find(frame.path));
    // A source in it is a source all the same.
    if (tag) this.#leaveOut(frame.path, 'folder', 0, tag.leftOut);
    else open.push(frame);
  }

  #take(path: Buffer, stat: BigIntStats, kind: ProtectionRow['kind']): void {
    if (stat.isSocket()) return this.#leaveOut(path, kind, 0, { reason: 'unsupported', detail: '' });
    if (kind === 'file') {
      try {
        accessSync(path, constants.R_OK);
      } catch (error) {
        return this.#leaveOut(path, kind, Number(stat.size), { reason: 'unreadable', detail: (error as Error).message });
      }
    }
    const size = kind === 'file' ? Number(stat.size) : 0;
    this.#summary.files += 1;
    this.#summary.bytes += size;
    this.#show(path, kind, size);
  }

  #show(path: Buffer, kind: ProtectionRow['kind'], size: number): void {
    if (this.#wish.all) this.#add({ path: pathText(path), kind, size, leftOut: null });
  }

  #leaveOut(path: Buffer, kind: ProtectionRow['kind'], size: number, leftOut: LeftOut): void {
    const sum = (this.#summary.leftOut[leftOut.reason] ??= { entries: 0, bytes: 0 });
    sum.entries += 1;
    sum.bytes += size;
    this.#add({ path: pathText(path), kind, size, leftOut });
  }

  #add(row: ProtectionRow): void {
    this.#rows.push(row);
    if (this.#rows.length >= batch) this.#flush();
  }

  #flush(): void {
    this.#writer.summary = structuredClone(this.#summary);
    this.#writer.add(this.#rows);
    this.#rows = [];
  }
}

const trimmed = (path: string): string => (path.length > 1 ? path.replace(/\/+$/, '') || '/' : path);

function statOf(path: Buffer): BigIntStats | undefined {
  try {
    return lstatSync(path, { bigint: true, throwIfNoEntry: false });
  } catch {
    return undefined;
  }
}

const kindOf = (stat: BigIntStats): ProtectionRow['kind'] =>
  stat.isDirectory() ? 'folder' : stat.isFile() ? 'file' : stat.isSymbolicLink() ? 'link' : 'other';
