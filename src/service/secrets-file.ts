/**
 * Secrets in a file, for computers without a keychain (a home server, a container): only where the person names one, since whoever reads
 * the file opens the backups. It is for its person's eyes only; a file that others can read is refused.
 */
import { randomBytes } from 'node:crypto';
import { chmodSync, closeSync, fsyncSync, openSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { z } from 'zod';
import { fail } from '../contract/errors.ts';
import { syncFolder } from '../storage/durable.ts';
import type { SecretKeeper } from './secrets.ts';

const contentSchema = z.strictObject({ holdfast: z.literal('secrets'), secrets: z.record(z.string(), z.string()) });

/** Each call throws `secrets-unreadable` or `secrets-not-kept`; then nothing was changed. */
export class SecretsFile implements SecretKeeper {
  readonly #file: string;
  /** Changes happen one after the other. */
  #last: Promise<void> = Promise.resolve();

  constructor(file: string) {
    this.#file = file;
  }

  async get(name: string): Promise<string | undefined> {
    await this.#last.catch(() => {});
    return this.#read()[name];
  }

  set(name: string, secret: string): Promise<void> {
    return this.#change((secrets) => ({ ...secrets, [name]: secret }));
  }

  remove(name: string): Promise<void> {
    return this.#change((secrets) => Object.fromEntries(Object.entries(secrets).filter(([each]) => each !== name)));
  }

  #change(change: (secrets: Record<string, string>) => Record<string, string>): Promise<void> {
    const done = this.#last.catch(() => {}).then(() => this.#write(change(this.#read())));
    this.#last = done;
    return done;
  }

  #read(): Record<string, string> {
    const refuse = (cause: string, error?: unknown): never => fail('secrets-unreadable', { path: this.#file, cause }, error);
    let text: string;
    try {
      text = readFileSync(this.#file, 'utf8');
      if (process.platform !== 'win32' && (statSync(this.#file).mode & 0o077) !== 0) return refuse('other people can read it');
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return {};
      return refuse((error as Error).message, error);
    }
    try {
      return contentSchema.parse(JSON.parse(text)).secrets;
    } catch (error) {
      // What the file says is not shown: it is made of secrets.
      return refuse('it is no file of secrets', error);
    }
  }

  /** The old file or the new one is there, whole, whatever happens in between. */
  async #write(secrets: Record<string, string>): Promise<void> {
    const temporary = `${this.#file}.${randomBytes(6).toString('hex')}.tmp`;
    try {
      const fd = openSync(temporary, 'wx', 0o600);
      try {
        // Unlike writeSync all of it, or an error.
        writeFileSync(fd, JSON.stringify({ holdfast: 'secrets', secrets }, undefined, 2));
        fsyncSync(fd);
      } finally {
        closeSync(fd);
      }
      chmodSync(temporary, 0o600);
      renameSync(temporary, this.#file);
      await syncFolder(dirname(this.#file));
    } catch (error) {
      rmSync(temporary, { force: true });
      fail('secrets-not-kept', { path: this.#file, cause: (error as Error).message }, error);
    }
  }
}
