/**
 * A repository in a folder of a WebDAV server: Nextcloud, Apache, rclone, a NAS.
 *
 * How a file is saved: PUT under a name of its own in the repository's folder → its length looked at → MOVE to its place with
 * `Overwrite: F` → its length looked at again. So nobody sees a part of a file, and an upload that broke off leaves nothing but such a
 * name, which the save takes away, or `removeLeftovers` later.
 *
 * Nothing that exists is replaced: a save looks first, and MOVE refuses where the server heeds `Overwrite: F`. Where it does not, two
 * programs that save the same name in the same moment can both succeed: all names but that of config are hashes of the content, so
 * both have stored the same, and config is read back. `If-None-Match` is sent where it may help and never relied on: rclone's server
 * does not heed it.
 *
 * Weakness: a server that moves nothing (400, 405, 501, or 403 for one who may only add) is given files under their final names, where a
 * part of one can be seen while it grows; what an upload that broke off has left there is taken away, but that of a config.
 *
 * There is no `replaceConfig`: servers replace by removing first (RFC 4918, 9.9.3).
 *
 * A missing folder is `storage-gone`, as is one whose config was seen and is missing; neither is ever an empty repository.
 */
import { randomBytes } from 'node:crypto';
import { fail, HoldfastError, hasCode } from '../../contract/errors.ts';
import { announcedLength, discard } from '../http/body.ts';
import { type HttpAnswer, lengthOf } from '../http/exchange.ts';
import { checkRange, folderOf, folderOfFile, isFileName, isShardName, layoutPath } from '../names.ts';
import type { Task } from '../objects/bucket.ts';
import { rangeHeader, readObject } from '../objects/read-object.ts';
import { Listing } from '../rest/listing.ts';
import { configFile, describeFile, type FileKind, type ListedFile, type Range, type Storage, type StoredFile } from '../storage.ts';
import { inTurn } from '../turns.ts';
import type { Dav, DavOptions } from './dav.ts';

/** No program writes a config, key, snapshot, index or lock that comes near, nor a pack beyond the second. */
const longestSmallFile = 256 << 20;
const longestPack = 1 << 30;

/** Folders of packs that are listed side by side. */
const listedAtOnce = 8;

/** What a killed save leaves in the repository's folder. */
const temporaryName = /^holdfast-tmp-[0-9a-f]{32}$/;

/** No file has this name: nobody knows what has this hash. */
const nameOfNothing = '0'.repeat(64);

const done = new Set([200, 201, 204]);

export class WebdavStorage implements Storage {
  readonly location: string;
  readonly #client: DavOptions['client'];
  readonly #dav: Dav;
  /** The folders of packs that are there, by their two digits, or are being made. */
  readonly #shards = new Map<string, Promise<void>>();
  #shardsKnown: Promise<void> | undefined;
  /** Whether a config was seen here. */
  #seen = false;
  /** The server moves nothing. */
  #movesNothing = false;
  /** The last upload was cut off: perhaps instead of an answer that says why. */
  #wasCut = false;
  #closed = false;

  /** `dav` on the same client; closing the storage closes it. */
  constructor(dav: Dav, { client, location }: Pick<DavOptions, 'client' | 'location'>) {
    this.location = location;
    this.#client = client;
    this.#dav = dav;
  }

  get clockSkewMs(): number | undefined {
    return this.#client.clockSkewMs;
  }

