/**
 * A bucket on a server that speaks S3.
 *
 * Requests go to the region that the server's name, the person or the server itself tells; a server that says that the
 * bucket is in another one is asked again, there. Keys that have expired are looked up again, once for each request.
 *
 * An upload is verified by the SHA-256 that Amazon keeps and repeats; elsewhere by Content-MD5, which the server compares, and
 * by the ETag, which is the same MD5 unless the server encrypts with a key of its own; where neither is repeated, by its
 * length. Packs are far below the 5 GiB that one request may hold, so that no upload is made of several.
 */
import { fail, type HoldfastError } from '../../contract/errors.ts';
import type { Clock } from '../../platform/clock.ts';
import { announcedLength, discard } from '../http/body.ts';
import type { HttpAnswer, HttpClient, HttpRequest } from '../http/exchange.ts';
import type { Bucket, ListedObject, Task } from '../objects/bucket.ts';
import { digests } from '../objects/digests.ts';
import { encodeKey, encodePart } from '../objects/keys.ts';
import { rangeHeader, readObject } from '../objects/read-object.ts';
import { describeFile, type Range, type StoredFile } from '../storage.ts';
import { type FoundKeys, keyVariables, type S3Keys } from './keys.ts';
import { parsePage } from './page.ts';
import { type S3Place, s3Location } from './place.ts';
import { awsHost, type S3Service } from './presets.ts';
import { isExpired, isMissing, isTaken, otherRegion, type Refusal, refusalError, refusalOf } from './refusal.ts';
import type { S3Settings } from './settings.ts';
import { emptyPayload, type Signer } from './sign.ts';

export interface S3Options {
  readonly place: S3Place;
  readonly service: S3Service;
  readonly region: string;
  readonly settings: S3Settings;
  /** Looks the keys up anew. */
  readonly findKeys: () => FoundKeys;
  readonly signer: Signer;
  readonly clock: Pick<Clock, 'now'>;
  readonly connect: (origin: URL) => HttpClient;
}

interface S3Request extends Pick<HttpRequest, 'method' | 'body' | 'isSlow'> {
  /** Undefined: the bucket itself. */
  readonly key?: string;
  readonly query?: Readonly<Record<string, string>>;
  readonly headers?: Readonly<Record<string, string>>;
  /** What is signed of the body; default: that there is none. */
  readonly payload?: string;
}

/** Either is there: the answer, whose body is to be read, or why it was refused. */
type S3Answer = { readonly answer: HttpAnswer; readonly refusal?: undefined } | { readonly answer?: undefined; readonly refusal: Refusal };

const unsigned = 'UNSIGNED-PAYLOAD';
const pageSize = '1000';

export class S3Bucket implements Bucket {
  readonly location: string;
  readonly refusesOverwrite: boolean;
  readonly tellsMissing = false;
  readonly #options: S3Options;
  /** By origin: of an S3 server that sends its clients elsewhere, what is under way still uses the old one. */
  readonly #clients = new Map<string, HttpClient>();
  #region: string;
  #host: string;
  #keys: S3Keys | undefined;
  /** Whether the bucket has answered for itself: then a missing object is no missing bucket. */
  #isSeen = false;

  constructor(options: S3Options) {
    const { place, service } = options;
    this.#options = options;
    this.location = s3Location(place);
    this.refusesOverwrite = service.conditionalPut;
    this.#region = options.region;
    this.#host = place.origin.host;
  }

  get clockSkewMs(): number | undefined {
    return this.#client.clockSkewMs;
  }

  async create(): Promise<void> {
    const making: Task = { operation: 'make', file: 'the bucket' };
    const { refusal } = await this.#look({ method: 'HEAD' }, { method: 'GET', query: { location: '' } });
    if (refusal === undefined) return;
    if (refusal.status !== 404) {
      const error = this.#error(refusal, making);
      // Who may not look at the bucket as a whole may still use what is in it.
      if (error.code === 'storage-denied') return;
      throw error;
    }
    const body = this.#locationConstraint();
    const headers = this.#options.settings.retention ? { 'x-amz-bucket-object-lock-enabled': 'true' } : {};
    const made = await this.#ask({ method: 'PUT', body, headers, payload: (await digests(body, 'sha256')).sha256.toString('hex') });
    if (made.refusal && made.refusal.code !== 'BucketAlreadyOwnedByYou') throw this.#error(made.refusal, making);
  }

