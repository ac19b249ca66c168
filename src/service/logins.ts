/**
 * Logins and sessions of those who come from other computers. Passwords are kept as scrypt hashes, the secrets of sessions as
 * SHA-256 hashes (they are random, so nothing slower is needed): what is stored opens nothing.
 */
import { createHash, randomBytes, scrypt, timingSafeEqual } from 'node:crypto';
import { z } from 'zod';
import { fail } from '../contract/errors.ts';
import type { LoginView } from '../contract/login.ts';
import type { Clock } from '../platform/clock.ts';
import { LoginAttempts } from './login-attempts.ts';

/** Where they are kept. */
export interface LoginMemory {
  recall(name: string): unknown;
  remember(name: string, value: unknown): void;
}

const costSchema = z.object({ N: z.int(), r: z.int(), p: z.int() });
export type LoginCost = z.infer<typeof costSchema>;
/** 32 MiB and 0.2 s (OWASP, Password Storage Cheat Sheet). */
const usualCost: LoginCost = { N: 2 ** 15, r: 8, p: 3 };

/** `salt` and `hash` in base64url; `cost` is what the hash was made with. */
const loginSchema = z.object({ name: z.string(), created: z.number(), salt: z.string(), hash: z.string(), cost: costSchema });
type Login = z.infer<typeof loginSchema>;
const sessionSchema = z.object({
  id: z.string(),
  hash: z.string(),
  login: z.string(),
  created: z.number(),
  used: z.number(),
  address: z.string(),
});
type Session = z.infer<typeof sessionSchema>;

const dayMs = 24 * 60 * 60_000;
const idleMs = 7 * dayMs;
/** How long a session lasts at most. */
export const sessionMs = 30 * dayMs;
/** A use is noted when the last noted one is so long ago: each note is a write that waits for the disk. */
const noteMs = 15 * 60_000;
/** Of one login; a further one ends the oldest. */
const mostSessions = 50;
const mostWaiting = 16;
const hashBytes = 32;

export interface LoginsOptions {
  readonly clock: Pick<Clock, 'now' | 'monotonic'>;
  /** Of new logins; default: the usual one. */
  readonly cost?: LoginCost | undefined;
}

export class Logins {
  readonly #memory: LoginMemory;
  readonly #clock: Pick<Clock, 'now' | 'monotonic'>;
  readonly #cost: LoginCost;
  readonly #byAddress: LoginAttempts;
  /** Shorter, for anybody can make a name wait. */
  readonly #byName: LoginAttempts;
  readonly #listeners = new Set<(id: string) => void>();
  /** Stands for all names that do not exist, so that they take as long. */
  readonly #nobody: Pick<Login, 'salt' | 'hash' | 'cost'>;
  #deriving: Promise<unknown> = Promise.resolve();
  #waiting = 0;

  constructor(memory: LoginMemory, { clock, cost = usualCost }: LoginsOptions) {
    this.#memory = memory;
    this.#clock = clock;
    this.#cost = cost;
    this.#byAddress = new LoginAttempts(clock, { longestPauseMs: 15 * 60_000 });
    this.#byName = new LoginAttempts(clock, { longestPauseMs: 60_000 });
    this.#nobody = { salt: randomText(16), hash: randomText(hashBytes), cost };
  }

