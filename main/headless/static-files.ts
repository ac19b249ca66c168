/**
 * The files of the interface. Which there are is looked up once: no request can name any other file, however it writes its path.
 */
import { readdirSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { extname, join } from 'node:path';
import { createHash } from 'node:crypto';
import { answerText, safeHeaders } from './answers.ts';

const types: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.json': 'application/json',
  '.webmanifest': 'application/manifest+json',
  '.svg': 'image/svg+xml',
  '.png': 'image/png',
  '.jpg': 'image/jpeg',
  '.webp': 'image/webp',
  '.ico': 'image/x-icon',
  '.woff2': 'font/woff2',
  '.wasm': 'application/wasm',
  '.txt': 'text/plain; charset=utf-8',
};

/** Names that the bundler makes from what is in the file, so that this never changes. */
const hashed = /^\/assets\/.*-[\w-]{8}\.\w+$/;
const immutable = 'private, max-age=31536000, immutable';

export class StaticFiles {
  /** By the path in an address. */
  readonly #files = new Map<string, string>();

  /** `folder` may not be there: then there is no interface yet. */
  constructor(folder: string) {
    try {
      this.#collect(folder, '');
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    }
  }

  /** Answers a GET or HEAD. */
  async answer({ method, headers }: IncomingMessage, response: ServerResponse, path: string): Promise<void> {
    const name = path === '/' ? '/index.html' : path;
    const file = this.#files.get(name);
    if (file === undefined) {
      if (path === '/')
        return answerText(response, 200, 'The Holdfast service runs. Its interface is not built yet: use the command line.');
      return answerText(response, 404, 'There is nothing here.');
    }
    let content: Buffer;
    try {
      content = await readFile(file);
    } catch {
      // It was there at the start: somebody builds it anew.
      return answerText(response, 503, 'This part of the interface is being replaced. Load the page again in a moment.');
    }
    const tag = `"${createHash('sha256').update(content).digest('base64url')}"`;
    const common = { ...safeHeaders, ETag: tag, 'Cache-Control': hashed.test(name) ? immutable : 'private, no-cache' };
    if (headers['if-none-match'] === tag) return void response.writeHead(304, common).end();
    response.writeHead(200, {
      ...common,
      'Content-Type': types[extname(name)] ?? 'application/octet-stream',
      'Content-Length': content.length,
    });
    response.end(method === 'HEAD' ? undefined : content);
  }

  #collect(folder: string, path: string): void {
    for (const entry of readdirSync(folder, { withFileTypes: true })) {
      const at = `${path}/${entry.name}`;
      if (entry.isDirectory()) this.#collect(join(folder, entry.name), at);
      // As a URL writes it. Links may lead anywhere.
      else if (entry.isFile()) this.#files.set(new URL(at, 'http://here').pathname, join(folder, entry.name));
    }
  }
}