  async put(key: string, file: StoredFile, parts: readonly Uint8Array[], replaces = false): Promise<void> {
    const { service, place } = this.#options;
    const saving: Task = { operation: 'save', file: describeFile(file) };
    const isSigned = service.sha256 || place.origin.protocol === 'http:';
    const sums = await digests(parts, ...(isSigned ? (['sha256'] as const) : []), ...(service.sha256 ? [] : (['md5'] as const)));
    const headers = {
      'content-type': 'application/octet-stream',
      ...(service.sha256 ? { 'x-amz-checksum-sha256': sums.sha256.toString('base64') } : { 'content-md5': sums.md5.toString('base64') }),
      ...(this.refusesOverwrite && !replaces ? { 'if-none-match': '*' } : {}),
      ...this.#wishes(file),
    };
    const payload = isSigned ? sums.sha256.toString('hex') : unsigned;
    const { answer, refusal } = await this.#ask({ method: 'PUT', key, headers, body: parts, payload });
    if (refusal) {
      if (this.refusesOverwrite && !replaces && isTaken(refusal)) fail('file-exists', { file: saving.file, location: this.location });
      throw this.#error(refusal, saving);
    }
    await discard(answer);
    const problem = await this.#problemOf(answer, key, sums, saving);
    if (problem === undefined) return;
    // It was not there before, and is not what its name says. If it cannot be removed, the next save replaces it.
    if (!replaces) await this.remove(key, saving).catch(() => {});
    fail('storage-failed', { location: this.location, ...saving, cause: problem });
  }

