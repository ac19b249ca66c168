/**
 * export: what a snapshot holds as a ZIP file, written as a stream to whatever takes it.
 *
 * One worker walks through the snapshot; all make the bytes, each of some entries or of a piece of a large file; the coordinator
 * writes them in order. Whatever is read is proved first, so no wrong byte gets into the ZIP. A file whose data is missing or
 * damaged is left out and named. Of one that is larger than a piece this may turn out when a part of it is written: see
 * `ZipStream.abandon`.
 *
 * Not in a ZIP: devices, FIFOs and sockets (each is named), extended attributes and access lists (they are counted), and that
 * several names are one file (each becomes a file of its own, and they are counted).
 */
import { HoldfastError } from '../../contract/errors.ts';
import { joinList, splitList } from '../../platform/byte-list.ts';
import { joinPath } from '../../platform/byte-paths.ts';
import { idBytes } from '../../repository/ids.ts';
import type { Repository } from '../../repository/repository.ts';
import type { Snapshot } from '../../repository/snapshot.ts';
import type { ExcludeRules } from '../backup/exclude.ts';
import { nextPiece } from '../pieces.ts';
import type { Rescue } from '../heal/rescue.ts';
import { type Reading, withReading } from '../reading.ts';
import { resolveWanted, type WantedRequest } from '../restore/wanted.ts';
import { reportProgress, type RunOptions } from '../run.ts';
import { absolutePath } from '../snapshot-path.ts';
import { unfoldingLimit } from '../trees/unfold.ts';
import { combineCrc } from './crc.ts';
import type { ExportProblem } from './problem.ts';
import { type ExportFigures, type ExportWalkStart, type ExportWalkStep, noExportFigures } from './walk-job.ts';
import { type EntryToZip, EntryListBuilder, entriesOfList } from './zip-entry.ts';
import { isLinkMode } from './zip-format.ts';
import type { ZippedEntries, ZippedPiece } from './zip-job.ts';
import { type ZipSink, ZipStream } from './zip-stream.ts';

/** What `path` holds stands at the top of the ZIP; without it full paths stand there. */
export interface ExportRequest extends WantedRequest {
  /** Only what matches one of these patterns (as excludes are matched), and the folders on the way. */
  readonly include?: ExcludeRules | undefined;
  readonly exclude?: ExcludeRules | undefined;
  /** Nothing is compressed. */
  readonly stored?: boolean | undefined;
}

export interface ExportOptions extends RunOptions {
  /** Brings what is damaged here from elsewhere, in the middle of it; see rescue.ts. */
  readonly rescue?: Rescue['blob'] | undefined;
  /** Called with each thing that the ZIP lacks; the list may be as long as the snapshot. */
  readonly onProblem?: ((problem: ExportProblem) => void) | undefined;
  /** Called with each entry that cannot keep its name: its path in the snapshot, and its name in the ZIP. */
  readonly onRenamed?: ((path: Buffer, name: Buffer) => void) | undefined;
}

export interface ExportPlan {
  /** ID. */
  readonly snapshot: string;
  /** Of what is (to be) in the ZIP. */
  readonly figures: ExportFigures;
  /** How many problems were told. */
  readonly problems: number;
  /** Index files, and when the newest snapshot was asked for snapshots, that could not be used. */
  readonly damage: readonly HoldfastError[];
}

export interface ExportResult extends ExportPlan {
  /** Length of the ZIP. */
  readonly zipBytes: number;
}

/** An entry of a plan. */
export interface PlannedZipEntry {
  /** In the snapshot. */
  readonly path: Buffer;
  /** In the ZIP. */
  readonly name: Buffer;
  /** st_mode. */
  readonly mode: number;
  /** Of a file's content, in bytes; else 0. */
  readonly size: number;
}

/** What a job reads at a time, in bytes of content; a larger blob goes alone. */
const pieceBytes = 4 << 20;
const entriesPerJob = 1_000;

/**
 * Says what an export would put into the ZIP; `take` is awaited before more is handed over. Reads no content: what is damaged within it only the export finds. Throws
 * `snapshot-not-found`, `snapshot-path-not-found`, `snapshot-too-large`, `locked`, `cancelled` or what the storage throws.
 */
export const planExport = (
  repository: Repository,
  request: ExportRequest,
  options: ExportOptions,
  take: (entries: readonly PlannedZipEntry[]) => void | Promise<void> = () => {},
): Promise<ExportPlan> =>
  withReading(repository, options, async (reading) => {
    const run = new ExportRun(reading, await resolveExport(repository, reading, request), request, options);
    const stop = run.progress('scanning');
    try {
      for await (const { entries } of run.steps()) {
        const planned: PlannedZipEntry[] = [];
        for (const entry of entriesOfList(entries)) {
          const { name, mode, size } = entry;
          planned.push({ path: run.pathOf(entry), name: Buffer.from(name), mode, size: isLinkMode(mode) ? 0 : size });
        }
        await take(planned);
      }
    } finally {
      stop();
    }
    return run.result;
  });

