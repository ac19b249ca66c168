/**
 * The interface's own scheme, `app://holdfast/`: it serves the files of the built interface and nothing else. Which there are is looked up
 * once, so that no request can name any other file, however it writes its path; a page of it can load nothing from anywhere else.
 */
import { readdirSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { extname, join } from 'node:path';
import { protocol, type Protocol } from 'electron';

const scheme = 'app';
/** Of all pages that the shell shows. */
export const appOrigin = 'app://holdfast';

/** As the host for browsers does it, without what is a matter of HTTP. Styles stand in attributes, too, which the library of the interface needs. */
const headers = {
  'Content-Security-Policy':
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data: blob:; font-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
  'Cross-Origin-Opener-Policy': 'same-origin',
  'Cross-Origin-Resource-Policy': 'same-origin',
  'Referrer-Policy': 'no-referrer',
  'X-Content-Type-Options': 'nosniff',
  'Cache-Control': 'no-cache',
} as const;

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

/** To be called before the app is ready: from then on the scheme has an origin of its own, as `https:` has. */
export function registerAppScheme(): void {
  protocol.registerSchemesAsPrivileged([{ scheme, privileges: { standard: true, secure: true, supportFetchAPI: true, codeCache: true } }]);
}

/** @param folder the built interface; it may not be there, then every answer is 404 */
export function serveApp(on: Pick<Protocol, 'handle'>, folder: string): void {
  const files = filesIn(folder);
  on.handle(scheme, (request) => answer(files, request.method, request.url));
}

async function answer(files: ReadonlyMap<string, string>, method: string, address: string): Promise<Response> {
  const none = (status: number): Response => new Response(null, { status, headers });
  // A scheme of one's own has no origin for Node's URL: host and path say the same.
  const url = URL.canParse(address) ? new URL(address) : undefined;
  if (url?.protocol !== `${scheme}:` || `${scheme}://${url.host}` !== appOrigin) return none(404);
  if (method !== 'GET' && method !== 'HEAD') return none(405);
  const name = url.pathname === '/' ? '/index.html' : url.pathname;
  const file = files.get(name);
  if (file === undefined) return none(404);
  try {
    const content = await readFile(file);
    const type = types[extname(name)] ?? 'application/octet-stream';
    return new Response(method === 'HEAD' ? null : new Uint8Array(content), { headers: { ...headers, 'Content-Type': type } });
  } catch {
    // It was there at the start: an update is replacing it.
    return none(503);
  }
}

/** By the path in an address, as a URL writes it. */
function filesIn(folder: string): Map<string, string> {
  const files = new Map<string, string>();
  const collect = (from: string, path: string): void => {
    for (const entry of readdirSync(from, { withFileTypes: true })) {
      const at = `${path}/${entry.name}`;
      if (entry.isDirectory()) collect(join(from, entry.name), at);
      // Links may lead anywhere.
      else if (entry.isFile() && !entry.name.endsWith('.map')) files.set(new URL(at, 'http://here').pathname, join(from, entry.name));
    }
  };
  try {
    collect(folder, '');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
  }
  return files;
}
