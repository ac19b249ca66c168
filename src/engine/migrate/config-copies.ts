/**
 * Copies of config files in a folder of this computer, for the time in which a config is being replaced. Each is sealed as it was in
 * its repository and named by the SHA-256 of its bytes, so that half a copy is none.
 */
import { mkdir, open, readdir, readFile, unlink } from 'node:fs/promises';
import { join } from 'node:path';
import { fail } from '../../contract/errors.ts';
import { isId, sha256 } from '../../repository/ids.ts';
import { sync, syncFolder, writeAll } from '../../storage/durable.ts';

/** A config takes some 200 bytes. */
const longestCopy = 64 << 10;

/** Keeps a copy, for its owner alone (mode 0600), and returns its path; it is durable then. Throws `config-not-kept`. */
export async function keepConfig(folder: string, sealed: Uint8Array): Promise<string> {
  const path = join(folder, sha256(sealed).toString('hex'));
  try {
    await mkdir(folder, { recursive: true, mode: 0o700 });
    const handle = await open(path, 'w', 0o600);
    try {
      await writeAll(handle, [sealed]);
      await sync(handle);
    } finally {
      await handle.close();
    }
    await syncFolder(folder);
    if (!sha256(await readFile(path)).equals(sha256(sealed))) throw new Error('it does not read as it was written');
    return path;
  } catch (error) {
    return fail('config-not-kept', { path, cause: (error as Error).message }, error);
  }
}

/** The whole copies in the folder, of whatever repositories. What cannot be read counts as none. */
export async function keptConfigs(folder: string): Promise<Uint8Array[]> {
  const names = (await readdir(folder).catch(() => [])).filter(isId);
  const copies: Uint8Array[] = [];
  for (const name of names) {
    const bytes = await readFile(join(folder, name)).catch(() => undefined);
    if (bytes && bytes.length <= longestCopy && sha256(bytes).toString('hex') === name) copies.push(bytes);
  }
  return copies;
}

/** Removes the copies that `isOwn` is true of. One that cannot be removed harms nothing. */
export async function dropConfigs(folder: string, isOwn: (sealed: Uint8Array) => boolean): Promise<void> {
  for (const copy of await keptConfigs(folder)) {
    if (isOwn(copy)) await unlink(join(folder, sha256(copy).toString('hex'))).catch(() => {});
  }
}
