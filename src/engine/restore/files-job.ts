/** The worker's part of a restore that makes files without content, further names of files, and the part files of large ones. */
import { closeSync, ftruncateSync, linkSync, lstatSync, openSync } from 'node:fs';
import { HoldfastError } from '../../contract/errors.ts';
import { splitList } from '../../platform/byte-list.ts';
import type { Node } from '../../repository/tree/node.ts';
import { parseNode } from '../../repository/tree/parse.ts';
import type { WorkerContext } from '../workers/context.ts';
import { throwIfFatal } from './failures.ts';
import { applyMetadata } from './metadata.ts';
import { createNew, partPath, putInPlace } from './part-file.ts';
import { type ListedFile, splitFiles } from './segment-file.ts';
import type { RestoreProblem } from './walk-task.ts';

/** Bits of a file's flags: it is one blob, so that whoever writes that makes its part file; see SegmentFile. */
export const writeFlags = { single: 1, inherits: 2 } as const;

export interface EmptyTask {
  /** As listFiles makes it. */
  readonly files: Uint8Array;
  /** For each file: {@link writeFlags}. */
  readonly flags: Uint8Array;
  /** The part file of a file is called by this and its row. */
  readonly part: string;
}

/** Job: files without content. */
export function makeEmptyFiles({ files, flags, part }: EmptyTask, context: WorkerContext): RestoreProblem[] {
  const problems: RestoreProblem[] = [];
  forEachFile(files, problems, ({ path, node: json, keep }, row) => {
    context.control.checkpoint();
    const node = parseNode(json);
    const growing = partPath(path, part, row);
    const fd = openSync(growing, createNew, 0o600);
    try {
      describe(path, growing, fd, node, flags[row], problems);
    } finally {
      closeSync(fd);
    }
    putInPlace(growing, path, keep);
    if (node.size !== 0)
      problems.push({
        path: new Uint8Array(path),
        kind: 'metadata',
        detail: `the snapshot says that it has ${node.size} bytes, but it has none`,
      });
    context.progress.add('files', 1);
  });
  return problems;
}

/** Items of a link in the list. */
const sizeOfLink = 4;

export interface LinkTask {
  /** Joined list: existing path, new path, node, where what stands at the new path is kept (empty: nowhere)… */
  readonly links: Uint8Array;
  /** The part file of a link is called by this and its row. */
  readonly part: string;
}

/** Failures that say that the file cannot have this further name, though there may be a file of its own under it. */
const linkless = new Set(['EPERM', 'EXDEV', 'EMLINK', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS']);

/** Job: further names of files that are restored already. Returns the rows of those that the file system does not allow. */
export function makeHardLinks({ links, part }: LinkTask, context: WorkerContext): { apart: number[]; problems: RestoreProblem[] } {
  const apart: number[] = [];
  const problems: RestoreProblem[] = [];
  const items = splitList(links);
  for (let i = 0; i < items.length; i += sizeOfLink) {
    context.control.checkpoint();
    const [first, path, , keep] = items.slice(i, i + sizeOfLink);
    try {
      if (!isSameFile(first, path)) {
        const growing = partPath(path, part, i / sizeOfLink);
        try {
          linkSync(first, growing);
        } catch (error) {
          if (!linkless.has((error as NodeJS.ErrnoException).code ?? '')) throw error;
          apart.push(i / sizeOfLink);
          continue;
        }
        putInPlace(growing, path, keep.length > 0 ? keep : undefined);
      }
      context.progress.add('files', 1);
      context.progress.add('bytes', parseNode(items[i + 2]).size);
    } catch (error) {
      throwIfFatal(error, path);
      problems.push({ path: new Uint8Array(path), kind: 'failed', detail: (error as Error).message });
    }
  }
  return { apart, problems };
}

export interface PrepareTask {
  /** As listFiles makes it. */
  readonly files: Uint8Array;
  /** For each file: its number in the segment, by which, and `part`, its part file is called. */
  readonly numbers: Uint32Array;
  readonly part: string;
  /** For each file: the length of its content, in bytes. */
  readonly lengths: Float64Array;
}

/** Job: makes the part files that several workers will write to, at their full length. Returns the rows that failed. */
export function prepareFiles(
  { files, numbers, part, lengths }: PrepareTask,
  context: WorkerContext,
): { failed: number[]; problems: RestoreProblem[] } {
  const problems: RestoreProblem[] = [];
  const failed: number[] = [];
  forEachFile(files, problems, ({ path }, row) => {
    context.control.checkpoint();
    try {
      const fd = openSync(partPath(path, part, numbers[row]), createNew, 0o600);
      try {
        ftruncateSync(fd, lengths[row]);
      } finally {
        closeSync(fd);
      }
    } catch (error) {
      failed.push(row);
      throw error;
    }
  });
  return { failed, problems };
}

/** Gives the written file at `growing`, which is open, the metadata that belongs to `path`. */
export function describe(path: Buffer, growing: Buffer, fd: number, node: Node, flags: number, problems: RestoreProblem[]): void {
  for (const detail of applyMetadata(growing, node, (flags & writeFlags.inherits) !== 0, fd))
    problems.push({ path: new Uint8Array(path), kind: 'metadata', detail });
}

function isSameFile(a: Buffer, b: Buffer): boolean {
  const there = lstatSync(b, { bigint: true, throwIfNoEntry: false });
  if (!there) return false;
  const { dev, ino } = lstatSync(a, { bigint: true });
  return there.dev === dev && there.ino === ino;
}

function forEachFile(files: Uint8Array, problems: RestoreProblem[], act: (file: ListedFile, row: number) => void): void {
  for (const [row, file] of splitFiles(files).entries()) {
    try {
      act(file, row);
    } catch (error) {
      if (error instanceof HoldfastError) throw error;
      throwIfFatal(error, file.path);
      problems.push({ path: new Uint8Array(file.path), kind: 'failed', detail: (error as Error).message });
    }
  }
}
