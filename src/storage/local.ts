/**
 * A repository in a folder of the local file system (an internal or external drive, a mounted network share), laid out
 * as restic does.
 *
 * How a file is saved, so that neither a crash nor a power cut leaves half of it: a temporary file with a name of its own
 * in the same folder → all parts → its size checked → mode 0400 → fsync → close → rename → fsync of the folder.
 *
 * Nothing that exists is replaced. rename() would replace, so it follows a look at the final name, and saves of the same
 * name in this process take turns. Two processes can still meet between look and rename: harmless where the name is the
 * SHA-256 of the content, since then both files are the same. config has no such name, so it is put in place by link(),
 * which never replaces (and by look and rename where a file system has no hard links). Only `replaceConfig` replaces, and
 * leaves that to rename(), which does it in one step.
 *
 * After rename the file is complete and durable but for its name, so a failing fsync of the folder leaves it there: the
 * save fails, nothing is taken away. `file-exists` is told only after another fsync of the folder; who meets it while
 * saving again can rely on the file.
 *
 * A drive that is not mounted leaves an empty folder behind. Only `create` makes the layout's folders; a save makes
 * nothing but a missing `data/<xx>` in an existing `data`, so nothing is ever written into such a stub. Once a repository
 * was seen here, its absence is `storage-gone`, never an empty listing, which prune would take for "nothing is needed".
 *
 * Windows: files are not marked read-only (as in restic; deleting those would fail there), yet one that is marked is made
 * writable before it is removed; Node itself extends paths beyond 260 characters. macOS: Node's fsync reaches the medium.
 */

import { randomBytes } from 'node:crypto';
import { type FileHandle, link, lstat, open, readdir, rename, stat } from 'node:fs/promises';
import path from 'node:path';
import { fail, type HoldfastError } from '../contract/errors.ts';
import { syncFolder, writeDurably } from './durable.ts';
import { exists, isMissing, makeFolder, makeFolders, renameOver, sizes, unlinkAny } from './local-files.ts';
import { checkRange, folderOf, folderOfFile, isFileName, isShardName, layoutFolders, layoutPath } from './names.ts';
import { configFile, describeFile, type FileKind, type ListedFile, type Range, type Storage, type StoredFile } from './storage.ts';
import { storageError, systemCode } from './system-errors.ts';

/** What a killed save leaves: the name of the file, then `-tmp-` and digits, as restic's own do. */
const temporaryName = /^(config|[0-9a-f]{64})-tmp-[0-9a-f]+$/;

const temporaryPath = (final: string): string => `${final}-tmp-${randomBytes(8).toString('hex')}`;

/** No program writes a config, key, snapshot, index or lock that comes near; a sparse one of terabytes costs nothing to make. */
const longestWholeFile = 256 << 20;

/** The final paths that a save of this process is just putting in place. */
const beingPlaced = new Map<string, Promise<void>>();

export class LocalStorage implements Storage {
  readonly location: string;
  /** The folder of each kind, ending in a separator. */
  readonly #folders: Readonly<Record<FileKind, string>>;
  #seen = false;
  #closed = false;

