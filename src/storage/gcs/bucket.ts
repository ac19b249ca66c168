/**
 * A bucket in Google's Cloud Storage, by its JSON API.
 *
 * Each upload is one request of two parts, a description and the content: the description holds the MD5, which Google
 * compares, and the query the condition that there is no such object yet. Google tells of a removal whether there was an
 * object. So nothing needs a question before.
 *
 * Six requests are all that is needed, and our own HTTP client sends them, as it does for S3: Google's library brings sixty
 * packages for them, repeats requests on its own account, and has its own words for what went wrong.
 *
 * A missing object and a missing bucket are told apart by a look at the bucket, since the answers are alike.
 */
import { randomBytes } from 'node:crypto';
import { fail, type HoldfastError } from '../../contract/errors.ts';
import type { Clock } from '../../platform/clock.ts';
import { discard, readBytes } from '../http/body.ts';
import type { HttpAnswer, HttpClient, HttpRequest } from '../http/exchange.ts';
import type { Bucket, ListedObject, Task } from '../objects/bucket.ts';
import { digests } from '../objects/digests.ts';
import { encodePart } from '../objects/keys.ts';
import { rangeHeader, readObject } from '../objects/read-object.ts';
import type { RenewedToken } from '../objects/renewed-token.ts';
import { describeFile, type Range, type StoredFile } from '../storage.ts';
import { isTaken, type Refusal, refusalError, refusalOf } from './refusal.ts';

export interface GcsOptions {
  readonly bucket: string;
  /** Without secrets. */
  readonly location: string;
  /** Whose a new bucket will be, and where; default: where Google puts it. */
  readonly project: string | undefined;
  readonly region: string | undefined;
  /** A text is one that cannot be renewed. */
  readonly tokens: RenewedToken | string;
  readonly client: HttpClient;
  readonly clock: Pick<Clock, 'now'>;
}

type Call = Pick<HttpRequest, 'method' | 'path' | 'headers' | 'body' | 'isSlow'>;

type GcsAnswer = { readonly answer: HttpAnswer; readonly refusal?: undefined } | { readonly answer?: undefined; readonly refusal: Refusal };

const pageSize = '1000';
/** A thousand names of a thousand bytes, each of which may be escaped, and what stands around them. */
const longestPage = 16 << 20;

export class GcsBucket implements Bucket {
  readonly location: string;
  readonly refusesOverwrite = true;
  readonly tellsMissing = true;
  readonly #options: GcsOptions;
  /** Stands between the parts of an upload; no content can hold what nobody could know. */
  readonly #boundary = `holdfast-${randomBytes(24).toString('hex')}`;
  /** Whether the bucket has answered for itself: then a missing object is no missing bucket. */
  #isSeen = false;

  constructor(options: GcsOptions) {
    this.#options = options;
    this.location = options.location;
  }

  get clockSkewMs(): number | undefined {
    return this.#options.client.clockSkewMs;
  }

