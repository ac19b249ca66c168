/**
 * Collects the files that a walk finds, writes them segment by segment, and gives files their further names.
 *
 * The first name of a file that is met is written, the others become links to it. A name whose link the file system does
 * not allow, or whose first name could not be restored, becomes a file of its own.
 */
import { joinList } from '../../platform/byte-list.ts';
import type { RunControl } from '../../platform/cancellation.ts';
import type { BlobIndex } from '../../repository/blob-index.ts';
import { sha256 } from '../../repository/ids.ts';
import type { Node } from '../../repository/tree/node.ts';
import { parseNode } from '../../repository/tree/parse.ts';
import type { JobArgs, WorkerPool } from '../workers/pool.ts';
import type { Storage } from '../../storage/storage.ts';
import { FetchAhead } from './fetch-ahead.ts';
import { writeFlags } from './files-job.ts';
import { partPath, unlinkQuietly } from './part-file.ts';
import { type ArrangedSegment, arrangeSegment } from './segment.ts';
import { listFiles, type SegmentFile } from './segment-file.ts';
import type { WriteTask } from './write-job.ts';
import { fileFlags, type RestoreProblem } from './walk-task.ts';

/** A segment is written when it holds so much content (bytes); between two, no request is on its way. */
const segmentBytes = { near: 512 << 20, far: 8 * 2 ** 30 };

export interface SegmentSettings {
  readonly index: BlobIndex;
  readonly control: RunControl;
  /** The run's own part of the names of part files. */
  readonly run: string;
  /** A segment is written when it holds so many files. */
  readonly segmentFiles: number;
  readonly sparse: boolean;
  readonly durable: boolean;
  /** The destination, where it lies behind a network. */
  readonly far: Storage | undefined;
}

interface Link {
  readonly key: string;
  readonly first: Buffer;
  readonly file: SegmentFile;
}

export class SegmentWriter {
  readonly #pool: WorkerPool;
  readonly #settings: SegmentSettings;
  readonly #problems: RestoreProblem[];
  /** By what makes two entries names of one file: where its first name was restored. */
  readonly #firstNames = new Map<string, Buffer>();
  #segment: SegmentFile[] = [];
  #segmentBytes = 0;
  #links: Link[] = [];
  #segments = 0;
  #writing: Promise<void> = Promise.resolve();

  /** `problems` is added to; what stands in it already counts as not restored. */
  constructor(pool: WorkerPool, settings: SegmentSettings, problems: RestoreProblem[]) {
    this.#pool = pool;
    this.#settings = settings;
    this.#problems = problems;
  }

  /** Takes a file as the walk has listed it. Returns how many bytes of content have to be written for it. */
  add(path: Buffer, json: Buffer, content: Buffer, flags: number, size: number, keep: Buffer): number {
    const file: SegmentFile = { path, node: json, content, size, inherits: (flags & fileFlags.inherits) !== 0, keep };
    if ((flags & fileFlags.hardLinked) !== 0) {
      const key = fileKey(parseNode(json), content);
      const first = this.#firstNames.get(key);
      if (first) {
        if ((flags & fileFlags.stays) === 0) this.#links.push({ key, first, file });
        return 0;
      }
      this.#firstNames.set(key, path);
      if ((flags & fileFlags.isThere) !== 0) return 0;
    }
    this.#addToSegment(file);
    return size;
  }