  async create(): Promise<void> {
    this.#checkOpen();
    if (!(await this.#dav.isThere())) await this.#dav.makeItself();
    const task: Task = { operation: 'make', file: 'the folders of a repository' };
    for (const folder of ['data', 'index', 'keys', 'locks', 'snapshots'])
      if (!(await this.#dav.makeFolder(`${folder}/`, task))) this.#gone('its folder is missing');
  }

  async save(file: StoredFile, parts: readonly Uint8Array[]): Promise<void> {
    this.#checkOpen();
    const path = layoutPath(file);
    await inTurn(`${this.location} ${path}`, async () => {
      if ((await this.#dav.size(path, task('save', file))) !== undefined) this.#refuse(file);
      if (file.kind === 'pack') await this.#makeShard(file);
      try {
        if (this.#movesNothing || !(await this.#saveByMove(file, path, parts))) await this.#upload(file, path, parts);
        await this.#verify(file, path, parts);
      } catch (error) {
        await this.#tidy(file, path, lengthOf(parts), error).catch(() => {});
        throw error;
      }
      if (file.kind === 'config') await this.#readBack(file, parts);
    });
  }

  async load(file: StoredFile, range?: Range): Promise<Uint8Array> {
    this.#checkOpen();
    if (range !== undefined) checkRange(range);
    const path = layoutPath(file);
    if (range?.length === 0) {
      await this.size(file);
      return new Uint8Array(0);
    }
    const answer = await this.#dav.send('GET', path, range ? { headers: { range: rangeHeader(range) } } : {});
    if (answer.status === 404 || answer.status === 410) {
      await discard(answer);
      return this.#missing(file);
    }
    if (range && answer.status === 416) {
      await discard(answer);
      const size = await this.#dav.size(path, task('read', file));
      return size === undefined ? this.#missing(file) : this.#short(file, range.length, Math.max(0, size - range.offset));
    }
    if (answer.status !== 200 && !(range && answer.status === 206)) throw await this.#dav.error(answer, task('read', file));
    if (file.kind === 'config') this.#seen = true;
    const measured = await this.#measured(answer, file, path, range);
    const longest = file.kind === 'pack' ? longestPack : longestSmallFile;
    const origin = { location: this.location, server: this.#client.server };
    const bytes = await readObject(measured, range, longest, task('read', file), origin);
    const expected = range?.length ?? announcedLength(measured)!;
    return bytes.byteLength < expected ? this.#short(file, expected, bytes.byteLength) : bytes;
  }

  async size(file: StoredFile): Promise<number> {
    this.#checkOpen();
    const size = await this.#dav.size(layoutPath(file), task('look at', file));
    if (size === undefined) return this.#missing(file);
    if (file.kind === 'config') this.#seen = true;
    return size;
  }

  async *list(kind: FileKind): AsyncGenerator<ListedFile> {
    this.#checkOpen();
    if (kind === 'config') {
      const size = await this.#dav.size('config', task('list', configFile));
      if (size === undefined) return await this.#missing(configFile).catch(unlessNotFound);
      this.#seen = true;
      yield { name: '', size };
      return;
    }
    if (kind !== 'pack') return yield* filesOf(await this.#filesIn(`${folderOf[kind]}/`, kind));
    const shards = await this.#listShards();
    for (let at = 0; at < shards.length; at += listedAtOnce) {
      const some = shards.slice(at, at + listedAtOnce);
      const listings = await Promise.all(some.map((shard) => this.#filesIn(`data/${shard}/`, kind, shard)));
      for (const listing of listings) yield* filesOf(listing);
    }
  }

  async remove(file: StoredFile): Promise<void> {
    this.#checkOpen();
    const path = layoutPath(file);
    await inTurn(`${this.location} ${path}`, async () => {
      const answer = await this.#dav.send('DELETE', path, { isSlow: true });
      const { status } = answer;
      if (done.has(status)) {
        if (file.kind === 'config') this.#seen = false;
        return discard(answer);
      }
      if (status === 404 || status === 410) {
        await discard(answer);
        return this.#missing(file);
      }
      const error = await this.#dav.error(answer, task('remove', file));
      if (file.kind !== 'lock' && (error.code === 'storage-denied' || status === 501))
        throw new HoldfastError('storage-append-only', { location: this.location, cause: error.context.cause }, { cause: error });
      throw error;
    });
  }

  /** Whether the server, or this user's rights there, let nobody remove anything. */
  async refusesRemoval(): Promise<boolean> {
    this.#checkOpen();
    const answer = await this.#dav.send('DELETE', layoutPath({ kind: 'pack', name: nameOfNothing }));
    await discard(answer);
    return answer.status === 403 || answer.status === 405 || answer.status === 501;
  }

  async removeLeftovers(before: number): Promise<number> {
    this.#checkOpen();
    const left: string[] = [];
    await this.#dav.list('', { operation: 'tidy', file: 'unfinished files' }, ({ name, isFolder, modified }) => {
      if (isFolder || !temporaryName.test(name)) return;
      // The server's times are by its own clock. One that tells none may mean a save that is at work.
      const { clockSkewMs = 0 } = this.#client;
      const isOld = before === Number.POSITIVE_INFINITY || (modified !== undefined && modified - clockSkewMs < before);
      if (isOld) left.push(name);
    });
    let removed = 0;
    for (const name of left) if (await this.#removeTemporary(name)) removed += 1;
    return removed;
  }

  async close(): Promise<void> {
    this.#closed = true;
    await this.#client.close();
  }

  /** False when the server moves nothing: then nothing of it is left. */
  async #saveByMove(file: StoredFile, path: string, parts: readonly Uint8Array[]): Promise<boolean> {
    const temporary = `holdfast-tmp-${randomBytes(16).toString('hex')}`;
    let isMoved = false;
    try {
      await this.#upload(file, temporary, parts);
      await this.#verify(file, temporary, parts);
      isMoved = await this.#place(file, temporary, path);
      return isMoved;
    } catch (error) {
      // A server that cannot be reached is not waited for once more.
      if (isAway(error)) isMoved = true;
      throw error;
    } finally {
      if (!isMoved) await this.#removeTemporary(temporary).catch(() => {});
    }
  }

  /** Gives the finished file its name; false when the server moves nothing. */
  async #place(file: StoredFile, temporary: string, path: string): Promise<boolean> {
    let answer = await this.#dav.move(temporary, path);
    // Its folder may have been removed meanwhile, which servers tell in three ways.
    if (file.kind === 'pack' && (answer.status === 404 || answer.status === 409 || answer.status === 403)) {
      await discard(answer);
      this.#shards.delete(file.name.slice(0, 2));
      await this.#makeShard(file);
      answer = await this.#dav.move(temporary, path);
    }
    const { status } = answer;
    if (done.has(status)) {
      await discard(answer);
      return true;
    }
    if (status === 412) {
      await discard(answer);
      return this.#refuse(file);
    }
    // 400: it understands no form of the destination.
    if (status === 405 || status === 501 || status === 403 || status === 400) {
      await discard(answer);
      this.#movesNothing = true;
      return false;
    }
    if (status === 207) {
      answer.drop();
      return fail('storage-failed', { ...this.#at('save', file), cause: 'the server could not move it to its place' });
    }
    return this.#failOrGone(answer, file);
  }

  async #upload(file: StoredFile, name: string, parts: readonly Uint8Array[]): Promise<void> {
    // Only what has its final name must not replace anything; of what has a name of its own there is nothing to replace.
    const isFinal = !temporaryName.test(name);
    const headers = { 'content-type': 'application/octet-stream', ...(isFinal ? { 'if-none-match': '*' } : {}) };
    let answer: HttpAnswer;
    try {
      answer = await this.#dav.send('PUT', name, { headers, body: parts, askFirst: this.#wasCut });
    } catch (error) {
      this.#wasCut = hasCode(error, 'connection-lost');
      throw error;
    }
    this.#wasCut = false;
    const { status } = answer;
    if (done.has(status)) return discard(answer);
    if (isFinal && status === 412) {
      await discard(answer);
      this.#refuse(file);
    }
    // What arrived was not what was sent: Nextcloud counts the bytes.
    if (status === 400) throw new HoldfastError('storage-failed', (await this.#dav.error(answer, task('save', file))).context);
    return this.#failOrGone(answer, file);
  }

  /** Whether what the server has acknowledged is there. */
  async #verify(file: StoredFile, name: string, parts: readonly Uint8Array[]): Promise<void> {
    const length = lengthOf(parts);
    const size = await this.#dav.size(name, task('save', file));
    if (size === length) return;
    const cause = size === undefined ? 'it was acknowledged and is not there' : `${length} bytes were acknowledged and ${size} are there`;
    fail('storage-failed', { ...this.#at('save', file), cause });
  }

  /** Of two programs that make a repository in the same moment, only one has. */
  async #readBack(file: StoredFile, parts: readonly Uint8Array[]): Promise<void> {
    if (!Buffer.concat(parts).equals(await this.load(file))) this.#refuse(file);
    this.#seen = true;
  }

  /**
   * Takes away what is left under a final name with another length than it should have. It was not there before, so nobody can be
   * using it. Of a config that is not certain: it stays.
   */
  async #tidy(file: StoredFile, path: string, length: number, error: unknown): Promise<void> {
    if (file.kind === 'config' || hasCode(error, 'file-exists') || isAway(error)) return;
    const size = await this.#dav.size(path, task('save', file));
    if (size !== undefined && size !== length) await discard(await this.#dav.send('DELETE', path));
  }

  async #removeTemporary(name: string): Promise<boolean> {
    const answer = await this.#dav.send('DELETE', name);
    await discard(answer);
    return done.has(answer.status);
  }

  /** Makes the folder that a pack belongs to, unless it is known to be there. */
  async #makeShard(file: StoredFile): Promise<void> {
    await (this.#shardsKnown ??= this.#listShards().then((shards) => {
      for (const shard of shards) this.#shards.set(shard, Promise.resolve());
    })).catch((error: unknown) => {
      this.#shardsKnown = undefined;
      throw error;
    });
    const shard = file.name.slice(0, 2);
    let making = this.#shards.get(shard);
    if (making === undefined) {
      making = this.#dav.makeFolder(`${folderOfFile(file)}/`, task('save', file)).then((isMade) => {
        if (!isMade) this.#gone('its folder data is missing');
      });
      this.#shards.set(shard, making);
      making.catch(() => this.#shards.delete(shard));
    }
    await making;
  }

  async #listShards(): Promise<string[]> {
    const shards = new Set<string>();
    const isThere = await this.#dav.list('data/', { operation: 'list', file: 'its pack files' }, ({ name, isFolder }) => {
      if (isFolder && isShardName(name)) shards.add(name);
    });
    if (!isThere) await this.#checkPresence();
    return [...shards].sort();
  }

  /** `shard`: what the names of all files in this folder begin with. Nothing is given before the listing is whole. */
  async #filesIn(folder: string, kind: FileKind, shard = ''): Promise<Listing> {
    const listing = new Listing();
    const isThere = await this.#dav.list(folder, { operation: 'list', file: `its ${kind} files` }, ({ name, isFolder, size }) => {
      if (isFolder || !isFileName(name) || !name.startsWith(shard)) return;
      listing.add(name, size ?? this.#dav.misunderstood('a listing does not say how long a file is'));
    });
    if (!isThere) await this.#checkPresence();
    return listing;
  }

  /** The answer with a length, by which a whole file is told from a part: some servers leave it out. */
  async #measured(answer: HttpAnswer, file: StoredFile, path: string, range: Range | undefined): Promise<HttpAnswer> {
    if (announcedLength(answer) !== undefined) return answer;
    const length = range && answer.status === 206 ? range.length : await this.#dav.size(path, task('read', file));
    if (length === undefined) {
      answer.drop();
      return this.#missing(file);
    }
    return {
      status: answer.status,
      header: (name) => (name === 'content-length' ? String(length) : answer.header(name)),
      pieces: () => answer.pieces(),
      drop: () => answer.drop(),
    };
  }

