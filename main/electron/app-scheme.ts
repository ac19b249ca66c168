/** The interface's own scheme, `app://holdfast/`: it serves the files of the built interface and nothing else, and a page of it can load nothing from anywhere else. */
import { protocol, type Protocol } from 'electron';
import { InterfaceFiles, protectingHeaders } from '../../src/service/rpc/interface-files.ts';

const scheme = 'app';
/** Of all pages that the shell shows. */
export const appOrigin = 'app://holdfast';

const headers = { ...protectingHeaders, 'Cache-Control': 'no-cache' } as const;

/** To be called before the app is ready: from then on the scheme has an origin of its own, as `https:` has. */
export function registerAppScheme(): void {
  protocol.registerSchemesAsPrivileged([{ scheme, privileges: { standard: true, secure: true, supportFetchAPI: true, codeCache: true } }]);
}

/** @param folder the built interface; it may not be there, then every answer is 404 */
export function serveApp(on: Pick<Protocol, 'handle'>, folder: string): void {
  const files = new InterfaceFiles(folder);
  on.handle(scheme, (request) => answer(files, request.method, request.url));
}

async function answer(files: InterfaceFiles, method: string, address: string): Promise<Response> {
  const none = (status: number): Response => new Response(null, { status, headers });
  // A scheme of one's own has no origin for Node's URL: host and path say the same.
  const url = URL.canParse(address) ? new URL(address) : undefined;
  if (url?.protocol !== `${scheme}:` || `${scheme}://${url.host}` !== appOrigin) return none(404);
  if (method !== 'GET' && method !== 'HEAD') return none(405);
  const file = files.find(url.pathname);
  if (file === undefined) return none(404);
  try {
    const content = await file.read();
    return new Response(method === 'HEAD' ? null : new Uint8Array(content), { headers: { ...headers, 'Content-Type': file.type } });
  } catch {
    // It was there at the start: an update is replacing it.
    return none(503);
  }
}
