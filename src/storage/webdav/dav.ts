/**
 * WebDAV (RFC 4918) on one folder of a server: requests, and what their answers mean. Names are relative to that folder,
 * percent-encoded; those of folders end in `/`, and '' is the folder itself.
 *
 * The package `webdav` (5.11) does this too, and is not used. It signs in by digest with MD5 alone, and only where that is the first way
 * offered; it waits for a silent server for ever, follows redirections by itself, gives files whole or as streams whose length nobody
 * checks, takes no notice of namespaces, and keeps a listing as one tree of objects. All but the last two would be left to write around
 * it, and src/storage/http has it: what remains is this file and the reading of listings.
 *
 * A redirection on the same server is followed when it moves the whole folder (as from one without a slash): all that comes after
 * goes there at once. Any other is `server-moved`.
 */
import { HoldfastError } from '../../contract/errors.ts';
import type { Clock } from '../../platform/clock.ts';
import { answerError } from '../http/answer-errors.ts';
import { announcedLength, discard } from '../http/body.ts';
import type { HttpAnswer, HttpClient, HttpRequest } from '../http/exchange.ts';
import type { Task } from '../objects/bucket.ts';
import { pathParts, propfindBody, readMultistatus, type Resource } from './multistatus.ts';
import { withPlainReason } from './said.ts';

export interface DavOptions {
  /** Signs in by itself. */
  readonly client: HttpClient;
  /** Without secrets. */
  readonly location: string;
  /** `https://server:port`, as the server knows itself. */
  readonly origin: string;
  /** Percent-encoded, begins and ends with `/`. */
  readonly path: string;
  readonly clock: Pick<Clock, 'now'>;
  readonly isSignedIn: boolean;
  /** Names of the environment variables that would hold a user name and password. */
  readonly variables: string;
}

export interface Child {
  readonly name: string;
  readonly isFolder: boolean;
  readonly size: number | undefined;
  readonly modified: number | undefined;
}

type More = Omit<HttpRequest, 'method' | 'path'>;

const redirections = new Set([301, 302, 307, 308]);
const mostRedirections = 3;

/** What answers where WebDAV is not spoken. */
const noWebdav = new Set([200, 204, 400, 405, 501]);

export class Dav {
  readonly #options: DavOptions;
  #path: string;
  /**
   * What destinations begin with, the likeliest first: the server's address, as most want it; the same without TLS, which is how a
   * server behind a proxy knows itself; and nothing, for those that know themselves by another name.
   */
  #origins: readonly string[];

  constructor(options: DavOptions) {
    const { origin, path } = options;
    this.#options = options;
    this.#path = path;
    this.#origins = [...new Set([origin, origin.replace('https:', 'http:'), ''])];
  }

  /** Sends a request about a name; resolves to whatever is answered. */
  send(method: string, name: string, more: More = {}): Promise<HttpAnswer> {
    return this.#sendWith(method, name, () => more);
  }

