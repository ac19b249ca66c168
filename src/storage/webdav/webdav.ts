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
 * A server that moves between folders by copying (plain sabre/dav; Nextcloud does not) shows a file while it grows, too.
 *
 * There is no `replaceConfig`: servers replace by removing first (RFC 4918, 9.9.3).
 *
 * A missing folder is `storage-gone`, as is one whose config was seen and is missing; neither is ever an empty repository.
 */
import { fail, HoldfastError, hasCode } from '../../contract/errors.ts';
import { announcedLength, discard } from '../http/body.ts';
import type { HttpAnswer } from '../http/exchange.ts';
import { checkRange, folderOf, isFileName, layoutPath } from '../names.ts';
import type { Task } from '../objects/bucket.ts';
import { rangeHeader, readObject } from '../objects/read-object.ts';
import { Listing } from '../rest/listing.ts';
import { configFile, describeFile, type FileKind, type ListedFile, type Range, type Storage, type StoredFile } from '../storage.ts';
import { inTurn } from '../turns.ts';
import type { Dav, DavOptions } from './dav.ts';
import { PackFolders } from './pack-folders.ts';
import { Presence } from './presence.ts';
import { done, isTemporary, Uploads } from './uploads.ts';

/** No program writes a config, key, snapshot, index or lock that comes near, nor a pack beyond the second. */
const longestSmallFile = 256 << 20;
const longestPack = 1 << 30;

/** Folders of packs that are listed side by side. */
const listedAtOnce = 8;

/** No file has this name: nobody knows what has this hash. */
const nameOfNothing = '0'.repeat(64);

export class WebdavStorage implements Storage {
  readonly location: string;
  readonly #client: DavOptions['client'];
  readonly #dav: Dav;
  readonly #presence: Presence;
  readonly #folders: PackFolders;
  readonly #uploads: Uploads;
  #closed = false;

  /** `dav` on the same client; closing the storage closes it. */
  constructor(dav: Dav, { client, location }: Pick<DavOptions, 'client' | 'location'>) {
    this.location = location;
    this.#client = client;
    this.#dav = dav;
    this.#presence = new Presence(dav, location);
    this.#folders = new PackFolders(dav, this.#presence);
    this.#uploads = new Uploads(dav, this.#presence, this.#folders);
  }

  get clockSkewMs(): number | undefined {
    return this.#client.clockSkewMs;
  }

