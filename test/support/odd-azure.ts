/**
 * A server of Azure's protocol that misbehaves as a test tells it (see OddServer). What is usual is what Azure does: conditional
 * uploads, MD5 that is compared and repeated, pages of a listing. It checks no signatures: azurite does.
 *
 * Blobs are in `files`, by path: `/container/key`, percent-encoded as they were asked for.
 */
import { createHash } from 'node:crypto';
import type { IncomingHttpHeaders, IncomingMessage, ServerResponse } from 'node:http';
import { buffer } from 'node:stream/consumers';
import { OddServer } from './odd-server.ts';

export interface AzureError {
  readonly status: number;
  readonly code: string;
  readonly message?: string;
  /** More elements of the answer. */
  readonly more?: string;
  readonly headers?: Readonly<Record<string, string>>;
}

/** What every answer of Azure's has. */
export const azureHeaders = { 'x-ms-request-id': '1', 'x-ms-version': '2022-11-02' } as const;

/** A refusal in Azure's form; to HEAD without a body. */
export function refuseAzure(
  request: IncomingMessage,
  response: ServerResponse,
  { status, code, message = 'Words.', more = '', headers = {} }: AzureError,
): void {
  const text = `\ufeff<?xml version="1.0" encoding="utf-8"?><Error><Code>${code}</Code><Message>${message}\nRequestId:1\nTime:2026-01-02T03:04:05Z</Message>${more}</Error>`;
  request.resume();
  response.writeHead(status, {
    ...azureHeaders,
    'content-type': 'application/xml',
    'content-length': String(Buffer.byteLength(text)),
    ...(code === '' ? {} : { 'x-ms-error-code': code }),
    ...headers,
  });
  response.end(request.method === 'HEAD' ? undefined : text);
}

export class OddAzure extends OddServer {
  readonly containers = new Set(['container']);
  /** Of every request, in order. */
  readonly headers: IncomingHttpHeaders[] = [];
  pageSize = 5000;

  protected override async usual(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { pathname, searchParams } = new URL(request.url ?? '/', 'http://odd');
    const { method, headers } = request;
    this.headers.push(headers);
    const body = await buffer(request);
    const end = (status: number, content: string | Buffer = '', more: Record<string, string> = {}): void => {
      response.writeHead(status, { ...azureHeaders, 'content-length': String(Buffer.byteLength(content)), ...more });
      response.end(method === 'HEAD' ? undefined : content);
    };
    const no = (status: number, code: string): void => refuseAzure(request, response, { status, code });
    const [, container = ''] = pathname.split('/');
    if (searchParams.get('restype') === 'container') {
      if (method === 'PUT' && this.containers.has(container)) return no(409, 'ContainerAlreadyExists');
      if (method === 'PUT') {
        this.containers.add(container);
        return end(201);
      }
      if (!this.containers.has(container)) return no(404, 'ContainerNotFound');
      return searchParams.get('comp') === 'list' ? end(200, this.#page(container, searchParams)) : end(200);
    }
    if (!this.containers.has(container)) return no(404, 'ContainerNotFound');
    const held = this.files.get(pathname);
    if (method === 'PUT') {
      const md5 = createHash('md5').update(body).digest('base64');
      if (headers['content-md5'] !== undefined && headers['content-md5'] !== md5) return no(400, 'Md5Mismatch');
      if (held && headers['if-none-match'] === '*') return no(409, 'BlobAlreadyExists');
      this.files.set(pathname, body);
      return end(201, '', { 'content-md5': md5 });
    }
    if (!held) return no(404, 'BlobNotFound');
    if (method === 'DELETE') {
      this.files.delete(pathname);
      return end(202);
    }
    const range = /^bytes=(\d+)-(\d+)$/.exec(headers.range ?? '');
    if (!range) return end(200, held);
    const [begin, last] = [Number(range[1]), Math.min(Number(range[2]), held.length - 1)];
    if (begin >= held.length) return no(416, 'InvalidRange');
    return end(206, held.subarray(begin, last + 1), { 'content-range': `bytes ${begin}-${last}/${held.length}` });
  }

  #page(container: string, asked: URLSearchParams): string {
    const prefix = asked.get('prefix') ?? '';
    const from = asked.get('marker') ?? '';
    const keys = Array.from(this.files.keys(), (path) => decodeURIComponent(path.slice(container.length + 2)))
      .filter((key) => key.startsWith(prefix) && key > from)
      .sort();
    const here = keys.slice(0, this.pageSize);
    return azureListing(
      here.map((key) => ({ key, size: this.files.get(`/${container}/${encodeURI(key)}`)!.length })),
      here.length === keys.length ? '' : here.at(-1),
    );
  }
}

/** The XML of a page. */
export const azureListing = (blobs: readonly { readonly key: string; readonly size: number | string }[], marker = ''): string =>
  `\ufeff<?xml version="1.0" encoding="utf-8"?><EnumerationResults ServiceEndpoint="https://a.blob.example/" ContainerName="container"><Prefix>p</Prefix><Blobs>${blobs
    .map(
      ({ key, size }) =>
        `<Blob><Name>${key}</Name><Properties><Creation-Time>Fri, 02 Jan 2026 03:04:05 GMT</Creation-Time><Content-Length>${size}</Content-Length><BlobType>BlockBlob</BlobType></Properties><OrMetadata /></Blob>`,
    )
    .join('')}</Blobs>${marker === '' ? '<NextMarker />' : `<NextMarker>${marker}</NextMarker>`}</EnumerationResults>`;
