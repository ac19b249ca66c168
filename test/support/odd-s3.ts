/**
 * A server of S3's protocol that misbehaves as a test tells it (see OddServer). What is usual is what Amazon does: conditional
 * uploads, checksums that are compared and repeated, ETags, pages of a listing. It checks no signatures: Swift does.
 *
 * Objects are in `files`, by path: `/bucket/key`, percent-encoded as they were asked for.
 */
import { createHash } from 'node:crypto';
import type { IncomingHttpHeaders, IncomingMessage, ServerResponse } from 'node:http';
import { buffer } from 'node:stream/consumers';
import { OddServer } from './odd-server.ts';

export interface S3Error {
  readonly status: number;
  readonly code: string;
  readonly message?: string;
  /** More elements of the answer. */
  readonly more?: string;
  readonly headers?: Readonly<Record<string, string>>;
}

const base64 = (algorithm: string, content: Buffer): string => createHash(algorithm).update(content).digest('base64');

/** A refusal in S3's form; to HEAD without a body. */
export function refuse(
  request: IncomingMessage,
  response: ServerResponse,
  { status, code, message = 'Words.', more = '', headers = {} }: S3Error,
): void {
  const text = `<?xml version="1.0" encoding="UTF-8"?>\n<Error><Code>${code}</Code><Message>${message}</Message>${more}<RequestId>1</RequestId></Error>`;
  request.resume();
  response.writeHead(status, { 'content-type': 'application/xml', 'content-length': String(Buffer.byteLength(text)), ...headers });
  response.end(request.method === 'HEAD' ? undefined : text);
}

export class OddS3 extends OddServer {
  readonly buckets = new Set(['bucket']);
  /** Of every request, in order. */
  readonly headers: IncomingHttpHeaders[] = [];
  pageSize = 1000;

  protected override async usual(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { pathname, searchParams } = new URL(request.url ?? '/', 'http://odd');
    const { method, headers } = request;
    this.headers.push(headers);
    const body = await buffer(request);
    const end = (status: number, content: string | Buffer = '', more: Record<string, string> = {}): void => {
      response.writeHead(status, { 'content-length': String(Buffer.byteLength(content)), ...more });
      response.end(method === 'HEAD' ? undefined : content);
    };
    const no = (status: number, code: string): void => refuse(request, response, { status, code });
    const [, bucket = '', ...key] = pathname.split('/');
    if (key.join('/') === '') {
      if (method === 'PUT' && this.buckets.has(bucket)) return no(409, 'BucketAlreadyOwnedByYou');
      if (method === 'PUT') {
        this.buckets.add(bucket);
        return end(200);
      }
      if (!this.buckets.has(bucket)) return no(404, 'NoSuchBucket');
      return method === 'GET' && searchParams.has('list-type') ? end(200, this.#page(bucket, searchParams)) : end(200);
    }
    if (!this.buckets.has(bucket)) return no(404, 'NoSuchBucket');
    const held = this.files.get(pathname);
    if (method === 'PUT') {
      const sum = headers['x-amz-checksum-sha256'];
      const md5 = headers['content-md5'];
      if (sum !== undefined && sum !== base64('sha256', body)) return no(400, 'BadDigest');
      if (md5 !== undefined && md5 !== base64('md5', body)) return no(400, 'BadDigest');
      if (held && headers['if-none-match'] === '*') return no(412, 'PreconditionFailed');
      this.files.set(pathname, body);
      const etag = `"${createHash('md5').update(body).digest('hex')}"`;
      return end(200, '', { etag, ...(sum === undefined ? {} : { 'x-amz-checksum-sha256': String(sum) }) });
    }
    if (method === 'DELETE') {
      this.files.delete(pathname);
      return end(204);
    }
    if (!held) return no(404, 'NoSuchKey');
    const range = /^bytes=(\d+)-(\d+)$/.exec(headers.range ?? '');
    if (!range) return end(200, held);
    const [begin, last] = [Number(range[1]), Math.min(Number(range[2]), held.length - 1)];
    if (begin >= held.length) return no(416, 'InvalidRange');
    return end(206, held.subarray(begin, last + 1), { 'content-range': `bytes ${begin}-${last}/${held.length}` });
  }

  #page(bucket: string, asked: URLSearchParams): string {
    const prefix = asked.get('prefix') ?? '';
    const from = asked.get('continuation-token') ?? '';
    const keys = Array.from(this.files.keys(), (path) => decodeURIComponent(path.slice(bucket.length + 2)))
      .filter((key) => key.startsWith(prefix) && key > from)
      .sort();
    const here = keys.slice(0, Math.min(this.pageSize, Number(asked.get('max-keys') ?? 1000)));
    const isLast = here.length === keys.length;
    return listing(
      here.map((key) => ({ key, size: this.files.get(`/${bucket}/${encodeURI(key)}`)!.length })),
      isLast
        ? '<IsTruncated>false</IsTruncated>'
        : `<IsTruncated>true</IsTruncated><NextContinuationToken>${here.at(-1)}</NextContinuationToken>`,
    );
  }
}

/** The XML of a page. */
export const listing = (objects: readonly { readonly key: string; readonly size: number | string }[], more: string): string =>
  `<?xml version="1.0" encoding="UTF-8"?>\n<ListBucketResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><Name>bucket</Name>${objects
    .map(
      ({ key, size }) => `<Contents><Key>${key}</Key><LastModified>2026-01-02T03:04:05.000Z</LastModified><Size>${size}</Size></Contents>`,
    )
    .join('')}${more}</ListBucketResult>`;
