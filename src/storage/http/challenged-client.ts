/**
 * A client that signs in as the server asks it to: by digest where it offers one, else with the password itself.
 *
 * Nothing is shown before the server has asked: one that knows digests never sees the password. What it was asked for once is
 * sent with every further request; nonces are used again until the server wants a new one (`stale`, another nonce than the one that
 * it took before, or `nextnonce`). A server that has offered a digest is never given the password itself afterwards.
 */
import { discard } from './body.ts';
import { type Challenge, readChallenges, readParameters } from './challenges.ts';
import { bestDigest, type DigestNonce, digestNonce } from './digest.ts';
import { type HttpAnswer, type HttpClient, type HttpRequest, lengthOf } from './exchange.ts';
import { basicAuthorization, type SignIn } from './sign-in.ts';

/** Tries of one request: without, with, and as many as a server may want new nonces in between. */
const mostTries = 5;

/** Bytes of a body that may be sent in vain. */
const shortBody = 64 * 1024;

/** The way in which this client signs in at the moment. */
type Way =
  | { readonly kind: 'basic' }
  | { readonly kind: 'digest'; readonly best: { readonly challenge: Challenge; readonly hashName: string }; readonly nonce: DigestNonce };

export class ChallengedClient implements HttpClient {
  readonly server: string;
  readonly #inner: HttpClient;
  readonly #user: SignIn | undefined;
  #way: Way | undefined;
  /** Nonces that the server has taken: it may refuse them later, because they are too old. */
  readonly #taken = new Set<string>();

  /** Closing it closes `inner`. */
  constructor(inner: HttpClient, user: SignIn | undefined) {
    this.server = inner.server;
    this.#inner = inner;
    this.#user = user;
  }

  get clockSkewMs(): number | undefined {
    return this.#inner.clockSkewMs;
  }

  async send(request: HttpRequest): Promise<HttpAnswer> {
    for (let tries = 1; ; tries++) {
      const way = this.#way;
      const authorization = this.#authorization(way, request);
      const headers = { ...request.headers, ...(authorization === undefined ? {} : { authorization }) };
      // What is long is not sent for nothing.
      const askFirst = request.askFirst || (way === undefined && this.#user !== undefined && lengthOf(request.body ?? []) > shortBody);
      const answer = await this.#inner.send({ ...request, headers, askFirst });
      if (answer.status !== 401) {
        this.#accepted(way, answer);
        return answer;
      }
      if (this.#user === undefined || tries === mostTries || !this.#meets(way, answer)) return answer;
      // The next try goes over the same connection, if what is left of this answer is short.
      await discard(answer).catch(() => {});
    }
  }

  async close(): Promise<void> {
    await this.#inner.close();
  }

  #authorization(way: Way | undefined, { method, path }: HttpRequest): string | undefined {
    if (this.#user === undefined || way === undefined) return undefined;
    return way.kind === 'basic' ? basicAuthorization(this.#user) : way.nonce.authorization(method, path);
  }

  #accepted(way: Way | undefined, answer: HttpAnswer): void {
    if (way?.kind !== 'digest') return;
    if (this.#taken.size > 1000) this.#taken.clear();
    this.#taken.add(way.nonce.nonce);
    const info = answer.header('authentication-info');
    const next = info === undefined ? undefined : readParameters(info).get('nextnonce');
    if (next === undefined || next === way.nonce.nonce || this.#way !== way) return;
    this.#way = { ...way, nonce: digestNonce(way.best, this.#user!, next) };
  }

  /** Whether another try makes sense after a request that went `way` was answered by 401. */
  #meets(way: Way | undefined, answer: HttpAnswer): boolean {
    const challenges = readChallenges(answer.header('www-authenticate') ?? '');
    const best = bestDigest(challenges);
    if (best === undefined) {
      if (way !== undefined || this.#way?.kind === 'digest') return false;
      if (!challenges.some(({ scheme }) => scheme === 'basic')) return false;
      this.#way = { kind: 'basic' };
      return true;
    }
    const isStale = best.challenge.parameters.get('stale')?.toLowerCase() === 'true';
    const isNew = way?.kind !== 'digest' || isStale || this.#wasTaken(way, best.challenge);
    if (isNew) this.#way = { kind: 'digest', best, nonce: digestNonce(best, this.#user!) };
    return isNew;
  }

  /** Some servers do not say that a nonce has become too old: one that was good before, and is not the one offered now. */
  #wasTaken({ nonce: { nonce } }: Extract<Way, { kind: 'digest' }>, { parameters }: Challenge): boolean {
    return this.#taken.has(nonce) && parameters.get('nonce') !== nonce;
  }
}