  async create(): Promise<void> {
    this.#checkOpen();
    if (!(await this.#dav.isThere())) await this.#dav.makeItself();
    const task: Task = { operation: 'make', file: 'the folders of a repository' };
    for (const folder of ['data', 'index', 'keys', 'locks', 'snapshots'])
      if (!(await this.#dav.makeFolder(`${folder}/`, task))) this.#presence.gone('its folder is missing');
  }

  async save(file: StoredFile, parts: readonly Uint8Array[]): Promise<void> {
    this.#checkOpen();
    const path = layoutPath(file);
    await inTurn(`${this.location} ${path}`, async () => {
      if ((await this.#dav.size(path, task('save', file))) !== undefined) this.#uploads.refuse(file);
      if (file.kind === 'pack') await this.#folders.make(file, task('save', file));
      await this.#uploads.store(file, path, parts);
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
      return this.#presence.missing(file);
    }
    if (range && answer.status === 416) {
      await discard(answer);
      const size = await this.#dav.size(path, task('read', file));
      return size === undefined ? this.#presence.missing(file) : this.#short(file, range.length, Math.max(0, size - range.offset));
    }
    if (answer.status !== 200 && !(range && answer.status === 206)) throw await this.#dav.error(answer, task('read', file));
    if (file.kind === 'config') this.#presence.seen = true;
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
    if (size === undefined) return this.#presence.missing(file);
    if (file.kind === 'config') this.#presence.seen = true;
    return size;
  }

  async *list(kind: FileKind): AsyncGenerator<ListedFile> {
    this.#checkOpen();
    if (kind === 'config') {
      const size = await this.#dav.size('config', task('list', configFile));
      if (size === undefined) return await this.#presence.missing(configFile).catch(unlessNotFound);
      this.#presence.seen = true;
      yield { name: '', size };
      return;
    }
    if (kind !== 'pack') return yield* filesOf(await this.#filesIn(`${folderOf[kind]}/`, kind));
    const shards = await this.#folders.list();
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
        if (file.kind === 'config') this.#presence.seen = false;
        return discard(answer);
      }
      if (status === 404 || status === 410) {
        await discard(answer);
        return this.#presence.missing(file);
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
      if (isFolder || !isTemporary(name)) return;
      // The server's times are by its own clock. One that tells none may mean a save that is at work.
      const { clockSkewMs = 0 } = this.#client;
      const isOld = before === Number.POSITIVE_INFINITY || (modified !== undefined && modified - clockSkewMs < before);
      if (isOld) left.push(name);
    });
    let removed = 0;
    for (const name of left) if (await this.#uploads.removeTemporary(name)) removed += 1;
    return removed;
  }

  async close(): Promise<void> {
    this.#closed = true;
    await this.#client.close();
  }

  /** Of two programs that make a repository in the same moment, only one has. */
  async #readBack(file: StoredFile, parts: readonly Uint8Array[]): Promise<void> {
    if (!Buffer.concat(parts).equals(await this.load(file))) this.#uploads.refuse(file);
    this.#presence.seen = true;
  }

  /** `shard`: what the names of all files in this folder begin with. Nothing is given before the listing is whole. */
  async #filesIn(folder: string, kind: FileKind, shard = ''): Promise<Listing> {
    const listing = new Listing();
    const isThere = await this.#dav.list(folder, { operation: 'list', file: `its ${kind} files` }, ({ name, isFolder, size }) => {
      if (isFolder || !isFileName(name) || !name.startsWith(shard)) return;
      listing.add(name, size ?? this.#dav.misunderstood('a listing does not say how long a file is'));
    });
    if (!isThere) await this.#presence.check();
    return listing;
  }

  /**
   * The answer as it can be judged: with a length, by which a whole file is told from a part, since some servers leave it out; and as that
   * of the whole where a part was asked for that begins at 0: to `bytes=0-0`, sabre/dav gives everything, and says so.
   */
  async #measured(answer: HttpAnswer, file: StoredFile, path: string, range: Range | undefined): Promise<HttpAnswer> {
    const given = answer.header('content-range') ?? '';
    const isWhole = range?.offset === 0 && given.startsWith('bytes 0-') && (announcedLength(answer) ?? 0) > range.length;
    const status = isWhole ? 200 : answer.status;
    let length = announcedLength(answer) ?? (range && status === 206 ? range.length : undefined);
    length ??= await this.#dav.size(path, task('read', file));
    if (length === undefined) {
      answer.drop();
      return this.#presence.missing(file);
    }
    return {
      status,
      header: (name) => (name === 'content-length' ? String(length) : answer.header(name)),
      pieces: () => answer.pieces(),
      drop: () => answer.drop(),
    };
  }

  #short(file: StoredFile, expected: number, received: number): never {
    return fail('file-short', { file: describeFile(file), location: this.location, expected, received });
  }

  #checkOpen(): void {
    if (this.#closed) fail('internal', { cause: `${this.location} was used after it had been closed` });
  }
}

const task = (operation: string, file: StoredFile): Task => ({ operation, file: describeFile(file) });

function unlessNotFound(error: unknown): void {
  if (!hasCode(error, 'file-not-found')) throw error;
}

function* filesOf(listing: Listing): Generator<ListedFile> {
  for (let n = 0; n < listing.count; n++) yield { name: listing.nameAt(n), size: listing.sizeAt(n) };
}