  async create(): Promise<void> {
    const { bucket, project, region } = this.#options;
    const making: Task = { operation: 'make', file: 'the bucket' };
    const there = await this.#ask({ method: 'GET', path: `${this.#path()}?fields=name` });
    if (!there.refusal) return discard(there.answer);
    if (there.refusal.status !== 404) {
      const error = this.#error(there.refusal, making);
      // Who may not look at the bucket as a whole may still use what is in it.
      if (error.code === 'storage-denied') return;
      throw error;
    }
    if (project === undefined)
      return fail('credentials-missing', {
        location: this.location,
        what: 'the ID of a project to make the bucket in',
        variables: 'GOOGLE_PROJECT_ID',
      });
    const body = [Buffer.from(JSON.stringify({ name: bucket, ...(region === undefined ? {} : { location: region }) }))];
    const headers = { 'content-type': 'application/json' };
    const made = await this.#ask({ method: 'POST', path: `/storage/v1/b?project=${encodePart(project)}`, headers, body });
    if (!made.refusal) return discard(made.answer);
    const { status, message } = made.refusal;
    if (status !== 409) throw this.#error(made.refusal, making);
    // Another program of ours was faster, or it is somebody else's.
    if (!/you already own/i.test(message)) fail('bucket-taken', { bucket, server: this.#options.client.server });
  }

  async put(key: string, file: StoredFile, parts: readonly Uint8Array[], replaces = false): Promise<void> {
    const saving: Task = { operation: 'save', file: describeFile(file) };
    const sums = await digests(parts, 'md5');
    const md5Hash = sums.md5.toString('base64');
    const description = JSON.stringify({ name: key, md5Hash, contentType: 'application/octet-stream' });
    const boundary = this.#boundary;
    const body = [
      Buffer.from(`--${boundary}\r\ncontent-type: application/json; charset=UTF-8\r\n\r\n${description}\r\n`),
      Buffer.from(`--${boundary}\r\ncontent-type: application/octet-stream\r\n\r\n`),
      ...parts,
      Buffer.from(`\r\n--${boundary}--\r\n`),
    ];
    const headers = { 'content-type': `multipart/related; boundary=${boundary}` };
    const query = `uploadType=multipart&${replaces ? 'ifGenerationNotMatch' : 'ifGenerationMatch'}=0&fields=size,md5Hash`;
    const { answer, refusal } = await this.#ask({ method: 'POST', path: `/upload${this.#path()}/o?${query}`, headers, body });
    if (refusal) {
      if (isTaken(refusal)) fail(replaces ? 'file-not-found' : 'file-exists', { file: saving.file, location: this.location });
      if (refusal.status === 404) this.#noBucket();
      throw this.#error(refusal, saving);
    }
    const told = await this.#json(answer);
    const problem =
      told['size'] !== String(sums.length)
        ? `${sums.length} bytes were sent and ${String(told['size'])} are there`
        : told['md5Hash'] !== undefined && told['md5Hash'] !== md5Hash
          ? 'what is stored there has another MD5 than what was sent'
          : undefined;
    if (problem === undefined) return;
    // It was not there before, and is not what its name says.
    if (!replaces) await this.remove(key, saving).catch(() => {});
    fail('storage-failed', { location: this.location, ...saving, cause: problem });
  }

  async get(key: string, range: Range | undefined, longest: number, task: Task): Promise<Uint8Array | undefined> {
    const headers: Record<string, string> = range ? { range: rangeHeader(range) } : {};
    const { answer, refusal } = await this.#ask({ method: 'GET', path: `${this.#path(key)}?alt=media`, headers });
    if (!refusal) return readObject(answer, range, longest, task, { location: this.location, server: this.#options.client.server });
    // The range begins behind the end.
    if (refusal.status === 416) return new Uint8Array(0);
    await this.#expectMissing(refusal, task);
    return undefined;
  }

  async size(key: string, task: Task): Promise<number | undefined> {
    const { answer, refusal } = await this.#ask({ method: 'GET', path: `${this.#path(key)}?fields=size` });
    if (!refusal) return this.#sizeIn((await this.#json(answer))['size']);
    await this.#expectMissing(refusal, task);
    return undefined;
  }

  async *list(prefix: string, task: Task): AsyncGenerator<ListedObject> {
    for (let token: string | undefined = ''; token !== undefined; ) {
      const { items, next } = await this.#page(prefix, token, task);
      if (next !== undefined && next === token) this.#misunderstood('its listing goes round in circles');
      yield* items;
      token = next;
    }
  }

  async remove(key: string, task: Task): Promise<boolean> {
    const { answer, refusal } = await this.#ask({ method: 'DELETE', path: this.#path(key) });
    if (refusal) {
      await this.#expectMissing(refusal, task);
      return false;
    }
    await discard(answer);
    return answer.status === 204 || this.#misunderstood('it does not say that something was removed');
  }

  async close(): Promise<void> {
    const { tokens, client } = this.#options;
    if (typeof tokens !== 'string') await tokens.close();
    await client.close();
  }

  /** Of the bucket, or of an object in it. */
  #path(key?: string): string {
    return `/storage/v1/b/${encodePart(this.#options.bucket)}${key === undefined ? '' : `/o/${encodePart(key)}`}`;
  }

  /** Sends a request; once more when the token was good no more. */
  async #ask(call: Call): Promise<GcsAnswer> {
    const { tokens } = this.#options;
    if (typeof tokens === 'string') return this.#askOnce(call, tokens);
    const token = await tokens.get();
    const first = await this.#askOnce(call, token);
    if (first.refusal?.status !== 401) return first;
    return this.#askOnce(call, await tokens.get(token));
  }

  async #askOnce(call: Call, token: string): Promise<GcsAnswer> {
    const { client, clock } = this.#options;
    const answer = await client.send({ ...call, headers: { ...call.headers, authorization: `Bearer ${token}` } });
    if (answer.status >= 200 && answer.status < 300) return { answer };
    return { refusal: await refusalOf(answer, clock.now()) };
  }

  /** Throws unless the refusal says that there is no such object, in a bucket that is there. */
  async #expectMissing(refusal: Refusal, task: Task): Promise<void> {
    if (refusal.status !== 404) throw this.#error(refusal, task);
    if (this.#isSeen) return;
    await this.#page('config', '', task).catch((error: HoldfastError) => {
      // Who may not list can still read and write, and then nobody can tell.
      if (error.code !== 'storage-denied') throw error;
    });
    this.#isSeen = true;
  }

  async #page(prefix: string, token: string, task: Task): Promise<{ readonly items: ListedObject[]; readonly next: string | undefined }> {
    const from = token === '' ? '' : `&pageToken=${encodePart(token)}`;
    const query = `prefix=${encodePart(prefix)}&maxResults=${pageSize}&fields=kind,nextPageToken,items(name,size)${from}`;
    const { answer, refusal } = await this.#ask({ method: 'GET', path: `${this.#path()}/o?${query}`, isSlow: true });
    if (refusal) {
      // A page that answers so in plain text is not Google's.
      if (refusal.status === 404 && refusal.reason === 'notFound') this.#noBucket();
      if (refusal.status === 404) this.#misunderstood('it does not know what a listing is');
      throw this.#error(refusal, task);
    }
    const { kind, items = [], nextPageToken: next } = await this.#json(answer);
    if (kind !== 'storage#objects' || !Array.isArray(items) || (next !== undefined && (typeof next !== 'string' || next === '')))
      return this.#misunderstood('it answers with something else than a listing');
    this.#isSeen = true;
    return { items: items.map((item) => this.#listed(item)), next };
  }

  #listed(item: unknown): ListedObject {
    const { name, size } = (typeof item === 'object' && item !== null ? item : {}) as { name?: unknown; size?: unknown };
    if (typeof name !== 'string') return this.#misunderstood('its listing holds an object without a name');
    return { key: name, size: this.#sizeIn(size) };
  }

  /** Google writes numbers of 64 bits as texts. */
  #sizeIn(value: unknown): number {
    if (typeof value === 'string' && /^\d{1,15}$/.test(value)) return Number(value);
    return this.#misunderstood('it does not say how long an object is');
  }

  async #json(answer: HttpAnswer): Promise<Record<string, unknown>> {
    const { bytes, isTooLong } = await readBytes(answer, longestPage);
    try {
      const held: unknown = isTooLong ? undefined : JSON.parse(bytes.toString('utf8'));
      if (typeof held === 'object' && held !== null && !Array.isArray(held)) return held as Record<string, unknown>;
    } catch {
      // Said below.
    }
    return this.#misunderstood('it answers with something else than JSON');
  }

  #noBucket(): never {
    const { bucket, client } = this.#options;
    return fail('bucket-missing', { bucket, server: client.server, location: this.location });
  }

  #error(refusal: Refusal, task: Task): HoldfastError {
    const { client, bucket } = this.#options;
    return refusalError(refusal, { ...task, location: this.location, server: client.server, bucket });
  }

  #misunderstood(cause: string): never {
    return fail('server-not-understood', { location: this.location, server: this.#options.client.server, cause });
  }
}
