/**
 * The folder on this computer in which files of a repository behind a network are kept. Names are hashes of contents, so that
 * what is read from it is proved each time, and the folder can be deleted at any moment, by anybody.
 *
 * `FOLDER/PLACE/{index,keys,snapshots,data/XX}/NAME`, where PLACE is the hash of the location; files lie there as they lie in the
 * repository, encrypted.
 */
import { hash, randomBytes } from 'node:crypto';
import { type FileHandle, mkdir, open, readdir, readFile, rename, rm, stat, unlink, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Clock } from '../../platform/clock.ts';
import { folderOf, folderOfFile, isFileName } from '../names.ts';
import type { FileKind, Range, StoredFile } from '../storage.ts';

/** Says to backup programs that nothing here is worth a backup. See https://bford.info/cachedir/ */
const tagText = 'Signature: 8a477f597d28d172789f06886806bc55\n# What Holdfast keeps of repositories behind a network. It can be deleted.\n';

export class CacheFolder {
  readonly #root: string;
  readonly #clock: Pick<Clock, 'now'>;
  readonly #folder: string;
  /** Files whose content was proved to be theirs since this program began. */
  readonly #proved = new Set<string>();
  readonly #made = new Set<string>();

  /** `location` is that of the repository's storage. */
  constructor(root: string, location: string, clock: Pick<Clock, 'now'>) {
    this.#root = root;
    this.#clock = clock;
    this.#folder = join(root, hash('sha256', location).slice(0, 32));
  }

  /** A file's bytes, or a part of them; undefined when the file is not kept, or not whole. Throws what the system does otherwise. */
  async load(file: StoredFile, range?: Range): Promise<Uint8Array | undefined> {
    const path = this.#path(file);
    if (!this.#proved.has(file.name) || !range) {
      const whole = await readIfThere(path);
      if (!whole) return undefined;
      if (hash('sha256', whole) !== file.name) {
        await this.remove(file);
        return undefined;
      }
      this.#proved.add(file.name);
      const now = new Date(this.#clock.now());
      await utimes(path, now, now);
      return range ? part(whole, range) : whole;
    }
    return loadPart(path, range);
  }

  /** Keeps a file. The bytes must be those that its name is the hash of. */
  async save(file: StoredFile, parts: readonly Uint8Array[]): Promise<void> {
    const folder = join(this.#folder, folderOfFile(file));
    await this.#make(folder);
    const growing = join(folder, `.${randomBytes(6).toString('hex')}.part`);
    try {
      await writeFile(growing, parts, { mode: 0o600, flag: 'wx' });
      await rename(growing, this.#path(file));
    } catch (error) {
      await rm(growing, { force: true }).catch(() => {});
      throw error;
    }
    this.#proved.add(file.name);
  }

  /** Of the files of a kind, except packs. */
  async names(kind: FileKind): Promise<string[]> {
    return (await namesIn(join(this.#folder, folderOf[kind]))).filter(isFileName);
  }

  async remove(file: StoredFile): Promise<void> {
    this.#proved.delete(file.name);
    await rm(this.#path(file), { force: true });
  }

  /** Forgets the files of this kind that the repository does not hold any more. */
  async keepOnly(kind: FileKind, names: ReadonlySet<string>): Promise<void> {
    const top = join(this.#folder, folderOf[kind]);
    const folders = kind === 'pack' ? (await namesIn(top)).map((shard) => join(top, shard)) : [top];
    for (const folder of folders)
      for (const name of await namesIn(folder)) if (isFileName(name) && !names.has(name)) await this.remove({ kind, name });
  }

  /** Deletes what was not used for the longest time, of all repositories, until no more than so many bytes are left. */
  async shrink(limitBytes: number): Promise<void> {
    const files: { path: string; size: number; used: number }[] = [];
    for (const each of await readdir(this.#root, { recursive: true, withFileTypes: true })) {
      if (!each.isFile() || each.name === 'CACHEDIR.TAG') continue;
      const path = join(each.parentPath, each.name);
      const found = await stat(path).catch(() => undefined);
      if (found) files.push({ path, size: found.size, used: found.mtimeMs });
    }
    let sum = files.reduce((bytes, { size }) => bytes + size, 0);
    for (const { path, size } of files.sort((a, b) => a.used - b.used)) {
      if (sum <= limitBytes) return;
      await unlink(path).catch(() => {});
      sum -= size;
    }
  }

  async #make(folder: string): Promise<void> {
    if (this.#made.has(folder)) return;
    await mkdir(folder, { recursive: true, mode: 0o700 });
    if (this.#made.size === 0) await writeFile(join(this.#root, 'CACHEDIR.TAG'), tagText);
    this.#made.add(folder);
  }

  #path(file: StoredFile): string {
    return join(this.#folder, folderOfFile(file), file.name);
  }
}

const part = (whole: Uint8Array, { offset, length }: Range): Uint8Array | undefined =>
  offset + length <= whole.length ? new Uint8Array(whole.subarray(offset, offset + length)) : undefined;

const isMissing = (error: unknown): boolean => ['ENOENT', 'ENOTDIR'].includes((error as NodeJS.ErrnoException).code ?? '');

async function readIfThere(path: string): Promise<Buffer | undefined> {
  try {
    return await readFile(path);
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw error;
  }
}

async function loadPart(path: string, { offset, length }: Range): Promise<Uint8Array | undefined> {
  let handle: FileHandle;
  try {
    handle = await open(path, 'r');
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw error;
  }
  try {
    const bytes = new Uint8Array(length);
    const { bytesRead } = await handle.read(bytes, 0, length, offset);
    return bytesRead === length ? bytes : undefined;
  } finally {
    await handle.close();
  }
}

async function namesIn(folder: string): Promise<string[]> {
  try {
    return await readdir(folder);
  } catch (error) {
    if (isMissing(error)) return [];
    throw error;
  }
}