  #addToSegment(file: SegmentFile): void {
    this.#segment.push(file);
    this.#segmentBytes += file.size;
  }

  /** Forgets what has come together, but not which names belong to one file. */
  discard(): void {
    this.#segment = [];
    this.#segmentBytes = 0;
    this.#links = [];
  }

  /** When enough has come together, writes it while the walk goes on. Resolves when the segment before it is written. */
  async writeIfFull(): Promise<void> {
    if (this.#segment.length >= this.#settings.segmentFiles || this.#segmentBytes >= segmentBytes[this.#settings.far ? 'far' : 'near'])
      await this.#begin();
  }

  /** Resolves when everything is written. */
  async writeRest(): Promise<void> {
    // A further name becomes a file of its own when the first cannot be restored.
    while (this.#segment.length > 0 || this.#links.length > 0) {
      await this.#begin();
      await this.#writing;
    }
    await this.#writing;
  }

  /** Resolves when nothing is being written any more, however it ended. */
  async settled(): Promise<void> {
    await this.#writing.catch(() => {});
  }

  async #begin(): Promise<void> {
    const files = this.#segment;
    const links = this.#links;
    this.#segment = [];
    this.#segmentBytes = 0;
    this.#links = [];
    const part = `${this.#settings.run}-${((this.#segments += 1)).toString(36)}`;
    const empty = files.filter(({ content }) => content.length === 0);
    const full = files.filter(({ content }) => content.length > 0);
    const { index, sparse, durable, far } = this.#settings;
    // While the workers write the segment before.
    const arranged = await arrangeSegment(full, index, { part, sparse, durable, isFar: far !== undefined });
    await this.#writing;
    this.#writing = this.#writeSegment(part, empty, full, arranged, links);
    // The walk asks later how it went.
    this.#writing.catch(() => {});
  }

  async #writeSegment(
    part: string,
    empty: readonly SegmentFile[],
    full: readonly SegmentFile[],
    arranged: ArrangedSegment,
    links: readonly Link[],
  ): Promise<void> {
    addAll(this.#problems, arranged.problems);
    try {
      await Promise.all([
        this.#makeEmpty(
          slices(empty).map((some, i) => ({ files: listFiles(some), flags: Uint8Array.from(some, writeFlagsOf), part: `${part}-e${i}` })),
        ),
        ...slices(arranged.prepared).map(async (numbers) => {
          const lengths = Float64Array.from(numbers, (number) => arranged.lengths[number]);
          const task = { files: listFiles(numbers.map((number) => full[number])), numbers: Uint32Array.from(numbers), lengths, part };
          const { failed, problems } = await this.#pool.run('prepareFiles', task);
          for (const row of failed) arranged.failed[numbers[row]] = 1;
          addAll(this.#problems, problems);
        }),
      ]);
      await this.#writeContent(arranged.tasks);
      for (const [number, problem] of arranged.otherLengths) if (Atomics.load(arranged.failed, number) === 0) this.#problems.push(problem);
    } catch (error) {
      full.forEach(({ path }, number) => unlinkQuietly(partPath(path, part, number)));
      throw error;
    }
    await this.#linkFurtherNames(links, part);
  }

  async #linkFurtherNames(links: readonly Link[], part: string): Promise<void> {
    if (links.length === 0) return;
    const failures = new Map<string, RestoreProblem>();
    for (const problem of this.#problems)
      if (problem.kind !== 'metadata') failures.set(Buffer.from(problem.path).toString('latin1'), problem);
    const possible: Link[] = [];
    for (const link of links) {
      const failure = failures.get(link.first.toString('latin1'));
      if (!failure) possible.push(link);
      // What stands at the first name is not this file. Its data is needed for this name too; what else was wrong may not matter here.
      else if (failure.kind === 'damaged') this.#problems.push({ ...failure, path: new Uint8Array(link.file.path) });
      else this.#restoreAgain(link);
    }
    for (const [i, some] of slices(possible).entries()) {
      const task = { links: joinList(some.flatMap(({ first, file }) => [first, file.path, file.node, file.keep])), part: `${part}-l${i}` };
      const { apart, problems } = await this.#pool.run('makeHardLinks', task);
      addAll(this.#problems, problems);
      for (const row of apart) this.#addToSegment(some[row].file);
    }
  }

  /** The first name of a file could not be restored: the next one takes its place. */
  #restoreAgain({ key, first, file }: Link): void {
    const current = this.#firstNames.get(key);
    if (current && !current.equals(first)) this.#links.push({ key, first: current, file });
    else {
      this.#firstNames.set(key, file.path);
      this.#addToSegment(file);
    }
  }

  async #writeContent(tasks: readonly WriteTask[]): Promise<void> {
    const { far, control } = this.#settings;
    const together = this.#together();
    const write = async (task: WriteTask, transfer: readonly ArrayBuffer[] = []): Promise<readonly ArrayBuffer[]> => {
      let memory: readonly ArrayBuffer[] = [];
      await together.run(async () => {
        const written = await this.#pool.run('writeBlobs', task, transfer);
        ({ memory } = written);
        return written.problems;
      });
      return memory;
    };
    await (far ? new FetchAhead(far, control.signal).run(tasks, write) : Promise.all(tasks.map((task) => write(task))));
    together.end();
  }

  async #makeEmpty(tasks: readonly JobArgs<'makeEmptyFiles'>[]): Promise<void> {
    const { run, end } = this.#together();
    await Promise.all(tasks.map((task) => run(() => this.#pool.run('makeEmptyFiles', task))));
    end();
  }

  /** Work of which the first that fails ends all other; `end` throws why. */
  #together(): { run(work: () => Promise<RestoreProblem[]>): Promise<void>; end(): void } {
    let failure: Error | undefined;
    return {
      run: async (work) => {
        try {
          addAll(this.#problems, await work());
        } catch (error) {
          failure ??= error as Error;
          // The others would only fail in the same way, one after the other.
          this.#settings.control.cancel();
        }
      },
      end() {
        if (failure) throw failure;
      },
    };
  }
}

/** What makes two entries names of one file: inode numbers alone can be used twice while a backup runs. */
const fileKey = ({ deviceId, inode, size }: Node, content: Buffer): string =>
  `${deviceId}:${inode}:${size}:${sha256(content).toString('latin1')}`;

const writeFlagsOf = ({ inherits }: SegmentFile): number => (inherits ? writeFlags.inherits : 0);

/** `push(...items)` fails when there are very many. */
export function addAll<T>(list: T[], items: readonly T[]): void {
  for (const item of items) list.push(item);
}

function slices<T>(items: readonly T[], size = 512): T[][] {
  const parts: T[][] = [];
  for (let at = 0; at < items.length; at += size) parts.push(items.slice(at, at + size));
  return parts;
}
