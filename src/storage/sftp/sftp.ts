/**
 * A repository in a folder of an SSH server, laid out as restic does.
 *
 * How a file is saved: a temporary file with a name of its own in the same folder → all parts → fsync → its size compared → close →
 * rename → fsync of the folder. Servers that know no fsync promise no more than that the file is whole.
 *
 * Nothing that exists is replaced. The protocol says that a rename fails where there is a file, and OpenSSH keeps to it. A server
 * that does not is found out by a look before: then two programs can still meet between look and rename, which is harmless where
 * the name is the SHA-256 of the content. config, which has no such name, is put in place by a hard link where the server knows
 * how; a link never replaces. Calls of this process that write or remove the same file take turns.
 *
 * A disk that is not mounted on the server leaves an empty folder behind. Only `create` makes the layout's folders; a save makes
 * nothing but a missing `data/<xx>`. Once a repository was seen here, its absence is `storage-gone`, never an empty listing.
 *
 * The connection is made by the first call, and made anew by the next call after it broke.
 */
import { fail, HoldfastError, hasCode } from '../../contract/errors.ts';
import { checkRange, folderOf, folderOfFile, isFileName, isShardName, layoutFolders, layoutPath, shards } from '../names.ts';
import type { Paces } from '../pace.ts';
import { configFile, describeFile, type FileKind, type ListedFile, type Range, type Storage, type StoredFile } from '../storage.ts';
import { inTurn } from '../turns.ts';
import type { FileFacts, FolderEntry, Handle, SftpChannel } from './channel.ts';
import { exists, FolderSync, makeFolder, makeFolders, type PendingSync } from './folders.ts';
import { type SessionOptions, SftpSession, type Task } from './session.ts';
import { isMissing, StatusError } from './status.ts';
import { isTemporaryName, linkInPlace, Temporaries } from './temporaries.ts';
import { download, upload } from './transfer.ts';

const fileMode = 0o600;

/** No program writes a config, key, snapshot, index or lock that comes near, nor a pack beyond the second. */
const longestSmallFile = 256 << 20;
const longestPack = 1 << 30;
/** Up to this length, in bytes, a buffer is made before it is known whether the file is so long. */
const trustedLength = 1 << 20;

/** So many folders are listed, or made, side by side. */
const foldersTogether = 128;

export interface SftpOptions extends SessionOptions {
  readonly paces?: Paces | undefined;
}

export class SftpStorage implements Storage {
  readonly location: string;
  readonly #options: SftpOptions;
  readonly #session: SftpSession;
  readonly #temporaries = new Temporaries();
  readonly #folderSync = new FolderSync();
  #clockSkewMs: number | undefined;
  #seen = false;

  constructor(options: SftpOptions) {
    this.#session = new SftpSession(options);
    this.location = options.location;
    this.#options = options;
  }

  /** By the time of the last file that was saved. */
  get clockSkewMs(): number | undefined {
    return this.#clockSkewMs;
  }

