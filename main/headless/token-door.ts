/** On this computer alone, whoever has the address with the token comes in: it is shown to the person who starts the service. */
import { randomBytes } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { sameSecret } from '../../src/service/rpc/local-host.ts';
import { answerText, safeHeaders } from './answers.ts';
import type { Door, Guest } from './browser-host.ts';
import type { KnownBrowsers } from './known-browsers.ts';
import { type Cookie, cookieFor, saidSecret, setCookie } from './cookies.ts';

export class TokenDoor implements Door {
  readonly showsInterface = false;
  readonly #token = randomBytes(32).toString('base64url');
  readonly #browsers: KnownBrowsers;
  #cookie: Cookie = cookieFor(0, false);

  constructor(browsers: KnownBrowsers) {
    this.#browsers = browsers;
  }

  opened(port: number): void {
    this.#cookie = cookieFor(port, false);
  }

  /** The address that lets in whoever opens it. */
  address(port: number): string {
    return `http://127.0.0.1:${port}/?token=${this.#token}`;
  }

  admit(request: IncomingMessage): Guest | undefined {
    const said = saidSecret(request, this.#cookie);
    return said !== undefined && (sameSecret(said, this.#token) || this.#browsers.has(said)) ? { session: undefined } : undefined;
  }

  async answer(_: IncomingMessage, response: ServerResponse, { pathname, searchParams }: URL): Promise<boolean> {
    const said = searchParams.get('token');
    if (pathname !== '/' || said === null) return false;
    if (sameSecret(said, this.#token)) {
      // Away from the address with the token, which nobody shall copy.
      const headers = {
        Location: '/',
        'Set-Cookie': setCookie(this.#cookie, this.#browsers.add()),
        'Cache-Control': 'no-store',
        'Content-Length': 0,
      };
      response.writeHead(303, { ...safeHeaders, ...headers }).end();
    } else {
      answerText(response, 403, 'This address is of a service that has ended. Open the one that "holdfast serve" has printed last.');
    }
    return true;
  }

  mayStay(): boolean {
    return true;
  }

  onEnded(): () => void {
    return () => {};
  }
}