/**
 * Writes the ZIP to `sink`. Everything that can be is in it; everything that is not was told. Throws what {@link planExport}
 * and `sink` throw; what was written is no ZIP then.
 */
export const executeExport = (
  repository: Repository,
  request: ExportRequest,
  options: ExportOptions,
  sink: ZipSink,
): Promise<ExportResult> =>
  withReading(repository, options, async (reading) => {
    const run = new ExportRun(reading, await resolveExport(repository, reading, request), request, options);
    const stop = run.progress('exporting');
    try {
      const zipBytes = await run.write(sink);
      return { ...run.result, zipBytes };
    } catch (error) {
      // What ends a run cancels whatever else it does, which then only says that.
      throw reading.pool.failure ?? error;
    } finally {
      stop();
    }
  });

interface ExportStart {
  readonly snapshot: Snapshot;
  readonly damage: readonly HoldfastError[];
  readonly walk: ExportWalkStart;
  /** Everything in the snapshot is wanted, so that its summary tells how much it is. */
  readonly isWhole: boolean;
}

async function resolveExport(repository: Repository, { pool }: Reading, request: ExportRequest): Promise<ExportStart> {
  const { snapshot, damage, above, tree, selection } = await resolveWanted(repository, pool, request);
  const { include, exclude } = request;
  return {
    snapshot,
    damage,
    walk: { tree, path: new Uint8Array(absolutePath(above)), selection: selection?.map((each) => joinList(each)), include, exclude },
    isWhole: above.length === 0 && !selection && !include && !exclude,
  };
}

/** A file of several pieces on its way into the ZIP. */
interface LargeFile {
  readonly entry: EntryToZip;
  /** Why the rest of it cannot be had. */
  damage: string | undefined;
  /** Of what is written so far: CRC, and bytes of content. */
  crc: number;
  written: number;
}

/** What is written next; what has a promise is being made. */
type Part =
  | { readonly kind: 'entries'; readonly zipped: Promise<ZippedEntries> }
  | { readonly kind: 'begin'; readonly file: LargeFile }
  | { readonly kind: 'piece'; readonly file: LargeFile; readonly size: number; readonly zipped: Promise<ZippedPiece> }
  | { readonly kind: 'end'; readonly file: LargeFile };

class ExportRun {
  readonly #reading: Reading;
  readonly #start: ExportStart;
  readonly #request: ExportRequest;
  readonly #options: ExportOptions;
  readonly #figures = noExportFigures();
  readonly #base: Buffer;
  #problems = 0;

  constructor(reading: Reading, start: ExportStart, request: ExportRequest, options: ExportOptions) {
    this.#reading = reading;
    this.#start = start;
    this.#request = request;
    this.#options = options;
    this.#base = Buffer.from(start.walk.path);
  }

