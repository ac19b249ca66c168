/**
 * A file that is there whole or not at all: it grows under a name of its own in the same folder (part-file.ts), is brought onto
 * the disk, and only then gets its name.
 */
import { type FileHandle, link, lstat, open, readdir, realpath, rename, unlink } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { fail, HoldfastError } from '../../contract/errors.ts';
import { isInside } from '../../platform/byte-paths.ts';
import type { Repository } from '../../repository/repository.ts';
import { sync, syncFolder, writeAll } from '../../storage/durable.ts';
import { localFolderOf } from '../../storage/local-folder.ts';
import { isMissing } from '../../storage/local-files.ts';
import { systemCode } from '../../storage/system-errors.ts';
import { beginParts, isLeftOver, isPart, type PartNames, partPath } from '../restore/part-file.ts';
import type { ZipSink } from './zip-stream.ts';

export interface OutputFileRequest {
  readonly path: string;
  /** Whether a file that has this name may be replaced. */
  readonly replace: boolean;
}

/** Throws `export-exists` or `export-unwritable` when the file can certainly not be made; nothing is changed. */
export async function checkOutputFile({ path, replace }: OutputFileRequest): Promise<void> {
  try {
    const there = await lstat(path);
    if (there.isDirectory()) fail('export-unwritable', { path, cause: 'it is a folder' });
    if (!there.isFile() && !there.isSymbolicLink()) fail('export-unwritable', { path, cause: 'it is not a file' });
    if (!replace) fail('export-exists', { path });
  } catch (error) {
    if (!isMissing(error)) throw outputError(error, path);
  }
}

/**
 * Calls `use` with a sink that writes to the file, which has its name when this resolves. Only its owner may read it, since it
 * holds what was encrypted. Throws what {@link checkOutputFile} throws, `export-full`, `target-unusable` for a place in the
 * repository itself, and what `use` throws; whatever is thrown, nothing of the file is left, and one that was there is as it was.
 */
export async function writeOutputFile<T>(
  repository: Repository,
  request: OutputFileRequest,
  use: (sink: ZipSink) => Promise<T>,
): Promise<T> {
  const { path } = request;
  await checkOutputFile(request);
  const parts = beginParts();
  let handle: FileHandle | undefined;
  let growing: Buffer | undefined;
  try {
    const folder = await realpath(dirname(resolve(path)));
    await refuseRepository(repository, folder, path);
    await removeLeftOvers(folder, parts.names);
    const final = join(folder, basename(resolve(path)));
    growing = partPath(Buffer.from(final), parts.names.run, 0);
    handle = await open(growing, 'wx', 0o600);
    const file = handle;
    let written = 0;
    const result = await use({
      async write(bytes) {
        try {
          written += await writeAll(file, [bytes]);
        } catch (error) {
          throw outputError(error, path);
        }
      },
    });
    const { size } = await handle.stat();
    if (size !== written) fail('export-unwritable', { path, cause: `${written} bytes were written, but the file has ${size}` });
    await sync(handle);
    await handle.close();
    handle = undefined;
    await place(growing, final, request);
    growing = undefined;
    await syncFolder(folder);
    return result;
  } catch (error) {
    throw outputError(error, path);
  } finally {
    await handle?.close().catch(() => undefined);
    if (growing) await unlink(growing).catch(() => undefined);
    parts.end();
  }
}

/** Gives the file its name; one that somebody else has made meanwhile is not replaced unasked. */
async function place(growing: Buffer, final: string, request: OutputFileRequest): Promise<void> {
  if (!request.replace) {
    try {
      // Unlike a rename, a link never replaces.
      await link(growing, final);
      await unlink(growing);
      return;
    } catch (error) {
      if (systemCode(error) === 'EEXIST') fail('export-exists', { path: request.path }, error);
      // A file system without hard links: then a look has to do.
      await checkOutputFile(request);
    }
  }
  await rename(growing, final);
}

async function refuseRepository({ storage }: Repository, folder: string, path: string): Promise<void> {
  const local = localFolderOf(storage);
  if (local === undefined) return;
  if (isInside(Buffer.from(folder), Buffer.from(await realpath(local))))
    fail('target-unusable', { path, cause: 'the repository itself is there' });
}

/** What runs that were killed have left is nobody's any more. */
async function removeLeftOvers(folder: string, names: PartNames): Promise<void> {
  // In a folder that may be written to but not read, nobody can look.
  for (const name of await readdir(folder).catch(() => []))
    if (isPart(name) && isLeftOver(name, names)) await unlink(join(folder, name)).catch(() => undefined);
}

function outputError(error: unknown, path: string): HoldfastError {
  if (error instanceof HoldfastError) return error;
  const code = systemCode(error);
  // A defect must not look like a full disk.
  if (code === '') throw error;
  const full = code === 'ENOSPC' || code === 'EDQUOT' || code === 'EFBIG';
  return new HoldfastError(full ? 'export-full' : 'export-unwritable', { path, cause: (error as Error).message }, { cause: error });
}
