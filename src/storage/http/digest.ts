/** Signing in by digest (RFC 7616; RFC 2069 where a server knows no better): the password proves itself without being sent. */
import { createHash, randomBytes } from 'node:crypto';
import type { Challenge } from './challenges.ts';
import type { SignIn } from './sign-in.ts';

/** Best first. A name that ends in -sess mixes the nonces into the secret. */
const algorithms = [
  ['SHA-512-256', 'sha512-256'],
  ['SHA-256', 'sha256'],
  ['MD5', 'md5'],
] as const;

/** A nonce of the server, and how often it was used. */
export class DigestNonce {
  readonly nonce: string;
  readonly #user: SignIn;
  readonly #realm: string;
  readonly #opaque: string | undefined;
  /** As the server wrote it; undefined when it named none, which is MD5. */
  readonly #algorithm: string | undefined;
  readonly #hashName: string;
  readonly #isSession: boolean;
  readonly #hasQop: boolean;
  readonly #hidesUser: boolean;
  readonly #isUtf8: boolean;
  readonly #cnonce: string;
  #count = 0;

  /** Use {@link digestNonce}. */
  constructor(challenge: Challenge, hashName: string, user: SignIn, nonce: string, cnonce: string) {
    const given = (name: string): string | undefined => challenge.parameters.get(name);
    this.nonce = nonce;
    this.#user = user;
    this.#realm = given('realm') ?? '';
    this.#opaque = given('opaque');
    this.#algorithm = given('algorithm');
    this.#hashName = hashName;
    this.#isSession = /-sess$/i.test(this.#algorithm ?? '');
    this.#hasQop = challenge.parameters.has('qop');
    this.#hidesUser = given('userhash')?.toLowerCase() === 'true';
    this.#isUtf8 = given('charset')?.toLowerCase() === 'utf-8';
    this.#cnonce = cnonce;
  }

  /** The `Authorization` header for one request; `path` is its target as it is sent. */
  authorization(method: string, path: string): string {
    const { username, password } = this.#user;
    const count = (++this.#count).toString(16).padStart(8, '0');
    const secret = this.#hash(`${username}:${this.#realm}:${password}`);
    const key = this.#isSession ? this.#hash(`${secret}:${this.nonce}:${this.#cnonce}`) : secret;
    const asked = this.#hash(`${method}:${path}`);
    const response = this.#hasQop
      ? this.#hash(`${key}:${this.nonce}:${count}:${this.#cnonce}:auth:${asked}`)
      : this.#hash(`${key}:${this.nonce}:${asked}`);
    const parts = [
      this.#name(),
      `realm=${quoted(this.#realm)}`,
      `nonce=${quoted(this.nonce)}`,
      `uri=${quoted(path)}`,
      ...(this.#algorithm === undefined ? [] : [`algorithm=${this.#algorithm}`]),
      ...(this.#hasQop ? ['qop=auth', `nc=${count}`] : []),
      ...(this.#hasQop || this.#isSession ? [`cnonce=${quoted(this.#cnonce)}`] : []),
      `response="${response}"`,
      ...(this.#opaque === undefined ? [] : [`opaque=${quoted(this.#opaque)}`]),
      ...(this.#hidesUser ? ['userhash=true'] : []),
    ];
    return `Digest ${parts.join(', ')}`;
  }

  #name(): string {
    const { username } = this.#user;
    if (this.#hidesUser) return `username="${this.#hash(`${username}:${this.#realm}`)}"`;
    if (!this.#isUtf8 || /^[\x20-\x7e]*$/.test(username)) return `username=${quoted(username)}`;
    // RFC 8187, whose letters are fewer than those that encodeURIComponent leaves.
    const encoded = encodeURIComponent(username).replaceAll(/[!'()*]/g, (sign) => `%${sign.charCodeAt(0).toString(16).toUpperCase()}`);
    return `username*=UTF-8''${encoded}`;
  }

  #hash(text: string): string {
    return createHash(this.#hashName).update(text, 'utf8').digest('hex');
  }
}

/** How good a challenge of this scheme is, the higher the better; undefined for one that is not known here. */
function strengthOf({ scheme, parameters }: Challenge): { readonly strength: number; readonly hashName: string } | undefined {
  if (scheme !== 'digest' || !parameters.has('nonce')) return undefined;
  const qop = parameters.get('qop');
  if (qop !== undefined && !qop.split(',').some((each) => each.trim().toLowerCase() === 'auth')) return undefined;
  const wanted = (parameters.get('algorithm') ?? 'MD5').replace(/-sess$/i, '').toUpperCase();
  const at = algorithms.findIndex(([name]) => name === wanted);
  return at === -1 ? undefined : { strength: algorithms.length - at, hashName: algorithms[at]![1] };
}

/** The best digest among the challenges; undefined when there is none that can be met. */
export function bestDigest(challenges: readonly Challenge[]): { readonly challenge: Challenge; readonly hashName: string } | undefined {
  const known = challenges.flatMap((challenge) => {
    const found = strengthOf(challenge);
    return found ? [{ challenge, ...found }] : [];
  });
  return known.sort((a, b) => b.strength - a.strength)[0];
}

/** A nonce to begin with; `next`: one that the server gave in place of that of the challenge. */
export function digestNonce(
  { challenge, hashName }: { readonly challenge: Challenge; readonly hashName: string },
  user: SignIn,
  next?: string,
): DigestNonce {
  const nonce = next ?? challenge.parameters.get('nonce') ?? '';
  return new DigestNonce(challenge, hashName, user, nonce, randomBytes(16).toString('hex'));
}

/** As a quoted string; a header holds single bytes, and those of UTF-8 are what servers compare. */
const quoted = (text: string): string => `"${Buffer.from(text, 'utf8').toString('latin1').replaceAll(/["\\]/g, '\\$&')}"`;
