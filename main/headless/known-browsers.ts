/**
 * Browsers that came in by the token: each is given a secret of its own, by which it is known again when the service was started anew, so that
 * an open page goes on by itself. What is stored are hashes of the secrets, which are random: it opens nothing.
 */
import { createHash, randomBytes } from 'node:crypto';
import { z } from 'zod';
import type { Clock } from '../../src/platform/clock.ts';
import type { LoginMemory } from '../../src/service/logins.ts';

const knownSchema = z.array(z.object({ hash: z.string(), used: z.number() }));
type Known = z.infer<typeof knownSchema>;

const dayMs = 24 * 60 * 60_000;
/** A browser that did not come for so long is forgotten; most forget the secret themselves when they end. */
const idleMs = 7 * dayMs;
/** A visit is noted when the last noted one is so long ago: each note is a write that waits for the disk. */
const noteMs = dayMs;
/** A further one takes the place of the one that was away longest. */
const most = 20;
const name = 'known-browsers';

const hashOf = (secret: string): string => createHash('sha256').update(secret).digest('base64url');

export class KnownBrowsers {
  readonly #memory: LoginMemory;
  readonly #clock: Pick<Clock, 'now'>;

  constructor(memory: LoginMemory, clock: Pick<Clock, 'now'>) {
    this.#memory = memory;
    this.#clock = clock;
  }

  /** The secret of a new one. Throws `state-failed`. */
  add(): string {
    const secret = randomBytes(32).toString('base64url');
    const used = this.#clock.now();
    this.#memory.remember(name, [...this.#known().slice(1 - most), { hash: hashOf(secret), used }]);
    return secret;
  }

  /** Whether one was given this secret and has come since. Throws `state-failed`. */
  has(secret: string): boolean {
    const hash = hashOf(secret);
    const known = this.#known();
    // Who knows a hash does not know what it is of: comparing hashes in whatever time tells nothing of use.
    const found = known.find((each) => each.hash === hash);
    if (!found) return false;
    const used = this.#clock.now();
    if (used - found.used > noteMs) this.#memory.remember(name, [...known.filter((each) => each !== found), { hash, used }]);
    return true;
  }

  /** Those that have come of late, the one that was away longest first. */
  #known(): Known {
    const now = this.#clock.now();
    // A clock that was set back makes nobody older.
    return (knownSchema.safeParse(this.#memory.recall(name)).data ?? []).filter(({ used }) => now - used < idleMs);
  }
}
