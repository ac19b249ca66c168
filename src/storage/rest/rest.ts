/**
 * A repository on a server that speaks restic's REST protocol: rest-server, or rclone serving one of its remotes.
 *
 * Servers differ: rest-server refuses to replace a file (403) and to store one whose bytes do not have the hash that is its
 * name; `rclone serve restic` replaces without a word, checks nothing, and shows a file while it grows on some of its
 * remotes. So a save looks first, and afterwards whether the file is there with its length. Two programs that save the same
 * name in the same moment can both succeed on such a server; the names of all files but config are hashes of what is in
 * them, so both have stored the same, and config is read back.
 *
 * A server tells a missing file, a missing folder and a disk that is not mounted by the same 404. Once a repository was seen
 * there, its config decides: where that is missing too, the whole is `storage-gone`, never empty.
 */
import { fail, HoldfastError, hasCode } from '../../contract/errors.ts';
import type { Clock } from '../../platform/clock.ts';
import { answerError } from '../http/answer-errors.ts';
import { announcedLength, discard, readBytes } from '../http/body.ts';
import { type HttpAnswer, type HttpClient, type HttpRequest, lengthOf } from '../http/exchange.ts';
import { checkRange, folderOf, layoutPath } from '../names.ts';
import { describeFile, type FileKind, type ListedFile, type Range, type Storage, type StoredFile } from '../storage.ts';
import { inTurn } from '../turns.ts';
import { Listing, ListingReader } from './listing.ts';

const version2 = 'application/vnd.x.restic.rest.v2';

/** No program writes a config, key, snapshot, index or lock that comes near. */
const longestWholeFile = 256 << 20;

/** Files whose sizes are asked for side by side, where a listing holds none. */
const sizesAtOnce = 16;

/** No file has this name: nobody knows what has this hash. */
const nameOfNothing = '0'.repeat(64);

const configFile: StoredFile = { kind: 'config', name: '' };

export interface RestOptions {
  readonly client: HttpClient;
  /** Without secrets. */
  readonly location: string;
  /** Percent-encoded, begins and ends with `/`. */
  readonly path: string;
  readonly clock: Pick<Clock, 'now'>;
  /** The `Authorization` header. */
  readonly authorization: string | undefined;
  /** Names of the environment variables that would hold a user name and password. */
  readonly variables: string;
}

export class RestStorage implements Storage {
  readonly location: string;
  readonly #options: RestOptions;
  /** Whether a config was seen here. */
  #seen = false;
  /** rclone answers questions about a single file from its memory, even when another program has removed it. */
  #isForgetful = false;
  /** The last upload was cut off: perhaps instead of an answer that says why. */
  #wasCut = false;
  #closed = false;

  constructor(options: RestOptions) {
    this.#options = options;
    this.location = options.location;
  }

  get clockSkewMs(): number | undefined {
    return this.#options.client.clockSkewMs;
  }

