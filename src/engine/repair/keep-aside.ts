/** Keeps a copy of a damaged file outside of the repository, before it is removed from there. */
import { createHash } from 'node:crypto';
import { mkdir, open, readFile, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { fail, hasCode, HoldfastError } from '../../contract/errors.ts';
import type { Repository } from '../../repository/repository.ts';
import { sync, syncFolder, writeAll } from '../../storage/durable.ts';
import type { StoredFile } from '../../storage/storage.ts';

/** Bytes that are copied at once. */
const pieceBytes = 16 << 20;

/**
 * Copies the file `name` of `size` bytes to `FOLDER/KIND-NAME` and resolves to that path when the copy is durable. A copy of the same
 * content that is there already is enough. Throws `pack-not-kept`, or what reading the file throws.
 */
export async function keepAside(
  repository: Repository,
  name: string,
  size: number,
  folder: string,
  kind: 'pack' | 'snapshot' = 'pack',
): Promise<string> {
  const path = join(folder, `${kind}-${name}`);
  const part = join(folder, `.${kind}-${name}.part`);
  try {
    await mkdir(folder, { recursive: true });
    const hash = await copy(repository, { kind, name }, size, part);
    const there = await hashOf(path);
    if (there === hash) await rm(part);
    else if (there !== undefined) fail('pack-not-kept', { pack: name, path, cause: 'another file has that name' });
    else await rename(part, path);
    await syncFolder(folder);
    return path;
  } catch (error) {
    await rm(part, { force: true }).catch(() => {});
    if (error instanceof HoldfastError && !hasCode(error, 'internal')) throw error;
    return fail('pack-not-kept', { pack: name, path, cause: (error as Error).message }, error);
  }
}

/** Returns the content's hash. */
async function copy(repository: Repository, file: StoredFile, size: number, path: string): Promise<string> {
  const hash = createHash('sha256');
  // A link of that name is not to be followed.
  await rm(path, { force: true });
  const handle = await open(path, 'wx', 0o600);
  try {
    for (let offset = 0; offset < size; offset += pieceBytes) {
      const length = Math.min(pieceBytes, size - offset);
      const bytes = await repository.storage.load(file, { offset, length });
      hash.update(bytes);
      await writeAll(handle, [bytes]);
    }
    await sync(handle);
  } finally {
    await handle.close();
  }
  return hash.digest('hex');
}

/** Undefined when there is no such file. */
async function hashOf(path: string): Promise<string | undefined> {
  try {
    return createHash('sha256')
      .update(await readFile(path))
      .digest('hex');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}