  /** For an answer that may mean that the folder is missing into which something was to be written. */
  async #failOrGone(answer: HttpAnswer, file: StoredFile): Promise<never> {
    const error = await this.#dav.error(answer, task('save', file));
    if ((answer.status === 404 || answer.status === 409) && !(await this.#dav.isThere())) this.#gone('its folder is missing');
    throw error;
  }

  async #missing(file: StoredFile): Promise<never> {
    await this.#checkPresence(file.kind === 'config');
    return fail('file-not-found', { file: describeFile(file), location: this.location });
  }

  /** Called when something is missing: throws `storage-gone` when the folder is, or a config that was seen. */
  async #checkPresence(isConfigMissing = false): Promise<void> {
    if (!(await this.#dav.isThere())) this.#gone('its folder is missing');
    if (!this.#seen) return;
    if (isConfigMissing || (await this.#dav.size('config', task('look at', configFile))) === undefined)
      this.#gone('its config file is missing');
  }

  #at(operation: string, file: StoredFile): { location: string; operation: string; file: string } {
    return { location: this.location, operation, file: describeFile(file) };
  }

  #refuse(file: StoredFile): never {
    return fail('file-exists', { file: describeFile(file), location: this.location });
  }

  #short(file: StoredFile, expected: number, received: number): never {
    return fail('file-short', { file: describeFile(file), location: this.location, expected, received });
  }

  /** A place where nothing was ever seen is more likely mistyped, or to be made, than away for a while. */
  #gone(cause: string): never {
    throw new HoldfastError('storage-gone', { location: this.location, cause }, this.#seen ? {} : { retryable: false });
  }

  #checkOpen(): void {
    if (this.#closed) fail('internal', { cause: `${this.location} was used after it had been closed` });
  }
}

const task = (operation: string, file: StoredFile): Task => ({ operation, file: describeFile(file) });

const away = ['server-unknown', 'server-refused', 'server-unreachable'] as const;
const isAway = (error: unknown): boolean => away.some((code) => hasCode(error, code));

function unlessNotFound(error: unknown): void {
  if (!hasCode(error, 'file-not-found')) throw error;
}

function* filesOf(listing: Listing): Generator<ListedFile> {
  for (let n = 0; n < listing.count; n++) yield { name: listing.nameAt(n), size: listing.sizeAt(n) };
}