  /** `more` is told the folder's path, which a redirection changes. */
  async #sendWith(method: string, name: string, more: (path: string) => More): Promise<HttpAnswer> {
    for (let left = mostRedirections; ; left--) {
      const answer = await this.#options.client.send({ ...more(this.#path), method, path: this.#path + name });
      const moved = redirections.has(answer.status) && left > 0 ? this.#pathBehind(answer.header('location'), name) : undefined;
      if (moved === undefined) return answer;
      await discard(answer);
      this.#path = moved;
    }
  }

  /** The folder after a redirection of a name in it; undefined for one that leads elsewhere. */
  #pathBehind(to: string | undefined, name: string): string | undefined {
    const { origin } = this.#options;
    if (to === undefined || !URL.canParse(to, `${origin}${this.#path}${name}`)) return undefined;
    const url = new URL(to, `${origin}${this.#path}${name}`);
    if (url.origin !== new URL(origin).origin || url.search !== '' || url.hash !== '' || url.username !== '') return undefined;
    const folder = url.pathname.slice(0, url.pathname.length - name.length);
    return folder.endsWith('/') && url.pathname === folder + name && folder !== this.#path ? folder : undefined;
  }

  /** The error for an answer that is none of those which were expected. */
  async error(answer: HttpAnswer, { operation, file }: Task): Promise<HoldfastError> {
    const { client, clock, location, isSignedIn, variables } = this.#options;
    const asked = { location, server: client.server, operation, file, isSignedIn, variables };
    return answerError(await withPlainReason(answer), asked, clock.now());
  }

  misunderstood(cause: string): never {
    const { client, location } = this.#options;
    throw new HoldfastError('server-not-understood', { location, server: client.server, cause });
  }

  /** How many bytes a file has; undefined when it is not there. */
  async size(name: string, task: Task): Promise<number | undefined> {
    const answer = await this.send('HEAD', name);
    const { status } = answer;
    if (status === 404 || status === 410) {
      await discard(answer);
      return undefined;
    }
    if (status !== 200) throw await this.error(answer, task);
    const announced = announcedLength(answer);
    await discard(answer);
    if (announced !== undefined) return announced;
    // Some leave it out here, as those do that compress.
    const found = await this.#propfind(name, task);
    if (found === undefined) return undefined;
    return found.find(({ path }) => endsWith(path, pathParts(name)))?.size ?? this.misunderstood('it does not say how long a file is');
  }

  /** Whether the folder itself is there. */
  async isThere(): Promise<boolean> {
    const found = await this.#propfind('', { operation: 'look at', file: 'its folder' });
    if (found === undefined) return false;
    return found[0]?.isFolder || this.misunderstood('what has this address is no folder');
  }

  /** Tells of each thing directly in a folder; false when the folder is not there. Throws after some were told when the listing breaks off. */
  async list(name: string, task: Task, onChild: (child: Child) => void): Promise<boolean> {
    // Behind a proxy the server may know its paths by another beginning; the end is the same, and is never empty for what matters.
    const ending = name === '' ? pathParts(this.#path).slice(-1) : pathParts(name);
    let hasItself = false;
    const isThere = await this.#answered(name, '1', task, ({ path, isFolder, size, modified }) => {
      const above = path.slice(0, -1);
      const last = path.at(-1);
      if (isFolder && endsWith(path, ending)) hasItself = true;
      if (last !== undefined && endsWith(above, ending)) onChild({ name: last, isFolder, size, modified });
    });
    // Every listing tells of the folder too: one that does not is of something else, and must not be taken for empty.
    if (isThere && !hasItself) this.misunderstood('a listing does not tell of its own folder');
    return isThere;
  }

  async #propfind(name: string, task: Task): Promise<readonly Resource[] | undefined> {
    const found: Resource[] = [];
    return (await this.#answered(name, '0', task, (resource) => void found.push(resource))) ? found : undefined;
  }

  /** Whether there is such a thing. */
  async #answered(name: string, depth: '0' | '1', task: Task, onResource: (resource: Resource) => void): Promise<boolean> {
    const headers = { depth, 'content-type': 'application/xml; charset=utf-8' };
    const answer = await this.send('PROPFIND', name, { headers, body: [propfindBody], isSlow: true });
    if (answer.status === 404 || answer.status === 410) {
      await discard(answer);
      return false;
    }
    if (noWebdav.has(answer.status)) {
      answer.drop();
      this.misunderstood('it does not speak WebDAV at this address; that of a Nextcloud ends in /remote.php/dav/files/USER/FOLDER/');
    }
    if (answer.status !== 207) throw await this.error(answer, task);
    try {
      await readMultistatus(answer, this.#path + name, onResource);
      return true;
    } catch (error) {
      if (!(error instanceof SyntaxError)) throw error;
      answer.drop();
      return this.misunderstood(error.message);
    }
  }

  /** Makes the folder itself, and the missing ones above it. */
  async makeItself(): Promise<void> {
    await this.#makeAt(this.#path, { operation: 'make', file: 'the folder of the repository' });
  }

  async #makeAt(path: string, task: Task): Promise<void> {
    const make = (): Promise<HttpAnswer> => this.#options.client.send({ method: 'MKCOL', path });
    let answer = await make();
    if ((answer.status === 409 || answer.status === 404) && path !== '/') {
      await discard(answer);
      await this.#makeAt(path.slice(0, path.lastIndexOf('/', path.length - 2) + 1), task);
      answer = await make();
    }
    await this.#expectMade(answer, task);
  }

  /** Makes a folder in an existing one; harmless when it is there. False when the one around it is missing. */
  async makeFolder(name: string, task: Task): Promise<boolean> {
    const answer = await this.send('MKCOL', name);
    const isLost = answer.status === 409 || answer.status === 404;
    if (isLost) await discard(answer);
    else await this.#expectMade(answer, task);
    return !isLost;
  }

  /** 405: something has this name, which is the folder or shows soon. */
  async #expectMade(answer: HttpAnswer, task: Task): Promise<void> {
    if (answer.status !== 200 && answer.status !== 201 && answer.status !== 405) throw await this.error(answer, task);
    await discard(answer);
  }

  /** Gives a file another name, unless something has that name and the server heeds `Overwrite: F`. Resolves to whatever is answered. */
  async move(from: string, to: string): Promise<HttpAnswer> {
    // Others may change them meanwhile.
    const origins = this.#origins;
    for (const [n, origin] of origins.entries()) {
      const headers = (path: string): Record<string, string> => ({ destination: `${origin}${path}${to}`, overwrite: 'F' });
      const answer = await this.#sendWith('MOVE', from, (path) => ({ headers: headers(path), isSlow: true }));
      const isRefused = answer.status === 502 || answer.status === 400;
      if (!isRefused && n > 0) this.#origins = [origin];
      if (!isRefused || n === origins.length - 1) return answer;
      await discard(answer);
    }
    return this.misunderstood('it takes no destination');
  }
}

const endsWith = (parts: readonly string[], ending: readonly string[]): boolean =>
  parts.length >= ending.length && ending.every((part, n) => part === parts[parts.length - ending.length + n]);
