/**
 * How a file comes to its place on a WebDAV server; see the words at the head of webdav.ts.
 *
 * Words: a *temporary* is a file under a name of its own, on its way.
 */
import { randomBytes } from 'node:crypto';
import { fail, HoldfastError, hasCode } from '../../contract/errors.ts';
import { discard } from '../http/body.ts';
import { type HttpAnswer, lengthOf } from '../http/exchange.ts';
import type { Task } from '../objects/bucket.ts';
import { describeFile, type StoredFile } from '../storage.ts';
import type { Dav } from './dav.ts';
import type { PackFolders } from './pack-folders.ts';
import type { Presence } from './presence.ts';

const temporaryName = /^holdfast-tmp-[0-9a-f]{32}$/;

/** Whether a file in the repository's folder is what a killed save has left. */
export const isTemporary = (name: string): boolean => temporaryName.test(name);

/** Answers to what was done. */
export const done: ReadonlySet<number> = new Set([200, 201, 204]);

export class Uploads {
  readonly #dav: Dav;
  readonly #presence: Presence;
  readonly #folders: PackFolders;
  /** The server moves nothing. */
  #movesNothing = false;
  /** The last upload was cut off: perhaps instead of an answer that says why. */
  #wasCut = false;

  constructor(dav: Dav, presence: Presence, folders: PackFolders) {
    this.#dav = dav;
    this.#presence = presence;
    this.#folders = folders;
  }

  /** Stores the parts at `path`, where nothing is yet, and looks whether they are there. A failure leaves nothing, as far as it can be helped. */
  async store(file: StoredFile, path: string, parts: readonly Uint8Array[]): Promise<void> {
    const temporary = this.#movesNothing ? undefined : await this.#uploadTemporary(file, parts);
    try {
      if (temporary === undefined || !(await this.#place(file, temporary, path))) await this.#upload(file, path, parts);
      await this.#verify(file, path, parts);
    } catch (error) {
      // A server that cannot be reached is not waited for once more.
      if (!isAway(error)) await this.#tidy(file, temporary, path, lengthOf(parts), error).catch(() => {});
      throw error;
    }
  }

  /** Whether there was one to remove. */
  async removeTemporary(name: string): Promise<boolean> {
    const answer = await this.#dav.send('DELETE', name);
    await discard(answer);
    return done.has(answer.status);
  }

  refuse(file: StoredFile): never {
    return fail('file-exists', { file: describeFile(file), location: this.#presence.location });
  }

  /** Its name, once it is there with its whole length. */
  async #uploadTemporary(file: StoredFile, parts: readonly Uint8Array[]): Promise<string> {
    const temporary = `holdfast-tmp-${randomBytes(16).toString('hex')}`;
    try {
      await this.#upload(file, temporary, parts);
      await this.#verify(file, temporary, parts);
      return temporary;
    } catch (error) {
      if (!isAway(error)) await this.removeTemporary(temporary).catch(() => {});
      throw error;
    }
  }

  /** Gives the finished file its name; false when the server moves nothing: then it is removed. */
  async #place(file: StoredFile, temporary: string, path: string): Promise<boolean> {
    let answer = await this.#dav.move(temporary, path);
    // Its folder may have been removed meanwhile, which servers tell in three ways.
    if (file.kind === 'pack' && (answer.status === 404 || answer.status === 409 || answer.status === 403)) {
      await discard(answer);
      this.#folders.forget(file);
      await this.#folders.make(file, task('save', file));
      answer = await this.#dav.move(temporary, path);
    }
    const { status } = answer;
    if (done.has(status)) {
      await discard(answer);
      return true;
    }
    if (status === 412) {
      await discard(answer);
      return this.refuse(file);
    }
    // 400: it understands no form of the destination.
    if (status === 405 || status === 501 || status === 403 || status === 400) {
      await discard(answer);
      this.#movesNothing = true;
      await this.removeTemporary(temporary).catch(() => {});
      return false;
    }
    if (status === 207) {
      answer.drop();
      return fail('storage-failed', { ...this.#at(file), cause: 'the server could not move it to its place' });
    }
    return this.#failOrGone(answer, file);
  }

  async #upload(file: StoredFile, name: string, parts: readonly Uint8Array[]): Promise<void> {
    // Only what has its final name must not replace anything; of what has a name of its own there is nothing to replace.
    const isFinal = !isTemporary(name);
    const headers = { 'content-type': 'application/octet-stream', ...(isFinal ? { 'if-none-match': '*' } : {}) };
    let answer: HttpAnswer;
    try {
      answer = await this.#dav.send('PUT', name, { headers, body: parts, askFirst: this.#wasCut });
    } catch (error) {
      this.#wasCut = hasCode(error, 'connection-lost');
      throw error;
    }
    this.#wasCut = false;
    const { status } = answer;
    if (done.has(status)) return discard(answer);
    if (isFinal && status === 412) {
      await discard(answer);
      this.refuse(file);
    }
    // What arrived was not what was sent: Nextcloud counts the bytes.
    if (status === 400) throw new HoldfastError('storage-failed', (await this.#dav.error(answer, task('save', file))).context);
    return this.#failOrGone(answer, file);
  }

  /** Whether what the server has acknowledged is there. */
  async #verify(file: StoredFile, name: string, parts: readonly Uint8Array[]): Promise<void> {
    const length = lengthOf(parts);
    const size = await this.#dav.size(name, task('save', file));
    if (size === length) return;
    const cause = size === undefined ? 'it was acknowledged and is not there' : `${length} bytes were acknowledged and ${size} are there`;
    fail('storage-failed', { ...this.#at(file), cause });
  }

  /**
   * Takes away the temporary, and what is left under the final name with another length than it should have: that was not there before,
   * so nobody can be using it. Of a config that is not certain: it stays.
   */
  async #tidy(file: StoredFile, temporary: string | undefined, path: string, length: number, error: unknown): Promise<void> {
    if (temporary !== undefined) await this.removeTemporary(temporary);
    if (file.kind === 'config' || hasCode(error, 'file-exists')) return;
    const size = await this.#dav.size(path, task('save', file));
    if (size !== undefined && size !== length) await discard(await this.#dav.send('DELETE', path));
  }

  /** For an answer that may mean that the folder is missing into which something was to be written. */
  async #failOrGone(answer: HttpAnswer, file: StoredFile): Promise<never> {
    const error = await this.#dav.error(answer, task('save', file));
    // nginx says 500.
    if ([404, 409, 500].includes(answer.status) && !(await this.#dav.isThere())) this.#presence.gone('its folder is missing');
    throw error;
  }

  #at(file: StoredFile): { location: string; operation: string; file: string } {
    return { location: this.#presence.location, ...task('save', file) };
  }
}

const task = (operation: string, file: StoredFile): Task => ({ operation, file: describeFile(file) });

const away = ['server-unknown', 'server-refused', 'server-unreachable'] as const;
const isAway = (error: unknown): boolean => away.some((code) => hasCode(error, code));
