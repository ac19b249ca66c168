/**
 * A WebDAV server that misbehaves as a test tells it (see OddServer). What is usual is right: folders have to be made, MOVE heeds
 * `Overwrite: F`, ranges are given, listings of depth 1 tell of the folder itself.
 *
 * Files are in `files` by path. Everything is below `/repo/`.
 */
import type { IncomingHttpHeaders, IncomingMessage, ServerResponse } from 'node:http';
import { buffer } from 'node:stream/consumers';
import { OddServer } from './odd-server.ts';

const above = (path: string): string => path.slice(0, path.replace(/\/$/, '').lastIndexOf('/') + 1);

export class OddDav extends OddServer {
  /** Each ends in `/`. */
  readonly folders = new Set(['/', '/repo/', ...['data', 'index', 'keys', 'locks', 'snapshots'].map((name) => `/repo/${name}/`)]);
  /** Of every request that met the usual, in order. */
  readonly headers: IncomingHttpHeaders[] = [];

  protected override async usual(request: IncomingMessage, response: ServerResponse): Promise<void> {
    if (request.headers.expect === '100-continue') response.writeContinue();
    const { method, headers } = request;
    const { pathname: path } = new URL(request.url ?? '/', 'http://odd');
    this.headers.push(headers);
    const body = await buffer(request);
    const end = (status: number, content: string | Buffer = '', more: Record<string, string> = {}): void => {
      response.writeHead(status, { 'content-length': String(Buffer.byteLength(content)), ...more });
      response.end(method === 'HEAD' ? undefined : content);
    };
    const held = this.files.get(path);
    if (method === 'PROPFIND') {
      if (!held && !this.folders.has(path)) return end(404);
      return end(207, this.propfind(path, headers.depth !== '0'), { 'content-type': 'application/xml' });
    }
    if (method === 'MKCOL') {
      if (this.folders.has(path)) return end(405);
      if (!this.folders.has(above(path))) return end(409);
      this.folders.add(path);
      return end(201);
    }
    if (method === 'PUT') {
      if (!this.folders.has(above(path))) return end(409);
      if (held && headers['if-none-match'] === '*') return end(412);
      this.files.set(path, body);
      return end(201);
    }
    if (!held) return end(404);
    if (method === 'MOVE') {
      const to = new URL(String(headers.destination), 'http://odd').pathname;
      if (!this.folders.has(above(to))) return end(409);
      if (this.files.has(to) && headers.overwrite === 'F') return end(412);
      this.files.delete(path);
      this.files.set(to, held);
      return end(201);
    }
    if (method === 'DELETE') {
      this.files.delete(path);
      return end(204);
    }
    const range = /^bytes=(\d+)-(\d+)$/.exec(headers.range ?? '');
    if (!range) return end(200, held);
    const [begin, last] = [Number(range[1]), Math.min(Number(range[2]), held.length - 1)];
    if (begin >= held.length) return end(416);
    return end(206, held.subarray(begin, last + 1), { 'content-range': `bytes ${begin}-${last}/${held.length}` });
  }

  /** The answer to PROPFIND on what is at this path, and on what is directly in it. */
  propfind(path: string, isDeep: boolean): string {
    const names = [...this.folders, ...this.files.keys()].filter(
      (each) => each === path || (isDeep && above(each) === path && each !== path),
    );
    return multistatus(names.map((each) => resource(each, this.files.get(each)?.length)));
  }
}

/** One resource; without a size, a folder. */
export const resource = (href: string, size?: number | string, modified = 'Fri, 02 Jan 2026 03:04:05 GMT'): string => {
  const type = size === undefined ? '<D:resourcetype><D:collection/></D:resourcetype>' : '<D:resourcetype/>';
  const length = size === undefined ? '' : `<D:getcontentlength>${size}</D:getcontentlength>`;
  return (
    `<D:response><D:href>${href}</D:href><D:propstat><D:prop>${type}${length}` +
    `<D:getlastmodified>${modified}</D:getlastmodified></D:prop><D:status>HTTP/1.1 200 OK</D:status></D:propstat></D:response>`
  );
};

export const multistatus = (resources: readonly string[]): string =>
  `<?xml version="1.0" encoding="utf-8"?>\n<D:multistatus xmlns:D="DAV:">${resources.join('\n')}</D:multistatus>`;