  /** `folder` is resolved now: a later change of the working directory does not move the storage. */
  constructor(folder: string) {
    this.location = path.resolve(folder);
    const below = (kind: FileKind): string => path.join(this.location, folderOf[kind], path.sep);
    this.#folders = {
      config: below('config'),
      key: below('key'),
      snapshot: below('snapshot'),
      index: below('index'),
      lock: below('lock'),
      pack: below('pack'),
    };
  }

  /** Makes the folder, its parents and the layout's folders (mode 0700), durably. What exists is left as it is. */
  async create(): Promise<void> {
    this.#checkOpen();
    try {
      const parents = await makeFolders(this.location);
      const made: boolean[] = [];
      for (const folder of layoutFolders) made.push(await makeFolder(path.join(this.location, folder)));
      if (made.includes(true)) for (const folder of [this.#folders.pack, this.location]) await syncFolder(folder);
      for (const folder of parents) await syncFolder(path.dirname(folder));
    } catch (error) {
      throw storageError(error, { operation: 'make', file: 'the folders of a repository', location: this.location });
    }
    this.#seen = true;
  }

  async save(file: StoredFile, parts: readonly Uint8Array[]): Promise<void> {
    this.#checkOpen();
    const final = this.localPath(file);
    const temporary = temporaryPath(final);
    let handle: FileHandle | undefined;
    try {
      if (file.kind === 'config') await stat(this.#folders.pack);
      if (await exists(final)) await this.#refuse(file, final);
      handle = await this.#openNew(file, temporary);
      await writeDurably(handle, parts);
      await handle.close();
      handle = undefined;
      await this.#place(file, temporary, final);
      await syncFolder(path.dirname(final));
      this.#seen = true;
    } catch (error) {
      await handle?.close().catch(() => undefined);
      await unlinkAny(temporary).catch(() => undefined);
      if (isMissing(error)) this.#gone(error);
      throw this.#error(error, 'save', describeFile(file));
    }
  }

  async replaceConfig(parts: readonly Uint8Array[]): Promise<void> {
    this.#checkOpen();
    const final = this.localPath(configFile);
    const temporary = temporaryPath(final);
    let handle: FileHandle | undefined;
    try {
      await stat(final);
      handle = await open(temporary, 'wx', 0o600);
      await writeDurably(handle, parts);
      await handle.close();
      handle = undefined;
      await renameOver(temporary, final);
      await syncFolder(path.dirname(final));
      this.#seen = true;
    } catch (error) {
      await handle?.close().catch(() => undefined);
      await unlinkAny(temporary).catch(() => undefined);
      if (!isMissing(error)) throw this.#error(error, 'replace', describeFile(configFile));
      await this.#checkPresence('config', error);
      fail('file-not-found', { file: describeFile(configFile), location: this.location }, error);
    }
  }

  async load(file: StoredFile, range?: Range): Promise<Uint8Array> {
    this.#checkOpen();
    if (range !== undefined) checkRange(range);
    let handle: FileHandle | undefined;
    try {
      handle = await open(this.localPath(file), 'r');
      const { size } = await handle.stat();
      this.#seen = true;
      if (!range && file.kind !== 'pack' && size > longestWholeFile)
        fail('item-tampered', { file: describeFile(file), cause: `it has ${size} bytes` });
      const { offset, length } = range ?? { offset: 0, length: size };
      // Before the buffer is made: a damaged index may ask for terabytes.
      if (length > 0 && offset + length > size) this.#short(file, length, Math.max(0, size - offset));
      const bytes = Buffer.allocUnsafeSlow(length);
      for (let read = 0; read < length; ) {
        const { bytesRead } = await handle.read(bytes, read, length - read, offset + read);
        if (bytesRead === 0) this.#short(file, length, read);
        read += bytesRead;
      }
      return bytes;
    } catch (error) {
      throw await this.#readError(error, file);
    } finally {
      await handle?.close().catch(() => undefined);
    }
  }

  async size(file: StoredFile): Promise<number> {
    this.#checkOpen();
    try {
      const { size } = await stat(this.localPath(file));
      this.#seen = true;
      return size;
    } catch (error) {
      throw await this.#readError(error, file);
    }
  }

  async *list(kind: FileKind): AsyncGenerator<ListedFile> {
    this.#checkOpen();
    try {
      if (kind === 'config') {
        yield { name: '', size: (await stat(this.#folders.config + 'config')).size };
        return;
      }
      const names = await readdir(this.#folders[kind]);
      this.#seen = true;
      if (kind !== 'pack') {
        yield* sizes(this.#folders[kind], names.filter(isFileName));
        return;
      }
      for (const shard of names.filter(isShardName)) {
        const inShard = await readdir(this.#folders.pack + shard).catch((error: unknown) =>
          isMissing(error) ? [] : Promise.reject(error),
        );
        // A file in another folder than its name says could not be loaded by its name.
        const packs = inShard.filter((name) => name.startsWith(shard) && isFileName(name));
        yield* sizes(this.#folders.pack + shard + path.sep, packs);
      }
      // All shards vanish together when the drive goes in the middle of the listing.
      await stat(this.#folders.pack);
    } catch (error) {
      if (!isMissing(error)) throw this.#error(error, 'list', `its ${kind} files`);
      await this.#checkPresence(kind, error);
    }
  }

  async remove(file: StoredFile): Promise<void> {
    this.#checkOpen();
    const final = this.localPath(file);
    try {
      await unlinkAny(final);
    } catch (error) {
      if (!isMissing(error)) throw this.#error(error, 'remove', describeFile(file));
      await this.#checkPresence(file.kind, error);
      fail('file-not-found', { file: describeFile(file), location: this.location }, error);
    }
    try {
      await syncFolder(path.dirname(final));
    } catch (error) {
      if (isMissing(error)) this.#gone(error);
      throw this.#error(error, 'remove', describeFile(file));
    }
  }

  async close(): Promise<void> {
    this.#closed = true;
  }

  localPath(file: StoredFile): string {
    const relative = layoutPath(file);
    if (file.kind === 'config') return this.#folders.config + relative;
    if (file.kind === 'pack') return this.#folders.pack + file.name.slice(0, 2) + path.sep + file.name;
    return this.#folders[file.kind] + file.name;
  }

  /**
   * Removes what killed saves (also restic's) left: temporary files last written before `before`, in milliseconds since
   * 1970 by the clock of the file system. A save at work writes its file within seconds, so a day ago is safe beside other
   * programs; holding the exclusive lock, now is. Resolves to the number of files removed.
   */
  async removeLeftovers(before: number): Promise<number> {
    this.#checkOpen();
    let removed = 0;
    for (const folder of ['', ...layoutFolders]) {
      const full = path.join(this.location, folder);
      try {
        for (const name of await readdir(full)) {
          if (!temporaryName.test(name)) continue;
          const leftover = path.join(full, name);
          const facts = await lstat(leftover);
          if (!facts.isFile() || facts.mtimeMs >= before) continue;
          await unlinkAny(leftover);
          removed++;
        }
      } catch (error) {
        if (!isMissing(error)) throw this.#error(error, 'tidy', 'unfinished files');
      }
    }
    return removed;
  }

  /** Opens a new file that only this save knows. A missing `data/<xx>` is made, any other missing folder is not. */
  async #openNew(file: StoredFile, temporary: string): Promise<FileHandle> {
    try {
      return await open(temporary, 'wx', 0o600);
    } catch (error) {
      if (file.kind !== 'pack' || systemCode(error) !== 'ENOENT') throw error;
      if (await makeFolder(path.join(this.location, folderOfFile(file)))) await syncFolder(this.#folders.pack);
      return await open(temporary, 'wx', 0o600);
    }
  }

  /** Gives the finished temporary file its final name, unless a file has it. */
  async #place(file: StoredFile, temporary: string, final: string): Promise<void> {
    for (let other = beingPlaced.get(final); other !== undefined; other = beingPlaced.get(final)) await other;
    const turn = Promise.withResolvers<void>();
    beingPlaced.set(final, turn.promise);
    try {
      if (file.kind === 'config' && (await this.#linked(file, temporary, final))) return;
      if (await exists(final)) await this.#refuse(file, final);
      await rename(temporary, final);
    } finally {
      beingPlaced.delete(final);
      turn.resolve();
    }
  }

  /** Whether link() put the file in place; false where the file system has no hard links. */
  async #linked(file: StoredFile, temporary: string, final: string): Promise<boolean> {
    try {
      await link(temporary, final);
    } catch (error) {
      if (systemCode(error) === 'EEXIST') await this.#refuse(file, final);
      return false;
    }
    await unlinkAny(temporary);
    return true;
  }

  async #refuse(file: StoredFile, final: string): Promise<never> {
    await syncFolder(path.dirname(final));
    fail('file-exists', { file: describeFile(file), location: this.location });
  }

  #short(file: StoredFile, expected: number, received: number): never {
    fail('file-short', { file: describeFile(file), location: this.location, expected, received });
  }

  #gone(cause: unknown): never {
    fail('storage-gone', { location: this.location, cause: cause instanceof Error ? cause.message : String(cause) }, cause);
  }

  #error(error: unknown, operation: string, file: string): HoldfastError {
    return storageError(error, { operation, file, location: this.location });
  }

  async #readError(error: unknown, file: StoredFile): Promise<HoldfastError> {
    if (!isMissing(error)) return this.#error(error, 'read', describeFile(file));
    try {
      await this.#checkPresence(file.kind, error);
      fail('file-not-found', { file: describeFile(file), location: this.location }, error);
    } catch (found) {
      return this.#error(found, 'read', describeFile(file));
    }
  }

  /**
   * Called when something is missing: throws `storage-gone` if the repository's folder is, or if a repository was seen here
   * and now neither its config nor the folder of the kind is.
   */
  async #checkPresence(kind: FileKind, cause: unknown = 'its folders are missing'): Promise<void> {
    if (!(await exists(this.location + path.sep))) this.#gone(cause);
    if (!this.#seen || (await exists(path.join(this.location, 'config')))) return;
    if (!(await exists(kind === 'config' ? this.#folders.pack : this.#folders[kind]))) this.#gone(cause);
  }

  #checkOpen(): void {
    if (this.#closed) fail('internal', { cause: `${this.location} was used after it had been closed` });
  }
}