  async get(key: string, range: Range | undefined, longest: number, task: Task): Promise<Uint8Array | undefined> {
    const headers: Record<string, string> = range ? { range: rangeHeader(range) } : {};
    const { answer, refusal } = await this.#ask({ method: 'GET', key, headers });
    if (!refusal) return readObject(answer, range, longest, task, { location: this.location, server: this.#client.server });
    if (isMissing(refusal)) return undefined;
    // The range begins behind the end.
    if (refusal.status === 416) return new Uint8Array(0);
    throw this.#error(refusal, task);
  }

  async size(key: string, task: Task): Promise<number | undefined> {
    const { answer, refusal } = await this.#look({ method: 'HEAD', key }, { method: 'GET', key, headers: { range: 'bytes=0-0' } });
    if (!refusal) {
      const size = announcedLength(answer);
      await discard(answer);
      return size ?? this.#misunderstood('it does not say how long an object is');
    }
    if (!isMissing(refusal)) throw this.#error(refusal, task);
    if (!this.#isSeen) await this.#expectBucket(task);
    return undefined;
  }

  async *list(prefix: string, task: Task): AsyncGenerator<ListedObject> {
    for (let from: Readonly<Record<string, string>> | undefined = {}; from !== undefined; ) {
      const query = { 'list-type': '2', 'max-keys': pageSize, prefix, ...from };
      const { answer, refusal } = await this.#ask({ method: 'GET', query, isSlow: true });
      if (refusal) throw this.#error(refusal, task);
      const page = await parsePage(answer, (cause) => this.#misunderstood(cause));
      const { next } = page;
      if (next !== undefined && JSON.stringify(next) === JSON.stringify(from)) this.#misunderstood('its listing goes round in circles');
      yield* page.objects;
      from = next;
    }
  }

  async remove(key: string, task: Task): Promise<boolean> {
    const { answer, refusal } = await this.#ask({ method: 'DELETE', key });
    if (refusal) {
      if (isMissing(refusal)) return false;
      throw this.#error(refusal, task);
    }
    await discard(answer);
    return true;
  }

  async close(): Promise<void> {
    for (const client of this.#clients.values()) await client.close();
  }

  get #client(): HttpClient {
    const origin = new URL(this.#options.place.origin);
    origin.host = this.#isByName ? `${this.#options.place.bucket}.${this.#host}` : this.#host;
    const made = this.#clients.get(origin.href) ?? this.#options.connect(origin);
    this.#clients.set(origin.href, made);
    return made;
  }

  /** Whether the bucket is the first part of the server's name. A certificate for all of a server's names covers no further dots. */
  get #isByName(): boolean {
    const { place, service, settings } = this.#options;
    if (settings.lookup !== undefined) return settings.lookup === 'dns';
    const { bucket, origin } = place;
    return service.lookup === 'dns' && /^[a-z0-9-]+$/.test(bucket) && !origin.hostname.startsWith(`${bucket}.`);
  }

  /** Sends a request; once more when the bucket turns out to be elsewhere, or the keys to have expired. */
  async #ask(request: S3Request): Promise<S3Answer> {
    const asked = this.#region;
    const first = await this.#askOnce(request);
    if (!first.refusal) {
      this.#isSeen = true;
      return first;
    }
    const region = otherRegion(first.refusal, asked);
    if (region === undefined && !(isExpired(first.refusal) && this.#renewKeys())) return first;
    if (region !== undefined) this.#moveTo(region);
    return this.#askOnce(request);
  }

  /** Asks for a head. A refusal of it has no words: `tell` is a request that is refused for the same reason, with words. */
  async #look(request: S3Request, tell: S3Request): Promise<S3Answer> {
    const first = await this.#ask(request);
    if (!first.refusal || first.refusal.code !== '' || first.refusal.status === 404 || first.refusal.status >= 500) return first;
    const told = await this.#ask(tell);
    if (told.refusal) return told;
    await discard(told.answer);
    // What stood in the way was the region, or keys that had expired, and is known now.
    return this.#ask(request);
  }

  async #askOnce({ method, key, query = {}, headers = {}, body, payload = emptyPayload, isSlow }: S3Request): Promise<S3Answer> {
    const { place, signer, clock } = this.#options;
    const keys = (this.#keys ??= this.#options.findKeys().keys) ?? this.#noKeys();
    const client = this.#client;
    const inBucket = this.#isByName ? '' : `/${encodePart(place.bucket)}`;
    const search = Object.entries(query)
      .map(([name, value]) => `${encodePart(name)}=${encodePart(value)}`)
      .join('&');
    const path = `${inBucket}/${key === undefined ? '' : encodeKey(key)}${search === '' ? '' : `?${search}`}`;
    const url = `${place.origin.protocol}//${client.server}${path}`;
    const signed = await signer.sign({ method, url, headers, payload }, keys, this.#region, clock.now());
    const answer = await client.send({ method, path, headers: signed, body, isSlow });
    if (answer.status >= 200 && answer.status < 300) return { answer };
    return { refusal: await refusalOf(answer, clock.now()) };
  }

  #moveTo(region: string): void {
    this.#region = region;
    if (this.#options.service.id === 'aws') this.#host = awsHost(region);
  }

  /** Whether there are other keys now. */
  #renewKeys(): boolean {
    const { keys } = this.#options.findKeys();
    if (keys === undefined || (keys.sessionToken === this.#keys?.sessionToken && keys.accessKeyId === this.#keys?.accessKeyId))
      return false;
    this.#keys = keys;
    return true;
  }

  #noKeys(): never {
    const { location } = this;
    return fail('credentials-missing', { location, what: 'an access key', variables: `${keyVariables} (or a profile in AWS_PROFILE)` });
  }

  /** What is asked of the server about one file. Locks come and go, and nothing must keep them. */
  #wishes(file: StoredFile): Record<string, string> {
    const { storageClass, encryption, retention } = this.#options.settings;
    const wishes: Record<string, string> = {};
    if (storageClass !== undefined && file.kind === 'pack') wishes['x-amz-storage-class'] = storageClass;
    if (encryption !== undefined) wishes['x-amz-server-side-encryption'] = encryption.kind;
    if (encryption?.keyId !== undefined) wishes['x-amz-server-side-encryption-aws-kms-key-id'] = encryption.keyId;
    if (retention !== undefined && file.kind !== 'lock') {
      wishes['x-amz-object-lock-mode'] = retention.mode;
      wishes['x-amz-object-lock-retain-until-date'] = new Date(this.#options.clock.now() + retention.days * 86_400_000).toISOString();
    }
    return wishes;
  }

  #locationConstraint(): Uint8Array[] {
    if (this.#options.service.id !== 'aws' || this.#region === 'us-east-1') return [];
    const space = 'http://s3.amazonaws.com/doc/2006-03-01/';
    const text = `<CreateBucketConfiguration xmlns="${space}"><LocationConstraint>${this.#region}</LocationConstraint></CreateBucketConfiguration>`;
    return [Buffer.from(text)];
  }

  /** What is wrong with what the server has acknowledged; undefined when it is what was sent. */
  async #problemOf(answer: HttpAnswer, key: string, sums: Awaited<ReturnType<typeof digests>>, task: Task): Promise<string | undefined> {
    const told = answer.header('x-amz-checksum-sha256');
    if (this.#options.service.sha256 && told !== undefined)
      return told === sums.sha256.toString('base64') ? undefined : 'what the server has stored has another SHA-256 than what was sent';
    const etag = /^(?:W\/)?"?([0-9a-fA-F]{32})"?$/.exec(answer.header('etag') ?? '')?.[1].toLowerCase();
    const isSum = !answer.header('x-amz-server-side-encryption')?.startsWith('aws:kms');
    if (!this.#options.service.sha256 && etag !== undefined && isSum)
      return etag === sums.md5.toString('hex') ? undefined : 'what the server has stored has another MD5 than what was sent';
    const size = await this.size(key, task);
    if (size === sums.length) return undefined;
    return size === undefined ? 'it was acknowledged and is not there' : `${sums.length} bytes were acknowledged and ${size} are there`;
  }

  /** Throws when there is no bucket: the answer to HEAD is the same for a missing bucket and a missing object. */
  async #expectBucket(task: Task): Promise<void> {
    const { refusal } = await this.#ask({ method: 'HEAD' });
    if (refusal?.status === 404) throw this.#error({ ...refusal, code: 'NoSuchBucket' }, task);
    this.#isSeen = true;
  }

  #error(refusal: Refusal, task: Task): HoldfastError {
    const { server, clockSkewMs } = this.#client;
    const { bucket } = this.#options.place;
    return refusalError(refusal, { ...task, location: this.location, server, bucket, region: this.#region, clockSkewMs });
  }

  #misunderstood(cause: string): never {
    return fail('server-not-understood', { location: this.location, server: this.#client.server, cause });
  }
}
