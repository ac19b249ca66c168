/**
 * A container in Azure's Blob Storage.
 *
 * Each upload is one request (a blob may have 5,000 MiB so), with the MD5 that Azure compares and keeps, and on the condition
 * that there is no such blob yet. Azure tells of a removal whether there was a blob. So nothing needs a question before.
 *
 * Six requests are all that is needed, and our own HTTP client sends them, as it does for S3. Azure's library brings megabytes
 * and a hundred packages for them; it repeats requests on its own account, so that a full disk or a refused key is told late
 * and in its own words, and its timeouts are not ours, which tell silence from slowness.
 *
 * What answers without Azure's headers is not Azure: a login page or a proxy in between must not be taken for a missing or
 * an empty blob.
 */
import { fail, type HoldfastError } from '../../contract/errors.ts';
import type { Clock } from '../../platform/clock.ts';
import { announcedLength, discard, readBytes } from '../http/body.ts';
import { type HttpAnswer, type HttpClient, type HttpRequest, lengthOf } from '../http/exchange.ts';
import type { Bucket, ListedObject, Task } from '../objects/bucket.ts';
import { digests } from '../objects/digests.ts';
import { encodeKey, encodePart } from '../objects/keys.ts';
import { rangeHeader, readObject } from '../objects/read-object.ts';
import { childrenOf, parseXml, textOf, type XmlElement } from '../objects/xml.ts';
import { describeFile, type Range, type StoredFile } from '../storage.ts';
import { isMissing, isTaken, type Refusal, refusalError, refusalOf } from './refusal.ts';
import { type AzureCredential, sharedKey } from './sign.ts';

export interface AzureOptions {
  readonly container: string;
  /** Without secrets. */
  readonly location: string;
  /** Stands before the container in each path: '' where the account is in the server's name, else `/account`. */
  readonly base: string;
  readonly credential: AzureCredential;
  /** Of packs: Hot, Cool, Cold; default: what the account has. */
  readonly accessTier: string | undefined;
  readonly client: HttpClient;
  readonly clock: Pick<Clock, 'now'>;
}

interface AzureCall extends Pick<HttpRequest, 'method' | 'body' | 'isSlow'> {
  /** Undefined: the container itself. */
  readonly key?: string;
  readonly query?: Readonly<Record<string, string>>;
  readonly headers?: Readonly<Record<string, string>>;
}

type AzureAnswer =
  | { readonly answer: HttpAnswer; readonly refusal?: undefined }
  | { readonly answer?: undefined; readonly refusal: Refusal };

/** Old enough for every cloud of Azure and every emulator, new enough for large single uploads and the tier Cold. */
const version = '2022-11-02';

/** 5,000 names, most of them short, and what stands around them. */
const longestPage = 32 << 20;

export class AzureBucket implements Bucket {
  readonly location: string;
  readonly refusesOverwrite = true;
  readonly tellsMissing = true;
  readonly #options: AzureOptions;

  constructor(options: AzureOptions) {
    this.#options = options;
    this.location = options.location;
  }

  get clockSkewMs(): number | undefined {
    return this.#options.client.clockSkewMs;
  }

  async create(): Promise<void> {
    const query = { restype: 'container' };
    const there = await this.#look({ query });
    if (!there.refusal) return discard(there.answer);
    const making: Task = { operation: 'make', file: 'the container' };
    const error = this.#error(there.refusal, making);
    // A shared access signature for blobs alone says nothing about their container.
    if (error.code === 'storage-denied') return;
    if (error.code !== 'bucket-missing') throw error;
    const made = await this.#ask({ method: 'PUT', query, body: [] });
    if (!made.refusal) return discard(made.answer);
    if (made.refusal.code !== 'ContainerAlreadyExists') throw this.#error(made.refusal, making);
  }

  async put(key: string, file: StoredFile, parts: readonly Uint8Array[], replaces = false): Promise<void> {
    const saving: Task = { operation: 'save', file: describeFile(file) };
    const md5 = (await digests(parts, 'md5')).md5.toString('base64');
    const { accessTier } = this.#options;
    const headers = {
      'content-type': 'application/octet-stream',
      'content-md5': md5,
      ...(replaces ? { 'if-match': '*' } : { 'if-none-match': '*' }),
      'x-ms-blob-type': 'BlockBlob',
      ...(accessTier !== undefined && file.kind === 'pack' ? { 'x-ms-access-tier': accessTier } : {}),
    };
    const { answer, refusal } = await this.#ask({ method: 'PUT', key, headers, body: parts });
    if (refusal) {
      if (isTaken(refusal)) fail(replaces ? 'file-not-found' : 'file-exists', { file: saving.file, location: this.location });
      throw this.#error(refusal, saving);
    }
    await discard(answer);
    const told = answer.header('content-md5');
    if (told === md5) return;
    const problem =
      told === undefined
        ? await this.#lengthProblem(key, lengthOf(parts), saving)
        : 'what is stored there has another MD5 than what was sent';
    if (problem === undefined) return;
    // It was not there before, and is not what its name says.
    if (!replaces) await this.remove(key, saving).catch(() => {});
    fail('storage-failed', { location: this.location, ...saving, cause: problem });
  }

