/** The files of the interface over HTTP. */
import { createHash } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { type Encoding, InterfaceFiles } from '../../src/service/rpc/interface-files.ts';
import { answerText, safeHeaders } from './answers.ts';

export class StaticFiles {
  readonly #files: InterfaceFiles;

  /** `folder` may not be there: then there is no interface yet. */
  constructor(folder: string) {
    this.#files = new InterfaceFiles(folder);
  }

  /** Answers a GET or HEAD. */
  async answer({ method, headers }: IncomingMessage, response: ServerResponse, path: string): Promise<void> {
    const file = this.#files.find(path);
    if (file === undefined) {
      if (path === '/')
        return answerText(response, 200, 'The Holdfast service runs. Its interface is not built yet: use the command line.');
      return answerText(response, 404, 'There is nothing here.');
    }
    const encoding = file.encodings.find((each) => isAccepted(each, headers['accept-encoding']));
    let content: Buffer;
    try {
      content = await file.read(encoding);
    } catch {
      // It was there at the start: somebody builds it anew.
      return answerText(response, 503, 'This part of the interface is being replaced. Load the page again in a moment.');
    }
    // Each encoding has a tag of its own, as RFC 9110, 8.8.3.3 asks for.
    const tag = `"${createHash('sha256').update(content).digest('base64url')}"`;
    const common = {
      ...safeHeaders,
      ETag: tag,
      'Cache-Control': file.isImmutable ? 'private, max-age=31536000, immutable' : 'private, no-cache',
      ...(file.encodings.length > 0 ? { Vary: 'Accept-Encoding' } : {}),
    };
    if (headers['if-none-match'] === tag) return void response.writeHead(304, common).end();
    response.writeHead(200, {
      ...common,
      'Content-Type': file.type,
      'Content-Length': content.length,
      ...(encoding === undefined ? {} : { 'Content-Encoding': encoding }),
    });
    response.end(method === 'HEAD' ? undefined : content);
  }
}

/** RFC 9110, 12.5.3, without weighing one against the other: what is wanted at all is taken. */
const isAccepted = (encoding: Encoding, accepted: string | string[] | undefined): boolean =>
  String(accepted ?? '')
    .split(',')
    .some((each) => {
      const [name, ...parameters] = each.split(';').map((part) => part.trim().toLowerCase());
      return name === encoding && !parameters.some((parameter) => /^q=0(\.0*)?$/.test(parameter));
    });
