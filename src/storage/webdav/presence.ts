/** Whether a repository is still where it was seen: what is away must never look as if it were empty. */
import { fail, HoldfastError } from '../../contract/errors.ts';
import { configFile, describeFile, type StoredFile } from '../storage.ts';
import type { Dav } from './dav.ts';

export class Presence {
  readonly location: string;
  readonly #dav: Dav;
  /** Whether a config was seen there. */
  seen = false;

  constructor(dav: Dav, location: string) {
    this.#dav = dav;
    this.location = location;
  }

  /** Called when something is missing: throws `storage-gone` when the folder is, or a config that was seen. */
  async check(isConfigMissing = false): Promise<void> {
    if (!(await this.#dav.isThere())) this.gone('its folder is missing');
    if (!this.seen) return;
    if (isConfigMissing || (await this.#dav.size('config', { operation: 'look at', file: describeFile(configFile) })) === undefined)
      this.gone('its config file is missing');
  }

  /** Throws `storage-gone`, else `file-not-found`. */
  async missing(file: StoredFile): Promise<never> {
    await this.check(file.kind === 'config');
    return fail('file-not-found', { file: describeFile(file), location: this.location });
  }

  /** A place where nothing was ever seen is more likely mistyped, or to be made, than away for a while. */
  gone(cause: string): never {
    throw new HoldfastError('storage-gone', { location: this.location, cause }, this.seen ? {} : { retryable: false });
  }
}
