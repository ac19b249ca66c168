/** From other computers, whoever logs in by name and password comes in. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { isIPv6 } from 'node:net';
import { fail, HoldfastError } from '../../src/contract/errors.ts';
import { credentialSchema } from '../../src/contract/login.ts';
import { type Logins, sessionMs } from '../../src/service/logins.ts';
import { answerError, answerJson, answerText, safeHeaders } from './answers.ts';
import type { Door, Guest } from './browser-host.ts';
import { type Cookie, cookieFor, saidSecret, setCookie } from './cookies.ts';

/** Bytes; names and passwords are far below. */
const longestBody = 8 << 10;

export class LoginDoor implements Door {
  readonly showsInterface = true;
  readonly #logins: Logins;
  #cookie: Cookie = cookieFor(0, true);

  constructor(logins: Logins) {
    this.#logins = logins;
  }

  opened(port: number): void {
    this.#cookie = cookieFor(port, true);
  }

  admit(request: IncomingMessage): Guest | undefined {
    const session = this.#session(request);
    return session && { session: session.id };
  }

  /**
   * `POST /login` with `{ name, password }` begins a session, `POST /logout` ends it, `GET /session` says whose it is: `{ name }`, or the
   * error `login-needed`. Errors are answered whole, as JSON.
   */
  async answer(request: IncomingMessage, response: ServerResponse, { pathname }: URL): Promise<boolean> {
    const wanted = { '/login': 'POST', '/logout': 'POST', '/session': 'GET' }[pathname];
    if (wanted === undefined) return false;
    if (request.method !== wanted) answerText(response, 405, `Use ${wanted}.`);
    else if (pathname === '/login') await this.#logIn(request, response);
    else if (pathname === '/logout') this.#logOut(request, response);
    else {
      const session = this.#session(request);
      if (session) answerJson(response, 200, { name: session.login });
      else answerError(response, new HoldfastError('login-needed'));
    }
    return true;
  }

  mayStay({ session }: Guest): boolean {
    return session !== undefined && this.#logins.goesOn(session);
  }

  onEnded(listener: (session: string) => void): () => void {
    return this.#logins.onEnded(listener);
  }

  #session(request: IncomingMessage): { id: string; login: string } | undefined {
    const secret = saidSecret(request, this.#cookie);
    return secret === undefined ? undefined : this.#logins.admit(secret);
  }

  async #logIn(request: IncomingMessage, response: ServerResponse): Promise<void> {
    // Pages of others cannot send this type without being asked about it first.
    if (!/^application\/json\s*(;|$)/i.test(request.headers['content-type'] ?? '')) return answerText(response, 415, 'Send JSON.');
    const body = await bodyOf(request);
    if (body === undefined) return answerText(response, 413, 'This is too long for a name and a password.');
    const { name, password } = credentialsIn(body);
    const secret = await this.#logins.logIn(name, password, placeOf(request.socket.remoteAddress ?? ''));
    const kept = setCookie(this.#cookie, secret, Math.floor(sessionMs / 1000));
    response.writeHead(204, { ...safeHeaders, 'Set-Cookie': kept, 'Cache-Control': 'no-store' }).end();
  }

  #logOut(request: IncomingMessage, response: ServerResponse): void {
    const session = this.#session(request);
    if (session) this.#logins.logOut(session.id);
    response.writeHead(204, { ...safeHeaders, 'Set-Cookie': setCookie(this.#cookie, '', 0), 'Cache-Control': 'no-store' }).end();
  }
}

/** Undefined when it is too long. */
async function bodyOf(request: IncomingMessage): Promise<string | undefined> {
  const pieces: Buffer[] = [];
  let length = 0;
  // The connection is needed for the answer.
  for await (const piece of request.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
    length += piece.length;
    if (length > longestBody) return undefined;
    pieces.push(piece);
  }
  return Buffer.concat(pieces).toString();
}

/** Throws `request-invalid`. */
function credentialsIn(body: string): { name: string; password: string } {
  let value: unknown;
  try {
    value = JSON.parse(body);
  } catch {
    // The schema refuses it.
  }
  return credentialSchema.safeParse(value).data ?? fail('request-invalid', { problem: 'it holds no name and password' });
}

/** What counts as one place: an address, or with IPv6 the 64 bits that one home has for itself. */
export function placeOf(address: string): string {
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(address)?.[1];
  if (mapped !== undefined) return mapped;
  if (!isIPv6(address)) return address;
  const [before, after] = address.replace(/%.*$/, '').toLowerCase().split('::');
  const head = before === '' ? [] : before.split(':');
  const tail = after === undefined || after === '' ? [] : after.split(':');
  const zeros = after === undefined ? [] : Array.from({ length: Math.max(0, 8 - head.length - tail.length) }, () => '0');
  return `${[...head, ...zeros, ...tail].slice(0, 4).join(':')}::/64`;
}