  async get(key: string, range: Range | undefined, longest: number, task: Task): Promise<Uint8Array | undefined> {
    const headers: Record<string, string> = range ? { range: rangeHeader(range) } : {};
    const { answer, refusal } = await this.#ask({ method: 'GET', key, headers });
    if (!refusal) return readObject(answer, range, longest, task, { location: this.location, server: this.#options.client.server });
    if (isMissing(refusal)) return undefined;
    // The range begins behind the end.
    if (refusal.status === 416) return new Uint8Array(0);
    throw this.#error(refusal, task);
  }

  async size(key: string, task: Task): Promise<number | undefined> {
    const { answer, refusal } = await this.#look({ key });
    if (refusal) {
      if (isMissing(refusal)) return undefined;
      throw this.#error(refusal, task);
    }
    const size = announcedLength(answer);
    await discard(answer);
    return size ?? this.#misunderstood('it does not say how long a blob is');
  }

  async *list(prefix: string, task: Task): AsyncGenerator<ListedObject> {
    for (let marker: string | undefined = ''; marker !== undefined; ) {
      const query: Record<string, string> = { restype: 'container', comp: 'list', prefix, ...(marker === '' ? {} : { marker }) };
      const { answer, refusal } = await this.#ask({ method: 'GET', query, isSlow: true });
      if (refusal) throw this.#error(refusal, task);
      const root = await this.#page(answer);
      const [blobs] = childrenOf(root, 'Blobs');
      // It is empty on the last page.
      const next: string | undefined = textOf(root, 'NextMarker');
      if (!blobs || next === undefined) return this.#misunderstood('its listing does not say whether it is whole');
      if (next !== '' && next === marker) this.#misunderstood('its listing goes round in circles');
      for (const blob of childrenOf(blobs, 'Blob')) yield this.#listed(blob);
      marker = next === '' ? undefined : next;
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
    const { credential, client } = this.#options;
    if (credential.kind === 'machine') await credential.tokens.close();
    await client.close();
  }

  /** Asks for a head. A refusal of it has no words, so that the same is asked once more with words. */
  async #look(call: Pick<AzureCall, 'key' | 'query'>): Promise<AzureAnswer> {
    const first = await this.#ask({ ...call, method: 'HEAD' });
    if (!first.refusal || first.refusal.status === 404 || first.refusal.status >= 500) return first;
    const told = await this.#ask({ ...call, method: 'GET', headers: { range: 'bytes=0-0' } });
    if (told.refusal) return told;
    await discard(told.answer);
    return this.#ask({ ...call, method: 'HEAD' });
  }

  /** Sends a request; once more when the token was good no more. */
  async #ask(call: AzureCall): Promise<AzureAnswer> {
    const { credential } = this.#options;
    if (credential.kind !== 'machine') return this.#askOnce(call);
    const token = await credential.tokens.get();
    const first = await this.#askOnce(call, token);
    return first.refusal?.status === 401 ? this.#askOnce(call, await credential.tokens.get(token)) : first;
  }

  async #askOnce({ method, key, query = {}, headers = {}, body, isSlow }: AzureCall, token?: string): Promise<AzureAnswer> {
    const { base, container, credential, client, clock } = this.#options;
    const path = `${base}/${container}${key === undefined ? '' : `/${encodeKey(key)}`}`;
    const now = clock.now();
    const all: Record<string, string> = { ...headers, 'x-ms-date': new Date(now).toUTCString(), 'x-ms-version': version };
    const length = body ? lengthOf(body) : 0;
    if (credential.kind === 'key')
      all['authorization'] = sharedKey({ method, path, query, headers: all, length }, credential.account, credential.key);
    if (token !== undefined) all['authorization'] = `Bearer ${token}`;
    const asked = Object.entries(query).map(([name, value]) => `${encodePart(name)}=${encodePart(value)}`);
    const search = [...asked, ...(credential.kind === 'sas' ? [credential.token] : [])].join('&');
    const answer = await client.send({ method, path: search === '' ? path : `${path}?${search}`, headers: all, body, isSlow });
    if (answer.status < 200 || answer.status >= 300) return { refusal: await refusalOf(answer, clock.now()) };
    if (answer.header('x-ms-request-id') !== undefined || answer.header('x-ms-version') !== undefined) return { answer };
    answer.drop();
    return this.#misunderstood('its answers are not those of Azure');
  }

  async #page(answer: HttpAnswer): Promise<XmlElement> {
    const { bytes, isTooLong } = await readBytes(answer, longestPage);
    let root: XmlElement | undefined;
    try {
      root = isTooLong ? undefined : parseXml(bytes.toString('utf8'));
    } catch {
      // Said below.
    }
    return root?.name === 'EnumerationResults' ? root : this.#misunderstood('it answers with something else than a listing');
  }

  #listed(blob: XmlElement): ListedObject {
    const key = blob.children.find(({ name }) => name === 'Name')?.text;
    const size = textOf(childrenOf(blob, 'Properties')[0] ?? blob, 'Content-Length') ?? '';
    if (key === undefined || !/^\d{1,15}$/.test(size)) return this.#misunderstood('its listing holds a blob without a name or a size');
    return { key, size: Number(size) };
  }

  async #lengthProblem(key: string, length: number, task: Task): Promise<string | undefined> {
    const size = await this.size(key, task);
    if (size === length) return undefined;
    return size === undefined ? 'it was acknowledged and is not there' : `${length} bytes were acknowledged and ${size} are there`;
  }

  #error(refusal: Refusal, task: Task): HoldfastError {
    const { client, container, credential } = this.#options;
    const { server, clockSkewMs } = client;
    // Only requests that are signed here bear a time of this computer's that anyone looks at.
    const isSigned = credential.kind === 'key';
    return refusalError(refusal, {
      ...task,
      location: this.location,
      server,
      container,
      by: credential.kind,
      clockSkewMs: isSigned ? clockSkewMs : undefined,
    });
  }

  #misunderstood(cause: string): never {
    return fail('server-not-understood', { location: this.location, server: this.#options.client.server, cause });
  }
}