  list(): LoginView[] {
    const sessions = this.#sessions();
    return this.#logins().map(({ name, created }) => ({
      name,
      created,
      sessions: sessions
        .filter(({ login }) => login === name)
        .map(({ id, created: since, used, address }) => ({ id, created: since, used, address })),
    }));
  }

  /** Throws `login-known`, `login-paused`, `state-failed`. */
  async add(name: string, password: string): Promise<void> {
    const salt = randomText(16);
    const hash = await this.#derive(password, salt, this.#cost);
    const logins = this.#logins();
    if (logins.some((each) => each.name === name)) fail('login-known', { name });
    const login: Login = { name, created: this.#clock.now(), salt, hash: hash.toString('base64url'), cost: this.#cost };
    this.#memory.remember('logins', [...logins, login]);
  }

  /** Its sessions end. Throws `login-not-found`, `state-failed`. */
  remove(name: string): void {
    const logins = this.#logins();
    if (!logins.some((each) => each.name === name)) fail('login-not-found', { name });
    this.#memory.remember(
      'logins',
      logins.filter((each) => each.name !== name),
    );
    this.#end(({ login }) => login === name);
  }

  /** Ends the sessions of one login, or all; gives their number. Throws `login-not-found`, `state-failed`. */
  revoke(name: string | undefined): number {
    if (name === undefined) return this.#end(() => true);
    if (!this.#logins().some((each) => each.name === name)) fail('login-not-found', { name });
    return this.#end(({ login }) => login === name);
  }

  /**
   * Begins a session; gives its secret, which is kept nowhere. `address` is where the attempt comes from.
   * Throws `login-refused` (whether or not there is such a name), `login-paused`, `state-failed`.
   */
  async logIn(name: string, password: string, address: string): Promise<string> {
    const known = name.normalize('NFC').trim();
    const pause = Math.max(this.#byAddress.pause(address), this.#byName.pause(known));
    if (pause > 0) fail('login-paused', { seconds: Math.ceil(pause / 1000) });
    this.#byAddress.begin(address);
    this.#byName.begin(known);
    const { salt, hash, cost } = this.#find(known) ?? this.#nobody;
    const isRight = timingSafeEqual(await this.#derive(password, salt, cost), Buffer.from(hash, 'base64url'));
    // It may have been removed, and even made anew, meanwhile.
    if (!isRight || this.#find(known)?.hash !== hash) fail('login-refused');
    this.#byAddress.succeeded(address);
    this.#byName.succeeded(known);
    return this.#begin(known, address);
  }

  /** The session with this secret, which is used by this; undefined when there is none, or it has ended. Throws `state-failed`. */
  admit(secret: string): { id: string; login: string } | undefined {
    const wanted = Buffer.from(sha256(secret));
    const found = this.#sessions().find(({ hash }) => timingSafeEqual(Buffer.from(hash), wanted));
    return found && this.#use(found);
  }

  /** Whether the session goes on; it is used by this, since somebody is connected. Throws `state-failed`. */
  goesOn(id: string): boolean {
    const found = this.#sessions().find((each) => each.id === id);
    return found !== undefined && this.#use(found) !== undefined;
  }

  /** Ends one session, where there is one. Throws `state-failed`. */
  logOut(id: string): void {
    this.#end((each) => each.id === id);
  }

  /** Told of each session that is ended by somebody. Returns the function that stops it. */
  onEnded(listener: (id: string) => void): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  #begin(login: string, address: string): string {
    const secret = randomText(32);
    const now = this.#clock.now();
    const session: Session = { id: randomText(9), hash: sha256(secret), login, created: now, used: now, address };
    const sessions = this.#sessions();
    const own = sessions.filter((each) => each.login === login);
    const tooMany = new Set(own.slice(0, Math.max(0, own.length + 1 - mostSessions)));
    this.#memory.remember('sessions', [...sessions.filter((each) => !tooMany.has(each)), session]);
    for (const { id } of tooMany) this.#tell(id);
    return secret;
  }

  #use(session: Session): { id: string; login: string } {
    const now = this.#clock.now();
    if (Math.abs(now - session.used) >= noteMs) {
      const sessions = this.#sessions().map((each) => (each.id === session.id ? { ...each, used: now } : each));
      try {
        this.#memory.remember('sessions', sessions);
      } catch {
        // A full disk locks nobody out; the next use is noted again.
      }
    }
    return { id: session.id, login: session.login };
  }

  #end(which: (session: Session) => boolean): number {
    const sessions = this.#sessions();
    const ended = sessions.filter(which);
    if (ended.length === 0) return 0;
    this.#memory.remember(
      'sessions',
      sessions.filter((each) => !which(each)),
    );
    for (const { id } of ended) this.#tell(id);
    return ended.length;
  }

  #tell(id: string): void {
    for (const listener of this.#listeners) listener(id);
  }

  #find(name: string): Login | undefined {
    return this.#logins().find((each) => each.name === name);
  }

  #logins(): Login[] {
    return readable(loginSchema, this.#memory.recall('logins'));
  }

  /** Those that have not ended. One from the future began under a wrong clock, and would last too long. */
  #sessions(): Session[] {
    const now = this.#clock.now();
    return readable(sessionSchema, this.#memory.recall('sessions')).filter(
      ({ created, used }) => now - created < sessionMs && now - used < idleMs && used - now < dayMs,
    );
  }

  /** One after the other: each takes memory and a processor. Throws `login-paused` when too many wait. */
  async #derive(password: string, salt: string, cost: LoginCost): Promise<Buffer> {
    if (this.#waiting >= mostWaiting) fail('login-paused', { seconds: 5 });
    this.#waiting += 1;
    const before = this.#deriving;
    const derived = before.then(() => derive(password.normalize('NFKC'), Buffer.from(salt, 'base64url'), cost));
    this.#deriving = derived.catch(() => {});
    try {
      return await derived;
    } finally {
      this.#waiting -= 1;
    }
  }
}

function derive(password: string, salt: Buffer, { N, r, p }: LoginCost): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    // Twice what it takes (128 N r), for the limit counts some more.
    scrypt(password, salt, hashBytes, { N, r, p, maxmem: 256 * N * r }, (error, key) => (error ? reject(error) : resolve(key)));
  });
}

/** A part of what was kept that cannot be read opens nothing. */
const readable = <T>(schema: z.ZodType<T>, kept: unknown): T[] =>
  (Array.isArray(kept) ? kept : []).flatMap((each: unknown) => {
    const { data } = schema.safeParse(each);
    return data === undefined ? [] : [data];
  });

const randomText = (bytes: number): string => randomBytes(bytes).toString('base64url');
const sha256 = (text: string): string => createHash('sha256').update(text).digest('base64url');