  get result(): ExportPlan {
    const { snapshot, damage } = this.#start;
    return {
      snapshot: snapshot.id,
      figures: this.#figures,
      problems: this.#problems,
      damage: [...damage, ...this.#reading.damage],
    };
  }

  progress(phase: 'scanning' | 'exporting'): () => void {
    const { pool } = this.#reading;
    const { isWhole, snapshot } = this.#start;
    const counts = phase === 'exporting';
    return reportProgress(this.#options, pool, {
      phase,
      items: () => (counts ? pool.total('files') : this.#figures.files + this.#figures.folders + this.#figures.links),
      bytes: () => (counts ? pool.total('bytes') : this.#figures.bytes),
      totalItems: undefined,
      totalBytes: isWhole ? snapshot.summary?.total_bytes_processed : undefined,
    });
  }

  /** Where an entry stands in the snapshot. */
  pathOf({ path, name }: EntryToZip): Buffer {
    if (path.length > 0) return Buffer.from(path);
    const own = Buffer.from(name);
    return joinPath(this.#base, own.at(-1) === slash ? own.subarray(0, -1) : own);
  }

  /** The walk, one step ahead of whoever takes it. Its figures, problems and renamed entries are told here. */
  async *steps(): AsyncGenerator<ExportWalkStep> {
    const { pool, index } = this.#reading;
    const { walk, snapshot } = this.#start;
    const refuseEndless = unfoldingLimit({ pool, index, snapshot: snapshot.id, root: walk.tree });
    let folders = 0;
    await pool.runOnFirst('beginExportWalk', walk);
    const next = (): Promise<ExportWalkStep> => {
      const step = pool.runOnFirst('walkExport', undefined);
      // It may fail before its turn comes.
      step.catch(() => {});
      return step;
    };
    for (let ahead = next(); ; ) {
      const step = await ahead;
      if (!step.isDone) ahead = next();
      this.#take(step);
      folders += step.folders;
      await refuseEndless(folders);
      yield step;
      if (step.isDone) return;
    }
  }

  /** Everything; returns the length of the ZIP in bytes. */
  async write(sink: ZipSink): Promise<number> {
    const { pool } = this.#reading;
    const zip = new ZipStream({ write: (bytes) => this.#unlessCancelled(sink.write(bytes)) });
    const source = this.#parts();
    try {
      const ahead: Part[] = [];
      let jobs = 0;
      for (let isDone = false; ; ) {
        while (!isDone && jobs <= pool.size) {
          const next = await source.next();
          if (next.done) isDone = true;
          else {
            ahead.push(next.value);
            if ('zipped' in next.value) jobs += 1;
          }
        }
        const part = ahead.shift();
        if (!part) break;
        if ('zipped' in part) jobs -= 1;
        await this.#put(zip, part);
      }
    } finally {
      await source.return(undefined);
    }
    await this.#options.control.checkpointAsync();
    await zip.finish();
    return zip.offset;
  }

  async *#parts(): AsyncGenerator<Part, undefined> {
    const batch = new EntryListBuilder();
    let bytes = 0;
    const made = (): Part => {
      bytes = 0;
      const task = { entries: batch.take(), base: this.#start.walk.path, compress: this.#request.stored !== true };
      return { kind: 'entries', zipped: quiet(this.#reading.pool.run('zipEntries', task)) };
    };
    for await (const { entries } of this.steps()) {
      for (const entry of entriesOfList(entries)) {
        const isLarge = entry.size > pieceBytes && entry.content.length > idBytes && !isLinkMode(entry.mode);
        if (batch.length > 0 && (isLarge || bytes + entry.size > pieceBytes || batch.length >= entriesPerJob)) yield made();
        if (isLarge) yield* this.#pieces(entry);
        else {
          batch.add(entry);
          bytes += entry.size;
        }
      }
    }
    if (batch.length > 0) yield made();
    return undefined;
  }

  async *#pieces(entry: EntryToZip): AsyncGenerator<Part> {
    const { pool, index } = this.#reading;
    const { content, isDense } = entry;
    const file: LargeFile = { entry, damage: undefined, crc: 0, written: 0 };
    yield { kind: 'begin', file };
    for (let at = 0; at < content.length && file.damage === undefined; ) {
      const { end, bytes } = nextPiece(index, content, at, pieceBytes);
      const isLast = end >= content.length;
      const task = { ids: content.slice(at, end), size: bytes, isLast, isDense, compress: this.#request.stored !== true };
      yield { kind: 'piece', file, size: bytes, zipped: quiet(pool.run('zipPiece', task)) };
      at = end;
    }
    yield { kind: 'end', file };
  }

  async #put(zip: ZipStream, part: Part): Promise<void> {
    switch (part.kind) {
      case 'entries': {
        const { bytes, records, count, problems, lostBytes } = await part.zipped;
        for (const problem of problems) this.#problem(problem);
        this.#figures.files -= problems.length;
        this.#figures.bytes -= lostBytes;
        await zip.add(bytes, records, count);
        break;
      }
      case 'begin':
        await zip.begin(part.file.entry, part.file.entry.size);
        break;
      case 'piece': {
        const { file, size } = part;
        const zipped = await part.zipped;
        if (file.damage !== undefined) break;
        if ('damage' in zipped) file.damage = zipped.damage;
        else {
          file.crc = combineCrc(file.crc, zipped.crc, size);
          file.written += size;
          await zip.piece(zipped.bytes);
        }
        break;
      }
      case 'end': {
        const { entry, damage, crc, written } = part.file;
        if (damage === undefined) await zip.end(crc, written);
        else {
          this.#figures.files -= 1;
          this.#figures.bytes -= entry.size;
          this.#problem({ path: this.pathOf(entry), kind: 'damaged', detail: damage });
          await zip.abandon(crc, written);
        }
      }
    }
  }

  #take({ figures, problems, renamed }: ExportWalkStep): void {
    for (const name of Object.keys(this.#figures) as (keyof ExportFigures)[]) this.#figures[name] += figures[name];
    for (const problem of problems) this.#problem(problem);
    const { onRenamed } = this.#options;
    if (!onRenamed) return;
    const items = splitList(renamed);
    for (let i = 0; i < items.length; i += 2) onRenamed(items[i], items[i + 1]);
  }

  #problem(problem: ExportProblem): void {
    this.#problems += 1;
    this.#options.onProblem?.(problem);
  }

  /** A reader that takes nothing any more must not keep a run that is to end. */
  #unlessCancelled(written: Promise<void>): Promise<void> {
    const { signal } = this.#options.control;
    return new Promise((resolve, reject) => {
      const cancel = (): void => reject(new HoldfastError('cancelled'));
      if (signal.aborted) cancel();
      signal.addEventListener('abort', cancel, { once: true });
      written.then(resolve, reject).finally(() => signal.removeEventListener('abort', cancel));
    });
  }
}

const slash = 0x2f;

/** Whoever awaits it hears of a failure, which may come before. */
function quiet<T>(promise: Promise<T>): Promise<T> {
  promise.catch(() => {});
  return promise;
}
