/** Sends a ZIP to a browser that has a ticket for it. Who may come in was decided before. */
import { once } from 'node:events';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { fail } from '../../src/contract/errors.ts';
import { type Downloads, downloadPath } from '../../src/service/restores/downloads.ts';
import { answerText, safeHeaders } from './answers.ts';

export async function answerDownload(
  downloads: Pick<Downloads, 'take'>,
  request: IncomingMessage,
  response: ServerResponse,
  { pathname }: URL,
): Promise<void> {
  if (request.method !== 'GET') {
    answerText(response, 405, 'A download can only be fetched.');
    return;
  }
  const download = downloads.take(pathname.slice(downloadPath.length));
  if (!download) {
    answerText(response, 404, 'This download was fetched already, or has waited for too long. Ask for it again.');
    return;
  }
  const abort = new AbortController();
  response.once('close', () => abort.abort());
  const begin = (): void => {
    if (response.headersSent) return;
    response.writeHead(200, {
      ...safeHeaders,
      'Cache-Control': 'no-store',
      'Content-Type': 'application/zip',
      'Content-Disposition': `attachment; filename="holdfast.zip"; filename*=UTF-8''${encoded(download.name)}`,
    });
  };
  await download.send(
    {
      async write(bytes) {
        begin();
        // The bytes may be used again when this resolves.
        if (response.write(Buffer.from(bytes))) return;
        await Promise.race([once(response, 'drain', { signal: abort.signal }), once(response, 'close', { signal: abort.signal })]).catch(
          () => fail('cancelled'),
        );
      },
    },
    abort.signal,
  );
  begin();
  response.end();
}

/** RFC 8187. */
const encoded = (name: string): string =>
  encodeURIComponent(name).replaceAll(/['()*]/g, (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`);