  /** Makes the folder, those above it and the layout's (mode 0700), durably. What exists is left as it is. */
  create(): Promise<void> {
    return this.#session.use({ operation: 'make', file: 'the folders of a repository' }, async (channel) => {
      const changed = new Set<string>();
      if (!(await exists(channel, this.#session.path(''))))
        for (const each of await makeFolders(channel, this.#session.path(''))) changed.add(each);
      const present = new Set((await channel.entries(this.#session.path(''))).map(({ name }) => name));
      if (present.has('data')) for (const { name } of await channel.entries(this.#session.path('data'))) present.add(`data/${name}`);
      const missing = layoutFolders.filter((folder) => !present.has(folder));
      for (const isShard of [false, true]) {
        const some = missing.filter((folder) => folder.includes('/') === isShard);
        const made = await inTurns(some, (folder) => makeFolder(channel, this.#session.path(folder)));
        if (made.includes(true)) changed.add(this.#session.path(isShard ? 'data' : ''));
      }
      for (const folder of changed) await this.#folderSync.sync(channel, folder);
      this.#seen = true;
    });
  }

  async save(file: StoredFile, parts: readonly Uint8Array[]): Promise<void> {
    const final = this.#session.path(layoutPath(file));
    const needed = lengthOf(parts);
    const folder = this.#session.path(folderOfFile(file));
    await inTurn(`${this.location} ${final}`, () =>
      this.#session.use({ operation: 'save', file: describeFile(file), needed }, async (channel) => {
        await this.#temporaries.removeOrphans(channel);
        const syncing = this.#folderSync.begin(channel, folder);
        const saved = this.#temporaries.beside(channel, final, async (temporary) => {
          // What is there already is looked for while the new file is made.
          const [isThere, hasData, opened] = await Promise.allSettled([
            exists(channel, final),
            file.kind === 'config' ? exists(channel, this.#session.path('data')) : true,
            this.#openNew(channel, file, temporary),
          ]);
          const handle = valueOf(opened);
          try {
            if (valueOf(isThere)) return await this.#refuse(file, syncing);
            if (!valueOf(hasData)) return this.#gone(`there is no folder ${this.#session.path('data')}`);
            await this.#fill(channel, handle, parts, file);
          } finally {
            await channel.close(handle);
          }
          await this.#place(channel, file, temporary, final, syncing);
        });
        try {
          await saved;
          await syncing.finish();
        } finally {
          syncing.drop();
        }
        this.#seen = true;
      }),
    );
  }

  async replaceConfig(parts: readonly Uint8Array[]): Promise<void> {
    const final = this.#session.path(layoutPath(configFile));
    const needed = lengthOf(parts);
    await inTurn(`${this.location} ${final}`, () =>
      this.#session.use({ operation: 'replace', file: describeFile(configFile), needed }, async (channel) => {
        if (!(await exists(channel, final))) return this.#missing(configFile, channel);
        await this.#temporaries.beside(channel, final, async (temporary) => {
          const handle = await channel.openNew(temporary, fileMode);
          try {
            await this.#fill(channel, handle, parts, configFile);
          } finally {
            await channel.close(handle);
          }
          if (!(await channel.renameOver(temporary, final))) fail('storage-cannot-replace', { location: this.location });
        });
        await this.#folderSync.sync(channel, this.#session.path(''));
        this.#seen = true;
      }),
    );
  }

  async load(file: StoredFile, range?: Range): Promise<Uint8Array> {
    this.#session.checkOpen();
    if (range !== undefined) checkRange(range);
    const path = this.#session.path(layoutPath(file));
    return this.#session.use({ operation: 'read', file: describeFile(file) }, async (channel) => {
      const handle = await channel.openToRead(path).catch((error: unknown) => this.#missingOr(error, file, channel));
      try {
        this.#seen = true;
        const { offset, length } = range ?? { offset: 0, length: await this.#wholeLength(channel, handle, file) };
        // Before the buffer is made: a damaged index may ask for terabytes.
        if (length > trustedLength && range) {
          const { size } = await channel.facts(handle);
          if (offset + length > size) return this.#short(file, length, Math.max(0, size - offset));
        }
        const bytes = Buffer.allocUnsafeSlow(length);
        const received = await download(channel, handle, bytes, offset, this.#options.paces?.download).catch(async (error: unknown) => {
          // An offset far beyond the end may be more than the file system can count to.
          const { size } = error instanceof StatusError ? await channel.facts(handle) : { size: Number.NaN };
          if (offset + length > size) return Math.max(0, size - offset);
          throw error;
        });
        return received === length ? bytes : this.#short(file, length, received);
      } finally {
        channel.close(handle).catch(() => {});
      }
    });
  }

  async size(file: StoredFile): Promise<number> {
    this.#session.checkOpen();
    const path = this.#session.path(layoutPath(file));
    return this.#session.use({ operation: 'look at', file: describeFile(file) }, async (channel) => {
      const { size } = await channel.factsAt(path).catch((error: unknown) => this.#missingOr(error, file, channel));
      this.#seen = true;
      return this.#told(size);
    });
  }

  async *list(kind: FileKind): AsyncGenerator<ListedFile> {
    this.#session.checkOpen();
    if (kind === 'config') {
      const size = await this.size(configFile).catch((error: unknown) =>
        hasCode(error, 'file-not-found') ? undefined : Promise.reject(error),
      );
      if (size !== undefined) yield { name: '', size };
      return;
    }
    const task: Task = { operation: 'list', file: `its ${kind} files` };
    const top = await this.#session.use(task, (channel) => this.#entries(channel, folderOf[kind], kind));
    if (top === undefined) return;
    this.#seen = true;
    if (kind !== 'pack') {
      yield* await this.#session.use(task, (channel) => this.#files(channel, folderOf[kind], top));
      return;
    }
    const folders = shards.filter((shard) => top.some(({ name }) => name === shard && isShardName(name)));
    for (let at = 0; at < folders.length; at += foldersTogether) {
      const some = folders.slice(at, at + foldersTogether);
      yield* (await Promise.all(some.map((shard) => this.#session.use(task, (channel) => this.#packsIn(channel, shard))))).flat();
    }
    // All of them vanish together when the disk goes in the middle of the listing.
    await this.#session.use(task, (channel) => this.#entries(channel, '', kind));
  }

  async remove(file: StoredFile): Promise<void> {
    this.#session.checkOpen();
    const path = this.#session.path(layoutPath(file));
    await inTurn(`${this.location} ${path}`, () =>
      this.#session.use({ operation: 'remove', file: describeFile(file) }, async (channel) => {
        const syncing = this.#folderSync.begin(channel, this.#session.path(folderOfFile(file)));
        try {
          await channel.remove(path).catch((error: unknown) => this.#missingOr(error, file, channel));
          await syncing.finish();
        } finally {
          syncing.drop();
        }
      }),
    );
  }

  /** Times are the server's. Resolves to the number of files removed. */
  async removeLeftovers(before: number): Promise<number> {
    this.#session.checkOpen();
    const task: Task = { operation: 'tidy', file: 'unfinished files' };
    const removed = await inTurns(['', ...layoutFolders], (folder) =>
      this.#session.use(task, async (channel) => {
        const entries = await channel
          .entries(this.#session.path(folder))
          .catch((error: unknown) => (isMissing(error) ? [] : Promise.reject(error)));
        const old = entries.filter(({ name, isFolder, modifiedMs }) => isTemporaryName(name) && !isFolder && modifiedMs < before);
        for (const { name } of old) await channel.remove(this.#session.path(folder === '' ? name : `${folder}/${name}`));
        return old.length;
      }),
    );
    return removed.reduce((sum, each) => sum + each, 0);
  }

  close(): Promise<void> {
    return this.#session.close();
  }

  /** Opens a new file that only this save knows. A missing `data/<xx>` is made, any other missing folder is not. */
  async #openNew(channel: SftpChannel, file: StoredFile, temporary: string): Promise<Handle> {
    try {
      return await channel.openNew(temporary, fileMode);
    } catch (error) {
      if (file.kind !== 'pack' || !isMissing(error)) throw error;
      if (await makeFolder(channel, this.#session.path(folderOfFile(file))))
        await this.#folderSync.sync(channel, this.#session.path('data'));
      return await channel.openNew(temporary, fileMode);
    }
  }

  async #fill(channel: SftpChannel, handle: Handle, parts: readonly Uint8Array[], file: StoredFile): Promise<void> {
    const expected = lengthOf(parts);
    const { size, modifiedMs } = await upload(channel, handle, parts, this.#options.paces?.upload);
    if (size !== expected) fail('file-short', { file: describeFile(file), location: this.location, expected, received: size });
    // It says whole seconds: on average half a one is missing.
    if (!Number.isNaN(modifiedMs)) this.#clockSkewMs = modifiedMs + 500 - this.#options.clock.now();
  }

  /** Gives the finished temporary file its final name, unless a file has it. */
  async #place(channel: SftpChannel, file: StoredFile, temporary: string, final: string, syncing: PendingSync): Promise<void> {
    try {
      if (file.kind === 'config' && (await linkInPlace(channel, temporary, final))) return;
      await channel.rename(temporary, final);
    } catch (error) {
      if (error instanceof StatusError && (await exists(channel, final))) return this.#refuse(file, syncing);
      throw error;
    }
  }

  async #refuse(file: StoredFile, syncing: PendingSync): Promise<never> {
    await syncing.finish();
    return fail('file-exists', { file: describeFile(file), location: this.location });
  }

  async #wholeLength(channel: SftpChannel, handle: Handle, file: StoredFile): Promise<number> {
    const size = this.#told((await channel.facts(handle)).size);
    if (size > (file.kind === 'pack' ? longestPack : longestSmallFile))
      fail('item-tampered', { file: describeFile(file), cause: `it has ${size} bytes` });
    return size;
  }

  /** The entries of a folder of the layout; undefined when there is none. */
  async #entries(channel: SftpChannel, folder: string, kind: FileKind): Promise<FolderEntry[] | undefined> {
    try {
      return await channel.entries(this.#session.path(folder));
    } catch (error) {
      if (!isMissing(error)) throw error;
      await this.#checkPresence(kind, channel);
      return undefined;
    }
  }

  async #packsIn(channel: SftpChannel, shard: string): Promise<ListedFile[]> {
    const folder = `${folderOf.pack}/${shard}`;
    const entries = await channel
      .entries(this.#session.path(folder))
      .catch((error: unknown) => (isMissing(error) ? [] : Promise.reject(error)));
    // A file in another folder than its name says could not be loaded by its name.
    return this.#files(
      channel,
      folder,
      entries.filter(({ name }) => name.startsWith(shard)),
    );
  }

  async #files(channel: SftpChannel, folder: string, entries: readonly FolderEntry[]): Promise<ListedFile[]> {
    const files = entries.filter(({ name, isFolder }) => isFileName(name) && !isFolder);
    const sized = await inTurns(files, async ({ name, size, isLink }) => {
      if (!isLink && !Number.isNaN(size)) return { name, size };
      // Removed meanwhile, or a link to nothing.
      const facts = await channel
        .factsAt(this.#session.path(`${folder}/${name}`))
        .catch((error: unknown) => (isMissing(error) ? undefined : Promise.reject(error)));
      return facts === undefined || facts.isFolder ? undefined : { name, size: this.#told(facts.size) };
    });
    return sized.filter((each) => each !== undefined);
  }

  /** A size that the server must have told. */
  #told(size: FileFacts['size']): number {
    if (!Number.isNaN(size)) return size;
    const { location, server } = this.#options;
    return fail('server-not-understood', { location, server, cause: 'it does not say how long a file is' });
  }

  #short(file: StoredFile, expected: number, received: number): never {
    return fail('file-short', { file: describeFile(file), location: this.location, expected, received });
  }

