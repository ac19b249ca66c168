/**
 * dump: the content of one file of a snapshot, in order. Every piece is authenticated and hashed before it is handed over;
 * workers read ahead by a few pieces, so memory does not grow with the file.
 */
import { fail } from '../contract/errors.ts';
import { displayPath } from '../platform/byte-paths.ts';
import type { BlobIndex } from '../repository/blob-index.ts';
import type { Repository } from '../repository/repository.ts';
import type { Snapshot } from '../repository/snapshot.ts';
import { nextPiece } from './pieces.ts';
import { withReading } from './reading.ts';
import type { RunOptions } from './run.ts';
import { resolveSnapshotPath } from './snapshot-path.ts';
import type { WorkerPool } from './workers/pool.ts';

/** Plaintext that a job reads, in bytes; a blob that is larger goes alone. */
const bytesPerJob = 4 << 20;

export interface DumpRequest {
  readonly snapshot: Snapshot;
  /** Absolute path within the snapshot. */
  readonly path: Buffer;
}

/**
 * Hands the content of a file to `write`, which is awaited before the next piece. Returns the number of bytes.
 * Throws `bad-usage` for what is no file, `snapshot-path-not-found`, `blob-missing` or `item-tampered` at the first piece that
 * cannot be had (all before it were handed over), `locked`, `cancelled`, and what `write` throws.
 */
export async function dumpFile(
  repository: Repository,
  { snapshot, path }: DumpRequest,
  options: RunOptions,
  write: (piece: Uint8Array) => void | Promise<void>,
): Promise<number> {
  return withReading(repository, options, async ({ pool, index }) => {
    const { entry, content } = await resolveSnapshotPath(pool, snapshot, path);
    if (!content) {
      const problem = `${displayPath(path)} is ${entry?.type === 'dir' ? 'a folder' : 'not a file'}, and only a file's content can be written out.`;
      return fail('bad-usage', { problem, guidance: 'Use "holdfast restore" for folders, links and devices.' });
    }
    return writeContent(pool, index, content, write);
  });
}

async function writeContent(
  pool: WorkerPool,
  index: BlobIndex,
  content: Uint8Array,
  write: (piece: Uint8Array) => void | Promise<void>,
): Promise<number> {
  const ahead: Promise<Uint8Array>[] = [];
  let at = 0;
  let written = 0;
  for (;;) {
    while (at < content.length && ahead.length <= pool.size) {
      // What is wrong about a piece the job will say; the length only spares it growing its memory.
      const { end, bytes } = nextPiece(index, content, at, bytesPerJob);
      const piece = pool.run('readBlobs', { ids: content.slice(at, end), bytes: Math.min(Math.max(0, bytes), 2 * bytesPerJob) });
      // It may fail before its turn comes.
      piece.catch(() => {});
      ahead.push(piece);
      at = end;
    }
    const piece = await ahead.shift();
    if (!piece) return written;
    await write(piece);
    written += piece.length;
  }
}