  async create(): Promise<void> {
    const answer = await this.#send({ method: 'POST', path: `${this.#options.path}?create=true`, body: [] });
    if (answer.status === 200 || answer.status === 201) return discard(answer);
    const error = await this.#error(answer, 'make', 'the folders of a repository');
    // One who may not make any is content with those that are there.
    if (!(await this.#sizeIfThere(configFile).then((size) => size !== undefined))) throw error;
  }

  async save(file: StoredFile, parts: readonly Uint8Array[]): Promise<void> {
    const path = this.#path(file);
    await inTurn(`${this.location} ${path}`, async () => {
      if ((await this.#sizeIfThere(file)) !== undefined) this.#refuse(file);
      try {
        await this.#upload(file, path, parts);
        await this.#verify(file, parts);
      } catch (error) {
        await this.#tidy(file, lengthOf(parts), error).catch(() => {});
        throw error;
      }
      if (file.kind === 'config') this.#seen = true;
    });
  }

  async load(file: StoredFile, range?: Range): Promise<Uint8Array> {
    if (range !== undefined) checkRange(range);
    const path = this.#path(file);
    if (range?.length === 0) {
      await this.size(file);
      return Buffer.alloc(0);
    }
    const headers = range ? { range: `bytes=${range.offset}-${range.offset + range.length - 1}` } : {};
    const answer = await this.#send({ method: 'GET', path, headers });
    if (answer.status === 404 || (range && answer.status === 416)) {
      await discard(answer);
      // A range beyond the end is none for some servers, and no file for others.
      const size = range && (await this.#sizeIfThere(file));
      return size === undefined ? this.#missing(file) : this.#short(file, range!.length, Math.max(0, size - range!.offset));
    }
    if (answer.status !== 200 && !(range && answer.status === 206)) throw await this.#error(answer, 'read', describeFile(file));
    if (file.kind === 'config') this.#seen = true;
    return range ? this.#readRange(answer, file, range) : this.#readWhole(answer, file);
  }

  async size(file: StoredFile): Promise<number> {
    const size = await this.#sizeIfThere(file);
    if (size === undefined) return this.#missing(file);
    if (file.kind === 'config') this.#seen = true;
    return size;
  }

  async *list(kind: FileKind): AsyncGenerator<ListedFile> {
    if (kind === 'config') {
      const size = await this.#sizeIfThere(configFile);
      if (size === undefined) return this.#seen ? this.#gone() : undefined;
      this.#seen = true;
      yield { name: '', size };
      return;
    }
    const listing = await this.#listing(kind);
    if (listing.isSized) {
      for (let n = 0; n < listing.count; n++) yield { name: listing.nameAt(n), size: listing.sizeAt(n) };
      return;
    }
    // Version 1 of the protocol: one question for each.
    for (let at = 0; at < listing.count; at += sizesAtOnce) {
      const names = Array.from({ length: Math.min(sizesAtOnce, listing.count - at) }, (_, n) => listing.nameAt(at + n));
      const sizes = await Promise.all(names.map((name) => this.#sizeIfThere({ kind, name })));
      for (const [n, size] of sizes.entries()) if (size !== undefined) yield { name: names[n], size };
    }
  }

  async remove(file: StoredFile): Promise<void> {
    const path = this.#path(file);
    await inTurn(`${this.location} ${path}`, async () => {
      // Some servers acknowledge the removal of what is not there.
      if ((await this.#sizeIfThere(file)) === undefined) await this.#missing(file);
      const answer = await this.#send({ method: 'DELETE', path });
      if (answer.status === 200 || answer.status === 202 || answer.status === 204) {
        if (file.kind === 'config') this.#seen = false;
        return discard(answer);
      }
      if (answer.status === 404) {
        await discard(answer);
        return this.#missing(file);
      }
      const error = await this.#error(answer, 'remove', describeFile(file));
      if (file.kind !== 'lock' && (error.code === 'storage-denied' || answer.status === 501))
        throw new HoldfastError('storage-append-only', { location: this.location, cause: error.context.cause }, { cause: error });
      throw error;
    });
  }

  /** Whether the server lets nobody remove anything but locks. */
  async refusesRemoval(): Promise<boolean> {
    const answer = await this.#send({ method: 'DELETE', path: this.#path({ kind: 'pack', name: nameOfNothing }) });
    const { status } = answer;
    await discard(answer);
    return status === 403 || status === 405 || status === 501;
  }

  async close(): Promise<void> {
    this.#closed = true;
    await this.#options.client.close();
  }

  async #upload(file: StoredFile, path: string, parts: readonly Uint8Array[]): Promise<void> {
    let answer: HttpAnswer;
    try {
      const headers = { 'content-type': 'application/octet-stream' };
      answer = await this.#send({ method: 'POST', path, headers, body: parts, askFirst: this.#wasCut });
    } catch (error) {
      this.#wasCut = hasCode(error, 'connection-lost');
      throw error;
    }
    if (answer.status === 200 || answer.status === 201 || answer.status === 204) {
      this.#wasCut = false;
      return discard(answer);
    }
    const error = await this.#error(answer, 'save', describeFile(file));
    // rest-server says the same when the file is there and when one may not write.
    if (error.code === 'storage-denied' && (await this.#sizeIfThere(file)) !== undefined) this.#refuse(file);
    // What arrived was not what its name says: it was changed on the way.
    if (answer.status === 400) throw new HoldfastError('storage-failed', error.context, { cause: error });
    throw error;
  }

  /** Whether what the server has acknowledged is there. */
  async #verify(file: StoredFile, parts: readonly Uint8Array[]): Promise<void> {
    const length = lengthOf(parts);
    const size = await this.#sizeIfThere(file);
    if (size !== length) {
      const cause = size === undefined ? 'it was acknowledged and is not there' : `${length} bytes were acknowledged and ${size} are there`;
      fail('storage-failed', { location: this.location, operation: 'save', file: describeFile(file), cause });
    }
    if (file.kind === 'config' && !Buffer.concat(parts).equals(await this.load(file))) this.#refuse(file);
  }

  /**
   * Some servers keep what came of an upload that broke off, under its final name. It was not there before, and its length is
   * not the one that belongs to its name, so nobody can be using it. Of a config that is not certain: it stays.
   */
  async #tidy(file: StoredFile, length: number, error: unknown): Promise<void> {
    if (file.kind === 'config' || hasCode(error, 'file-exists')) return;
    const size = await this.#sizeIfThere(file);
    if (size === undefined || size === length) return;
    await discard(await this.#send({ method: 'DELETE', path: this.#path(file) }));
  }

  async #readRange(answer: HttpAnswer, file: StoredFile, { offset, length }: Range): Promise<Uint8Array> {
    // A server that knows no ranges gives the whole file.
    const begin = answer.status === 206 ? this.#beginOf(answer, offset) : 0;
    const { bytes, isTooLong } = await readBytes(answer, length, offset - begin);
    if (bytes.length < length) return this.#short(file, length, bytes.length);
    if (isTooLong && answer.status === 206) this.#misunderstood('it gave more bytes than asked for');
    return bytes;
  }

  /** Where the range that the server gives begins. */
  #beginOf(answer: HttpAnswer, offset: number): number {
    const match = /^bytes (\d{1,15})-/.exec(answer.header('content-range') ?? '');
    // Without a word it is what was asked for.
    const begin = match ? Number(match[1]) : offset;
    if (begin === offset) return begin;
    answer.drop();
    return this.#misunderstood('it gave other bytes than asked for');
  }

  async #readWhole(answer: HttpAnswer, file: StoredFile): Promise<Uint8Array> {
    const announced = announcedLength(answer);
    if (announced !== undefined && announced > longestWholeFile && file.kind !== 'pack') {
      answer.drop();
      return fail('item-tampered', { file: describeFile(file), cause: `it has ${announced} bytes` });
    }
    // Without a length nobody could tell a whole file from a part of it.
    const length = announced ?? (await this.size(file));
    const { bytes, isTooLong } = await readBytes(answer, length);
    if (bytes.length < length) return this.#short(file, length, bytes.length);
    if (isTooLong) this.#misunderstood('it gave more bytes than it announced');
    return bytes;
  }

  async #sizeIfThere(file: StoredFile): Promise<number | undefined> {
    if (file.kind === 'lock' && this.#isForgetful) {
      const listing = await this.#listing('lock');
      for (let n = 0; n < listing.count; n++) if (listing.nameAt(n) === file.name) return listing.sizeAt(n);
      return undefined;
    }
    const answer = await this.#send({ method: 'HEAD', path: this.#path(file) });
    if (answer.status === 404) {
      await discard(answer);
      return undefined;
    }
    if (answer.status !== 200) throw await this.#error(answer, 'look at', describeFile(file));
    const size = announcedLength(answer);
    await discard(answer);
    return size ?? this.#misunderstood('it does not say how long a file is');
  }

  async #listing(kind: Exclude<FileKind, 'config'>): Promise<Listing> {
    const answer = await this.#send({ method: 'GET', path: `${this.#options.path}${folderOf[kind]}/`, isSlow: true });
    const reader = new ListingReader();
    if (answer.status === 404) {
      await discard(answer);
      if (this.#seen && (await this.#sizeIfThere(configFile)) === undefined) this.#gone();
      return new Listing();
    }
    if (answer.status !== 200) throw await this.#error(answer, 'list', `its ${kind} files`);
    try {
      for await (const piece of answer.pieces()) reader.push(piece);
      return reader.end();
    } catch (error) {
      if (!(error instanceof SyntaxError)) throw error;
      answer.drop();
      return this.#misunderstood(error.message);
    }
  }

  async #send(request: HttpRequest): Promise<HttpAnswer> {
    if (this.#closed) fail('internal', { cause: `${this.location} was used after it had been closed` });
    const { client, authorization } = this.#options;
    const headers = { accept: version2, ...(authorization === undefined ? {} : { authorization }), ...request.headers };
    const answer = await client.send({ ...request, headers });
    this.#isForgetful ||= /^rclone\b/.test(answer.header('server') ?? '');
    return answer;
  }

  #path(file: StoredFile): string {
    // Throws for a name that leads elsewhere.
    layoutPath(file);
    return `${this.#options.path}${file.kind === 'config' ? 'config' : `${folderOf[file.kind]}/${file.name}`}`;
  }

  async #missing(file: StoredFile): Promise<never> {
    if (this.#seen && (file.kind === 'config' || (await this.#sizeIfThere(configFile)) === undefined)) this.#gone();
    return fail('file-not-found', { file: describeFile(file), location: this.location });
  }

  #error(answer: HttpAnswer, operation: string, file: string): Promise<HoldfastError> {
    const { client, clock, authorization, variables } = this.#options;
    const { server, lastWords: words } = client;
    const asked = { location: this.location, server, operation, file, isSignedIn: authorization !== undefined, variables, words };
    return answerError(answer, asked, clock.now());
  }

  #refuse(file: StoredFile): never {
    fail('file-exists', { file: describeFile(file), location: this.location });
  }

  #short(file: StoredFile, expected: number, received: number): never {
    fail('file-short', { file: describeFile(file), location: this.location, expected, received });
  }

  #gone(): never {
    fail('storage-gone', { location: this.location, cause: 'its config file is missing' });
  }

  #misunderstood(cause: string): never {
    fail('server-not-understood', { location: this.location, server: this.#options.client.server, cause });
  }
}