  async #missingOr(error: unknown, file: StoredFile, channel: SftpChannel): Promise<never> {
    if (!isMissing(error)) throw error;
    return this.#missing(file, channel);
  }

  async #missing(file: StoredFile, channel: SftpChannel): Promise<never> {
    await this.#checkPresence(file.kind, channel);
    return fail('file-not-found', { file: describeFile(file), location: this.location });
  }

  /**
   * Called when something is missing: throws `storage-gone` if the repository's folder is, or if a repository was seen here and now
   * neither its config nor the folder of the kind is.
   */
  async #checkPresence(kind: FileKind, channel: SftpChannel): Promise<void> {
    if (!(await exists(channel, this.#session.path('')))) this.#gone('there is no such folder on the server');
    if (!this.#seen || (await exists(channel, this.#session.path('config')))) return;
    if (!(await exists(channel, this.#session.path(kind === 'config' ? 'data' : folderOf[kind])))) this.#gone('its folders are missing');
  }

  /** A place where nothing was ever seen is more likely mistyped, or to be made, than away for a while. */
  #gone(cause: string): never {
    throw new HoldfastError('storage-gone', { location: this.location, cause }, this.#seen ? {} : { retryable: false });
  }
}

const lengthOf = (parts: readonly Uint8Array[]): number => parts.reduce((sum, part) => sum + part.byteLength, 0);

function valueOf<T>(settled: PromiseSettledResult<T>): T {
  if (settled.status === 'fulfilled') return settled.value;
  throw settled.reason;
}

/** Does the same for all of them, some at the same time, and gives the results in their order. */
async function inTurns<T, R>(all: readonly T[], work: (each: T) => Promise<R>): Promise<R[]> {
  const results: R[] = [];
  for (let at = 0; at < all.length; at += foldersTogether)
    results.push(...(await Promise.all(all.slice(at, at + foldersTogether).map(work))));
  return results;
}
